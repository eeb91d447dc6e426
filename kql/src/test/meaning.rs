//! What matches.

use event::{Event, Timestamp, Value};

use crate::Query;

/// An error of a service, as the shipper writes it.
fn sample() -> Event {
    let mut event = Event::new(Timestamp::parse("2026-11-23T10:30:45.123Z").unwrap());
    for (path, value) in [
        (
            "message",
            Value::Text("Connection refused: java.net.ConnectException at db-1:5432, retry 3 of 10.5s"),
        ),
        ("log.level", Value::Text("error")),
        ("service.name", Value::Text("checkout api")),
        ("host.name", Value::Text("Web-1")),
        ("http.request.method", Value::Text("GET")),
        ("http.response.status_code", Value::Int(500)),
        ("url.path", Value::Text("/api/v1/orders?id=7")),
        ("event.duration", Value::Int(9_007_199_254_740_993)),
        ("event.created", Value::Text("2026-11-23T18:30:46+08:00")),
        ("error.message", Value::Text("支付服务 Timeout")),
        ("error.type", Value::Text("java.net.ConnectException")),
        ("source.ip", Value::Text("10.1.2.3")),
        ("client.ip", Value::Text("2001:db8::7")),
        ("jvm.memory.old.used_pct", Value::Float(0.86)),
        ("labels.code", Value::Text("404")),
        ("labels.empty", Value::Text("")),
        ("labels.gone", Value::Null),
        ("labels.retried", Value::Bool(true)),
        ("labels.due", Value::Text("2026-12-01T00:00:00Z")),
        ("labels.version", Value::Text("v1.10")),
        ("tags", Value::Text("prod")),
        ("tags", Value::Text("eu-west")),
        ("items.a", Value::Int(1)),
        ("items.b", Value::Int(2)),
        ("items.a", Value::Int(3)),
    ] {
        event.push(path, value);
    }
    event
}

fn check(cases: &[(&str, bool)]) {
    let event = sample();
    for (text, expected) in cases {
        let query = Query::parse(text).unwrap_or_else(|error| panic!("{text}: {error}"));
        assert_eq!(query.matches(&event), *expected, "{text}");
    }
}

#[test]
fn keywords_equal_as_a_whole() {
    check(&[
        ("log.level: error", true),
        ("log.level: \"error\"", true),
        ("log.level: Error", false),
        ("log.level: err", false),
        ("log.level: error fatal", false),
        ("service.name: checkout api", true),
        ("service.name: \"checkout api\"", true),
        ("service.name: checkout", false),
        ("service.name: api checkout", false),
        ("host.name: web-1", false),
        ("host.name: Web-1", true),
        ("url.path: /api/v1/orders?id=7", true),
        ("tags: prod", true),
        ("tags: eu-west", true),
        ("tags: (prod and eu-west)", true),
        ("tags: us", false),
        ("labels.empty: \"\"", true),
        ("missing: x", false),
        ("log: error", false),
        ("labels.code: 404", true),
        ("labels.code: 404.0", false),
        ("labels.gone: \"null\"", false),
        ("log.level.keyword: error", true),
        ("message.keyword: refused", false),
        ("service.name.text: API", true),
    ]);
}

#[test]
fn texts_match_by_their_words() {
    check(&[
        ("message: refused", true),
        ("message: REFUSED", true),
        ("message: refuse", false),
        ("message: connection refused", true),
        ("message: refused elsewhere", true),
        ("message: nowhere elsewhere", false),
        ("message: \"connection refused\"", true),
        ("message: \"Connection  refused:\"", true),
        ("message: \"refused connection\"", false),
        ("message: \"connection java.net\"", false),
        ("message: \"retry 3 of\"", true),
        ("message: \"retry 3 of 11\"", false),
        ("message: \"of 10.5s\"", true),
        ("message: ConnectException", false),
        ("message: java.net.connectexception", true),
        ("message: db-1", true),
        ("message: \"db 1 5432\"", true),
        ("message: 5432", true),
        ("message: \"!!!\"", false),
        ("message: \"\"", false),
        ("error.message: timeout", true),
        ("error.message: 支付", true),
        ("error.message: \"支付服务\"", true),
        ("error.message: \"服务支付\"", false),
        ("error.message: \"付服 \"", true),
    ]);
}

