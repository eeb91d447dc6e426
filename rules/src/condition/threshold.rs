//! `threshold`: a field's value, or one number made of its values in a window.
//!
//! Enters: the key's mapping. Leaves: a [`Threshold`]. Never: a value that is not a number.

use std::fmt::Write;
use std::str::FromStr;
use std::time::Duration;

use schemars::JsonSchema;
use serde::Deserialize;
use yaml::{Span, Spanned};

use crate::condition::{Reading, Verdict, View};
use crate::rule::{Problems, Quantity, Written};
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
                (seen.unmatched_since(), seen.last_matched.filter(|_| self.recover.is_none()))
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

/// A field's value, or one number made of its values in a window; exactly one of `above` and `below`.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct ThresholdConfig {
    /// The dotted name of a field that holds a number.
    #[schemars(with = "String")]
    field: Spanned<String>,
    /// What is made of the values: `last`, `avg`, `min`, `max`, `sum`, or a percentile such as `p95`. Default: `last`.
    take: Option<Take>,
    /// Larger values are bad; exactly this one is still fine.
    #[schemars(with = "Option<Written>")]
    above: Option<Spanned<Written>>,
    /// Smaller values are bad; exactly this one is still fine.
    #[schemars(with = "Option<Written>")]
    below: Option<Spanned<Written>>,
    /// Beside `above`: a firing alert recovers only below this.
    #[schemars(with = "Option<Written>")]
    recover_below: Option<Spanned<Written>>,
    /// Beside `below`: a firing alert recovers only above this.
    #[schemars(with = "Option<Written>")]
    recover_above: Option<Spanned<Written>>,
    /// The length of the window; with `last`, how long a value counts. Default: `5m`.
    #[schemars(with = "Option<Span>")]
    window: Option<Spanned<Span>>,
}

impl ThresholdConfig {
    pub(crate) fn check(&self, problems: &mut Problems<'_>) -> Option<Threshold> {
        problems.field(&self.field);
        let window = problems.window(self.window.as_ref(), Duration::from_mins(5));
        let (direction, written, recover, misplaced) = match (&self.above, &self.below) {
            (Some(above), None) => (Direction::Above, above, &self.recover_below, &self.recover_above),
            (None, Some(below)) => (Direction::Below, below, &self.recover_above, &self.recover_below),
            (Some(_), Some(below)) => {
                problems.add(below, "`threshold` has one limit: remove `above` or `below`");
                return None;
            }
            (None, None) => {
                problems.add(&self.field, "`threshold` needs a limit: write `above` or `below`");
                return None;
            }
        };
        if let Some(misplaced) = misplaced {
            problems
                .add(misplaced, "`recover_below` goes with `above`, `recover_above` with `below`: change it");
        }
        let limit = self.quantity(written, problems)?;
        let recover = match recover {
            Some(written) => {
                let recover = self.quantity(written, problems)?;
                if direction.is_beyond(recover.value, limit.value) {
                    problems.add(
                        written,
                        format!("{recover} is beyond the limit itself, {limit}: write a safer value"),
                    );
                }
                Some(recover.value)
            }
            None => None,
        };
        let take = self.take.unwrap_or(Take::Last);
        Some(Threshold { field: self.field.value.clone(), take, direction, limit, recover, window })
    }

    fn quantity(&self, written: &Spanned<Written>, problems: &mut Problems<'_>) -> Option<Quantity> {
        let quantity = written.value.in_field(&self.field.value);
        quantity.map_err(|what| problems.add(written, what)).ok()
    }
}

impl FromStr for Take {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        Ok(match text {
            "last" => Take::Last,
            "avg" => Take::Avg,
            "min" => Take::Min,
            "max" => Take::Max,
            "sum" => Take::Sum,
            _ => {
                let digits = text
                    .strip_prefix('p')
                    .filter(|rest| rest.starts_with(|first: char| first.is_ascii_digit()));
                // Shifting the point in the text keeps what is written: p99.9 is the number nearest to 0.999.
                let share = digits.and_then(|digits| format!("{digits}e-2").parse().ok());
                match share.filter(|share| *share > 0.0 && *share < 1.0) {
                    Some(share) => Take::Percentile(share),
                    None => {
                        return Err(format!(
                            "`{text}` is none of last, avg, min, max, sum, and no percentile such as p95"
                        ));
                    }
                }
            }
        })
    }
}

impl<'de> Deserialize<'de> for Take {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(serde::de::Error::custom)
    }
}

impl JsonSchema for Take {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Take".into()
    }

    fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
        schemars::json_schema!({ "type": "string", "pattern": "^(last|avg|min|max|sum|p[0-9]{1,2}(\\.[0-9]+)?)$" })
    }
}
