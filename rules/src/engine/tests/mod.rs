//! The engine under a clock that the tests move. Seconds are counted from [`START`].
//!
//! Enters: a story: what arrives when. Leaves: what the engine said, one line for each transition.

mod absence;
mod bounds;
mod judgement;
mod property;
mod restart;
mod time;

use std::time::Duration;

use event::{Event, EventId, Heartbeat, StreamId, Timestamp, Value, heartbeat::Ledger};
use jiff::tz::TimeZone;
use kql::Query;

use super::{Engine, Input};
use crate::condition::{Availability, Bound, Condition, Count, Direction, Ratio, Take, Threshold};
use crate::rule::{NoData, Priority, Quantity, Rule, Unit};
use crate::settings::Settings;
use crate::template::Template;
use crate::transition::Transition;

pub const START: Timestamp = Timestamp::from_secs(1_767_225_600);

pub fn query(text: &str) -> Query {
    Query::parse(text).unwrap()
}

pub fn rule(name: &str, matches: &str, group_by: &[&str], hold_for: u64, condition: Condition) -> Rule {
    Rule {
        name: name.to_owned(),
        priority: Priority::P1,
        matches: query(matches),
        group_by: group_by.iter().map(ToString::to_string).collect(),
        condition,
        hold_for: Duration::from_secs(hold_for),
        keep_firing_for: Duration::ZERO,
        no_data: NoData::Keep,
        labels: vec![("team".to_owned(), "shop".to_owned())],
        annotations: vec![],
        summary: Template::compile("{{ rule }} is {{ state }}").unwrap(),
        description: None,
        runbook: None,
        line: 1,
    }
}

/// Probes that are silent for 30 s count as down.
pub fn down(hold_for: u64) -> Rule {
    let up = query("monitor.status: up");
    let condition = Condition::Availability(Availability { up, window: Duration::from_secs(30) });
    rule("down", "monitor.id: *", &["service.name"], hold_for, condition)
}

/// Errors above 5 % in a minute.
pub fn errors(hold_for: u64, min_events: u64) -> Rule {
    let condition = Condition::Ratio(Ratio {
        of: query("log.level: (error or fatal)"),
        above: 0.05,
        recover_below: 0.05,
        window: Duration::from_secs(60),
        min_events,
    });
    rule("errors", "service.name: * and log.level: *", &["service.name"], hold_for, condition)
}

pub fn heap(take: Take, recover: Option<f64>, hold_for: u64) -> Rule {
    let condition = Condition::Threshold(Threshold {
        field: "heap".to_owned(),
        take,
        direction: Direction::Above,
        limit: Quantity { value: 0.85, unit: Unit::Percent },
        recover,
        window: Duration::from_secs(60),
    });
    rule("heap", "heap: *", &["service.name"], hold_for, condition)
}

pub fn count(bound: Bound, group_by: &[&str], hold_for: u64) -> Rule {
    let condition = Condition::Count(Count { of: None, bound, window: Duration::from_secs(60) });
    rule("count", "order: *", group_by, hold_for, condition)
}

/// An engine and its clock. Every host has one stream, whose records come in order.
pub struct Story {
    pub engine: Engine,
    pub now: Timestamp,
    pub said: Vec<Transition>,
    pub offset: u64,
}

impl Story {
    /// Begins at second zero with a queue that is read to its end.
    pub fn new(rules: Vec<Rule>) -> Self {
        Story::with(rules, Settings::default())
    }

    pub fn with(rules: Vec<Rule>, settings: Settings) -> Self {
        let engine = Engine::new(rules, settings);
        let mut story = Story { engine, now: START, said: Vec::new(), offset: 0 };
        story.caught_up(true);
        story
    }

    /// Lets the wall clock come to `second`, with a tick at each deadline.
    pub fn at(&mut self, second: u64) -> &mut Self {
        let until = START.plus(Duration::from_secs(second));
        while let Some(at) = self.engine.deadline().filter(|&at| at < until) {
            self.engine.tick(at, &mut self.said);
        }
        self.engine.tick(until, &mut self.said);
        self.now = until;
        self
    }

    pub fn caught_up(&mut self, is_caught_up: bool) -> &mut Self {
        self.engine.handle(Input::CaughtUp(is_caught_up), self.now, &mut self.said);
        self
    }

