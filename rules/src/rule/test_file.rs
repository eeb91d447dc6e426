//! A rule test file as it is written, and the way to checked tests.
//!
//! Enters: the text of a file such as `rules/default/availability.test.yml`. Leaves: [`RuleTests`], or every problem.
//! Never: a test that expects nothing at all without saying so.

use std::collections::BTreeMap;
use std::time::Duration;

use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::{Map, Value};
use yaml::{Place, Span, Spanned};

use super::{Expectation, Feed, Input, Leaf, Problems, RuleError, RuleTest, RuleTests, State};

/// Events that one test may feed.
pub const TEST_EVENTS_MAX: u128 = 100_000;
/// The longest time that one test may cover.
pub const TEST_SPAN_MAX: Duration = Duration::from_hours(7 * 24);

/// A rule test file: `availability.test.yml` tests the rules of `availability.yml` beside it.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(title = "Watchfire rule tests")]
struct TestFileConfig {
    /// The tests.
    #[schemars(with = "Vec<TestConfig>")]
    tests: Vec<Spanned<TestConfig>>,
}

/// One test: what arrives, and all that has to come of it.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct TestConfig {
    /// What the test shows; distinct in its file.
    #[schemars(with = "String")]
    name: Spanned<String>,
    /// What arrives, and when.
    #[schemars(with = "Vec<FeedConfig>")]
    events: Vec<Spanned<FeedConfig>>,
    /// How long the clock runs. Default: to the last event or expectation.
    #[schemars(with = "Option<Span>")]
    until: Option<Spanned<Span>>,
    /// All transitions to firing and resolved, in order. Those to pending are compared only when one is listed.
    #[serde(default)]
    #[schemars(with = "Vec<ExpectConfig>")]
    expect: Vec<Spanned<ExpectConfig>>,
    /// `true` in place of `expect`: no alert may fire.
    #[schemars(with = "Option<bool>")]
    expect_none: Option<Spanned<bool>>,
}

/// An event that arrives once (`at`), or again and again (`from`, `to`, `every`).
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct FeedConfig {
    /// When it arrives, after the test's start.
    at: Option<Span>,
    /// When it first arrives.
    from: Option<Span>,
    /// No later than this it arrives for the last time.
    to: Option<Span>,
    /// The time between two arrivals.
    every: Option<Span>,
    /// Its fields, by dotted name or nested.
    event: Option<Map<String, Value>>,
    /// In place of `event`: a record as it would stand in Kafka, JSON or plain text.
    line: Option<String>,
}

/// One transition that has to happen.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct ExpectConfig {
    /// When, exactly, after the test's start.
    at: Span,
    /// Of which rule.
    rule: String,
    /// Into which state. Default: `firing`.
    state: Option<State>,
    /// The group's fields; those that are not listed may be anything.
    #[serde(default)]
    group: BTreeMap<String, String>,
    /// The summary as it is sent, when it matters.
    summary: Option<String>,
    /// The named reason, when it matters.
    reason: Option<String>,
}

/// Reads a rule test file; `name` stands for it in errors.
///
/// # Errors
/// [`RuleError`] with every problem found.
pub fn load_tests(name: &str, text: &str) -> Result<RuleTests, RuleError> {
    let config: TestFileConfig = yaml::parse(name, text)?;
    let mut problems = Problems::new(name, text);
    let mut lines: BTreeMap<String, u64> = BTreeMap::new();
    let mut tests = Vec::new();
    for test in &config.tests {
        let test_name = &test.value.name;
        let line = Place::of(test).line;
        if let Some(first) = lines.insert(test_name.value.clone(), line) {
            problems.add(
                test_name,
                format!("test `{}` is already in line {first}: names are distinct", test_name.value),
            );
        }
        tests.push(check(test, line, &mut problems));
    }
    problems.finish(RuleTests { name: name.to_owned(), tests })
}

/// The JSON Schema of rule test files, for editors.
#[must_use]
pub fn test_schema() -> serde_json::Value {
    schemars::schema_for!(TestFileConfig).to_value()
}

