use proptest::prelude::*;

use super::*;

const RECEIVED: Timestamp = Timestamp::from_secs(1_795_000_000);

fn read_bytes(payload: &[u8]) -> Event {
    let mut event = Event::default();
    decode(&Received { topic: "logs", partition: 3, offset: 9, timestamp: RECEIVED, payload }, &mut event);
    event
}

/// The event as lines of `path=value`, `@timestamp` first and in one spelling.
fn show(event: &Event) -> String {
    let mut lines = vec![format!("@timestamp={}", event.timestamp())];
    for (path, value) in event.iter().filter(|(path, _)| *path != "@timestamp") {
        lines.push(match value {
            Value::Null => format!("{path}=null"),
            Value::Bool(truth) => format!("{path}={truth}"),
            Value::Int(number) => format!("{path}={number}"),
            Value::Float(number) => format!("{path}={number:?}"),
            Value::Text(text) => format!("{path}={text:?}"),
        });
    }
    lines.join(" ")
}

fn check(payload: &str, expected: &str) {
    assert_eq!(show(&read_bytes(payload.as_bytes())), expected, "{payload}");
}

#[test]
fn flattens_objects_arrays_and_dotted_names_alike() {
    let at = "@timestamp=2026-11-18T11:06:40.000Z";
    check("{}", at);
    check(
        r#"{"a":{"b":1,"c":{"d":null}},"e":[1,[2],{"f":true}],"g":[],"h":{}}"#,
        &format!("{at} a.b=1 a.c.d=null e=1 e=2 e.f=true"),
    );
    check(r#"{"a.b":1.5,"a":{"b":-2}}"#, &format!("{at} a.b=1.5 a.b=-2"));
    check(
        r#"{"n":18446744073709551615,"s":"a\u00e9\n"}"#,
        &format!("{at} n=1.8446744073709552e19 s=\"aé\\n\""),
    );
    check(r#"{"\u0061b":{"c\"":1}}"#, &format!("{at} ab.c\"=1"));
}

#[test]
fn takes_what_is_no_object_as_a_message() {
    let at = "@timestamp=2026-11-18T11:06:40.000Z";
    check("", &format!("{at} message=\"\""));
    check("plain text\r\n", &format!("{at} message=\"plain text\""));
    check("[1,2]", &format!("{at} message=\"[1,2]\""));
    check("{\"a\":1} tail", &format!("{at} message=\"{{\\\"a\\\":1}} tail\""));
    check("{\"a\":1,\"torn", &format!("{at} message=\"{{\\\"a\\\":1,\\\"torn\""));
    check(" {\"a\":1} \n", &format!("{at} a=1"));
}

#[test]
fn gives_other_shippers_records_their_ecs_names() {
    // Vector, file source.
    check(
        r#"{"file":"/var/log/app.log","host":"web-1","message":"hi","source_type":"file","timestamp":"2026-11-23T10:30:45.123456Z"}"#,
        r#"@timestamp=2026-11-23T10:30:45.123456000Z log.file.path="/var/log/app.log" host.name="web-1" message="hi" source_type="file""#,
    );
    // Fluent Bit, tail to Kafka.
    check(
        r#"{"@timestamp":1795429845.123456,"log":"hi","filename":"/var/log/app.log"}"#,
        r#"@timestamp=2026-11-23T10:30:45.123456000Z message="hi" log.file.path="/var/log/app.log""#,
    );
    // rsyslog, flat JSON template.
    check(
        r#"{"timestamp":"2026-11-23T18:30:45+08:00","host":"web-1","severity":"err","facility":"daemon","programname":"nginx","msg":" hi"}"#,
        r#"@timestamp=2026-11-23T10:30:45.000Z host.name="web-1" log.level="error" facility="daemon" service.name="nginx" message=" hi""#,
    );
    // Logstash with the logback encoder.
    check(
        r#"{"@timestamp":"2026-11-23T10:30:45.123Z","@version":"1","host":"web-1","path":"/l","level":"WARN","logger_name":"a.B","thread_name":"main","stack_trace":"x","message":"hi"}"#,
        r#"@timestamp=2026-11-23T10:30:45.123Z @version="1" host.name="web-1" log.file.path="/l" log.level="warn" log.logger="a.B" process.thread.name="main" error.stack_trace="x" message="hi""#,
    );
    // pino.
    check(
        r#"{"level":50,"time":1795429845123,"pid":7,"hostname":"web-1","msg":"hi","err":{"type":"TypeError","message":"m","stack":"s"}}"#,
        r#"@timestamp=2026-11-23T10:30:45.123Z log.level="error" process.pid=7 host.name="web-1" message="hi" error.type="TypeError" error.message="m" error.stack_trace="s""#,
    );
    // zap.
    check(
        r#"{"level":"info","ts":1795429845.123,"caller":"a.go:1","msg":"hi","path":"/api"}"#,
        r#"@timestamp=2026-11-23T10:30:45.123Z log.level="info" caller="a.go:1" message="hi" path="/api""#,
    );
    // Filebeat.
    check(
        r#"{"@timestamp":"2026-11-23T10:30:45.123Z","log":{"offset":5,"file":{"path":"/l"}},"message":"hi","host":{"name":"web-1"},"ecs":{"version":"8.0.0"},"agent":{"type":"filebeat"}}"#,
        r#"@timestamp=2026-11-23T10:30:45.123Z log.offset=5 log.file.path="/l" message="hi" host.name="web-1" ecs.version="8.0.0" agent.type="filebeat""#,
    );
}

#[test]
fn the_ecs_path_wins_and_the_best_alias_comes_next() {
    let at = "@timestamp=2026-11-18T11:06:40.000Z";
    check(r#"{"msg":"b","message":"a"}"#, &format!("{at} msg=\"b\" message=\"a\""));
    check(r#"{"log":"c","MESSAGE":"d","msg":"b"}"#, &format!("{at} log=\"c\" MESSAGE=\"d\" message=\"b\""));
    check(r#"{"message":null,"msg":"b"}"#, &format!("{at} msg=null message=\"b\""));
    check(r#"{"host":"a","host.name":"b"}"#, &format!("{at} host=\"a\" host.name=\"b\""));
    check(r#"{"level":"VIP","severity":"E"}"#, &format!("{at} level=\"VIP\" log.level=\"error\""));
    check(r#"{"log.level":"Odd"}"#, &format!("{at} log.level=\"odd\""));
    check(r#"{"log":{"level":30}}"#, &format!("{at} log.level=\"info\""));
    check(r#"{"time":0.005}"#, &format!("{at} time=0.005"));
    check(r#"{"msg":["a","b"]}"#, &format!("{at} message=\"a\" message=\"b\""));
    check(r#"{"@timestamp":"soon"}"#, &format!("{at} tags=\"invalid_timestamp\""));
}

#[test]
fn an_id_is_the_records_own_or_its_place() {
    let own = read_bytes(br#"{"event":{"id":"00000000000000000000000000000abc-42"}}"#);
    assert_eq!(own.id(), Some(EventId { stream: StreamId::from_u128(0xabc), offset: 42 }));
    let foreign = read_bytes(br#"{"event":{"id":"x"}}"#);
    assert_eq!(foreign.id().map(|id| id.offset), Some(9));
    assert_eq!((own.own_id(), foreign.own_id()), (own.id(), None));
    assert_eq!(foreign.id(), read_bytes(b"other text at the same place").id());
    let other = Received { topic: "logs", partition: 4, offset: 9, timestamp: RECEIVED, payload: b"" };
    assert_ne!(foreign.id(), Some(other.id()));
}

#[test]
fn broken_utf8_is_repaired_and_tagged() {
    let event = read_bytes(b"caf\xe9 \xff");
    assert_eq!(event.text("message"), Some("caf\u{fffd} \u{fffd}"));
    assert_eq!(event.text("tags"), Some(tag::INVALID_UTF8));
    let event = read_bytes(b"{\"message\":\"caf\xe9\",\"tags\":[\"a\"]}");
    assert_eq!(event.text("message"), Some("caf\u{fffd}"));
    assert_eq!(event.values("tags").last(), Some(Value::Text(tag::INVALID_UTF8)));
}

#[test]
fn bounds_leave_out_and_tag() {
    let deep = |depth: usize| format!("{{\"k\":1,\"a\":{}7{}}}", "{\"a\":".repeat(depth), "}".repeat(depth));
    let long = |bytes: usize| format!("{{\"k\":1,\"{}\":7}}", "n".repeat(bytes));
    let wide = |leaves: usize| format!("{{\"k\":1,\"a\":[{}7]}}", "0,".repeat(leaves - 1));
    for (fits, exceeds) in [
        (deep(DEPTH_MAX - 1), deep(DEPTH_MAX)),
        (long(PATH_BYTES_MAX), long(PATH_BYTES_MAX + 1)),
        (wide(LEAVES_MAX - 1), wide(LEAVES_MAX)),
        (deep(3), deep(100_000)),
        (
            format!("{{\"k\":1,\"a\":{}7{}}}", "[".repeat(9), "]".repeat(9)),
            format!("{{\"k\":1,\"a\":{}7{}}}", "[".repeat(5000), "]".repeat(5000)),
        ),
    ] {
        let whole = read_bytes(fits.as_bytes());
        assert!(whole.text("tags").is_none() && whole.iter().any(|(_, value)| value == Value::Int(7)));
        let cut = read_bytes(exceeds.as_bytes());
        assert_eq!(cut.text("tags"), Some(tag::FIELDS_TRUNCATED));
        assert_eq!(cut.value("k"), Some(Value::Int(1)));
        assert!(!cut.iter().any(|(_, value)| value == Value::Int(7)));
    }
}

#[test]
fn empty_objects_cannot_multiply_a_long_name() {
    let members = "\"\":{},".repeat(1 << 20);
    let payload = format!("{{\"{}\":{{{}\"z\":{{}}}}}}", "n".repeat(1000), members);
    let event = read_bytes(payload.as_bytes());
    assert!(event.text.len() <= TEXT_BYTES_MAX + PATH_BYTES_MAX);
    assert_eq!(event.text("tags"), Some(tag::FIELDS_TRUNCATED));
}

#[test]
fn a_reused_event_keeps_nothing_and_grows_nothing() {
    let mut event = Event::default();
    let received = |payload| Received { topic: "t", partition: 0, offset: 1, timestamp: RECEIVED, payload };
    decode(&received(br#"{"a":{"b":"a long text that fills the buffer","c":2},"d":[3,4,5]}"#), &mut event);
    let before = (event.text.as_ptr(), event.leaves.as_ptr());
    decode(&received(br#"{"a":{"b":"short"}}"#), &mut event);
    assert_eq!((event.text.as_ptr(), event.leaves.as_ptr()), before);
    let mut fresh = Event::default();
    decode(&received(br#"{"a":{"b":"short"}}"#), &mut fresh);
    assert_eq!(event, fresh);
}

/// Filebeat's own expected records, where the shared test data is at hand.
#[test]
#[expect(clippy::disallowed_methods, reason = "test data lies in files")]
fn keeps_every_value_of_filebeats_records() {
    let root = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../../shared/data/filebeat-modules");
    let files = |folder: &std::path::Path| {
        std::fs::read_dir(folder)
            .into_iter()
            .flatten()
            .flatten()
            .map(|entry| entry.path())
            .collect::<Vec<_>>()
    };
    for module in files(&root) {
        for file in files(&module).iter().flat_map(|fileset| files(fileset)) {
            if !file.to_string_lossy().ends_with("-expected.json") {
                continue;
            }
            let text = std::fs::read_to_string(&file).unwrap();
            for record in
                serde_json::from_str::<Vec<serde_json::Map<String, serde_json::Value>>>(&text).unwrap()
            {
                let event = read_bytes(serde_json::to_string(&record).unwrap().as_bytes());
                for (path, value) in record.iter().filter(|(path, _)| *path != "log.level") {
                    match value {
                        serde_json::Value::String(text) => {
                            assert_eq!(event.text(path), Some(&**text), "{} {path}", file.display());
                        }
                        serde_json::Value::Number(number) => {
                            assert_eq!(event.number(path), number.as_f64(), "{} {path}", file.display());
                        }
                        _ => {}
                    }
                }
                let again: serde_json::Value = serde_json::from_slice(&event.to_json()).unwrap();
                assert!(again.is_object());
            }
        }
    }
}

fn json() -> impl Strategy<Value = serde_json::Value> {
    let leaf = prop_oneof![
        Just(serde_json::Value::Null),
        any::<bool>().prop_map(Into::into),
        any::<i64>().prop_map(Into::into),
        any::<String>().prop_map(Into::into),
    ];
    leaf.prop_recursive(4, 32, 6, |inner| {
        prop_oneof![
            proptest::collection::vec(inner.clone(), 0..5).prop_map(Into::into),
            proptest::collection::btree_map("[x-z.]{1,3}", inner, 0..5)
                .prop_map(|members| serde_json::Value::Object(members.into_iter().collect())),
        ]
    })
}

/// The naive model: walk the tree, with whole paths as owned strings.
fn walk(path: &str, value: &serde_json::Value, leaves: &mut Vec<(String, serde_json::Value)>) {
    match value {
        serde_json::Value::Object(members) => {
            for (name, value) in members {
                let path = if path.is_empty() { name.clone() } else { format!("{path}.{name}") };
                walk(&path, value, leaves);
            }
        }
        serde_json::Value::Array(elements) => elements.iter().for_each(|value| walk(path, value, leaves)),
        leaf => leaves.push((path.to_owned(), leaf.clone())),
    }
}

proptest! {
    #[test]
    fn flattens_as_a_walk_over_the_tree_does(value in json(), is_pretty in any::<bool>()) {
        let root = serde_json::json!({"root": value});
        let text = if is_pretty { format!("{root:#}") } else { root.to_string() };
        let mut expected = Vec::new();
        walk("", &root, &mut expected);
        let event = read_bytes(text.as_bytes());
        let found: Vec<_> = event.iter().map(|(path, value)| (path.to_owned(), match value {
            Value::Null => serde_json::Value::Null,
            Value::Bool(truth) => truth.into(),
            Value::Int(number) => number.into(),
            Value::Float(number) => number.into(),
            Value::Text(text) => text.into(),
        })).collect();
        prop_assert_eq!(found, expected);
    }

    #[test]
    fn takes_any_bytes(payload in proptest::collection::vec(any::<u8>(), 0..200)) {
        let event = read_bytes(&payload);
        prop_assert!(event.id().is_some());
        prop_assert!(serde_json::from_slice::<serde_json::Value>(&event.to_json()).is_ok());
    }

    #[test]
    fn takes_any_near_json(payload in "[{}\\[\\]\",:0-9a-e.\\\\ ]{0,40}") {
        let event = read_bytes(format!("{{{payload}").as_bytes());
        prop_assert!(serde_json::from_slice::<serde_json::Value>(&event.to_json()).is_ok());
    }
}
