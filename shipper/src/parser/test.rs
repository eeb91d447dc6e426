use std::path::Path;

use event::{Fields, Scalar, Text, Timestamp};
use proptest::prelude::*;

use super::{Context, Parser, ParserConfig, shape};
use crate::multiline::{Joint, Multiline};

const ALL: [ParserConfig; 11] = [
    ParserConfig::Auto,
    ParserConfig::Json,
    ParserConfig::Logfmt,
    ParserConfig::Gin,
    ParserConfig::Spring,
    ParserConfig::NginxAccess,
    ParserConfig::NginxError,
    ParserConfig::ApacheAccess,
    ParserConfig::ApacheError,
    ParserConfig::Gc,
    ParserConfig::Plain,
];

#[test]
fn names_in_the_configuration() {
    let names = "auto json logfmt gin spring nginx_access nginx_error apache_access apache_error gc plain";
    for (name, config) in names.split(' ').zip(ALL) {
        assert_eq!(serde_json::from_str::<ParserConfig>(&format!("\"{name}\"")).unwrap(), config);
    }
    assert!(serde_json::from_str::<ParserConfig>("\"xml\"").is_err());
}

#[test]
fn what_is_not_recognised_is_plain_text() {
    let mut parser = Parser::new(&ParserConfig::Json, &Context::default());
    let mut fields = Fields::default();
    let text = "2026-11-23 10:30:45 ERROR not json";
    assert!(!parser.parse(text, Timestamp::EPOCH, &mut fields));
    assert_eq!((fields.level, fields.message), (Some(event::Level::Error), None));
    assert!(fields.timestamp.is_some());
}

/// One line that each parser takes, to be cut and spliced.
const SAMPLES: [&str; 10] = [
    r#"{"@timestamp":"2026-11-23T10:30:45Z","level":"warn","msg":"a\n\u00e9","err":{"type":"E"},"x":[1,{"y":null}]}"#,
    r#"time="2026-11-23T10:30:45+08:00" level=warning msg="a \"b\"" order=17"#,
    "[GIN] 2026/11/23 - 10:30:45 |\u{1b}[90;43m 404 \u{1b}[0m| 1m2.5s | 10.0.0.7 | GET \"/x?é=1\"",
    "2026-11-23T10:30:45.123Z  INFO 4711 --- [app] [main] c.e.X : é\njava.lang.Boom: no\n\tat a.B.c(B.java:1)",
    r#"10.0.0.7 - - [25/Oct/2016:14:49:33 +0200] "GET /a?b=c HTTP/1.1" 404 571 "-" "curl é" 0.005"#,
    r#"2016/10/25 14:49:34 [error] 7#0: *1 é, client: ::1, request: "GET /x HTTP/1.1""#,
    "[Fri Sep 09 10:42:29.902022 2011] [core:error] [pid 35708:tid 4328636416] [client 72.15.99.187:80] é",
    "[2026-11-23T08:31:14.509+0800][0.666s][info][gc] GC(0) Pause Young (é) 24M->2M(124M) 7.142ms",
    "2018-06-11T01:53:10.667+0000: 1.1: [GC (é) 1.1: [ParNew: 1K->2K(3K), 0.1 secs] 4K->5K(6K), 0.1 secs]",
    "E1123 10:30:45.123456   12345 é.go:123] Traceback (most recent call last):\nValueError: x",
];

proptest! {
    #![proptest_config(ProptestConfig::with_cases(512))]

    #[test]
    fn no_text_makes_a_parser_panic(text in "(\\PC|\n){0,60}", first in 0..SAMPLES.len(), cut in 0usize..120, second in 0..SAMPLES.len(), from in 0usize..120) {
        let head: String = SAMPLES[first].chars().take(cut).collect();
        let tail: String = SAMPLES[second].chars().skip(from).collect();
        let spliced = format!("{head}{tail}");
        let read_at = Timestamp::parse("2026-11-23T12:00:00Z").unwrap();
        for config in ALL {
            let mut parser = Parser::new(&config, &Context::default());
            for text in [&text, &spliced, &head] {
                let mut fields = Fields::default();
                parser.parse(text, read_at, &mut fields);
                shape::assert_inside(text, &fields);
            }
        }
    }
}

