//! A rule as the engine runs it: every query parsed, every template compiled, every number checked.
//!
//! Enters: a rule file's text, through [`load`]. Leaves: [`RuleFile`]s, or every problem with its line and column.
//! Never: a rule that is only half understood; one bad key refuses the file.

use std::time::Duration;

use kql::Query;

use crate::condition::Condition;
use crate::template::Template;

mod case;
mod file;
mod problem;
mod quantity;
#[cfg(test)]
mod test;
mod test_file;

pub use case::{Expectation, Feed, Input, Leaf, RuleTest, RuleTests, State};
pub use file::{GROUP_BY_MAX, HOLD_MAX, NAME_BYTES_MAX, RULES_MAX, distinct, load, schema};
pub(crate) use problem::Problems;
pub use problem::RuleError;
pub(crate) use quantity::Written;
pub use quantity::{Quantity, Unit};
pub use test_file::{TEST_EVENTS_MAX, TEST_SPAN_MAX, load_tests, test_schema};

/// A rule file.
#[derive(Debug, Clone, PartialEq)]
pub struct RuleFile {
    /// The name that the file was loaded under; errors and `/rules` show it.
    pub name: String,
    /// The rules in the file's order; their names are distinct within the file.
    pub rules: Vec<Rule>,
}

/// One rule.
#[derive(Debug, Clone, PartialEq)]
pub struct Rule {
    /// Names the rule in alerts, metrics and routes; distinct in the whole installation.
    pub name: String,
    /// How urgent its alerts are.
    pub priority: Priority,
    /// `match`: the events that the rule looks at.
    pub matches: Query,
    /// The fields whose values tell one alert from another; empty: one alert for all events.
    pub group_by: Vec<String>,
    /// What is judged.
    pub condition: Condition,
    /// `for`: how long the condition must hold before the alert fires; zero: at once.
    pub hold_for: Duration,
    /// How long a firing alert stays after its condition has ended.
    pub keep_firing_for: Duration,
    /// What becomes of an alert whose events stop.
    pub no_data: NoData,
    /// Added to the group's labels of every alert.
    pub labels: Vec<(String, String)>,
    /// Further texts for people, as templates.
    pub annotations: Vec<(String, Template)>,
    /// The line that a notification leads with.
    pub summary: Template,
    /// The longer text.
    pub description: Option<Template>,
    /// Where the operator finds what to do: usually a link.
    pub runbook: Option<String>,
    /// Where the rule starts in its file, counted from 1.
    pub line: u64,
}

/// How urgent an alert is; the order is by urgency: `P0 < P1 < P2 < P3`, P0 first.
#[derive(
    Debug,
    Clone,
    Copy,
    PartialEq,
    Eq,
    PartialOrd,
    Ord,
    Hash,
    serde::Serialize,
    serde::Deserialize,
    schemars::JsonSchema,
)]
pub enum Priority {
    /// Wake somebody: phone, SMS and the group.
    P0,
    /// Tell somebody now: SMS and the group.
    P1,
    /// Tell somebody today: mail.
    P2,
    /// For the record.
    P3,
}

impl Priority {
    /// `P0` to `P3`.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Priority::P0 => "P0",
            Priority::P1 => "P1",
            Priority::P2 => "P2",
            Priority::P3 => "P3",
        }
    }
}

impl std::fmt::Display for Priority {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.write_str(self.as_str())
    }
}

/// What becomes of an alert whose events stop for a window.
#[derive(
    Debug,
    Clone,
    Copy,
    PartialEq,
    Eq,
    Hash,
    Default,
    serde::Serialize,
    serde::Deserialize,
    schemars::JsonSchema,
)]
#[serde(rename_all = "lowercase")]
pub enum NoData {
    /// No events is fine: the alert resolves.
    Ok,
    /// No events says nothing: the alert stays as it is.
    #[default]
    Keep,
    /// No events is as bad as the condition itself.
    Alert,
}