#[test]
fn wildcards() {
    check(&[
        ("log.level: err*", true),
        ("log.level: *r*r", true),
        ("log.level: e*x", false),
        ("log.level: ERR*", false),
        ("log.level: err\\*", false),
        ("log.level: \"err*\"", false),
        ("host.name: Web-*", true),
        ("host.name: web-*", false),
        ("url.path: /api/*/orders*", true),
        ("url.path: /api/v?/orders*", false),
        ("service.name: checkout*", true),
        ("service.name: check* api", true),
        ("service.name: none* checkout api", true),
        ("service.name: none* api", false),
        ("message: refu*", true),
        ("message: REFU*", true),
        ("message: *connectexception", true),
        ("message: conn*ref*", false),
        ("message: *connection refused*", true),
        ("message: nope* refused", true),
        ("message: nope* never", false),
        ("http.response.status_code: 5*", true),
        ("http.response.status_code: 4*", false),
        ("labels.retried: t*", true),
        ("source.ip: 10.*", true),
        ("labels.gone: n*", false),
        ("labels.empty: **", true),
    ]);
}

#[test]
fn fields_that_exist() {
    check(&[
        ("message: *", true),
        ("labels.empty: *", true),
        ("labels.gone: *", false),
        ("missing: *", false),
        ("not missing: *", true),
        ("http: *", true),
        ("http.resp: *", false),
        ("htt: *", false),
        ("htt*: *", true),
        ("zzz*: *", false),
        ("labels.g*: *", false),
        ("*: *", true),
        ("*", true),
        ("", true),
        ("@timestamp: *", true),
        ("message.keyword: *", true),
        ("monitor.id: *", false),
    ]);
}

#[test]
fn numbers_and_truth_values() {
    check(&[
        ("http.response.status_code: 500", true),
        ("http.response.status_code: \"500\"", true),
        ("http.response.status_code: 500.0", true),
        ("http.response.status_code: 5e2", true),
        ("http.response.status_code: 500.5", false),
        ("http.response.status_code: 400 500", false),
        ("http.response.status_code: (400 or 500)", true),
        ("http.response.status_code: abc", false),
        ("event.duration: 9007199254740993", true),
        ("event.duration: 9007199254740992", false),
        ("jvm.memory.old.used_pct: 0.86", true),
        ("jvm.memory.old.used_pct: .860", true),
        ("labels.retried: true", true),
        ("labels.retried: \"true\"", true),
        ("labels.retried: false", false),
        ("labels.retried: True", false),
        ("labels.retried: 1", false),
    ]);
}

#[test]
fn ranges() {
    check(&[
        ("http.response.status_code >= 500", true),
        ("http.response.status_code > 500", false),
        ("http.response.status_code <= 500.0", true),
        ("http.response.status_code < 500", false),
        ("http.response.status_code < abc", false),
        ("event.duration > 9007199254740992", true),
        ("jvm.memory.old.used_pct > 0.85", true),
        ("jvm.memory.old.used_pct > 0.86", false),
        ("labels.code >= 60", true),
        ("labels.code > 404", false),
        ("labels.retried > 0", false),
        ("labels.gone < 5", false),
        ("log.level > debug", true),
        ("log.level < debug", false),
        ("items.a > 2", true),
        ("items.a > 3", false),
        ("http.*.status_code >= 500", true),
        ("labels.due > 2026-11-30", true),
        ("labels.due > \"2026-12-01T08:00:00+08:00\"", false),
        ("labels.due >= \"2026-12-01T08:00:00+08:00\"", true),
        ("missing > 5", false),
        ("source.ip >= 10.0.0.0 and source.ip < 11.0.0.0", true),
        ("source.ip < 10.0.0.0", false),
        ("message > zzz", false),
        ("message >= retry", true),
    ]);
}

#[test]
fn dates() {
    check(&[
        ("@timestamp: 2026-11-23", true),
        ("@timestamp: 2026-11-24", false),
        ("@timestamp: \"2026-11-23T10:30\"", true),
        ("@timestamp: \"2026-11-23T10:30:45.123Z\"", true),
        ("@timestamp: \"2026-11-23T18:30:45.123+08:00\"", true),
        ("@timestamp: 1795429845123", true),
        ("@timestamp > 2026-11-23", false),
        ("@timestamp >= 2026-11-23", true),
        ("@timestamp <= 2026-11-23", true),
        ("@timestamp < 2026-11-23", false),
        ("@timestamp > \"2026-11-23T10:30:45Z\"", true),
        ("@timestamp < \"2026-11-23T10:30:46Z\" and @timestamp > 2026", true),
        ("event.created: \"2026-11-23T10:30:46Z\"", true),
        ("event.created < \"2026-11-23T10:30:46Z\"", false),
        ("event.created > \"2026-11-23T10:30:45Z\"", true),
    ]);
}

