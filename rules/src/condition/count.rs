//! `count`: a number of events in a window.
//!
//! Enters: the key's mapping. Leaves: a [`Count`]. Never: a field's value.

use std::fmt::Write;
use std::time::Duration;

use yaml::Span;

use crate::condition::{Reading, Verdict, View};
use crate::kql::Query;

/// Holds while the number of events over `window` is beyond `bound`.
#[derive(Debug, Clone, PartialEq)]
pub struct Count {
    /// Counts only these among the events of the rule's `match`; `None` counts all.
    pub of: Option<Query>,
    /// The comparison.
    pub bound: Bound,
    /// The length of the window.
    pub window: Duration,
}

/// A comparison with a whole number.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Bound {
    /// More than this.
    Above(u64),
    /// Fewer than this.
    Below(u64),
    /// This or more.
    AtLeast(u64),
    /// This or fewer.
    AtMost(u64),
}

impl Bound {
    /// Is `count` beyond the bound?
    #[must_use]
    pub const fn holds(self, count: u64) -> bool {
        match self {
            Bound::Above(limit) => count > limit,
            Bound::Below(limit) => count < limit,
            Bound::AtLeast(limit) => count >= limit,
            Bound::AtMost(limit) => count <= limit,
        }
    }

    /// The number that is compared with.
    #[must_use]
    pub const fn limit(self) -> u64 {
        match self {
            Bound::Above(limit) | Bound::Below(limit) | Bound::AtLeast(limit) | Bound::AtMost(limit) => limit,
        }
    }
}

impl Count {
    pub(crate) fn judge(&self, view: &View<'_>) -> Reading {
        let seen = view.ring.between(view.edge.minus(self.window), view.edge);
        let full = view.created.plus(self.window);
        let is_absence = matches!(self.bound, Bound::Below(_) | Bound::AtMost(_));
        let (verdict, next) = match self.bound.holds(seen.count) {
            true if !is_absence => (Verdict::Holds, None),
            true if full <= view.edge => (Verdict::Absent, None),
            true => (Verdict::Ended, Some(full)),
            false => (Verdict::Ended, None),
        };
        #[expect(clippy::cast_precision_loss, reason = "a count of events is far below 2^53")]
        let value = Some(seen.count as f64);
        Reading { verdict, since: None, ended: None, value, matched: seen.count, count: seen.count, next }
    }

    pub(crate) fn detail(&self, reading: &Reading, out: &mut String) {
        let limit = match self.bound {
            Bound::Above(limit) => format!("limit {limit}"),
            Bound::AtLeast(limit) => format!("limit {limit} or more"),
            Bound::Below(limit) => format!("at least {limit} due"),
            Bound::AtMost(limit) => format!("more than {limit} due"),
        };
        let _ = write!(out, "{} events in {}, {limit}", reading.count, Span(self.window));
    }
}
