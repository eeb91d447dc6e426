//! The outputs of a container that one file holds, side by side.
//!
//! Enters: the lines of the file in order. Leaves: records in the order of their first bytes, because whoever counts them
//! goes by that; and the places from which reading gives the same records again. Never: two outputs in one record.
//!
//! ```text
//! offset   line                stderr        stdout    what the window learns
//! 0        stderr Traceback    0..           .         .
//! 100      stdout GET /        0..           held      .
//! 200      stderr   at main    0..           held      .
//! 300      stderr INFO next    0, 300..      100       records 0 and 100, then the place 300
//! ```
//! A record that is complete is held while an earlier one is not. Records that overlap settle together.

use std::collections::BTreeMap;

use event::{Encoder, Timestamp};

use super::ack::{Part, Window};
use super::container::{Container, Output};
use super::frame::{Flaw, Limit, Line};
use super::sink::{Shape, Sink};
use super::strand::{Built, Strand};
use crate::multiline::Multiline;
use crate::parser::Parser;

/// Bytes of complete records that wait for an earlier one of the same file; beyond, that one ends as it is.
const HELD_BYTES_MAX: usize = 512 << 10;
/// What a held record costs beside its text.
const HELD_OVERHEAD_BYTES: usize = 256;

/// The state of one file.
#[derive(Debug)]
pub(super) struct Strands {
    container: Container,
    strands: [(Strand, Parser); 3],
    /// Complete records, by their first byte.
    held: BTreeMap<u64, (Output, Built)>,
    held_bytes: usize,
    /// The window's position: from here on, nothing of it is told to the window as a whole.
    place: u64,
    /// Behind the last line that was taken.
    position: u64,
    /// Behind the last byte of the records that were shipped.
    reach: u64,
    /// Bytes behind `place` by what became of them.
    shipped_bytes: u64,
    filtered_bytes: u64,
    lost_bytes: u64,
    out: Vec<Built>,
}

impl Strands {
    /// The state of a file that goes on at `offset`; each output gets its own joiner and parser.
    pub(super) fn new(
        container: Container,
        limit: Limit,
        joiner: &Multiline,
        parser: &Parser,
        offset: u64,
    ) -> Self {
        Strands {
            container,
            strands: Output::ALL.map(|_| (Strand::new(joiner.clone(), limit), parser.clone())),
            held: BTreeMap::new(),
            held_bytes: 0,
            place: offset,
            position: offset,
            reach: offset,
            shipped_bytes: 0,
            filtered_bytes: 0,
            lost_bytes: 0,
            out: Vec::new(),
        }
    }

    /// Before the first line: one that lies before it.
    pub(super) fn learn(&mut self, line: &str) {
        let (wrapping, text) = self.container.open(line);
        if let Some((strand, _)) = self.strands.get_mut(wrapping.output.index()) {
            strand.learn(&text);
        }
    }

    /// When [`Strands::tick`] has something to do.
    pub(super) fn deadline(&self) -> Option<Timestamp> {
        self.strands.iter().filter_map(|(strand, _)| strand.deadline()).min()
    }

    /// Takes one line of the file.
    pub(super) fn handle(
        &mut self,
        line: &Line,
        text: &str,
        is_repaired: bool,
        encoder: &Encoder,
        sink: &mut Sink<'_>,
    ) {
        let container = if line.flaw == Flaw::None { self.container } else { Container::None };
        let (wrapping, text) = container.open(text);
        let shape = Shape {
            start: line.start,
            end: line.end,
            bytes: line.end - line.start,
            is_repaired,
            flaw: line.flaw,
            time: wrapping.time,
            is_foreign: wrapping.is_foreign && !text.is_empty(),
            ..Shape::default()
        };
        self.position = line.end;
        if let Some((strand, _)) = self.strands.get_mut(wrapping.output.index()) {
            strand.handle(&text, shape, wrapping.is_partial, sink.now, &mut self.out);
        }
        self.hold(wrapping.output);
        self.release(encoder, sink);
    }

