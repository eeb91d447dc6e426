//! The conditions that a rule can have, as a closed set; each member's file has its config, documents and tests.
//!
//! Enters: the mapping under a rule's `condition` key. Leaves: a [`Condition`] whose numbers have been checked.
//! Never: an event that the rule's `match` did not pick.

pub mod availability;
pub mod count;
pub mod ratio;
mod reading;
pub mod threshold;

pub use availability::Availability;
use availability::AvailabilityConfig;
use count::CountConfig;
pub use count::{Bound, Count};
pub use ratio::Ratio;
use ratio::RatioConfig;
pub use reading::{Reading, Verdict, View};
use threshold::ThresholdConfig;
pub use threshold::{Direction, Take, Threshold};

use std::fmt::Write;
use std::time::Duration;

use event::Event;
use kql::Query;
use schemars::JsonSchema;
use serde::Deserialize;

use crate::rule::{Problems, Unit};
use crate::window::{Measured, STEP_MIN, step};

/// The longest window that a condition may look back over.
pub const WINDOW_MAX: Duration = Duration::from_hours(24);

/// What a rule judges; one member for each key that may stand under `condition`.
#[derive(Debug, Clone, PartialEq)]
pub enum Condition {
    /// No successful probe.
    Availability(Availability),
    /// A share of the events that match a second query.
    Ratio(Ratio),
    /// A field's value, or its average, percentile and so on.
    Threshold(Threshold),
    /// A number of events.
    Count(Count),
}

impl Condition {
    /// The query that tells the narrower set apart, if there is one.
    #[must_use]
    pub fn inner(&self) -> Option<&Query> {
        match self {
            Condition::Availability(condition) => Some(&condition.up),
            Condition::Ratio(condition) => Some(&condition.of),
            Condition::Count(condition) => condition.of.as_ref(),
            Condition::Threshold(_) => None,
        }
    }

    /// What the condition counts of `event`; `is_inner`: the event matches [`Condition::inner`]. `None`: nothing.
    #[must_use]
    pub fn measure(&self, event: &Event, is_inner: bool) -> Option<Measured> {
        let plain = Measured { is_matched: is_inner, value: None, is_sketched: false, is_state: false };
        match self {
            Condition::Availability(_) => Some(Measured { is_state: true, ..plain }),
            Condition::Ratio(_) => Some(plain),
            Condition::Count(condition) => {
                (is_inner || condition.of.is_none()).then_some(Measured { is_matched: true, ..plain })
            }
            Condition::Threshold(condition) => {
                let value = event.number(&condition.field).filter(|value| value.is_finite())?;
                Some(Measured {
                    is_matched: !condition.is_beyond(value),
                    value: Some(value),
                    is_sketched: matches!(condition.take, Take::Percentile(_)),
                    is_state: condition.take == Take::Last,
                })
            }
        }
    }

    /// Does an event that was measured so speak for the alert? Its message is shown then.
    #[must_use]
    pub fn is_evidence(&self, measured: Measured) -> bool {
        match self {
            Condition::Availability(_) | Condition::Threshold(_) => !measured.is_matched,
            Condition::Ratio(_) | Condition::Count(_) => measured.is_matched,
        }
    }

    /// Judges the group at a bucket edge.
    #[must_use]
    pub fn judge(&self, view: &View<'_>) -> Reading {
        match self {
            Condition::Availability(condition) => condition.judge(view),
            Condition::Ratio(condition) => condition.judge(view),
            Condition::Threshold(condition) => condition.judge(view),
            Condition::Count(condition) => condition.judge(view),
        }
    }

    /// The reading's numbers in words; `since`: when the alert's condition began to hold, as its readers write times.
    #[must_use]
    pub fn detail(&self, reading: &Reading, since: &str) -> String {
        let mut text = String::new();
        match self {
            Condition::Availability(condition) => condition.detail(reading, since, &mut text),
            Condition::Ratio(condition) => condition.detail(reading, &mut text),
            Condition::Threshold(condition) => condition.detail(reading, &mut text),
            Condition::Count(condition) => condition.detail(reading, &mut text),
        }
        text
    }

