//! From the bytes of one stream to records of a batch: frame, join, parse, encode.
//!
//! Enters: the stream's bytes from its read offset on. Leaves: encoded records, each with a ticket; ranges that are not
//! shipped, with the reason. Never: a copy of a line that is UTF-8 already. Such a record is a range of the read buffer,
//! because its lines lie one behind the other; what is not complete yet is read again with the next bytes. Lines of
//! other encodings are decoded one by one, and the text of the record at hand is kept.

mod begin;
mod sew;

use std::time::Duration;

use event::{Encoder, Timestamp, utf8};

use super::ack::{Part, Window};
use super::carry::Carry;
use super::container::Container;
use super::frame::{Flaw, Framer, Limit, Line, Piece};
use super::plain::{with_plain_ends, without_byte_order_mark, without_end};
use super::seam::Sewn;
use super::sink::{Shape, Sink};
use super::strands::Strands;
use crate::multiline::{Joint, Multiline};
use crate::parser::Parser;
use crate::route::LaneId;

/// Bytes of a stream, and where they lie.
#[derive(Debug, Clone, Copy)]
pub(super) struct Chunk<'b> {
    pub base: u64,
    pub bytes: &'b [u8],
}

impl<'b> Chunk<'b> {
    /// Behind the last byte.
    pub(super) fn end(&self) -> u64 {
        self.base + self.bytes.len() as u64
    }

    fn range(&self, start: u64, end: u64) -> &'b [u8] {
        let index = |offset: u64| usize::try_from(offset.saturating_sub(self.base)).unwrap_or(usize::MAX);
        self.bytes.get(index(start)..index(end)).unwrap_or_default()
    }
}

/// Why feeding ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Fed {
    /// More bytes are needed.
    Hungry,
    /// The batch is full.
    Full,
    /// The lane has no room; it has taken one record more.
    Blocked(LaneId),
}

/// The stages of a stream, as its input's configuration makes them.
#[derive(Debug)]
pub(super) struct Stages {
    pub framer: Framer,
    pub joiner: Multiline,
    pub parser: Parser,
    pub encoder: Encoder,
    pub container: Container,
    pub limit: Limit,
    /// The user's `line_end`, for a file whose mark says another encoding.
    pub line_end: String,
    /// How long a line waits for its end; for ever when `None`.
    pub partial_line_timeout: Option<Duration>,
}

/// The state of one stream between two reads.
#[derive(Debug)]
pub(super) struct Pipe {
    stages: Stages,
    /// The first bytes of the file, which may name its encoding, have not been seen.
    is_fresh: bool,
    /// Everything before it has become records: here the next read starts.
    read: u64,
    /// Behind the last line of the record at hand.
    joined: u64,
    collected: Collected,
    /// The outputs of a container, which have joiners and parsers of their own.
    strands: Option<Box<Strands>>,
    /// Where the line that waits for its end ends so far, and how long it does.
    partial: Option<(u64, Timestamp)>,
    /// The first lines of the record at hand, when they are the last of the stream before this one; and what became of
    /// them.
    carry: Option<Box<Carry>>,
    sewn: Option<Sewn>,
}

/// A stream keeps a buffer of so many bytes for its next record; a larger one is given back.
const COLLECTED_BYTES_KEPT: usize = 1 << 10;

/// The lines of the record at hand, of an encoding in which they have to be decoded.
#[derive(Debug, Default)]
struct Collected {
    text: String,
    is_repaired: bool,
}

impl Pipe {
    /// A pipe that begins at `read`, where a record starts. [`Pipe::begin_behind`] comes before any read.
    pub(super) fn new(read: u64, stages: Stages) -> Self {
        let Stages { container, limit, joiner, parser, .. } = &stages;
        let strands = (*container != Container::None)
            .then(|| Box::new(Strands::new(*container, *limit, joiner, parser, read)));
        Pipe {
            stages,
            is_fresh: true,
            read,
            joined: read,
            collected: Collected::default(),
            strands,
            partial: None,
            carry: None,
            sewn: None,
        }
    }

    /// A line of so many bytes was cut, as far as they can tell.
    pub(super) fn cut_bytes_min(&self) -> usize {
        self.stages.framer.cut_bytes_min()
    }

