//! Whose turn it is.
//!
//! Enters: which lanes have something to send, which of them have no room, the time. Leaves: the lane whose parcel goes
//! next, or the wish to wait. Never: a parcel; a lane that waits for ever because another one is urgent.
//!
//! Urgent lanes go first: one parcel of the others for every [`URGENT_RUN`] of theirs. When an urgent lane has no room,
//! although records of it go through, the path to the broker is narrow: the others are held to the same ratio, and to a
//! parcel in [`HOLD`] at least. An urgent lane that stands still is refused or cut off; it holds nobody.

use std::time::Duration;

use event::Timestamp;

use super::{LANES_MAX, LaneId, LaneSet};

/// Parcels of urgent lanes for one of the others.
const URGENT_RUN: u32 = 8;
/// How long the others are held at most before one parcel of theirs goes all the same.
const HOLD: Duration = Duration::from_millis(250);
/// An urgent lane that has given nothing for so long stands still.
const STILL_AFTER: Duration = Duration::from_secs(1);

/// The order of lanes.
#[derive(Debug, Clone)]
pub struct Turns {
    urgent: LaneSet,
    /// Behind the lane that went last, for each rank.
    next: [LaneId; 2],
    /// Parcels of urgent lanes since the last of another one.
    run: u32,
    /// When a parcel of a lane that is not urgent goes although urgent ones wait; set while it is held.
    held_until: Option<Timestamp>,
    /// When each lane last gave something.
    given: [Option<Timestamp>; LANES_MAX],
}

impl Turns {
    /// With these lanes before the others.
    #[must_use]
    pub fn new(urgent: LaneSet) -> Self {
        Turns { urgent, next: [LaneId::MAIN; 2], run: 0, held_until: None, given: [None; LANES_MAX] }
    }

    /// The lane that goes next: one that is `waiting` with something and has room. `None` when there is none, or when
    /// those that have room are held until [`Turns::deadline`].
    pub fn tick(&mut self, waiting: LaneSet, full: LaneSet, now: Timestamp) -> Option<LaneId> {
        let open = waiting.without(full);
        let (first, rest) = (open.and(self.urgent), open.without(self.urgent));
        if rest.is_empty() {
            self.held_until = None;
            return self.pick(first, 0);
        }
        let is_due = self.run >= URGENT_RUN || self.held_until.is_some_and(|due| due <= now);
        let is_first_waiting = !first.is_empty() || self.is_narrow(waiting.and(full), now);
        if is_due || !is_first_waiting {
            self.held_until = None;
            self.run = 0;
            return self.pick(rest, 1);
        }
        // A clock that was set back must not hold them longer.
        let latest = now.plus(HOLD);
        self.held_until = Some(self.held_until.unwrap_or(latest).min(latest));
        self.pick(first, 0)
    }

    /// The lane gave something, a whole parcel or a part of one.
    pub fn handle(&mut self, lane: LaneId, now: Timestamp) {
        if let Some(given) = self.given.get_mut(lane.index()) {
            *given = Some(now);
        }
        if self.urgent.has(lane) {
            self.run = self.run.saturating_add(1);
        }
    }

    /// The lanes that are held now.
    #[must_use]
    pub fn held(&self) -> LaneSet {
        if self.held_until.is_some() { LaneSet::ALL.without(self.urgent) } else { LaneSet::NONE }
    }

    /// When [`Turns::tick`] has another answer although nothing changed; `None` while nobody is held.
    #[must_use]
    pub fn deadline(&self) -> Option<Timestamp> {
        self.held_until
    }

    /// True when an urgent lane among `stuck` has moved lately.
    fn is_narrow(&self, stuck: LaneSet, now: Timestamp) -> bool {
        let stuck = stuck.and(self.urgent);
        let has_moved = |given: &Option<Timestamp>| given.is_some_and(|at| now.since(at) < STILL_AFTER);
        (0..).map(LaneId).zip(&self.given).any(|(lane, given)| stuck.has(lane) && has_moved(given))
    }

