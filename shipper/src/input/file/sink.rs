//! The end of a stream's stages: a record's text becomes JSON in the batch.
//!
//! Enters: the text of a record, and what is known of it. Leaves: the encoded record with its ticket, and its range in
//! the stream's window. Never: a record without a range, or a range without a fate.

use event::{Encoder, Fields, Record, Timestamp, tag};

use super::BATCH_BYTES;
use super::ack::{Part, Window};
use super::carry::Carry;
use super::container::Output;
use super::frame::Flaw;
use super::in_flight::InFlight;
use super::pipe::Fed;
use crate::batch::{Entry, Outbox, Ticket};
use crate::parser::Parser;
use crate::processor::{Processors, Raw, Verdict};
use crate::route::{LaneId, Route};

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

/// Buffers for the records that cannot be borrowed as they are.
#[derive(Debug, Default)]
pub(super) struct Scratch {
    /// A record of several lines without its carriage returns.
    pub joined: Vec<u8>,
    /// A record that was no UTF-8.
    pub repaired: String,
    /// A line of another encoding.
    pub line: String,
    /// Bytes further ahead, which are looked at and forgotten.
    pub ahead: Vec<u8>,
}

/// A record beside its text.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Shape {
    /// Its first byte in the stream.
    pub start: u64,
    /// Behind its last byte.
    pub end: u64,
    /// Bytes of the file that are its own; fewer than lie between the two where other records lie in between.
    pub bytes: u64,
    /// The window learns from [`Window::pass`] how far it may move by the record, because others share its range.
    pub is_shared: bool,
    /// Which output of a container it is from, and when the runtime took its first line.
    pub output: Option<Output>,
    pub time: Option<Timestamp>,
    /// It is not what the container's runtime writes.
    pub is_foreign: bool,
    /// Bytes of it were no text.
    pub is_repaired: bool,
    /// Whether its last line is all there.
    pub flaw: Flaw,
    /// Its lines go on in the next record, because it has reached a limit.
    pub has_cut: bool,
    /// The record is in flight already, in another stream, which waits by this.
    pub ticket: Option<Ticket>,
}

/// A record that was put into a batch.
#[derive(Debug, Clone, Copy)]
pub(super) struct Sent {
    pub lane: LaneId,
    /// Bytes in the batch.
    pub weight: u32,
}

impl Sink<'_> {
    /// Puts one record into the batch. False when it has no text, or when a processor leaves it out: its range is
    /// filtered then, unless others share it.
    pub(super) fn ship(&mut self, parser: &mut Parser, encoder: &Encoder, text: &str, shape: Shape) -> bool {
        if !text.is_empty() && self.encode(parser, encoder, text, shape).is_some() {
            return true;
        }
        if !shape.is_shared {
            self.window.skip(shape.end, Part::Filtered);
        }
        false
    }

    /// Puts a record into the batch that began in another stream, which it is in flight in. `None` when a processor leaves
    /// it out.
    pub(super) fn ship_carry(&mut self, carry: &mut Carry, shape: Shape) -> Option<Sent> {
        let Carry { text, is_repaired, start, ticket, parser, encoder, .. } = carry;
        let (start, is_repaired, ticket) = (*start, *is_repaired, Some(*ticket));
        self.encode(parser, encoder, text, Shape { start, is_repaired, ticket, ..shape })
    }

    /// What ends at `end` is in flight, and costs `bytes` until its fate is known; gives its number.
    pub(super) fn fly(&mut self, end: u64, lane: LaneId, bytes: usize) -> u64 {
        let weight = u32::try_from(bytes).unwrap_or(u32::MAX).max(1);
        self.in_flight.add(lane, u64::from(weight));
        self.window.push(end, lane, weight)
    }

    fn encode(&mut self, parser: &mut Parser, encoder: &Encoder, text: &str, shape: Shape) -> Option<Sent> {
        if let Some(batch) = self.out.batch(self.route.lane()) {
            self.processors.summarize(self.now, batch);
        }
        let mut fields = Fields::default();
        parser.parse(text, shape.time.unwrap_or(self.now), &mut fields);
        fields.timestamp = fields.timestamp.or(shape.time);
        fields.output = shape.output.and_then(Output::name);
        if shape.is_foreign {
            fields.tags.push(tag::NOT_CONTAINER);
        }
        if shape.is_repaired {
            fields.tags.push(tag::INVALID_UTF8);
        }
        match shape.flaw {
            Flaw::None => {}
            Flaw::Part => fields.tags.push(tag::SPLIT),
            Flaw::Cut { text_end } => {
                fields.tags.push(tag::TRUNCATED);
                // Of a record that began in another stream the length is not known here.
                let text_end = text_end.filter(|_| shape.ticket.is_none());
                fields.original_bytes = text_end.map(|text_end| text_end - shape.start);
            }
        }
        if shape.has_cut {
            fields.tags.push(tag::MULTILINE_CUT);
        }
        let raw = Raw { offset: shape.start, text, created: self.now, origin: encoder.origin() };
        if self.processors.handle(&raw, &mut fields) == Verdict::LeaveOut {
            return None;
        }
        let way = self.route.way(fields.level);
        if way.is_switched && !self.is_switched_on {
            *self.switched_off += 1;
            return None;
        }
        let batch = self.out.batch(way.lane)?;
        let from = batch.bytes.len();
        let record = Record { offset: shape.start, text, created: self.now, fields: &fields };
        encoder.encode(&record, &mut batch.bytes);
        let to = batch.bytes.len();
        let weight = u32::try_from(to - from).unwrap_or(u32::MAX);
        let ticket = shape.ticket.unwrap_or_else(|| {
            self.in_flight.add(way.lane, u64::from(weight));
            let sequence = if shape.is_shared {
                self.window.push_shared(shape.bytes, way.lane, weight)
            } else {
                self.window.push(shape.end, way.lane, weight)
            };
            Ticket::new(self.slot, sequence)
        });
        batch.is_hasty |= way.is_hasty;
        batch.entries.push(Entry {
            stream: encoder.origin().stream,
            ticket: Some(ticket),
            start: u32::try_from(from).unwrap_or(u32::MAX),
            end: u32::try_from(to).unwrap_or(u32::MAX),
            timestamp_ms: fields.timestamp.unwrap_or(self.now).as_millis(),
        });
        if to >= BATCH_BYTES {
            self.stop = Some(Fed::Full);
        } else if self.out.closed.has(way.lane) || !self.in_flight.has_room(way.lane) {
            self.stop = Some(Fed::Blocked(way.lane));
        }
        Some(Sent { lane: way.lane, weight })
    }
}
