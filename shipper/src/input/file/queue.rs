//! Which stream is read next.
//!
//! Enters: streams with something to read, the lanes that have no room. Leaves: one stream at a time. Never: a stream
//! twice at a time; one that waits for ever behind urgent ones; a turn of a stream whose lane has no room.

use std::collections::VecDeque;

use super::FileInput;
use super::recipe::Recipe;
use crate::batch::Outbox;
use crate::route::{LANES_MAX, LaneId, LaneSet, Route};

/// Turns of urgent streams for one of the others.
const URGENT_RUN: u32 = 8;

/// Streams in the order of their turns.
#[derive(Debug, Default)]
pub(super) struct Queue {
    urgent: VecDeque<u32>,
    others: VecDeque<u32>,
    /// Turns of urgent streams since the last of another one.
    run: u32,
    /// Streams that wait until their lane has room.
    parked: Vec<(LaneId, VecDeque<u32>)>,
    parked_lanes: LaneSet,
}

impl Queue {
    /// Adds a stream at the end.
    pub(super) fn push(&mut self, slot: u32, is_urgent: bool) {
        if is_urgent { self.urgent.push_back(slot) } else { self.others.push_back(slot) }
    }

    /// The stream whose turn it is.
    pub(super) fn pop(&mut self) -> Option<u32> {
        let is_others_turn = self.urgent.is_empty() || self.run >= URGENT_RUN;
        if is_others_turn && let Some(slot) = self.others.pop_front() {
            self.run = 0;
            return Some(slot);
        }
        self.run = self.run.saturating_add(1);
        self.urgent.pop_front()
    }

    /// Puts a stream away until its lane has room.
    pub(super) fn park(&mut self, slot: u32, lane: LaneId) {
        self.parked_lanes.insert(lane);
        match self.parked.iter_mut().find(|(parked, _)| *parked == lane) {
            Some((_, slots)) => slots.push_back(slot),
            None => self.parked.push((lane, VecDeque::from([slot]))),
        }
    }

    /// Lanes that streams wait for.
    pub(super) fn parked(&self) -> LaneSet {
        self.parked_lanes
    }

    /// The lane has room: gives the streams that waited for it, in the order of their turns.
    pub(super) fn unpark(&mut self, lane: LaneId) -> VecDeque<u32> {
        self.parked_lanes.remove(lane);
        let slots = self.parked.iter_mut().find(|(parked, _)| *parked == lane);
        slots.map(|(_, slots)| std::mem::take(slots)).unwrap_or_default()
    }
}

impl FileInput {
    /// Gives the stream a turn.
    pub(super) fn queue(&mut self, slot: u32) {
        if let Some(stream) = self.stream_mut(slot)
            && !stream.is_queued
        {
            stream.is_queued = true;
            self.requeue(slot);
        }
    }

    pub(super) fn requeue(&mut self, slot: u32) {
        let is_urgent = self.recipe(slot).is_some_and(|recipe| recipe.config.urgent);
        self.ready.push(slot, is_urgent);
    }

    pub(super) fn recipe(&self, slot: u32) -> Option<&Recipe> {
        self.inputs.get(self.stream(slot)?.input)
    }

    /// Puts a stream with something to read away until its lane has room.
    pub(super) fn park(&mut self, slot: u32, lane: LaneId) {
        if let Some(stream) = self.stream_mut(slot) {
            stream.is_queued = true;
            stream.waits_for = Some(lane);
            self.ready.park(slot, lane);
        }
    }

    /// Gives turns to the streams that waited for a lane which has room now.
    pub(super) fn unpark(&mut self, out: &Outbox) {
        for lane in (0..LANES_MAX).filter_map(LaneId::at) {
            if self.ready.parked().has(lane) && !out.closed.has(lane) && self.in_flight.is_low(lane) {
                for slot in self.ready.unpark(lane) {
                    if let Some(stream) = self.stream_mut(slot) {
                        stream.waits_for = None;
                    }
                    self.requeue(slot);
                }
            }
        }
    }

    /// The ways of the stream's records.
    pub(super) fn route(&self, slot: u32) -> Route {
        let work = self.stream(slot).and_then(|stream| stream.work.as_ref());
        let begun = work.map(|work| work.route).or_else(|| self.recipe(slot).map(|recipe| recipe.route));
        begun.unwrap_or_default()
    }

    /// True when the lane takes more, and has less than its share in flight.
    pub(super) fn is_open(&self, lane: LaneId, out: &Outbox) -> bool {
        !out.closed.has(lane) && self.in_flight.has_room(lane)
    }

    /// The lane that keeps the stream from being read: the one of most of its records when it has no room, or another one
    /// of its route that has taken more than its share already, a record of each stream that it has stopped.
    pub(super) fn closed_lane(&self, slot: u32, out: &Outbox) -> Option<LaneId> {
        let route = self.route(slot);
        let lane = route.lane();
        if !self.is_open(lane, out) {
            return Some(lane);
        }
        route.lanes().find(|lane| self.in_flight.is_over(*lane))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::route::{Lanes, Wish};

    #[test]
    fn urgent_streams_go_first_and_leave_the_others_a_turn() {
        let mut queue = Queue::default();
        for slot in 0..20 {
            queue.push(slot, slot >= 4);
        }
        let order: Vec<u32> = std::iter::from_fn(|| queue.pop()).collect();
        assert_eq!(order, [4, 5, 6, 7, 8, 9, 10, 11, 0, 12, 13, 14, 15, 16, 17, 18, 19, 1, 2, 3]);
    }

    #[test]
    fn a_parked_stream_comes_back_with_its_lane() {
        let wish = Wish { topic: Some("audit".to_owned()), ..Wish::default() };
        let audit = Lanes::new("logs", [wish.clone()]).unwrap().find(&wish);
        let mut queue = Queue::default();
        for (slot, lane) in [(1, audit), (2, LaneId::MAIN), (3, audit)] {
            queue.park(slot, lane);
        }
        assert_eq!(queue.pop(), None);
        assert_eq!(queue.unpark(audit), [1, 3]);
        assert!(queue.parked().has(LaneId::MAIN) && !queue.parked().has(audit));
        assert!(queue.unpark(audit).is_empty());
        assert_eq!(queue.unpark(LaneId::MAIN), [2]);
        assert!(queue.parked().is_empty());
    }
}
