//! JSON, piece by piece, borrowed.
//!
//! Enters: text. Leaves: strings without their quotes but with their escapes, numbers and nested values as
//! they stand. Never: a piece that is not valid JSON; what leaves here is copied into a record unchanged.

use event::Text;

use crate::parser::name::Value;

/// Objects and arrays within each other; deeper text is not read as JSON.
const DEPTH_MAX: u32 = 64;

/// Reads one text from front to back. Every method gives `None` where the text stops being JSON.
#[derive(Debug, Clone, Copy)]
pub(super) struct Scanner<'a> {
    text: &'a str,
    at: usize,
}

impl<'a> Scanner<'a> {
    pub(super) fn new(text: &'a str) -> Self {
        Scanner { text, at: 0 }
    }

    /// Where the reading stands.
    pub(super) fn at(&self) -> usize {
        self.at
    }

    /// The text from `start` to here.
    pub(super) fn since(&self, start: usize) -> &'a str {
        self.text.get(start..self.at).unwrap_or_default()
    }

    /// True at the end of the text.
    pub(super) fn is_done(&mut self) -> bool {
        self.skip_blanks();
        self.at == self.text.len()
    }

    /// The next byte that is no blank, unread.
    pub(super) fn peek(&mut self) -> Option<u8> {
        self.skip_blanks();
        self.text.as_bytes().get(self.at).copied()
    }

    /// Reads `byte`, after blanks.
    pub(super) fn expect(&mut self, byte: u8) -> Option<()> {
        let is_next = self.peek()? == byte;
        self.at += usize::from(is_next);
        is_next.then_some(())
    }

    /// Reads `,` (true) or `end` (false).
    pub(super) fn goes_on(&mut self, end: u8) -> Option<bool> {
        let next = self.peek()?;
        self.at += 1;
        match next {
            b',' => Some(true),
            next if next == end => Some(false),
            _ => None,
        }
    }

    /// The next member's name, and its colon.
    pub(super) fn key(&mut self) -> Option<&'a str> {
        self.expect(b'"')?;
        let key = self.string()?;
        self.expect(b':')?;
        Some(key)
    }

    /// The next value.
    pub(super) fn value(&mut self) -> Option<Value<'a>> {
        match self.peek()? {
            b'"' => {
                self.at += 1;
                self.string().map(|text| Value::Text(Text::Escaped(text)))
            }
            b't' => self.literal("true").map(|()| Value::Bool(true)),
            b'f' => self.literal("false").map(|()| Value::Bool(false)),
            b'-' | b'0'..=b'9' => self.number().map(Value::Number),
            _ => {
                let start = self.at;
                self.skip_value(0)?;
                Some(Value::Json(self.since(start)))
            }
        }
    }

    fn skip_blanks(&mut self) {
        while matches!(self.text.as_bytes().get(self.at), Some(b' ' | b'\t' | b'\n' | b'\r')) {
            self.at += 1;
        }
    }

    fn literal(&mut self, word: &str) -> Option<()> {
        let is_next = self.text.get(self.at..)?.starts_with(word);
        self.at += word.len();
        is_next.then_some(())
    }

    /// The inside of a string whose opening quote has been read.
    fn string(&mut self) -> Option<&'a str> {
        let start = self.at;
        loop {
            self.at = find_special(self.text.as_bytes(), self.at)?;
            match self.text.as_bytes()[self.at] {
                b'"' => {
                    let inside = self.since(start);
                    self.at += 1;
                    return Some(inside);
                }
                b'\\' => self.escape()?,
                _ => return None,
            }
        }
    }

    /// One escape. Half of a surrogate pair has no meaning, and strict readers refuse it, so it is no JSON
    /// here.
    fn escape(&mut self) -> Option<()> {
        let bytes = self.text.as_bytes();
        match bytes.get(self.at + 1)? {
            b'"' | b'\\' | b'/' | b'b' | b'f' | b'n' | b'r' | b't' => self.at += 2,
            b'u' => {
                let unit = hex(bytes, self.at + 2)?;
                self.at += 6;
                match unit {
                    0xD800..=0xDBFF => {
                        let is_pair = bytes.get(self.at..self.at + 2)? == b"\\u"
                            && matches!(hex(bytes, self.at + 2)?, 0xDC00..=0xDFFF);
                        self.at += 6;
                        return is_pair.then_some(());
                    }
                    0xDC00..=0xDFFF => return None,
                    _ => {}
                }
            }
            _ => return None,
        }
        Some(())
    }

    /// A number, by JSON's grammar.
    fn number(&mut self) -> Option<&'a str> {
        let start = self.at;
        let bytes = self.text.as_bytes();
        self.at += usize::from(bytes[self.at] == b'-');
        let whole = self.digits();
        let has_leading_zero = whole > 1 && bytes[self.at - whole] == b'0';
        if whole == 0 || has_leading_zero {
            return None;
        }
        if bytes.get(self.at) == Some(&b'.') {
            self.at += 1;
            (self.digits() > 0).then_some(())?;
        }
        if matches!(bytes.get(self.at), Some(b'e' | b'E')) {
            self.at += 1;
            self.at += usize::from(matches!(bytes.get(self.at), Some(b'+' | b'-')));
            (self.digits() > 0).then_some(())?;
        }
        Some(self.since(start))
    }

    fn digits(&mut self) -> usize {
        let rest = &self.text.as_bytes()[self.at..];
        let count = rest.iter().take_while(|byte| byte.is_ascii_digit()).count();
        self.at += count;
        count
    }

    /// Passes over one value of any shape.
    fn skip_value(&mut self, depth: u32) -> Option<()> {
        match self.peek()? {
            b'{' if depth < DEPTH_MAX => {
                self.at += 1;
                if self.peek()? == b'}' {
                    self.at += 1;
                    return Some(());
                }
                loop {
                    self.key()?;
                    self.skip_value(depth + 1)?;
                    if !self.goes_on(b'}')? {
                        return Some(());
                    }
                }
            }
            b'[' if depth < DEPTH_MAX => {
                self.at += 1;
                if self.peek()? == b']' {
                    self.at += 1;
                    return Some(());
                }
                loop {
                    self.skip_value(depth + 1)?;
                    if !self.goes_on(b']')? {
                        return Some(());
                    }
                }
            }
            b'"' => {
                self.at += 1;
                self.string().map(|_| ())
            }
            b't' => self.literal("true"),
            b'f' => self.literal("false"),
            b'n' => self.literal("null"),
            b'-' | b'0'..=b'9' => self.number().map(|_| ()),
            _ => None,
        }
    }
}

