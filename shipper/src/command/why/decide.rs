//! Why a file, or a line of it, is not shipped.
//!
//! Enters: [`Facts`]. Leaves: what was found at each step of the way, in the order of the way: path, pattern, permission,
//! shipper, age, identity, offset, line, output. Never: a look at the disk; a guess that is not said to be one.

use event::EventId;

use super::super::text::{bytes, span};
use super::facts::{Facts, FileFacts, Lies};
use super::lane;
use super::line::Line;
use crate::input::file::{FileConfig, Meeting, Start};
use crate::status::{PresenceName, StreamRow};

/// What a step came to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    /// As it should be.
    Good,
    /// Worth knowing.
    Note,
    /// This is why.
    Stops,
}

/// One step of the way.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Finding {
    pub kind: Kind,
    pub text: String,
    /// What to do.
    pub way_out: Option<String>,
}

pub(super) fn good(text: String) -> Finding {
    Finding { kind: Kind::Good, text, way_out: None }
}

pub(super) fn note(text: String) -> Finding {
    Finding { kind: Kind::Note, text, way_out: None }
}

pub(super) fn stops(text: String, way_out: impl Into<String>) -> Finding {
    Finding { kind: Kind::Stops, text, way_out: Some(way_out.into()) }
}

/// Every step that was taken; those behind one that nothing can pass are left out.
pub(super) fn decide(facts: &Facts) -> Vec<Finding> {
    let mut found = Vec::new();
    let row = facts.row();
    match place(facts, &mut found) {
        Some(file) => {
            pattern(facts, row, &mut found);
            permission(file, row, &mut found);
            shipper(facts, &mut found);
            match row {
                Some(row) => known(facts, file, row, &mut found),
                None => unknown(facts, file, &mut found),
            }
        }
        None => gone(facts, &mut found),
    }
    found
}

/// Whether a file lies there.
fn place<'f>(facts: &'f Facts, found: &mut Vec<Finding>) -> Option<&'f FileFacts> {
    let way_out = "write the path of a file, or wait until it is there: the shipper looks every second";
    let finding = match &facts.lies {
        Lies::File(file) => {
            let link = if file.is_link { "a link to a file" } else { "a file" };
            let age = span(facts.now.since(file.modified));
            found.push(good(format!("{link} of {}, changed {age} ago", bytes(file.size))));
            return Some(file);
        }
        Lies::Nothing(part) if *part == facts.path => stops("nothing lies there".to_owned(), way_out),
        Lies::Nothing(part) => stops(format!("nothing lies there: {} is not there", part.display()), way_out),
        Lies::Hidden(folder, error) => stops(
            format!("this user may not look into {}: {error}", folder.display()),
            format!(
                "if the shipper's user may not either: `chmod o+rx {}`, or add it to the folder's group",
                folder.display()
            ),
        ),
        Lies::Dangling(target) => stops(
            format!("a link to {}, which is not there", target.display()),
            "point the link at a file; the shipper follows it within a second",
        ),
        Lies::Other(what) => stops(format!("{what}, not a file"), "only files are read; write to a file"),
    };
    found.push(finding);
    None
}

/// What the shipper knew of a path at which nothing lies now.
fn gone(facts: &Facts, found: &mut Vec<Finding>) {
    for row in facts.page.streams.iter().filter(|row| facts.path == std::path::Path::new(&row.path)) {
        let state = if row.presence == PresenceName::Deleted { "deleted, and held open" } else { "gone" };
        found.push(note(format!("a file that lay there is {state}: {}", sums(row))));
    }
}

fn pattern(facts: &Facts, row: Option<&StreamRow>, found: &mut Vec<Finding>) {
    if let Some((number, _, pattern)) = facts.input() {
        return found.push(good(format!("inputs[{number}] reads it, by {pattern}")));
    }
    if let Some(row) = row.filter(|row| row.is_open) {
        let text =
            format!("no pattern means it any more; it is held open and read to its end, as {}", row.stream);
        return found.push(note(text));
    }
    let config = &facts.config_name;
    let excluded = facts.inputs.iter().find_map(|(number, _, meeting)| match meeting {
        Meeting::Excluded { pattern, by } => Some(stops(
            format!("inputs[{number}] would read it by {pattern}, and leaves it out by `exclude: {by}`"),
            format!("take `{by}` out of the input's `exclude` in {config}"),
        )),
        _ => None,
    });
    let nearest = || {
        let misses = facts.inputs.iter().filter_map(|(number, _, meeting)| match meeting {
            Meeting::Misses { pattern, depth, reason } => Some((depth, number, pattern, reason)),
            _ => None,
        });
        misses.max_by_key(|(depth, number, ..)| (**depth, std::cmp::Reverse(**number)))
    };
    found.push(excluded.unwrap_or_else(|| match nearest() {
        Some((_, number, pattern, reason)) => stops(
            format!("no pattern means it; inputs[{number}] comes nearest with {pattern}: {reason}"),
            format!("add the path to an input's `paths` in {config}"),
        ),
        None => stops("no input reads files".to_owned(), format!("add a `file:` to `inputs` in {config}")),
    }));
}