    /// An event of `second`, received now.
    pub fn event_of(&mut self, second: u64, fields: &[(&str, Value<'_>)]) -> &mut Self {
        self.offset += 1;
        let event = event(second * 1000, self.offset, fields);
        self.engine.handle(Input::Event(&event), self.now, &mut self.said);
        self
    }

    /// An event of now.
    pub fn event(&mut self, fields: &[(&str, Value<'_>)]) -> &mut Self {
        let second = self.now.since(START).as_secs();
        self.event_of(second, fields)
    }

    pub fn probe(&mut self, status: &str) -> &mut Self {
        self.event(&probe("a", status))
    }

    /// `errors` of `total` events, all now.
    pub fn logs(&mut self, errors: u64, total: u64) -> &mut Self {
        for at in 0..total {
            let level = if at < errors { "error" } else { "info" };
            self.event(&log("a", level));
        }
        self
    }

    /// A heartbeat of host `a`, due each 10 s.
    pub fn beat(&mut self, oldest_unshipped: Option<u64>) -> &mut Self {
        self.beat_of("a", self.now, oldest_unshipped)
    }

    pub fn beat_of(&mut self, host: &str, at: Timestamp, oldest_unshipped: Option<u64>) -> &mut Self {
        let event = beat(host, at, oldest_unshipped.map(|second| START.plus(Duration::from_secs(second))));
        self.engine.handle(Input::Event(&event), self.now, &mut self.said);
        self
    }

    /// Everything said since the last call must be this: `second rule state reason`, with the group's values
    /// where the group is not the usual one.
    pub fn expect(&mut self, expected: &[&str]) -> &mut Self {
        let said: Vec<String> = self.said.drain(..).map(|said| line(&said)).collect();
        assert_eq!(said, expected);
        self
    }
}

pub fn line(said: &Transition) -> String {
    let millis = said.at.as_millis() - START.as_millis();
    let at = if millis % 1000 == 0 { (millis / 1000).to_string() } else { format!("{millis}ms") };
    let values: Vec<&str> = said.group.iter().map(|(_, value)| value.as_str()).collect();
    let group = if values == ["shop"] || values.is_empty() {
        String::new()
    } else {
        format!(" {}", values.join(","))
    };
    format!("{at} {} {}{group} {}", said.rule, said.to, said.reason)
}

pub fn event(millis: u64, offset: u64, fields: &[(&str, Value<'_>)]) -> Event {
    let mut event = Event::new(START.plus(Duration::from_millis(millis)));
    let host = fields.iter().find(|(path, _)| *path == "host.name").map(|(_, value)| format!("{value:?}"));
    let stream = StreamId::derive(&[host.unwrap_or_default().as_bytes()]);
    event.set_id(EventId { stream, offset });
    for &(path, value) in fields {
        event.push(path, value);
    }
    event
}

pub fn beat(host: &str, at: Timestamp, oldest_unshipped: Option<Timestamp>) -> Event {
    let heartbeat = Heartbeat {
        host: host.to_owned(),
        agent: format!("agent of {host}"),
        at,
        every: Duration::from_secs(10),
        services: vec!["shop".to_owned()],
        streams: 1,
        backlog_bytes: 0,
        oldest_unshipped,
        ledger: Ledger::default(),
    };
    let mut payload = Vec::new();
    heartbeat.encode(&mut payload);
    let mut event = Event::default();
    let offset = at.as_millis();
    let record = event::decode::Received {
        topic: "beats",
        partition: i32::from(host.as_bytes()[0]),
        offset,
        timestamp: at,
        payload: &payload,
    };
    event::decode::decode(&record, &mut event);
    event
}

pub type Fields<'a, const N: usize> = [(&'a str, Value<'a>); N];

pub fn probe<'a>(host: &'a str, status: &'a str) -> Fields<'a, 5> {
    [
        ("host.name", Value::Text(host)),
        ("service.name", Value::Text("shop")),
        ("monitor.id", Value::Text("p")),
        ("monitor.status", Value::Text(status)),
        ("message", Value::Text("probe of shop")),
    ]
}

pub fn log<'a>(host: &'a str, level: &'a str) -> Fields<'a, 4> {
    [
        ("host.name", Value::Text(host)),
        ("service.name", Value::Text("shop")),
        ("log.level", Value::Text(level)),
        ("message", Value::Text("a line")),
    ]
}

pub fn used(share: f64) -> Fields<'static, 3> {
    [("host.name", Value::Text("a")), ("service.name", Value::Text("shop")), ("heap", Value::Float(share))]
}

pub fn order(service: &str) -> Fields<'_, 3> {
    [("host.name", Value::Text("a")), ("service.name", Value::Text(service)), ("order", Value::Int(1))]
}

#[test]
fn a_transition_says_all() {
    let mut story = Story::with(vec![errors(0, 20)], Settings { zone: TimeZone::UTC, ..Settings::default() });
    story.at(10).logs(6, 40);
    story.at(20).logs(0, 1);
    story.at(60);
    let said = story.said.first().unwrap();
    assert_eq!(said.rule, "errors");
    assert_eq!(said.priority, Priority::P1);
    assert_eq!(said.group, [("service.name".to_owned(), "shop".to_owned())]);
    assert_eq!(said.detail, "6 of 40 events (15%) in 1m, limit 5%");
    assert_eq!((said.value, said.threshold), (Some(0.15), Some(0.05)));
    assert_eq!(said.evidence, ["a line", "a line", "a line"]);
    assert_eq!(said.summary, "errors is firing");
    assert_eq!(said.labels, [("team".to_owned(), "shop".to_owned())]);
    let text = serde_json::to_string(said).unwrap();
    assert_eq!(serde_json::from_str::<Transition>(&text).unwrap(), *said);
    let views: Vec<_> = story.engine.alerts().collect();
    assert_eq!(views.len(), 1);
    assert_eq!(views[0].last, said);
}

#[test]
fn a_page_shows_whole_seconds_of_the_readers_zone() {
    let zone = TimeZone::get("Asia/Shanghai").unwrap();
    let mut story = Story::with(vec![down(0)], Settings { zone, ..Settings::default() });
    let down = event(250, 1, &probe("a", "down"));
    story.engine.handle(Input::Event(&down), START, &mut story.said);
    story.beat_of("a", START.plus(Duration::from_nanos(853_263_166)), None).at(100);
    let words: Vec<_> = story.said.iter().map(|said| (said.detail.as_str(), said.summary.as_str())).collect();
    assert_eq!(words[1].0, "no successful probe since 2026-01-01 08:00:00 +08:00");
    let (_, summary) = words[0];
    assert_eq!(
        summary,
        "no heartbeat from a since 2026-01-01 08:00:00 +08:00: nobody knows how its services are"
    );
    story.beat(None);
    assert_eq!(story.said.last().unwrap().detail, "heartbeat at 2026-01-01 08:01:40 +08:00");
}
