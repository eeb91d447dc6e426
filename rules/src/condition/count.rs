//! `count`: a number of events in a window.
//!
//! Enters: the key's mapping. Leaves: a [`Count`]. Never: a field's value.

use std::fmt::Write;
use std::time::Duration;

use kql::Query;
use schemars::JsonSchema;
use serde::Deserialize;
use yaml::{Span, Spanned};

use crate::condition::{Reading, Verdict, View};
use crate::rule::Problems;

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

/// A number of events; exactly one of `above`, `at_least`, `below` and `at_most`.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct CountConfig {
    /// KQL: counts only these among the events of the rule's `match`. Default: all.
    #[schemars(with = "Option<String>")]
    of: Option<Spanned<String>>,
    /// Holds with more events than this.
    #[schemars(with = "Option<u64>")]
    above: Option<Spanned<u64>>,
    /// Holds with this many events or more.
    #[schemars(with = "Option<u64>")]
    at_least: Option<Spanned<u64>>,
    /// Holds with fewer events than this.
    #[schemars(with = "Option<u64>")]
    below: Option<Spanned<u64>>,
    /// Holds with this many events or fewer.
    #[schemars(with = "Option<u64>")]
    at_most: Option<Spanned<u64>>,
    /// The length of the window.
    #[schemars(with = "Span")]
    window: Spanned<Span>,
}

impl CountConfig {
    pub(crate) fn check(&self, problems: &mut Problems<'_>) -> Option<Count> {
        let window = problems.window(Some(&self.window), Duration::ZERO);
        let of = self.of.as_ref().map(|of| problems.query(of));
        let bounds = [
            self.above.as_ref().map(|limit| (limit, Bound::Above(limit.value))),
            self.at_least.as_ref().map(|limit| (limit, Bound::AtLeast(limit.value))),
            self.below.as_ref().map(|limit| (limit, Bound::Below(limit.value))),
            self.at_most.as_ref().map(|limit| (limit, Bound::AtMost(limit.value))),
        ];
        let mut bounds = bounds.into_iter().flatten();
        let Some((limit, bound)) = bounds.next() else {
            problems.add(
                &self.window,
                "`count` needs a limit: write one of `above`, `at_least`, `below` and `at_most`",
            );
            return None;
        };
        if let Some((second, _)) = bounds.next() {
            problems.add(second, "`count` has one limit: remove the other");
        }
        match bound {
            Bound::AtLeast(0) => problems.add(limit, "0 events or more are always there: write 1 or more"),
            Bound::Below(0) => problems.add(limit, "there are never fewer than 0 events: write 1 or more"),
            _ => {}
        }
        let of = match of {
            Some(query) => Some(query?),
            None => None,
        };
        Some(Count { of, bound, window })
    }
}
