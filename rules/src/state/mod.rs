//! The life of one alert: inactive, pending, firing, resolved.
//!
//! Enters: at each bucket edge, whether the condition holds. Leaves: [`Change`]s with their exact event time.
//! Never: a number, a text, a rule. Time is what the caller says it is; edges come in order.

use std::time::Duration;

use event::Timestamp;
use serde::{Deserialize, Serialize};

use crate::transition::{AlertState, Reason};

/// How long is long enough.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Timing {
    /// The condition holds this long before the alert fires; zero fires at once.
    pub pending_for: Duration,
    /// A firing alert stays on this long after the condition ended; zero resolves at once.
    pub keep_firing_for: Duration,
}

/// What is known at a bucket edge.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Observed {
    /// The condition holds, and has held since then.
    Holds {
        /// Since when; not after the edge.
        since: Timestamp,
        /// Why it is said to hold.
        reason: Reason,
    },
    /// The condition does not hold.
    Ended {
        /// Why it is said to have ended.
        reason: Reason,
    },
}

/// One alert. `Default` is inactive.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Alert {
    /// The condition does not hold.
    #[default]
    Inactive,
    /// It holds; `for` runs from `since`.
    Pending {
        /// Since when it holds.
        since: Timestamp,
        /// Why.
        reason: Reason,
    },
    /// The alert is on.
    Firing {
        /// Since when the condition held.
        since: Timestamp,
        /// When the alert fired.
        fired: Timestamp,
        /// When and why the condition ended, while `keep_firing_for` runs.
        ended: Option<(Timestamp, Reason)>,
    },
}

/// A step of the alert.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Change {
    /// State before.
    pub from: AlertState,
    /// State after.
    pub to: AlertState,
    /// When.
    pub at: Timestamp,
    /// Since when the condition held.
    pub since: Timestamp,
    /// Why.
    pub reason: Reason,
}

impl Alert {
    /// Where the alert stands now.
    #[must_use]
    pub fn state(&self) -> AlertState {
        match self {
            Alert::Inactive => AlertState::Inactive,
            Alert::Pending { .. } => AlertState::Pending,
            Alert::Firing { .. } => AlertState::Firing,
        }
    }

    /// Since when the condition holds; `None` while inactive.
    #[must_use]
    pub fn since(&self) -> Option<Timestamp> {
        match *self {
            Alert::Inactive => None,
            Alert::Pending { since, .. } | Alert::Firing { since, .. } => Some(since),
        }
    }

    /// When the running timer ends; `None` when none runs.
    #[must_use]
    pub fn deadline(&self, timing: Timing) -> Option<Timestamp> {
        match *self {
            Alert::Pending { since, .. } => Some(since.plus(timing.pending_for)),
            Alert::Firing { ended: Some((ended, _)), .. } => Some(ended.plus(timing.keep_firing_for)),
            Alert::Inactive | Alert::Firing { .. } => None,
        }
    }

    /// Would what is observed give a pending alert another reason?
    #[must_use]
    pub fn changes_reason(&self, observed: Observed) -> bool {
        match (*self, observed) {
            (Alert::Pending { reason, .. }, Observed::Holds { reason: now, .. }) => reason != now,
            _ => false,
        }
    }

    /// Fires the timer that ends before `edge`: until there, what was observed last has held.
    pub fn tick(&mut self, edge: Timestamp, timing: Timing) -> Option<Change> {
        let due = self.deadline(timing).filter(|&due| due < edge)?;
        match *self {
            Alert::Inactive => None,
            Alert::Pending { since, reason } => Some(self.fire(AlertState::Pending, since, due, reason)),
            Alert::Firing { since, ended, .. } => {
                ended.map(|(_, reason)| self.end(AlertState::Resolved, since, due, reason))
            }
        }
    }

    /// Takes what is known at `edge`; call [`Alert::tick`] with the same edge first.
    pub fn observe(&mut self, edge: Timestamp, observed: Observed, timing: Timing) -> Option<Change> {
        match (*self, observed) {
            (Alert::Inactive, Observed::Ended { .. }) => None,
            (Alert::Inactive, Observed::Holds { since, reason }) => {
                Some(self.begin(edge, since, reason, timing))
            }
            (Alert::Pending { since, .. }, Observed::Holds { reason, .. }) => {
                *self = Alert::Pending { since, reason };
                let is_due = since.plus(timing.pending_for) <= edge;
                is_due.then(|| self.fire(AlertState::Pending, since, edge, reason))
            }
            (Alert::Pending { since, .. }, Observed::Ended { .. }) => {
                Some(self.end(AlertState::Inactive, since, edge, Reason::RecoveredBeforeFor))
            }
            (Alert::Firing { since, fired, .. }, Observed::Holds { .. }) => {
                *self = Alert::Firing { since, fired, ended: None };
                None
            }
            (Alert::Firing { since, fired, ended }, Observed::Ended { reason }) => {
                let (ended, reason) = ended.unwrap_or((edge, reason));
                *self = Alert::Firing { since, fired, ended: Some((ended, reason)) };
                let is_due = ended.plus(timing.keep_firing_for) <= edge;
                is_due.then(|| self.end(AlertState::Resolved, since, edge, reason))
            }
        }
    }