    /// How far back an event still counts.
    #[must_use]
    pub fn window(&self) -> Duration {
        match self {
            Condition::Availability(condition) => condition.window,
            Condition::Ratio(condition) => condition.window,
            Condition::Threshold(condition) => condition.window,
            Condition::Count(condition) => condition.window,
        }
    }

    /// The width of the buckets. A state (up or down, the last value) is followed by the second.
    #[must_use]
    pub fn step(&self) -> Duration {
        if self.is_state() { STEP_MIN } else { step(self.window()) }
    }

    /// The condition follows a state that the newest event tells, and needs no older ones.
    #[must_use]
    pub fn is_state(&self) -> bool {
        match self {
            Condition::Availability(_) => true,
            Condition::Threshold(condition) => condition.take == Take::Last,
            Condition::Ratio(_) | Condition::Count(_) => false,
        }
    }

    /// A lost view counts as the condition itself: a host that is gone cannot vouch for its service.
    #[must_use]
    pub fn outlives_view(&self) -> bool {
        matches!(self, Condition::Availability(_))
    }

    /// May the condition hold before any event came?
    #[must_use]
    pub fn is_absence(&self) -> bool {
        matches!(self, Condition::Count(Count { bound: Bound::Below(_) | Bound::AtMost(_), .. }))
    }

    /// The number that the value is compared with.
    #[must_use]
    pub fn limit(&self) -> Option<f64> {
        match self {
            Condition::Availability(_) => None,
            Condition::Ratio(condition) => Some(condition.above),
            Condition::Threshold(condition) => Some(condition.limit.value),
            #[expect(clippy::cast_precision_loss, reason = "a limit on a count of events is far below 2^53")]
            Condition::Count(condition) => Some(condition.bound.limit() as f64),
        }
    }

    /// How value and limit print.
    #[must_use]
    pub fn unit(&self) -> Unit {
        match self {
            Condition::Ratio(_) => Unit::Percent,
            Condition::Threshold(condition) => condition.limit.unit,
            Condition::Availability(_) | Condition::Count(_) => Unit::Number,
        }
    }

    /// Equal for conditions that count the same and judge alike; the same in every version of this crate, because
    /// snapshots hold it.
    #[must_use]
    pub fn identity(&self) -> String {
        let mut text = String::new();
        let _ = match self {
            Condition::Availability(Availability { up, window }) => {
                write!(text, "availability|{up}|{}", window.as_nanos())
            }
            Condition::Ratio(Ratio { of, above, recover_below, window, min_events }) => {
                write!(text, "ratio|{of}|{above}|{recover_below}|{}|{min_events}", window.as_nanos())
            }
            Condition::Threshold(Threshold { field, take, direction, limit, recover, window }) => {
                let (limit, window) = (limit.value, window.as_nanos());
                write!(text, "threshold|{field}|{take:?}|{direction:?}|{limit}|{recover:?}|{window}")
            }
            Condition::Count(Count { of, bound, window }) => {
                let of = of.as_ref().map(ToString::to_string);
                write!(text, "count|{of:?}|{bound:?}|{}", window.as_nanos())
            }
        };
        text
    }
}

/// What is judged; exactly one key.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum ConditionConfig {
    /// No successful probe.
    Availability(AvailabilityConfig),
    /// A share of the events that match a second query.
    Ratio(RatioConfig),
    /// A field's value, or one number made of its values in a window.
    Threshold(ThresholdConfig),
    /// A number of events.
    Count(CountConfig),
}

impl ConditionConfig {
    /// Checks what types cannot; `None` when the condition cannot be made.
    pub(crate) fn check(&self, problems: &mut Problems<'_>) -> Option<Condition> {
        match self {
            ConditionConfig::Availability(config) => config.check(problems).map(Condition::Availability),
            ConditionConfig::Ratio(config) => config.check(problems).map(Condition::Ratio),
            ConditionConfig::Threshold(config) => config.check(problems).map(Condition::Threshold),
            ConditionConfig::Count(config) => config.check(problems).map(Condition::Count),
        }
    }
}
