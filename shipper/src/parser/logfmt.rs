//! `key=value key="quoted value"`, as Go's logrus, slog and go-kit write it.
//!
//! Enters: one line. Leaves: the pairs that ECS has a name for in their fields, all others as text under
//! `labels.*`. Never: a number under `labels.*`; one service's `id=7` beside another's `id=a7` would divide
//! the index's mapping.

use event::{Fields, Scalar, Text};
use memchr::memchr2;

use super::json::is_string_inside;
use super::name::{Group, Value, push_rest};
use super::time::Clock;

/// Reads one line; `fields` stay untouched unless it consists of pairs and nothing else.
pub(super) fn parse<'a>(text: &'a str, clock: &mut Clock, fields: &mut Fields<'a>) -> bool {
    let is_whole = read(text, clock, fields).is_some();
    if !is_whole {
        *fields = Fields::default();
    }
    is_whole
}

fn read<'a>(text: &'a str, clock: &mut Clock, fields: &mut Fields<'a>) -> Option<()> {
    let mut rest = text.trim_ascii();
    if rest.is_empty() {
        return None;
    }
    while !rest.is_empty() {
        let (key, behind) = key(rest)?;
        let (value, behind) = value(behind)?;
        let is_known = Group::Root.name(key).is_some_and(|name| name.fill(Value::Text(value), clock, fields));
        if !is_known {
            push_rest(&mut fields.labels, Text::Plain(key), Scalar::Text(value))?;
        }
        rest = behind.trim_ascii_start();
    }
    Some(())
}

/// A name up to its `=`.
fn key(text: &str) -> Option<(&str, &str)> {
    let length =
        text.bytes().take_while(|byte| byte.is_ascii_alphanumeric() || b"_.-@/".contains(byte)).count();
    let rest = text.get(length..)?.strip_prefix('=')?;
    (length > 0).then(|| (&text[..length], rest))
}

/// A word, or text in quotes. Go quotes as C does: what is no JSON escape, such as `\x00`, stays as it is
/// written.
fn value(text: &str) -> Option<(Text<'_>, &str)> {
    let Some(inside) = text.strip_prefix('"') else {
        let end = text.find([' ', '\t', '\n']).unwrap_or(text.len());
        let (word, rest) = text.split_at(end);
        return (!word.contains('"')).then_some((Text::Plain(word), rest));
    };
    let mut at = 0;
    loop {
        let found = at + memchr2(b'"', b'\\', inside.as_bytes().get(at..)?)?;
        if inside.as_bytes()[found] == b'"' {
            let (inside, rest) = (&inside[..found], &inside[found + 1..]);
            let value = if is_string_inside(inside) { Text::Escaped(inside) } else { Text::Plain(inside) };
            return (rest.is_empty() || rest.starts_with([' ', '\t', '\n'])).then_some((value, rest));
        }
        at = found + 2;
    }
}

#[cfg(test)]
mod test {
    use crate::parser::{ParserConfig, shape};

    fn check(text: &str, expected: &str) {
        assert_eq!(shape::show(ParserConfig::Logfmt, text), expected, "{text}");
    }

    #[test]
    fn lines() {
        check(
            r#"time="2026-11-23T10:30:45+08:00" level=warning msg="a \"b\"" order=17 path=/x?y=1"#,
            r#"2026-11-23T02:30:45.000Z warn message=a \"b\" labels={order=17,path=/x?y=1}"#,
        );
        check(
            "ts=1700000000.5 lvl=EROR caller=a.go:7 err=\"no\" trace_id=t empty= a.b-c=d",
            "2023-11-14T22:13:20.500Z trace=t error=/no labels={lvl=EROR,caller=a.go:7,empty=,a.b-c=d}",
        );
        check(r#"msg="\x00 raw" a=1 a=2"#, r"message=\x00 raw labels={a=2}");
    }

    #[test]
    fn what_is_no_line_of_pairs() {
        for text in ["", "hello", "a=1 hello", "a=\"open", "=1", "a=b\"c", "a=\"b\"c", "level=info, msg=x y"]
        {
            check(text, "unrecognised");
        }
    }
}
