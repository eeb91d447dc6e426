//! The inside of a JSON string as the text that it stands for (RFC 8259, section 7).
//!
//! Enters: what stands between the quotes of a valid string. Leaves: its text. Never: a refusal; what is no escape
//! stays as it is, and half of a surrogate pair is U+FFFD.

/// Appends what `inside` stands for to `out`.
pub(crate) fn unescape(inside: &str, out: &mut String) {
    let mut rest = inside;
    while let Some(at) = memchr::memchr(b'\\', rest.as_bytes()) {
        let (clean, escape) = rest.split_at(at);
        out.push_str(clean);
        rest = read_escape(escape, out);
    }
    out.push_str(rest);
}

/// Reads the escape that `text` starts with; gives what follows it.
fn read_escape<'t>(text: &'t str, out: &mut String) -> &'t str {
    let after = text.get(2..).unwrap_or_default();
    let character = match text.as_bytes().get(1) {
        Some(b'n') => '\n',
        Some(b't') => '\t',
        Some(b'r') => '\r',
        Some(b'b') => '\u{8}',
        Some(b'f') => '\u{c}',
        Some(special @ (b'"' | b'\\' | b'/')) => char::from(*special),
        Some(b'u') => return read_unit(after, out),
        _ => {
            out.push('\\');
            return text.get(1..).unwrap_or_default();
        }
    };
    out.push(character);
    after
}

/// Four hex digits, and the other half of a pair where they are one half; `text` stands behind `\u`.
fn read_unit<'t>(text: &'t str, out: &mut String) -> &'t str {
    let hex = |text: &str| text.get(..4).and_then(|digits| u16::from_str_radix(digits, 16).ok());
    let Some(first) = hex(text) else {
        out.push_str("\\u");
        return text;
    };
    let after = text.get(4..).unwrap_or_default();
    let second = after.strip_prefix("\\u").and_then(hex);
    let pair = [first, second.unwrap_or_default()];
    match char::decode_utf16(pair).next() {
        Some(Ok(character)) => {
            out.push(character);
            if character.len_utf16() == 2 { after.get(6..).unwrap_or_default() } else { after }
        }
        _ => {
            out.push(char::REPLACEMENT_CHARACTER);
            after
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn check(inside: &str, expected: &str) {
        let mut out = String::new();
        unescape(inside, &mut out);
        assert_eq!(out, expected, "{inside:?}");
    }

    #[test]
    fn escapes_stand_for_characters() {
        check("", "");
        check("plain 日志", "plain 日志");
        check(r#"a\tb\r\n\"c\" \\ \/ \b\f"#, "a\tb\r\n\"c\" \\ / \u{8}\u{c}");
        check(r"\u0041\u65e5\ud83d\udd25!", "A日🔥!");
        check(r"\ud83d \ud83dx\udd25", "\u{fffd} \u{fffd}x\u{fffd}");
        check(r"\x \u12", r"\x \u12");
        check("end\\", "end\\");
    }

    proptest! {
        #[test]
        fn agrees_with_serde(text in any::<String>()) {
            let quoted = serde_json::to_string(&text).unwrap();
            let mut out = String::new();
            unescape(&quoted[1..quoted.len() - 1], &mut out);
            prop_assert_eq!(&out, &text);
            let escaped: String = text.encode_utf16().map(|unit| format!("\\u{unit:04x}")).collect();
            out.clear();
            unescape(&escaped, &mut out);
            prop_assert_eq!(out, text);
        }
    }
}
