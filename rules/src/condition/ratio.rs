//! `ratio`: a share of the events that match a second query.
//!
//! Enters: the key's mapping. Leaves: a [`Ratio`]. Never: an answer from fewer than `min_events` events.

use std::fmt::Write;
use std::time::Duration;

use kql::Query;
use schemars::JsonSchema;
use serde::Deserialize;
use yaml::{Percent, Span, Spanned};

use crate::condition::{Reading, Verdict, View};
use crate::rule::{Problems, Unit};

/// Holds while `events matching of / all events` over `window` is strictly above `above`.
#[derive(Debug, Clone, PartialEq)]
pub struct Ratio {
    /// Picks the events of the numerator among those of the rule's `match`.
    pub of: Query,
    /// The share that must be exceeded, as a fraction in 0..1; exactly this share is still fine.
    pub above: f64,
    /// The share at or below which a firing alert recovers; equals `above` unless the rule says otherwise.
    pub recover_below: f64,
    /// The length of the window.
    pub window: Duration,
    /// With fewer events than this in the window the condition does not hold.
    pub min_events: u64,
}

impl Ratio {
    /// A firing alert is judged by `recover_below` and without `min_events`: a service that loses its traffic in
    /// the middle of an outage has not recovered.
    pub(crate) fn judge(&self, view: &View<'_>) -> Reading {
        let seen = view.ring.between(view.edge.minus(self.window), view.edge);
        let (limit, least) =
            if view.is_firing { (self.recover_below, 1) } else { (self.above, self.min_events.max(1)) };
        let verdict = match seen.count {
            0 => Verdict::NoData,
            count if count >= least && exceeds(seen.matched, count, limit) => Verdict::Holds,
            _ => Verdict::Ended,
        };
        #[expect(
            clippy::cast_precision_loss,
            reason = "counts of events are far below 2^53; for display only"
        )]
        let value = (seen.count > 0).then(|| seen.matched as f64 / seen.count as f64);
        Reading {
            verdict,
            since: None,
            ended: None,
            value,
            matched: seen.matched,
            count: seen.count,
            next: None,
        }
    }

    pub(crate) fn detail(&self, reading: &Reading, out: &mut String) {
        let Reading { matched, count, value, .. } = *reading;
        let _ = write!(out, "{matched} of {count} events");
        if let Some(value) = value {
            let _ = out.write_str(" (");
            let _ = Unit::Percent.write(value, out);
            let _ = out.write_str(")");
        }
        let _ = write!(out, " in {}, limit ", Span(self.window));
        let _ = Unit::Percent.write(self.above, out);
    }
}

/// Is `matched / count` strictly above `share`? Shares are taken to nine decimals and compared as integers, because
/// 29 of 100 is above 29 % in floats.
fn exceeds(matched: u64, count: u64, share: f64) -> bool {
    const PARTS: u32 = 1_000_000_000;
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "a share lies in 0..=1; the cast saturates elsewhere"
    )]
    let share = (share * f64::from(PARTS)).round() as u64;
    u128::from(matched) * u128::from(PARTS) > u128::from(share) * u128::from(count)
}

/// A share of the events that match a second query.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct RatioConfig {
    /// KQL: the events of the numerator among those of the rule's `match`, such as `log.level: (error or fatal)`.
    #[schemars(with = "String")]
    of: Spanned<String>,
    /// The share that has to be exceeded; exactly this share is still fine.
    #[schemars(with = "Percent")]
    above: Spanned<Percent>,
    /// The share at or below which a firing alert recovers. Default: `above`.
    #[schemars(with = "Option<Percent>")]
    recover_below: Option<Spanned<Percent>>,
    /// The length of the window. Default: `1m`.
    #[schemars(with = "Option<Span>")]
    window: Option<Spanned<Span>>,
    /// With fewer events in the window the condition does not hold. Default: 20.
    min_events: Option<u64>,
}

impl RatioConfig {
    pub(crate) fn check(&self, problems: &mut Problems<'_>) -> Option<Ratio> {
        let Percent(above) = self.above.value;
        if above <= 0.0 {
            problems.add(
                &self.above,
                "a share above 0% holds at the first event: write `count: { of: ..., at_least: 1 }`",
            );
        } else if above >= 1.0 {
            problems.add(
                &self.above,
                format!("a share is never above {}: write less than 100%", self.above.value),
            );
        }
        let recover_below = self.recover_below.as_ref().map_or(above, |recover| recover.value.0);
        if let Some(recover) = &self.recover_below
            && recover.value > self.above.value
        {
            let (recovery, limit) = (recover.value, self.above.value);
            problems.add(recover, format!("{recovery} is above the limit itself: write {limit} or less"));
        }
        let window = problems.window(self.window.as_ref(), Duration::from_mins(1));
        let of = problems.query(&self.of)?;
        Some(Ratio { of, above, recover_below, window, min_events: self.min_events.unwrap_or(20) })
    }
}

#[cfg(test)]
mod judge_tests {
    use super::exceeds;

    #[test]
    fn shares_are_compared_exactly() {
        let check = |matched, count, share, expected| {
            assert_eq!(exceeds(matched, count, share), expected, "{matched} of {count} above {share}");
        };
        check(5, 100, 0.05, false);
        check(501, 10_000, 0.05, true);
        check(50_000_000_001, 1_000_000_000_000, 0.05, true);
        check(0, 1, 0.0, false);
        check(1, 1_000_000, 0.0, true);
        check(1, 1, 1.0, false);
        for percent in 0..=100u64 {
            check(percent, 100, percent as f64 / 100.0, false);
            check(percent + 1, 100, percent as f64 / 100.0, true);
        }
    }
}
