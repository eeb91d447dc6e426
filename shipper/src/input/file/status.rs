//! What the file input says of itself.
//!
//! Enters: its streams. Leaves: a copy that others may keep: for the status, the heartbeat, the metrics.
//! Never: a number that the ledger cannot explain.

use std::path::PathBuf;

use event::heartbeat::Ledger;
use event::{StreamId, Timestamp};

use super::FileInput;
use super::scan::Skipped;
use super::stream::{Presence, Stream};
use crate::registry::Losses;
use crate::route::{LANES_MAX, LaneId, LaneSet};

/// One stream.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StreamStatus {
    /// Its id.
    pub stream: StreamId,
    /// Where the file lies, or lay.
    pub path: PathBuf,
    /// `service.name` of its input.
    pub service: Option<String>,
    /// Whether the file is there.
    pub presence: Presence,
    /// Whether a descriptor is held.
    pub is_open: bool,
    /// How long the file is, in bytes.
    pub size: u64,
    /// Everything before it has become records.
    pub read: u64,
    /// Everything before it is settled.
    pub offset: u64,
    /// Bytes by what became of them.
    pub ledger: Ledger,
    /// `ledger.lost` by reason.
    pub losses: Losses,
    /// Since when there has been something to ship.
    pub behind_since: Option<Timestamp>,
    /// Why it cannot be read now.
    pub error: Option<String>,
}

/// All streams together.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct FileTotals {
    /// Streams that are known.
    pub streams: u64,
    /// Descriptors that are held.
    pub files_open: u64,
    /// Bytes by what became of them, of every stream since the start.
    pub ledger: Ledger,
    /// `ledger.lost` by reason.
    pub losses: Losses,
    /// Since when there has been something to ship.
    pub behind_since: Option<Timestamp>,
    /// The same for each lane: of the streams whose records may go there.
    pub lanes_behind_since: [Option<Timestamp>; LANES_MAX],
    /// Since when there has been something to read; what was read may still be on its way.
    pub unread_since: Option<Timestamp>,
    /// Bytes of encoded records without a fate.
    pub in_flight_bytes: u64,
    /// Records that were cut at a limit of `multiline`, since the start.
    pub multiline_cuts: u64,
    /// Streams whose file cannot be read now.
    pub failing: u64,
    /// Entries that match and are no files, or cannot be read.
    pub skipped: u64,
}

/// Everything.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct FileStatus {
    /// The sums.
    pub totals: FileTotals,
    /// Every stream, by path.
    pub streams: Vec<StreamStatus>,
    /// Entries that match and are not read, with the reason; at most [`super::scan::SKIPPED_MAX`].
    pub skipped: Vec<Skipped>,
}

impl FileTotals {
    /// Since when there has been something to ship to one of these lanes.
    #[must_use]
    pub fn behind_since(&self, lanes: LaneSet) -> Option<Timestamp> {
        let all = (0..LANES_MAX).filter_map(LaneId::at).zip(self.lanes_behind_since);
        all.filter(|(lane, _)| lanes.has(*lane)).filter_map(|(_, since)| since).min()
    }
}

impl FileInput {
    /// The sums over all streams; allocates nothing.
    #[must_use]
    pub fn totals(&self) -> FileTotals {
        let mut totals = FileTotals {
            files_open: self.files_open as u64,
            ledger: self.retired,
            losses: self.retired_losses,
            in_flight_bytes: self.in_flight.sum(),
            multiline_cuts: self.multiline_cuts,
            skipped: self.skipped.len() as u64 + self.skipped_more,
            ..FileTotals::default()
        };
        for (slot, stream) in
            (0..).zip(&self.slots).filter_map(|(slot, stream)| Some((slot, stream.as_ref()?)))
        {
            let (ledger, losses) = stream.ledger();
            totals.streams += 1;
            totals.failing += u64::from(stream.error.is_some());
            totals.ledger = sum(totals.ledger, ledger);
            totals.losses.add(&losses);
            let behind_since = stream.behind_since();
            totals.behind_since = earlier(totals.behind_since, behind_since);
            if let Some(lane) = totals.lanes_behind_since.get_mut(self.lane(slot).index()) {
                *lane = earlier(*lane, behind_since);
            }
            totals.unread_since = earlier(totals.unread_since, stream.unread_since());
        }
        totals
    }

    /// Every stream and every skipped entry.
    #[must_use]
    pub fn status(&self) -> FileStatus {
        let mut streams: Vec<_> =
            self.slots.iter().flatten().map(|stream| self.stream_status(stream)).collect();
        streams.sort_by(|a, b| (&a.path, a.stream).cmp(&(&b.path, b.stream)));
        FileStatus { totals: self.totals(), streams, skipped: self.skipped.clone() }
    }

    fn stream_status(&self, stream: &Stream) -> StreamStatus {
        let (ledger, losses) = stream.ledger();
        StreamStatus {
            stream: stream.id,
            path: stream.path.clone(),
            service: self.inputs.get(stream.input).and_then(|input| input.config.service.clone()),
            presence: stream.presence,
            is_open: stream.file.is_some(),
            size: stream.size,
            read: stream.read(),
            offset: stream.window.offset(),
            ledger,
            losses,
            behind_since: stream.behind_since(),
            error: stream.error.clone(),
        }
    }
}

fn earlier(a: Option<Timestamp>, b: Option<Timestamp>) -> Option<Timestamp> {
    match (a, b) {
        (Some(a), Some(b)) => Some(a.min(b)),
        (a, b) => a.or(b),
    }
}

/// Adds two ledgers.
pub(super) fn sum(a: Ledger, b: Ledger) -> Ledger {
    Ledger {
        written: a.written + b.written,
        acked: a.acked + b.acked,
        filtered: a.filtered + b.filtered,
        lost: a.lost + b.lost,
        pending: a.pending + b.pending,
    }
}
