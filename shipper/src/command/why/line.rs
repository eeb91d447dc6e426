//! Where a line lies in its file, and in which record.
//!
//! Enters: a file, the number of a line. Leaves: the bytes that the line takes, and the offset of the record that it is a
//! part of. Never: more of the file in memory than one read.

use std::io::{self, ErrorKind, Read};
use std::path::Path;

use event::{Level, Timestamp};

use crate::input::file::{FileConfig, Previewed, plain, preview};

/// Bytes of one read.
const READ_BYTES: usize = 256 << 10;

/// One line of a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Line {
    /// Counting from one.
    pub number: u64,
    /// Its first byte.
    pub start: u64,
    /// Behind its line end.
    pub end: u64,
    /// Whether a line end is there.
    pub is_whole: bool,
    /// Whether nothing but a line end is there.
    pub is_empty: bool,
    /// Where the record begins that it belongs to; `None` where it belongs to none, or that was not asked.
    pub record: Option<u64>,
    /// The processor that leaves that record out.
    pub left_out: Option<&'static str>,
    /// The level of that record.
    pub level: Option<Level>,
}

/// A record that a line may belong to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Found {
    offset: u64,
    left_out: Option<&'static str>,
    level: Option<Level>,
}

impl Line {
    fn new(number: u64, start: u64, end: u64) -> Self {
        let (is_whole, is_empty, record) = (true, false, None);
        Line { number, start, end, is_whole, is_empty, record, left_out: None, level: None }
    }
}

/// Looks for line `number` in a file in which lines end with `line_feed`, one or two bytes that lie at a multiple of their
/// number; gives how many lines there are when they are fewer.
fn find(file: &mut impl Read, number: u64, line_feed: &[u8]) -> io::Result<Result<Line, u64>> {
    let unit = line_feed.len();
    let carriage_return: Vec<u8> =
        line_feed.iter().map(|byte| if *byte == b'\n' { b'\r' } else { *byte }).collect();
    let (mut line, mut start, mut at) = (1, 0, 0);
    let mut last = Vec::new();
    let mut buffer = vec![0; READ_BYTES];
    loop {
        let read = match file.read(&mut buffer) {
            Ok(read) => read,
            Err(error) if error.kind() == ErrorKind::Interrupted => continue,
            Err(error) => return Err(error),
        };
        let bytes = buffer.get(..read).unwrap_or_default();
        if bytes.is_empty() {
            break;
        }
        let places = memchr::memmem::find_iter(bytes, line_feed);
        for place in places.filter(|place| (at + *place as u64).is_multiple_of(unit as u64)) {
            let end = at + (place + unit) as u64;
            if line == number {
                let before = place.checked_sub(unit).and_then(|before| bytes.get(before..place));
                let is_returned = before.unwrap_or(&last) == carriage_return;
                let units = (end - start) / unit as u64;
                let is_empty = units == 1 || (units == 2 && is_returned);
                return Ok(Ok(Line { is_empty, ..Line::new(number, start, end) }));
            }
            (line, start) = (line + 1, end);
        }
        last = bytes.get(bytes.len().saturating_sub(unit)..).unwrap_or_default().to_vec();
        at += bytes.len() as u64;
    }
    if line == number && start < at {
        return Ok(Ok(Line { is_whole: false, ..Line::new(number, start, at) }));
    }
    // What stands behind the last line end is a line of its own only when something does.
    Ok(Err(if start < at { line } else { line - 1 }))
}

/// Looks for line `number` of the file at `path`, and for its record as `config` makes it.
pub(super) fn locate(
    path: &Path,
    number: u64,
    config: Option<&FileConfig>,
    now: Timestamp,
) -> io::Result<Result<Line, u64>> {
    let mut file = plain(path)?;
    let line_feed = file.line_feed(config.map(|config| config.encoding).unwrap_or_default())?;
    let found = find(&mut file, number, &line_feed)?;
    Ok(found.map(|line| {
        let Some(found) = config.and_then(|config| record_of(path, &line, config, now)) else { return line };
        Line { record: Some(found.offset), left_out: found.left_out, level: found.level, ..line }
    }))
}

/// The offset of the last record that begins at or before the line, and the processor that leaves it out.
fn record_of(path: &Path, line: &Line, config: &FileConfig, now: Timestamp) -> Option<Found> {
    let mut record: Option<Found> = None;
    // A file that cannot be read to the line says so elsewhere.
    let _ = preview(config, "", path, now, &mut |previewed| {
        let found = match previewed {
            Previewed::Record(json) => sent(json),
            Previewed::LeftOut(one) => {
                Some(Found { offset: one.offset, left_out: Some(one.processor), level: None })
            }
        };
        let Some(found) = found else { return Ok(()) };
        if found.offset <= line.start {
            // Those that are left out are told of before the others.
            record = [record, Some(found)].into_iter().flatten().max_by_key(|found| found.offset);
        } else if found.left_out.is_none() {
            return Err(ErrorKind::Interrupted.into());
        }
        Ok(())
    });
    record
}

