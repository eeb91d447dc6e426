//! What ends a line, in the bytes of its encoding.
//!
//! Enters: the user's `line_end:`, an encoding, bytes of a stream with the offset at which they lie. Leaves: where the
//! next line end is. Never: half a code unit, or the second byte of a character, taken for a line end.

use memchr::memmem;

use super::encoding::Encoding;

/// Bytes of a line end at most, as they lie in the file.
pub(super) const LINE_END_BYTES_MAX: usize = 16;
/// So many NUL bytes behind a text are a hole, as a crash leaves it; fewer may have been written.
const HOLE_BYTES_MIN: usize = 16;

/// How the lines of one stream end.
#[derive(Debug, Clone)]
pub(super) struct LineEnd {
    encoding: Encoding,
    bytes: Vec<u8>,
    /// LF, and with it CR LF.
    is_feed: bool,
    /// A search could find it inside a character.
    is_hidden: bool,
    /// What it begins with, when that is a NUL: then no NUL is a hole.
    is_nul: bool,
}

/// What was found of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Found {
    /// Here it starts.
    At(usize),
    /// Here a hole starts that follows a text.
    Hole(usize),
    /// Not before here, where the next search begins.
    Until(usize),
}

impl LineEnd {
    /// `text` in `encoding`; `None` when it is empty, or when the encoding has no such character.
    pub(super) fn new(text: &str, encoding: Encoding) -> Option<Self> {
        let bytes = encoding.encode(text).filter(|bytes| !bytes.is_empty())?;
        let is_nul = bytes.iter().take(encoding.unit_bytes()).all(|byte| *byte == 0);
        let is_hidden = bytes.first().is_some_and(|byte| !encoding.is_always_whole(*byte));
        Some(LineEnd { encoding, is_feed: text == "\n", is_hidden, is_nul, bytes })
    }

    pub(super) fn encoding(&self) -> Encoding {
        self.encoding
    }

    /// Its bytes.
    pub(super) fn len(&self) -> usize {
        self.bytes.len()
    }

    /// Bytes of a CR that may stand before it.
    pub(super) fn return_len(&self) -> usize {
        if self.is_feed { self.encoding.unit_bytes() } else { 0 }
    }

    /// True when records are ranges of the file as they are: UTF-8 with LF or CR LF.
    pub(super) fn is_plain(&self) -> bool {
        self.is_feed && self.encoding.is_utf_8()
    }

    /// Searches `bytes`, which lie at `offset` and begin with a line, from index `from` on, where an earlier search
    /// ended.
    pub(super) fn find(&self, offset: u64, bytes: &[u8], from: usize) -> Found {
        if self.is_plain() {
            return find_feed(bytes, from);
        }
        let found = if self.is_hidden { self.walk(bytes, from) } else { self.search(offset, bytes, from) };
        let end = if let Found::At(end) = found { end } else { bytes.len() };
        let text = bytes.get(from.min(end)..end).unwrap_or_default();
        match memmem::find(text, &[0; HOLE_BYTES_MIN]) {
            // The first byte may be the second half of the last character.
            Some(at) if !self.is_nul => {
                Found::Hole(from + at + self.encoding.misaligned(offset + (from + at) as u64))
            }
            _ => found,
        }
    }

    fn search(&self, offset: u64, bytes: &[u8], from: usize) -> Found {
        let mut at = from;
        while let Some(found) = memmem::find(bytes.get(at..).unwrap_or_default(), &self.bytes) {
            at += found;
            if self.encoding.misaligned(offset + at as u64) == 0 {
                return Found::At(at);
            }
            at += 1;
        }
        Found::Until(bytes.len().saturating_sub(self.held_back()).max(from))
    }

    fn walk(&self, bytes: &[u8], from: usize) -> Found {
        let (mut at, mut until) = (from, from);
        loop {
            let rest = bytes.get(at..).unwrap_or_default();
            if rest.starts_with(&self.bytes) {
                return Found::At(at);
            }
            if rest.len() >= self.held_back() {
                until = at;
            }
            match self.encoding.character_bytes(rest) {
                Some(more) if more <= rest.len() => at += more,
                _ => return Found::Until(until),
            }
        }
    }

    /// The start of a line end, a CR before it, or the start of a hole may lie in so many of the last bytes.
    pub(super) fn held_back(&self) -> usize {
        (self.len() + self.return_len()).max(HOLE_BYTES_MIN)
    }

    /// Bytes of `line`, which lies before a line end, that are text: without the CR of a CR LF.
    pub(super) fn without_return(&self, line: &[u8]) -> usize {
        let is_return = self.is_feed
            && match (self.encoding.unit_bytes(), line) {
                (1, [.., b'\r']) => true,
                // Whichever half comes first, as in the line end's own bytes.
                (2, [.., one, two]) => match self.bytes.as_slice() {
                    [b'\n', ..] => (*one, *two) == (b'\r', 0),
                    _ => (*one, *two) == (0, b'\r'),
                },
                _ => false,
            };
        if is_return { line.len() - self.encoding.unit_bytes() } else { line.len() }
    }

