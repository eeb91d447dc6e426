//! Records in the queue of this process, for its own alerter and indexer.
//!
//! Enters: parcels. Leaves: the queue's records, settled when every subscriber has made them durable.
//! Never: a wait inside the queue; a full one stops reading, as a slow broker does.

use std::collections::VecDeque;

use bytes::Bytes;
use daemon::source::queue::{NewRecord, Queue};
use event::Timestamp;
use schemars::JsonSchema;
use serde::Deserialize;
use tokio::sync::watch;
use yaml::ByteSize;

use super::OutputError;
use crate::batch::{Batch, Fate, Settled, Ticket};
use crate::channel::Parcel;

/// `output.queue:`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct QueueConfig {
    /// Bytes that the queue holds at most; beyond them, reading stops.
    pub bytes: ByteSize,
}

impl Default for QueueConfig {
    fn default() -> Self {
        QueueConfig { bytes: ByteSize(32 << 20) }
    }
}

/// The output.
pub(super) struct QueueOutput {
    queue: Queue,
    acked: watch::Receiver<i64>,
    /// Records of the parcel at hand that had no room yet.
    rest: VecDeque<NewRecord>,
    /// Tickets of records in the queue, each with the offset behind its record.
    waiting: VecDeque<(i64, Ticket)>,
}

impl QueueOutput {
    pub(super) fn new(queue: Queue) -> Self {
        let acked = queue.acked();
        QueueOutput { queue, acked, rest: VecDeque::new(), waiting: VecDeque::new() }
    }

    pub(super) fn pending(&self) -> usize {
        self.waiting.len()
    }

    /// Takes as many records as the queue has room for.
    pub(super) fn handle(
        &mut self,
        parcel: &Parcel,
        from: usize,
        now: Timestamp,
    ) -> Result<usize, OutputError> {
        if self.rest.is_empty() {
            self.rest = match parcel {
                Parcel::Broadcast(_, record) => [heartbeat(record, now)].into(),
                Parcel::Batch(batch) => records(batch, from),
            };
        }
        let offered = self.rest.len();
        let end = self.queue.offer(&mut self.rest).map_err(|_| OutputError::QueueClosed)?;
        let taken = offered - self.rest.len();
        if let Parcel::Batch(batch) = parcel {
            let first = end - taken as i64;
            let placed = batch.entries.iter().skip(from).take(taken).zip(first + 1..);
            self.waiting.extend(placed.filter_map(|(entry, behind)| Some((behind, entry.ticket?))));
        }
        Ok(from + taken)
    }

    /// Settles what is durable everywhere.
    pub(super) fn tick(&mut self, settled: &mut Vec<Settled>) {
        let acked = *self.acked.borrow_and_update();
        while let Some((_, ticket)) = self.waiting.pop_front_if(|(behind, _)| *behind <= acked) {
            settled.push(Settled { ticket, fate: Fate::Acked });
        }
    }
}

fn heartbeat(record: &[u8], now: Timestamp) -> NewRecord {
    NewRecord { timestamp: now, key: None, payload: Bytes::copy_from_slice(record) }
}

/// One copy of the batch, which its records share.
fn records(batch: &Batch, from: usize) -> VecDeque<NewRecord> {
    let bytes = Bytes::copy_from_slice(&batch.bytes);
    let record = |entry: &crate::batch::Entry| NewRecord {
        timestamp: Timestamp::from_millis(entry.timestamp_ms),
        key: Some(Bytes::copy_from_slice(&entry.stream.hex())),
        payload: bytes.slice(entry.start as usize..entry.end as usize),
    };
    batch.entries.iter().skip(from).map(record).collect()
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use daemon::Source;
    use daemon::source::Position;

    use super::*;
    use crate::batch::Entry;
    use crate::route::LaneId;

    /// Records of ten bytes, one for each number; no ticket for those above a hundred.
    fn parcel(numbers: &[u64]) -> Parcel {
        let mut batch = Batch::default();
        for number in numbers {
            let start = u32::try_from(batch.bytes.len()).unwrap();
            batch.bytes.extend_from_slice(format!("{number:010}").as_bytes());
            batch.entries.push(Entry {
                stream: event::StreamId::from_u128(u128::from(*number)),
                ticket: (*number <= 100).then(|| Ticket::new(0, *number)),
                start,
                end: start + 10,
                timestamp_ms: 5,
            });
        }
        Parcel::Batch(batch)
    }

    fn settled(output: &mut QueueOutput) -> Vec<u64> {
        let mut settled = Vec::new();
        output.tick(&mut settled);
        settled.iter().map(|settled| settled.ticket.sequence()).collect()
    }

    #[tokio::test]
    async fn a_record_is_settled_when_every_subscriber_has_it_for_good() {
        let queue = Queue::new(1 << 20);
        let (mut alerter, mut indexer) = (queue.subscribe(), queue.subscribe());
        let mut output = QueueOutput::new(queue);
        let now = Timestamp::from_secs(1);
        assert_eq!(output.handle(&parcel(&[1, 2, 101, 3]), 0, now).unwrap(), 4);
        assert_eq!(output.handle(&Parcel::Broadcast(LaneId::MAIN, b"beat".to_vec()), 0, now).unwrap(), 1);
        let batch = alerter.next(Duration::ZERO).await.unwrap();
        let values: Vec<&[u8]> = batch.records.iter().map(|record| record.payload.as_ref()).collect();
        assert_eq!(values[1..], [&b"0000000002"[..], b"0000000101", b"0000000003", b"beat"]);
        assert_eq!(batch.records[0].key.as_deref(), Some(&event::StreamId::from_u128(1).hex()[..]));
        assert_eq!(indexer.next(Duration::ZERO).await.unwrap().records.len(), 5);
        assert_eq!((settled(&mut output), output.pending()), (vec![], 3));
        let until = |next| [Position { topic: batch.records[0].topic.to_string(), partition: 0, next }];
        alerter.commit(&until(5)).await.unwrap();
        indexer.commit(&until(1)).await.unwrap();
        assert_eq!(settled(&mut output), [1]);
        indexer.commit(&until(5)).await.unwrap();
        assert_eq!((settled(&mut output), output.pending()), (vec![2, 3], 0));
    }

    #[tokio::test]
    async fn a_full_queue_takes_the_rest_later() {
        let queue = Queue::new(400);
        let mut reader = queue.subscribe();
        let mut output = QueueOutput::new(queue);
        let (numbers, now) = ((1..=10).collect::<Vec<_>>(), Timestamp::EPOCH);
        let (mut taken, mut seen) = (0, Vec::new());
        while taken < 10 {
            taken = output.handle(&parcel(&numbers), taken, now).unwrap();
            let batch = reader.next(Duration::ZERO).await.unwrap();
            seen.extend(batch.records.iter().map(|record| record.payload.clone()));
        }
        let expected: Vec<String> = numbers.iter().map(|number| format!("{number:010}")).collect();
        assert_eq!(seen, expected);
        assert_eq!(output.pending(), 10);
    }

    #[test]
    fn a_closed_queue_ends_the_output() {
        let queue = Queue::new(400);
        queue.close();
        let mut output = QueueOutput::new(queue);
        assert!(matches!(output.handle(&parcel(&[1]), 0, Timestamp::EPOCH), Err(OutputError::QueueClosed)));
    }
}
