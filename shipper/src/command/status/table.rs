//! A status page for people.
//!
//! Enters: a [`StatusPage`]. Leaves: text: the parts, one line for each stream, the sums, what is lost or wrong and why.
//! Never: a number that the page does not have.

use std::fmt::Write as _;

use event::Timestamp;
use event::heartbeat::Ledger;

use super::super::text::{bytes, columns, count, rounded, span};
use crate::input::file::Waiting;
use crate::registry::Losses;
use crate::status::{PresenceName, StatusPage, StreamRow};

/// Entries that are not read and that are listed at most.
const SKIPPED_SHOWN: usize = 10;
/// Streams whose losses and errors are listed at most.
const NOTES_SHOWN: usize = 20;
const HEAD: [&str; 11] = [
    "written",
    "acked",
    "filtered",
    "lost",
    "pending",
    "in flight",
    "behind",
    "bytes/s",
    "records/s",
    "state",
    "path",
];
/// Columns that hold numbers.
const NUMBERS: usize = 9;

/// The page as text.
pub(super) fn render(page: &StatusPage) -> String {
    let mut text = head(page);
    if page.totals.streams > 0 {
        text.push('\n');
        text.push_str(&streams(page));
    }
    notes(page, &mut text);
    text
}

fn head(page: &StatusPage) -> String {
    let at = page.at.map_or_else(|| "never".to_owned(), |at| at.to_string());
    if !page.is_running {
        return format!("host {}, by its registry, written {at}\n", page.host);
    }
    let state = if page.is_ready { "ready" } else { "not ready" };
    let mut text = format!("host {}, shipper {}, at {at}: {state}\n", page.host, page.version);
    let width = page.parts.keys().map(String::len).max().unwrap_or(0);
    for (part, word) in &page.parts {
        // Writing to a string does not fail.
        let _ = writeln!(text, "  {part:<width$}  {word}");
    }
    text
}

fn streams(page: &StatusPage) -> String {
    let mut rows = vec![HEAD.map(str::to_owned).to_vec()];
    rows.extend(page.streams.iter().map(|row| line(row, page.at)));
    if page.totals.streams > 1 || page.streams_more > 0 {
        rows.push(sums(page));
    }
    let mut text = columns(&rows, NUMBERS);
    if page.streams_more > 0 {
        let _ = writeln!(text, "and {} more; --all shows them", count(page.streams_more));
    }
    text
}

fn line(row: &StreamRow, now: Option<Timestamp>) -> Vec<String> {
    let in_flight = row.read.saturating_sub(row.offset);
    let rate = |number: Option<f64>, show: fn(u64) -> String| {
        number.map_or_else(|| "-".to_owned(), |number| show(rounded(number)))
    };
    let mut cells = ledger(&row.ledger);
    cells.push(bytes(in_flight));
    cells.push(behind(row.behind_since, now));
    cells.push(rate(row.rate.map(|rate| rate.bytes_per_second), bytes));
    cells.push(rate(row.rate.map(|rate| rate.records_per_second), count));
    cells.push(state(row, now));
    cells.push(row.path.clone());
    cells
}

/// The last line: also streams that are not shown, and those that have ended.
fn sums(page: &StatusPage) -> Vec<String> {
    let total = &page.totals;
    let mut cells = ledger(&total.ledger);
    let in_flight = page.streams.iter().map(|row| row.read.saturating_sub(row.offset)).sum();
    cells.push(if page.streams_more > 0 { "-".to_owned() } else { bytes(in_flight) });
    cells.push(behind(total.behind_since, page.at));
    cells.extend(["-", "-", "sum"].map(str::to_owned));
    cells.push(format!(
        "of {} streams, {} open, and of those that are gone",
        count(total.streams),
        count(total.files_open)
    ));
    cells
}

fn ledger(ledger: &Ledger) -> Vec<String> {
    [ledger.written, ledger.acked, ledger.filtered, ledger.lost, ledger.pending].map(bytes).to_vec()
}

fn behind(since: Option<Timestamp>, now: Option<Timestamp>) -> String {
    since.zip(now).map_or_else(|| "-".to_owned(), |(since, now)| span(now.since(since)))
}

fn state(row: &StreamRow, now: Option<Timestamp>) -> String {
    match row.presence {
        _ if row.error.is_some() => "failing".to_owned(),
        PresenceName::Present if row.is_open => "open".to_owned(),
        PresenceName::Present => "idle".to_owned(),
        PresenceName::Missing => match row.missing_since.zip(now) {
            Some((since, now)) => format!("missing {}", span(now.since(since))),
            None => "missing".to_owned(),
        },
        PresenceName::Deleted => "deleted".to_owned(),
        PresenceName::Ended => "ended".to_owned(),
    }
}

fn notes(page: &StatusPage, text: &mut String) {
    let mut notes = Vec::new();
    if page.totals.ledger.lost > 0 {
        notes.push(format!("lost in all: {}", losses(&page.totals.losses)));
    }
    for row in &page.streams {
        if row.ledger.lost > 0 {
            notes.push(format!("{}: lost: {}", row.path, losses(&row.losses)));
        }
        if let Some(error) = &row.error {
            notes.push(format!("{}: {error}", row.path));
        }
        // One whose part works is only behind.
        let is_refused = |waiting: &&Waiting| page.parts.get(&waiting.part).is_some_and(|word| word != "ok");
        if let Some(waiting) = row.waits_for.as_ref().filter(is_refused) {
            notes.push(format!("{}: waits for topic {}, see {}", row.path, waiting.topic, waiting.part));
        }
    }
    if !notes.is_empty() {
        let _ = writeln!(text, "\nwrong:");
        for note in notes.iter().take(NOTES_SHOWN) {
            let _ = writeln!(text, "  {note}");
        }
        if notes.len() > NOTES_SHOWN {
            let _ =
                writeln!(text, "  and {} more; --json has them", count((notes.len() - NOTES_SHOWN) as u64));
        }
    }
    let skipped = page.skipped.len() as u64 + page.skipped_more;
    if skipped > 0 {
        let _ = writeln!(text, "\nnot read:");
        for entry in page.skipped.iter().take(SKIPPED_SHOWN) {
            let _ = writeln!(text, "  {}: {}", entry.path, entry.reason);
        }
        let shown = page.skipped.len().min(SKIPPED_SHOWN) as u64;
        if skipped > shown {
            let _ = writeln!(text, "  and {} more; --json has them", count(skipped - shown));
        }
    }
}

/// `12.0 KiB truncated, 3 B line_too_long`.
fn losses(losses: &Losses) -> String {
    let parts = losses.entries().into_iter().filter(|(_, lost)| *lost > 0);
    parts.map(|(reason, lost)| format!("{} {reason}", bytes(lost))).collect::<Vec<_>>().join(", ")
}
