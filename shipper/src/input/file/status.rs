//! What the file input says of itself.
//!
//! Enters: its streams. Leaves: a copy that others may keep: for the status, the heartbeat, the metrics.
//! Never: a number that the ledger cannot explain.

use std::cmp::Reverse;
use std::path::{Path, PathBuf};

use event::heartbeat::Ledger;
use event::{StreamId, Timestamp};
use serde::{Deserialize, Serialize};

use super::FileInput;
use super::identity::Key;
use super::scan::Skipped;
use super::stream::{Presence, Stream};
use crate::processor::Counts;
use crate::registry::Losses;
use crate::route::{LANES_MAX, LaneId, LaneSet};

/// One stream.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StreamStatus {
    /// Its id.
    pub stream: StreamId,
    /// Where the file lies, or lay.
    pub path: PathBuf,
    /// Device and inode.
    pub key: Key,
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
    /// Whether everything there is was read; what is left has no line end yet, or waits for its next line.
    pub is_caught_up: bool,
    /// Records that were settled since the shipper started.
    pub records: u64,
    /// Bytes by what became of them.
    pub ledger: Ledger,
    /// `ledger.lost` by reason.
    pub losses: Losses,
    /// Since when there has been something to ship.
    pub behind_since: Option<Timestamp>,
    /// What has no room for what comes next in it; nothing is read past that.
    pub waits_for: Option<Waiting>,
    /// Why it cannot be read now.
    pub error: Option<String>,
}

/// A way to the broker that a stream waits for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Waiting {
    /// The topic.
    pub topic: String,
    /// The part of readiness that says whether the broker takes records there.
    pub part: String,
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
    /// Bytes of deleted files that are held open.
    pub pinned_bytes: u64,
    /// Bytes of their compressed copies.
    pub spooled_bytes: u64,
    /// Records that were left out because `shipper debug` is off.
    pub switched_off: u64,
    /// Streams whose file cannot be read now.
    pub failing: u64,
    /// Entries that match and are no files, or cannot be read.
    pub skipped: u64,
    /// What processors did since the start.
    pub processed: Counts,
}

/// Which streams are asked for; every one by default.
#[derive(Debug, Clone, Default)]
pub struct Query {
    /// Those under this path alone: a file, or a folder with all below it.
    pub under: Option<PathBuf>,
    /// Also, or only, that of this device and inode.
    pub key: Option<Key>,
    /// Which come first.
    pub order: Order,
    /// So many at most.
    pub rows_max: Option<usize>,
}

impl Query {
    /// Whether the stream of this path, device and inode is asked for.
    #[must_use]
    pub fn wants(&self, path: &Path, key: Key) -> bool {
        let is_under = self.under.as_ref().map(|under| path.starts_with(under));
        let is_key = self.key.map(|asked| asked == key);
        match (is_under, is_key) {
            (None, None) => true,
            (is_under, is_key) => is_under == Some(true) || is_key == Some(true),
        }
    }
}

/// Which streams come first.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, Default, clap::ValueEnum, serde::Serialize, serde::Deserialize,
)]
#[serde(rename_all = "snake_case")]
pub enum Order {
    /// By path.
    #[default]
    Path,
    /// Those that cannot be read, then those that have lost the most, then those that are the farthest behind.
    Worst,
}

