//! Processors as they are written, over lines as they are read.

use event::decode::{Received, decode};
use event::{Encoder, Event, Origin, Record, StreamId, Text, Value};
use kql::Document as _;
use proptest::prelude::*;
use serde_json::{Value as Json, json};

use super::*;
use crate::parser::{Context, Parser, ParserConfig};

const NOW: Timestamp = Timestamp::from_secs(1_795_429_845);

fn origin() -> Origin {
    Origin {
        stream: StreamId::from_u128(0xabc),
        host: "web-1".to_owned(),
        service: Some("checkout".to_owned()),
        path: Some("/var/log/app.log".to_owned()),
        dataset: "log".to_owned(),
        tags: vec!["prod".to_owned()],
        labels: vec![("team".to_owned(), "a".to_owned()), ("zone".to_owned(), "b".to_owned())],
    }
}

fn configs(yaml: &str) -> Vec<ProcessorConfig> {
    let configs: Vec<ProcessorConfig> =
        yaml::parse("shipper.yml", yaml).unwrap_or_else(|error| panic!("{error}"));
    for config in &configs {
        config.check().unwrap_or_else(|error| panic!("{yaml}: {error}"));
    }
    configs
}

/// What becomes of each line, the record as JSON or nothing.
fn run(yaml: &str, lines: &[&str]) -> Vec<Option<Json>> {
    let mut processors = Processors::new(&configs(yaml), &origin()).unwrap();
    let mut parser = Parser::new(&ParserConfig::Auto, &Context { time_zone: jiff::tz::TimeZone::UTC });
    let (origin, mut offset) = (origin(), 0);
    let encoder = Encoder::new(&origin);
    let mut made = Vec::new();
    for line in lines {
        let mut fields = Fields::default();
        parser.parse(line, NOW, &mut fields);
        let raw = Raw { offset, text: line, created: NOW, origin: &origin };
        let verdict = processors.handle(&raw, &mut fields);
        let mut bytes = Vec::new();
        encoder.encode(&Record { offset, text: line, created: NOW, fields: &fields }, &mut bytes);
        let json = serde_json::from_slice(&bytes).unwrap();
        made.push((verdict == Verdict::Keep).then_some(json));
        offset += line.len() as u64 + 1;
    }
    made
}

/// One line through `yaml`; `pointers` of what is made of it equal `expected`.
fn check(yaml: &str, line: &str, expected: &[(&str, Json)]) {
    let made = run(yaml, &[line]).remove(0).unwrap_or_else(|| panic!("{yaml}: left out"));
    for (pointer, value) in expected {
        assert_eq!(made.pointer(pointer).unwrap_or(&Json::Null), value, "{yaml}\n{pointer} of {made}");
    }
}

fn kept(yaml: &str, lines: &[&str]) -> String {
    run(yaml, lines).iter().map(|made| if made.is_some() { '+' } else { '-' }).collect()
}

#[test]
fn drop_leaves_out_what_matches() {
    let lines = [
        "2026-11-23 10:30:45 DEBUG a.B - tick",
        "2026-11-23 10:30:45 ERROR a.B - boom",
        r#"{"level":"debug","n":7}"#,
    ];
    assert_eq!(kept("- drop: { when: 'log.level: debug' }", &lines), "-+-");
    assert_eq!(kept("- drop: { when: 'message: BOOM' }", &lines), "+-+");
    assert_eq!(kept("- drop: { when: 'json.n >= 7' }", &lines), "++-");
    assert_eq!(
        kept("- drop: { when: 'service.name: checkout and labels.zone: b and tags: prod' }", &lines),
        "---"
    );
    assert_eq!(kept("- drop: { when: 'not @timestamp < 2027' }", &lines), "+++");
}

#[test]
fn processors_run_in_the_order_in_which_they_are_written() {
    let (add, drop) = ("- add_fields: { fields: { labels.x: y } }", "- drop: { when: 'labels.x: y' }");
    assert_eq!(kept(&format!("{add}\n{drop}"), &["line"]), "-");
    assert_eq!(kept(&format!("{drop}\n{add}"), &["line"]), "+");
}

