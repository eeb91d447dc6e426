//! Identifiers of a trace in a head's brackets.
//!
//! Enters: the inside of `[...]`. Leaves: trace, span and service, when the brackets hold nothing else.
//! Never: a word that could be a thread's name.

/// What the brackets held.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Found<'a> {
    pub(super) trace: Option<&'a str>,
    pub(super) span: Option<&'a str>,
    pub(super) service: Option<&'a str>,
    /// Written as `key=value`.
    pub(super) is_named: bool,
}

/// `trace=..`, `traceId=.., spanId=..`, Spring Cloud Sleuth's `service,trace,span`, Spring Boot 3's
/// `trace-span`.
pub(super) fn read(inside: &str) -> Option<Found<'_>> {
    // Most brackets hold a thread, and most threads have a hyphen: the lengths settle those without a look at
    // the digits.
    let mark = inside.bytes().find(|byte| matches!(byte, b'=' | b',' | b'-'))?;
    if mark == b'=' || mark == b'-' && memchr::memchr(b'=', inside.as_bytes()).is_some() {
        return read_named(inside);
    }
    if mark == b'-' {
        let (trace, span) = inside.split_once('-')?;
        let is_ids = matches!(trace.len(), 16 | 32) && span.len() == 16 && is_hex(trace) && is_hex(span);
        return is_ids.then_some(Found { trace: Some(trace), span: Some(span), ..Found::default() });
    }
    let (service, ids) = inside.split_once(',')?;
    let mut ids = ids.split(',');
    let (trace, span) = (ids.next()?, ids.next()?);
    let is_ids = matches!(trace.len(), 0 | 16 | 32) && is_hex(trace) && is_hex(span);
    is_ids.then(|| Found {
        trace: non_empty(trace),
        span: non_empty(span),
        service: non_empty(service),
        is_named: false,
    })
}

fn read_named(inside: &str) -> Option<Found<'_>> {
    let mut found = Found { is_named: true, ..Found::default() };
    for pair in inside.split([',', ' ']).filter(|pair| !pair.is_empty()) {
        let (key, value) = pair.split_once('=')?;
        match key {
            "trace" | "traceId" | "trace_id" | "traceid" | "trace.id" => found.trace = non_empty(value),
            "span" | "spanId" | "span_id" | "spanid" | "span.id" => found.span = non_empty(value),
            "service" | "service.name" | "app" => found.service = non_empty(value),
            _ => return None,
        }
    }
    Some(found)
}

fn is_hex(text: &str) -> bool {
    text.bytes().all(|byte| byte.is_ascii_hexdigit())
}

fn non_empty(text: &str) -> Option<&str> {
    Some(text).filter(|text| !text.is_empty())
}

#[cfg(test)]
mod test {
    use super::*;

    fn check(inside: &str, expected: Option<(&str, &str, &str)>) {
        let found = read(inside).map(|found| {
            (
                found.trace.unwrap_or_default(),
                found.span.unwrap_or_default(),
                found.service.unwrap_or_default(),
            )
        });
        assert_eq!(found, expected, "{inside}");
    }

    #[test]
    fn brackets() {
        check("trace=abc", Some(("abc", "", "")));
        check("traceId=a1, spanId=b2", Some(("a1", "b2", "")));
        check("trace=abc user=7", None);
        check("cart,5f3ea1b2c3d4e5f6,9a", Some(("5f3ea1b2c3d4e5f6", "9a", "cart")));
        check("cart,,", Some(("", "", "cart")));
        check("cart,5f3ea1b2c3d4e5f6,9a,true", Some(("5f3ea1b2c3d4e5f6", "9a", "cart")));
        check(
            "803b448a0489f84084905d3093480352-3425f23bb2432450",
            Some(("803b448a0489f84084905d3093480352", "3425f23bb2432450", "")),
        );
        check("http-nio-8080-exec-1", None);
        check("cart-eu,5f3ea1b2c3d4e5f6,9a", None);
        check("a,b", None);
        check("a,b,c", None);
        check("main", None);
    }
}
