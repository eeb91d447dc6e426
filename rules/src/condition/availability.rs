//! `availability`: no successful probe.
//!
//! Enters: the key's mapping. Leaves: an [`Availability`]. Never: a guess about a service that nobody probes.

use std::fmt::Write;
use std::time::Duration;

use kql::Query;
use schemars::JsonSchema;
use serde::Deserialize;
use yaml::{Span, Spanned};

use crate::condition::{Reading, Verdict, View};
use crate::rule::Problems;

/// Holds while the newest probe result is not `up`, and also when no result at all came for `window`: a host that is
/// gone cannot vouch for its service.
#[derive(Debug, Clone, PartialEq)]
pub struct Availability {
    /// Picks the successful results among the events of the rule's `match`.
    pub up: Query,
    /// How long silence is tolerated before it counts as not available.
    pub window: Duration,
}

impl Availability {
    /// The newest result decides; a result of `up` lasts for `window`.
    pub(crate) fn judge(&self, view: &View<'_>) -> Reading {
        let seen = view.ring.all_before(view.edge);
        let due = seen.last.map(|last| last.at.plus(self.window));
        let (verdict, since, next) = match (seen.unmatched_since(), due) {
            (Some(since), _) => (Verdict::Holds, Some(since), None),
            (None, Some(due)) if due <= view.edge => (Verdict::Absent, Some(due), None),
            (None, Some(due)) => (Verdict::Ended, seen.last_matched, Some(due)),
            (None, None) => (Verdict::NoData, None, None),
        };
        let ended = seen.last_matched;
        Reading { verdict, since, ended, value: None, matched: seen.matched, count: seen.count, next }
    }

    pub(crate) fn detail(&self, reading: &Reading, since: &str, out: &mut String) {
        let _ = match reading.verdict {
            Verdict::Holds => write!(out, "no successful probe since {since}"),
            Verdict::Absent => write!(out, "no probe result for {}", Span(self.window)),
            Verdict::Ended | Verdict::NoData => write!(out, "the newest probe was successful"),
        };
    }
}

/// No successful probe.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct AvailabilityConfig {
    /// KQL: the successful results among the events of the rule's `match`, such as `monitor.status: up`.
    #[schemars(with = "String")]
    up: Spanned<String>,
    /// How long the newest result counts; after that, silence counts as not available. Default: `1m`.
    #[schemars(with = "Option<Span>")]
    window: Option<Spanned<Span>>,
}

impl AvailabilityConfig {
    pub(crate) fn check(&self, problems: &mut Problems<'_>) -> Option<Availability> {
        let window = problems.window(self.window.as_ref(), Duration::from_mins(1));
        Some(Availability { up: problems.query(&self.up)?, window })
    }
}
