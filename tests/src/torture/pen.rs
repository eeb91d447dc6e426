//! A hand that writes numbered lines into a file which others rename, cut and remove.
//!
//! Enters: a path, how many lines. Leaves: lines whose head and tail name the same stream and number, so that a torn one
//! is seen wherever it was torn. Never: a line that differs between two runs.

use std::collections::BTreeMap;
use std::fs::{File, OpenOptions};
use std::io::Write;
use std::path::Path;

/// Lines that start with it are not counted: they make files look alike.
const BANNER: &str = "banner";

/// The shape of a line.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Style {
    /// Some words between head and tail, of another length in each line; 175 bytes on average.
    Words,
    /// Nothing between them: a file of one line has ten bytes.
    Tiny,
    /// In UTF-16, with letters that have a line feed's byte in them.
    Utf16,
    /// A record of three lines, of which the second and third are indented.
    Frames,
}

/// What a message on the topic is.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Reading<'m> {
    /// A whole line: stream and sequence.
    Line(&'m str, u64),
    /// One that nobody counts.
    Banner,
    /// Neither.
    Torn,
}

/// Reads a message back.
pub(super) fn read(message: &str) -> Reading<'_> {
    let whole = || {
        let (head, rest) = message.split_once(' ')?;
        let (head_stream, head_sequence) = head.split_once('#')?;
        let mut tail = rest.rsplit(' ');
        let sequence = tail.next()?;
        let stream = tail.next()?;
        let is_whole = stream == head_stream && sequence == head_sequence;
        is_whole.then_some(Reading::Line(stream, sequence.parse().ok()?))
    };
    if message.starts_with(BANNER) { Reading::Banner } else { whole().unwrap_or(Reading::Torn) }
}

/// A pen, and the file that it has open.
#[derive(Debug)]
pub(super) struct Pen {
    /// The stream that its lines name.
    pub(super) stream: String,
    style: Style,
    file: File,
    /// The next line's number.
    next: u64,
    /// What is still to be written of the line before.
    rest: Vec<u8>,
    /// How much of it is written.
    half_bytes: u64,
    /// Lines of a length of their own.
    long: BTreeMap<u64, usize>,
}

impl Pen {
    pub(super) fn new(stream: &str, style: Style, path: &Path) -> Self {
        Pen {
            stream: stream.to_owned(),
            style,
            file: open(path, style),
            next: 0,
            rest: Vec::new(),
            half_bytes: 0,
            long: BTreeMap::new(),
        }
    }

    /// Lets go of its file and opens what is at `path`, or makes it.
    pub(super) fn reopen(&mut self, path: &Path) {
        self.file = open(path, self.style);
    }

    /// Lines that were begun.
    pub(super) fn lines(&self) -> u64 {
        self.next
    }

    /// Lines that lie in files to their ends.
    pub(super) fn whole_lines(&self) -> u64 {
        self.next - u64::from(!self.rest.is_empty())
    }

    /// Bytes of a line whose end is not written yet.
    pub(super) fn half_bytes(&self) -> u64 {
        if self.rest.is_empty() { 0 } else { self.half_bytes }
    }

    /// Writes whole lines.
    pub(super) fn write(&mut self, lines: u64) {
        let mut bytes = std::mem::take(&mut self.rest);
        for _ in 0..lines {
            bytes.extend(self.line(self.next));
            self.next += 1;
        }
        self.file.write_all(&bytes).unwrap();
    }

    /// Writes the first half of a line; the next [`Pen::write`] brings the rest.
    pub(super) fn half(&mut self) {
        self.write(0);
        let mut line = self.line(self.next);
        // The half of a record of three lines is its first line: that is what rotation splits.
        let first = line.iter().position(|byte| *byte == b'\n').unwrap_or_default() + 1;
        self.rest = line.split_off(if self.style == Style::Frames { first } else { line.len() / 2 });
        self.next += 1;
        self.half_bytes = line.len() as u64;
        self.file.write_all(&line).unwrap();
    }

