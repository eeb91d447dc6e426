//! Text of any kind: what is unmistakable in it, and the rest as it is.
//!
//! Enters: any text. Leaves: a time, a level or an exception when they are certain. Never: a refusal.
//!
//! A level counts when it is the line's first word and upper-case (`ERROR disk full`), has a colon behind
//! (`error: disk full`), stands in brackets (`[error] disk full`), or follows a time. A level word inside a
//! sentence does not: an operator is paged for `log.level: error`.

use event::{Fields, Timestamp};

use super::head::Head;
use super::time::Clock;

/// Reads one record.
pub(super) fn parse<'a>(text: &'a str, read_at: Timestamp, clock: &mut Clock, fields: &mut Fields<'a>) {
    Head::read(text, read_at, clock).fill(text, fields);
}

#[cfg(test)]
mod test {
    use crate::parser::{ParserConfig, shape};

    fn check(text: &str, expected: &str) {
        assert_eq!(shape::show(ParserConfig::Plain, text), expected, "{text}");
    }

    #[test]
    fn levels() {
        check("ERROR disk full", "error message=disk full");
        check("error: disk full", "error message=disk full");
        check("[error] disk full", "error message=disk full");
        check("ERROR:root:disk full", "error message=root:disk full");
        check(
            "INFO:     127.0.0.1:5000 - \"GET / HTTP/1.1\" 200 OK",
            "info message=127.0.0.1:5000 - \"GET / HTTP/1.1\" 200 OK",
        );
        check(
            "2026-11-23 10:30:45 warning disk is nearly full",
            "2026-11-23T10:30:45.000Z warn message=disk is nearly full",
        );
        check("\u{1b}[31mERROR\u{1b}[0m disk full", "error message=disk full");
    }

    #[test]
    fn no_levels() {
        for text in [
            "",
            "error in line 7",
            "Information about you",
            "an ERROR here",
            "[main] ERROR here",
            "E1123 x",
            "ERRORS 7",
            "]",
            "[",
        ] {
            check(text, "-");
        }
        check("2026-11-23 10:30:45 started", "2026-11-23T10:30:45.000Z message=started");
    }

    #[test]
    fn exceptions() {
        check(
            "Exception in thread \"main\" a.Boom: no\n\tat a.B.c(B.java:1)",
            "error error=a.Boom/no stack=Exception in thread \"main\" a.Boom: no\n\tat a.B.c(B.java:1)",
        );
        check(
            "panic: no\n\ngoroutine 1 [running]:\nmain.main()",
            "fatal error=panic/no stack=panic: no\n\ngoroutine 1 [running]:\nmain.main()",
        );
    }
}