#[test]
fn added_fields_stand_at_their_ecs_paths() {
    let yaml = r"
- add_fields:
    fields: { labels.team: z, service.environment: prod, user.name: root, log.level: warning, http.response.status_code: 502, labels.n: 1.50 }
    tags: [extra, prod]
- add_fields: { when: 'service.environment: prod and log.level: warn', fields: { service.name: cart } }
- add_fields: { when: 'service.environment: test', fields: { service.name: no } }";
    check(
        yaml,
        "hello",
        &[
            ("/labels", json!({"zone": "b", "team": "z", "n": "1.50"})),
            ("/service.environment", json!("prod")),
            ("/user/name", json!("root")),
            ("/log/level", json!("warn")),
            ("/http/response/status_code", json!(502)),
            ("/service/name", json!("cart")),
            ("/tags", json!(["prod", "extra"])),
            ("/message", json!("hello")),
        ],
    );
}

#[test]
fn a_renamed_value_moves_or_stays() {
    let line = r#"{"msg":"m","uid":42,"code":"x","took\u0020ms":"5"}"#;
    let yaml = "- rename: { fields: { json.uid: user.name, json.code: http.response.status_code, 'json.none': labels.none } }";
    check(
        yaml,
        line,
        &[
            ("/user/name", json!("42")),
            ("/json/uid", Json::Null),
            ("/json/code", json!("x")),
            ("/http", Json::Null),
            ("/labels/none", Json::Null),
        ],
    );
    check(
        "- rename: { fields: { service.name: labels.service } }",
        line,
        &[("/service/name", json!("checkout"))],
    );
}

#[test]
fn a_sample_is_about_its_share_and_always_the_same() {
    let lines: Vec<String> = (0..4000).map(|number| format!("ERROR line {number}")).collect();
    let lines: Vec<&str> = lines.iter().map(String::as_str).collect();
    let count = |verdicts: &str| verdicts.chars().filter(|verdict| *verdict == '+').count();
    let tenth = kept("- sample: { rate: 10% }", &lines);
    assert!((300..500).contains(&count(&tenth)), "{}", count(&tenth));
    assert_eq!(kept("- sample: { rate: 10% }", &lines), tenth);
    assert_eq!(count(&kept("- sample: { rate: 100% }", &lines)), 4000);
    assert_eq!(
        count(&kept("- sample: { rate: 0.1, keep: 'message: \"line 7\"' }", &lines)),
        count(&(tenth.clone() + "+")) - usize::from(tenth.as_bytes()[7] == b'+')
    );
    assert_eq!(count(&kept("- sample: { rate: 1%, when: 'message: nowhere' }", &lines)), 4000);
}

/// A line of each level and text, by the seconds of its time.
fn lines(of: &[(&str, &str, &str)]) -> Vec<String> {
    of.iter().map(|(secs, level, text)| format!("2026-11-23 10:30:{secs} {level} a.B - {text}")).collect()
}

fn check_kept(yaml: &str, of: &[(&str, &str, &str)], expected: &str) {
    let lines = lines(of);
    let lines: Vec<&str> = lines.iter().map(String::as_str).collect();
    assert_eq!(kept(yaml, &lines), expected, "{yaml}");
}

#[test]
fn a_rate_is_limited_by_the_records_own_time_and_key() {
    let of = [
        ("45.000", "INFO", "a"),
        ("45.100", "WARN", "a"),
        ("45.200", "INFO", "b"),
        ("45.900", "INFO", "c"),
        ("46.000", "INFO", "d"),
        ("46.100", "WARN", "e"),
    ];
    check_kept("- rate_limit: { max: 2 }", &of, "++--++");
    check_kept("- rate_limit: { max: 1, per: 2s }", &of, "+-----");
    check_kept("- rate_limit: { max: 1, per: 1s, key: log.level }", &of, "++--++");
    check_kept("- rate_limit: { max: 1, per: 1h, key: labels.none }", &of, "++++++");
    check_kept("- rate_limit: { max: 1, per: 1h, when: 'log.level: info' }", &of, "++---+");
}

