//! How far the registry may say that a partition needs no look after a kill.
//!
//! Enters: how far the broker has acknowledged each partition, and which streams have a record with a fate behind one
//! without. Leaves: anchors for the next commit. Never: an anchor that is ahead of the offsets it is committed with.
//!
//! Every acknowledged record lies before what was reached. It is covered when its stream's offset has passed it, which a
//! gap can put off: the record before it may be on its way to another partition. So what was reached is committed
//! at once when there is no gap; else it is held until those gaps have closed that were there when it was
//! reached. Later gaps belong to later records, which hold back what is reached next, and so neither starves the other.

use std::collections::{BTreeMap, BTreeSet};

use event::StreamId;

use crate::registry::{Anchor, Anchors};

/// Topics and partitions that are kept in mind at most; what lies in others is sent again after a kill.
const PARTITIONS_MAX: usize = 1 << 16;

/// How one stream stands.
#[derive(Debug, Clone, Copy)]
pub(super) struct Standing {
    pub stream: StreamId,
    /// Everything before it is settled.
    pub offset: u64,
    /// Where the last record ends that has a fate and waits behind a gap.
    pub waiting_end: Option<u64>,
}

/// What was reached, and what has to close before it may be said.
#[derive(Debug)]
struct Held {
    reached: Anchors,
    gaps: Vec<(u32, StreamId, u64)>,
}

/// The machine.
#[derive(Debug, Default)]
pub(super) struct Anchoring {
    /// As they are on the disk.
    committed: Anchors,
    /// What may be said.
    due: Anchors,
    held: Option<Held>,
    /// As the output told last.
    reached: Anchors,
    /// Streams that had a gap.
    gapped: BTreeSet<u32>,
    is_begun: bool,
    has_reached: bool,
}

impl Anchoring {
    /// With what the registry holds.
    pub fn new(committed: Anchors) -> Self {
        Anchoring { committed, ..Anchoring::default() }
    }

    /// The output is about to send its first records, from `anchors` on; when it has begun already, only what they
    /// name of further topics is new.
    pub fn begin(&mut self, anchors: Anchors) {
        if !self.is_begun {
            (self.due, self.reached) = (anchors.clone(), anchors);
            self.is_begun = true;
            return;
        }
        for (topic, offsets) in anchors {
            if self.partitions() + offsets.len() > PARTITIONS_MAX {
                continue;
            }
            let held = self.held.as_mut().map(|held| &mut held.reached);
            for known in [Some(&mut self.due), Some(&mut self.reached), held].into_iter().flatten() {
                known.entry(topic.clone()).or_insert_with(|| offsets.clone());
            }
        }
    }

    fn partitions(&self) -> usize {
        self.reached.values().map(BTreeMap::len).sum()
    }

    /// The broker has acknowledged everything that was sent to these partitions up to these offsets; the fates are told.
    pub fn reach(&mut self, reached: Anchors) {
        self.has_reached = true;
        for (topic, offsets) in reached {
            if let Some(known) = self.reached.get_mut(&topic) {
                known.extend(offsets);
            }
        }
    }

    /// A record of the stream in this slot has a fate, and its offset did not move.
    pub fn gap(&mut self, slot: u32) {
        if self.is_begun {
            self.gapped.insert(slot);
        }
    }

    /// Takes stock before a commit of every stream's offset as it is now.
    pub fn take_stock(&mut self, standing: impl Fn(u32) -> Option<Standing>) {
        if let Some(held) = &mut self.held {
            held.gaps.retain(|(slot, stream, end)| {
                standing(*slot).is_some_and(|now| now.stream == *stream && now.offset < *end)
            });
            if !held.gaps.is_empty() {
                return;
            }
        }
        if let Some(held) = self.held.take() {
            self.due = held.reached;
        }
        let mut gaps = Vec::new();
        self.gapped.retain(|slot| {
            let gap = standing(*slot).and_then(|now| now.waiting_end.map(|end| (*slot, now.stream, end)));
            gaps.extend(gap);
            gap.is_some()
        });
        if gaps.is_empty() {
            self.due.clone_from(&self.reached);
        } else {
            self.held = Some(Held { reached: self.reached.clone(), gaps });
        }
    }

    /// What has to be written so that the disk says what may be said.
    pub fn changes(&self) -> Vec<Anchor> {
        if !self.is_begun {
            return Vec::new();
        }
        let none = BTreeMap::new();
        let gone = self.committed.keys().filter(|topic| !self.due.contains_key(*topic));
        let gone = gone.map(|topic| Anchor::new(topic, &none));
        let changed = self.due.iter().filter(|(topic, offsets)| self.committed.get(*topic) != Some(*offsets));
        gone.chain(changed.map(|(topic, offsets)| Anchor::new(topic, offsets))).collect()
    }

