//! How much is in flight.
//!
//! Enters: the weights of records that were sent, and of those that have a fate. Leaves: which lanes may have more.
//! Never: a lane that takes the share of another one.

use super::IN_FLIGHT_BYTES_MAX;
use crate::route::{LANES_MAX, LaneId};

/// What a lane may have beyond its share. A stream that comes to a record for a lane without room gives it all the same,
/// and stops there: what was joined, parsed and counted is not taken back.
const SLACK_BYTES: u64 = 1 << 20;

/// Bytes of encoded records without a fate, by lane.
#[derive(Debug)]
pub(super) struct InFlight {
    lanes: [u64; LANES_MAX],
    /// What one lane may have.
    share: u64,
}

impl InFlight {
    /// Nothing, with equal shares for so many lanes.
    pub(super) fn new(lanes: usize) -> Self {
        InFlight { lanes: [0; LANES_MAX], share: IN_FLIGHT_BYTES_MAX / lanes.max(1) as u64 }
    }

    /// A record was sent.
    pub(super) fn add(&mut self, lane: LaneId, bytes: u64) {
        if let Some(sum) = self.lanes.get_mut(lane.index()) {
            *sum += bytes;
        }
    }

    /// A record has a fate.
    pub(super) fn sub(&mut self, lane: LaneId, bytes: u64) {
        if let Some(sum) = self.lanes.get_mut(lane.index()) {
            *sum -= bytes;
        }
    }

    /// True when the lane has less than its share.
    pub(super) fn has_room(&self, lane: LaneId) -> bool {
        self.lanes.get(lane.index()).is_some_and(|sum| *sum < self.share)
    }

    /// True when the lane has so much room that a turn is worth its while.
    pub(super) fn is_low(&self, lane: LaneId) -> bool {
        self.lanes.get(lane.index()).is_some_and(|sum| *sum <= self.share - self.share / 8)
    }

    /// True when the lane has all that it may have: its share, and what streams of which it stopped each had in hand.
    pub(super) fn is_over(&self, lane: LaneId) -> bool {
        self.lanes.get(lane.index()).is_some_and(|sum| *sum >= self.share + SLACK_BYTES)
    }

    /// Of all lanes.
    pub(super) fn sum(&self) -> u64 {
        self.lanes.iter().sum()
    }
}
