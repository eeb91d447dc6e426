//! Apache's access log: `common`, `combined`, `vhost_common`, `vhost_combined`.
//!
//! Enters: one line. Leaves: the request and its answer; the duration when `%D` stands behind. Never: a unit
//! of its own: a whole number behind the line is `%D`, microseconds; with a fraction it is seconds.

use event::Fields;

use super::access::{Access, word};
use super::duration;
use super::time::Clock;

/// Reads one line; `fields` stay untouched when it is no access line.
pub(super) fn parse<'a>(text: &'a str, clock: &mut Clock, fields: &mut Fields<'a>) -> bool {
    let Some(access) = Access::read(text, clock) else { return false };
    access.fill(fields);
    let (first, _) = word(access.extra);
    fields.duration_ns = if first.contains('.') {
        duration::seconds(first)
    } else {
        first.parse::<u64>().ok().and_then(|micros| micros.checked_mul(1000))
    };
    true
}

#[cfg(test)]
mod test {
    use crate::parser::{ParserConfig, shape};

    fn check(text: &str, expected: &str) {
        assert_eq!(shape::show(ParserConfig::ApacheAccess, text), expected, "{text}");
    }

    #[test]
    fn lines() {
        check(
            r#"::1 - - [26/Dec/2016:16:16:28 +0200] "GET / HTTP/1.1" 200 45"#,
            "2016-12-26T14:16:28.000Z info method=GET version=1.1 url=/ path=/ from=::1 status=200 bytes=45",
        );
        check(
            r#"::1 - - [26/Dec/2016:16:16:48 +0200] "-" 408 -"#,
            "2016-12-26T14:16:48.000Z warn from=::1 status=408",
        );
        check(
            r#"shop.example:443 10.0.0.7 - alice smith [26/Dec/2016:16:16:28 +0200] "POST /pay HTTP/2" 500 - "-" "-" 1500"#,
            "2016-12-26T14:16:28.000Z error method=POST version=2 url=/pay path=/pay from=10.0.0.7 user=alice smith status=500 ns=1500000 labels={vhost=shop.example:443}",
        );
        check(
            r#"10.0.0.7 - - [26/Dec/2016:16:16:28 +0200] "\x16\x03\x01" 400 226"#,
            r"2016-12-26T14:16:28.000Z warn url=\x16\x03\x01 from=10.0.0.7 status=400 bytes=226",
        );
    }
}
