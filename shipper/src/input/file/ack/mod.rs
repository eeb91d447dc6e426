//! The acks of one stream: which offset is settled without a gap.
//!
//! Enters: the ends of records and of skipped ranges, in the order of the file; fates, in any order.
//! Leaves: the offset before which everything is settled, and the sums of the ledger at that offset.
//! Never: an offset that jumps over a record without a fate. Never: memory for a record that has one, however long a
//! record of another lane before it has none.

use std::collections::VecDeque;
use std::num::NonZeroU32;

pub(super) use super::part::Part;
use crate::batch::{Fate, Ticket};
use crate::registry::Losses;
use crate::route::LaneId;

/// Skipped ranges that wait before those that no fate can part any more are put together.
const SKIPS_MIN: usize = 1024;

/// Room for so many records is kept while none is in flight; a burst gives back what it took.
const FLIGHTS_KEPT: usize = 64;

/// A record in flight.
#[derive(Debug, Clone, Copy)]
struct Flight {
    sequence: u64,
    /// Where it starts in the file, and its length there.
    start: u64,
    bytes: u32,
    /// What it costs; `None` once it has a fate.
    weight: Option<NonZeroU32>,
}

/// A range, or several with nothing in flight between them.
#[derive(Debug, Clone, Copy)]
struct Skip {
    end: u64,
    bytes: u64,
    part: Part,
}

/// The window between the settled offset and the read offset.
#[derive(Debug, Clone, Default)]
pub(super) struct Window {
    offset: u64,
    /// Behind everything that was pushed or skipped.
    position: u64,
    /// Where the last record ends that has a fate.
    fated_end: u64,
    filtered: u64,
    lost: Losses,
    /// Records that were settled, since this window began.
    records: u64,
    /// The sequence number of the next record.
    next: u64,
    /// Records in flight, for each lane in the order of the file; the first of each has no fate.
    lanes: Vec<(LaneId, VecDeque<Flight>)>,
    /// What the offset has still to pass, in the order of the file.
    skips: VecDeque<Skip>,
    /// More skips than these are put together.
    skips_max: usize,
}

/// Nothing in flight is without weight.
fn weight_of(weight: u32) -> NonZeroU32 {
    NonZeroU32::new(weight).unwrap_or(NonZeroU32::MIN)
}

impl Window {
    /// A window that goes on where an earlier one ended. Its numbers begin at `first`, which is another one for each
    /// window of a slot, so that a fate that comes too late for one window is not taken for another's.
    pub(super) fn resume(first: u64, offset: u64, filtered: u64, lost: Losses) -> Self {
        Window { offset, position: offset, filtered, lost, next: first, ..Window::default() }
    }

    /// Adds a record that ends at `end` and goes by `lane`; `weight` is what it costs until its fate is known. Gives its
    /// sequence number.
    pub(super) fn push(&mut self, end: u64, lane: LaneId, weight: u32) -> u64 {
        let start = self.position;
        self.position = end.max(start);
        self.fly(start, self.position - start, lane, weight)
    }

    /// As [`Window::push`], for a record that overlaps others: `bytes` are its own. The offset stays before all of them
    /// until each has a fate, and then moves to where [`Window::pass`] says.
    pub(super) fn push_shared(&mut self, bytes: u64, lane: LaneId, weight: u32) -> u64 {
        self.fly(self.position, bytes, lane, weight)
    }

    /// Everything before `place` was pushed or skipped, and a reading that begins there gives the same records.
    pub(super) fn pass(&mut self, place: u64) {
        self.position = place.max(self.position);
        self.advance();
    }

    /// Behind everything that was pushed, skipped or passed.
    pub(super) fn position(&self) -> u64 {
        self.position
    }

    fn fly(&mut self, start: u64, bytes: u64, lane: LaneId, weight: u32) -> u64 {
        let sequence = self.next;
        self.next = sequence.wrapping_add(1);
        let flight = Flight {
            sequence,
            start,
            bytes: u32::try_from(bytes).unwrap_or(u32::MAX),
            weight: Some(weight_of(weight)),
        };
        self.take_off(flight, lane);
        sequence
    }

    fn take_off(&mut self, flight: Flight, lane: LaneId) {
        match self.lanes.iter_mut().find(|(known, _)| *known == lane) {
            Some((_, flights)) => flights.push_back(flight),
            None => self.lanes.push((lane, VecDeque::from([flight]))),
        }
    }

    /// Adds a range that nobody waits for.
    pub(super) fn skip(&mut self, end: u64, part: Part) {
        let start = self.position;
        self.position = end.max(start);
        let bytes = self.position - start;
        match self.skips.back_mut() {
            // Neighbours of one kind are one, so that a file of empty lines costs no memory.
            Some(last) if last.part == part && last.end == start => {
                (last.end, last.bytes) = (self.position, last.bytes + bytes);
            }
            _ => self.skips.push_back(Skip { end: self.position, bytes, part }),
        }
        self.advance();
        if self.skips.len() > self.skips_max.max(SKIPS_MIN) {
            self.put_together();
        }
    }

    /// Notes a fate; gives the record's lane and weight, which are free now. A number that is not in flight, as after a
    /// fate was told twice, changes nothing.
    pub(super) fn settle(&mut self, sequence: u64, fate: Fate) -> Option<(LaneId, u64)> {
        self.close(sequence, (fate == Fate::DeadLettered).then_some(Part::DeadLettered))
    }

