//! Counting once: the highest offset of each stream.
//!
//! Enters: event ids and the time of receipt. Leaves: whether the event is new.
//! Never: more than a fixed number of streams.

use std::collections::HashMap;

use event::{EventId, StreamId, Timestamp};
use serde::{Deserialize, Serialize};

/// The highest offset seen of each stream. A stream's records come in order, because they share a partition.
#[derive(Debug, Clone, Default)]
pub struct Dedup {
    streams: HashMap<StreamId, Seen>,
    evicted: u64,
}

#[derive(Debug, Clone, Copy)]
struct Seen {
    offset: u64,
    at: Timestamp,
}

/// A stream in a snapshot: id, highest offset, when it was last heard, nanoseconds.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct StreamSnapshot(String, u64, i64);

impl Dedup {
    /// Notes the event, received at `now` (any clock that never goes back); `false` when it, or a later one of its stream, was noted before.
    pub fn admit(&mut self, id: EventId, now: Timestamp, streams_max: usize) -> bool {
        if let Some(seen) = self.streams.get_mut(&id.stream) {
            seen.at = seen.at.max(now);
            let is_new = id.offset > seen.offset;
            seen.offset = seen.offset.max(id.offset);
            return is_new;
        }
        if self.streams.len() >= streams_max {
            self.make_room(streams_max);
        }
        self.streams.insert(id.stream, Seen { offset: id.offset, at: now });
        true
    }

    /// Forgets the streams that were last heard before `edge`.
    pub fn forget(&mut self, edge: Timestamp) {
        self.streams.retain(|_, seen| seen.at >= edge);
    }

    /// Streams forgotten to make room.
    #[must_use]
    pub fn evicted(&self) -> u64 {
        self.evicted
    }

    /// Drops the sixteenth of the streams that was silent longest, so that the search is paid for once in many.
    fn make_room(&mut self, streams_max: usize) {
        let mut order: Vec<(Timestamp, StreamId)> =
            self.streams.iter().map(|(&stream, seen)| (seen.at, stream)).collect();
        order.sort_unstable();
        let keep = streams_max - (streams_max / 16).max(1).min(streams_max);
        for (_, stream) in order.iter().take(self.streams.len().saturating_sub(keep)) {
            self.streams.remove(stream);
            self.evicted += 1;
        }
    }

    /// All streams, sorted, so that equal states give equal snapshots.
    #[must_use]
    pub fn snapshot(&self) -> Vec<StreamSnapshot> {
        let mut all: Vec<_> = self
            .streams
            .iter()
            .map(|(stream, seen)| StreamSnapshot(stream.to_string(), seen.offset, seen.at.as_nanos()))
            .collect();
        all.sort_unstable_by(|left, right| left.0.cmp(&right.0));
        all
    }

    /// The state that `streams` tells of; what is no stream id is left out.
    #[must_use]
    pub fn restore(streams: &[StreamSnapshot]) -> Self {
        let streams = streams.iter().filter_map(|StreamSnapshot(id, offset, at)| {
            Some((id.parse().ok()?, Seen { offset: *offset, at: Timestamp::from_nanos(*at) }))
        });
        Dedup { streams: streams.collect(), evicted: 0 }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Each id is `stream:offset`, one a second; the answer has a `+` for a new event and a `-` for a duplicate.
    fn check(streams_max: usize, ids: &[(u128, u64)], expected: &str) {
        let mut dedup = Dedup::default();
        let mut found = String::new();
        for (second, &(stream, offset)) in ids.iter().enumerate() {
            let id = EventId { stream: StreamId::from_u128(stream), offset };
            let is_new = dedup.admit(id, Timestamp::from_secs(second as i64), streams_max);
            found.push(if is_new { '+' } else { '-' });
            dedup = Dedup { evicted: dedup.evicted, ..Dedup::restore(&dedup.snapshot()) };
            assert!(dedup.streams.len() <= streams_max);
        }
        assert_eq!(found, expected, "{ids:?}");
    }

    #[test]
    fn an_event_counts_once() {
        check(8, &[(1, 0), (1, 0), (1, 10), (1, 5), (2, 5), (1, 11)], "+-+-++");
        check(2, &[(1, 7), (2, 7), (3, 7), (2, 7), (1, 7)], "+++-+");
    }

    #[test]
    fn silent_streams_are_forgotten() {
        let mut dedup = Dedup::default();
        let id = EventId { stream: StreamId::from_u128(1), offset: 1 };
        assert!(dedup.admit(id, Timestamp::from_secs(10), 8));
        dedup.forget(Timestamp::from_secs(10));
        assert!(!dedup.admit(id, Timestamp::from_secs(10), 8));
        dedup.forget(Timestamp::from_secs(11));
        assert!(dedup.admit(id, Timestamp::from_secs(10), 8));
        assert_eq!(dedup.evicted(), 0);
    }
}
