use proptest::prelude::*;
use serde_json::{Value as Json, json};

use super::*;
use crate::decode::{Received, decode};
use crate::fields::{Jvm, Monitor};
use crate::{Event, Level, StreamId, Value, tag};

fn origin() -> Origin {
    Origin {
        stream: StreamId::from_u128(0xabc),
        host: "web-1".to_owned(),
        service: Some("checkout".to_owned()),
        path: Some("/var/log/app.log".to_owned()),
        dataset: "log".to_owned(),
        tags: vec![],
        labels: vec![],
    }
}

fn encode(origin: &Origin, text: &str, fields: &Fields<'_>) -> Vec<u8> {
    let created = Timestamp::from_millis(1_795_429_845_123);
    let mut out = Vec::new();
    Encoder::new(origin).encode(&Record { offset: 42, text, created, fields }, &mut out);
    out
}

/// Encodes a line of no file with `fields`, and compares what is not in every record.
fn check(fields: &Fields<'_>, expected: &Json) {
    let bare = Origin { path: None, service: None, ..origin() };
    let bytes = encode(&bare, "line", fields);
    let Json::Object(mut record) = serde_json::from_slice(&bytes).unwrap() else { panic!("not an object") };
    for name in ["@timestamp", "agent", "ecs", "host"] {
        assert!(record.remove(name).is_some(), "{name}");
    }
    for (name, plain) in [
        ("message", json!("line")),
        (
            "event",
            json!({"id": "00000000000000000000000000000abc-42", "created": "2026-11-23T10:30:45.123Z", "dataset": "log"}),
        ),
    ] {
        if record.get(name) == Some(&plain) {
            record.remove(name);
        }
    }
    assert_eq!(&Json::Object(record), expected);
}

