//! Fields as one line, for tests that are tables.
//!
//! Enters: a parser's name and a record. Leaves: what it found, in a fixed order. Never: in the product.

use std::fmt::Write;

use event::{Fields, Scalar, Text, Timestamp};

use super::{Context, Parser, ParserConfig};

/// The texts that parsers have of their own.
const CONSTANTS: [&str; 6] = ["panic", "fatal error", "vhost", "forwarded_for", "connection", "caller"];

/// What `config` makes of `text`, read on 2026-11-23 at noon, UTC; `-` when it found nothing.
pub(super) fn show(config: ParserConfig, text: &str) -> String {
    show_each(config, &[text]).pop().unwrap()
}

/// What `config` makes of the records of one stream.
pub(super) fn show_each(config: ParserConfig, texts: &[&str]) -> Vec<String> {
    let read_at = Timestamp::parse("2026-11-23T12:00:00Z").unwrap();
    let mut parser = Parser::new(&config, &Context::default());
    let mut shown = Vec::new();
    for text in texts {
        let mut fields = Fields::default();
        let is_recognised = parser.parse(text, read_at, &mut fields);
        assert_inside(text, &fields);
        shown.push(if is_recognised { line(&fields) } else { "unrecognised".to_owned() });
    }
    shown
}

fn line(fields: &Fields<'_>) -> String {
    let mut out = String::new();
    if let Some(time) = fields.timestamp {
        write!(out, " {time}").unwrap();
    }
    if let Some(level) = fields.level {
        write!(out, " {}", level.as_str()).unwrap();
    }
    for (name, text) in texts(fields) {
        match text {
            Some(text) if name == "says" => write!(out, "/{}", inner(text)).unwrap(),
            Some(text) => write!(out, " {name}={}", inner(text)).unwrap(),
            None => {}
        }
    }
    let numbers = [
        ("status", fields.http_status.map(u64::from)),
        ("bytes", fields.http_body_bytes),
        ("ns", fields.duration_ns),
        ("pid", fields.process_pid),
        ("tid", fields.thread_id),
    ];
    for (name, number) in numbers {
        if let Some(number) = number {
            write!(out, " {name}={number}").unwrap();
        }
    }
    if let Some(jvm) = fields.jvm {
        let name = jvm.gc_name.map_or("-", inner);
        let show = |number: Option<u64>| number.map_or("-".to_owned(), |bytes| format!("{}K", bytes / 1024));
        let (old, heap) = ((jvm.old_used, jvm.old_max), (jvm.heap_used, jvm.heap_max));
        write!(out, " gc={name} old={}/{} heap={}/{}", show(old.0), show(old.1), show(heap.0), show(heap.1))
            .unwrap();
    }
    for (name, pairs) in [("labels", &fields.labels), ("json", &fields.json)] {
        if !pairs.is_empty() {
            let pairs: Vec<String> =
                pairs.iter().map(|(key, value)| format!("{}={}", inner(*key), scalar(value))).collect();
            write!(out, " {name}={{{}}}", pairs.join(",")).unwrap();
        }
    }
    if out.is_empty() { "-".to_owned() } else { out.split_off(1) }
}

fn texts<'a>(fields: &Fields<'a>) -> [(&'static str, Option<Text<'a>>); 17] {
    let both = fields.error_type.or(fields.error_message);
    [
        ("message", fields.message),
        ("logger", fields.logger),
        ("service", fields.service_name),
        ("thread", fields.thread_name),
        ("trace", fields.trace_id),
        ("span", fields.span_id),
        ("error", both.and(fields.error_type).or(both.map(|_| Text::Plain("")))),
        ("says", fields.error_message),
        ("stack", fields.stack_trace),
        ("method", fields.http_method),
        ("version", fields.http_version),
        ("url", fields.url_original),
        ("path", fields.url_path),
        ("query", fields.url_query),
        ("from", fields.source_address),
        ("user", fields.user_name),
        ("referrer", fields.http_referrer),
    ]
}

fn inner(text: Text<'_>) -> &str {
    match text {
        Text::Plain(text) | Text::Escaped(text) => text,
    }
}

fn scalar(value: &Scalar<'_>) -> String {
    match value {
        Scalar::Text(text) => inner(*text).to_owned(),
        Scalar::Json(json) => (*json).to_owned(),
        other => format!("{other:?}"),
    }
}

/// Every text of `fields` lies within `text` or is a constant of the program; escaped text is the inside of a
/// JSON string.
pub(super) fn assert_inside(text: &str, fields: &Fields<'_>) {
    let outer = text.as_bytes().as_ptr_range();
    let check = |found: Text<'_>| {
        if let Text::Escaped(found) = found {
            let json = format!("\"{found}\"");
            assert!(serde_json::from_str::<String>(&json).is_ok(), "{json} is no JSON string, from {text:?}");
        }
        let found = inner(found);
        let range = found.as_bytes().as_ptr_range();
        let is_inside = outer.start <= range.start && range.end <= outer.end;
        assert!(
            is_inside || found.is_empty() || CONSTANTS.contains(&found),
            "{found:?} lies outside of {text:?}"
        );
    };
    texts(fields).into_iter().filter_map(|(_, text)| text).for_each(check);
    for (key, value) in fields.labels.iter().chain(&fields.json) {
        check(*key);
        match value {
            Scalar::Text(found) => check(*found),
            Scalar::Json(json) => {
                assert!(
                    serde_json::from_str::<serde_json::Value>(json).is_ok(),
                    "{json} is no JSON, from {text:?}"
                );
            }
            Scalar::Int(_) | Scalar::Float(_) | Scalar::Bool(_) => {}
        }
    }
}
