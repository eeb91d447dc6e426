//! Where a consumer's records come from: a Kafka consumer group, or the queue inside the process.
//!
//! Enters: a broker or a queue. Leaves: batches of records, in order in each partition.
//! Never: what the records mean. The caller keeps the positions with its own state and says where to go on.

use std::sync::Arc;

use bytes::Bytes;
use event::Timestamp;
use event::decode::Received;

mod group;
pub mod kafka;
pub mod queue;

/// One record as it was received.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Record {
    /// The topic. A queue's topic is named anew in each process, because its offsets start anew.
    pub topic: Arc<str>,
    /// The partition of the topic.
    pub partition: i32,
    /// The record's offset in it.
    pub offset: i64,
    /// When the broker, or the producer, stamped it.
    pub timestamp: Timestamp,
    /// The key: our shippers write the stream id.
    pub key: Option<Bytes>,
    /// The value.
    pub payload: Bytes,
}

impl Record {
    /// The record as the decoder takes it.
    #[must_use]
    pub fn received(&self) -> Received<'_> {
        Received {
            topic: &self.topic,
            partition: self.partition,
            offset: self.offset,
            timestamp: self.timestamp,
            payload: &self.payload,
        }
    }
}

/// Where a consumer goes on in one partition.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize, serde::Deserialize)]
pub struct Position {
    /// The topic.
    pub topic: String,
    /// The partition of the topic.
    pub partition: i32,
    /// The offset of the first record that is not processed yet.
    pub next: i64,
}

/// What one call of [`Source::next`] gives.
#[derive(Debug, Clone, Default)]
pub struct Batch {
    /// At most [`BATCH_RECORDS_MAX`] records; empty when the wait ended without any.
    pub records: Vec<Record>,
    /// True when every partition was read to its end: then a missing event is silence, not lag.
    pub is_caught_up: bool,
}

/// Records in one batch at most.
pub const BATCH_RECORDS_MAX: usize = 4096;

/// Bytes of keys and payloads in one batch, after which it takes no further record.
pub const BATCH_BYTES_MAX: usize = 8 << 20;

/// Why no records come.
#[derive(Debug, thiserror::Error)]
pub enum SourceError {
    /// It may pass: the source goes on trying by itself, the caller only reports it.
    #[error("{0}")]
    Transient(String),
    /// It will not pass without a change of the configuration.
    #[error("{0}")]
    Permanent(String),
}

/// A stream of records with positions that the caller owns.
pub trait Source: Send {
    /// Waits for records, at most about `wait` of machine time, and gives those that are there.
    ///
    /// # Errors
    /// [`SourceError`]; after a transient one the next call goes on where this one stopped.
    fn next(&mut self, wait: std::time::Duration) -> impl Future<Output = Result<Batch, SourceError>> + Send;

    /// Goes on at these positions, as a snapshot recorded them; a partition that is not named starts at its
    /// committed offset, else at its beginning. Positions of partitions that this source does not have are ignored.
    fn seek(&mut self, positions: &[Position]);

    /// Says that everything before these positions is processed and durable.
    ///
    /// # Errors
    /// [`SourceError`]; the records stay processed, only the group's offset (or the queue's ack) lags.
    fn commit(&mut self, positions: &[Position]) -> impl Future<Output = Result<(), SourceError>> + Send;
}