#[test]
fn a_long_record_costs_no_more_than_its_length() {
    // Were one of these read in quadratic time, the test would not end within the patience of anybody.
    let parts = [
        "1K->1K(1K) ",
        "->",
        "\u{1b}[1m",
        "[",
        "[a]",
        "[a",
        "at ",
        "\tat \n",
        " at a\n",
        "{\"a\":",
        "[[",
        "a=1 ",
        "\"\\",
        ": ",
        " - ",
        "|",
        "Error",
        "Exception: ",
        "\0",
        "\n",
        "Traceback (most recent call last):\n",
        "panic: \n",
        "\ngoroutine 1 [",
        "GC(1) ",
        " regions: ",
    ];
    let starts =
        ["", "1.0: [GC ", "[0.1s][info][gc] GC(1) Pause ", "2026-11-23 10:30:45 ERROR ", "{\"a\":\"", "x\n"];
    for (part, start) in parts.iter().flat_map(|part| starts.iter().map(move |start| (part, start))) {
        let text = format!("{start}{}", part.repeat(40_000 / part.len()));
        for config in ALL {
            let mut fields = Fields::default();
            Parser::new(&config, &Context::default()).parse(&text, Timestamp::EPOCH, &mut fields);
        }
    }
}

/// Compares one of our fields with what Filebeat's module made of the same line.
fn compare(name: &str, expected: &serde_json::Value, fields: &Fields<'_>, text: &str) {
    let plain = |found: Option<Text<'_>>| match found {
        Some(Text::Plain(text) | Text::Escaped(text)) => serde_json::json!(text),
        None => serde_json::Value::Null,
    };
    let found = match name {
        "@timestamp" => {
            // Filebeat's times end in milliseconds.
            let time = fields.timestamp.map(|time| Timestamp::from_millis(time.as_millis()).to_string());
            serde_json::json!(time)
        }
        "http.request.method" => plain(fields.http_method),
        "http.request.referrer" => plain(fields.http_referrer.or(Some(Text::Plain("-")))),
        "http.response.body.bytes" => serde_json::json!(fields.http_body_bytes),
        "http.response.status_code" => serde_json::json!(fields.http_status),
        "http.version" => plain(fields.http_version),
        "url.original" => plain(fields.url_original),
        "user.name" => plain(fields.user_name.or(Some(Text::Plain("-")))),
        "user_agent.original" => plain(fields.user_agent),
        "source.address" | "source.ip" => plain(fields.source_address),
        "process.pid" => serde_json::json!(fields.process_pid),
        "process.thread.id" => serde_json::json!(fields.thread_id),
        "message" => plain(fields.message),
        "apache.error.module" => plain(fields.logger),
        "nginx.error.connection_id" => match fields.labels.first() {
            Some((_, Scalar::Int(number))) => serde_json::json!(number),
            _ => serde_json::Value::Null,
        },
        // Filebeat keeps the web server's word.
        "log.level" => {
            let word = expected.as_str().unwrap();
            assert_eq!(fields.level, event::Level::parse(word), "{text}");
            expected.clone()
        }
        _ => return,
    };
    assert_eq!(&found, expected, "{name} of {text}");
}