    fn pick(&mut self, lanes: LaneSet, rank: usize) -> Option<LaneId> {
        let next = self.next.get_mut(rank)?;
        let lane = lanes.first_from(*next)?;
        *next = LaneId((lane.0 + 1) % 8);
        Some(lane)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn set(lanes: &[u8]) -> LaneSet {
        let mut set = LaneSet::NONE;
        lanes.iter().for_each(|lane| set.insert(LaneId(*lane)));
        set
    }

    fn at(millis: i64) -> Timestamp {
        Timestamp::from_millis(1_000_000 + millis)
    }

    /// The lanes that go in `count` turns at one instant.
    fn order(turns: &mut Turns, waiting: LaneSet, full: LaneSet, count: usize) -> Vec<usize> {
        let mut order = Vec::new();
        for _ in 0..count {
            let Some(lane) = turns.tick(waiting, full, at(0)) else { break };
            turns.handle(lane, at(0));
            order.push(lane.index());
        }
        order
    }

    #[test]
    fn urgent_lanes_go_first_and_leave_the_others_a_turn() {
        let mut turns = Turns::new(set(&[2, 3]));
        let order = order(&mut turns, set(&[0, 1, 2, 3]), LaneSet::NONE, 20);
        assert_eq!(order, [2, 3, 2, 3, 2, 3, 2, 3, 0, 2, 3, 2, 3, 2, 3, 2, 3, 1, 2, 3]);
    }

    #[test]
    fn a_lane_without_room_is_passed_over() {
        let mut turns = Turns::new(LaneSet::NONE);
        assert_eq!(order(&mut turns, set(&[0, 1, 2]), set(&[1]), 4), [0, 2, 0, 2]);
        assert!(order(&mut turns, set(&[1]), set(&[1]), 4).is_empty());
    }

    #[test]
    fn while_an_urgent_lane_is_slow_the_others_are_held_for_a_while() {
        let mut turns = Turns::new(set(&[1]));
        turns.handle(LaneId(1), at(0));
        let (all, full) = (set(&[0, 1]), set(&[1]));
        assert_eq!(turns.tick(all, full, at(0)), None);
        assert_eq!(turns.deadline(), Some(at(250)));
        assert_eq!(turns.tick(all, full, at(249)), None);
        assert_eq!(turns.tick(all, full, at(250)), Some(LaneId(0)));
        assert_eq!(turns.tick(all, full, at(251)), None);
        assert_eq!(turns.deadline(), Some(at(501)));
    }

    #[test]
    fn an_urgent_lane_that_stands_still_holds_nobody() {
        let mut turns = Turns::new(set(&[1]));
        assert_eq!(turns.tick(set(&[0, 1]), set(&[1]), at(0)), Some(LaneId(0)));
        turns.handle(LaneId(1), at(0));
        for millis in [1000, 1001, 5000] {
            assert_eq!(turns.tick(set(&[0, 1]), set(&[1]), at(millis)), Some(LaneId(0)));
        }
    }

    /// Which lanes wait, which are full, and how much later, in each turn.
    fn turn() -> impl Strategy<Value = (u8, u8, i64)> {
        (any::<u8>(), any::<u8>(), 0i64..100)
    }

    proptest! {
        /// Whatever the others do: a lane that waits with room goes within a bounded number of turns and a bounded
        /// time, and an urgent one within fewer.
        #[test]
        fn nobody_waits_for_ever(urgent in any::<u8>(), lane in 0u8..8, steps in prop::collection::vec(turn(), 1..400)) {
            let mut turns = Turns::new(LaneSet(urgent));
            let is_urgent = turns.urgent.has(LaneId(lane));
            let (mut now, mut passed, mut since) = (at(0), 0, at(0));
            for (waiting, full, later) in steps {
                now = now.plus(Duration::from_millis(u64::try_from(later).unwrap()));
                let (mut waiting, mut full) = (LaneSet(waiting), LaneSet(full));
                waiting.insert(LaneId(lane));
                full.remove(LaneId(lane));
                let went = turns.tick(waiting, full, now);
                if let Some(went) = went {
                    prop_assert!(waiting.has(went) && !full.has(went));
                    turns.handle(went, now);
                }
                if went == Some(LaneId(lane)) {
                    (passed, since) = (0, now);
                    continue;
                }
                match went {
                    // Held: only while urgent ones wait, and no longer than a while.
                    None => prop_assert!(!is_urgent && turns.deadline().is_some_and(|due| due > now)),
                    Some(_) => passed += 1,
                }
                let turns_max = if is_urgent { 8 + 2 } else { 8 * (8 + 1) };
                prop_assert!(passed <= turns_max, "{passed} turns passed");
                if went.is_none() {
                    let held_max = HOLD * 8 + Duration::from_millis(100);
                    prop_assert!(now.since(since) <= held_max || passed > 0);
                }
            }
        }

        /// Of two ranks that always wait, the urgent one has its share, exactly.
        #[test]
        fn the_ratio_is_kept(count in 1usize..500) {
            let mut turns = Turns::new(set(&[1]));
            let order = order(&mut turns, set(&[0, 1]), LaneSet::NONE, count);
            let rest = order.iter().filter(|lane| **lane == 0).count();
            prop_assert_eq!(rest, count / (URGENT_RUN as usize + 1));
        }
    }
}