fn sent(json: &[u8]) -> Option<Found> {
    let value: serde_json::Value = serde_json::from_slice(json).ok()?;
    let level = value["log"]["level"].as_str().and_then(Level::parse);
    Some(Found { offset: value["log"]["offset"].as_u64()?, left_out: None, level })
}

/// `log.offset` of a record.
pub(super) fn offset(json: &[u8]) -> Option<u64> {
    sent(json).map(|found| found.offset)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str, number: u64, expected: &str) {
        let found = find(&mut text.as_bytes(), number, b"\n").unwrap();
        let said = match found {
            Ok(line) => format!("{}..{} {} {}", line.start, line.end, line.is_whole, line.is_empty),
            Err(lines) => format!("of {lines}"),
        };
        assert_eq!(said, expected, "line {number} of {text:?}");
    }

    #[test]
    fn a_line_is_found_by_its_number() {
        check("a\nbb\nc", 1, "0..2 true false");
        check("a\nbb\nc", 2, "2..5 true false");
        check("a\nbb\nc", 3, "5..6 false false");
        check("a\nbb\nc", 4, "of 3");
        check("a\n", 2, "of 1");
        check("", 1, "of 0");
        check("\n\r\n", 1, "0..1 true true");
        check("\n\r\n", 2, "1..3 true true");
        let long = format!("{}\nx\n", "y".repeat(READ_BYTES));
        check(&long, 2, &format!("{}..{} true false", READ_BYTES + 1, READ_BYTES + 3));
        let split = format!("{}\n\r\n", "y".repeat(READ_BYTES - 2));
        check(&split, 2, &format!("{}..{} true true", READ_BYTES - 1, READ_BYTES + 1));
    }

    /// The second byte of 上 is a line feed's, as is the first of ਊ in the other order.
    #[test]
    fn a_line_of_another_encoding_is_found_by_its_units() {
        let text = "上ਊ\r\n\r\n下\n";
        for (line_feed, bytes) in [
            (b"\n\0", text.encode_utf16().flat_map(u16::to_le_bytes).collect::<Vec<u8>>()),
            (b"\0\n", text.encode_utf16().flat_map(u16::to_be_bytes).collect()),
        ] {
            let line = |number| find(&mut bytes.as_slice(), number, line_feed).unwrap();
            let shown = |line: Line| (line.start, line.end, line.is_empty);
            assert_eq!(
                [1, 2, 3].map(|number| shown(line(number).unwrap())),
                [(0, 8, false), (8, 12, true), (12, 16, false)]
            );
            assert_eq!(line(4), Err(3));
        }
    }

    #[test]
    fn the_mark_of_a_file_says_how_its_lines_end() {
        let file = tempfile::NamedTempFile::new().unwrap();
        let bytes: Vec<u8> = "\u{feff}one\ntwo\n".encode_utf16().flat_map(u16::to_le_bytes).collect();
        std::fs::write(file.path(), bytes).unwrap();
        let line = locate(file.path(), 2, None, Timestamp::EPOCH).unwrap().unwrap();
        assert_eq!((line.start, line.end), (10, 18));
    }

    #[test]
    fn a_line_of_an_archive_is_found_where_it_lay_before() {
        use std::io::Write as _;
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.log.1.gz");
        let mut archive = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
        archive.write_all(b"one\ntwo\nthree\n").unwrap();
        std::fs::write(&path, archive.finish().unwrap()).unwrap();
        let line = locate(&path, 2, None, Timestamp::EPOCH).unwrap().unwrap();
        assert_eq!((line.start, line.end), (4, 8));
    }

    #[test]
    fn a_line_of_a_trace_belongs_to_the_record_before_it() {
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(file.path(), "one\njava.lang.E: x\n\tat a.B.c(B.java:1)\n\tat a.B.d(B.java:2)\ntwo\n")
            .unwrap();
        let config: FileConfig = yaml::parse("input", "{ paths: [/x], multiline: java }").unwrap();
        let record = |number| {
            let line = locate(file.path(), number, Some(&config), Timestamp::EPOCH).unwrap().unwrap();
            (line.start, line.record)
        };
        assert_eq!((record(1), record(5)), ((0, Some(0)), (59, Some(59))));
        let (start, belongs) = record(4);
        assert!(belongs.is_some_and(|record| record < start), "{start} {belongs:?}");
    }

    #[test]
    fn a_line_that_a_processor_leaves_out_is_a_record_of_its_own() {
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(file.path(), "one\ntwo\nthree\n").unwrap();
        let text = "{ paths: [/x], processors: [drop: { when: 'message: two' }] }";
        let config: FileConfig = yaml::parse("input", text).unwrap();
        let record = |number| {
            let line = locate(file.path(), number, Some(&config), Timestamp::EPOCH).unwrap().unwrap();
            (line.record, line.left_out)
        };
        assert_eq!([1, 2, 3].map(record), [(Some(0), None), (Some(4), Some("drop")), (Some(8), None)]);
    }
}
