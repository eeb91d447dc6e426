use event::Timestamp;
use jiff::tz::{self, TimeZone};
use proptest::prelude::*;

use super::{Context, TEXT_BYTES_MAX, Template, fallback};
use crate::rule::{Priority, Unit};

fn with_context<T>(zone: &TimeZone, read: impl FnOnce(&Context<'_>) -> T) -> T {
    let pair = |field: &str, value: &str| (field.to_owned(), value.to_owned());
    read(&Context {
        rule: "error-rate",
        priority: Priority::P1,
        state: "firing",
        group: &[pair("service.name", "checkout"), pair("host.name", "web-1"), pair("zone", "eu")],
        labels: &[pair("team", "payments")],
        value: Some(0.0755),
        threshold: Some(0.05),
        unit: Unit::Percent,
        since: Timestamp::parse("2026-11-23T10:30:45.123Z").unwrap(),
        at: Timestamp::parse("2026-11-23T10:35:45.123Z").unwrap(),
        zone,
        reason: "condition held for 3m",
    })
}

fn render(text: &str) -> String {
    let template = Template::compile(text).unwrap_or_else(|error| panic!("{text}: {error}"));
    let rendered = with_context(&TimeZone::UTC, |context| template.render(context));
    assert_eq!(rendered.error, None, "{text}");
    rendered.text
}

#[test]
fn templates_render() {
    let cases = [
        ("{{ service.name }} on {{ host.name }} in {{ zone }}", "checkout on web-1 in eu"),
        ("{{ group['service.name'] }} {{ labels.team }}", "checkout payments"),
        (
            "{{ rule }} {{ priority }} {{ state }}: {{ reason }}",
            "error-rate P1 firing: condition held for 3m",
        ),
        ("{{ value }} > {{ threshold }}", "7.55% > 5%"),
        ("{{ value.number }} {{ value | number }} {{ value | percent }}", "0.0755 0.0755 7.55%"),
        ("{% if value.number > 0.07 %}bad{% endif %}", "bad"),
        ("since {{ since | time }}", "since 2026-11-23 10:30:45 UTC"),
        ("{{ since }}", "2026-11-23T10:30:45.123Z"),
        ("for {{ since | duration }}", "for 5m"),
        ("{{ 4294967296 | bytes }} {{ 90 | duration }} {{ 0.5 | percent }}", "4GiB 1m30s 50%"),
        ("{{ '2026-11-23T10:30:45+08:00' | time }}", "2026-11-23 02:30:45 UTC"),
        ("{{ service.nmae }}{{ a.b.c }}x{{ nothing | percent }}", "x"),
        ("{{ service.name | upper }}", "CHECKOUT"),
        ("<{{ '<b>' }}>", "<<b>>"),
        (
            "{% for field, text in group | items %}{{ field }}={{ text }} {% endfor %}",
            "host.name=web-1 service.name=checkout zone=eu ",
        ),
        ("服务 {{ service.name }} 不可用", "服务 checkout 不可用"),
    ];
    for (text, expected) in cases {
        assert_eq!(render(text), expected, "{text}");
    }
}

#[test]
fn times_are_shown_in_the_zone_of_the_readers() {
    let zone = TimeZone::fixed(tz::offset(8));
    let template = Template::compile("{{ since | time }}").unwrap();
    let shown = with_context(&zone, |context| template.render(context).text);
    assert_eq!(shown, "2026-11-23 18:30:45 +08:00");
}

#[test]
fn a_template_that_fails_still_makes_a_page() {
    let plain = "error-rate firing, service.name=checkout host.name=web-1 zone=eu: 7.55% (threshold 5%) since \
                 2026-11-23 10:30:45 UTC";
    let cases = [
        ("{{ rule | percent }}", "template: `error-rate` is not a number such as `value`"),
        ("{{ rule() }}", "template: value of type string is not callable"),
        (
            "{% for x in range(9999) %}{% for y in range(9999) %}{% endfor %}{% endfor %}",
            "template: takes more than 50000 steps: shorten its loops",
        ),
        ("  {{ missing }}", "the template rendered to nothing"),
    ];
    for (text, error) in cases {
        let template = Template::compile(text).unwrap();
        let rendered = with_context(&TimeZone::UTC, |context| template.render(context));
        assert_eq!((rendered.text.as_str(), rendered.error.as_deref()), (plain, Some(error)), "{text}");
    }
}

#[test]
fn mistakes_are_found_at_load() {
    let check = |text: &str, offset: usize, message: &str| {
        let error = Template::compile(text)
            .and_then(|template| with_context(&TimeZone::UTC, |context| template.check(context)))
            .expect_err(text);
        assert_eq!(error.offset, offset, "{text}: {error}");
        assert!(error.message.starts_with(message), "{text}: {error}");
    };
    check("down {{ service.name ", 16, "template: unexpected end of input, expected end of variable block");
    check("down {{ service.name | tim }}", 23, "template: filter tim is unknown");
    check("down {{ servce.name }}", 8, "template: `servce` is undefined; a template knows rule, priority");
    check("x\n{{ service.nmae }}", 5, "template: `service.nmae` is undefined; ");
    check("{{ rule | percent }}", 10, "template: `error-rate` is not a number");
}

#[test]
fn a_value_that_the_rule_does_not_have_is_found_at_load() {
    let template = Template::compile("{{ value }}").unwrap();
    let checked =
        with_context(&TimeZone::UTC, |context| template.check(&Context { value: None, ..*context }));
    assert_eq!(checked.map_err(|error| error.offset), Err(3));
}

#[test]
fn long_texts_are_cut_between_characters() {
    let text = render("{% for x in range(9000) %}超{% endfor %}");
    assert_eq!(text.len(), TEXT_BYTES_MAX - TEXT_BYTES_MAX % 3);
}

proptest! {
    #[test]
    fn any_template_makes_a_page_or_is_refused(pieces in prop::collection::vec(prop::sample::select(vec![
        "{{ ", " }}", "{% if ", " %}", "{% endif %}", "value", "since", "service.name", " | time", " | duration", " | bytes",
        " + ", "1", "'x'", "missing.deep", "[0]", "()", "超", " ", "{# ", " #}", "labels", " * 99999999",
    ]), 0..10)) {
        let text = pieces.concat();
        match Template::compile(&text) {
            Ok(template) => {
                let rendered = with_context(&TimeZone::UTC, |context| template.render(context));
                prop_assert!(!rendered.text.is_empty() && rendered.text.len() <= TEXT_BYTES_MAX);
            }
            Err(error) => prop_assert!(text.is_char_boundary(error.offset) && error.offset <= text.len()),
        }
    }
}

#[test]
fn the_fallback_needs_no_value() {
    let text = with_context(&TimeZone::UTC, |context| {
        fallback(&Context { value: None, threshold: None, group: &[], state: "resolved", ..*context })
    });
    assert_eq!(text, "error-rate resolved since 2026-11-23 10:30:45 UTC");
}
