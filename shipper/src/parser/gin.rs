//! Go's gin: its access line, its debug lines, the panics that it recovers from.
//!
//! Enters: one line, or a recovered panic with its stack joined. Leaves: the request and its answer, the
//! level, the panic. Never: a colored status or method with its color.
//!
//! ```text
//! [GIN] 2026/11/23 - 10:30:45 | 200 |     1.234ms |       127.0.0.1 | GET      "/ping"
//! [GIN-debug] [WARNING] Running in "debug" mode. Switch to "release" mode in production.
//! 2026/11/23 10:30:45 [Recovery] 2026/11/23 - 10:30:45 panic recovered:
//! ```

use event::{Fields, Level, Text};
use memchr::{memchr, memmem};

use super::access::{fill_target, quoted};
use super::duration;
use super::head::after_color;
use super::time::Clock;

/// Reads one record; `fields` stay untouched when it is none of gin's.
pub(super) fn parse<'a>(text: &'a str, clock: &mut Clock, fields: &mut Fields<'a>) -> bool {
    let read = if text.starts_with("[GIN] ") {
        read_access(text, clock, fields)
    } else if text.starts_with("[GIN-debug] ") {
        read_debug(text, fields)
    } else {
        read_recovery(text, clock, fields)
    };
    read.is_some()
}

fn read_access<'a>(text: &'a str, clock: &mut Clock, fields: &mut Fields<'a>) -> Option<()> {
    let rest = text.get(6..)?;
    let (time, taken) = clock.gin(rest.as_bytes())?;
    let rest = rest.get(taken..)?;
    let (before, rest) = rest.split_once('|')?;
    let (status, rest) = rest.split_once('|')?;
    let (latency, rest) = rest.split_once('|')?;
    let (client, request) = rest.split_once('|')?;
    let status: u16 = uncolored(status).parse().ok()?;
    if !before.trim().is_empty() {
        return None;
    }
    let request = request.get(after_color(request, skip(request, 0))..)?.trim_start();
    let (method, _) = request.split_once([' ', '\u{1b}']).unwrap_or((request, ""));
    fields.timestamp = Some(time);
    fields.level = Some(Level::from_http_status(status));
    fields.http_status = Some(status);
    fields.duration_ns = duration::go(uncolored(latency));
    fields.source_address = Some(client.trim()).filter(|client| !client.is_empty()).map(Text::Plain);
    let is_method = !method.is_empty() && method.bytes().all(|byte| byte.is_ascii_uppercase());
    fields.http_method = is_method.then_some(Text::Plain(method));
    let quote = memchr(b'"', request.as_bytes());
    if let Some((target, behind)) = quote.and_then(|quote| quoted(&request[quote..])) {
        fill_target(target, fields);
        // `c.Error(err)`: the handlers' own errors stand below the line.
        let errors = behind.trim();
        if let Some(error) = errors.strip_prefix("Error #01: ") {
            fields.error_message = Some(Text::Plain(error));
        }
    }
    Some(())
}

fn read_debug<'a>(text: &'a str, fields: &mut Fields<'a>) -> Option<()> {
    let rest = text.get(12..)?;
    let (level, message) = match rest.strip_prefix('[').and_then(|rest| rest.split_once("] ")) {
        Some((word, message)) if Level::parse(word).is_some() => (Level::parse(word), message),
        _ => (Some(Level::Debug), rest),
    };
    fields.level = level;
    fields.message = Some(Text::Plain(message.trim_end()));
    Some(())
}

