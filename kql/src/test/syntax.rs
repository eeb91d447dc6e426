//! What reads, as what, and where reading stops.

use crate::{DEPTH_MAX, KqlError, Query};

/// The canonical text shows how the query was read.
fn check(text: &str, expected: &str) {
    let query = Query::parse(text).unwrap_or_else(|error| panic!("{text}: {error}"));
    assert_eq!(query.to_string(), expected, "{text}");
    assert_eq!(Query::parse(expected), Ok(query), "{text}");
}

fn refusal(text: &str) -> KqlError {
    Query::parse(text).expect_err(text)
}

fn check_error(text: &str, offset: usize, message: &str) {
    let error = refusal(text);
    assert_eq!((error.offset, error.kind.to_string().as_str()), (offset, message), "{text}");
}

#[test]
fn predicates() {
    check("", "");
    check("  \n", "");
    check("foo", "foo");
    check("  foo ", "foo");
    check("foo bar", "foo bar");
    check("a:b", "a: b");
    check("a :b", "a: b");
    check("a : foo bar ", "a: foo bar");
    check("a b: c", "a b: c");
    check("a: \"foo  bar\"", "a: \"foo  bar\"");
    check("\"foo bar\"", "\"foo bar\"");
    check("\"quoted field\": x", "quoted field: x");
    check("\"a:b\": x", "a\\:b: x");
    check("\"\": x", "\"\": x");
    check("a: \"\"", "a: \"\"");
    check("a: *", "a: *");
    check("*", "*");
    check("*: *", "*: *");
    check("a*: b*c*", "a*: b*c*");
    check("http.*: x", "http.*: x");
    check("a: -5", "a: -5");
    check("path: /api/v1?x=[1]!", "path: /api/v1?x=[1]!");
    check("消息: 超时", "消息: 超时");
    check("a\u{a0}:\u{a0}b", "a: b");
}

#[test]
fn ranges() {
    check("a > 5", "a > 5");
    check("a>5", "a > 5");
    check("a >= -5.5", "a >= -5.5");
    check("a<5", "a < 5");
    check("a<= 5", "a <= 5");
    check("a > \"5\"", "a > 5");
    check("d < 2026-11-23", "d < 2026-11-23");
    check("d < \"2026-11-23T10:30:00Z\"", "d < \"2026-11-23T10:30:00Z\"");
    check("d < 2026-11-23T10\\:30\\:00Z", "d < \"2026-11-23T10:30:00Z\"");
    check("a >= b c", "a >= \"b c\"");
    check("bytes.* > 5", "bytes.* > 5");
    check("a > 1 and a < 8", "a > 1 and a < 8");
    check("a > \"\"", "a > \"\"");
}

#[test]
fn operators() {
    check("a and b", "a and b");
    check("a AND b Or c", "a and b or c");
    check("a or b and c or d", "a or b and c or d");
    check("(a or b) and c", "(a or b) and c");
    check("a and (b and c)", "a and (b and c)");
    check("(a or b) or c", "(a or b) or c");
    check("((a))", "a");
    check("not a", "not a");
    check("NOT a: b", "not a: b");
    check("not a and b", "not a and b");
    check("not (a or b)", "not (a or b)");
    check("not(a)", "not a");
    check("not not a", "not not a");
    check("a and not b or not c", "a and not b or not c");
    check("(a)and(b)", "a and b");
    check("a\nand\tb", "a and b");
    check("a and\u{a0}b", "a and b");
    check("android or oregon and nothing", "android or oregon and nothing");
    check("cannot connect", "cannot connect");
    check("or: x and and: y", "\\or: x and \\and: y");
}

#[test]
fn lists() {
    check("a: (b or c)", "a: b or a: c");
    check("a: (b and not c)", "a: b and not a: c");
    check("a: ((b or c) and not d)", "(a: b or a: c) and not a: d");
    check("a: (\"b c\" or d e)", "a: \"b c\" or a: d e");
    check("a: (b)", "a: b");
    check("a:(b or *)", "a: b or a: *");
    check("a: (not (b or c))", "not (a: b or a: c)");
}

#[test]
fn nested_fields() {
    check("a: { b: c }", "a: { b: c }");
    check("a:{b:c and d > 5}", "a: { b: c and d > 5 }");
    check("a: { b: { c: d } }", "a: { b: { c: d } }");
    check("a: { b: (x or y) or c: * } and d", "a: { (b: x or b: y) or c: * } and d");
    check("a: { not b: c }", "a: { not b: c }");
}