#[test]
fn writes_a_plain_line() {
    let bytes = encode(&origin(), "it \"works\"", &Fields { level: Some(Level::Info), ..Fields::default() });
    insta::assert_snapshot!(String::from_utf8(bytes).unwrap(), @r#"{"@timestamp":"2026-11-23T10:30:45.123Z","message":"it \"works\"","event":{"id":"00000000000000000000000000000abc-42","created":"2026-11-23T10:30:45.123Z","dataset":"log"},"log":{"level":"info","offset":42,"file":{"path":"/var/log/app.log"}},"host":{"name":"web-1"},"agent":{"type":"watchfire"},"ecs":{"version":"8.17.0"},"service":{"name":"checkout"}}"#);
}

#[test]
fn writes_each_field_at_its_ecs_path() {
    check(&Fields::default(), &json!({}));
    check(&Fields { message: Some("short".into()), ..Fields::default() }, &json!({"message": "short"}));
    check(
        &Fields { message: Some(Text::Escaped(r"a\u00e9\n")), ..Fields::default() },
        &json!({"message": "aé\n"}),
    );
    check(
        &Fields { logger: Some("com.example.A".into()), ..Fields::default() },
        &json!({"log": {"logger": "com.example.A"}}),
    );
    check(&Fields { output: Some("stderr"), ..Fields::default() }, &json!({"stream": "stderr"}));
    check(
        &Fields { original_bytes: Some(1 << 20), ..Fields::default() },
        &json!({"log": {"original_bytes": 1_048_576}}),
    );
    check(
        &Fields { error_type: Some("E".into()), stack_trace: Some("at x\nat y".into()), ..Fields::default() },
        &json!({"error": {"type": "E", "stack_trace": "at x\nat y"}}),
    );
    check(
        &Fields { http_status: Some(503), http_body_bytes: Some(9), ..Fields::default() },
        &json!({"http": {"response": {"status_code": 503, "body": {"bytes": 9}}}}),
    );
    check(
        &Fields {
            http_method: Some("GET".into()),
            http_version: Some("1.1".into()),
            url_path: Some("/a".into()),
            url_query: Some("b=c".into()),
            ..Fields::default()
        },
        &json!({"http": {"version": "1.1", "request": {"method": "GET"}}, "url": {"path": "/a", "query": "b=c"}}),
    );
    check(
        &Fields { thread_name: Some("main".into()), process_pid: Some(7), ..Fields::default() },
        &json!({"process": {"pid": 7, "thread": {"name": "main"}}}),
    );
    check(
        &Fields { trace_id: Some("t".into()), span_id: Some("s".into()), ..Fields::default() },
        &json!({"trace": {"id": "t"}, "span": {"id": "s"}}),
    );
    check(
        &Fields {
            service_name: Some("cart".into()),
            user_name: Some("u".into()),
            user_agent: Some("curl".into()),
            ..Fields::default()
        },
        &json!({"service": {"name": "cart"}, "user": {"name": "u"}, "user_agent": {"original": "curl"}}),
    );
}

#[test]
fn a_path_without_a_member_is_written_dotted_and_read_alike() {
    let more = [
        ("service.environment".into(), Scalar::Text("prod".into())),
        ("cloud.zone".into(), Scalar::Int(3)),
        ("cloud.zone".into(), Scalar::Int(4)),
    ];
    let fields = Fields { more: more.into_iter().collect(), ..Fields::default() };
    check(&fields, &json!({"service.environment": "prod", "cloud.zone": 4}));
    let many = (0..MEMBERS_MAX + 1).map(|_| (Text::Plain("a"), Scalar::Bool(true)));
    let fields = Fields { more: many.collect(), ..Fields::default() };
    check(&fields, &json!({"a": true, "tags": [tag::FIELDS_TRUNCATED]}));
}

#[test]
fn an_address_is_an_ip_only_when_it_is_one() {
    let source = |address| Fields { source_address: Some(Text::Plain(address)), ..Fields::default() };
    check(&source("::1"), &json!({"source": {"address": "::1", "ip": "::1"}}));
    check(&source("10.0.0.7"), &json!({"source": {"address": "10.0.0.7", "ip": "10.0.0.7"}}));
    check(&source("web.internal"), &json!({"source": {"address": "web.internal"}}));
    check(&source("999.1.1.1"), &json!({"source": {"address": "999.1.1.1"}}));
}

#[test]
fn a_heap_gets_its_share() {
    let jvm = Jvm { gc_name: Some("G1 Old".into()), old_used: Some(3), old_max: Some(4), ..Jvm::default() };
    check(
        &Fields { jvm: Some(jvm), ..Fields::default() },
        &json!({"jvm": {"gc": {"name": "G1 Old"}, "memory": {"old": {"used": 3, "max": 4, "used_pct": 0.75}}}}),
    );
    let unknown = Jvm { heap_used: Some(3), heap_max: Some(0), ..Jvm::default() };
    check(
        &Fields { jvm: Some(unknown), ..Fields::default() },
        &json!({"jvm": {"memory": {"heap": {"used": 3, "max": 0}}}}),
    );
}

#[test]
fn a_probe_has_no_log_and_no_empty_message() {
    let monitor = Monitor {
        id: "m",
        name: "checkout",
        kind: "http",
        is_up: false,
        duration_us: 5,
        url: "http://127.0.0.1/health",
    };
    let bare = Origin { path: None, ..origin() };
    let bytes = encode(&bare, "", &Fields { monitor: Some(monitor), ..Fields::default() });
    let record: Json = serde_json::from_slice(&bytes).unwrap();
    assert!(record.get("log").is_none() && record.get("message").is_none());
    assert_eq!(record["url"], json!({"full": "http://127.0.0.1/health"}));
    assert_eq!(
        record["monitor"],
        json!({"id": "m", "name": "checkout", "type": "http", "status": "down", "duration": {"us": 5}})
    );
}

#[test]
fn a_name_stands_once_and_the_record_wins() {
    let labelled = |pairs: &[(&str, &str)]| Origin {
        path: None,
        service: None,
        labels: pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect(),
        tags: vec!["edge".to_owned()],
        ..origin()
    };
    let fields = Fields {
        labels: [
            (Text::Plain("zone"), Scalar::Int(1)),
            (Text::Escaped(r"z\u006fne"), Scalar::Bool(true)),
            (Text::Plain("a.b"), Scalar::Float(f64::INFINITY)),
        ]
        .into_iter()
        .collect(),
        json: [(Text::Plain("o"), Scalar::Json("{\"x\":\n[1]}"))].into_iter().collect(),
        tags: ["edge", "late"].into_iter().collect(),
        ..Fields::default()
    };
    let bytes = encode(&labelled(&[("zone", "eu"), ("rack", "1"), ("rack", "2")]), "", &fields);
    let text = String::from_utf8(bytes).unwrap();
    let tail = text.split_once(r#""labels""#).unwrap().1;
    assert_eq!(
        tail,
        r#":{"rack":"2","z\u006fne":true,"a.b":null},"json":{"o":{"x": [1]}},"tags":["edge","late"]}"#
    );
    let bytes = encode(&labelled(&[("zone", "eu")]), "", &Fields::default());
    assert!(String::from_utf8(bytes).unwrap().ends_with(r#""labels":{"zone":"eu"},"tags":["edge"]}"#));
}

#[test]
fn too_many_members_are_tagged() {
    let names: Vec<String> = (0..=MEMBERS_MAX).map(|number| number.to_string()).collect();
    let json = names.iter().map(|name| (Text::Plain(name.as_str()), Scalar::Bool(true))).collect();
    let bytes = encode(&origin(), "", &Fields { json, ..Fields::default() });
    let record: Json = serde_json::from_slice(&bytes).unwrap();
    assert_eq!(record["json"].as_object().unwrap().len(), MEMBERS_MAX);
    assert_eq!(record["tags"], json!([tag::FIELDS_TRUNCATED]));
}

#[test]
fn appends_to_what_is_there() {
    let fields = Fields::default();
    let mut out = b"before\n".to_vec();
    let record = Record { offset: 0, text: "x", created: Timestamp::EPOCH, fields: &fields };
    Encoder::new(&origin()).encode(&record, &mut out);
    assert!(out.starts_with(b"before\n{\"@timestamp\"") && out.ends_with(b"}"));
}

proptest! {
    #[test]
    fn decodes_to_the_same_values(
        message in any::<String>(),
        service in any::<String>(),
        host in any::<String>(),
        path in any::<String>(),
        label in (any::<String>(), any::<String>()),
        own in ("[a-z.]{1,8}", any::<i64>()),
        nanos in any::<i64>(),
        offset in any::<u64>(),
        duration in 0..=i64::MAX as u64,
    ) {
        let origin = Origin {
            host: host.clone(),
            service: Some(service.clone()),
            path: Some(path.clone()),
            labels: vec![label.clone()],
            ..origin()
        };
        let fields = Fields {
            timestamp: Some(Timestamp::from_nanos(nanos)),
            level: Some(Level::Warn),
            duration_ns: Some(duration),
            labels: [(Text::Plain(&own.0), Scalar::Int(own.1))].into_iter().collect(),
            ..Fields::default()
        };
        let encoder = Encoder::new(&origin);
        let mut payload = Vec::new();
        encoder.encode(&Record { offset, text: &message, created: Timestamp::EPOCH, fields: &fields }, &mut payload);
        prop_assert!(!payload.contains(&b'\n'));
        prop_assert!(serde_json::from_slice::<Json>(&payload).is_ok());

        let mut event = Event::default();
        let place = Received { topic: "t", partition: 0, offset: 0, timestamp: Timestamp::EPOCH, payload: &payload };
        decode(&place, &mut event);
        prop_assert_eq!(event.timestamp(), Timestamp::from_nanos(nanos));
        prop_assert_eq!(event.id(), Some(encoder.id(offset)));
        prop_assert_eq!(event.text("message"), Some(&*message));
        prop_assert_eq!(event.text("host.name"), Some(&*host));
        prop_assert_eq!(event.text("service.name"), Some(&*service));
        prop_assert_eq!(event.text("log.file.path"), Some(&*path));
        prop_assert_eq!(event.text("log.level"), Some("warn"));
        prop_assert_eq!(event.text("event.created"), Some("1970-01-01T00:00:00.000Z"));
        prop_assert_eq!(event.value("event.duration"), Some(Value::Int(duration as i64)));
        let own_path = format!("labels.{}", own.0);
        prop_assert_eq!(event.value(&own_path), Some(Value::Int(own.1)));
        let label_path = format!("labels.{}", label.0);
        if label.0 != own.0 && label_path.len() <= crate::decode::PATH_BYTES_MAX {
            prop_assert_eq!(event.text(&label_path), Some(&*label.1));
        }
    }
}
