//! How far a topic's partitions are acknowledged, although several lanes may write to them.
//!
//! Enters: each lane's acknowledgements, and when it begins to send and has nothing on its way any more. Leaves: by topic and
//! partition, the offset before which every record of ours has its fate. Never: an offset beyond a record on its way.
//!
//! A lane's producer is acknowledged in order within a partition, so its records without an answer lie behind the last one
//! with one, and behind everything that any lane had acknowledged when it began to send. So what holds for a partition is the
//! least of what holds for the lanes that have something on their way. A lane that sends again what came back stands still
//! meanwhile: what was on its way then may have arrived, behind where it stood.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::registry::Anchors;

/// By partition, the offset behind the last acknowledged record.
type Offsets = BTreeMap<i32, i64>;

#[derive(Debug)]
struct Lane {
    topic: Arc<str>,
    /// Whether no other lane has this topic.
    is_alone: bool,
    /// Its records without a fate lie at or behind these.
    from: Offsets,
    /// Acknowledged while it sent again.
    held: Offsets,
    is_busy: bool,
}

/// What is known of all lanes.
#[derive(Debug, Default)]
pub struct Reach {
    lanes: Vec<Lane>,
    /// The furthest of all lanes, by topic.
    furthest: Anchors,
    /// What was given last.
    given: Anchors,
    /// Something may hold that was not given.
    is_stale: bool,
}

/// How a lane stands at the end of a turn.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Standing {
    /// It has records without a fate.
    pub is_busy: bool,
    /// Some of them came back, and are sent again.
    pub is_sending_again: bool,
}

impl Reach {
    /// For lanes with these topics.
    pub fn new(topics: &[Arc<str>]) -> Self {
        let lane = |topic: &Arc<str>| Lane {
            topic: Arc::clone(topic),
            is_alone: topics.iter().filter(|other| *other == topic).count() == 1,
            from: Offsets::new(),
            held: Offsets::new(),
            is_busy: false,
        };
        Reach { lanes: topics.iter().map(lane).collect(), ..Reach::default() }
    }

    /// The lane is about to send its next record; call it at least when it has none without a fate.
    pub fn send(&mut self, lane: usize) {
        let Some(lane) = self.lanes.get_mut(lane).filter(|lane| !lane.is_busy) else { return };
        lane.is_busy = true;
        // Alone, it has acknowledged the furthest itself.
        if !lane.is_alone {
            lane.from = self.furthest.get(&*lane.topic).cloned().unwrap_or_default();
        }
    }

    /// The lane's records up to `next` of a partition have their fates.
    pub fn acked(&mut self, lane: usize, partition: i32, next: i64, is_sending_again: bool) {
        let Some(lane) = self.lanes.get_mut(lane) else { return };
        self.is_stale = true;
        let offsets = if is_sending_again { &mut lane.held } else { &mut lane.from };
        offsets.insert(partition, next);
        let furthest = self.furthest.entry(lane.topic.to_string()).or_default();
        let known = furthest.entry(partition).or_insert(next);
        // Alone, a lane may go back: its topic was made anew.
        *known = if lane.is_alone { next } else { next.max(*known) };
    }

