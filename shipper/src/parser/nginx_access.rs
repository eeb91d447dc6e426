//! nginx's access log: `combined`, and what people commonly put behind it.
//!
//! Enters: one line. Leaves: the request and its answer; the duration when there is one. Never: a guess at
//! the order of several unnamed numbers: the first is taken for `$request_time`.
//!
//! Behind `combined`: `"$http_x_forwarded_for"`, `$request_time`, or names with `=`: `rt=0.005`,
//! `request_time=0.005`.

use event::{Fields, Scalar, Text};

use super::access::{Access, quoted, word};
use super::duration;
use super::time::Clock;

/// Reads one line; `fields` stay untouched when it is no access line.
pub(super) fn parse<'a>(text: &'a str, clock: &mut Clock, fields: &mut Fields<'a>) -> bool {
    let Some(access) = Access::read(text, clock) else { return false };
    access.fill(fields);
    let mut rest = access.extra;
    if let Some((forwarded, behind)) = quoted(rest) {
        if forwarded != "-" {
            fields.labels.push((Text::Plain("forwarded_for"), Scalar::Text(Text::Plain(forwarded))));
        }
        rest = behind;
    }
    while !rest.is_empty() && fields.duration_ns.is_none() {
        let (part, behind) = word(rest);
        let value = match part.split_once('=') {
            Some(("rt" | "request_time" | "reqtime", value)) => value,
            Some(_) => "",
            None => part,
        };
        fields.duration_ns =
            value.contains('.').then(|| duration::seconds(value.trim_matches('"'))).flatten();
        rest = behind.trim_start();
    }
    true
}

#[cfg(test)]
mod test {
    use crate::parser::{ParserConfig, shape};

    const HEAD: &str = r#"10.0.0.7 - - [25/Oct/2016:14:49:33 +0200] "GET /a?b=c HTTP/1.1" 404 571"#;
    const FIELDS: &str =
        "2016-10-25T12:49:33.000Z warn method=GET version=1.1 url=/a?b=c path=/a query=b=c from=10.0.0.7";

    fn check(behind: &str, expected: &str) {
        let text = format!("{HEAD}{behind}");
        assert_eq!(shape::show(ParserConfig::NginxAccess, &text), format!("{FIELDS}{expected}"), "{text}");
    }

    #[test]
    fn lines() {
        check(r#" "-" "curl/8""#, " status=404 bytes=571");
        check(r#" "http://r/" "curl \" 8""#, " referrer=http://r/ status=404 bytes=571");
        check(r#" "-" "curl/8" 0.005"#, " status=404 bytes=571 ns=5000000");
        check(
            r#" "-" "curl/8" "1.2.3.4, 5.6.7.8" rt=0.010 uct="0.001""#,
            " status=404 bytes=571 ns=10000000 labels={forwarded_for=1.2.3.4, 5.6.7.8}",
        );
        check(r#" "-" "curl/8" "-" uct="0.001" request_time=1.5"#, " status=404 bytes=571 ns=1500000000");
    }

    #[test]
    fn what_is_no_line() {
        for text in [
            "",
            "[",
            "10.0.0.7 - - [25/Oct/2016:14:49:33 +0200] nothing",
            r#"1 - - [25/Oct/2016:14:49:33 +0200] "GET" 20000 1"#,
        ] {
            assert_eq!(shape::show(ParserConfig::NginxAccess, text), "unrecognised", "{text}");
        }
    }
}
