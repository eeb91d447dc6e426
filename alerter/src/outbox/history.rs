//! The last deliveries, for the console, the API and `alerter status`.
//!
//! Enters: the end of each row. Leaves: a bounded list, and what of it is not yet on disk.

use std::collections::VecDeque;

use super::Delivery;

/// Deliveries that are remembered; older ones are forgotten, the metrics have counted them.
pub const HISTORY_MAX: usize = 1000;

/// Deliveries with growing numbers, the oldest first.
#[derive(Debug, Clone, Default)]
pub struct History {
    entries: VecDeque<(u64, Delivery)>,
    next: u64,
    /// Numbers below this one are on disk.
    saved: u64,
}

impl History {
    /// The history as it was saved; `entries` in the order of their numbers.
    #[must_use]
    pub fn restore(entries: Vec<(u64, Delivery)>) -> Self {
        let next = entries.last().map_or(0, |(number, _)| number + 1);
        let mut history = History { entries: entries.into(), next, saved: next };
        history.forget();
        history
    }

    /// Adds the end of a row.
    pub fn push(&mut self, delivery: Delivery) {
        self.entries.push_back((self.next, delivery));
        self.next += 1;
        self.forget();
    }

    /// The oldest first.
    pub fn iter(&self) -> impl DoubleEndedIterator<Item = &Delivery> {
        self.entries.iter().map(|(_, delivery)| delivery)
    }

    /// What is not on disk yet.
    pub fn unsaved(&self) -> impl Iterator<Item = (u64, &Delivery)> {
        self.entries
            .iter()
            .filter(|(number, _)| *number >= self.saved)
            .map(|(number, entry)| (*number, entry))
    }

    /// The smallest number that is still remembered; smaller ones can go from the disk.
    #[must_use]
    pub fn first(&self) -> u64 {
        self.entries.front().map_or(self.next, |(number, _)| *number)
    }

    /// Says that everything is on disk.
    pub fn mark_saved(&mut self) {
        self.saved = self.next;
    }

    fn forget(&mut self) {
        while self.entries.len() > HISTORY_MAX {
            self.entries.pop_front();
        }
    }
}
