//! `threshold`: a field's value, or one number made of its values in a window.
//!
//! Enters: the key's mapping. Leaves: a [`Threshold`]. Never: a value that is not a number.

use std::fmt::Write;
use std::time::Duration;

use yaml::Span;

use crate::condition::{Reading, Verdict, View};
use crate::rule::Quantity;
use crate::window::Partial;

/// Holds while the number that `take` makes of `field` over `window` is strictly beyond `limit`.
#[derive(Debug, Clone, PartialEq)]
pub struct Threshold {
    /// The ECS path of the number.
    pub field: String,
    /// What is made of the values.
    pub take: Take,
    /// Which side of `limit` is bad.
    pub direction: Direction,
    /// The limit; exactly this value is still fine.
    pub limit: Quantity,
    /// The value that a firing alert must reach to recover: below it for [`Direction::Above`], above it for
    /// [`Direction::Below`]. `None`: not beyond `limit` is enough.
    pub recover: Option<f64>,
    /// The length of the window; for [`Take::Last`], how long a value counts as current.
    pub window: Duration,
}

/// How the values of a window become one number.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Take {
    /// The newest value.
    Last,
    /// The arithmetic mean.
    Avg,
    /// The smallest value.
    Min,
    /// The largest value.
    Max,
    /// The sum.
    Sum,
    /// The value that this fraction (0..1) of the values does not exceed; written `p95`, `p99.9`.
    Percentile(f64),
}

/// Which side of a limit is bad.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Direction {
    /// Larger values are bad.
    Above,
    /// Smaller values are bad.
    Below,
}

impl Threshold {
    /// Is `value` strictly on the bad side of the limit?
    pub(crate) fn is_beyond(&self, value: f64) -> bool {
        self.direction.is_beyond(value, self.limit.value)
    }

    pub(crate) fn judge(&self, view: &View<'_>) -> Reading {
        let from = view.edge.minus(self.window);
        let (seen, next) = if self.take == Take::Last {
            let seen = view.ring.all_before(view.edge);
            let next = seen.last.map(|last| last.at.plus(self.window));
            (seen, next.filter(|&next| next > view.edge))
        } else {
            (view.ring.between(from, view.edge), None)
        };
        let value = self.take.of(&seen).filter(|_| self.take != Take::Last || next.is_some());
        let verdict = match value {
            None => Verdict::NoData,
            Some(value) if self.is_beyond(value) || view.is_firing && !self.has_recovered(value) => {
                Verdict::Holds
            }
            Some(_) => Verdict::Ended,
        };
        let (since, ended) = match (self.take, verdict) {
            // Below the limit is no end where the rule names a lower one for recovery.
            (Take::Last, Verdict::Holds) => {
                (seen.unmatched_since, seen.last_matched.filter(|_| self.recover.is_none()))
            }
            (Take::Last, Verdict::Ended) => (seen.last.map(|last| last.at), None),
            _ => (None, None),
        };
        Reading { verdict, since, ended, value, matched: seen.matched, count: seen.count, next }
    }

    fn has_recovered(&self, value: f64) -> bool {
        self.recover.map_or(!self.is_beyond(value), |recover| self.direction.is_beyond(recover, value))
    }

    pub(crate) fn detail(&self, reading: &Reading, out: &mut String) {
        let _ = match self.take {
            Take::Last => write!(out, "{} is ", self.field),
            Take::Percentile(share) => write!(out, "p{} of {} is ", share * 100.0, self.field),
            Take::Avg | Take::Min | Take::Max | Take::Sum => {
                write!(out, "{} of {} is ", self.take.name(), self.field)
            }
        };
        let _ = match reading.value {
            Some(value) => self.limit.unit.write(value, out),
            None => out.write_str("not there"),
        };
        if self.take != Take::Last || reading.value.is_none() {
            let _ = write!(out, " in {}", Span(self.window));
        }
        let _ = write!(out, ", limit {}", self.limit);
    }
}

impl Direction {
    /// Is `value` strictly on the bad side of `limit`?
    const fn is_beyond(self, value: f64, limit: f64) -> bool {
        match self {
            Direction::Above => value > limit,
            Direction::Below => value < limit,
        }
    }
}

impl Take {
    fn name(self) -> &'static str {
        match self {
            Take::Last => "last",
            Take::Avg => "average",
            Take::Min => "minimum",
            Take::Max => "maximum",
            Take::Sum => "sum",
            Take::Percentile(_) => "percentile",
        }
    }

    /// The one number of a window; `None` when it has no values.
    fn of(self, seen: &Partial) -> Option<f64> {
        match self {
            Take::Last => seen.last.map(|last| last.value),
            Take::Avg => seen.mean(),
            Take::Min => (seen.count > 0).then_some(seen.min),
            Take::Max => (seen.count > 0).then_some(seen.max),
            Take::Sum => (seen.count > 0).then_some(seen.sum),
            Take::Percentile(share) => seen.sketch.as_ref()?.percentile(share * 100.0),
        }
    }
}
