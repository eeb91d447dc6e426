//! What the engine knows of the wall clock and of the queue.
//!
//! Enters: the wall clock, and whether the queue is read to its end. Leaves: the second, and the reading time.
//! Never: patience that runs out while records are unread.
//!
//! Reading time is the wall clock without the spans in which records were unread. Patience with a silent source is
//! counted in it: neither a long outage of the queue nor a consumer that is a moment behind now and then, for ever,
//! makes a source blind, or keeps one from being blind.

use std::time::Duration;

use event::Timestamp;
use serde::{Deserialize, Serialize};

use crate::window::{STEP_MIN, nanos};

/// The wall clock by seconds, and how much of it went by unread.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Clock {
    /// The queue was read to its end when that was last said.
    #[serde(skip)]
    pub is_caught_up: bool,
    /// The last second that began; all that depends on the wall clock depends on this alone.
    #[serde(with = "nanos")]
    pub second: Timestamp,
    /// The newest moment seen.
    #[serde(skip, default = "unseen")]
    seen: Timestamp,
    /// The sum of the spans in which records were unread, without the one that lasts.
    pub unread: Duration,
    /// Since when records are unread, if they are.
    #[serde(with = "nanos")]
    unread_since: Timestamp,
    /// Since when the present rules watch a queue that is read.
    #[serde(skip)]
    pub watching_since: Option<Timestamp>,
}

impl Default for Clock {
    fn default() -> Self {
        Clock {
            is_caught_up: false,
            second: Timestamp::MIN,
            seen: unseen(),
            unread: Duration::ZERO,
            unread_since: Timestamp::MIN,
            watching_since: None,
        }
    }
}

fn unseen() -> Timestamp {
    Timestamp::MIN
}

impl Clock {
    /// The second of `now`; `None` when it is not a new one.
    pub fn next_second(&mut self, now: Timestamp) -> Option<Timestamp> {
        self.seen = self.seen.max(now);
        let second = now.floor(STEP_MIN);
        if self.second == Timestamp::MIN {
            self.unread_since = second;
        }
        (second > self.second).then_some(second)
    }

    /// Takes word of the queue; `true` when it is read to its end now, and was not before.
    pub fn take(&mut self, is_caught_up: bool, now: Timestamp) -> bool {
        let was_caught_up = std::mem::replace(&mut self.is_caught_up, is_caught_up);
        match (was_caught_up, is_caught_up) {
            (false, true) => {
                self.unread += now.since(self.unread_since);
                self.watching_since.get_or_insert(now);
            }
            (true, false) => self.unread_since = now,
            _ => {}
        }
        !was_caught_up && is_caught_up
    }

    /// Reading time at `now`.
    #[must_use]
    pub fn reading_time(&self, now: Timestamp) -> Timestamp {
        if self.is_caught_up { now } else { self.unread_since }.minus(self.unread)
    }

    /// The clock of an engine that goes on from a snapshot: everything since is unread.
    #[must_use]
    pub fn resumed(self) -> Self {
        let unread_since = if self.is_caught_up { self.seen } else { self.unread_since };
        Clock { is_caught_up: false, unread_since, watching_since: None, ..self }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reading_time_leaves_out_what_was_unread() {
        let at = Timestamp::from_secs;
        let mut clock = Clock::default();
        let mut check = |now, is_caught_up: Option<bool>, reading_time| {
            if let Some(second) = clock.next_second(at(now)) {
                clock.second = second;
            }
            if let Some(is_caught_up) = is_caught_up {
                clock.take(is_caught_up, at(now));
            }
            assert_eq!(clock.reading_time(at(now)), at(reading_time), "at {now}");
        };
        check(100, None, 100);
        check(150, None, 100);
        check(160, Some(true), 100);
        check(170, Some(true), 110);
        check(180, Some(false), 120);
        check(190, Some(false), 120);
        check(200, Some(true), 120);
        check(201, None, 121);
    }

    #[test]
    fn a_clock_that_goes_on_at_once_has_read_all_the_time() {
        let at = |millis| Timestamp::from_secs(100).plus(Duration::from_millis(millis));
        let mut clock = Clock::default();
        clock.next_second(at(0));
        clock.take(true, at(0));
        clock.next_second(at(900));
        let mut clock = clock.resumed();
        clock.take(true, at(900));
        assert_eq!(clock.reading_time(at(1900)), at(1900));
    }
}
