//! The acks of one stream: which offset is settled without a gap.
//!
//! Enters: the ends of records and of skipped ranges, in the order of the file; fates, in any order.
//! Leaves: the offset before which everything is settled, and the sums of the ledger at that offset.
//! Never: an offset that jumps over a record without a fate.

use std::collections::VecDeque;

use crate::batch::{Fate, Ticket};
use crate::registry::Losses;

/// What becomes of a range of the file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Part {
    /// A record that is in flight.
    Flying,
    /// A record that the output has.
    Acked,
    /// A record that lies in the dead-letter file.
    DeadLettered,
    /// Nothing to ship: an empty line, or what lies before the start position.
    Filtered,
    /// The end of a line that is too long.
    TooLong,
    /// Truncated or rewritten before it was read.
    Truncated,
    /// Deleted before it was read.
    Vanished,
}

#[derive(Debug, Clone, Copy)]
struct Segment {
    end: u64,
    weight: u32,
    part: Part,
}

/// The window between the settled offset and the read offset.
#[derive(Debug, Clone, Default)]
pub(super) struct Window {
    offset: u64,
    filtered: u64,
    lost: Losses,
    /// The sequence number of the first segment.
    first: u64,
    segments: VecDeque<Segment>,
    weight: u64,
}

impl Window {
    /// A window that goes on where an earlier one ended. Its numbers begin at `first`, which is another one for each
    /// window of a slot, so that a fate that comes too late for one window is not taken for another's.
    pub(super) fn resume(first: u64, offset: u64, filtered: u64, lost: Losses) -> Self {
        Window { offset, filtered, lost, first, ..Window::default() }
    }

    /// Adds a record that ends at `end`; `weight` is what it costs while it is in flight. Gives its sequence number.
    pub(super) fn push(&mut self, end: u64, weight: u32) -> u64 {
        self.segments.push_back(Segment { end, weight, part: Part::Flying });
        self.weight += u64::from(weight);
        self.first + self.segments.len() as u64 - 1
    }

    /// Adds a range that nobody waits for.
    pub(super) fn skip(&mut self, end: u64, part: Part) {
        match self.segments.back_mut() {
            None => self.pass(end, part),
            // Neighbours of one kind are one segment, so that a file of empty lines costs no memory.
            Some(last) if last.part == part => last.end = end,
            Some(_) => self.segments.push_back(Segment { end, weight: 0, part }),
        }
    }

    /// Notes a fate. What it sets free is taken from the front, and its weight returned. A number that is not in
    /// flight, as after a fate was told twice, changes nothing.
    pub(super) fn settle(&mut self, sequence: u64, fate: Fate) -> u64 {
        let ahead = Ticket::new(0, sequence.wrapping_sub(self.first)).sequence();
        let found = usize::try_from(ahead).ok().and_then(|at| self.segments.get_mut(at));
        match found {
            Some(segment) if segment.part == Part::Flying => {
                segment.part = match fate {
                    Fate::Acked => Part::Acked,
                    Fate::DeadLettered => Part::DeadLettered,
                };
            }
            _ => return 0,
        }
        self.advance()
    }

    fn advance(&mut self) -> u64 {
        let mut freed = 0;
        while let Some(segment) = self.segments.pop_front_if(|segment| segment.part != Part::Flying) {
            self.first += 1;
            freed += u64::from(segment.weight);
            self.pass(segment.end, segment.part);
        }
        self.weight -= freed;
        freed
    }

    fn pass(&mut self, end: u64, part: Part) {
        let bytes = end.saturating_sub(self.offset);
        self.offset = end.max(self.offset);
        match part {
            Part::Flying | Part::Acked => {}
            Part::DeadLettered => self.lost.dead_lettered += bytes,
            Part::Filtered => self.filtered += bytes,
            Part::TooLong => self.lost.line_too_long += bytes,
            Part::Truncated => self.lost.truncated += bytes,
            Part::Vanished => self.lost.vanished += bytes,
        }
    }

    /// Everything before it is settled.
    pub(super) fn offset(&self) -> u64 {
        self.offset
    }

    /// Bytes before the offset that were not to be shipped.
    pub(super) fn filtered(&self) -> u64 {
        self.filtered
    }

    /// Bytes before the offset that are gone.
    pub(super) fn lost(&self) -> &Losses {
        &self.lost
    }

    /// What the records in flight, and those behind them, weigh.
    pub(super) fn weight(&self) -> u64 {
        self.weight
    }

    /// True when nothing is in flight.
    pub(super) fn is_empty(&self) -> bool {
        self.segments.is_empty()
    }
}
