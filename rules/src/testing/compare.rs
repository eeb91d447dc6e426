//! Expected and actual transitions, side by side.
//!
//! Enters: both lists. Leaves: nothing when they agree, else lines: `  ` both, `- ` expected only, `+ ` happened only.
//! Never: a difference about what the test did not ask for.

use std::fmt::Write;

use yaml::Span;

use super::START;
use crate::rule::{Expectation, State};
use crate::transition::{AlertState, Transition};

/// How `actual` differs from `expected`; `None` when it does not. Transitions to pending count when the test names
/// one; those back to inactive never do.
pub(super) fn difference(expected: &[Expectation], actual: &[Transition]) -> Option<String> {
    let has_pending = expected.iter().any(|expectation| expectation.state == State::Pending);
    let mut left: Vec<&Transition> = actual
        .iter()
        .filter(|transition| match transition.to {
            AlertState::Firing | AlertState::Resolved => true,
            AlertState::Pending => has_pending,
            AlertState::Inactive => false,
        })
        .collect();
    let mut lines = Vec::new();
    for expectation in expected {
        let at = START.plus(expectation.at);
        let found = left.iter().position(|transition| is_met(expectation, transition));
        let mark = if found.is_some() { "  " } else { "- " };
        lines.push((at, format!("{mark}{}", expected_line(expectation))));
        if let Some(found) = found {
            left.remove(found);
        }
    }
    if left.is_empty() && lines.iter().all(|(_, line)| line.starts_with("  ")) {
        return None;
    }
    lines
        .extend(left.into_iter().map(|transition| (transition.at, format!("+ {}", actual_line(transition)))));
    lines.sort_by_key(|(at, _)| *at);
    let lines: Vec<String> = lines.into_iter().map(|(_, line)| line).collect();
    Some(lines.join("\n"))
}

fn is_met(expectation: &Expectation, transition: &Transition) -> bool {
    START.plus(expectation.at) == transition.at
        && expectation.rule == transition.rule
        && expectation.state.as_str() == transition.to.as_str()
        && expectation.group.iter().all(|pair| transition.group.contains(pair))
        && expectation.summary.as_ref().is_none_or(|summary| *summary == transition.summary)
        && expectation.reason.as_ref().is_none_or(|reason| reason == transition.reason.as_str())
}

fn expected_line(expectation: &Expectation) -> String {
    let Expectation { at, rule, state, group, summary, reason, line } = expectation;
    let mut text = head(Span(*at), rule, state.as_str(), group);
    if let Some(reason) = reason {
        let _ = write!(text, " reason={reason}");
    }
    if let Some(summary) = summary {
        let _ = write!(text, " summary={summary:?}");
    }
    let _ = write!(text, "   (line {line})");
    text
}

fn actual_line(transition: &Transition) -> String {
    let Transition { at, rule, to, group, summary, reason, detail, .. } = transition;
    let mut text = head(Span(at.since(START)), rule, to.as_str(), group);
    let _ = write!(text, " reason={reason} summary={summary:?}   ({detail})");
    text
}

fn head(at: Span, rule: &str, state: &str, group: &[(String, String)]) -> String {
    let mut text = format!("{:>8} {rule} {state}", at.to_string());
    for (field, value) in group {
        let _ = write!(text, " {field}={value}");
    }
    text
}
