//! A change of an alert in words.
//!
//! Enters: rule, group, change and reading. Leaves: a [`Transition`] that needs nothing else to be understood.
//! Never: a lost page; a template that fails gives its fallback text and is counted.

use jiff::tz::TimeZone;

use super::group::Group;
use crate::condition::Reading;
use crate::rule::Rule;
use crate::state::Change;
use crate::template::{self, Context, Template};
use crate::transition::Transition;

/// Words the change, with times in `zone`; `errors` counts templates that failed.
pub fn transition(
    (rule, group): (&Rule, &Group),
    (change, reading): (Change, &Reading),
    zone: &TimeZone,
    errors: &mut u64,
) -> Transition {
    let threshold = rule.condition.limit();
    let context = Context {
        rule: &rule.name,
        priority: rule.priority,
        state: change.to.as_str(),
        group: &group.key,
        labels: &rule.labels,
        value: reading.value,
        threshold,
        unit: rule.condition.unit(),
        since: change.since,
        at: change.at,
        reason: change.reason.as_str(),
        zone,
    };
    let mut render = |template: &Template| {
        let rendered = template.render(&context);
        *errors += u64::from(rendered.error.is_some());
        rendered.text
    };
    let summary = render(&rule.summary);
    let description = rule.description.as_ref().map(&mut render).unwrap_or_default();
    let annotations =
        rule.annotations.iter().map(|(name, template)| (name.clone(), render(template))).collect();
    Transition {
        rule: rule.name.clone(),
        priority: rule.priority,
        group: group.key.clone(),
        fingerprint: group.fingerprint,
        from: change.from,
        to: change.to,
        at: change.at,
        since: change.since,
        value: reading.value,
        threshold,
        reason: change.reason,
        detail: rule.condition.detail(reading, &template::time(change.since, zone)),
        evidence: group.evidence.since(change.since.minus(rule.condition.window())),
        labels: rule.labels.clone(),
        annotations,
        summary,
        description,
        runbook: rule.runbook.clone(),
    }
}

/// The end of an alert whose rule is not at hand any more, in the words of its last transition.
pub fn ended(last: Transition, change: Change) -> Transition {
    let Change { from, to, at, since, reason } = change;
    Transition { from, to, at, since, reason, ..last }
}
