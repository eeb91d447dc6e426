//! What a drill does, and when.
//!
//! Enters: how long it may take. Leaves: the scenarios, each with its acts by time; how many lines are due. Never: an act.

use std::time::Duration;

/// Something that happens to a file, the shipper or its broker.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Act {
    /// `mv app.log app.log.1`; the next line begins a new file.
    Rename,
    /// `cp app.log app.log.1`, then `app.log` is emptied.
    CopyTruncate,
    /// As `Rename`, then `gzip app.log.1`.
    Compress,
    /// `kill -9`, and a start.
    Kill,
    /// No connection to a broker.
    Shut,
    /// Connections as ever.
    Open,
}

/// One part of the drill, with a file of its own.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Scenario {
    pub name: &'static str,
    /// What happens, for people.
    pub what: &'static str,
    /// When, in twelfths of its time.
    pub acts: &'static [(u32, Act)],
}

/// All of them, in their order.
pub(super) const SCENARIOS: [Scenario; 6] = [
    Scenario { name: "steady", what: "a file grows", acts: &[] },
    Scenario {
        name: "rename",
        what: "it is renamed, and a new one takes its place: 7 times",
        acts: &[
            (2, Act::Rename),
            (4, Act::Rename),
            (6, Act::Rename),
            (7, Act::Rename),
            (8, Act::Rename),
            (9, Act::Rename),
            (11, Act::Rename),
        ],
    },
    Scenario {
        name: "copytruncate",
        what: "it is copied, and emptied a tenth of a second later: 5 times",
        acts: &[
            (2, Act::CopyTruncate),
            (4, Act::CopyTruncate),
            (6, Act::CopyTruncate),
            (8, Act::CopyTruncate),
            (10, Act::CopyTruncate),
        ],
    },
    Scenario {
        name: "compress",
        what: "it is renamed and compressed at once: 5 times",
        acts: &[
            (2, Act::Compress),
            (4, Act::Compress),
            (6, Act::Compress),
            (8, Act::Compress),
            (10, Act::Compress),
        ],
    },
    Scenario {
        name: "kill",
        what: "the shipper is killed with -9 and started again: 5 times, with a rotation",
        acts: &[
            (2, Act::Kill),
            (4, Act::Kill),
            (5, Act::Rename),
            (6, Act::Kill),
            (8, Act::Kill),
            (10, Act::Kill),
        ],
    },
    Scenario {
        name: "block",
        what: "the brokers are cut off for half of the time, with two rotations",
        acts: &[(2, Act::Shut), (4, Act::Rename), (6, Act::Rename), (8, Act::Open)],
    },
];

impl Scenario {
    /// When each act is due in a scenario that takes `span`.
    pub(super) fn acts(&self, span: Duration) -> impl Iterator<Item = (Duration, Act)> {
        self.acts.iter().map(move |(twelfths, act)| (span * *twelfths / 12, *act))
    }
}

/// Lines that are due, of which so many are written.
pub(super) fn due(rate: u32, elapsed: Duration, written: u64) -> u64 {
    let all = elapsed.as_millis() * u128::from(rate) / 1000;
    u64::try_from(all).unwrap_or(u64::MAX).saturating_sub(written)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn acts_are_in_order_and_a_door_that_is_shut_is_opened() {
        for scenario in SCENARIOS {
            let acts: Vec<_> = scenario.acts(Duration::from_secs(12)).collect();
            assert!(acts.is_sorted_by_key(|(at, _)| *at), "{}", scenario.name);
            assert!(acts.iter().all(|(at, _)| *at < Duration::from_secs(12)), "{}", scenario.name);
            let count = |wanted| acts.iter().filter(|(_, act)| *act == wanted).count();
            assert_eq!(count(Act::Shut), count(Act::Open), "{}", scenario.name);
        }
    }

    #[test]
    fn lines_keep_pace_with_the_time() {
        for (millis, written, expected) in [(0, 0, 0), (10, 0, 5), (1000, 200, 300), (1000, 900, 0)] {
            assert_eq!(due(500, Duration::from_millis(millis), written), expected);
        }
    }
}
