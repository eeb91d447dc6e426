//! How long parcels wait for others, so that they travel in large requests.
//!
//! Enters: which lanes have something, on which of them it presses, the time. Leaves: the lanes whose time has come.
//! Never: a parcel; a wait on a lane whose records go at once.

use std::time::Duration;

use event::Timestamp;

use super::{LANES_MAX, LaneId, LaneSet};

/// The waits of all lanes.
#[derive(Debug, Clone, Default)]
pub struct Holds {
    spans: [Duration; LANES_MAX],
    /// Since when something waits on each lane.
    since: [Option<Timestamp>; LANES_MAX],
}

impl Holds {
    /// With these waits, in the order of the lanes.
    #[must_use]
    pub fn new(spans: impl IntoIterator<Item = Duration>) -> Self {
        let mut holds = Holds::default();
        holds.spans.iter_mut().zip(spans).for_each(|(place, span)| *place = span);
        holds
    }

    /// Those of the `waiting` lanes whose time has come: `pressing` ones have enough, or something that goes at once.
    pub fn tick(&mut self, waiting: LaneSet, pressing: LaneSet, now: Timestamp) -> LaneSet {
        let mut ripe = LaneSet::NONE;
        let lanes = (0..LANES_MAX).filter_map(LaneId::at).zip(self.spans).zip(&mut self.since);
        for ((lane, span), since) in lanes {
            if !waiting.has(lane) {
                *since = None;
                continue;
            }
            // A clock that was set back begins the wait anew.
            let begun = since.filter(|since| *since <= now).unwrap_or(now);
            *since = Some(begun);
            if pressing.has(lane) || now.since(begun) >= span {
                ripe.insert(lane);
            }
        }
        ripe
    }

    /// When the next lane's time comes of those that wait and are not ripe at `now`.
    #[must_use]
    pub fn deadline(&self, now: Timestamp) -> Option<Timestamp> {
        let dues =
            self.since.iter().zip(self.spans).filter_map(|(since, span)| Some(since.as_ref()?.plus(span)));
        dues.filter(|due| *due > now).min()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(millis: i64) -> Timestamp {
        Timestamp::from_millis(1_000_000 + millis)
    }

    #[test]
    fn a_lane_waits_its_time_unless_it_presses() {
        let mut holds = Holds::new([Duration::ZERO, Duration::from_secs(1)]);
        let (large, mut both) = (LaneId::at(1).unwrap(), LaneSet::NONE);
        both.insert(LaneId::MAIN);
        both.insert(large);
        let mut ripe = |waiting, pressing, millis| {
            let ripe = holds.tick(waiting, pressing, at(millis));
            ([ripe.has(LaneId::MAIN), ripe.has(large)], holds.deadline(at(millis)))
        };
        assert_eq!(ripe(both, LaneSet::NONE, 0), ([true, false], Some(at(1000))));
        assert_eq!(ripe(both, LaneSet::NONE, 999), ([true, false], Some(at(1000))));
        assert_eq!(ripe(both, LaneSet::NONE, 1000), ([true, true], None));
        assert_eq!(ripe(LaneSet::NONE, LaneSet::NONE, 1001), ([false, false], None));
        assert_eq!(ripe(both, LaneSet::NONE, 1002), ([true, false], Some(at(2002))));
        assert_eq!(ripe(both, both, 1003).0, [true, true]);
        assert_eq!(ripe(both, LaneSet::NONE, 5).0, [true, false]);
    }
}
