//! Where lines end.
//!
//! Enters: the bytes of one stream from a given offset on, as far as they are there. Leaves: ranges of offsets: lines,
//! cut lines, what a cut left over, holes. Never: the bytes themselves; never a search through the same byte twice.
//!
//! What has no end yet waits. A line that is longer than the limit waits too, so that its length can be told: the
//! framer then asks for bytes further ahead, which nobody keeps ([`Framer::ahead`]). So it does for a hole of NUL bytes,
//! which a crash or a truncation leaves, because a writer that maps its file fills such a hole later.

use super::line_end::{Found, LineEnd};

/// A line that has not ended after so many bytes is cut without a word on its length.
pub(super) const LINE_SCAN_BYTES_MAX: u64 = 256 << 20;

/// One range of the stream; all offsets are absolute.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Piece {
    /// A line, or the part of a long one that is shipped.
    Line(Line),
    /// What follows a cut and is not shipped, up to behind the line's end.
    Rest {
        /// Behind its last byte.
        end: u64,
    },
    /// NUL bytes that nobody wrote.
    Hole {
        /// Behind its last byte.
        end: u64,
    },
}

/// A line.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Line {
    /// Its first byte.
    pub start: u64,
    /// Behind its text.
    pub text_end: u64,
    /// Behind its end.
    pub end: u64,
    /// What is special about it.
    pub flaw: Flaw,
}

/// Whether a line is all there.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) enum Flaw {
    /// It is.
    #[default]
    None,
    /// It is one of several parts of a long line.
    Part,
    /// It is the beginning of a long line.
    Cut {
        /// Bytes that the line's text had, up to here or further back; `None` beyond [`LINE_SCAN_BYTES_MAX`].
        text_end: Option<u64>,
    },
}

/// What becomes of a long line.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Limit {
    /// Bytes of a line's text at most.
    pub bytes_max: usize,
    /// Whether a longer one comes in parts, instead of cut.
    pub is_split: bool,
}

/// Splits one stream.
#[derive(Debug, Clone)]
pub(super) struct Framer {
    line_end: LineEnd,
    limit: Limit,
    /// Everything before it was handed out.
    position: u64,
    /// Between `position` and here is no line end.
    searched: u64,
    rest: Rest,
    ahead: Option<Ahead>,
    /// The stream ends here, so that nothing waits any more.
    over: Option<u64>,
}

/// What follows at the position.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Rest {
    /// A line.
    None,
    /// The rest of a cut line, up to here.
    Until(u64),
    /// The rest of a cut line, up to its end.
    Open,
    /// A further part of a split line.
    Part,
}

/// A look for what lies behind the bytes that are kept.
#[derive(Debug, Clone, Copy)]
struct Ahead {
    aim: Aim,
    looked: u64,
    /// Behind the text, and behind the line end or the hole.
    found: Option<(u64, u64)>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Aim {
    /// The end of the line that starts at the position.
    Line,
    /// The end of the hole that starts here.
    Hole(u64),
}

impl Framer {
    /// A framer that begins at `position`, where a line starts.
    pub(super) fn new(position: u64, line_end: LineEnd, limit: Limit) -> Self {
        let limit = Limit { bytes_max: limit.bytes_max.max(4), ..limit };
        Framer { line_end, limit, position, searched: position, rest: Rest::None, ahead: None, over: None }
    }

    pub(super) fn line_end(&self) -> &LineEnd {
        &self.line_end
    }

    /// The file's own mark says another encoding than the user.
    pub(super) fn change_line_end(&mut self, line_end: LineEnd) {
        self.line_end = line_end;
    }

    /// Behind the last piece.
    pub(super) fn position(&self) -> u64 {
        self.position
    }

    /// How far the bytes are to be read again with the next ones.
    pub(super) fn seen(&self) -> u64 {
        match self.ahead.map(|ahead| ahead.aim) {
            None => self.searched,
            Some(Aim::Line) => self.position + self.bytes_max() as u64,
            Some(Aim::Hole(start)) => start,
        }
    }

    /// Forgets how far it looked, as when the unfinished line was taken back.
    pub(super) fn search_again(&mut self) {
        (self.searched, self.ahead) = (self.position, None);
    }

    /// Where to look further ahead, when that decides on the next piece; see [`Framer::look`].
    pub(super) fn ahead(&self) -> Option<u64> {
        self.ahead.filter(|ahead| ahead.found.is_none()).map(|ahead| ahead.looked)
    }

