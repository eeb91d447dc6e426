//! Unified logging, JDK 9 and later: `[2026-11-23T08:35:06.113+0800][0.342s][info][gc] GC(0) Pause Young
//! ...`.
//!
//! Enters: one line. Leaves: the line's time, level, tags and message; the heap on the line of the pause; the
//! old generation on its own line (Parallel, Serial, CMS) or on the line of the pause (G1). Never: numbers of
//! one collection on a line of another.

use event::fields::Jvm;
use event::{Fields, Level, Text, Timestamp};
use memchr::memmem;

use super::set_time;
use super::size::{Change, change, size};
use crate::parser::time::Clock;

/// First tags that only a JVM writes; with one of them a line needs no uptime to be known.
const TAGS: [&str; 8] =
    ["gc", "safepoint", "metaspace", "codecache", "class", "startuptime", "stringtable", "cds"];

/// Lines of the old generation; `Old: ` is CMS after its sweep.
const OLD: [&str; 5] = ["ParOldGen: ", "PSOldGen: ", "Tenured: ", "CMS: ", "Old: "];

/// Lines that end in the heap's change.
const COLLECTIONS: [&str; 6] = [
    "Pause ",
    "Garbage Collection",
    "Concurrent cleanup",
    "Major Collection",
    "Minor Collection",
    "Concurrent Cycle",
];

/// The decorations of a line, and its message.
#[derive(Debug, Clone, Copy)]
pub(super) struct Line<'a> {
    time: Option<Timestamp>,
    level: Option<Level>,
    tags: Option<&'a str>,
    message: &'a str,
}

/// What the lines of one stream have said so far.
#[derive(Debug, Clone, Default)]
pub(super) struct Unified {
    region_bytes: Option<u64>,
    heap_max: Option<u64>,
    regions: Option<Regions>,
}

/// G1's regions after the collection whose lines are being read.
#[derive(Debug, Clone, Copy, Default)]
struct Regions {
    collection: u64,
    eden: u64,
    eden_target: u64,
    survivor: u64,
    /// Old, humongous and archive.
    old: Option<u64>,
}

impl<'a> Line<'a> {
    /// Reads the decorations: any of time, uptime, level, tags, process, thread and host, in the JVM's order.
    pub(super) fn read(text: &'a str, clock: &mut Clock) -> Option<Self> {
        let mut line = Line { time: None, level: None, tags: None, message: "" };
        let mut rest = text;
        let mut has_uptime = false;
        while let Some((inside, behind)) = rest.strip_prefix('[').and_then(|rest| rest.split_once(']')) {
            let inside = inside.trim_end_matches(' ');
            let whole = clock.iso(inside.as_bytes()).filter(|(_, taken)| *taken == inside.len());
            if let Some((time, _)) = whole {
                line.time = Some(time);
            } else if is_uptime(inside) {
                has_uptime = true;
            } else if line.level.is_none() && is_level(inside) {
                line.level = Level::parse(inside);
            } else if line.level.is_some() && line.tags.is_none() {
                line.tags = Some(inside);
            }
            rest = behind;
        }
        line.message = rest.strip_prefix(' ')?;
        let first = line.tags.and_then(|tags| tags.split(',').next()).unwrap_or_default();
        let is_jvm =
            TAGS.contains(&first) || has_uptime && (line.level.is_some() || line.message.starts_with("GC("));
        is_jvm.then_some(line)
    }
}