/// What was asked for.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct FileStatus {
    /// The sums over all streams.
    pub totals: FileTotals,
    /// The streams, in the order that was asked for.
    pub streams: Vec<StreamStatus>,
    /// Streams that were asked for and have no room in `streams`.
    pub streams_more: u64,
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
            pinned_bytes: self.pinned_bytes(),
            spooled_bytes: self.spooled_bytes(),
            ledger: self.books.retired,
            losses: self.books.retired_losses,
            in_flight_bytes: self.in_flight.sum(),
            multiline_cuts: self.multiline_cuts,
            switched_off: self.switched_off,
            skipped: self.skipped.len() as u64 + self.skipped_more,
            ..FileTotals::default()
        };
        for input in &self.inputs {
            totals.processed.add(&input.processors.counts());
        }
        for (slot, stream) in
            (0..).zip(&self.slots).filter_map(|(slot, stream)| Some((slot, stream.as_ref()?)))
        {
            let (ledger, losses) = stream.ledger();
            totals.streams += 1;
            totals.failing += u64::from(stream.error.is_some());
            totals.ledger = totals.ledger.plus(ledger);
            totals.losses.add(&losses);
            let behind_since = stream.behind_since();
            totals.behind_since = earlier(totals.behind_since, behind_since);
            self.behind_on_lanes(slot, stream, &mut totals.lanes_behind_since);
            totals.unread_since = earlier(totals.unread_since, stream.unread_since());
        }
        totals
    }

    /// Since when the stream has had something to ship to each lane of its route.
    fn behind_on_lanes(&self, slot: u32, stream: &Stream, behind: &mut [Option<Timestamp>; LANES_MAX]) {
        for lane in self.route(slot).lanes() {
            if let Some(since) = behind.get_mut(lane.index()) {
                *since = earlier(*since, behind_on_since(stream, lane));
            }
        }
    }

    /// Every stream by path, and every skipped entry.
    #[must_use]
    pub fn status(&self) -> FileStatus {
        self.look_at(&Query::default())
    }

    /// The streams that are asked for, and every skipped entry. Copies no more than there are rows.
    #[must_use]
    pub fn look_at(&self, query: &Query) -> FileStatus {
        let streams = self.slots.iter().flatten().map(|stream| &**stream);
        let mut found: Vec<&Stream> =
            streams.filter(|stream| query.wants(&stream.path, stream.key())).collect();
        match query.order {
            Order::Path => found.sort_unstable_by(|a, b| (&a.path, a.id).cmp(&(&b.path, b.id))),
            Order::Worst => found.sort_unstable_by_key(|stream| {
                let (ledger, _) = stream.ledger();
                (Reverse((stream.error.is_some(), ledger.lost, ledger.pending)), &stream.path)
            }),
        }
        let rows = query.rows_max.unwrap_or(usize::MAX).min(found.len());
        let streams_more = (found.len() - rows) as u64;
        let streams = found.iter().take(rows).map(|stream| self.stream_status(stream)).collect();
        FileStatus { totals: self.totals(), streams, streams_more, skipped: self.skipped.clone() }
    }

    /// `None` for an output without topics.
    fn waiting(&self, wanted: LaneId) -> Option<Waiting> {
        let (_, lane) = self.lanes.iter().find(|(lane, _)| *lane == wanted)?;
        let topic = lane.topic.as_deref().unwrap_or(self.lanes.topic());
        let part = format!("output{}", lane.suffix());
        (!topic.is_empty()).then(|| Waiting { topic: topic.to_owned(), part })
    }

    pub(super) fn stream_status(&self, stream: &Stream) -> StreamStatus {
        let (ledger, losses) = stream.ledger();
        StreamStatus {
            stream: stream.id,
            path: stream.path.clone(),
            key: stream.key(),
            service: self.inputs.get(stream.input).and_then(|input| input.config.service.clone()),
            presence: stream.presence,
            is_open: stream.file.is_some(),
            size: stream.size,
            read: stream.read(),
            offset: stream.window.offset(),
            is_caught_up: stream.is_caught_up(),
            records: stream.window.records(),
            ledger,
            losses,
            behind_since: stream.behind_since(),
            waits_for: stream.waits_for.and_then(|lane| self.waiting(lane)),
            error: stream.error.clone(),
        }
    }
}

/// Since when there has been something to ship to this lane, as far as can be known of what is not read yet.
fn behind_on_since(stream: &Stream, lane: LaneId) -> Option<Timestamp> {
    let behind = stream.behind_since()?;
    let unread = (!stream.is_caught_up()).then(|| stream.read());
    let from = stream.window.first_on(lane).or(unread)?;
    Some(stream.growths.iter().find(|(end, _)| *end > from).map_or(behind, |(_, since)| *since))
}

fn earlier(a: Option<Timestamp>, b: Option<Timestamp>) -> Option<Timestamp> {
    match (a, b) {
        (Some(a), Some(b)) => Some(a.min(b)),
        (a, b) => a.or(b),
    }
}
