//! The registry's file format: one line for each group of changes, each with its own checksum.
//!
//! Enters: groups of changes, or the bytes of a file. Leaves: lines, or the entries that the file stands for and what had
//! to be cut off its end. Never: a file; never a guess about damage that a torn write cannot explain.
//!
//! ```text
//! 5f3ac1d0 {"format":"watchfire registry","version":2}
//! 09be77aa [{"put":{"stream":"6fd0...","path":"/var/log/app.log","offset":4711,...}},
//!           {"anchor":{"topic":"logs","offsets":{"0":1042,"1":977}}}]
//! 44c01f3e [{"remove":"6fd0..."}]
//! ```
//! A group is written with one call and is there as a whole or not at all. A group that is not whole with nothing sound
//! behind it is what a crash leaves of a write that nobody was told of: it is cut off. A broken line with a sound one
//! behind it has another cause, and going on would move offsets to where they once were: that is refused.

use std::collections::BTreeMap;
use std::io::{self, BufRead};

use event::StreamId;
use serde::{Deserialize, Serialize};

use super::entry::{Anchors, Change, Entry};

const FORMAT: &str = "watchfire registry";
/// Version 1 knew no anchors; it is read, and written anew as this one.
const VERSION: u32 = 2;
const VERSION_OLDEST: u32 = 1;
/// Eight hex digits and a blank.
pub(super) const CHECKSUM_LEN: usize = 9;

#[derive(Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Header {
    format: String,
    version: u32,
}

/// What a file stands for.
#[derive(Debug, PartialEq, Eq, Default)]
pub(super) struct Content {
    /// Every stream, by id.
    pub entries: BTreeMap<StreamId, Entry>,
    /// Where the tails of partitions begin.
    pub anchors: Anchors,
    /// The file has to be written anew before a group is appended: an older program would take it for damaged.
    pub is_old: bool,
    /// How much of the file is sound; what follows is a torn write.
    pub sound_bytes: u64,
}

/// Damage that is not a torn write.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Damage {
    /// The first line is not the header of a registry.
    NoRegistry,
    /// The header names another version.
    OtherVersion(u32),
    /// A line in the middle is broken.
    Broken { at: u64 },
}

/// The first line of every file.
pub(super) fn header() -> Vec<u8> {
    header_of(VERSION)
}

pub(super) fn header_of(version: u32) -> Vec<u8> {
    let mut line = Vec::new();
    // A struct of two plain fields always serializes.
    let _ = push_line(&mut line, &Header { format: FORMAT.to_owned(), version });
    line
}

/// Appends one group.
pub(super) fn push_group(out: &mut Vec<u8>, changes: &[Change]) -> Result<(), serde_json::Error> {
    push_line(out, &changes)
}

fn push_line<T: Serialize>(out: &mut Vec<u8>, value: &T) -> Result<(), serde_json::Error> {
    let start = out.len();
    out.extend_from_slice(b"00000000 ");
    serde_json::to_writer(&mut *out, value)?;
    let checksum = crc32fast::hash(out.get(start + CHECKSUM_LEN..).unwrap_or_default());
    let digits = format!("{checksum:08x}");
    if let Some(place) = out.get_mut(start..start + 8) {
        place.copy_from_slice(digits.as_bytes());
    }
    out.push(b'\n');
    Ok(())
}

/// Reads a whole file, a line at a time: it may be many times as long as what it stands for.
///
/// # Errors
/// What the reader says; damage is no error of it.
pub(super) fn read(reader: impl BufRead) -> io::Result<Result<Content, Damage>> {
    let mut lines = Lines { reader, line: Vec::new(), at: 0 };
    let Some(header) = lines.next_sound::<Header>()? else { return Ok(Err(Damage::NoRegistry)) };
    if header.format != FORMAT {
        return Ok(Err(Damage::NoRegistry));
    }
    if !(VERSION_OLDEST..=VERSION).contains(&header.version) {
        return Ok(Err(Damage::OtherVersion(header.version)));
    }
    let is_old = header.version < VERSION;
    let mut content = Content { sound_bytes: lines.at, is_old, ..Content::default() };
    while let Some(changes) = lines.next_sound::<Vec<Change>>()? {
        for change in changes {
            match change {
                Change::Put(entry) => drop(content.entries.insert(entry.stream, *entry)),
                Change::Remove(stream) => drop(content.entries.remove(&stream)),
                Change::Anchor(anchor) if anchor.offsets.is_empty() => {
                    drop(content.anchors.remove(&anchor.topic));
                }
                Change::Anchor(anchor) => drop(content.anchors.insert(anchor.topic, anchor.offsets)),
            }
        }
        content.sound_bytes = lines.at;
    }
    if has_sound_line_inside(&lines.rest()?) {
        return Ok(Err(Damage::Broken { at: content.sound_bytes }));
    }
    Ok(Ok(content))
}

/// The same of a file in memory.
pub(super) fn parse(bytes: &[u8]) -> Result<Content, Damage> {
    // Reading memory does not fail.
    read(bytes).unwrap_or(Err(Damage::NoRegistry))
}

/// Whether the line that starts at `at` is one that [`read`] takes: the header at the start, a group elsewhere.
pub(super) fn is_sound_line(bytes: &[u8], at: usize) -> bool {
    let rest = bytes.get(at..).unwrap_or_default();
    let Some(line) = rest.split_inclusive(|byte| *byte == b'\n').next() else { return false };
    if at == 0 { sound::<Header>(line).is_some() } else { sound::<Vec<Change>>(line).is_some() }
}

/// Whether a sound line starts anywhere behind the first byte, also where the line feed before it is broken.
fn has_sound_line_inside(bytes: &[u8]) -> bool {
    let starts = memchr::memchr_iter(b' ', bytes).filter_map(|blank| blank.checked_sub(CHECKSUM_LEN - 1));
    let line =
        |at: usize| bytes.get(at..).and_then(|rest| rest.split_inclusive(|byte| *byte == b'\n').next());
    starts
        .filter(|start| *start > 0)
        .filter_map(line)
        .any(|line| sound::<serde::de::IgnoredAny>(line).is_some())
}

struct Lines<R> {
    reader: R,
    /// The line that was read and is not sound, if any.
    line: Vec<u8>,
    /// Where it starts.
    at: u64,
}

impl<R: BufRead> Lines<R> {
    /// The next line's value; `None` at the end and at a line that is broken, which stays unread.
    fn next_sound<T: for<'de> Deserialize<'de>>(&mut self) -> io::Result<Option<T>> {
        if self.line.is_empty() {
            self.reader.read_until(b'\n', &mut self.line)?;
        }
        let value = sound(&self.line);
        if value.is_some() {
            self.at += self.line.len() as u64;
            self.line.clear();
        }
        Ok(value)
    }

    /// Everything that is unread.
    fn rest(mut self) -> io::Result<Vec<u8>> {
        self.reader.read_to_end(&mut self.line)?;
        Ok(self.line)
    }
}

/// The value of a line, if the line is whole and its checksum right.
fn sound<T: for<'de> Deserialize<'de>>(line: &[u8]) -> Option<T> {
    let (checksum, json) = line.strip_suffix(b"\n")?.split_at_checked(CHECKSUM_LEN)?;
    let digits = std::str::from_utf8(checksum.strip_suffix(b" ")?).ok()?;
    let is_plain = digits.bytes().all(|digit| matches!(digit, b'0'..=b'9' | b'a'..=b'f'));
    if !is_plain || u32::from_str_radix(digits, 16).ok()? != crc32fast::hash(json) {
        return None;
    }
    serde_json::from_slice(json).ok()
}
