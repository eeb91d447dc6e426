//! Records in the queue of this process, for its own alerter and indexer.
//!
//! Enters: parcels. Leaves: the queue's records, settled when every subscriber has made them durable.
//! Never: a wait inside the queue; a full one stops reading, as a slow broker does.

use std::collections::VecDeque;
use std::time::Duration;

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
                Parcel::Broadcast(record) => [heartbeat(record, now)].into(),
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

    /// Settles what is durable everywhere; waits for that at most `wait`.
    pub(super) fn tick(&mut self, wait: Duration, settled: &mut Vec<Settled>) {
        if !wait.is_zero() && !self.acked.has_changed().unwrap_or(false) {
            std::thread::sleep(wait);
        }
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