#[test]
fn a_message_that_repeats_is_kept_once() {
    let of = [
        ("45.000", "INFO", "a"),
        ("46.000", "INFO", "a"),
        ("47.000", "INFO", "b"),
        ("54.900", "WARN", "a"),
        ("55.000", "INFO", "a"),
        ("55.100", "INFO", "a"),
    ];
    check_kept("- dedupe: {}", &of, "+-+-+-");
    check_kept("- dedupe: { window: 1s }", &of, "++++--");
    check_kept("- dedupe: { key: log.level, window: 1h }", &of, "+--+--");
}

#[test]
fn a_summary_shows_nothing_that_is_to_be_hidden() {
    let configs = configs("- dedupe: {}\n- redact: { when: 'message: nothing', fields: [error.message] }");
    let (origin, mut batch) = (origin(), Batch::default());
    let mut processors = Processors::new(&configs, &origin).unwrap();
    for offset in 0..3 {
        let raw = Raw { offset, text: "call 13812345678", created: NOW, origin: &origin };
        processors.handle(&raw, &mut Fields::default());
    }
    processors.summarize(NOW, &mut batch);
    assert!(batch.is_empty() && processors.deadline() == Some(NOW.plus(std::time::Duration::from_secs(10))));
    processors.finish();
    processors.summarize(NOW, &mut batch);
    let summary: Json = serde_json::from_slice(batch.payload(&batch.entries[0])).unwrap();
    assert_eq!(summary["watchfire.processor.key"], "call [phone]");
    assert_eq!(summary["message"], "2 records of `call [phone]` were left out by dedupe");
    assert_eq!((batch.entries.len(), batch.entries[0].ticket), (1, None));
}

#[test]
fn what_is_wrong_is_told_with_its_place() {
    for (yaml, words) in [
        ("- drop: { when: 'log.level: (debug' }", "shipper.yml:1:17: KQL: expected"),
        ("- drop: { when: 'a: b and' }", "at character 9 of `a: b and`"),
        ("- drop: { wen: 'a: b' }", "shipper.yml:1:11: unknown key `wen`, did you mean `when`?"),
        ("- dropp: { when: 'a: b' }", "shipper.yml:1:3: unknown key `dropp`, did you mean `drop`?"),
        ("- drop: {}", "key `when` is missing"),
        ("- add_fields: { fields: { event.id: x } }", "`event.id` is written by the shipper itself"),
        ("- add_fields: { fields: { labels.x: [1] } }", "expected"),
        ("- rename: { fields: { json.a: 'b c' } }", "shipper.yml:1:31: `b c` is not a field"),
        ("- sample: { rate: 10 }", "has no % and is more than the whole"),
    ] {
        let error = yaml::parse::<Vec<ProcessorConfig>>("shipper.yml", yaml).unwrap_err().to_string();
        assert!(error.contains(words), "{yaml}\n{error}\nhas no\n{words}");
    }
    for (yaml, words) in [
        ("- add_fields: {}", "add_fields: nothing is added"),
        ("- add_fields: { fields: { log.level: loud } }", "`log.level` is `loud`: write a level"),
        ("- add_fields: { fields: { process.pid: -7 } }", "`process.pid` is `-7`: write a whole number"),
        ("- rename: { fields: {} }", "rename: `fields` is empty"),
        ("- rename: { fields: { message: labels.m } }", "`message` cannot be renamed"),
        (
            "- rename: { fields: { json.a: json.b, json.b: json.c } }",
            "`json.b` is both an old name and a new one",
        ),
        ("- rate_limit: { max: 0 }", "rate_limit: `max` is 0"),
        ("- rate_limit: { max: 1, per: 2h }", "`per` must be between 100ms and 1h"),
        ("- rate_limit: { max: 1, key: 'a b' }", "`key` is `a b`: write one dotted name"),
        ("- dedupe: { window: 1ms }", "dedupe: `window` must be between 100ms and 1h"),
        ("- sample: { rate: 0% }", "to leave out all, write `drop`"),
        ("- sample: { rate: 110% }", "more than all cannot be kept"),
    ] {
        let configs: Vec<ProcessorConfig> = yaml::parse("shipper.yml", yaml).unwrap();
        let error = configs[0].check().unwrap_err();
        assert!(error.contains(words), "{yaml}\n{error}\nhas no\n{words}");
    }
}

