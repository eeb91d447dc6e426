//! `shipper registry show`.
//!
//! Enters: a registry, also one that is in use. Leaves: a table, or the same as JSON. Never: a change, a lock.

use std::fmt::Write as _;

use event::Timestamp;
use serde::Serialize;

use super::Place;
use crate::registry::{Anchors, Entry, Registry};

#[derive(Debug, clap::Args)]
pub(super) struct Flags {
    #[command(flatten)]
    place: Place,
    /// One JSON object instead of a table
    #[arg(long)]
    json: bool,
}

#[derive(Debug, Serialize)]
struct Page<'a> {
    path: String,
    committed_at: Option<Timestamp>,
    streams: &'a [Entry],
    anchors: &'a Anchors,
}

pub(super) fn run(flags: &Flags) -> anyhow::Result<()> {
    let directory = flags.place.directory()?;
    let mut peeked = Registry::peek(&directory)?;
    peeked.entries.sort_by(|one, other| (&one.path, one.generation).cmp(&(&other.path, other.generation)));
    let page = Page {
        path: directory.display().to_string(),
        committed_at: peeked.committed_at,
        streams: &peeked.entries,
        anchors: &peeked.anchors,
    };
    let text = if flags.json { serde_json::to_string_pretty(&page)? + "\n" } else { table(&page) };
    Ok(super::print(&text)?)
}

fn table(page: &Page<'_>) -> String {
    let mut out = String::new();
    let committed = page.committed_at.map_or_else(|| "never".to_owned(), |at| at.to_string());
    // Writing to a string cannot fail.
    let _ = writeln!(out, "{}: {} files, committed {committed}", page.path, page.streams.len());
    if !page.streams.is_empty() {
        let _ = writeln!(out, "{:>14} {:>14} {:>12}  {:<26} PATH", "ACKED TO", "SIZE", "LOST", "LAST SEEN");
    }
    for entry in page.streams {
        let Entry { offset, size, path, .. } = entry;
        let (lost, seen) = (entry.lost.sum(), entry.seen.to_string());
        let _ = writeln!(out, "{offset:>14} {size:>14} {lost:>12}  {seen:<26} {path}");
    }
    for (topic, offsets) in page.anchors {
        let offsets: Vec<String> =
            offsets.iter().map(|(partition, next)| format!("{partition}:{next}")).collect();
        let _ = writeln!(out, "topic {topic}: everything before {} is covered", offsets.join(" "));
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_registry_that_nobody_has_written_is_empty() {
        let page = Page {
            path: "/r".to_owned(),
            committed_at: None,
            streams: &[],
            anchors: &Anchors::from([("logs".to_owned(), [(0, 5), (1, 7)].into())]),
        };
        assert_eq!(
            table(&page),
            "/r: 0 files, committed never\ntopic logs: everything before 0:5 1:7 is covered\n"
        );
    }
}