    /// All that may be said, for a file that is written anew.
    pub fn all(&self) -> &Anchors {
        if self.is_begun { &self.due } else { &self.committed }
    }

    /// The disk has what [`Anchoring::changes`] and [`Anchoring::all`] gave.
    pub fn committed(&mut self) {
        if self.is_begun {
            self.committed.clone_from(&self.due);
        }
    }

    /// The output sends.
    pub fn is_begun(&self) -> bool {
        self.is_begun
    }

    /// True when nothing that the broker may have from before this start is still to be read again.
    pub fn is_past_doubt(&self) -> bool {
        self.has_reached
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn anchors(offsets: &[(i32, i64)]) -> Anchors {
        Anchors::from([("logs".to_owned(), offsets.iter().copied().collect())])
    }

    /// One stream in slot 7.
    fn standing(offset: u64, waiting_end: Option<u64>) -> impl Fn(u32) -> Option<Standing> {
        let stream = StreamId::from_u128(1);
        move |slot| (slot == 7).then_some(Standing { stream, offset, waiting_end })
    }

    fn begun() -> Anchoring {
        let mut anchoring = Anchoring::new(Anchors::new());
        anchoring.begin(anchors(&[(0, 10), (1, 20)]));
        anchoring.take_stock(standing(0, None));
        assert_eq!(anchoring.changes().len(), 1);
        anchoring.committed();
        anchoring
    }

    #[test]
    fn without_a_gap_what_was_reached_is_said() {
        let mut anchoring = begun();
        anchoring.reach(anchors(&[(1, 25)]));
        anchoring.take_stock(standing(100, None));
        assert_eq!(anchoring.all(), &anchors(&[(0, 10), (1, 25)]));
        anchoring.committed();
        assert!(anchoring.changes().is_empty());
    }

    #[test]
    fn a_gap_holds_back_what_was_reached_until_it_closes() {
        let mut anchoring = begun();
        anchoring.gap(7);
        anchoring.reach(anchors(&[(0, 11)]));
        anchoring.take_stock(standing(100, Some(300)));
        assert_eq!(anchoring.all(), &anchors(&[(0, 10), (1, 20)]));
        // A further record waits behind a further gap: it holds back the next one alone.
        anchoring.gap(7);
        anchoring.reach(anchors(&[(0, 12)]));
        anchoring.take_stock(standing(299, Some(500)));
        assert_eq!(anchoring.all(), &anchors(&[(0, 10), (1, 20)]));
        anchoring.take_stock(standing(300, Some(500)));
        assert_eq!(anchoring.all(), &anchors(&[(0, 11), (1, 20)]));
        anchoring.take_stock(standing(500, None));
        assert_eq!(anchoring.all(), &anchors(&[(0, 12), (1, 20)]));
    }

    #[test]
    fn a_stream_that_is_done_with_holds_nothing_back() {
        let mut anchoring = begun();
        anchoring.gap(7);
        anchoring.reach(anchors(&[(0, 11)]));
        anchoring.take_stock(standing(100, Some(300)));
        anchoring.take_stock(|_| None);
        assert_eq!(anchoring.all(), &anchors(&[(0, 11), (1, 20)]));
    }

    #[test]
    fn before_the_output_begins_the_disk_stays_as_it_is() {
        let old = Anchors::from([("old".to_owned(), BTreeMap::from([(0, 5)]))]);
        let mut anchoring = Anchoring::new(old.clone());
        anchoring.take_stock(|_| None);
        assert_eq!((anchoring.changes(), anchoring.all()), (vec![], &old));
        anchoring.begin(anchors(&[(0, 1)]));
        let names: Vec<_> =
            anchoring.changes().into_iter().map(|anchor| (anchor.topic, anchor.offsets.len())).collect();
        assert_eq!(names, [("old".to_owned(), 0), ("logs".to_owned(), 1)]);
    }

    #[test]
    fn a_further_topic_begins_where_it_is_said_to_and_no_other_moves() {
        let mut anchoring = begun();
        anchoring.gap(7);
        anchoring.reach(anchors(&[(0, 11)]));
        anchoring.take_stock(standing(100, Some(300)));
        let debug = Anchors::from([("debug".to_owned(), BTreeMap::from([(0, 5)]))]);
        anchoring.begin(debug.clone().into_iter().chain(anchors(&[(0, 0)])).collect());
        for offset in [100, 300] {
            anchoring.take_stock(standing(offset, Some(300)));
            assert_eq!(anchoring.all()["debug"], debug["debug"]);
        }
        assert_eq!(anchoring.all()["logs"], BTreeMap::from([(0, 11), (1, 20)]));
    }
}
