//! What is refused, where, and with which way out. A `¦` in a case marks each place that a message names.

use crate::rule::{RULES_MAX, RuleError, load, load_tests};

/// The first line of each problem.
fn heads(error: &RuleError) -> Vec<String> {
    error
        .problems
        .iter()
        .map(|problem| problem.to_string().lines().next().unwrap_or_default().to_owned())
        .collect()
}

/// The file is refused with these messages at its marks.
fn check_file(marked: &str, messages: &[&str]) {
    let mut text = String::new();
    let mut places = Vec::new();
    for (at, piece) in marked.split('¦').enumerate() {
        if at > 0 {
            let line = text.matches('\n').count() + 1;
            let column = text.rsplit('\n').next().unwrap_or_default().chars().count() + 1;
            places.push(format!("{line}:{column}"));
        }
        text.push_str(piece);
    }
    assert_eq!(places.len(), messages.len(), "{marked}");
    let expected: Vec<String> =
        places.iter().zip(messages).map(|(at, what)| format!("r.yml:{at}: {what}")).collect();
    let error = if text.starts_with("tests:") {
        load_tests("r.yml", &text).err()
    } else {
        load("r.yml", &text).err()
    };
    assert_eq!(heads(&error.expect(marked)), expected, "{marked}");
}

/// A rule whose condition and further lines are given.
fn check(condition: &str, rest: &str, messages: &[&str]) {
    let head = "rules:\n  - name: r\n    priority: P3\n    match: 'a: b'\n    group_by: [service.name]";
    check_file(&format!("{head}\n    condition: {{ {condition} }}\n{rest}"), messages);
}

const COUNT: &str = "count: { above: 3, window: 1m }";

#[test]
fn numbers_that_cannot_mean_anything() {
    let above_zero = "a share above 0% holds at the first event: write `count: { of: ..., at_least: 1 }`";
    check("ratio: { of: 'a: b', above: ¦0% }", "", &[above_zero]);
    check("ratio: { of: 'a: b', above: ¦100% }", "", &["a share is never above 100%: write less than 100%"]);
    check("ratio: { of: 'a: b', above: ¦250% }", "", &["a share is never above 250%: write less than 100%"]);
    let beyond = "6% is above the limit itself: write 5% or less";
    check("ratio: { of: 'a: b', above: 5%, recover_below: ¦6% }", "", &[beyond]);
    let zero = "a window is whole seconds, not 0s: write 1s or more";
    check("ratio: { of: 'a: b', above: 5%, window: ¦0s }", "", &[zero]);
    let fraction = "a window is whole seconds, not 1s500ms: write 1s or more";
    check("availability: { up: 'a: b', window: ¦1500ms }", "", &[fraction]);
    check("count: { above: 3, window: ¦25h }", "", &["1d1h is too long a window: write 1d or less"]);
    check("count: { above: 3, below: ¦5, window: 1m }", "", &["`count` has one limit: remove the other"]);
    check("count: { at_least: ¦0, window: 1m }", "", &["0 events or more are always there: write 1 or more"]);
    check("count: { below: ¦0, window: 1m }", "", &["there are never fewer than 0 events: write 1 or more"]);
    let no_limit = "`count` needs a limit: write one of `above`, `at_least`, `below` and `at_most`";
    check("count: { window: ¦1m }", "", &[no_limit]);
    let unsafe_above = "6 is beyond the limit itself, 5: write a safer value";
    check("threshold: { field: a, above: 5, recover_below: ¦6 }", "", &[unsafe_above]);
    let unsafe_below = "4 is beyond the limit itself, 5: write a safer value";
    check("threshold: { field: a, below: 5, recover_above: ¦4 }", "", &[unsafe_below]);
    let misplaced = "`recover_below` goes with `above`, `recover_above` with `below`: change it";
    check("threshold: { field: a, above: 5, recover_above: ¦4 }", "", &[misplaced]);
    let two_limits = "`threshold` has one limit: remove `above` or `below`";
    check("threshold: { field: a, above: 5, below: ¦3 }", "", &[two_limits]);
    check("threshold: { field: ¦a }", "", &["`threshold` needs a limit: write `above` or `below`"]);
    let no_field = "`a.*` is not a field: write one dotted name, such as `service.name`";
    check("threshold: { field: ¦'a.*', above: 1 }", "", &[no_field]);
    let no_unit = "`took` does not tell its unit of time, as `event.duration` or a name that ends in `_ms` does: write a \
                   plain number in that field's unit";
    check("threshold: { field: took, above: ¦500ms }", "", &[no_unit]);
    check(COUNT, "    for: ¦8d\n", &["8d is too long: write 7d or less"]);
    check(COUNT, "    keep_firing_for: ¦200h\n", &["8d8h is too long: write 7d or less"]);
}