impl Unified {
    /// Reads one line; false when it is none of this kind.
    pub(super) fn read<'a>(&mut self, text: &'a str, clock: &mut Clock, fields: &mut Fields<'a>) -> bool {
        let Some(line) = Line::read(text, clock) else { return false };
        set_time(fields, line.time);
        fields.level = line.level.or(fields.level);
        fields.logger = line.tags.map(Text::Plain);
        fields.message = Some(Text::Plain(line.message));
        if let Some((collection, message)) = collection(line.message) {
            self.read_collection(collection, message, fields);
        } else if let Some((_, value)) =
            line.message.split_once("egion Size: ").or_else(|| line.message.split_once("egion size: "))
        {
            self.region_bytes = size(value).map(|(bytes, _)| bytes);
        } else if let Some(value) = line.message.strip_prefix("Heap Max Capacity: ") {
            self.heap_max = size(value).map(|(bytes, _)| bytes);
        }
        true
    }

    fn read_collection<'a>(&mut self, collection: u64, message: &'a str, fields: &mut Fields<'a>) {
        let old = OLD.iter().find_map(|name| message.strip_prefix(name)).and_then(change);
        if let Some((Change { after, capacity: Some(capacity) }, _)) = old {
            let jvm = fields.jvm.get_or_insert_default();
            (jvm.old_used, jvm.old_max) = (Some(after), Some(capacity));
        } else if let Some((name, value)) = message.split_once(" regions: ") {
            self.read_regions(collection, name, value);
        } else if let Some(value) = message.strip_prefix("Max Capacity: ") {
            self.heap_max = size(value).map(|(bytes, _)| bytes);
        } else if COLLECTIONS.iter().any(|start| message.starts_with(start))
            && let Some((name, heap)) = heap(message)
        {
            self.finish(collection, name, heap, fields);
        }
    }

    /// `Eden regions: 6->0(6)`, `Old regions: 0->1`.
    fn read_regions(&mut self, collection: u64, name: &str, value: &str) {
        let mut numbers = value.split(['-', '>', '(', ')']).filter_map(|number| number.parse::<u64>().ok());
        let (Some(_), Some(after), target) = (numbers.next(), numbers.next(), numbers.next()) else { return };
        let fresh = Regions { collection, ..Regions::default() };
        let regions = self.regions.get_or_insert(fresh);
        if regions.collection != collection {
            *regions = fresh;
        }
        match name {
            "Eden" => (regions.eden, regions.eden_target) = (after, target.unwrap_or_default()),
            "Survivor" => regions.survivor = after,
            "Old" | "Humongous" | "Archive" => {
                regions.old = Some(regions.old.unwrap_or_default().saturating_add(after));
            }
            _ => {}
        }
    }

    /// The line of the pause: the heap, and with G1 the old generation by its regions.
    fn finish<'a>(&mut self, collection: u64, name: &'a str, heap: Change, fields: &mut Fields<'a>) {
        let heap_max = heap.capacity.or(self.heap_max);
        let jvm: &mut Jvm<'a> = fields.jvm.get_or_insert_default();
        jvm.gc_name = Some(Text::Plain(name));
        (jvm.heap_used, jvm.heap_max) = (Some(heap.after), heap_max);
        let Some(regions) = self.regions.take_if(|regions| regions.collection == collection) else { return };
        let (Some(old), Some(capacity)) = (regions.old, heap_max) else { return };
        let all = old.saturating_add(regions.eden).saturating_add(regions.survivor);
        let region = self.region_bytes.unwrap_or_else(|| guess_region(heap.after, all));
        let young = regions.eden_target.saturating_add(regions.survivor).saturating_mul(region);
        jvm.old_used = Some(old.saturating_mul(region));
        jvm.old_max = Some(capacity.saturating_sub(young));
    }
}

/// The size of a region when the line that gives it lies before the first one that was read: the smallest of
/// G1's sizes (powers of two from 1 MiB to 512 MiB) with which all regions hold what the heap uses.
fn guess_region(used: u64, regions: u64) -> u64 {
    used.div_ceil(regions.max(1)).clamp(1 << 20, 512 << 20).next_power_of_two()
}

/// `GC(7) message`; spaces that indent a phase are passed over.
fn collection(message: &str) -> Option<(u64, &str)> {
    let (number, rest) = message.strip_prefix("GC(")?.split_once(") ")?;
    Some((number.parse().ok()?, rest.trim_start_matches(' ')))
}

/// The last word but one of `Pause Young (Normal) 6M->2M(128M) 8.987ms`, and what stands before it.
fn heap(message: &str) -> Option<(&str, Change)> {
    let arrow = memmem::rfind(message.as_bytes(), b"->")?;
    let start = message[..arrow].rfind(' ')? + 1;
    let (heap, _) = change(&message[start..])?;
    Some((message[..start].trim_end(), heap))
}

/// `0.342s`, `342ms`, `342000000ns`.
fn is_uptime(inside: &str) -> bool {
    let number = inside.trim_end_matches(['s', 'm', 'n']);
    let is_number = number.bytes().all(|byte| byte.is_ascii_digit() || byte == b'.' || byte == b',');
    !number.is_empty() && is_number && matches!(&inside[number.len()..], "s" | "ms" | "ns")
}

fn is_level(inside: &str) -> bool {
    matches!(inside, "trace" | "debug" | "info" | "warning" | "error")
}