    /// True when a line begins behind `bytes`: they end with a line end, or with a hole.
    pub(super) fn is_behind(&self, bytes: &[u8]) -> bool {
        let unit = self.encoding.unit_bytes();
        let last = bytes.get(bytes.len().saturating_sub(unit)..).unwrap_or_default();
        bytes.ends_with(&self.bytes)
            || (!self.is_nul && !last.is_empty() && last.iter().all(|byte| *byte == 0))
    }

    /// Bytes of the hole that `bytes`, which lie at `offset`, begin with: whole NUL units.
    pub(super) fn hole(&self, offset: u64, bytes: &[u8]) -> usize {
        if self.is_nul || bytes.first() != Some(&0) {
            return 0;
        }
        let run = bytes.iter().position(|byte| *byte != 0).unwrap_or(bytes.len());
        run - self.encoding.misaligned(offset + run as u64).min(run)
    }
}

/// The next LF, or a hole before it; NULs that are fewer belong to the text.
fn find_feed(bytes: &[u8], from: usize) -> Found {
    let mut at = from;
    while let Some(found) = memchr::memchr2(b'\n', 0, bytes.get(at..).unwrap_or_default()) {
        at += found;
        let rest = bytes.get(at..).unwrap_or_default();
        if rest.first() == Some(&b'\n') {
            return Found::At(at);
        }
        match rest.iter().take(HOLE_BYTES_MIN).position(|byte| *byte != 0) {
            Some(run) => at += run,
            None if rest.len() >= HOLE_BYTES_MIN => return Found::Hole(at),
            None => return Found::Until(at),
        }
    }
    Found::Until(bytes.len())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn line_end(text: &str, encoding: &str) -> LineEnd {
        LineEnd::new(text, yaml::parse("test.yml", encoding).unwrap()).unwrap()
    }

    #[test]
    fn what_looks_like_an_end_inside_a_character_is_none() {
        let cases: [(&str, &str, &[u8], Found); 10] = [
            ("\n", "utf-8", b"ab\ncd", Found::At(2)),
            ("\n", "utf-16le", b"\x0a\x4e\x0a\x00", Found::At(2)),
            ("\n", "utf-16be", b"\x4e\x0a\x00\x0a", Found::At(2)),
            ("\n", "utf-16be", b"\x4e\x00\x0a\x4e\x00\x0a", Found::At(4)),
            ("|", "gbk", b"\x81|x|y", Found::At(3)),
            ("|", "utf-8", b"\x81|x|y", Found::At(1)),
            ("1", "gb18030", b"\x81\x30\x81\x311", Found::At(4)),
            ("|\n", "shift_jis", b"\x81|\n|\n", Found::At(3)),
            ("\0", "utf-8", b"ab\0cd", Found::At(2)),
            ("\u{4e0a}", "big5", b"\xa4W", Found::At(0)),
        ];
        for (text, encoding, bytes, expected) in cases {
            assert_eq!(
                line_end(text, encoding).find(0, bytes, 0),
                expected,
                "{text:?} {encoding} {bytes:x?}"
            );
        }
    }

    #[test]
    fn a_hole_behind_a_text_is_found_and_a_few_nuls_are_text() {
        let hole = |before: &[u8], nuls: usize, behind: &[u8]| [before, &vec![0; nuls], behind].concat();
        let feed = line_end("\n", "utf-8");
        assert_eq!(feed.find(0, &hole(b"torn", 16, b"next\n"), 0), Found::Hole(4));
        assert_eq!(feed.find(0, &hole(b"torn", 15, b"next\n"), 0), Found::At(23));
        assert_eq!(feed.find(0, &hole(b"torn", 15, b""), 0), Found::Until(4));
        let wide = line_end("\n", "utf-16le");
        assert_eq!(wide.find(0, &hole(b"t\0o", 40, b""), 0), Found::Hole(4));
        assert_eq!(line_end("\0", "utf-8").find(0, &hole(b"", 40, b""), 0), Found::At(0));
    }

    #[test]
    fn a_hole_is_whole_units() {
        let wide = line_end("\n", "utf-16be");
        for (bytes, expected) in [(&b"\0\0\0\0\0a"[..], 4), (b"\0a", 0), (b"\0\0", 2), (b"\0", 0), (b"", 0)] {
            assert_eq!(wide.hole(0, bytes), expected, "{bytes:x?}");
        }
        assert_eq!(line_end("\n", "gbk").hole(7, b"\0\0\0a"), 3);
    }

    #[test]
    fn a_line_end_has_to_have_characters() {
        let latin: Encoding = yaml::parse("test.yml", "latin1").unwrap();
        assert!(LineEnd::new("\u{4e0a}", latin).is_none());
        assert!(LineEnd::new("", latin).is_none());
    }
}