#[test]
fn escapes() {
    check(r"a\:b", r"a\:b");
    check(r"\\\(\)\:\<\>\{\}\*", r"\\\(\)\:\<\>\{\}\*");
    check(r#"a: \"x\""#, r#"a: \"x\""#);
    check(r"a: foo\*", r"a: foo\*");
    check(r"a: x\ty", r"a: x\ty");
    check(r"a: \u0041\u4e2d", "a: A中");
    check(r"a: \ud83d\ude00", "a: 😀");
    check(r"a: \u002a", r"a: \*");
    check(r"a: \u0020x", r"a: \u0020x");
    check(r"a: \or b", r"a: \or b");
    check(r"\and", r"\and");
    check(r"\not", r"\not");
    check(r"x \AND y", r"x \AND y");
    check(r"\order", "order");
    check(r"\nothing", r"\u000aothing");
    check(r#""a \"b\" \\ c""#, r#""a \"b\" \\ c""#);
    check(r#""C:\dir \d""#, r#""C:\\dir \\d""#);
    check(r#""\u0041 \t""#, r#""A \t""#);
    check(r#""*""#, r#""*""#);
    check(r#"a: "and""#, r#"a: "and""#);
    check(r"C\:\\logs", r"C\:\\logs");
}

#[test]
fn errors_say_what_was_expected() {
    check_error("a:", 2, r#"expected "(", "{", value but end of input found"#);
    check_error("a: )", 3, r#"expected "(", "{", value but ")" found"#);
    check_error("(a", 2, r#"expected ")", AND, OR but end of input found"#);
    check_error("a: (b or c", 10, r#"expected ")", AND, OR but end of input found"#);
    check_error("a: { b: c", 9, r#"expected "}", AND, OR but end of input found"#);
    check_error("a: b c: d", 6, r#"expected AND, OR, end of input but ":" found"#);
    check_error("a)", 1, r#"expected AND, OR, end of input but ")" found"#);
    check_error("a \"b\"", 2, r#"expected AND, OR, end of input but """ found"#);
    check_error("a: b not c", 5, r#"expected AND, OR, end of input but "n" found"#);
    check_error("a or ", 5, r#"expected "(", NOT, field name, value but end of input found"#);
    check_error("a or", 4, r#"expected "(", NOT, field name, value but end of input found"#);
    check_error("and a", 0, r#"expected "(", NOT, field name, value but "a" found"#);
    check_error("a and or b", 6, r#"expected "(", NOT, field name, value but "o" found"#);
    check_error("not", 3, r#"expected "(", NOT, field name, value but end of input found"#);
    check_error("a: (b or )", 9, r#"expected "(", NOT, value but ")" found"#);
    check_error("a: ()", 4, r#"expected "(", NOT, value but ")" found"#);
    check_error("()", 1, r#"expected "(", NOT, field name, value but ")" found"#);
    check_error("a: {}", 4, r#"expected "(", NOT, field name, value but "}" found"#);
    check_error("a > ", 4, "expected literal but end of input found");
    check_error("a: > 5", 3, r#"expected "(", "{", value but ">" found"#);
    check_error("a: not b", 3, r#"expected "(", "{", value but "n" found"#);
    check_error("a: \"b", 5, r#"expected "\"" but end of input found"#);
    check_error("\"b\\\"", 4, r#"expected "\"" but end of input found"#);
    check_error(": b", 0, r#"expected "(", NOT, field name, value but ":" found"#);
    check_error("超时 (", 7, r#"expected AND, OR, end of input but "(" found"#);
    check_error("a: (b: c)", 5, r#"expected ")", AND, OR but ":" found"#);
    check_error(r"C:\logs", 2, r"`\l` is not an escape: write `\\` for a backslash");
    check_error(r"a: \", 3, r"`\` is not an escape: write `\\` for a backslash");
    check_error(r"a: \u12", 3, r"`\u` is not an escape: write `\\` for a backslash");
    check_error(r"a: \ud83d", 3, r"`\ud83d` is not an escape: write `\\` for a backslash");
}

#[test]
fn queries_that_cannot_mean_anything_are_refused() {
    let null = "null is never indexed: write `not field: *` for a missing field, \"null\" for the word";
    check_error("a: null", 3, null);
    check_error("null", 0, null);
    check("a: \"null\"", "a: \"null\"");
    check_error("a > 5*", 4, "a limit has no wildcard: write a number, a date or a text");
    check_error("@timestamp > now-15m", 13, "a rule has no `now`: its window is its time range");
    let date =
        "not a date: write RFC 3339, whole or its beginning, such as \"2026-11-23T10:30:00Z\" or 2026-11-23";
    check_error("event.created: yesterday", 15, date);
    check_error("@timestamp: (2026 or soon)", 21, date);
}

#[test]
fn bounds_hold() {
    let deep = |depth: usize| format!("{}a{}", "(".repeat(depth), ")".repeat(depth));
    assert!(Query::parse(&deep(DEPTH_MAX)).is_ok());
    let message = "a query may have 50 nested levels at most: make it several";
    check_error(&deep(DEPTH_MAX + 1), DEPTH_MAX + 1, message);
    check_error(&format!("{}a", "not ".repeat(DEPTH_MAX + 1)), 4 * (DEPTH_MAX + 1), message);
    check_error(&"a: { ".repeat(100_000), 0, "a query may have 16384 bytes at most: make it several");
    check_error(
        &format!("{}: x", "a".repeat(513)),
        0,
        "a query may have 512 bytes in a field's name at most: make it several",
    );
}

#[test]
fn an_error_points_at_the_place() {
    let shown = |text: &str| refusal(text).to_string();
    assert_eq!(
        shown("a: (b or c"),
        "expected \")\", AND, OR but end of input found\na: (b or c\n----------^"
    );
    assert_eq!(shown("消息: )"), "expected \"(\", \"{\", value but \")\" found\n消息: )\n----^");
    assert_eq!(
        shown("a: b\nor c: )\nor d"),
        "expected \"(\", \"{\", value but \")\" found\nor c: )\n------^"
    );
}