#[test]
fn addresses() {
    check(&[
        ("source.ip: 10.1.2.3", true),
        ("source.ip: 10.0.0.0/8", true),
        ("source.ip: \"10.1.2.0/24\"", true),
        ("source.ip: 10.1.3.0/24", false),
        ("source.ip: \"::ffff:10.1.2.3\"", true),
        ("client.ip: \"2001:db8::/32\"", true),
        ("client.ip: \"2001:0db8:0:0::7\"", true),
        ("client.ip: 10.0.0.0/8", false),
        ("*.ip: 10.0.0.0/8", true),
        ("host.name: 10.0.0.0/8", false),
    ]);
}

#[test]
fn values_without_a_field_and_fields_with_wildcards() {
    check(&[
        ("refused", true),
        ("error", true),
        ("Error", false),
        ("500", true),
        ("\"connection refused\"", true),
        ("\"refused connection\"", false),
        ("refu*", true),
        ("GET", true),
        ("nowhere", false),
        ("*: prod", true),
        ("*: nowhere", false),
        ("http.*: GET", true),
        ("http.*: POST", false),
        ("http*: 500", true),
        ("*.message: timeout", true),
        ("htt\\*: GET", false),
        ("true", true),
        ("10.0.0.0/8", true),
    ]);
}

#[test]
fn operators() {
    check(&[
        ("log.level: error and tags: prod", true),
        ("log.level: error and tags: us", false),
        ("log.level: info or tags: prod", true),
        ("log.level: info or tags: us", false),
        ("not log.level: info", true),
        ("not log.level: error", false),
        ("not not log.level: error", true),
        ("log.level: info and tags: us or log.level: error", true),
        ("log.level: info and (tags: us or log.level: error)", false),
        ("not log.level: info and not tags: us", true),
        ("not (log.level: info or tags: prod)", false),
        ("log.level: (error or fatal)", true),
        ("log.level: (info or fatal)", false),
        ("log.level: (not info)", true),
        ("tags: (prod and not eu-west)", false),
        ("tags: ((prod or us) and eu-*)", true),
        ("missing: (not x)", true),
    ]);
}

#[test]
fn nested_fields_are_flat() {
    check(&[
        ("items: { a: 1 and b: 2 }", true),
        ("items: { a: 3 and b: 2 }", true),
        ("items: { a: 4 }", false),
        ("items: { a > 2 }", true),
        ("items: { not a: 4 }", true),
        ("items: { 3 }", true),
        ("items: { GET }", false),
        ("http: { response: { status_code >= 500 } and request.method: GET }", true),
        ("http: { re*.method: GET }", true),
    ]);
}

#[test]
fn fields_are_listed_once() {
    let fields = |text: &str| Query::parse(text).unwrap().fields().join(" ");
    assert_eq!(fields("a: 1 and (b > 2 or not c: *) and a: 3"), "a b c");
    assert_eq!(fields("x: { y: 1 } and z*: 2 and free"), "x.y");
}

#[test]
fn required_equalities_are_conjunctive() {
    let pairs = |text: &str| {
        let query = Query::parse(text).unwrap();
        query
            .required_equalities()
            .iter()
            .map(|(field, value)| format!("{field}={value}"))
            .collect::<Vec<_>>()
    };
    assert_eq!(pairs("a: x and b: \"y z\" and (c: w)"), ["a=x", "b=y z", "c=w"]);
    assert_eq!(pairs("a: { b: x and c: y }"), ["a.b=x", "a.c=y"]);
    let none: [&str; 0] = [];
    for text in [
        "a: x or b: y",
        "not a: x",
        "a: 5",
        "a: true",
        "a: x*",
        "a: *",
        "message: x",
        "x",
        "a* : x",
        "s.ip: x",
        "a.keyword: x",
        "",
    ] {
        assert_eq!(pairs(text), none, "{text}");
    }
}
