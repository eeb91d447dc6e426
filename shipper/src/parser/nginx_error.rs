//! nginx's error log.
//!
//! Enters: one line. Leaves: its level, process, message, and the client and request that it names at its
//! end. Never: a line without nginx's `pid#tid:`.
//!
//! `2016/10/25 14:49:34 [error] 54053#0: *1 open() "/x" failed, client: 127.0.0.1, server: s, request: "GET
//! /x HTTP/1.1"`

use event::{Fields, Level, Scalar, Text};
use memchr::memmem;

use super::access::{fill_request, quoted};
use super::time::Clock;

/// Reads one line; `fields` stay untouched when it is no line of nginx.
pub(super) fn parse<'a>(text: &'a str, clock: &mut Clock, fields: &mut Fields<'a>) -> bool {
    read(text, clock, fields).is_some()
}

fn read<'a>(text: &'a str, clock: &mut Clock, fields: &mut Fields<'a>) -> Option<()> {
    let (time, taken) = clock.iso(text.as_bytes())?;
    let (level, rest) = text.get(taken..)?.strip_prefix(" [")?.split_once("] ")?;
    let level = Level::parse(level)?;
    let (process, rest) = rest.split_once(": ").or_else(|| rest.split_once(':'))?;
    let (pid, tid) = process.split_once('#')?;
    let (pid, tid) = (pid.parse().ok()?, tid.parse().ok()?);
    let (connection, message) = match rest.strip_prefix('*').and_then(|rest| rest.split_once(' ')) {
        Some((number, message)) => (number.parse::<i64>().ok(), message),
        None => (None, rest),
    };
    fields.timestamp = Some(time);
    fields.level = Some(level);
    fields.process_pid = Some(pid);
    fields.thread_id = Some(tid);
    fields.message = Some(message).filter(|message| !message.is_empty()).map(Text::Plain);
    if let Some(number) = connection {
        fields.labels.push((Text::Plain("connection"), Scalar::Int(number)));
    }
    if let Some(client) = named(message, ", client: ") {
        fields.source_address = Some(Text::Plain(client.split(',').next().unwrap_or(client)));
    }
    if let Some((request, _)) = named(message, ", request: ").and_then(quoted) {
        fill_request(request, fields);
    }
    Some(())
}

/// What follows `name`; the last one counts, because the message before it may hold anything.
fn named<'a>(message: &'a str, name: &str) -> Option<&'a str> {
    memmem::rfind(message.as_bytes(), name.as_bytes()).and_then(|at| message.get(at + name.len()..))
}

#[cfg(test)]
mod test {
    use crate::parser::{ParserConfig, shape};

    fn check(text: &str, expected: &str) {
        assert_eq!(shape::show(ParserConfig::NginxError, text), expected, "{text}");
    }

    #[test]
    fn lines() {
        check(
            r#"2016/10/25 14:49:34 [error] 54053#0: *1 open() "/x" failed (2: No such file), client: 127.0.0.1, server: s, request: "GET /x?y HTTP/1.1", host: "h""#,
            r#"2016-10-25T14:49:34.000Z error message=open() "/x" failed (2: No such file), client: 127.0.0.1, server: s, request: "GET /x?y HTTP/1.1", host: "h" method=GET version=1.1 url=/x?y path=/x query=y from=127.0.0.1 pid=54053 tid=0 labels={connection=Int(1)}"#,
        );
        check(
            "2016/10/25 14:49:34 [notice] 7#7: start worker processes",
            "2016-10-25T14:49:34.000Z info message=start worker processes pid=7 tid=7",
        );
        check(
            "2016/10/25 14:49:34 [emerg] 7#7: bind() failed",
            "2016-10-25T14:49:34.000Z fatal message=bind() failed pid=7 tid=7",
        );
        for text in ["", "2016/10/25 14:49:34 [error] plain", "2016/10/25 14:49:34 7#7: x", "[error] 7#7: x"]
        {
            check(text, "unrecognised");
        }
    }
}