    /// Looks at the bytes that lie at [`Framer::ahead`], of which the caller keeps none. True when they decide.
    pub(super) fn look(&mut self, bytes: &[u8]) -> bool {
        let Some(ahead) = &mut self.ahead else { return true };
        let at = ahead.looked;
        match ahead.aim {
            Aim::Hole(start) => match bytes.iter().position(|byte| *byte != 0) {
                Some(run) => {
                    let end = at + run as u64;
                    ahead.found = Some((start, end - self.line_end.encoding().misaligned(end) as u64));
                }
                None => ahead.looked += bytes.len() as u64,
            },
            Aim::Line => match self.line_end.find(at, bytes, 0) {
                Found::At(end) => {
                    let text = self.line_end.without_return(bytes.get(..end).unwrap_or_default());
                    ahead.found = Some((at + text as u64, at + (end + self.line_end.len()) as u64));
                }
                Found::Hole(end) => ahead.found = Some((at + end as u64, at + end as u64)),
                // A CR before the line end is looked at together with it.
                Found::Until(until) => {
                    ahead.looked += (until - self.line_end.return_len().min(until)) as u64;
                }
            },
        }
        ahead.found.is_some()
            || (ahead.aim == Aim::Line && ahead.looked > self.position + LINE_SCAN_BYTES_MAX)
    }

    /// The next piece of the stream whose bytes from `base` on are `bytes`; `base` is not behind
    /// [`Framer::position`]. `None` when more bytes are needed.
    pub(super) fn next(&mut self, base: u64, bytes: &[u8]) -> Option<Piece> {
        if let Rest::Until(end) = self.rest {
            self.rest = Rest::None;
            self.jump(end);
            return Some(Piece::Rest { end });
        }
        let line = bytes.get(index(base, self.position)..).filter(|line| !line.is_empty())?;
        if self.rest == Rest::Open {
            let rest = self.rest(line);
            if rest.is_some() || self.rest == Rest::Open {
                return rest;
            }
        }
        if self.line_end.hole(self.position, line) > 0 {
            let end = self.hole_end(self.position, line)?;
            self.jump(end);
            return Some(Piece::Hole { end });
        }
        self.line(line)
    }

    fn line(&mut self, line: &[u8]) -> Option<Piece> {
        let start = self.position;
        let window = line.get(..line.len().min(self.bytes_max())).unwrap_or_default();
        match self.line_end.find(start, window, index(start, self.searched)) {
            Found::At(at) => {
                let text = self.line_end.without_return(window.get(..at).unwrap_or_default());
                Some(self.whole(line, text, at + self.line_end.len()))
            }
            Found::Hole(at) => {
                // What was torn off before a hole is a line once it is clear that nobody fills the hole.
                self.hole_end(start + at as u64, line.get(at..).unwrap_or_default())?;
                Some(self.whole(line, at, at))
            }
            Found::Until(_) if window.len() == self.bytes_max() => self.too_long(line),
            Found::Until(_) if self.over.is_some() => {
                Some(self.whole(line, self.line_end.without_return(line), line.len()))
            }
            Found::Until(until) => {
                self.searched = start + until as u64;
                None
            }
        }
    }

    /// A line whose text and end lie in `line`, as long as it may be or longer.
    fn whole(&mut self, line: &[u8], text: usize, end: usize) -> Piece {
        let start = self.position;
        let (text_end, end) = (start + text as u64, start + end as u64);
        if text > self.limit.bytes_max {
            return self.cut(line, Some((text_end, end)));
        }
        let is_part = std::mem::replace(&mut self.rest, Rest::None) == Rest::Part;
        self.jump(end);
        Piece::Line(Line { start, text_end, end, flaw: if is_part { Flaw::Part } else { Flaw::None } })
    }

    /// A line of which more is there than a line may have.
    fn too_long(&mut self, line: &[u8]) -> Option<Piece> {
        if self.limit.is_split {
            return Some(self.cut(line, None));
        }
        let start = self.position;
        let ahead = self.ahead.filter(|ahead| ahead.aim == Aim::Line);
        let (looked, found) = ahead.map_or((self.searched, None), |ahead| (ahead.looked, ahead.found));
        if found.is_some() || looked > start + LINE_SCAN_BYTES_MAX {
            return Some(self.cut(line, found));
        }
        // What lies here behind the limit is looked at like what comes later.
        let near = line.get(index(start, looked)..).unwrap_or_default();
        self.ahead = Some(Ahead { aim: Aim::Line, looked, found: None });
        if self.look(near) {
            let found = self.ahead.and_then(|ahead| ahead.found);
            return Some(self.cut(line, found));
        }
        let end = self.over?;
        Some(self.cut(line, Some((end, end))))
    }