/// Every path and value but the times, sorted as text.
fn leaves(document: &impl kql::Document) -> Vec<String> {
    let mut leaves = Vec::new();
    document.any(|path, value| {
        let is_time = matches!(path, "@timestamp" | "event.created" | "event.id");
        if !is_time {
            // A decimal fraction is read to the nearest double but one.
            leaves.push(match value {
                Value::Float(number) => format!("{path}={number:.9}"),
                _ => format!("{path}={value:?}"),
            });
        }
        false
    });
    leaves.sort();
    leaves
}

fn text() -> impl Strategy<Value = (bool, String)> {
    (any::<bool>(), "[a-z\"\\\\\n日]{0,6}")
}

proptest! {
    /// The view shows what a reader of the encoded record sees.
    #[test]
    fn a_view_is_the_record_to_be(
        texts in prop::collection::vec(prop::option::of(text()), event::fields::TEXTS),
        numbers in prop::collection::vec(prop::option::of(0u64..60_000), 5),
        labels in prop::collection::btree_map("[a-c]|team|zone", text(), 0..4),
        json in prop::collection::btree_map("[a-c]", prop::sample::select(vec!["1", "-2.5", "null", "true", "{\"x\":[1,{\"y\":\"\\u0041\"}]}", "[]"]), 0..3),
        address in prop::option::of(prop::sample::select(vec!["10.0.0.7", "::1", "web.internal"])),
        level in prop::option::of(Just(event::Level::Warn)),
    ) {
        let escaped: Vec<Option<(bool, String, String)>> = texts
            .into_iter()
            .map(|text| text.map(|(is_escaped, text)| {
                let quoted = serde_json::to_string(&text).unwrap();
                (is_escaped, text, quoted[1..quoted.len() - 1].to_owned())
            }))
            .collect();
        let mut fields = Fields::default();
        for (member, text) in fields.texts_mut().into_iter().zip(&escaped) {
            *member = text.as_ref().map(|(is_escaped, plain, inside)| {
                if *is_escaped { Text::Escaped(inside) } else { Text::Plain(plain) }
            });
        }
        fields.source_address = address.map(Text::Plain);
        fields.level = level;
        fields.http_status = numbers[0].map(|number| number as u16);
        (fields.http_body_bytes, fields.duration_ns) = (numbers[1], numbers[2]);
        (fields.process_pid, fields.thread_id) = (numbers[3], numbers[4]);
        fields.jvm = numbers[0].map(|used| event::fields::Jvm { old_used: Some(used), old_max: numbers[1], heap_max: numbers[2], ..Default::default() });
        fields.labels = labels.iter().map(|(name, (_, text))| (Text::Plain(name), event::Scalar::Text(Text::Plain(text)))).collect();
        fields.json = json.iter().map(|(name, json)| (Text::Plain(name), event::Scalar::Json(json))).collect();
        fields.more.push((Text::Plain("cloud.zone"), event::Scalar::Int(3)));
        fields.tags.push("own");

        let (origin, mut bytes, mut event) = (origin(), Vec::new(), Event::default());
        Encoder::new(&origin).encode(&Record { offset: 7, text: "line", created: NOW, fields: &fields }, &mut bytes);
        decode(&Received { topic: "t", partition: 0, offset: 0, timestamp: NOW, payload: &bytes }, &mut event);
        let raw = Raw { offset: 7, text: "line", created: NOW, origin: &origin };
        let scratch = Scratch::default();
        let view = View::new(&raw, &fields, &scratch);
        prop_assert_eq!(leaves(&view), leaves(&event));
        prop_assert_eq!(view.timestamp(), event.timestamp());
        prop_assert!(view.any(|path, value| path == "message" && value != Value::Null));
    }
}
