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

/// Room for so many segments is kept while none is there; a burst gives back what it took.
const SEGMENTS_KEPT: usize = 64;

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
        if self.segments.is_empty() && self.segments.capacity() > SEGMENTS_KEPT {
            self.shrink();
        }
        freed
    }

    /// Gives back the room of what is settled.
    pub(super) fn shrink(&mut self) {
        self.segments.shrink_to_fit();
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

    /// True when nothing is in flight.
    pub(super) fn is_empty(&self) -> bool {
        self.segments.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn the_offset_never_jumps_over_a_gap() {
        let mut window = Window::resume(7, 100, 0, Losses::default());
        let numbers = [window.push(110, 1), window.push(120, 2), window.push(130, 4)];
        assert_eq!(numbers, [7, 8, 9]);
        for (sequence, freed, offset) in [(9, 0, 100), (7, 1, 110), (7, 0, 110), (8, 6, 130), (9, 0, 130)] {
            assert_eq!(window.settle(sequence, Fate::Acked), freed, "{sequence}");
            assert_eq!(window.offset(), offset, "{sequence}");
        }
        assert!(window.is_empty());
    }

    #[test]
    fn a_fate_of_another_window_changes_nothing() {
        let mut window = Window::resume(1 << 24, 0, 0, Losses::default());
        window.push(10, 1);
        for stale in [0, 5, (1 << 24) - 1, (1 << 24) + 1, (1 << 40) - 1] {
            assert_eq!(window.settle(stale, Fate::Acked), 0);
        }
        assert_eq!(window.offset(), 0);
    }

    #[test]
    fn numbers_wrap_as_tickets_do() {
        let first = (1 << 40) - 1;
        let mut window = Window::resume(first, 0, 0, Losses::default());
        let tickets = [window.push(1, 1), window.push(2, 1)].map(|sequence| Ticket::new(3, sequence));
        assert_eq!(tickets[1].sequence(), 0);
        window.settle(tickets[1].sequence(), Fate::Acked);
        window.settle(tickets[0].sequence(), Fate::Acked);
        assert_eq!(window.offset(), 2);
    }

    /// One step of a stream's life.
    #[derive(Debug, Clone)]
    enum Act {
        Push(u64),
        Skip(u64, Part),
        /// Settles one of the records in flight.
        Settle(prop::sample::Index, Fate),
    }

    fn act() -> impl Strategy<Value = Act> {
        let part = prop_oneof![
            Just(Part::Filtered),
            Just(Part::TooLong),
            Just(Part::Truncated),
            Just(Part::Vanished)
        ];
        let fate = prop_oneof![9 => Just(Fate::Acked), 1 => Just(Fate::DeadLettered)];
        prop_oneof![
            4 => (1u64..50).prop_map(Act::Push),
            2 => (1u64..50, part).prop_map(|(bytes, part)| Act::Skip(bytes, part)),
            4 => (any::<prop::sample::Index>(), fate).prop_map(|(index, fate)| Act::Settle(index, fate)),
        ]
    }

    /// The same, byte by byte: what became of each, in a plain list.
    #[derive(Default)]
    struct Naive {
        bytes: Vec<Part>,
        flying: Vec<(u64, std::ops::Range<usize>)>,
    }

    impl Naive {
        fn settled(&self) -> &[Part] {
            let end = self.bytes.iter().position(|part| *part == Part::Flying).unwrap_or(self.bytes.len());
            &self.bytes[..end]
        }

        fn count(&self, part: Part) -> u64 {
            self.settled().iter().filter(|byte| **byte == part).count() as u64
        }
    }

    proptest! {
        #[test]
        fn agrees_with_a_list_of_bytes(acts in prop::collection::vec(act(), 0..200)) {
            let (mut window, mut naive) = (Window::default(), Naive::default());
            let (mut pushed, mut freed) = (0, 0);
            for act in acts {
                let start = naive.bytes.len();
                match act {
                    Act::Push(bytes) => {
                        naive.bytes.resize(start + bytes as usize, Part::Flying);
                        let sequence = window.push(naive.bytes.len() as u64, 3);
                        pushed += 3;
                        naive.flying.push((sequence, start..naive.bytes.len()));
                    }
                    Act::Skip(bytes, part) => {
                        naive.bytes.resize(start + bytes as usize, part);
                        window.skip(naive.bytes.len() as u64, part);
                    }
                    Act::Settle(index, fate) if !naive.flying.is_empty() => {
                        let (sequence, range) = naive.flying.swap_remove(index.index(naive.flying.len()));
                        let part = if fate == Fate::Acked { Part::Acked } else { Part::DeadLettered };
                        naive.bytes[range].fill(part);
                        freed += window.settle(sequence, fate);
                    }
                    Act::Settle(..) => {}
                }
                prop_assert_eq!(window.offset(), naive.settled().len() as u64);
                prop_assert_eq!(window.filtered(), naive.count(Part::Filtered));
                prop_assert_eq!(*window.lost(), Losses {
                    line_too_long: naive.count(Part::TooLong),
                    truncated: naive.count(Part::Truncated),
                    vanished: naive.count(Part::Vanished),
                    dead_lettered: naive.count(Part::DeadLettered),
                });
                prop_assert_eq!(window.is_empty(), naive.settled().len() == naive.bytes.len());
                if window.is_empty() {
                    prop_assert_eq!(freed, pushed);
                }
            }
        }
    }
}
