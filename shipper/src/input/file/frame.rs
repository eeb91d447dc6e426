//! Where lines end.
//!
//! Enters: the bytes of one stream from a given offset on, as far as they are there. Leaves: ranges of offsets: lines,
//! cut lines, and what a cut left over. Never: the bytes themselves; never a search through the same byte twice.
//!
//! A line ends with LF, or CR LF. What has no end yet waits, unless it is longer than the limit.

/// One range of the stream; both offsets are absolute.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Piece {
    /// A line with its end.
    Line {
        /// Its first byte.
        start: u64,
        /// Behind its line feed.
        end: u64,
    },
    /// The beginning of a line that is longer than the limit. Its rest comes as [`Piece::Rest`].
    Cut {
        /// Its first byte.
        start: u64,
        /// Where it was cut, between two characters.
        end: u64,
    },
    /// A part of what follows a cut, up to behind the line feed.
    Rest {
        /// Behind its last byte.
        end: u64,
    },
}

/// Splits one stream.
#[derive(Debug, Clone)]
pub(super) struct Framer {
    line_bytes_max: usize,
    /// Everything before it was handed out.
    position: u64,
    /// Between `position` and here is no line feed.
    searched: u64,
    is_cutting: bool,
}

impl Framer {
    /// A framer that begins at `position`, where a line starts.
    pub(super) fn new(position: u64, line_bytes_max: usize) -> Self {
        Framer { line_bytes_max: line_bytes_max.max(4), position, searched: position, is_cutting: false }
    }

    /// Behind the last piece.
    pub(super) fn position(&self) -> u64 {
        self.position
    }

    /// How far it has looked.
    pub(super) fn searched(&self) -> u64 {
        self.searched
    }

    /// Forgets how far it looked, as when the unfinished line was taken back.
    pub(super) fn search_again(&mut self) {
        self.searched = self.position;
    }

    /// The next piece of the stream whose bytes from `base` on are `bytes`; `base` is not behind
    /// [`Framer::position`]. `None` when more bytes are needed.
    pub(super) fn next(&mut self, base: u64, bytes: &[u8]) -> Option<Piece> {
        let line = bytes.get(index(base, self.position)..)?;
        if self.is_cutting {
            return self.rest(line);
        }
        let from = index(self.position, self.searched);
        // One byte more than the limit, because a line of just the limit is whole.
        let window = line.get(..line.len().min(self.line_bytes_max + 1)).unwrap_or_default();
        let start = self.position;
        if let Some(feed) = memchr::memchr(b'\n', window.get(from..).unwrap_or_default()) {
            self.advance(from + feed + 1);
            return Some(Piece::Line { start, end: self.position });
        }
        if window.len() <= self.line_bytes_max {
            self.searched = start + window.len().max(from) as u64;
            return None;
        }
        self.advance(character_start(window, self.line_bytes_max));
        self.is_cutting = true;
        Some(Piece::Cut { start, end: self.position })
    }

    /// Takes everything up to `end` as handed out: the stream ends there.
    pub(super) fn jump(&mut self, end: u64) {
        (self.position, self.searched) = (end, end);
    }

    fn rest(&mut self, line: &[u8]) -> Option<Piece> {
        let feed = memchr::memchr(b'\n', line);
        let length = feed.map_or(line.len(), |feed| feed + 1);
        if length == 0 {
            return None;
        }
        self.is_cutting = feed.is_none();
        self.advance(length);
        Some(Piece::Rest { end: self.position })
    }

    fn advance(&mut self, bytes: usize) {
        self.position += bytes as u64;
        self.searched = self.position;
    }
}

fn index(base: u64, offset: u64) -> usize {
    usize::try_from(offset.saturating_sub(base)).unwrap_or(usize::MAX)
}

/// The largest start of a UTF-8 character that is not behind `at`; `at` itself where the bytes are not UTF-8.
fn character_start(bytes: &[u8], at: usize) -> usize {
    let is_start = |at: &usize| bytes.get(*at).is_some_and(|byte| byte & 0b1100_0000 != 0b1000_0000);
    (at.saturating_sub(3)..=at).rev().find(is_start).filter(|start| *start > 0).unwrap_or(at)
}

/// The text of a line: without its LF or CR LF.
pub(super) fn without_end(line: &[u8]) -> &[u8] {
    let line = line.strip_suffix(b"\n").unwrap_or(line);
    line.strip_suffix(b"\r").unwrap_or(line)
}