    /// Ends the alert for a reason that lies outside its condition, no earlier than it fired. `None` when it was
    /// inactive.
    pub fn close(&mut self, at: Timestamp, reason: Reason) -> Option<Change> {
        let since = self.since()?;
        let at = if let Alert::Firing { fired, .. } = *self { at.max(fired) } else { at };
        let to = if self.state() == AlertState::Firing { AlertState::Resolved } else { AlertState::Inactive };
        Some(self.end(to, since, at, reason))
    }

    /// A condition that has held for long enough when it is first seen to hold fires at once.
    fn begin(&mut self, edge: Timestamp, since: Timestamp, reason: Reason, timing: Timing) -> Change {
        if since.plus(timing.pending_for) <= edge {
            return self.fire(AlertState::Inactive, since, edge, reason);
        }
        *self = Alert::Pending { since, reason };
        Change { from: AlertState::Inactive, to: AlertState::Pending, at: edge, since, reason }
    }

    fn fire(&mut self, from: AlertState, since: Timestamp, at: Timestamp, reason: Reason) -> Change {
        *self = Alert::Firing { since, fired: at, ended: None };
        Change { from, to: AlertState::Firing, at, since, reason }
    }

    fn end(&mut self, to: AlertState, since: Timestamp, at: Timestamp, reason: Reason) -> Change {
        let from = self.state();
        *self = Alert::Inactive;
        Change { from, to, at, since, reason }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// One letter for each second from 1 on: `+` holds, `-` does not, ` ` nobody looked. `for` and
    /// `keep_firing_for` in seconds. Expected: `from>to@at/since:reason`.
    fn check(pending_for: u64, keep: u64, story: &str, expected: &[&str]) {
        let timing = Timing {
            pending_for: Duration::from_secs(pending_for),
            keep_firing_for: Duration::from_secs(keep),
        };
        let mut alert = Alert::default();
        let mut found = Vec::new();
        let mut began = None;
        for (at, letter) in story.chars().enumerate() {
            let edge = Timestamp::from_secs(at as i64 + 1);
            let observed = match letter {
                '+' => Observed::Holds { since: *began.get_or_insert(edge), reason: Reason::ConditionMet },
                '-' => {
                    began = None;
                    Observed::Ended { reason: Reason::Recovered }
                }
                _ => continue,
            };
            found.extend(alert.tick(edge, timing));
            found.extend(alert.observe(edge, observed, timing));
        }
        let found: Vec<String> = found
            .iter()
            .map(|change| {
                let Change { from, to, at, since, reason } = change;
                format!("{from}>{to}@{}/{}:{reason}", at.as_secs(), since.as_secs())
            })
            .collect();
        assert_eq!(found, expected, "for {pending_for} keep {keep} story {story:?}");
    }

    #[test]
    fn alerts_live_by_their_timers() {
        check(0, 0, "---", &[]);
        check(0, 0, "-+-", &["inactive>firing@2/2:condition_met", "firing>resolved@3/2:recovered"]);
        check(
            3,
            0,
            "-++-",
            &["inactive>pending@2/2:condition_met", "pending>inactive@4/2:recovered_before_for"],
        );
        check(
            3,
            0,
            "-+++-",
            &["inactive>pending@2/2:condition_met", "pending>inactive@5/2:recovered_before_for"],
        );
        check(
            3,
            0,
            "-++++-",
            &[
                "inactive>pending@2/2:condition_met",
                "pending>firing@5/2:condition_met",
                "firing>resolved@6/2:recovered",
            ],
        );
    }

    #[test]
    fn a_timer_fires_at_its_own_moment_however_rare_the_edges() {
        check(
            3,
            0,
            "-+        +",
            &["inactive>pending@2/2:condition_met", "pending>firing@5/2:condition_met"],
        );
        check(
            3,
            0,
            "-+        -",
            &[
                "inactive>pending@2/2:condition_met",
                "pending>firing@5/2:condition_met",
                "firing>resolved@11/2:recovered",
            ],
        );
    }

    #[test]
    fn a_firing_alert_is_kept_over_a_gap() {
        check(0, 3, "+--+--", &["inactive>firing@1/1:condition_met"]);
        check(0, 3, "+----", &["inactive>firing@1/1:condition_met", "firing>resolved@5/1:recovered"]);
        check(0, 3, "+-       -", &["inactive>firing@1/1:condition_met", "firing>resolved@5/1:recovered"]);
    }

    #[test]
    fn a_closed_alert_says_why() {
        let mut alert = Alert::default();
        assert_eq!(alert.close(Timestamp::from_secs(9), Reason::RuleRemoved), None);
        let at = Timestamp::from_secs(1);
        alert = Alert::Firing { since: at, fired: at, ended: None };
        let change = alert.close(Timestamp::from_secs(9), Reason::RuleRemoved).unwrap();
        assert_eq!((change.to, change.reason), (AlertState::Resolved, Reason::RuleRemoved));
        assert_eq!(alert, Alert::Inactive);
    }
}