    /// Hands out what a line may have of `line`; where it ends is known or not.
    fn cut(&mut self, line: &[u8], found: Option<(u64, u64)>) -> Piece {
        let start = self.position;
        let at = self.line_end.encoding().boundary(start, line, self.limit.bytes_max);
        let end = start + at as u64;
        self.jump(end);
        let flaw = if self.limit.is_split {
            self.rest = Rest::Part;
            Flaw::Part
        } else {
            self.rest = found.map_or(Rest::Open, |(_, end)| Rest::Until(end));
            Flaw::Cut { text_end: found.map(|(text_end, _)| text_end) }
        };
        Piece::Line(Line { start, text_end: end, end, flaw })
    }

    /// Where the hole at `start` ends, with which `bytes` begin; `None` while it may still be filled.
    fn hole_end(&mut self, start: u64, bytes: &[u8]) -> Option<u64> {
        let run = self.line_end.hole(start, bytes);
        let end = start + run as u64;
        // Half a unit that is no NUL ends it, too.
        let behind = bytes.get(run..).unwrap_or_default();
        if behind.len() >= self.line_end.encoding().unit_bytes() || behind.iter().any(|byte| *byte != 0) {
            return Some(end);
        }
        let ahead = self.ahead.filter(|ahead| ahead.aim == Aim::Hole(start));
        if let Some((_, end)) = ahead.and_then(|ahead| ahead.found) {
            return Some(end);
        }
        let looked = ahead.map_or(end, |ahead| ahead.looked.max(end));
        self.ahead = Some(Ahead { aim: Aim::Hole(start), looked, found: None });
        self.over
    }

    fn rest(&mut self, line: &[u8]) -> Option<Piece> {
        let (length, is_over) = match self.line_end.find(self.position, line, 0) {
            Found::At(at) => (at + self.line_end.len(), true),
            Found::Hole(at) => (at, true),
            Found::Until(_) if self.over.is_some() => (line.len(), false),
            Found::Until(until) => (until, false),
        };
        if is_over {
            self.rest = Rest::None;
        }
        self.jump(self.position + length as u64);
        (length > 0).then_some(Piece::Rest { end: self.position })
    }

    /// Bytes that a line can have with its end, or with as much of a hole as shows that it is one.
    fn bytes_max(&self) -> usize {
        self.limit.bytes_max + self.line_end.held_back()
    }

    /// A line that ends here, and is longer than this, was cut before here.
    pub(super) fn cut_bytes_min(&self) -> usize {
        // A cut goes back to the start of a character, by three bytes at most.
        self.limit.bytes_max.saturating_sub(3)
    }

    /// How the bytes in front of the position, up to [`Framer::cut_bytes_min`] of them, make it begin: what comes up to
    /// the next line end may be the rest of a line that was cut.
    pub(super) fn begin_behind(&mut self, bytes: &[u8]) {
        let start = self.position - bytes.len() as u64;
        let is_inside = bytes.len() >= self.cut_bytes_min()
            && !self.line_end.is_behind(bytes)
            && matches!(self.line_end.find(start, bytes, 0), Found::Until(_));
        if is_inside {
            self.rest = if self.limit.is_split { Rest::Part } else { Rest::Open };
        }
    }

    /// The stream ends at `end`: until [`Framer::go_on`], nothing waits for more.
    pub(super) fn finish(&mut self, end: u64) {
        self.over = Some(end);
    }

    /// The stream goes on.
    pub(super) fn go_on(&mut self) {
        self.over = None;
    }

    /// What waits for its end, of `bytes` at `base`, is a line as it stands, but for a character that is not complete.
    pub(super) fn take_unfinished(&mut self, base: u64, bytes: &[u8]) -> Option<Line> {
        let line = bytes.get(index(base, self.position)..)?;
        if self.ahead.is_some() || matches!(self.rest, Rest::Open | Rest::Until(_)) {
            return None;
        }
        let start = self.position;
        let text = self.line_end.encoding().whole(start, line);
        match self.whole(line, text, text) {
            Piece::Line(line) if line.start < line.end => Some(line),
            _ => None,
        }
    }

    fn jump(&mut self, end: u64) {
        (self.position, self.searched, self.ahead) = (end, end, None);
    }
}

fn index(base: u64, offset: u64) -> usize {
    usize::try_from(offset.saturating_sub(base)).unwrap_or(usize::MAX)
}

#[cfg(test)]
mod test;