    /// Where the next read has to start.
    pub(super) fn read(&self) -> u64 {
        self.read
    }

    /// Behind the last line that was understood.
    pub(super) fn position(&self) -> u64 {
        self.stages.framer.position()
    }

    /// How many bytes from [`Pipe::read`] on were looked at already.
    pub(super) fn seen_bytes(&self) -> u64 {
        self.stages.framer.seen().saturating_sub(self.read)
    }

    /// Where to look further ahead, as [`Framer::ahead`] says.
    pub(super) fn ahead(&self) -> Option<u64> {
        self.stages.framer.ahead()
    }

    /// Looks at the bytes there. True when that decides, and feeding goes on.
    pub(super) fn look(&mut self, bytes: &[u8]) -> bool {
        self.stages.framer.look(bytes)
    }

    /// The file is shorter than it was: what was seen ahead is no more.
    pub(super) fn look_again(&mut self) {
        self.stages.framer.search_again();
    }

    /// When something that waits becomes a record by itself.
    pub(super) fn deadline(&self) -> Option<Timestamp> {
        let joined = match &self.strands {
            Some(strands) => strands.deadline(),
            None => self.stages.joiner.deadline(),
        };
        [joined, self.partial.map(|(_, due)| due)].into_iter().flatten().min()
    }

    /// The stream ends at `end`: an unfinished line that was longer before is taken back.
    pub(super) fn clamp(&mut self, end: u64) {
        if end < self.stages.framer.seen() {
            self.stages.framer.search_again();
        }
    }

    /// Takes `chunk`, which lies at [`Pipe::read`], as far as the batch has room.
    pub(super) fn feed(&mut self, chunk: Chunk<'_>, sink: &mut Sink<'_>) -> Fed {
        if self.is_fresh && !self.look_for_mark(chunk.bytes, false) {
            return Fed::Hungry;
        }
        self.stages.framer.go_on();
        self.take(chunk, sink)
    }

    fn take(&mut self, chunk: Chunk<'_>, sink: &mut Sink<'_>) -> Fed {
        loop {
            if let Some(stop) = sink.stop {
                return stop;
            }
            let Some(piece) = self.stages.framer.next(chunk.base, chunk.bytes) else { return Fed::Hungry };
            match piece {
                Piece::Line(line) => self.join(chunk, line, sink),
                Piece::Rest { end } => self.skip(end, Part::TooLong, sink),
                Piece::Hole { end } => {
                    // Behind a hole goes on what another run of the writer wrote.
                    self.flush(chunk, sink);
                    self.skip(end, Part::Filtered, sink);
                }
            }
        }
    }

    /// Everything that is there was fed, up to `end`: what has waited long enough becomes a record.
    pub(super) fn wait(&mut self, chunk: Chunk<'_>, end: u64, sink: &mut Sink<'_>) {
        if let Some(strands) = &mut self.strands {
            strands.tick(&self.stages.encoder, sink);
        } else if self.stages.joiner.tick(sink.now) {
            self.emit(self.joined, Shape::default(), chunk, sink);
        }
        let timeout = self.stages.partial_line_timeout.filter(|_| self.position() < end);
        let Some(timeout) = timeout else {
            self.partial = None;
            return;
        };
        match self.partial {
            Some((before, due)) if before == end => {
                if due <= sink.now {
                    self.partial = None;
                    if let Some(line) = self.stages.framer.take_unfinished(chunk.base, chunk.bytes) {
                        self.join(chunk, line, sink);
                        self.flush(chunk, sink);
                    }
                }
            }
            _ => self.partial = Some((end, sink.now.plus(timeout))),
        }
    }

    /// The stream has ended at `end`, with `chunk`: what waits for more becomes a record.
    pub(super) fn finish(&mut self, chunk: Chunk<'_>, end: u64, sink: &mut Sink<'_>) -> Fed {
        if self.is_fresh && !chunk.bytes.is_empty() {
            self.look_for_mark(chunk.bytes, true);
        }
        self.stages.framer.finish(end);
        self.partial = None;
        let fed = self.take(chunk, sink);
        if fed != Fed::Hungry {
            return fed;
        }
        self.flush(chunk, sink);
        Fed::Hungry
    }