    /// Ends what has waited long enough.
    pub(super) fn tick(&mut self, encoder: &Encoder, sink: &mut Sink<'_>) {
        for output in Output::ALL {
            if let Some((strand, _)) = self.strands.get_mut(output.index()) {
                strand.tick(sink.now, &mut self.out);
            }
            self.hold(output);
        }
        self.release(encoder, sink);
    }

    /// Ends everything.
    pub(super) fn flush(&mut self, encoder: &Encoder, sink: &mut Sink<'_>) {
        for output in Output::ALL {
            self.end(output, false, sink);
        }
        self.release(encoder, sink);
    }

    /// What lies up to `end` was told to the window by somebody else; everything before it is flushed.
    pub(super) fn skip(&mut self, end: u64) {
        (self.place, self.position, self.reach) = (end, end, end);
    }

    /// The bytes of the file are gone: tells the window what became of those behind the last place.
    pub(super) fn give_up(&mut self, window: &mut Window) {
        let place = self.place;
        self.pass(place + self.filtered_bytes + self.lost_bytes + self.shipped_bytes, window);
    }

    fn end(&mut self, output: Output, is_cut: bool, sink: &Sink<'_>) {
        if let Some((strand, _)) = self.strands.get_mut(output.index()) {
            strand.flush(is_cut, sink.now, &mut self.out);
        }
        self.hold(output);
    }

    fn hold(&mut self, output: Output) {
        for built in self.out.drain(..) {
            self.held_bytes += built.text.len() + HELD_OVERHEAD_BYTES;
            self.held.insert(built.shape.start, (output, built));
        }
    }

    /// The output whose unfinished record lies first, and its first byte.
    fn oldest(&self) -> Option<(u64, Output)> {
        let starts = Output::ALL
            .into_iter()
            .filter_map(|output| Some((self.strands.get(output.index())?.0.start()?, output)));
        starts.min_by_key(|(start, _)| *start)
    }

    /// Ships what no unfinished record lies before.
    fn release(&mut self, encoder: &Encoder, sink: &mut Sink<'_>) {
        loop {
            let oldest = self.oldest();
            while let Some(first) = self.held.first_entry()
                && oldest.is_none_or(|(start, _)| *first.key() < start)
            {
                let (output, built) = first.remove();
                self.ship(output, &built, encoder, sink);
            }
            match oldest {
                Some((_, output)) if self.held_bytes > HELD_BYTES_MAX => self.end(output, true, sink),
                _ => {
                    // Nothing that was shipped goes on behind the first unfinished record: here a reading could begin.
                    let place = oldest.map_or(self.position, |(start, _)| start);
                    if place >= self.reach {
                        self.pass(place, sink.window);
                    }
                    return;
                }
            }
        }
    }

    fn ship(&mut self, output: Output, built: &Built, encoder: &Encoder, sink: &mut Sink<'_>) {
        self.held_bytes -= built.text.len() + HELD_OVERHEAD_BYTES;
        self.reach = self.reach.max(built.shape.end);
        self.lost_bytes += built.lost_bytes;
        let Some((_, parser)) = self.strands.get_mut(output.index()) else { return };
        let shape = Shape { output: Some(output), is_shared: true, ..built.shape };
        if sink.ship(parser, encoder, &built.text, shape) {
            self.shipped_bytes += shape.bytes;
            *sink.multiline_cuts += u64::from(shape.has_cut);
        } else {
            self.filtered_bytes += shape.bytes;
        }
    }

    /// Everything before `place` was told.
    fn pass(&mut self, place: u64, window: &mut Window) {
        let filtered_end = self.place + std::mem::take(&mut self.filtered_bytes);
        let lost_end = filtered_end + std::mem::take(&mut self.lost_bytes);
        if filtered_end > self.place {
            window.skip(filtered_end, Part::Filtered);
        }
        if lost_end > filtered_end {
            window.skip(lost_end, Part::TooLong);
        }
        window.pass(place);
        self.shipped_bytes = 0;
        self.place = place;
    }
}
