//! What a shipper says of itself, through the same partitions as its events.
//!
//! Enters: counts of the shipper. Leaves: a record of its own dataset, and the counts again on the other side.
//! A missing heartbeat is a fact of its own: the alerter is blind there, which is not the same as silence.

use std::time::Duration;

use crate::{Event, Timestamp};

/// `event.dataset` of heartbeat records.
pub const DATASET: &str = "watchfire.heartbeat";

/// One heartbeat. Serialized as ECS JSON: `host.name`, `agent.id` and `watchfire.*`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Heartbeat {
    /// `host.name`.
    pub host: String,
    /// `agent.id`: one shipper installation, stable across restarts.
    pub agent: String,
    /// `@timestamp`, by the shipper's clock.
    pub at: Timestamp,
    /// `watchfire.every_ms`: when to expect the next one.
    pub every: Duration,
    /// `watchfire.services`: the services whose logs or probes this shipper vouches for, sorted.
    pub services: Vec<String>,
    /// `watchfire.streams`: open streams.
    pub streams: u64,
    /// `watchfire.backlog_bytes`: bytes on disk that are not acked yet.
    pub backlog_bytes: u64,
    /// `watchfire.oldest_unshipped`: since when there has been a backlog.
    pub oldest_unshipped: Option<Timestamp>,
    /// `watchfire.ledger.*`.
    pub ledger: Ledger,
}

/// The loss ledger in bytes: `written = acked + filtered + lost + pending`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Ledger {
    /// Bytes that the streams hold, or held.
    pub written: u64,
    /// Bytes that the broker has acknowledged.
    pub acked: u64,
    /// Bytes that the user's own filters dropped.
    pub filtered: u64,
    /// Bytes that are gone, each counted with a reason.
    pub lost: u64,
    /// Bytes that are still to be shipped.
    pub pending: u64,
}

impl Heartbeat {
    /// Appends the heartbeat's JSON object to `out`.
    pub fn encode(&self, out: &mut Vec<u8>) {
        let _ = out;
    }

    /// The heartbeat in `event`; `None` when it is no heartbeat.
    #[must_use]
    pub fn from_event(event: &Event) -> Option<Self> {
        let _ = event;
        None
    }
}
