//! What the engine says: an alert went from one state to another, and why.
//!
//! Enters: nothing. Leaves: [`Transition`], complete in itself: text is rendered, numbers and sample lines are in it,
//! so that its receivers need neither the rule nor the events.

use std::fmt;

use event::Timestamp;
use serde::{Deserialize, Serialize};

use crate::rule::Priority;

/// Where an alert stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AlertState {
    /// The condition does not hold.
    Inactive,
    /// The condition holds, not yet for as long as `for` asks.
    Pending,
    /// The alert is on.
    Firing,
    /// The alert was on and is over; the next state is inactive without a further word.
    Resolved,
}

impl AlertState {
    /// The word in metrics, configuration and messages.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            AlertState::Inactive => "inactive",
            AlertState::Pending => "pending",
            AlertState::Firing => "firing",
            AlertState::Resolved => "resolved",
        }
    }
}

impl fmt::Display for AlertState {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(self.as_str())
    }
}

/// Why an alert changed its state.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Reason {
    /// Events say that the condition holds.
    ConditionMet,
    /// Nothing came where something was due, and the view is whole.
    Silent,
    /// The shipper that vouched for the group is not heard any more.
    ViewLost,
    /// The condition ended before `for` was over.
    RecoveredBeforeFor,
    /// Events say that the condition does not hold any more.
    Recovered,
    /// There are too few events to say that the condition still holds.
    NoData,
    /// A shipper's heartbeat is missing.
    HeartbeatMissing,
    /// The shipper's heartbeat is back.
    HeartbeatBack,
    /// Nothing came for so long that the group, or the shipper, is forgotten.
    Expired,
    /// The rule is not there any more.
    RuleRemoved,
    /// The rule's match, groups or condition are others now; what was counted does not fit them.
    RuleChanged,
}

impl Reason {
    /// The word in metrics and messages.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Reason::ConditionMet => "condition_met",
            Reason::Silent => "silent",
            Reason::ViewLost => "view_lost",
            Reason::RecoveredBeforeFor => "recovered_before_for",
            Reason::Recovered => "recovered",
            Reason::NoData => "no_data",
            Reason::HeartbeatMissing => "heartbeat_missing",
            Reason::HeartbeatBack => "heartbeat_back",
            Reason::Expired => "expired",
            Reason::RuleRemoved => "rule_removed",
            Reason::RuleChanged => "rule_changed",
        }
    }
}

impl fmt::Display for Reason {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(self.as_str())
    }
}

/// One step of one alert.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Transition {
    /// The rule's name.
    pub rule: String,
    /// The rule's priority.
    pub priority: Priority,
    /// The group's fields and values, in the order of `group_by`.
    pub group: Vec<(String, String)>,
    /// The alert's name for ever: rule and group, hashed.
    pub fingerprint: u64,
    /// The state before.
    pub from: AlertState,
    /// The state after.
    pub to: AlertState,
    /// When it changed, event time.
    pub at: Timestamp,
    /// Since when the condition has held, event time.
    pub since: Timestamp,
    /// The number that the condition compared.
    pub value: Option<f64>,
    /// What it was compared with.
    pub threshold: Option<f64>,
    /// Why.
    pub reason: Reason,
    /// The numbers in words: `12 of 40 events (30.0 %) in 1m, limit 5 %`.
    pub detail: String,
    /// Up to [`crate::engine::EVIDENCE_MAX`] messages of the events behind it, newest last, each cut at
    /// [`crate::engine::EVIDENCE_BYTES_MAX`].
    pub evidence: Vec<String>,
    /// The rule's labels.
    pub labels: Vec<(String, String)>,
    /// The rule's annotations, rendered.
    pub annotations: Vec<(String, String)>,
    /// One line for a title or a phone call, rendered.
    pub summary: String,
    /// More lines, rendered; may be empty.
    pub description: String,
    /// Where the operator reads what to do.
    pub runbook: Option<String>,
}
