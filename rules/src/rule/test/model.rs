//! What files read as.

use std::time::Duration;

use event::{Timestamp, Value};

use crate::condition::{Bound, Condition, Direction, Take};
use crate::rule::{
    Input, NoData, Priority, Rule, State, Unit, distinct, load, load_tests, schema, test_schema,
};

const SHIPPED: [(&str, &str, &str); 3] = [
    (
        "availability.yml",
        include_str!("../../../default/availability.yml"),
        include_str!("../../../default/availability.test.yml"),
    ),
    (
        "error-rate.yml",
        include_str!("../../../default/error-rate.yml"),
        include_str!("../../../default/error-rate.test.yml"),
    ),
    (
        "jvm-old-gen.yml",
        include_str!("../../../default/jvm-old-gen.yml"),
        include_str!("../../../default/jvm-old-gen.test.yml"),
    ),
];

fn rule(condition: &str) -> Rule {
    let text =
        format!("rules:\n  - name: r\n    priority: P3\n    match: ''\n    condition: {{ {condition} }}\n");
    let file = load("r.yml", &text).unwrap_or_else(|error| panic!("{error}"));
    file.rules.into_iter().next().unwrap()
}

#[test]
fn the_shipped_rules_are_those_of_the_three_tiers() {
    let files: Vec<_> = SHIPPED.iter().map(|(name, rules, _)| load(name, rules).unwrap()).collect();
    let shown: Vec<String> = files
        .iter()
        .flat_map(|file| &file.rules)
        .map(|rule| {
            let fields = rule.group_by.join(",");
            format!("{} {} [{}] by {fields} for {:?}", rule.priority, rule.name, rule.matches, rule.hold_for)
        })
        .collect();
    assert_eq!(
        shown,
        [
            "P0 service-unavailable [monitor.id: *] by service.name for 300s",
            "P1 error-rate [service.name: * and log.level: *] by service.name for 180s",
            "P2 jvm-old-gen [jvm.memory.old.used_pct: *] by service.name,host.name for 60s",
        ]
    );
    assert_eq!(distinct(&files), Ok(()));
}

#[test]
fn every_shipped_rule_has_tests() {
    for (name, rules, tests) in SHIPPED {
        let rules = load(name, rules).unwrap().rules;
        let tests = load_tests(name, tests).unwrap_or_else(|error| panic!("{error}")).tests;
        for rule in rules {
            let expects = |state| {
                tests.iter().any(|test| test.expect.iter().any(|e| e.rule == rule.name && e.state == state))
            };
            assert!(expects(State::Firing), "{name}: no test sees {} fire", rule.name);
            assert!(
                tests.iter().any(|test| test.expect.is_empty()),
                "{name}: no test sees {} quiet",
                rule.name
            );
        }
    }
}

#[test]
fn every_key_of_a_rule_is_read() {
    let text = r#"
rules:
  - name: slow
    priority: P1
    match: 'http.response.status_code >= 500'
    group_by: [service.name]
    condition:
      threshold: { field: event.duration, take: p99, above: 500ms, recover_below: 300ms, window: 2m }
    for: 1m30s
    keep_firing_for: 5m
    no_data: ok
    labels: { team: payments }
    annotations: { impact: '{{ service.name }} is slow' }
    summary: '{{ service.name }}: {{ value }}'
    description: 'p99 over {{ threshold }}'
    runbook: https://wiki.example/slow
"#;
    let file = load("slow.yml", text).unwrap_or_else(|error| panic!("{error}"));
    let rule = &file.rules[0];
    assert_eq!((file.name.as_str(), rule.name.as_str(), rule.line), ("slow.yml", "slow", 3));
    assert_eq!((rule.priority, rule.no_data), (Priority::P1, NoData::Ok));
    assert_eq!((rule.hold_for, rule.keep_firing_for), (Duration::from_secs(90), Duration::from_secs(300)));
    assert_eq!(rule.labels, [("team".to_owned(), "payments".to_owned())]);
    assert_eq!(rule.annotations[0].1.source(), "{{ service.name }} is slow");
    assert_eq!(rule.summary.source(), "{{ service.name }}: {{ value }}");
    assert_eq!(rule.description.as_ref().unwrap().source(), "p99 over {{ threshold }}");
    assert_eq!(rule.runbook.as_deref(), Some("https://wiki.example/slow"));
    let Condition::Threshold(threshold) = &rule.condition else { panic!("{:?}", rule.condition) };
    assert_eq!((threshold.take, threshold.direction), (Take::Percentile(0.99), Direction::Above));
    assert_eq!((threshold.limit.value, threshold.limit.unit), (5e8, Unit::Nanoseconds));
    assert_eq!((threshold.recover, threshold.window), (Some(3e8), Duration::from_secs(120)));
}