fn permission(file: &FileFacts, row: Option<&StreamRow>, found: &mut Vec<Finding>) {
    let Some(error) = &file.unreadable else { return };
    let text = format!("this user cannot read it: {error}");
    found.push(if row.is_some_and(|row| row.error.is_none() && row.read > 0) {
        note(format!("{text}; the shipper's can"))
    } else {
        stops(
            text,
            "ask as the shipper's user; if that cannot either: `chmod o+r`, or add it to the file's group",
        )
    });
}

fn shipper(facts: &Facts, found: &mut Vec<Finding>) {
    let Some(reason) = &facts.nobody else {
        return found.push(good(format!("shipper {} answers", facts.page.version)));
    };
    let start = format!("start it: `shipper run -c {}`; what follows is by its registry", facts.config_name);
    found.push(stops(reason.clone(), start));
}

/// A file that no stream is of.
fn unknown(facts: &Facts, file: &FileFacts, found: &mut Vec<Finding>) {
    let path = facts.path.to_string_lossy();
    if let Some(skipped) = facts.page.skipped.iter().find(|skipped| skipped.path == path) {
        let way_out = if skipped.reason.contains("ignore_older") {
            "once it changes it is read, from its start; or raise `ignore_older`"
        } else if skipped.reason.contains("files_max") {
            "it is read when others are gone; or raise `files_max`, or narrow the pattern"
        } else {
            "it is looked at again every second"
        };
        return found.push(stops(format!("the shipper leaves it alone: {}", skipped.reason), way_out));
    }
    let age = facts.now.since(file.modified);
    if let Some(limit) =
        facts.input().and_then(|(_, config, _)| config.ignore_older).filter(|limit| age > limit.0)
    {
        let text = format!("not changed for {}; `ignore_older` is {limit}", span(age));
        return found
            .push(stops(text, "once it changes it is read, from its start; or raise `ignore_older`"));
    }
    if let Some(row) = facts.page.streams.iter().find(|row| row.path == path) {
        found.push(note(format!("the shipper knows another file by this name: {}", sums(row))));
    }
    if facts.nobody.is_some() {
        return found
            .push(note("the registry does not know it: it will be read from its start position".to_owned()));
    }
    if facts.input().is_some() {
        found.push(stops(
            "the shipper does not know the file".to_owned(),
            "it looks every second: ask again; if it stays so, the shipper runs another configuration: send it SIGHUP",
        ));
    }
}

/// A file that the shipper knows.
fn known(facts: &Facts, file: &FileFacts, row: &StreamRow, found: &mut Vec<Finding>) {
    if facts.path != std::path::Path::new(&row.path) {
        let how = if file.is_link { "the link leads to" } else { "it is the same file as" };
        found.push(note(format!("{how} {}, and is read by that name", row.path)));
    }
    found.push(note(format!("stream {}: {}", row.stream, sums(row))));
    if let Some(error) = &row.error {
        found.push(stops(
            format!("the shipper cannot read it: {error}"),
            "see to the file; it is tried again every second",
        ));
    }
    losses(row, found);
    let config = facts.input().map(|(_, config, _)| config);
    match &facts.line {
        None => whole(facts, file, row, config, found),
        Some(Err(lines)) => found.push(stops(
            format!("the file has {lines} lines only"),
            "an earlier file of this name may have had more: see the files that it was rotated to",
        )),
        Some(Ok(line)) => one_line(facts, row, line, config, found),
    }
}

fn losses(row: &StreamRow, found: &mut Vec<Finding>) {
    for (reason, lost) in row.losses.entries().into_iter().filter(|(_, lost)| *lost > 0) {
        let why = match reason {
            "line_too_long" => "lines longer than `line_bytes_max` were cut",
            "truncated" => "truncated or rewritten before it was read",
            "vanished" => "deleted before it was read",
            "dead_lettered" => "refused by the broker, and kept in the registry's folder as dead letters",
            "unseen" => "of files that came and went while the shipper stood still",
            "over_budget" => "deleted, and more than `pinned.bytes_max` before it was shipped",
            other => other,
        };
        found.push(note(format!("{} are lost: {why}", bytes(lost))));
    }
}