    /// At the end of a turn: what holds now and was not given yet.
    pub fn take(&mut self, standing: impl Fn(usize) -> Standing) -> Anchors {
        for (number, lane) in self.lanes.iter_mut().enumerate() {
            let now = standing(number);
            let has_held = !now.is_sending_again && !lane.held.is_empty();
            self.is_stale |= (lane.is_busy && !now.is_busy) || has_held;
            lane.is_busy = now.is_busy;
            if has_held {
                lane.from.append(&mut lane.held);
            }
        }
        if !std::mem::take(&mut self.is_stale) {
            return Anchors::new();
        }
        let mut changed = Anchors::new();
        for (topic, furthest) in &self.furthest {
            let busy: Vec<&Lane> =
                self.lanes.iter().filter(|lane| lane.is_busy && *lane.topic == **topic).collect();
            for (partition, furthest) in furthest {
                let least = busy.iter().map(|lane| lane.from.get(partition).copied()).min().flatten();
                let holds = if busy.is_empty() { Some(*furthest) } else { least };
                let given = self.given.get(topic).and_then(|given| given.get(partition));
                if let Some(holds) = holds.filter(|holds| Some(holds) != given) {
                    changed.entry(topic.clone()).or_default().insert(*partition, holds);
                }
            }
        }
        for (topic, offsets) in &changed {
            self.given.entry(topic.clone()).or_default().extend(offsets);
        }
        changed
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const IDLE: Standing = Standing { is_busy: false, is_sending_again: false };
    const BUSY: Standing = Standing { is_busy: true, is_sending_again: false };
    const AGAIN: Standing = Standing { is_busy: true, is_sending_again: true };

    fn reach(topics: &[&str]) -> Reach {
        Reach::new(&topics.iter().map(|topic| Arc::from(*topic)).collect::<Vec<_>>())
    }

    fn logs(partition: i32, offset: i64) -> Anchors {
        Anchors::from([("logs".to_owned(), [(partition, offset)].into())])
    }

    #[test]
    fn a_lane_alone_has_reached_what_it_has_acknowledged() {
        let mut reach = reach(&["logs", "debug"]);
        reach.send(0);
        reach.acked(0, 3, 10, false);
        assert_eq!(reach.take(|_| BUSY), logs(3, 10));
        assert_eq!(reach.take(|_| BUSY), Anchors::new(), "given already");
        reach.acked(0, 3, 2, false);
        assert_eq!(reach.take(|_| IDLE), logs(3, 2), "the topic was made anew");
    }

    #[test]
    fn a_lane_that_sends_again_stands_still() {
        let mut reach = reach(&["logs"]);
        reach.send(0);
        reach.acked(0, 0, 10, false);
        reach.acked(0, 0, 50, true);
        assert_eq!(reach.take(|_| AGAIN), logs(0, 10));
        assert_eq!(reach.take(|_| BUSY), logs(0, 50));
    }

    #[test]
    fn of_two_lanes_the_one_that_is_behind_counts() {
        let mut reach = reach(&["logs", "logs"]);
        reach.send(0);
        reach.acked(0, 0, 10, false);
        // The second one begins to send here: its records lie behind.
        reach.send(1);
        reach.acked(0, 0, 90, false);
        assert_eq!(reach.take(|_| BUSY), logs(0, 10));
        reach.acked(1, 0, 95, false);
        assert_eq!(reach.take(|lane| if lane == 0 { BUSY } else { IDLE }), logs(0, 90));
        assert_eq!(reach.take(|_| IDLE), logs(0, 95));
    }

    #[test]
    fn a_partition_that_a_busy_lane_knows_nothing_of_waits() {
        let mut reach = reach(&["logs", "logs"]);
        reach.send(1);
        reach.send(0);
        reach.acked(0, 2, 10, false);
        assert_eq!(reach.take(|_| BUSY), Anchors::new());
        assert_eq!(reach.take(|lane| if lane == 0 { BUSY } else { IDLE }), logs(2, 10));
    }

    proptest! {
        /// A broker with two partitions, and three lanes of one topic that send and hear of it in any interleaving: nothing
        /// that is on its way lies before what was given.
        #[test]
        fn nothing_without_a_fate_lies_before(
            acts in prop::collection::vec((0usize..3, 0usize..2, any::<bool>()), 0..200),
        ) {
            let mut reach = reach(&["logs", "logs", "logs"]);
            let mut ends = [0i64; 2];
            let mut flying: Vec<[Vec<i64>; 2]> = vec![Default::default(); 3];
            let mut given: BTreeMap<i32, i64> = BTreeMap::new();
            for (lane, partition, is_send) in acts {
                if is_send {
                    reach.send(lane);
                    flying[lane][partition].push(ends[partition]);
                    ends[partition] += 1;
                } else if !flying[lane][partition].is_empty() {
                    let offset = flying[lane][partition].remove(0);
                    reach.acked(lane, i32::try_from(partition).unwrap(), offset + 1, false);
                }
                let is_busy = |lane: usize| flying[lane].iter().any(|records| !records.is_empty());
                let taken = reach.take(|lane| if is_busy(lane) { BUSY } else { IDLE });
                given.extend(taken.into_values().flatten());
                for (partition, offset) in &given {
                    let partition = usize::try_from(*partition).unwrap();
                    for lane in &flying {
                        prop_assert!(lane[partition].iter().all(|flying| flying >= offset));
                    }
                }
                if !(0..3).any(is_busy) {
                    prop_assert!(given.iter().all(|(partition, offset)| ends[usize::try_from(*partition).unwrap()] == *offset));
                }
            }
        }
    }
}
