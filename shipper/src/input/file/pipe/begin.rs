//! Where a stream goes on.
//!
//! Enters: the first bytes of the file, and those in front of the place where reading goes on. Leaves: a pipe that knows
//! the file's encoding, whether it stands in a line that was cut, and how records begin. Never: a record.

use super::Pipe;
use crate::input::file::encoding::Mark;
use crate::input::file::line_end::{Found, LineEnd};

/// Bytes before the place where reading goes on in which the joiner looks how records begin.
const LEARN_BYTES_MAX: u64 = 64 << 10;

impl Pipe {
    /// How the bytes in front of it make it begin: the file's first, `head`, and up to [`Pipe::cut_bytes_min`] of the
    /// last, which `before` reads.
    pub(in super::super) fn begin_behind<E>(
        &mut self,
        head: &[u8],
        tail: &[u8],
        before: impl FnOnce() -> Result<Vec<u8>, E>,
    ) -> Result<(), E> {
        if self.read > 0 {
            self.look_for_mark(head, true);
            if !self.stages.framer.line_end().is_behind(tail) {
                self.stages.framer.begin_behind(&before()?);
            }
        }
        Ok(())
    }

    /// Goes by the mark that the file begins with. False when more of it has to be there first.
    pub(super) fn look_for_mark(&mut self, head: &[u8], is_all: bool) -> bool {
        match Mark::of(head) {
            Mark::Open if !is_all => return false,
            Mark::Found(encoding) if encoding != self.stages.framer.line_end().encoding() => {
                // Every text has a form in UTF-8 and UTF-16.
                if let Some(line_end) = LineEnd::new(&self.stages.line_end, encoding) {
                    self.stages.framer.change_line_end(line_end);
                }
            }
            Mark::Found(_) | Mark::Absent | Mark::Open => {}
        }
        self.is_fresh = false;
        true
    }

    /// How many bytes in front of it [`Pipe::learn`] wants before any read.
    pub(in super::super) fn learns_bytes(&self) -> u64 {
        if self.stages.joiner.learns() { self.read.min(LEARN_BYTES_MAX) } else { 0 }
    }

    /// The bytes in front of it show how records begin.
    pub(in super::super) fn learn(&mut self, bytes: &[u8]) {
        let line_end = self.stages.framer.line_end();
        let (mut start, mut text) = (0, String::new());
        // The first line is a part of one, unless the file begins with it.
        let mut is_whole = bytes.len() as u64 == self.read;
        let offset = self.read - bytes.len() as u64;
        loop {
            let (at, line) = (offset + start as u64, bytes.get(start..).unwrap_or_default());
            let (end, next) = match line_end.find(at, line, 0) {
                Found::At(end) => (end, end + line_end.len()),
                Found::Hole(end) => {
                    (end, end + line_end.hole(at + end as u64, line.get(end..).unwrap_or_default()))
                }
                Found::Until(_) => return,
            };
            let line = line.get(..end).unwrap_or_default();
            if is_whole {
                text.clear();
                line_end.encoding().decode(
                    at,
                    line.get(..line_end.without_return(line)).unwrap_or_default(),
                    &mut text,
                );
                match &mut self.strands {
                    Some(strands) => strands.learn(&text),
                    None => self.stages.joiner.learn(text.as_bytes()),
                }
            }
            is_whole = true;
            start += next.max(1);
        }
    }
}