#[test]
fn queries_point_at_their_character() {
    let ends = "KQL: expected \"(\", NOT, value but end of input found";
    check("ratio: { of: 'a: (b or¦', above: 5% }", "", &[ends]);
    check("availability: { up: \"a: \\\"b¦\" }", "", &["KQL: expected \"\\\"\" but end of input found"]);
    check(
        "count: { of: 'it''s ¦(', above: 1, window: 1s }",
        "",
        &["KQL: expected AND, OR, end of input but \"(\" found"],
    );
    let rule = "rules:\n  - name: r\n    priority: P3\n    condition: { count: { above: 3, window: 1m } }\n    match: ";
    let brace = "KQL: expected AND, OR, end of input but \")\" found";
    check_file(&format!("{rule}|\n      a: b and\n      c: d¦)\n"), &[brace]);
    check_file(&format!("{rule}>-\n      a: b and\n      c: 超¦)\n"), &[brace]);
    check_file(&format!("{rule}a: b¦)\n").replace("a: b", "ab"), &[brace]);
}

#[test]
fn templates_point_at_their_character() {
    let known = "a template knows rule, priority, state, value, threshold, since, at, reason, group, labels, the fields of \
                 group_by, and the filters time, duration, percent, bytes and number";
    let filter = format!("template: filter tim is unknown; {known}");
    check(COUNT, "    summary: '{{ service.name | ¦tim }}'\n", &[&filter]);
    let field = format!("template: `host` is undefined; {known}");
    check(COUNT, "    annotations:\n      impact: 'x {{ ¦host.name }}'\n", &[&field]);
    let value = format!("template: `value` is undefined; {known}");
    check("availability: { up: 'a: b' }", "    description: '{{ ¦value }}'\n", &[&value]);
    let open = "template: unexpected end of input, expected end of variable block";
    check(COUNT, "    summary: 'a {{ ¦rule'\n", &[open]);
}

#[test]
fn names_and_labels() {
    let rule = |name: &str, rest: &str| {
        format!("  - name: {name}\n    priority: P3\n    match: ''\n    condition: {{ {COUNT} }}\n{rest}")
    };
    let check =
        |rules: &[String], messages: &[&str]| check_file(&format!("rules:\n{}", rules.concat()), messages);
    let twice = "rule `a` is already in line 2: names are distinct";
    check(&[rule("a", ""), rule("b", ""), rule("¦a", "")], &[twice]);
    let name = "a rule's name is one line of 1 to 100 bytes, such as `error-rate`";
    for text in ["¦''", "¦' a'", "¦\"a\\nb\""] {
        check(&[rule(text, "")], &[name]);
    }
    check(&[rule(&format!("¦{}", "x".repeat(101)), "")], &[name]);
    let no_field = "`` is not a field: write one dotted name, such as `service.name`";
    let again = "`b` is already in group_by: remove one";
    check(&[rule("a", "    group_by: [b, ¦'', c, ¦b]\n")], &[no_field, again]);
    let many = "a rule may group by 8 fields at most";
    check(&[rule("a", "    group_by: [a, b, c, d, e, f, g, h, ¦i]\n")], &[many]);
    let label = "`9a` is not a label: write letters, digits, `_` and `.`, such as `team`";
    let own = "the label `priority` is set by the rule itself: remove it";
    check(&[rule("a", "    labels: { 9a: ¦x, priority: ¦y }\n")], &[label, own]);
    let rules: Vec<String> =
        (0..RULES_MAX).map(|at| rule(&format!("r{at}"), "")).chain([rule("last", "")]).collect();
    let many = "a file may have 1000 rules at most: move the rest to another file";
    let marked = format!("rules:\n{}", rules.concat()).replace("- name: last", "- ¦name: last");
    check_file(&marked, &[many]);
}

