//! Any text as the inside of a JSON string (RFC 8259, section 7).
//!
//! Enters: a `&str`. Leaves: its bytes, with quotation marks, backslashes and control characters escaped.
//! Log text rarely needs an escape, so clean runs are found eight bytes at a time and copied whole.

/// One in each byte of a word.
const ONES: u64 = 0x0101_0101_0101_0101;
/// The top bit of each byte of a word.
const TOPS: u64 = ONES << 7;

/// Appends `text`, escaped.
#[inline]
pub(super) fn push_escaped(out: &mut Vec<u8>, text: &str) {
    let mut rest = text.as_bytes();
    loop {
        let (clean, dirty) = rest.split_at(clean_run(rest));
        out.extend_from_slice(clean);
        let Some((special, after)) = dirty.split_first() else { return };
        push_escape(out, *special);
        rest = after;
    }
}

#[cold]
fn push_escape(out: &mut Vec<u8>, byte: u8) {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    match byte {
        b'"' => out.extend_from_slice(b"\\\""),
        b'\\' => out.extend_from_slice(b"\\\\"),
        b'\n' => out.extend_from_slice(b"\\n"),
        b'\t' => out.extend_from_slice(b"\\t"),
        b'\r' => out.extend_from_slice(b"\\r"),
        _ => {
            out.extend_from_slice(b"\\u00");
            out.push(DIGITS[usize::from(byte >> 4)]);
            out.push(DIGITS[usize::from(byte & 15)]);
        }
    }
}

/// How many bytes from the start need no escape.
#[inline]
fn clean_run(bytes: &[u8]) -> usize {
    let (words, tail) = bytes.as_chunks::<8>();
    for (at, word) in words.iter().enumerate() {
        let special = specials(u64::from_le_bytes(*word));
        if special != 0 {
            return at * 8 + special.trailing_zeros() as usize / 8;
        }
    }
    let is_special = |byte: &u8| matches!(byte, 0..0x20 | b'"' | b'\\');
    words.len() * 8 + tail.iter().position(is_special).unwrap_or(tail.len())
}

/// The top bit of each byte that needs an escape. A borrow can also set it in bytes above such a one, never
/// below, and the caller only takes the lowest ("Determine if a word has a byte less than n", Bit Twiddling Hacks).
#[inline]
const fn specials(word: u64) -> u64 {
    let quote = word ^ (ONES * b'"' as u64);
    let backslash = word ^ (ONES * b'\\' as u64);
    let is_quote = quote.wrapping_sub(ONES) & !quote;
    let is_backslash = backslash.wrapping_sub(ONES) & !backslash;
    let is_control = word.wrapping_sub(ONES * 0x20) & !word;
    (is_quote | is_backslash | is_control) & TOPS
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn check(text: &str, expected: &str) {
        let mut out = Vec::new();
        push_escaped(&mut out, text);
        assert_eq!(String::from_utf8(out).unwrap(), expected, "{text:?}");
    }

    #[test]
    fn escapes_what_json_asks_for_and_nothing_else() {
        check("", "");
        check("plain text of more than sixteen bytes", "plain text of more than sixteen bytes");
        check("say \"hi\"", "say \\\"hi\\\"");
        check(r"C:\logs\app.log", r"C:\\logs\\app.log");
        check("a\tb\r\nc", "a\\tb\\r\\nc");
        check("\u{0}\u{1b}[31mred\u{1b}[0m\u{7f}", "\\u0000\\u001b[31mred\\u001b[0m\u{7f}");
        check("日志 \u{2028} 🔥 ÿ!", "日志 \u{2028} 🔥 ÿ!");
        check("1234567\"", "1234567\\\"");
        check("12345678\"", "12345678\\\"");
        check("\"\"\"\"\"\"\"\"\"", "\\\"\\\"\\\"\\\"\\\"\\\"\\\"\\\"\\\"");
    }

    proptest! {
        #[test]
        fn reads_back_as_the_same_text(text in any::<String>()) {
            let mut out = b"\"".to_vec();
            push_escaped(&mut out, &text);
            out.push(b'"');
            prop_assert!(!out.contains(&b'\n'));
            prop_assert_eq!(serde_json::from_slice::<String>(&out).unwrap(), text);
        }

        #[test]
        fn finds_the_first_special_byte(bytes in proptest::collection::vec(any::<u8>(), 0..40)) {
            let naive = bytes.iter().position(|byte| *byte < 0x20 || *byte == b'"' || *byte == b'\\');
            prop_assert_eq!(clean_run(&bytes), naive.unwrap_or(bytes.len()));
        }
    }
}
