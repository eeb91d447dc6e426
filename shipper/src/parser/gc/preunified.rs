//! JDK 8's log with `-XX:+PrintGCDetails`, with or without dates, uptimes, causes and tenuring tables.
//!
//! Enters: one line. Leaves: the old generation and the heap on the line that has them. Never: a line of
//! another kind.
//!
//! ```text
//! 0.051: [GC (Allocation Failure) [PSYoungGen: 512K->480K(1024K)] 512K->496K(261632K), 0.0007080 secs]
//! 10.5: [GC (Allocation Failure) 10.5: [ParNew          <- with tenuring tables one record spans several lines:
//! Desired survivor size 4456448 bytes, new threshold 6 (max 6)
//! : 69952K->4389K(78656K), 0.0062930 secs] 69952K->4389K(253440K), 0.0063730 secs]
//! ```

use event::{Fields, Level, Text, Timestamp};
use memchr::{memchr, memmem};

use super::set_time;
use super::size::{Change, change, size};
use crate::parser::time::Clock;

/// How the lines that belong to such a log start, after their times.
const STARTS: [&str; 7] = [
    "[GC",
    "[Full GC",
    "[CMS-concurrent",
    "[Rescan ",
    "Total time for which",
    "Application time:",
    "[ParNew",
];

/// Lines at the top of the file, and within a record; they are known only in a stream that is known.
const INSIDE: [&str; 13] = [
    "Java HotSpot(TM)",
    "OpenJDK ",
    "Memory: ",
    "CommandLine flags: ",
    "Desired survivor size ",
    "- age ",
    ": ",
    ", ",
    "[PSYoungGen",
    "[Times:",
    "[Eden: ",
    "(concurrent mode ",
    "/proc/meminfo:",
];

/// Changes of spaces that are read from one line. A real one has five; what stands before each is searched
/// backwards, which a line of a megabyte of them must not turn into hours.
const CHANGES_MAX: usize = 16;

/// What the lines of one stream have said so far.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Preunified {
    /// The record's time, for those of its lines that have none.
    time: Option<Timestamp>,
    is_known: bool,
}

/// What one line says about the spaces.
#[derive(Debug, Clone, Copy, Default)]
struct Spaces {
    young: Option<Change>,
    old: Option<Change>,
    heap: Option<Change>,
}

/// What a change is of.
enum Space {
    Young,
    Old,
    Heap,
    Other,
}

/// True when `text` starts with a time or an uptime and a record of this log.
pub(super) fn is_certain(text: &str, clock: &mut Clock) -> bool {
    let (stamp, rest) = stamp(text, clock);
    stamp.is_some() && STARTS.iter().any(|start| rest.starts_with(start))
}

impl Preunified {
    /// Reads one line; false when it is none of this kind.
    pub(super) fn read<'a>(&mut self, text: &'a str, clock: &mut Clock, fields: &mut Fields<'a>) -> bool {
        let (stamp, rest) = stamp(text, clock);
        let is_detail = rest.starts_with("   ") && rest.trim_start_matches(' ').starts_with('[');
        let rest = rest.trim_start_matches(' ');
        let is_start = STARTS.iter().any(|start| rest.starts_with(start));
        let is_inside = stamp.is_none() && (is_detail || INSIDE.iter().any(|start| rest.starts_with(start)));
        if !is_start && !(is_inside && (self.is_known || !rest.starts_with(['[', ':', ',']))) {
            return false;
        }
        self.is_known |= is_start;
        if let Some(time) = stamp {
            self.time = time;
        }
        set_time(fields, self.time);
        fields.level = Some(Level::Info);
        read_numbers(rest, fields);
        true
    }
}

fn read_numbers<'a>(line: &'a str, fields: &mut Fields<'a>) {
    let spaces = if let Some(start) = memmem::find(line.as_bytes(), b"[Eden: ") {
        read_g1(&line[start..])
    } else {
        read_mark(line).or_else(|| read_changes(line))
    };
    let Some(spaces) = spaces else { return };
    let name = name(line);
    if spaces.heap.is_none() && spaces.old.is_none() {
        return;
    }
    let jvm = fields.jvm.get_or_insert_default();
    jvm.gc_name = name.map(Text::Plain).or(jvm.gc_name);
    if let Some(heap) = spaces.heap {
        (jvm.heap_used, jvm.heap_max) = (Some(heap.after), heap.capacity);
    }
    let derived = || {
        let (young, heap) = (spaces.young?, spaces.heap?);
        let capacity = heap.capacity?.checked_sub(young.capacity?)?;
        Some(Change { after: heap.after.saturating_sub(young.after), capacity: Some(capacity) })
    };
    if let Some(old) = spaces.old.or_else(derived) {
        (jvm.old_used, jvm.old_max) = (Some(old.after), old.capacity);
    }
}