#[test]
fn several_mistakes_are_told_at_once() {
    check(
        "ratio: { of: 'a:¦', above: ¦0% }",
        "    for: ¦9d\n    labels: { alertname: ¦x }\n",
        &[
            "KQL: expected \"(\", \"{\", value but end of input found",
            "a share above 0% holds at the first event: write `count: { of: ..., at_least: 1 }`",
            "9d is too long: write 7d or less",
            "the label `alertname` is set by the rule itself: remove it",
        ],
    );
}

#[test]
fn keys_and_types_are_checked_by_the_reader() {
    let has = |text: &str, parts: &[&str]| {
        let error = load("r.yml", text).expect_err(text).to_string();
        for part in parts {
            assert!(error.contains(part), "{text}\n{error}\nlacks {part}");
        }
    };
    let rule = |rest: &str| format!("rules:\n  - name: r\n    priority: P3\n    match: ''\n{rest}");
    has(&rule("    conditon: {}\n"), &["r.yml:5:5", "conditon", "condition"]);
    has(&rule("    condition: { count: { abov: 3, window: 1m } }\n"), &["r.yml:5:27", "abov", "above"]);
    has(&rule("    condition: { cuont: {} }\n"), &["r.yml:5:18", "cuont", "count"]);
    has(&rule("    condition: { count: { above: 3, window: 5 } }\n"), &["r.yml:5:45", "5"]);
    has(&rule(&format!("    condition: {{ {COUNT} }}\n    for: -5m\n")), &["r.yml:6:10", "-5m"]);
    has(
        &rule(&format!("    condition: {{ {COUNT} }}\n    no_data: maybe\n")),
        &["r.yml:6:14", "maybe", "keep"],
    );
    has("rules:\n  - priority: P3\n", &["r.yml:2", "name"]);
    has("rules: [\n", &["r.yml:"]);
    has("", &["r.yml:1:1", "empty"]);
}

#[test]
fn tests_that_show_nothing() {
    let check = |events: &str, rest: &str, message: &str| {
        let name = if events.contains('¦') || rest.contains('¦') { "t" } else { "¦t" };
        check_file(&format!("tests:\n  - name: {name}\n    events: [{events}]\n    {rest}\n"), &[message]);
    };
    let shows_nothing =
        "a test without `expect` shows nothing: list transitions, or write `expect_none: true`";
    check("{ at: 1s, line: x }", "until: 1m", shows_nothing);
    let only_true = "`expect_none` can only be true: write `expect` instead";
    check("{ at: 1s, line: x }", "expect_none: ¦false", only_true);
    let both = "`expect` lists transitions already: remove one of the two";
    check("{ at: 1s, line: x }", "expect_none: ¦true\n    expect: [{ at: 1s, rule: r }]", both);
    let one_of = "what arrives is one of `event` and `line`";
    check("¦{ at: 1s }", "expect_none: true", one_of);
    check("¦{ at: 1s, line: x, event: { a: b } }", "expect_none: true", one_of);
    let when = "write `at`, or all of `from`, `to` and `every`";
    check("¦{ line: x }", "expect_none: true", when);
    check("¦{ at: 1s, every: 1s, line: x }", "expect_none: true", when);
    let order = "`from` is no later than `to`, and `every` is more than 0s";
    check("¦{ from: 2s, to: 1s, every: 1s, line: x }", "expect_none: true", order);
    check("¦{ from: 0s, to: 1s, every: 0s, line: x }", "expect_none: true", order);
    let many = "86400001 events are too many: a test may have 100000";
    check("{ from: 0s, to: 1d, every: 1ms, line: x }", "expect_none: true", many);
    let until = "the test goes on until 10s: write that or more";
    check("{ at: 10s, line: x }", "until: ¦5s\n    expect_none: true", until);
    check("{ at: 8d, line: x }", "expect_none: true", "a test may cover 7d at most");
    let before = "4s is before the transition above: list them in order";
    check("{ at: 1s, line: x }", "expect: [{ at: 5s, rule: r }, ¦{ at: 4s, rule: r }]", before);
    let twice = "test `t` is already in line 2: names are distinct";
    let marked = "tests:\n  - { name: t, events: [], expect_none: true }\n  - { name: ¦t, events: [], expect_none: true }\n";
    check_file(marked, &[twice]);
}
