//! `count`: a number of events in a window.
//!
//! Enters: the key's mapping. Leaves: a [`Count`]. Never: a field's value.

use std::time::Duration;

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