    /// As [`Window::settle`], for a record that is not sent after all: its bytes are filtered.
    pub(super) fn leave_out(&mut self, sequence: u64) -> Option<(LaneId, u64)> {
        self.close(sequence, Some(Part::Filtered))
    }

    /// The last record goes by this lane, and costs this much; gives what was thought of it before.
    pub(super) fn reroute(&mut self, sequence: u64, lane: LaneId, weight: u32) -> Option<(LaneId, u64)> {
        let is_it = |flight: &mut Flight| flight.sequence == sequence;
        let (before, flight) =
            self.lanes.iter_mut().find_map(|(lane, flights)| Some((*lane, flights.pop_back_if(is_it)?)))?;
        let thought = flight.weight?;
        self.take_off(Flight { weight: Some(weight_of(weight)), ..flight }, lane);
        Some((before, u64::from(thought.get())))
    }

    fn close(&mut self, sequence: u64, part: Option<Part>) -> Option<(LaneId, u64)> {
        let (lane, flight) = self.lanes.iter_mut().find_map(|(lane, flights)| {
            let first = flights.front()?.sequence;
            let distance = |sequence: u64| Ticket::new(0, sequence.wrapping_sub(first)).sequence();
            // Fates mostly come in the order of the file.
            let found = match distance(sequence) {
                0 => 0,
                ahead => flights.binary_search_by_key(&ahead, |one| distance(one.sequence)).ok()?,
            };
            Some((*lane, flights.get_mut(found)?))
        })?;
        let weight = flight.weight.take()?;
        self.records += 1;
        let end = flight.start + u64::from(flight.bytes);
        self.fated_end = self.fated_end.max(end);
        if let Some(part) = part {
            let skip = Skip { end, bytes: u64::from(flight.bytes), part };
            let at = self.skips.partition_point(|before| before.end < end);
            self.skips.insert(at, skip);
        }
        for (_, flights) in &mut self.lanes {
            while flights.pop_front_if(|flight| flight.weight.is_none()).is_some() {}
        }
        self.advance();
        if self.is_empty() && self.lanes.iter().any(|(_, flights)| flights.capacity() > FLIGHTS_KEPT) {
            self.shrink();
        }
        Some((lane, u64::from(weight.get())))
    }

    /// Gives back the room of what is settled.
    pub(super) fn shrink(&mut self) {
        self.lanes.retain(|(_, flights)| !flights.is_empty());
        self.lanes.shrink_to_fit();
        self.skips.shrink_to_fit();
    }

    /// Moves the offset to the first record without a fate.
    fn advance(&mut self) {
        let firsts = self.lanes.iter().filter_map(|(_, flights)| flights.front());
        self.offset = firsts.map(|flight| flight.start).min().unwrap_or(self.position);
        while let Some(skip) = self.skips.pop_front_if(|skip| skip.end <= self.offset) {
            let sum = match skip.part {
                Part::DeadLettered => &mut self.lost.dead_lettered,
                Part::OverBudget => &mut self.lost.over_budget,
                Part::Filtered => &mut self.filtered,
                Part::TooLong => &mut self.lost.line_too_long,
                Part::Truncated => &mut self.lost.truncated,
                Part::Vanished => &mut self.lost.vanished,
            };
            *sum += skip.bytes;
        }
    }

    /// Puts skips of one kind together where the offset can only pass them all at once: it stops at records without a
    /// fate and nowhere else.
    fn put_together(&mut self) {
        let flights = self.lanes.iter().flat_map(|(_, flights)| flights);
        let mut stops: Vec<u64> =
            flights.filter(|flight| flight.weight.is_some()).map(|flight| flight.start).collect();
        stops.sort_unstable();
        let mut together: VecDeque<Skip> = VecDeque::new();
        let (mut group, mut group_stop) = (0, 0);
        for skip in self.skips.drain(..) {
            let stop = stops.partition_point(|stop| *stop < skip.end);
            if stop != group_stop {
                (group, group_stop) = (together.len(), stop);
            }
            match together.iter_mut().skip(group).find(|one| one.part == skip.part) {
                Some(one) => (one.end, one.bytes) = (skip.end, one.bytes + skip.bytes),
                None => together.push_back(skip),
            }
        }
        self.skips = together;
        self.skips_max = self.skips.len() * 2;
    }

    /// Where the first record in flight on this lane starts.
    pub(super) fn first_on(&self, lane: LaneId) -> Option<u64> {
        let (_, flights) = self.lanes.iter().find(|(known, _)| *known == lane)?;
        flights.front().map(|flight| flight.start)
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

    /// Records that were settled, since this window began.
    pub(super) fn records(&self) -> u64 {
        self.records
    }

    /// Where the last record ends that has a fate and waits behind one that has none.
    pub(super) fn waiting_end(&self) -> Option<u64> {
        (self.fated_end > self.offset).then_some(self.fated_end)
    }

    /// True when nothing is in flight.
    pub(super) fn is_empty(&self) -> bool {
        self.lanes.iter().all(|(_, flights)| flights.is_empty())
    }
}

#[cfg(test)]
mod test;