/// The next quote, backslash or control character: the bytes at which a string's plain run ends. Eight bytes
/// at a time; of the flags that the subtraction sets, the lowest is exact.
fn find_special(bytes: &[u8], mut at: usize) -> Option<usize> {
    const LOW: u64 = 0x0101_0101_0101_0101;
    const HIGH: u64 = 0x8080_8080_8080_8080;
    while let Some(chunk) = bytes.get(at..)?.first_chunk::<8>() {
        let word = u64::from_le_bytes(*chunk);
        let quote = word ^ (LOW * u64::from(b'"'));
        let slash = word ^ (LOW * u64::from(b'\\'));
        let found = ((word.wrapping_sub(LOW * 0x20) & !word)
            | (quote.wrapping_sub(LOW) & !quote)
            | (slash.wrapping_sub(LOW) & !slash))
            & HIGH;
        if found != 0 {
            return Some(at + (found.trailing_zeros() / 8) as usize);
        }
        at += 8;
    }
    let rest = bytes.get(at..)?;
    rest.iter().position(|byte| matches!(byte, b'"' | b'\\' | 0..0x20)).map(|shift| at + shift)
}

fn hex(bytes: &[u8], at: usize) -> Option<u32> {
    let mut value = 0;
    for byte in bytes.get(at..at + 4)? {
        value = value << 4 | char::from(*byte).to_digit(16)?;
    }
    Some(value)
}

/// True when `inside` can stand between the quotes of a JSON string.
pub(in crate::parser) fn is_string_inside(inside: &str) -> bool {
    let mut scanner = Scanner::new(inside);
    loop {
        match find_special(inside.as_bytes(), scanner.at) {
            None => return true,
            Some(at) if inside.as_bytes()[at] == b'\\' => {
                scanner.at = at;
                if scanner.escape().is_none() {
                    return false;
                }
            }
            Some(_) => return false,
        }
    }
}

#[cfg(test)]
mod test {
    use super::*;
    use proptest::prelude::*;

    fn is_json(text: &str) -> bool {
        let mut scanner = Scanner::new(text);
        scanner.value().is_some() && scanner.is_done()
    }

    #[test]
    fn what_is_json_and_what_is_not() {
        for text in [
            "0",
            "-1.5e+7",
            "\"\"",
            r#""a\u00e9\ud83d\ude00\n""#,
            "[]",
            "{}",
            r#"{"a":[1,{"b":null}]} "#,
            "true",
        ] {
            assert!(is_json(text), "{text}");
        }
        for text in [
            "",
            "01",
            "1.",
            ".5",
            "+1",
            "1e",
            "\"",
            "\"\u{1}\"",
            r#""\x""#,
            r#""\ud83d""#,
            r#""\ude00""#,
            "[1,]",
            "{,}",
            "nul",
            "{\"a\"}",
            "'a'",
        ] {
            assert!(!is_json(text), "{text}");
        }
        let deep = |depth: usize| format!("{}{}", "[".repeat(depth), "]".repeat(depth));
        assert!(is_json(&deep(64)) && !is_json(&deep(65)));
    }

    proptest! {
        #[test]
        fn what_it_takes_serde_takes(text in r#"([\[\]{}:,"\\ue0-9.\-a-fln]|true|null|\\u[0-9a-fd]{4}|"[a-z]*":|é){0,24}"#) {
            let is_ours = is_json(&text);
            let is_theirs = serde_json::from_str::<&serde_json::value::RawValue>(&text).is_ok();
            // RawValue does not look into escapes, so it may take more; it never takes less.
            prop_assert!(!is_ours || is_theirs);
            let is_value = serde_json::from_str::<serde_json::Value>(&text).is_ok();
            let has_huge_number = text.contains(['e', 'E']) || text.len() > 20;
            prop_assert!(is_ours == is_value || has_huge_number || text.contains("\"\""));
        }

        #[test]
        fn special_bytes_are_found_where_they_are(bytes in proptest::collection::vec(any::<u8>(), 0..40), at in 0usize..40) {
            let naive = bytes.iter().enumerate().skip(at).find(|(_, byte)| matches!(byte, b'"' | b'\\' | 0..0x20)).map(|(at, _)| at);
            prop_assert_eq!(find_special(&bytes, at), naive);
        }
    }
}
