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

    /// A line that ends here, and is longer than this, was cut before here.
    pub(super) fn cut_bytes_min(&self) -> usize {
        // A cut goes back to the start of a character, by three bytes at most.
        self.line_bytes_max.saturating_sub(3)
    }

    /// The framer begins behind a cut: what comes up to the next line feed is its rest.
    pub(super) fn begin_behind_cut(&mut self) {
        self.is_cutting = true;
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

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// Feeds `bytes` as they come in steps of the given sizes, from the first byte that has no piece yet.
    fn pieces(bytes: &[u8], steps: &[usize], line_bytes_max: usize) -> Vec<Piece> {
        let (mut framer, mut found, mut end) = (Framer::new(0, line_bytes_max), Vec::new(), 0);
        for step in steps.iter().copied().chain([bytes.len()]) {
            end = (end + step).min(bytes.len());
            let base = framer.position();
            while let Some(piece) = framer.next(base, &bytes[base as usize..end]) {
                found.push(piece);
            }
        }
        found
    }

    fn check(text: &str, expected: &[Piece]) {
        let singly = vec![1; text.len()];
        assert_eq!(merged(pieces(text.as_bytes(), &[], 8)), expected, "{text:?}");
        assert_eq!(merged(pieces(text.as_bytes(), &singly, 8)), expected, "{text:?} byte by byte");
    }

    /// The rest of a cut line may come in any number of pieces.
    fn merged(pieces: Vec<Piece>) -> Vec<Piece> {
        let mut merged: Vec<Piece> = Vec::new();
        for piece in pieces {
            match (merged.last_mut(), piece) {
                (Some(Piece::Rest { end: last }), Piece::Rest { end }) => *last = end,
                _ => merged.push(piece),
            }
        }
        merged
    }

    #[test]
    fn lines_cuts_and_rests() {
        let line = |start, end| Piece::Line { start, end };
        check("", &[]);
        check("no end", &[]);
        check("\n\n", &[line(0, 1), line(1, 2)]);
        check("one\r\ntwo\nth", &[line(0, 5), line(5, 9)]);
        check("12345678\n", &[line(0, 9)]);
        check("123456789\nx\n", &[Piece::Cut { start: 0, end: 8 }, Piece::Rest { end: 10 }, line(10, 12)]);
        check("1234567é\n", &[Piece::Cut { start: 0, end: 7 }, Piece::Rest { end: 10 }]);
        check("12345678é", &[Piece::Cut { start: 0, end: 8 }, Piece::Rest { end: 10 }]);
    }

    #[test]
    fn ends_are_no_text() {
        for (line, expected) in
            [("a\n", "a"), ("a\r\n", "a"), ("a", "a"), ("\r\n", ""), ("a\r\r\n", "a\r"), ("a\n\n", "a\n")]
        {
            assert_eq!(without_end(line.as_bytes()), expected.as_bytes());
        }
    }

    /// The same over the whole text at once.
    fn naive(bytes: &[u8], line_bytes_max: usize) -> Vec<Piece> {
        let (mut found, mut start) = (Vec::new(), 0);
        for line in bytes.split_inclusive(|byte| *byte == b'\n') {
            let (has_end, end) = (line.ends_with(b"\n"), start + line.len());
            let length = line.len() - usize::from(has_end);
            if length > line_bytes_max {
                let cut = start + character_start(line, line_bytes_max);
                found.push(Piece::Cut { start: start as u64, end: cut as u64 });
                found.push(Piece::Rest { end: end as u64 });
            } else if has_end {
                found.push(Piece::Line { start: start as u64, end: end as u64 });
            }
            start = end;
        }
        found
    }

    proptest! {
        #[test]
        fn agrees_with_splitting_at_once(
            text in "([a-z]{0,12}(é|日|\\r)?\n){0,12}[a-zé]{0,20}",
            steps in prop::collection::vec(0usize..9, 0..40),
            line_bytes_max in 4usize..16,
        ) {
            let found = merged(pieces(text.as_bytes(), &steps, line_bytes_max));
            prop_assert_eq!(found, naive(text.as_bytes(), line_bytes_max));
        }

        #[test]
        fn a_cut_lies_between_characters(text in "[aé日🔥]{4,20}", at in 4usize..12) {
            prop_assume!(at < text.len());
            let cut = character_start(text.as_bytes(), at);
            prop_assert!(text.is_char_boundary(cut) && cut <= at && cut + 4 > at);
        }
    }
}
