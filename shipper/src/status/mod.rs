//! What the shipper says when it is asked how it is: `GET /api/status`, as JSON.
//!
//! Enters: the streams as the reader knows them, or as the registry remembers them; the parts of readiness. Leaves: one
//! [`StatusPage`], bounded however many streams there are. Never: a secret; a wait that holds the reader up.

mod board;
mod row;

use std::collections::BTreeMap;
use std::path::Path;

use event::heartbeat::Ledger;
use event::{StreamId, Timestamp};
use serde::{Deserialize, Serialize};

pub use self::board::{Ask, Board, router};
pub use self::row::{PresenceName, Rate, SkippedRow, StreamRow};
use crate::input::file::{FileStatus, FileTotals, Order};
use crate::registry::{Entry, Losses, Peeked};

/// Streams on a page that asks for no number.
pub const ROWS_DEFAULT: usize = 1000;
/// Streams on one page at most: some megabytes of JSON.
pub const ROWS_MAX: usize = 10_000;

/// One look at a shipper.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct StatusPage {
    /// When it was made; without a running shipper, when the registry was written last.
    pub at: Option<Timestamp>,
    /// False when no shipper answered and the registry speaks alone.
    pub is_running: bool,
    /// The shipper's version.
    pub version: String,
    /// `host.name` of its records.
    pub host: String,
    /// Whether every part works.
    pub is_ready: bool,
    /// Each part with `ok`, or why it does not work.
    pub parts: BTreeMap<String, String>,
    /// The sums over all streams, also those that are not on the page.
    pub totals: Totals,
    /// The streams that were asked for.
    pub streams: Vec<StreamRow>,
    /// Streams that were asked for and have no room on the page.
    pub streams_more: u64,
    /// Entries that match a pattern and are not read.
    pub skipped: Vec<SkippedRow>,
    /// Further such entries.
    pub skipped_more: u64,
}

/// Sums over all streams.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize, Deserialize)]
pub struct Totals {
    /// Streams that are known.
    pub streams: u64,
    /// Descriptors that are held.
    pub files_open: u64,
    /// Streams whose file cannot be read now.
    pub failing: u64,
    /// Bytes of encoded records that have no fate yet.
    pub in_flight_bytes: u64,
    /// Bytes by what became of them: `written = acked + filtered + lost + pending`.
    pub ledger: Ledger,
    /// `ledger.lost` by reason.
    pub losses: Losses,
    /// Since when there has been something to ship.
    pub behind_since: Option<Timestamp>,
}

impl StatusPage {
    /// The page without a running shipper: what `peeked` remembers, and `size_of` each file as it is now (`None`: it is
    /// not there). No more rows than `ask` has
    /// room for.
    #[must_use]
    pub fn of_registry(
        host: String,
        peeked: &Peeked,
        ask: &Ask,
        size_of: impl Fn(&Entry) -> Option<u64>,
    ) -> Self {
        let rows = peeked.entries.iter().map(|entry| StreamRow::of_entry(entry, size_of(entry)));
        let mut streams: Vec<StreamRow> = rows.collect();
        let mut totals = Totals { streams: streams.len() as u64, ..Totals::default() };
        for row in &streams {
            totals.ledger = totals.ledger.plus(row.ledger);
            totals.losses.add(&row.losses);
        }
        let query = ask.query();
        streams.retain(|row| query.wants(Path::new(&row.path), (row.device, row.inode)));
        sort(&mut streams, ask.order);
        let streams_more = streams.len().saturating_sub(ask.rows()) as u64;
        streams.truncate(ask.rows());
        StatusPage {
            at: peeked.committed_at,
            is_running: false,
            version: env!("CARGO_PKG_VERSION").to_owned(),
            host,
            is_ready: false,
            parts: BTreeMap::new(),
            totals,
            streams,
            streams_more,
            skipped: Vec::new(),
            skipped_more: 0,
        }
    }

    /// Gives each stream the rate at which it moved since `before`.
    pub fn add_rates(&mut self, before: &StatusPage) {
        let (Some(then), Some(now)) = (before.at, self.at) else { return };
        let seconds = now.since(then).as_secs_f64();
        if seconds <= 0.0 {
            return;
        }
        let earlier: BTreeMap<StreamId, &StreamRow> =
            before.streams.iter().map(|row| (row.stream, row)).collect();
        for row in &mut self.streams {
            let Some(old) = earlier.get(&row.stream) else { continue };
            let per_second = |new: u64, old: u64| precise(new.saturating_sub(old)) / seconds;
            row.rate = Some(Rate {
                bytes_per_second: per_second(row.offset, old.offset),
                records_per_second: per_second(row.records, old.records),
            });
        }
    }
}

#[expect(clippy::cast_precision_loss, reason = "a rate is shown to three digits")]
fn precise(count: u64) -> f64 {
    count as f64
}

fn sort(rows: &mut [StreamRow], order: Order) {
    match order {
        Order::Path => rows.sort_by(|a, b| (&a.path, a.stream).cmp(&(&b.path, b.stream))),
        Order::Worst => rows.sort_by(|a, b| {
            let badness = |row: &StreamRow| (row.ledger.lost, row.ledger.pending);
            badness(b).cmp(&badness(a)).then_with(|| a.path.cmp(&b.path))
        }),
    }
}

impl Totals {
    fn of(totals: &FileTotals) -> Self {
        Totals {
            streams: totals.streams,
            files_open: totals.files_open,
            failing: totals.failing,
            in_flight_bytes: totals.in_flight_bytes,
            ledger: totals.ledger,
            losses: totals.losses,
            behind_since: totals.behind_since,
        }
    }
}

/// The page of a running shipper.
fn page_of(status: FileStatus, frame: StatusPage) -> StatusPage {
    let skipped_more = status.totals.skipped.saturating_sub(status.skipped.len() as u64);
    StatusPage {
        totals: Totals::of(&status.totals),
        streams: status.streams.into_iter().map(StreamRow::of).collect(),
        streams_more: status.streams_more,
        skipped: status.skipped.iter().map(SkippedRow::of).collect(),
        skipped_more,
        ..frame
    }
}
