//! Tests of a rule file: events with a clock in, expected transitions out.
//!
//! Enters: a `*.test.yml` beside the rule file, through [`load_tests`](super::load_tests). Leaves: [`RuleTest`]s
//! for a runner. Never: the wall clock; every time is a span after the test's start.

use std::time::Duration;

use event::{Event, Timestamp, Value};

/// A rule test file: `availability.test.yml` tests the rules of `availability.yml`.
#[derive(Debug, Clone, PartialEq)]
pub struct RuleTests {
    /// The name that the file was loaded under.
    pub name: String,
    /// The tests in the file's order; their names are distinct.
    pub tests: Vec<RuleTest>,
}

/// One test.
#[derive(Debug, Clone, PartialEq)]
pub struct RuleTest {
    /// Says what the test shows.
    pub name: String,
    /// What arrives.
    pub events: Vec<Feed>,
    /// How long the clock runs; at least as long as the last event and the last expectation.
    pub until: Duration,
    /// All transitions to firing and resolved, in order; those to pending are compared only when the list has any.
    /// Empty: none may happen.
    pub expect: Vec<Expectation>,
    /// Where the test starts in its file, counted from 1.
    pub line: u64,
}

/// An event that arrives once or again and again.
#[derive(Debug, Clone, PartialEq)]
pub struct Feed {
    /// When it first arrives.
    pub from: Duration,
    /// No later than this it arrives for the last time.
    pub to: Duration,
    /// The step between; zero when it arrives once.
    pub every: Duration,
    /// What arrives.
    pub input: Input,
}

/// What arrives.
#[derive(Debug, Clone, PartialEq)]
pub enum Input {
    /// Fields by dotted path; an array repeats its path.
    Event(Vec<(String, Leaf)>),
    /// One record's bytes as they would stand in Kafka: JSON or plain text.
    Line(String),
}

/// A field's value.
#[derive(Debug, Clone, PartialEq)]
pub enum Leaf {
    /// JSON null.
    Null,
    /// A truth value.
    Bool(bool),
    /// A whole number.
    Int(i64),
    /// Any other number.
    Float(f64),
    /// Text.
    Text(String),
}

/// One transition that must happen.
#[derive(Debug, Clone, PartialEq)]
pub struct Expectation {
    /// When, exactly.
    pub at: Duration,
    /// Of which rule.
    pub rule: String,
    /// Into which state.
    pub state: State,
    /// The group's fields; those that are not listed may be anything.
    pub group: Vec<(String, String)>,
    /// The rendered summary, when given.
    pub summary: Option<String>,
    /// The named reason, when given.
    pub reason: Option<String>,
    /// Where it stands in its file, counted from 1.
    pub line: u64,
}

/// The state that a transition leads to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum State {
    /// The condition holds, `for` is not over.
    Pending,
    /// People are told.
    Firing,
    /// It is over.
    Resolved,
}

impl State {
    /// `pending`, `firing` or `resolved`.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            State::Pending => "pending",
            State::Firing => "firing",
            State::Resolved => "resolved",
        }
    }
}

impl Feed {
    /// The moments of arrival, after the test's start.
    pub fn times(&self) -> impl Iterator<Item = Duration> {
        let last = if self.every.is_zero() { self.from } else { self.to };
        std::iter::successors(Some(self.from), |at| {
            at.checked_add(self.every).filter(|_| !self.every.is_zero())
        })
        .take_while(move |at| *at <= last)
    }
}

impl Input {
    /// The event that arrives at `at`. A line is its `message`; decode it instead where JSON lines are to be read.
    #[must_use]
    pub fn to_event(&self, at: Timestamp) -> Event {
        let mut event = Event::new(at);
        match self {
            Input::Line(line) => event.push("message", Value::Text(line)),
            Input::Event(leaves) => {
                for (path, leaf) in leaves {
                    event.push(path, leaf.as_value());
                }
            }
        }
        event
    }
}

impl Leaf {
    /// The value as events hold it.
    #[must_use]
    pub fn as_value(&self) -> Value<'_> {
        match self {
            Leaf::Null => Value::Null,
            Leaf::Bool(truth) => Value::Bool(*truth),
            Leaf::Int(number) => Value::Int(*number),
            Leaf::Float(number) => Value::Float(*number),
            Leaf::Text(text) => Value::Text(text),
        }
    }
}