fn check(test: &Spanned<TestConfig>, line: u64, problems: &mut Problems<'_>) -> RuleTest {
    let config = &test.value;
    let events: Vec<Feed> = config.events.iter().filter_map(|feed| feed_of(feed, problems)).collect();
    let expect: Vec<Expectation> = config.expect.iter().map(expectation).collect();
    check_expectations(test, &expect, problems);
    let fed: u128 = events.iter().map(count).sum();
    if fed > TEST_EVENTS_MAX {
        problems.add(&config.name, format!("{fed} events are too many: a test may have {TEST_EVENTS_MAX}"));
    }
    let last_event = events.iter().map(|feed| if feed.every.is_zero() { feed.from } else { feed.to }).max();
    let last_expected = expect.iter().map(|expected| expected.at).max();
    let last = last_event.max(last_expected).unwrap_or_default();
    let until = config.until.as_ref().map_or(last, |until| until.value.0);
    if let Some(written) = &config.until
        && until < last
    {
        problems.add(written, format!("the test goes on until {}: write that or more", Span(last)));
    }
    if until > TEST_SPAN_MAX {
        problems.add(&config.name, format!("a test may cover {} at most", Span(TEST_SPAN_MAX)));
    }
    RuleTest { name: config.name.value.clone(), events, until, expect, line }
}

fn check_expectations(test: &Spanned<TestConfig>, expect: &[Expectation], problems: &mut Problems<'_>) {
    match (&test.value.expect_none, expect.is_empty()) {
        (Some(none), _) if !none.value => {
            problems.add(none, "`expect_none` can only be true: write `expect` instead");
        }
        (Some(none), false) => {
            problems.add(none, "`expect` lists transitions already: remove one of the two");
        }
        (None, true) => {
            let what =
                "a test without `expect` shows nothing: list transitions, or write `expect_none: true`";
            problems.add(&test.value.name, what);
        }
        (Some(_), true) | (None, false) => {}
    }
    for (earlier, expected) in expect.iter().zip(test.value.expect.iter().skip(1)) {
        if expected.value.at.0 < earlier.at {
            problems.add(
                expected,
                format!("{} is before the transition above: list them in order", expected.value.at),
            );
        }
    }
}

fn expectation(config: &Spanned<ExpectConfig>) -> Expectation {
    let line = Place::of(config).line;
    let config = &config.value;
    Expectation {
        at: config.at.0,
        rule: config.rule.clone(),
        state: config.state.unwrap_or(State::Firing),
        group: config.group.iter().map(|(field, value)| (field.clone(), value.clone())).collect(),
        summary: config.summary.clone(),
        reason: config.reason.clone(),
        line,
    }
}

fn feed_of(feed: &Spanned<FeedConfig>, problems: &mut Problems<'_>) -> Option<Feed> {
    let config = &feed.value;
    let input = match (&config.event, &config.line) {
        (Some(fields), None) => Input::Event(leaves(fields)),
        (None, Some(line)) => Input::Line(line.clone()),
        _ => {
            problems.add(feed, "what arrives is one of `event` and `line`");
            return None;
        }
    };
    let times = match (config.at, config.from, config.to, config.every) {
        (Some(Span(at)), None, None, None) => Some((at, at, Duration::ZERO)),
        (None, Some(Span(from)), Some(Span(to)), Some(Span(every))) => Some((from, to, every)),
        _ => None,
    };
    let Some((from, to, every)) = times else {
        problems.add(feed, "write `at`, or all of `from`, `to` and `every`");
        return None;
    };
    if from > to || (config.at.is_none() && every.is_zero()) {
        problems.add(feed, "`from` is no later than `to`, and `every` is more than 0s");
        return None;
    }
    Some(Feed { from, to, every, input })
}

fn count(feed: &Feed) -> u128 {
    (feed.to - feed.from).as_nanos().checked_div(feed.every.as_nanos()).unwrap_or(0) + 1
}

/// The leaves below `fields`, by dotted path.
fn leaves(fields: &Map<String, Value>) -> Vec<(String, Leaf)> {
    let mut found = Vec::new();
    for (name, value) in fields {
        flatten(name, value, &mut found);
    }
    found
}

/// The depth is that of the YAML text, which its reader bounds.
fn flatten(path: &str, value: &Value, found: &mut Vec<(String, Leaf)>) {
    let leaf = match value {
        Value::Object(members) => {
            return members.iter().for_each(|(name, value)| flatten(&format!("{path}.{name}"), value, found));
        }
        Value::Array(members) => return members.iter().for_each(|value| flatten(path, value, found)),
        Value::Null => Leaf::Null,
        Value::Bool(truth) => Leaf::Bool(*truth),
        Value::String(text) => Leaf::Text(text.clone()),
        Value::Number(number) => match number.as_i64() {
            Some(whole) => Leaf::Int(whole),
            None => Leaf::Float(number.as_f64().unwrap_or_default()),
        },
    };
    found.push((path.to_owned(), leaf));
}
