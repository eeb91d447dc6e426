//! Documents that are not settled, and what that means for positions.
//!
//! Enters: documents as they were read. Leaves: the first of them for a request, and how far each partition is safe.
//! Never: another order than the one they came in. The first document of a partition that is still here is where that
//! partition would go on after a crash, and everything before it may be committed.

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;

use daemon::Position;
use event::Timestamp;

use crate::bulk::{Bounds, Bulk, assemble, cost};
use crate::document::Document;

type Partition = (Arc<str>, i32);

/// The queue.
#[derive(Debug, Default)]
pub(super) struct Queue {
    /// Documents with the time they came at.
    documents: VecDeque<(Timestamp, Document)>,
    bytes: usize,
    /// Where each partition was read to.
    read: BTreeMap<Partition, i64>,
    committed: BTreeMap<Partition, i64>,
}

impl Queue {
    pub(super) fn push(&mut self, document: Document, now: Timestamp) {
        let read = self.read.entry(partition(&document)).or_insert(0);
        *read = (*read).max(document.offset + 1);
        self.bytes += cost(&document);
        self.documents.push_back((now, document));
    }

    pub(super) fn pop(&mut self) -> Option<(Timestamp, Document)> {
        let (came, document) = self.documents.pop_front()?;
        self.bytes -= cost(&document);
        Some((came, document))
    }

    /// Puts documents back to the front that were taken from there, in the order they were taken.
    pub(super) fn put_back(&mut self, taken: Vec<(Timestamp, Document)>) {
        for (came, document) in taken.into_iter().rev() {
            self.bytes += cost(&document);
            self.documents.push_front((came, document));
        }
    }

    /// A request of the first documents; they stay until their fates are known.
    pub(super) fn assemble(&self, bounds: Bounds) -> Bulk {
        assemble(self.documents.iter().map(|(_, document)| document), bounds)
    }

    pub(super) fn is_empty(&self) -> bool {
        self.documents.is_empty()
    }

    pub(super) fn len(&self) -> usize {
        self.documents.len()
    }

    pub(super) fn bytes(&self) -> usize {
        self.bytes
    }

    /// The first document and when it came.
    pub(super) fn front(&self) -> Option<(Timestamp, &Document)> {
        self.documents.front().map(|(came, document)| (*came, document))
    }

    /// How far each partition is settled, where that has grown since the last call. `others` are documents that are
    /// not settled either, and not in the queue any more.
    pub(super) fn commit<'d>(&mut self, others: impl Iterator<Item = &'d Document>) -> Vec<Position> {
        let mut safe = self.read.clone();
        let mut hold = |document: &Document| {
            if let Some(next) = safe.get_mut(&partition(document)) {
                *next = (*next).min(document.offset);
            }
        };
        self.documents.iter().for_each(|(_, document)| hold(document));
        others.for_each(hold);
        let mut positions = Vec::new();
        for ((topic, partition), next) in safe {
            let before = self.committed.entry((Arc::clone(&topic), partition)).or_insert(0);
            if next > *before {
                *before = next;
                positions.push(Position { topic: topic.to_string(), partition, next });
            }
        }
        positions
    }
}

fn partition(document: &Document) -> Partition {
    (Arc::clone(&document.topic), document.partition)
}
