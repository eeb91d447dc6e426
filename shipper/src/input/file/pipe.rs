//! From the bytes of one stream to records of a batch: frame, join, parse, encode.
//!
//! Enters: the stream's bytes from its read offset on. Leaves: encoded records, each with a ticket; ranges that are not
//! shipped, with the reason. Never: a copy of a line. A record is a range of the read buffer, because its lines lie one
//! behind the other; what is not complete yet is read again with the next bytes, so nothing is carried over.

use event::{Encoder, Fields, Record, Timestamp, tag, utf8};

use super::BATCH_BYTES;
use super::ack::{Part, Window};
use super::frame::{Framer, Piece, without_end};
use super::in_flight::InFlight;
use crate::batch::{Entry, Outbox, Ticket};
use crate::multiline::{Joint, Multiline};
use crate::parser::Parser;
use crate::processor::{Processors, Raw, Verdict};
use crate::route::{LaneId, Route};

/// Bytes before the place where reading goes on in which the joiner looks how records begin.
const LEARN_BYTES_MAX: u64 = 64 << 10;

/// What reading changes around a stream.
pub(super) struct Sink<'a> {
    /// The stream's slot.
    pub slot: u32,
    pub window: &'a mut Window,
    pub out: &'a mut Outbox,
    /// The ways of the input's records.
    pub route: Route,
    /// Whether records go that wait for the switch of `shipper debug`.
    pub is_switched_on: bool,
    /// Records that were left out because it is off.
    pub switched_off: &'a mut u64,
    /// Why nothing more is to be taken.
    pub stop: Option<Fed>,
    pub scratch: &'a mut Scratch,
    /// The input's.
    pub processors: &'a mut Processors,
    pub in_flight: &'a mut InFlight,
    /// Records that were cut at a limit of `multiline`.
    pub multiline_cuts: &'a mut u64,
    pub now: Timestamp,
}

/// Buffers for the few records that cannot be borrowed as they are.
#[derive(Debug, Default)]
pub(super) struct Scratch {
    /// A record of several lines without its carriage returns.
    joined: Vec<u8>,
    /// A record that was no UTF-8.
    repaired: String,
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

/// The state of one stream between two reads.
#[derive(Debug)]
pub(super) struct Pipe {
    framer: Framer,
    joiner: Multiline,
    parser: Parser,
    encoder: Encoder,
    /// Everything before it has become records: here the next read starts.
    read: u64,
}

impl Pipe {
    /// A pipe that begins at `read`, where a record starts.
    pub(super) fn new(
        read: u64,
        framer: Framer,
        joiner: Multiline,
        parser: Parser,
        encoder: Encoder,
    ) -> Self {
        Pipe { framer, joiner, parser, encoder, read }
    }

    /// Before any read: how the bytes in front of it, up to [`Pipe::cut_bytes_min`] of them, make it begin.
    pub(super) fn begin_behind(&mut self, bytes: &[u8]) {
        if bytes.len() >= self.cut_bytes_min() && memchr::memchr(b'\n', bytes).is_none() {
            self.framer.begin_behind_cut();
        }
    }

    /// How many bytes in front of it [`Pipe::learn`] wants before any read.
    pub(super) fn learns_bytes(&self) -> u64 {
        if self.joiner.learns() { self.read.min(LEARN_BYTES_MAX) } else { 0 }
    }

    /// The bytes in front of it show how records begin.
    pub(super) fn learn(&mut self, bytes: &[u8]) {
        let is_all = bytes.len() as u64 == self.read;
        for line in bytes.split_inclusive(|byte| *byte == b'\n').skip(usize::from(!is_all)) {
            self.joiner.learn(without_end(line));
        }
    }

    /// A line of so many bytes was cut, as far as they can tell.
    pub(super) fn cut_bytes_min(&self) -> usize {
        self.framer.cut_bytes_min()
    }

    /// Where the next read has to start.
    pub(super) fn read(&self) -> u64 {
        self.read
    }

    /// Behind the last line that was understood.
    pub(super) fn position(&self) -> u64 {
        self.framer.position()
    }

    /// How many bytes from [`Pipe::read`] on were looked at already.
    pub(super) fn seen_bytes(&self) -> u64 {
        self.framer.searched().saturating_sub(self.read)
    }

    /// When lines that were joined so far become a record by themselves.
    pub(super) fn deadline(&self) -> Option<Timestamp> {
        self.joiner.deadline()
    }

    /// The stream ends at `end`: an unfinished line that was longer before is taken back.
    pub(super) fn clamp(&mut self, end: u64) {
        if end < self.framer.searched() {
            self.framer.search_again();
        }
    }

    /// Takes `bytes`, which lie at [`Pipe::read`], as far as the batch has room.
    pub(super) fn feed(&mut self, bytes: &[u8], sink: &mut Sink<'_>) -> Fed {
        let base = self.read;
        if self.joiner.tick(sink.now) {
            self.emit_until(self.framer.position(), base, bytes, None, sink);
        }
        loop {
            if let Some(stop) = sink.stop {
                return stop;
            }
            let Some(piece) = self.framer.next(base, bytes) else { return Fed::Hungry };
            match piece {
                Piece::Line { start, end } => self.join(base, bytes, (start, end), false, sink),
                Piece::Cut { start, end } => self.join(base, bytes, (start, end), true, sink),
                Piece::Rest { end } => {
                    sink.window.skip(end, Part::TooLong);
                    self.read = end;
                }
            }
        }
    }

