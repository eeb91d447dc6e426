//! A record that begins in one stream and ends in the next.
//!
//! Enters: the lines at the end of a stream that was rotated away, the lines at the beginning of the newer one. Leaves:
//! one record, by the older stream's id. Never: a second ticket for it; a record of a container, whose outputs are joined
//! each by itself.

use event::utf8;

use super::{Chunk, Collected, Pipe};
use crate::batch::Ticket;
use crate::input::file::ack::Part;
use crate::input::file::carry::Carry;
use crate::input::file::plain::{with_plain_ends, without_byte_order_mark, without_end};
use crate::input::file::seam::Sewn;
use crate::input::file::sink::{Scratch, Shape, Sink};

impl Pipe {
    /// Whether the lines so far, up to `end`, are a record that may go on.
    pub(in super::super) fn ends_within_record(&self, end: u64) -> bool {
        let is_open =
            self.carry.is_none() && self.strands.is_none() && self.stages.joiner.deadline().is_some();
        is_open && self.read < end && self.joined == end && self.position() == end
    }

    /// Hands the record at hand over; `chunk` is all of it. It stays in flight here.
    pub(in super::super) fn hand_over(&mut self, chunk: Chunk<'_>, sink: &mut Sink<'_>) -> Option<Carry> {
        let joiner = self.stages.joiner.clone();
        self.stages.joiner.flush();
        let (start, end) = (std::mem::replace(&mut self.read, chunk.end()), chunk.end());
        let (text, is_repaired) = self.text(chunk, start, end, sink.scratch);
        if text.is_empty() {
            sink.window.skip(end, Part::Filtered);
            return None;
        }
        // By which lane it goes shows when it is complete.
        let sequence = sink.fly(end, sink.route.lane(), text.len());
        Some(Carry {
            text,
            is_repaired,
            start,
            end,
            ticket: Ticket::new(sink.slot, sequence),
            joiner,
            parser: self.stages.parser.clone(),
            encoder: self.stages.encoder.clone(),
        })
    }

    /// Before any read: the record at hand began in another stream.
    pub(in super::super) fn take_over(&mut self, carry: Box<Carry>) {
        self.stages.joiner = carry.joiner.clone();
        self.carry = Some(carry);
    }

    /// What became of it, once.
    pub(in super::super) fn take_sewn(&mut self) -> Option<Sewn> {
        self.sewn.take()
    }

    /// What [`Pipe::take_over`] took, when it is not sent yet; what is joined here is a record of its own then.
    pub(in super::super) fn give_back(&mut self) -> Option<Box<Carry>> {
        let carry = self.carry.take()?;
        self.stages.joiner.flush();
        Some(carry)
    }

    /// Makes one record of the lines of another stream and of what follows them here up to `end`.
    pub(super) fn emit_sewn(
        &mut self,
        mut carry: Box<Carry>,
        end: u64,
        shape: Shape,
        chunk: Chunk<'_>,
        sink: &mut Sink<'_>,
    ) {
        let start = std::mem::replace(&mut self.read, end);
        if start < end {
            let (text, is_repaired) = self.text(chunk, start, end, sink.scratch);
            carry.add(&text, is_repaired);
        }
        let sent = sink.ship_carry(&mut carry, shape);
        // Its lines here weigh nothing: the older stream's part bears the record's weight.
        let lane = sent.map_or(sink.route.lane(), |sent| sent.lane);
        let lines = (start < end).then(|| sink.fly(end, lane, 0));
        self.sewn = Some(Sewn { sent, lines });
    }

    /// The text from `start` to `end`, which are whole lines of the record at hand.
    fn text(&mut self, chunk: Chunk<'_>, start: u64, end: u64, scratch: &mut Scratch) -> (String, bool) {
        if !self.stages.framer.line_end().is_plain() {
            let Collected { text, is_repaired } = std::mem::take(&mut self.collected);
            return (text, is_repaired);
        }
        let Scratch { joined, repaired, .. } = scratch;
        let record = without_byte_order_mark(start, without_end(chunk.range(start, end)));
        let repaired = utf8::repair(with_plain_ends(record, joined), repaired);
        (repaired.text.to_owned(), repaired.is_repaired)
    }
}
