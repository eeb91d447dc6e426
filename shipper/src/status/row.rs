//! What a status page says of one stream.
//!
//! Enters: a stream as the reader knows it, or as the registry remembers it. Leaves: a row, in JSON's own types. Never: a
//! path that cannot be written; bytes that are no UTF-8 are shown as the replacement character.

use event::heartbeat::Ledger;
use event::{StreamId, Timestamp};
use serde::{Deserialize, Serialize};

use crate::input::file::{Presence, Skipped, StreamStatus, Waiting};
use crate::registry::{Entry, Losses};

/// One stream: one generation of one file.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct StreamRow {
    /// Its id, the Kafka key of its records; `event.id` of a record is this and the offset of its first byte.
    #[serde(with = "crate::registry::stream_text")]
    pub stream: StreamId,
    /// Where the file lies, or lay.
    pub path: String,
    /// `service.name` of its input.
    pub service: Option<String>,
    /// The device that the file lies on.
    pub device: u64,
    /// Its inode.
    pub inode: u64,
    /// Whether the file is there.
    pub presence: PresenceName,
    /// Since when it is missing.
    pub missing_since: Option<Timestamp>,
    /// Whether a descriptor is held.
    pub is_open: bool,
    /// How long the file is, in bytes.
    pub size: u64,
    /// Everything before it has become records; what lies between `offset` and this is in flight.
    pub read: u64,
    /// Everything before it is settled.
    pub offset: u64,
    /// Whether everything there is was read; what is left has no line end yet, or waits for its next line.
    pub is_caught_up: bool,
    /// Records that were settled since the shipper started.
    pub records: u64,
    /// Bytes by what became of them: `written = acked + filtered + lost + pending`.
    pub ledger: Ledger,
    /// `ledger.lost` by reason.
    pub losses: Losses,
    /// Since when there has been something to ship.
    pub behind_since: Option<Timestamp>,
    /// How fast it is shipped; between two looks, so that a single page has none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rate: Option<Rate>,
    /// What has no room for what comes next in it; nothing is read past that.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub waits_for: Option<Waiting>,
    /// Why it cannot be read now.
    pub error: Option<String>,
}

/// Whether a stream's file is there.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PresenceName {
    /// Under its path.
    Present,
    /// Under no path that matches.
    Missing,
    /// Under no path at all, and held open.
    Deleted,
    /// Truncated, rewritten, or its inode used again; it waits for the last acknowledgements.
    Ended,
}

/// How fast a stream is shipped.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Rate {
    /// Bytes of the file that were settled in a second.
    pub bytes_per_second: f64,
    /// Records that were settled in a second.
    pub records_per_second: f64,
}

/// An entry that is not read.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SkippedRow {
    /// The entry.
    pub path: String,
    /// Why.
    pub reason: String,
}

impl StreamRow {
    pub(crate) fn of(status: StreamStatus) -> Self {
        let (presence, missing_since) = match status.presence {
            Presence::Present => (PresenceName::Present, None),
            Presence::Missing(since) => (PresenceName::Missing, Some(since)),
            Presence::Deleted => (PresenceName::Deleted, None),
            Presence::Ended => (PresenceName::Ended, None),
        };
        StreamRow {
            stream: status.stream,
            path: status.path.to_string_lossy().into_owned(),
            service: status.service,
            device: status.key.0,
            inode: status.key.1,
            presence,
            missing_since,
            is_open: status.is_open,
            size: status.size,
            read: status.read,
            offset: status.offset,
            is_caught_up: status.is_caught_up,
            records: status.records,
            ledger: status.ledger,
            losses: status.losses,
            behind_since: status.behind_since,
            rate: None,
            waits_for: status.waits_for,
            error: status.error,
        }
    }

    pub(super) fn of_entry(entry: &Entry, size_now: Option<u64>) -> Self {
        let size = size_now.unwrap_or(entry.size);
        let lost = entry.lost.sum();
        StreamRow {
            stream: entry.stream,
            path: entry.path.clone(),
            service: None,
            device: entry.device,
            inode: entry.inode,
            presence: if size_now.is_some() { PresenceName::Present } else { PresenceName::Missing },
            missing_since: None,
            is_open: false,
            size,
            read: entry.offset,
            offset: entry.offset,
            is_caught_up: size <= entry.offset,
            records: 0,
            ledger: Ledger {
                written: size.max(entry.offset),
                acked: entry.offset.saturating_sub(entry.filtered + lost),
                filtered: entry.filtered,
                lost,
                pending: size.saturating_sub(entry.offset),
            },
            losses: entry.lost,
            behind_since: None,
            rate: None,
            waits_for: None,
            error: None,
        }
    }
}

impl SkippedRow {
    pub(super) fn of(skipped: &Skipped) -> Self {
        SkippedRow { path: skipped.path.to_string_lossy().into_owned(), reason: skipped.reason.clone() }
    }
}