    /// The stream has ended with `bytes`, which lie at [`Pipe::read`]: what waits for more becomes a record.
    pub(super) fn finish(&mut self, bytes: &[u8], sink: &mut Sink<'_>) {
        let base = self.read;
        let (start, end) = (self.framer.position(), base + bytes.len() as u64);
        if start < end {
            self.join(base, bytes, (start, end), false, sink);
            self.framer.jump(end);
        }
        if self.joiner.flush() {
            self.emit_until(end, base, bytes, None, sink);
        }
    }

    fn join(&mut self, base: u64, bytes: &[u8], (start, end): (u64, u64), is_cut: bool, sink: &mut Sink<'_>) {
        let line = without_end(range(base, bytes, start, end));
        let joint = self.joiner.handle(line, sink.now);
        if matches!(joint, Joint::Starts | Joint::Alone) && self.read < start {
            let cut = self.joiner.has_cut().then_some(tag::MULTILINE_CUT);
            *sink.multiline_cuts += u64::from(cut.is_some());
            self.emit_until(start, base, bytes, cut, sink);
        }
        if matches!(joint, Joint::Ends | Joint::Alone) || is_cut {
            // What follows a cut is not shipped, so a record cannot go on behind it.
            self.joiner.flush();
            self.emit_until(end, base, bytes, is_cut.then_some(tag::TRUNCATED), sink);
        }
    }

    /// Makes one record of everything from [`Pipe::read`] to `end`; `cut` is the tag of one that was cut there.
    fn emit_until(
        &mut self,
        end: u64,
        base: u64,
        bytes: &[u8],
        cut: Option<&'static str>,
        sink: &mut Sink<'_>,
    ) {
        let start = std::mem::replace(&mut self.read, end);
        let record = without_byte_order_mark(start, without_end(range(base, bytes, start, end)));
        if record.is_empty() {
            sink.window.skip(end, Part::Filtered);
            return;
        }
        if let Some(batch) = sink.out.batch(sink.route.lane()) {
            sink.processors.summarize(sink.now, batch);
        }
        let Scratch { joined, repaired } = &mut *sink.scratch;
        let record = with_plain_ends(record, joined);
        let repaired = utf8::repair(record, repaired);
        let mut fields = Fields::default();
        self.parser.parse(repaired.text, sink.now, &mut fields);
        if repaired.is_repaired {
            fields.tags.push(tag::INVALID_UTF8);
        }
        fields.tags.extend(cut);
        let origin = self.encoder.origin();
        let raw = Raw { offset: start, text: repaired.text, created: sink.now, origin };
        if sink.processors.handle(&raw, &mut fields) == Verdict::LeaveOut {
            sink.window.skip(end, Part::Filtered);
            return;
        }
        let way = sink.route.way(fields.level);
        if way.is_switched && !sink.is_switched_on {
            *sink.switched_off += 1;
            sink.window.skip(end, Part::Filtered);
            return;
        }
        let Some(batch) = sink.out.batch(way.lane) else { return };
        let from = batch.bytes.len();
        let record = Record { offset: start, text: repaired.text, created: sink.now, fields: &fields };
        self.encoder.encode(&record, &mut batch.bytes);
        let to = batch.bytes.len();
        let weight = u32::try_from(to - from).unwrap_or(u32::MAX);
        sink.in_flight.add(way.lane, u64::from(weight));
        let sequence = sink.window.push(end, way.lane, weight);
        batch.is_hasty |= way.is_hasty;
        batch.entries.push(Entry {
            stream: self.encoder.origin().stream,
            ticket: Some(Ticket::new(sink.slot, sequence)),
            start: u32::try_from(from).unwrap_or(u32::MAX),
            end: u32::try_from(to).unwrap_or(u32::MAX),
            timestamp_ms: fields.timestamp.unwrap_or(sink.now).as_millis(),
        });
        if to >= BATCH_BYTES {
            sink.stop = Some(Fed::Full);
        } else if sink.out.closed.has(way.lane) || !sink.in_flight.has_room(way.lane) {
            sink.stop = Some(Fed::Blocked(way.lane));
        }
    }
}

fn range(base: u64, bytes: &[u8], start: u64, end: u64) -> &[u8] {
    let index = |offset: u64| usize::try_from(offset.saturating_sub(base)).unwrap_or(usize::MAX);
    bytes.get(index(start)..index(end)).unwrap_or_default()
}

/// Some editors and Windows services begin a file with U+FEFF, which is no part of its first line.
fn without_byte_order_mark(start: u64, record: &[u8]) -> &[u8] {
    if start == 0 { record.strip_prefix(b"\xef\xbb\xbf").unwrap_or(record) } else { record }
}

/// The record with `\n` between its lines; copied only when one of them ends in CR LF.
fn with_plain_ends<'a>(record: &'a [u8], joined: &'a mut Vec<u8>) -> &'a [u8] {
    if memchr::memchr(b'\n', record).is_none() || memchr::memmem::find(record, b"\r\n").is_none() {
        return record;
    }
    joined.clear();
    for line in record.split_inclusive(|byte| *byte == b'\n') {
        joined.extend_from_slice(line.strip_suffix(b"\r\n").unwrap_or(line));
        if line.ends_with(b"\r\n") {
            joined.push(b'\n');
        }
    }
    joined
}
