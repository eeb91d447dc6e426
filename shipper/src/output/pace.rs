//! Whether records wait for the answer to those before them.
//!
//! Enters: how many records of one lane were given, how many have no answer yet, the time. Leaves: yes or no. Never: a wait;
//! a word on another lane, whose topic may be refused.
//!
//! The Kafka client writes the next batch of a partition when the one before it is acknowledged. A batch that is due by
//! its linger and may not go yet makes the client's thread ask for the time without a pause, until the answer comes: a
//! broker that answers after 50 ms costs a whole core, at any rate of lines. So records that come at a pace which needs
//! no second batch wait here instead, and go together. A broker that answers about as fast as a batch lingers is given
//! everything at once.

use std::collections::VecDeque;
use std::time::{Duration, Instant};

use crate::route::{LANES_MAX, LaneId, LaneSet};

/// An answer that took longer is slow: a batch and its linger would be over before it.
const ANSWER_SLOW: Duration = Duration::from_millis(15);
/// Bytes that do not wait: there is enough for a batch, and more to come.
const HOLD_BYTES: usize = 256 << 10;
/// No record waits longer, as when one of several brokers does not answer.
const HOLD_MAX: Duration = Duration::from_millis(100);
/// Parcels whose answers are timed at the same time.
const TIMED_MAX: usize = 64;

/// The paces of all lanes.
#[derive(Debug, Default)]
pub(super) struct Paces([Pace; LANES_MAX]);

impl Paces {
    /// So many records of the lane were given to the client.
    pub(super) fn gave(&mut self, lane: LaneId, records: usize, now: Instant) {
        if let Some(pace) = self.0.get_mut(lane.index()) {
            pace.gave(records, now);
        }
    }

    /// So many records have no answer, by lane; nothing is known of a lane with `None`.
    pub(super) fn answered(&mut self, pending: impl Fn(LaneId) -> Option<usize>, now: Instant) {
        for (lane, pace) in (0..LANES_MAX).filter_map(LaneId::at).zip(&mut self.0) {
            if let Some(pending) = pending(lane) {
                pace.answered(pending, now);
            }
        }
    }

    /// Those of the `waiting` lanes on which records had better wait on. `load` gives the records of a lane without an
    /// answer, and the bytes of those that wait; `None` when it holds nothing.
    pub(super) fn holding(
        &self,
        waiting: LaneSet,
        load: impl Fn(LaneId) -> Option<(usize, usize)>,
        now: Instant,
    ) -> LaneSet {
        let mut held = LaneSet::NONE;
        for (lane, pace) in (0..LANES_MAX).filter_map(LaneId::at).zip(&self.0) {
            let load = if waiting.has(lane) { load(lane) } else { None };
            if load.is_some_and(|(pending, waiting_bytes)| pace.is_holding(pending, waiting_bytes, now)) {
                held.insert(lane);
            }
        }
        held
    }
}

/// How fast the answers of one lane come.
#[derive(Debug, Default)]
struct Pace {
    given: u64,
    /// How many were given in all, and when.
    timed: VecDeque<(u64, Instant)>,
    /// How long the last answer took.
    answer: Duration,
    gave_at: Option<Instant>,
}

impl Pace {
    /// So many records were given to the client.
    fn gave(&mut self, records: usize, now: Instant) {
        self.given += records as u64;
        self.gave_at = Some(now);
        if self.timed.len() < TIMED_MAX {
            self.timed.push_back((self.given, now));
        }
    }

    /// So many records have no answer.
    fn answered(&mut self, pending: usize, now: Instant) {
        let answered = self.given.saturating_sub(pending as u64);
        while let Some((_, since)) = self.timed.pop_front_if(|(given, _)| *given <= answered) {
            self.answer = now.saturating_duration_since(since);
        }
    }

    /// True while the records that wait, so many bytes of them, had better wait on.
    fn is_holding(&self, pending: usize, waiting_bytes: usize, now: Instant) -> bool {
        let is_recent = self.gave_at.is_some_and(|at| now.saturating_duration_since(at) < HOLD_MAX);
        pending > 0 && self.answer >= ANSWER_SLOW && waiting_bytes < HOLD_BYTES && is_recent
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A pace after one record's answer took so many milliseconds, with another record on its way since `now`.
    fn paced(answer_ms: u64) -> (Pace, Instant) {
        let (mut pace, start) = (Pace::default(), Instant::now());
        pace.gave(1, start);
        let now = start + Duration::from_millis(answer_ms);
        pace.answered(0, now);
        pace.gave(1, now);
        pace.answered(1, now);
        (pace, now)
    }

    #[test]
    fn records_wait_for_a_slow_broker_alone() {
        for (answer_ms, pending, waiting_bytes, after_ms, expected) in [
            (7, 1, 100, 1, false),
            (40, 1, 100, 1, true),
            (40, 0, 100, 1, false),
            (40, 1, HOLD_BYTES, 1, false),
            (40, 1, 100, 100, false),
        ] {
            let (pace, now) = paced(answer_ms);
            let now = now + Duration::from_millis(after_ms);
            let told = pace.is_holding(pending, waiting_bytes, now);
            assert_eq!(told, expected, "{answer_ms} {pending} {waiting_bytes} {after_ms}");
        }
    }

    #[test]
    fn a_lane_without_answers_holds_no_other() {
        let (mut paces, start) = (Paces::default(), Instant::now());
        let (slow, refused, fast) = (LaneId::MAIN, LaneId::at(1).unwrap(), LaneId::at(2).unwrap());
        [slow, refused, fast].iter().for_each(|lane| paces.gave(*lane, 1, start));
        paces.answered(|lane| Some(usize::from(lane != fast)), start + Duration::from_millis(3));
        paces.answered(|lane| Some(usize::from(lane == refused)), start + Duration::from_millis(40));
        let now = start + Duration::from_millis(41);
        [slow, refused, fast].iter().for_each(|lane| paces.gave(*lane, 1, now));
        // Of each lane a record is on its way, and more waits.
        let held = paces.holding(LaneSet::ALL, |_| Some((1, 100)), now);
        assert_eq!([slow, refused, fast].map(|lane| held.has(lane)), [true, false, false]);
        let others = paces.holding(LaneSet::ALL.without(held), |_| Some((1, 100)), now);
        assert!(others.is_empty());
        assert!(paces.holding(LaneSet::ALL, |_| None, now).is_empty());
    }

    #[test]
    fn a_broker_that_becomes_fast_is_believed() {
        let (mut pace, now) = paced(40);
        pace.answered(0, now + Duration::from_millis(3));
        pace.gave(1, now);
        assert!(!pace.is_holding(1, 100, now));
    }
}