    fn join(&mut self, chunk: Chunk<'_>, line: Line, sink: &mut Sink<'_>) {
        let bytes = chunk.range(line.start, line.text_end);
        let is_plain = self.stages.framer.line_end().is_plain() && self.strands.is_none();
        let mut text = std::mem::take(&mut sink.scratch.line);
        let mut is_repaired = false;
        if !is_plain {
            text.clear();
            is_repaired = self.stages.framer.line_end().encoding().decode(line.start, bytes, &mut text);
            if line.start == 0 && text.starts_with('\u{feff}') {
                text.drain(..'\u{feff}'.len_utf8());
            }
        }
        if let Some(strands) = &mut self.strands {
            strands.handle(&line, &text, is_repaired, &self.stages.encoder, sink);
            sink.scratch.line = text;
            self.read = line.end;
            if line.flaw != Flaw::None {
                self.flush(chunk, sink);
            }
            return;
        }
        let joint = self.stages.joiner.handle(if is_plain { bytes } else { text.as_bytes() }, sink.now);
        let has_lines = self.read < line.start || self.carry.is_some();
        if matches!(joint, Joint::Starts | Joint::Alone) && has_lines {
            let has_cut = self.stages.joiner.has_cut();
            *sink.multiline_cuts += u64::from(has_cut);
            self.emit(line.start, Shape { has_cut, ..Shape::default() }, chunk, sink);
        }
        if !is_plain {
            self.collect(&text, is_repaired, line.start);
        }
        sink.scratch.line = text;
        self.joined = line.end;
        if matches!(joint, Joint::Ends | Joint::Alone) || line.flaw != Flaw::None {
            // What follows a cut is not shipped, so a record cannot go on behind it.
            self.stages.joiner.flush();
            self.emit(line.end, Shape { flaw: line.flaw, ..Shape::default() }, chunk, sink);
        }
    }

    fn collect(&mut self, text: &str, is_repaired: bool, start: u64) {
        let collected = &mut self.collected;
        if start > self.read {
            collected.text.push('\n');
        }
        collected.text.push_str(text);
        collected.is_repaired |= is_repaired;
    }

    /// Ends the record at hand.
    fn flush(&mut self, chunk: Chunk<'_>, sink: &mut Sink<'_>) {
        if let Some(strands) = &mut self.strands {
            strands.flush(&self.stages.encoder, sink);
        } else if self.stages.joiner.flush() {
            self.emit(self.joined, Shape::default(), chunk, sink);
        }
    }

    fn skip(&mut self, end: u64, part: Part, sink: &mut Sink<'_>) {
        sink.window.skip(end, part);
        self.read = end;
        if let Some(strands) = &mut self.strands {
            strands.skip(end);
        }
    }

    /// The bytes of the stream are gone: what waits for more is as lost as what was not read.
    pub(super) fn give_up(&mut self, window: &mut Window) {
        if let Some(strands) = &mut self.strands {
            strands.give_up(window);
        }
    }

    /// Makes one record of everything from [`Pipe::read`] to `end`.
    fn emit(&mut self, end: u64, shape: Shape, chunk: Chunk<'_>, sink: &mut Sink<'_>) {
        if let Some(carry) = self.carry.take() {
            return self.emit_sewn(carry, end, shape, chunk, sink);
        }
        let start = std::mem::replace(&mut self.read, end);
        let Stages { parser, encoder, framer, .. } = &mut self.stages;
        if framer.line_end().is_plain() {
            let record = without_byte_order_mark(start, without_end(chunk.range(start, end)));
            let (mut joined, mut buffer) =
                (std::mem::take(&mut sink.scratch.joined), std::mem::take(&mut sink.scratch.repaired));
            let utf8::Repaired { text, is_repaired } =
                utf8::repair(with_plain_ends(record, &mut joined), &mut buffer);
            sink.ship(parser, encoder, text, Shape { start, end, is_repaired, ..shape });
            (sink.scratch.joined, sink.scratch.repaired) = (joined, buffer);
        } else {
            let Collected { mut text, is_repaired } = std::mem::take(&mut self.collected);
            sink.ship(parser, encoder, &text, Shape { start, end, is_repaired, ..shape });
            if text.capacity() <= COLLECTED_BYTES_KEPT {
                text.clear();
                self.collected.text = text;
            }
        }
    }
}
