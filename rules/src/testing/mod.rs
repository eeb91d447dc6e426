//! Runs the tests of a rule file: the very engine, a clock that the test moves.
//!
//! Enters: rules and a [`RuleTest`]. Leaves: an [`Outcome`]; where it failed, a difference that shows what was
//! expected, what happened, and when. Never: a wait; a day of test time takes milliseconds.

mod compare;
#[cfg(test)]
mod tests;

use std::time::Duration;

use event::decode::{Received, decode};
use event::{Event, Timestamp};

use crate::engine::{Engine, Input};
use crate::rule::{Input as Arrival, Rule, RuleTest};
use crate::settings::Settings;
use crate::transition::Transition;

/// Every test starts at 2026-01-01T00:00:00Z; templates that print a time print it after this.
pub const START: Timestamp = Timestamp::from_secs(1_767_225_600);

/// What came of one test.
#[derive(Debug, Clone, PartialEq)]
pub struct Outcome {
    /// The test's name.
    pub name: String,
    /// Where it starts in its file.
    pub line: u64,
    /// What differs, as lines of text; `None`: the test passed.
    pub difference: Option<String>,
    /// Everything that the engine said until the test's end, pending included.
    pub transitions: Vec<Transition>,
}

/// Runs `test` against `rules`, as `settings` say.
#[must_use]
pub fn run(rules: &[Rule], test: &RuleTest, settings: &Settings) -> Outcome {
    let transitions = play(rules, test, settings);
    let difference = compare::difference(&test.expect, &transitions);
    Outcome { name: test.name.clone(), line: test.line, difference, transitions }
}

/// Feeds the test's events, each at its own time, and lets the clock run until everything up to the end is decided.
fn play(rules: &[Rule], test: &RuleTest, settings: &Settings) -> Vec<Transition> {
    let mut arrivals: Vec<(Duration, &Arrival)> =
        test.events.iter().flat_map(|feed| feed.times().map(|at| (at, &feed.input))).collect();
    arrivals.sort_by_key(|(at, _)| *at);

    let mut engine = Engine::new(rules.to_vec(), settings.clone());
    let mut said = Vec::new();
    engine.handle(Input::CaughtUp(true), START, &mut said);
    for (offset, (at, input)) in (0..).zip(arrivals) {
        let now = START.plus(at);
        run_clock(&mut engine, now, &mut said);
        engine.handle(Input::Event(&event(input, now, offset)), now, &mut said);
    }
    let end = START.plus(test.until);
    run_clock(
        &mut engine,
        end.plus(settings.idle).plus(settings.grace).plus(Duration::from_secs(1)),
        &mut said,
    );
    said.retain(|transition| transition.at <= end);
    said
}

fn run_clock(engine: &mut Engine, until: Timestamp, said: &mut Vec<Transition>) {
    while let Some(at) = engine.deadline().filter(|&at| at < until) {
        engine.tick(at, said);
    }
    engine.tick(until, said);
}

fn event(input: &Arrival, now: Timestamp, offset: i64) -> Event {
    match input {
        Arrival::Line(line) => {
            let mut event = Event::default();
            let payload = line.as_bytes();
            decode(&Received { topic: "test", partition: 0, offset, timestamp: now, payload }, &mut event);
            event
        }
        Arrival::Event(_) => input.to_event(now),
    }
}
