//! The buckets of one group, oldest first.
//!
//! Enters: measured events, in nearly any order. Leaves: the merged [`Partial`] of the span before any bucket edge.
//! Never: an empty bucket; silence costs no memory.

use std::collections::VecDeque;
use std::time::Duration;

use event::Timestamp;
use serde::{Deserialize, Serialize};

use super::{Measured, Partial};

/// A window has at most this many buckets.
pub const BUCKETS_PER_WINDOW: u64 = 60;

/// Non-empty buckets by start, and what has left the window.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct Ring {
    buckets: VecDeque<Bucket>,
    /// The events that are older than the window; conditions about a state (up or down, the last number) read it.
    settled: Partial,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
struct Bucket {
    #[serde(with = "super::partial::nanos")]
    start: Timestamp,
    partial: Partial,
}

impl Ring {
    /// Adds one event to the `step`-wide bucket of its moment.
    pub fn insert(&mut self, at: Timestamp, measured: Measured, step: Duration) {
        let start = at.floor(step);
        let place = self.buckets.iter().rposition(|bucket| bucket.start <= start);
        if let Some(bucket) = place.and_then(|place| self.buckets.get_mut(place))
            && bucket.start == start
        {
            bucket.partial.insert(at, measured);
            return;
        }
        let mut partial = Partial::default();
        partial.insert(at, measured);
        self.buckets.insert(place.map_or(0, |place| place + 1), Bucket { start, partial });
    }

    /// Merges the buckets that start in `from..until`.
    #[must_use]
    pub fn between(&self, from: Timestamp, until: Timestamp) -> Partial {
        let mut merged = Partial::default();
        let inside = self.buckets.iter().skip_while(|bucket| bucket.start < from);
        for bucket in inside.take_while(|bucket| bucket.start < until) {
            merged.merge(&bucket.partial);
        }
        merged
    }

    /// Everything older than `until`, however old.
    #[must_use]
    pub fn all_before(&self, until: Timestamp) -> Partial {
        let mut merged = self.settled.clone();
        for bucket in self.buckets.iter().take_while(|bucket| bucket.start < until) {
            merged.merge(&bucket.partial);
        }
        merged
    }

    /// Lets go of the buckets that start before `edge`.
    pub fn settle(&mut self, edge: Timestamp) {
        while let Some(bucket) = self.buckets.pop_front_if(|bucket| bucket.start < edge) {
            self.settled.merge(&bucket.partial);
            // No condition asks for a percentile of all times, and a sketch of all times would only grow.
            self.settled.sketch = None;
        }
    }

    /// When the oldest bucket starts.
    #[must_use]
    pub fn first(&self) -> Option<Timestamp> {
        self.buckets.front().map(|bucket| bucket.start)
    }

    /// Buckets now held.
    #[must_use]
    pub fn len(&self) -> usize {
        self.buckets.len()
    }

    /// No bucket is held; what has settled may still say something.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.buckets.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const STEP: Duration = Duration::from_secs(5);

    fn second(at: i64) -> Timestamp {
        Timestamp::from_secs(at)
    }

    fn measured(is_matched: bool, value: i32) -> Measured {
        Measured { is_matched, value: Some(f64::from(value)), is_sketched: true, is_state: true }
    }

    /// What the ring must say, read from the events themselves.
    fn naive(events: &[(i64, bool, i32)], from: i64, until: i64) -> Partial {
        let mut inside: Vec<_> =
            events.iter().filter(|(at, ..)| (from..until).contains(at)).copied().collect();
        inside.sort_by_key(|(at, ..)| *at);
        let last_matched = inside.iter().rev().find(|(_, matched, _)| *matched).map(|(at, ..)| *at);
        let unmatched_since =
            inside.iter().find(|(at, matched, _)| !matched && last_matched.is_none_or(|last| *at > last));
        let values = || inside.iter().map(|(.., value)| f64::from(*value));
        Partial {
            count: inside.len() as u64,
            matched: inside.iter().filter(|(_, matched, _)| *matched).count() as u64,
            sum: values().sum(),
            min: values().fold(f64::INFINITY, f64::min),
            max: values().fold(f64::NEG_INFINITY, f64::max),
            last: inside
                .last()
                .map(|(at, _, value)| super::super::Point { at: second(*at), value: f64::from(*value) }),
            last_matched: last_matched.map(second),
            unmatched: unmatched_since.map(|(at, ..)| second(*at)).into_iter().collect(),
            sketch: None,
        }
    }

    proptest! {
        /// Events of distinct moments, in any order, give what a list of them gives.
        #[test]
        fn a_ring_is_a_list_of_events(
            events in prop::collection::btree_map(0..200i64, (any::<bool>(), -50..50i32), 0..60),
            order in any::<prop::sample::Index>(),
            from in 0..40i64,
            width in 1..20i64,
        ) {
            let mut events: Vec<_> = events.into_iter().map(|(at, (matched, value))| (at, matched, value)).collect();
            if !events.is_empty() {
                let at = order.index(events.len());
                events.rotate_left(at);
            }
            let mut ring = Ring::default();
            for &(at, matched, value) in &events {
                ring.insert(second(at), measured(matched, value), STEP);
            }
            let (from, until) = (from * 5, (from + width) * 5);
            let mut found = ring.between(second(from), second(until));
            prop_assert_eq!(found.sketch.take().and_then(|sketch| sketch.percentile(100.0)), {
                let expected = naive(&events, from, until);
                (expected.count > 0).then_some(expected.max)
            });
            prop_assert_eq!(found, naive(&events, from, until));

            ring.settle(second(from));
            let mut found = ring.all_before(second(until));
            found.sketch = None;
            prop_assert_eq!(found, naive(&events, 0, until));
        }
    }

    #[test]
    fn an_up_that_arrives_late_does_not_hide_the_down_after_it() {
        let mut ring = Ring::default();
        for (at, is_up) in [(141, false), (143, false), (142, true)] {
            ring.insert(second(at), measured(is_up, 0), STEP);
        }
        assert_eq!(ring.all_before(second(145)).unmatched_since(), Some(second(143)));
    }

    #[test]
    fn silence_holds_no_bucket() {
        let mut ring = Ring::default();
        ring.insert(second(3), measured(true, 1), STEP);
        ring.insert(second(900_000), measured(true, 1), STEP);
        assert_eq!(ring.len(), 2);
        assert_eq!(ring.first(), Some(second(0)));
        ring.settle(second(900_001));
        assert!(ring.is_empty());
    }

    #[test]
    fn a_snapshot_keeps_every_bit() {
        let mut ring = Ring::default();
        ring.insert(
            second(3),
            Measured { is_matched: false, value: Some(0.1 + 0.2), is_sketched: true, is_state: true },
            STEP,
        );
        ring.insert(
            second(9),
            Measured { is_matched: true, value: None, is_sketched: false, is_state: false },
            STEP,
        );
        let text = serde_json::to_string(&ring).unwrap();
        assert_eq!(serde_json::from_str::<Ring>(&text).unwrap(), ring);
    }
}