#[test]
fn conditions_have_defaults() {
    let Condition::Availability(availability) = rule("availability: { up: 'a: b' }").condition else {
        panic!()
    };
    assert_eq!(availability.window, Duration::from_secs(60));
    let Condition::Ratio(ratio) = rule("ratio: { of: 'a: b', above: 5% }").condition else { panic!() };
    assert_eq!((ratio.above, ratio.recover_below, ratio.min_events), (0.05, 0.05, 20));
    assert_eq!(ratio.window, Duration::from_secs(60));
    let Condition::Threshold(threshold) = rule("threshold: { field: a.b, below: 3 }").condition else {
        panic!()
    };
    assert_eq!(
        (threshold.take, threshold.direction, threshold.recover),
        (Take::Last, Direction::Below, None)
    );
    assert_eq!((threshold.limit.value, threshold.window), (3.0, Duration::from_secs(300)));
    let bare = rule("count: { at_least: 3, window: 10m }");
    assert_eq!((bare.hold_for, bare.no_data, bare.group_by.len()), (Duration::ZERO, NoData::Keep, 0));
    let Condition::Count(count) = bare.condition else { panic!() };
    assert_eq!((count.of, count.bound, count.window), (None, Bound::AtLeast(3), Duration::from_secs(600)));
}

#[test]
fn takes_are_read() {
    let take =
        |text: &str| match rule(&format!("threshold: {{ field: a, above: 1, take: {text} }}")).condition {
            Condition::Threshold(threshold) => threshold.take,
            other => panic!("{other:?}"),
        };
    let cases = [
        ("last", Take::Last),
        ("avg", Take::Avg),
        ("min", Take::Min),
        ("max", Take::Max),
        ("sum", Take::Sum),
        ("p50", Take::Percentile(0.5)),
        ("p99.9", Take::Percentile(0.999)),
    ];
    for (text, expected) in cases {
        assert_eq!(take(text), expected, "{text}");
    }
}

#[test]
fn rule_names_are_distinct_over_all_files() {
    let file = |name: &str| load(name, SHIPPED[0].1).unwrap();
    let error = distinct(&[file("a.yml"), file("b.yml")]).unwrap_err();
    assert_eq!(error.to_string(), "b.yml:3: rule `service-unavailable` is already in a.yml:3: rename one");
}

#[test]
fn tests_are_read() {
    let text = r#"
tests:
  - name: t
    events:
      - { from: 0s, to: 25s, every: 10s, event: { a.b: 1, c: { d: [x, true, null, 0.5] } } }
      - { at: 30s, line: "plain text" }
    until: 1m
    expect:
      - { at: 5s, rule: r, group: { a.b: "1" } }
      - { at: 40s, rule: r, state: resolved, summary: s, reason: recovered }
"#;
    let tests = load_tests("t.test.yml", text).unwrap_or_else(|error| panic!("{error}")).tests;
    let test = &tests[0];
    assert_eq!((test.name.as_str(), test.line, test.until), ("t", 3, Duration::from_secs(60)));
    let seconds: Vec<u64> = test.events[0].times().map(|at| at.as_secs()).collect();
    assert_eq!(seconds, [0, 10, 20]);
    assert_eq!(test.events[1].times().collect::<Vec<_>>(), [Duration::from_secs(30)]);
    let event = test.events[0].input.to_event(Timestamp::EPOCH);
    let leaves: Vec<_> = event.iter().collect();
    let values = [Value::Text("x"), Value::Bool(true), Value::Null, Value::Float(0.5)];
    assert_eq!(leaves[0], ("a.b", Value::Int(1)));
    assert_eq!(leaves[1..].to_vec(), values.map(|value| ("c.d", value)).to_vec());
    assert_eq!(test.events[1].input, Input::Line("plain text".to_owned()));
    assert_eq!((test.expect[0].state, test.expect[1].state), (State::Firing, State::Resolved));
    assert_eq!(test.expect[0].group, [("a.b".to_owned(), "1".to_owned())]);
    assert_eq!(
        (test.expect[1].summary.as_deref(), test.expect[1].reason.as_deref()),
        (Some("s"), Some("recovered"))
    );
    assert_eq!((test.expect[0].line, test.expect[1].line), (9, 10));
}

#[test]
fn schemas_describe_every_key() {
    let schema = schema();
    let properties = &schema["$defs"]["RuleConfig"]["properties"];
    let keys = [
        "name",
        "priority",
        "match",
        "group_by",
        "condition",
        "for",
        "keep_firing_for",
        "no_data",
        "labels",
        "annotations",
        "summary",
        "description",
        "runbook",
    ];
    for key in keys {
        assert!(properties[key].is_object(), "{key}");
    }
    assert_eq!(schema["$defs"]["RuleConfig"]["additionalProperties"], serde_json::json!(false));
    assert_eq!(schema["$defs"]["ConditionConfig"]["oneOf"].as_array().map(Vec::len), Some(4));
    assert!(test_schema()["$defs"]["TestConfig"]["properties"]["expect_none"].is_object());
}