/// Every `A->B(C)` of a line, by the name in front of it.
fn read_changes(line: &str) -> Option<Spaces> {
    let mut spaces = Spaces::default();
    let mut is_any = false;
    for arrow in memmem::find_iter(line.as_bytes(), b"->").take(CHANGES_MAX) {
        let before = &line[..arrow];
        let start = before.trim_end_matches(|part: char| part.is_ascii_alphanumeric() || part == '.').len();
        let Some((found @ Change { capacity: Some(_), .. }, _)) = change(&line[start..]) else { continue };
        is_any = true;
        match space(&line[..start]) {
            Space::Young => spaces.young = Some(found),
            Space::Old => spaces.old = Some(found),
            Space::Heap => spaces.heap = Some(found),
            Space::Other => {}
        }
    }
    is_any.then_some(spaces)
}

/// The space that the text in front of a change names: the word behind the last open bracket. Behind a closed
/// one it is the heap; a colon at the start of a line closes the young generation's tenuring table.
fn space(before: &str) -> Space {
    let label = before.rfind('[').map_or(before, |open| &before[open + 1..]);
    let starts = |names: &[&str]| names.iter().any(|name| label.starts_with(name));
    if label.contains(']') || starts(&["GC", "Full GC"]) {
        Space::Heap
    } else if starts(&["PSYoungGen", "ParNew", "DefNew", "ASParNew", ": "]) {
        Space::Young
    } else if starts(&["CMS Perm", "Perm", "PSPermGen", "Metaspace"]) {
        Space::Other
    } else if starts(&["ParOldGen", "PSOldGen", "Tenured", "CMS", "(concurrent mode ", " (concurrent mode "])
    {
        Space::Old
    } else {
        Space::Other
    }
}

/// `[1 CMS-initial-mark: 131804K(174784K)] 142444K(253440K)`: occupancies, not changes.
fn read_mark(line: &str) -> Option<Spaces> {
    let mark = memmem::find(line.as_bytes(), b"CMS-initial-mark: ")
        .or_else(|| memmem::find(line.as_bytes(), b"CMS-remark: "))?;
    let (old, rest) = occupancy(line[mark..].split_once(": ")?.1)?;
    let (heap, _) = occupancy(rest.strip_prefix("] ")?)?;
    Some(Spaces { young: None, old: Some(old), heap: Some(heap) })
}

/// `[Eden: 5120.0K(5120.0K)->0.0B(3072.0K) Survivors: 0.0B->1024.0K Heap: 8878.7K(13.0M)->5628.7K(13.0M)]`.
fn read_g1(line: &str) -> Option<Spaces> {
    let (eden, rest) = change(line.strip_prefix("[Eden: ")?)?;
    let (survivors, rest) = change(rest.strip_prefix(" Survivors: ")?)?;
    let (heap, _) = change(rest.strip_prefix(" Heap: ")?)?;
    let used = heap.after.saturating_sub(eden.after).saturating_sub(survivors.after);
    let capacity = heap.capacity?.saturating_sub(eden.capacity?).saturating_sub(survivors.after);
    Some(Spaces {
        young: None,
        old: Some(Change { after: used, capacity: Some(capacity) }),
        heap: Some(heap),
    })
}

/// `131804K(174784K)`.
fn occupancy(text: &str) -> Option<(Change, &str)> {
    let (after, rest) = size(text)?;
    let (capacity, rest) = size(rest.strip_prefix('(')?)?;
    Some((Change { after, capacity: Some(capacity) }, rest.strip_prefix(')')?))
}

/// `2018-06-11T01:53:11.382+0000: 1396138.752: ` or either half of it; and the rest. `Some(None)` for an
/// uptime alone.
fn stamp<'a>(text: &'a str, clock: &mut Clock) -> (Option<Option<Timestamp>>, &'a str) {
    let dated = clock
        .iso(text.as_bytes())
        .and_then(|(time, taken)| Some((time, text.get(taken..)?.strip_prefix(": ")?)));
    let (time, rest) = dated.map_or((None, text), |(time, rest)| (Some(time), rest));
    let digits = rest.bytes().take_while(|byte| byte.is_ascii_digit() || matches!(byte, b'.' | b',')).count();
    let behind = rest.get(digits..).and_then(|behind| behind.strip_prefix(": ")).filter(|_| digits > 0);
    match (time, behind) {
        (time, Some(behind)) => (Some(time), behind),
        (Some(time), None) => (Some(Some(time)), rest),
        (None, None) => (None, text),
    }
}

/// `GC (Allocation Failure)`, `Full GC (System.gc())`, `GC pause (G1 Evacuation Pause) (young)`.
fn name(line: &str) -> Option<&str> {
    let start = if line.starts_with("[GC") || line.starts_with("[Full GC") { 1 } else { return None };
    let mut depth = 0_u32;
    let end = line.bytes().skip(start).position(|byte| {
        match byte {
            b'(' => depth += 1,
            b')' => depth = depth.saturating_sub(1),
            _ => {}
        }
        depth == 0 && (byte.is_ascii_digit() || matches!(byte, b'[' | b',' | b'-' | b']'))
    });
    let name = line.get(start..end.map_or(line.len(), |end| start + end))?.trim_end();
    memchr(b'\n', name.as_bytes()).is_none().then_some(name)
}
