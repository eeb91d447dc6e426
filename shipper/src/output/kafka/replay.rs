//! The order in which records are sent again, and the time that they are stamped with.
//!
//! Enters: records as the client gave them back, partition by partition. Leaves: the same, in the order of their streams.

use std::collections::HashMap;
use std::time::Duration;

use event::Timestamp;

use super::lane::Outgoing;
use super::report::Returned;
use crate::batch::Ticket;

/// Half of the range in which sequence numbers wrap. What is in flight spans far less.
const HALF: u64 = 1 << 39;

/// How far a record's Kafka timestamp may lie in the past. A broker deletes by this time: a week-old line under its own
/// time would be deleted before anybody reads it. Its `@timestamp` keeps the truth.
const TIMESTAMP_AGE_MAX: Duration = Duration::from_secs(60 * 60);

/// Sorts by stream and sequence. Records without a ticket come first, as they came.
pub fn sort(records: &mut [Returned]) {
    let mut first: HashMap<u32, u64> = HashMap::new();
    for ticket in records.iter().filter_map(|record| record.ticket) {
        first.entry(ticket.slot()).or_insert_with(|| ticket.sequence());
    }
    records.sort_by_key(|record| {
        record.ticket.map(|ticket| {
            let base = first.get(&ticket.slot()).copied().unwrap_or(0);
            let distance = Ticket::new(0, ticket.sequence().wrapping_sub(base).wrapping_add(HALF)).sequence();
            (ticket.slot(), distance)
        })
    });
}

/// The Kafka timestamp for a record of this event time: neither in the future, which brokers refuse, nor older than
/// [`TIMESTAMP_AGE_MAX`].
pub fn timestamp_ms(event_ms: i64, now: Timestamp) -> i64 {
    event_ms.clamp(now.minus(TIMESTAMP_AGE_MAX).as_millis(), now.as_millis())
}

impl Returned {
    /// The record, ready to go.
    pub(super) fn outgoing(&self) -> Outgoing<'_> {
        Outgoing {
            topic: &self.topic,
            key: &self.key,
            payload: &self.payload,
            timestamp_ms: self.timestamp_ms,
            ticket: self.ticket,
        }
    }

    /// A heartbeat has no key, and is worth nothing later.
    pub(super) fn is_worth_sending(&self) -> bool {
        !self.key.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use rdkafka::types::RDKafkaErrorCode as Code;

    fn returned(ticket: Option<Ticket>, number: usize) -> Returned {
        Returned {
            ticket,
            code: Code::PurgeQueue,
            topic: "t".to_owned(),
            key: b"k".to_vec(),
            payload: number.to_string().into_bytes(),
            timestamp_ms: 0,
        }
    }

    proptest! {
        /// However partitions are interleaved, and wherever sequences wrap, each stream comes out as it was sent.
        #[test]
        fn each_stream_keeps_its_order(
            starts in prop::collection::vec(any::<u64>(), 1..5),
            sent in prop::collection::vec(0usize..5, 0..200),
            shuffle in any::<u64>(),
        ) {
            let mut next = starts.clone();
            let mut records: Vec<Returned> = sent.iter().enumerate().map(|(number, stream)| {
                let stream = stream % starts.len();
                next[stream] = next[stream].wrapping_add(1);
                returned(Some(Ticket::new(u32::try_from(stream).unwrap(), next[stream])), number)
            }).collect();
            let by_stream = |records: &[Returned]| {
                let mut lists: HashMap<u32, Vec<Vec<u8>>> = HashMap::new();
                for record in records {
                    lists.entry(record.ticket.unwrap().slot()).or_default().push(record.payload.clone());
                }
                lists
            };
            let expected = by_stream(&records);
            let mut seed = shuffle;
            for at in (1..records.len()).rev() {
                seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
                records.swap(at, usize::try_from(seed >> 33).unwrap() % (at + 1));
            }
            sort(&mut records);
            prop_assert_eq!(by_stream(&records), expected);
        }
    }

    #[test]
    fn probes_come_first_and_as_they_came() {
        let mut records = vec![
            returned(Some(Ticket::new(0, 1)), 0),
            returned(None, 1),
            returned(None, 2),
            returned(Some(Ticket::new(0, 0)), 3),
        ];
        sort(&mut records);
        let order: Vec<&[u8]> = records.iter().map(|record| record.payload.as_slice()).collect();
        assert_eq!(order, [b"1", b"2", b"3", b"0"]);
    }

    #[test]
    fn a_broker_never_sees_the_future_or_the_distant_past() {
        let now = Timestamp::from_secs(1_000_000);
        for (event_secs, expected_secs) in
            [(999_999, 999_999), (1_000_000, 1_000_000), (1_028_800, 1_000_000), (1, 996_400)]
        {
            assert_eq!(timestamp_ms(event_secs * 1000, now), expected_secs * 1000);
        }
    }
}