/// No line was asked for: how far is it?
fn whole(
    facts: &Facts,
    file: &FileFacts,
    row: &StreamRow,
    config: Option<&FileConfig>,
    found: &mut Vec<Finding>,
) {
    // Not the file's own size: of a compressed one, everything is counted in plain bytes.
    let size = row.ledger.written;
    if row.offset >= size {
        let start = config.is_some_and(|config| config.start == Start::End) && row.ledger.filtered > 0;
        let text =
            if start { "; what lay there before the input first ran is not (`start: end`)" } else { "" };
        return found.push(good(format!("everything that is in it is shipped{text}")));
    }
    lane::refusals(facts, found);
    if row.read > row.offset {
        found.push(in_flight(row.read - row.offset));
    }
    if row.read < size {
        found.extend(lane::blocked(facts, row));
        let rest = size - row.read;
        found.push(if row.is_caught_up { waiting(rest, file.ends_whole) } else { unread(rest) });
    }
}

fn in_flight(count: u64) -> Finding {
    let text = format!("{} are on their way: read, and not acknowledged yet", bytes(count));
    stops(text, "wait; if it lasts, the output says why")
}

fn unread(count: u64) -> Finding {
    stops(
        format!("{} are not read yet", bytes(count)),
        "the shipper is behind; `shipper status` shows how fast it goes",
    )
}

fn waiting(count: u64, ends_whole: bool) -> Finding {
    if ends_whole {
        let text = format!("the last {} wait: the next line may belong to them", bytes(count));
        stops(text, "they go with the next record, or after the time-out of `multiline`")
    } else {
        let text = format!("the last {} have no line end yet", bytes(count));
        stops(text, "a half-written line is shipped once it is whole, or the file is deleted")
    }
}

/// What became of one line.
fn one_line(
    facts: &Facts,
    row: &StreamRow,
    line: &Line,
    config: Option<&FileConfig>,
    found: &mut Vec<Finding>,
) {
    let Line { number, start, end, .. } = *line;
    found.push(note(format!("line {number} is bytes {start} to {end}")));
    let record = line.record.unwrap_or(start);
    if record < start && !line.is_empty {
        found.push(note(format!("it is a part of the record that begins at byte {record}")));
    }
    if let Some(processor) = line.left_out {
        let text = format!("processor `{processor}` leaves its record out; its bytes count as filtered");
        return found.push(stops(text, "see `processors` of the input; `shipper try` shows what they keep"));
    }
    if let Some(finding) = lane::switched_off(facts, row, end) {
        return found.push(finding);
    }
    if end <= row.offset {
        return settled(facts, row, line, record, config, found);
    }
    if end > row.read && (!line.is_whole || row.is_caught_up) {
        return found.push(waiting(end - row.read, line.is_whole));
    }
    lane::refusals(facts, found);
    if end <= row.read {
        return found.push(lane::behind_another(facts).unwrap_or_else(|| in_flight(row.read - row.offset)));
    }
    found.extend(lane::blocked(facts, row));
    found.push(unread(end - row.read));
}

fn settled(
    facts: &Facts,
    row: &StreamRow,
    line: &Line,
    record: u64,
    config: Option<&FileConfig>,
    found: &mut Vec<Finding>,
) {
    if let Some((reason, path)) = &facts.dead_letter {
        let text = format!("the broker refused its record for good: {reason}");
        return found.push(stops(text, format!("it lies in {}", path.display())));
    }
    if line.is_empty {
        let text = "an empty line: it is no record, and counts as filtered".to_owned();
        return found.push(stops(text, "nothing is to be done"));
    }
    let is_before_start =
        config.is_some_and(|config| config.start == Start::End) && row.ledger.filtered >= line.end;
    if is_before_start {
        let text =
            "it most likely was there before the input first ran, which `start: end` leaves out".to_owned();
        return found.push(stops(text, "write `start: beginning`, and give the registry a new folder"));
    }
    let limit = config.map_or(u64::MAX, |config| config.line_bytes_max.0);
    if line.end - line.start > limit {
        let cut = bytes(line.end - line.start - limit);
        found.push(note(format!("it is longer than `line_bytes_max`: its last {cut} are cut off and lost")));
    }
    let id = EventId { stream: row.stream, offset: record };
    let shipped = || good(format!("it is shipped; look for event.id: {id}"));
    found.push(lane::switched_on(facts, &id.to_string()).unwrap_or_else(shipped));
}

/// The stream's ledger.
fn sums(row: &StreamRow) -> String {
    let ledger = &row.ledger;
    let [written, acked, filtered, lost, pending] =
        [ledger.written, ledger.acked, ledger.filtered, ledger.lost, ledger.pending].map(bytes);
    format!("{written} written = {acked} acked + {filtered} filtered + {lost} lost + {pending} pending")
}
