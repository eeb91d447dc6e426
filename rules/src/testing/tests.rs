//! The shipped rules against their own tests, and what a failing test prints.

use super::*;
use crate::rule::{load, load_tests};

macro_rules! shipped {
    ($name:literal) => {
        (
            $name,
            include_str!(concat!("../../default/", $name, ".yml")),
            include_str!(concat!("../../default/", $name, ".test.yml")),
        )
    };
}

#[test]
fn the_shipped_rules_pass_their_tests() {
    for (name, rules, tests) in [shipped!("availability"), shipped!("error-rate"), shipped!("jvm-old-gen")] {
        let rules = load(name, rules).unwrap().rules;
        let tests = load_tests(name, tests).unwrap().tests;
        assert!(!tests.is_empty(), "{name}");
        for test in tests {
            let outcome = run(&rules, &test, &Settings::default());
            assert_eq!(outcome.difference, None, "{name}: {}", test.name);
        }
    }
}

const RULES: &str = "
rules:
  - name: error
    priority: P1
    match: 'log.level: error'
    group_by: [service.name]
    condition: { count: { above: 0, window: 1m } }
    for: 5s
    summary: '{{ service.name }} has errors'
";

/// Runs one test of [`RULES`]; `body` is its YAML.
fn check(body: &str, expected: Option<&str>) {
    let rules = load("rules.yml", RULES).unwrap().rules;
    let tests = load_tests("rules.test.yml", &format!("tests:\n  - name: a test\n{body}")).unwrap().tests;
    let outcome = run(&rules, &tests[0], &Settings::default());
    assert_eq!(outcome.difference.as_deref(), expected, "{body}");
    assert_eq!((outcome.name.as_str(), outcome.line), ("a test", tests[0].line));
}

#[test]
fn a_failing_test_shows_what_was_expected_and_what_happened() {
    let events = "    events:\n      - { at: 10s, line: '{\"log\":{\"level\":\"error\"},\"service\":{\"name\":\"cart\"}}' }\n    until: 2m\n";
    let with = |expect: &str| format!("{events}    expect:\n{expect}");
    let firing = "      - { at: 16s, rule: error, state: firing, group: { service.name: cart } }\n";
    let resolved = "      - { at: 71s, rule: error, state: resolved, reason: recovered }\n";
    check(&with(&format!("{firing}{resolved}")), None);
    check(&with(&format!("      - {{ at: 11s, rule: error, state: pending }}\n{firing}{resolved}")), None);
    check(
        &with(firing),
        Some(
            "       16s error firing service.name=cart   (line 7)\n\
             +    1m11s error resolved service.name=cart reason=recovered summary=\"cart has errors\"   (0 events in 1m, limit 0)",
        ),
    );
    check(
        &with(&format!("      - {{ at: 15s, rule: error, state: firing, summary: no }}\n{resolved}")),
        Some(
            "-      15s error firing summary=\"no\"   (line 7)\n\
             +      16s error firing service.name=cart reason=condition_met summary=\"cart has errors\"   (1 events in 1m, limit 0)\n\
             \x20    1m11s error resolved reason=recovered   (line 8)",
        ),
    );
}