    /// Writes one line with `bytes` between head and tail, which no codec makes much shorter.
    pub(super) fn long(&mut self, bytes: usize) {
        self.long.insert(self.next, bytes);
        self.write(1);
    }

    /// Writes lines that nobody counts, the same in each file.
    pub(super) fn banner(&mut self, bytes: usize) {
        let text: String = (0..).map(|number| format!("{BANNER} {number:04}\n")).take(bytes / 12).collect();
        self.file.write_all(text.as_bytes()).unwrap();
    }

    /// Bytes of a line in the file.
    pub(super) fn bytes(&self, sequence: u64) -> u64 {
        self.line(sequence).len() as u64
    }

    fn line(&self, sequence: u64) -> Vec<u8> {
        let stream = &self.stream;
        let name = format!("{stream} {sequence}");
        let words = "word ".repeat(usize::try_from(sequence * 31 % 61).unwrap());
        let text = match (self.long.get(&sequence), self.style) {
            (Some(bytes), _) => format!("{stream}#{sequence} {} {name}\n", noise(*bytes)),
            (None, Style::Words) => format!("{stream}#{sequence} {words}{name}\n"),
            (None, Style::Tiny) => format!("{stream}#{sequence} {name}\n"),
            (None, Style::Utf16) => format!("{stream}#{sequence} 上不 {words}{name}\n"),
            (None, Style::Frames) => {
                format!("{stream}#{sequence} {words}failed\n\tat first frame\n\tat {name}\n")
            }
        };
        if self.style == Style::Utf16 {
            text.encode_utf16().flat_map(u16::to_le_bytes).collect()
        } else {
            text.into_bytes()
        }
    }
}

fn open(path: &Path, style: Style) -> File {
    let mut file = OpenOptions::new().create(true).append(true).open(path).unwrap();
    if style == Style::Utf16 && file.metadata().unwrap().len() == 0 {
        file.write_all(&[0xff, 0xfe]).unwrap();
    }
    file
}

/// Letters that no codec makes much shorter.
fn noise(bytes: usize) -> String {
    let mut dice = crate::dice::Dice::from_seed(7);
    (0..bytes).map(|_| char::from(b'a' + u8::try_from(dice.roll(26) - 1).unwrap())).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_torn_anywhere_is_seen() {
        let folder = tempfile::tempdir().unwrap();
        for style in [Style::Words, Style::Tiny, Style::Frames] {
            let pen = Pen::new("a", style, &folder.path().join("log"));
            let line = String::from_utf8(pen.line(12)).unwrap();
            let line = line.trim_end();
            assert_eq!(read(line), Reading::Line("a", 12));
            for cut in 1..line.len() {
                assert_eq!(read(&line[cut..]), Reading::Torn, "{}", &line[cut..]);
                // Cut between the digits of its number it still does not agree with its head.
                assert_eq!(read(&line[..cut]), Reading::Torn, "{}", &line[..cut]);
            }
        }
    }

    #[test]
    fn a_tiny_file_has_ten_bytes() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("log");
        Pen::new("t0", Style::Tiny, &path).write(1);
        assert_eq!(std::fs::metadata(path).unwrap().len(), 10);
    }

    #[test]
    fn the_rest_of_a_half_line_goes_where_the_pen_is_then() {
        let folder = tempfile::tempdir().unwrap();
        let (one, two) = (folder.path().join("1"), folder.path().join("2"));
        let mut pen = Pen::new("a", Style::Words, &one);
        pen.half();
        pen.reopen(&two);
        pen.write(1);
        let text = [std::fs::read(one).unwrap(), std::fs::read(two).unwrap()].concat();
        assert_eq!(text, [pen.line(0), pen.line(1)].concat());
        assert_eq!(pen.lines(), 2);
    }
}