#[test]
fn web_server_logs_read_as_filebeat_reads_them() {
    let data = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../shared/data/filebeat-modules");
    let logs = [
        (ParserConfig::NginxAccess, "nginx/access/access.log"),
        (ParserConfig::NginxError, "nginx/error/error.log"),
        (ParserConfig::ApacheAccess, "apache/access/darwin-2.4.23.log"),
        (ParserConfig::ApacheAccess, "apache/access/ubuntu-2.2.22.log"),
        (ParserConfig::ApacheError, "apache/error/darwin-2.4.23.log"),
        (ParserConfig::ApacheError, "apache/error/test.log"),
    ];
    for (config, log) in logs {
        let Ok(text) = std::fs::read_to_string(data.join(log)) else {
            println!("skipped: {} is not there", data.join(log).display());
            continue;
        };
        let expected = std::fs::read_to_string(data.join(format!("{log}-expected.json"))).unwrap();
        let expected: Vec<serde_json::Map<String, serde_json::Value>> =
            serde_json::from_str(&expected).unwrap();
        for config in [config, ParserConfig::Auto] {
            let mut parser = Parser::new(&config, &Context::default());
            for (line, expected) in text.lines().zip(&expected) {
                let mut fields = Fields::default();
                assert!(parser.parse(line, Timestamp::EPOCH, &mut fields), "{line}");
                for (name, value) in expected {
                    compare(name, value, &fields, line);
                }
            }
        }
    }
}

/// The records of a log, joined as Filebeat's modules do it: every record starts with a bracket.
fn records(text: &str) -> Vec<String> {
    let config = yaml::parse("test.yml", r"{ pattern: '^(\[|\{)', negate: true, match: after }");
    let mut multiline = Multiline::new(&config.unwrap());
    let mut records: Vec<String> = Vec::new();
    for line in text.lines() {
        match (multiline.handle(line.as_bytes(), Timestamp::EPOCH), records.last_mut()) {
            (Joint::Continues, Some(record)) => {
                record.push('\n');
                record.push_str(line);
            }
            _ => records.push(line.to_owned()),
        }
    }
    records
}

#[test]
fn application_logs_read_as_filebeat_reads_them() {
    let data = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../shared/data/filebeat-modules");
    let logs = [
        (ParserConfig::Spring, "elasticsearch/server/elasticsearch.624.log", "elasticsearch.component"),
        (
            ParserConfig::Spring,
            "elasticsearch/deprecation/elasticsearch_deprecation.log",
            "elasticsearch.component",
        ),
        (ParserConfig::Json, "elasticsearch/server/test-json.log", ""),
        (ParserConfig::Spring, "logstash/log/logstash-plain.log", "logstash.log.module"),
        (ParserConfig::Spring, "kafka/log/server.log", ""),
        (ParserConfig::Spring, "kafka/log/controller.log", ""),
        (ParserConfig::Spring, "kafka/log/state-change.log", ""),
    ];
    for (config, log, logger) in logs {
        let Ok(text) = std::fs::read_to_string(data.join(log)) else {
            println!("skipped: {} is not there", data.join(log).display());
            continue;
        };
        let expected = std::fs::read_to_string(data.join(format!("{log}-expected.json"))).unwrap();
        let expected: Vec<serde_json::Value> = serde_json::from_str(&expected).unwrap();
        for config in [config, ParserConfig::Auto] {
            let mut parser = Parser::new(&config, &Context::default());
            for (record, expected) in records(&text).iter().zip(&expected) {
                let mut fields = Fields::default();
                assert!(parser.parse(record, Timestamp::EPOCH, &mut fields), "{record}");
                for name in ["@timestamp", "log.level"] {
                    compare(name, &expected[name], &fields, record);
                }
                let shown = |text: Option<Text<'_>>| match text {
                    Some(Text::Plain(text)) => text.to_owned(),
                    Some(Text::Escaped(text)) => serde_json::from_str(&format!("\"{text}\"")).unwrap(),
                    None => String::new(),
                };
                if let Some(logger) = expected[logger].as_str() {
                    assert_eq!(shown(fields.logger), logger, "{record}");
                }
                // Filebeat cuts the node in front and the class behind the message; an exception it leaves
                // in.
                let (found, wanted) =
                    (shown(fields.message), expected["message"].as_str().unwrap().trim_end());
                assert!(
                    found.contains(wanted) || fields.stack_trace.is_some() && wanted.contains(&found),
                    "{found} for {record}"
                );
            }
        }
    }
}