/// `gin.Recovery()`: the panic's message follows the request's dump and a blank line, the stack follows the
/// message.
fn read_recovery<'a>(text: &'a str, clock: &mut Clock, fields: &mut Fields<'a>) -> Option<()> {
    let start = after_color(text, text.len() - text.trim_start_matches('\n').len());
    let (time, taken) = clock.iso(text.as_bytes().get(start..)?)?;
    let body = text.get(start + taken..)?.strip_prefix(" [Recovery] ")?;
    let line_end = memchr(b'\n', body.as_bytes()).unwrap_or(body.len());
    let is_panic = memmem::find(&body.as_bytes()[..line_end], b"panic recovered").is_some();
    fields.timestamp = Some(time);
    fields.level = Some(Level::Error);
    fields.message = Some(Text::Plain(body[..line_end].trim_end_matches(':')));
    if is_panic {
        fields.error_type = Some(Text::Plain("panic"));
        let stack = body.get(line_end + 1..).unwrap_or_default();
        let cause = stack.rsplit_once("\n\n").map_or(stack, |(_, cause)| cause);
        let cause = cause.rsplit_once("\r\n\r\n").map_or(cause, |(_, cause)| cause);
        fields.error_message = cause.lines().next().filter(|line| !line.is_empty()).map(Text::Plain);
        fields.stack_trace = Some(stack.trim_end()).filter(|stack| !stack.is_empty()).map(Text::Plain);
    }
    Some(())
}

/// The text between blanks and color sequences.
fn uncolored(text: &str) -> &str {
    let start = after_color(text, skip(text, 0));
    let rest = text.get(skip(text, start)..).unwrap_or_default();
    rest.split('\u{1b}').next().unwrap_or_default().trim_end()
}

fn skip(text: &str, at: usize) -> usize {
    let rest = text.as_bytes().get(at..).unwrap_or_default();
    at + rest.iter().take_while(|byte| **byte == b' ').count()
}

#[cfg(test)]
mod test {
    use crate::parser::{ParserConfig, shape};

    fn check(text: &str, expected: &str) {
        assert_eq!(shape::show(ParserConfig::Gin, text), expected, "{text:?}");
    }

    #[test]
    fn access() {
        check(
            r#"[GIN] 2026/11/23 - 10:30:45 | 200 | 1.2ms | 127.0.0.1 | GET "/ping""#,
            "2026-11-23T10:30:45.000Z info method=GET url=/ping path=/ping from=127.0.0.1 status=200 ns=1200000",
        );
        check(
            r#"[GIN] 2026/11/23 - 10:30:45 | 500 |      12.5µs |             ::1 | POST     "/a?b=1""#,
            "2026-11-23T10:30:45.000Z error method=POST url=/a?b=1 path=/a query=b=1 from=::1 status=500 ns=12500",
        );
        check(
            "[GIN] 2026/11/23 - 10:30:45 |\u{1b}[90;43m 404 \u{1b}[0m|     1m2.5s |   10.0.0.7 |\u{1b}[97;44m GET     \u{1b}[0m \"/x\"",
            "2026-11-23T10:30:45.000Z warn method=GET url=/x path=/x from=10.0.0.7 status=404 ns=62500000000",
        );
        check(
            "[GIN] 2026/11/23 - 10:30:45 | 500 | 1ms | 10.0.0.7 | GET \"/x\"\nError #01: no stock",
            "2026-11-23T10:30:45.000Z error error=/no stock method=GET url=/x path=/x from=10.0.0.7 status=500 ns=1000000",
        );
    }

    #[test]
    fn debug_and_recovery() {
        check("[GIN-debug] [WARNING] Running in \"debug\" mode.", "warn message=Running in \"debug\" mode.");
        check(
            "[GIN-debug] GET /ping --> main.main.func1 (3 handlers)",
            "debug message=GET /ping --> main.main.func1 (3 handlers)",
        );
        check("[GIN-debug] [ERROR] listen tcp :8080: bind", "error message=listen tcp :8080: bind");
        check(
            "2026/11/23 10:30:45 [Recovery] 2026/11/23 - 10:30:45 panic recovered:\nGET / HTTP/1.1\nHost: x\n\nno stock\n/a/b.go:7 (0x1)\n\tmain: x()",
            "2026-11-23T10:30:45.000Z error message=2026/11/23 - 10:30:45 panic recovered error=panic/no stock stack=GET / HTTP/1.1\nHost: x\n\nno stock\n/a/b.go:7 (0x1)\n\tmain: x()",
        );
    }

    #[test]
    fn what_is_none_of_gins() {
        for text in [
            "",
            "[GIN]",
            "[GIN] now",
            "[GIN] 2026/11/23 - 10:30:45 | two | 1ms | a | GET \"/\"",
            "2026/11/23 10:30:45 hello",
        ] {
            check(text, "unrecognised");
        }
    }
}
