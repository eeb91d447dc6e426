//! How the bytes of a stream stand for characters.
//!
//! Enters: the user's `encoding:`, the first bytes of a file, bytes of whole lines. Leaves: text, places between two
//! characters. Never: state from one line to the next; a broken sequence ends with its line.
//!
//! The tables are those of the web (`encoding_rs`, of which Firefox is made): `latin1` is windows-1252, and `gbk` reads
//! what `gb18030` does.

use std::borrow::Cow;

use encoding_rs::{BIG5, EUC_JP, EUC_KR, GB18030, GBK, SHIFT_JIS, UTF_8, UTF_16BE, UTF_16LE};
use schemars::{JsonSchema, Schema, SchemaGenerator};
use serde::Deserialize;
use serde::de::{Deserializer, Error};

/// The encoding of a file, by one of its names on the web.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Encoding(&'static encoding_rs::Encoding);

impl Default for Encoding {
    fn default() -> Self {
        Encoding(UTF_8)
    }
}

/// What the first bytes of a file say of its encoding.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Mark {
    /// A byte order mark, which goes before what the user wrote.
    Found(Encoding),
    /// None.
    Absent,
    /// More bytes are needed.
    Open,
}

impl Mark {
    /// Looks at the first bytes of a file.
    pub(super) fn of(head: &[u8]) -> Self {
        const MARKS: [(&[u8], &encoding_rs::Encoding); 3] =
            [(b"\xef\xbb\xbf", UTF_8), (b"\xff\xfe", UTF_16LE), (b"\xfe\xff", UTF_16BE)];
        for (mark, encoding) in MARKS {
            if head.starts_with(mark) {
                return Mark::Found(Encoding(encoding));
            }
        }
        if MARKS.iter().any(|(mark, _)| mark.starts_with(head)) { Mark::Open } else { Mark::Absent }
    }
}

impl Encoding {
    /// The name, as the Encoding Standard writes it.
    #[must_use]
    pub fn name(self) -> &'static str {
        self.0.name()
    }

    pub(super) fn is_utf_8(self) -> bool {
        self.0 == UTF_8
    }

    /// Bytes of one code unit: 2 for UTF-16, where a byte alone says nothing.
    pub(super) fn unit_bytes(self) -> usize {
        if self.0 == UTF_16LE || self.0 == UTF_16BE { 2 } else { 1 }
    }

    /// `text` in this encoding; `None` when it has no such character.
    pub(super) fn encode(self, text: &str) -> Option<Vec<u8>> {
        if self.0 == UTF_16LE {
            return Some(text.encode_utf16().flat_map(u16::to_le_bytes).collect());
        }
        if self.0 == UTF_16BE {
            return Some(text.encode_utf16().flat_map(u16::to_be_bytes).collect());
        }
        let (bytes, _, has_unknown) = self.0.encode(text);
        (!has_unknown).then(|| bytes.into_owned())
    }

    /// Appends the text of `bytes`, which lie at `offset` of the stream and are a whole line. Each broken sequence
    /// becomes U+FFFD; true when there was one.
    pub(super) fn decode(self, offset: u64, bytes: &[u8], out: &mut String) -> bool {
        let lead = self.misaligned(offset).min(bytes.len());
        if lead > 0 {
            // Half a unit, which an earlier end left behind.
            out.push(char::REPLACEMENT_CHARACTER);
        }
        let bytes = bytes.get(lead..).unwrap_or_default();
        let mut decoder = self.0.new_decoder_without_bom_handling();
        out.reserve(decoder.max_utf8_buffer_length(bytes.len()).unwrap_or(bytes.len()));
        let (_, _, has_errors) = decoder.decode_to_string(bytes, out, true);
        has_errors || lead > 0
    }

    /// The largest place between two characters of `bytes`, which lie at `offset` and begin with a character, that is
    /// not behind `at`. `at` itself where that would be the start.
    pub(super) fn boundary(self, offset: u64, bytes: &[u8], at: usize) -> usize {
        let found = match self.unit_bytes() {
            2 => self.unit_boundary(offset, bytes, at),
            _ if self.is_utf_8() => {
                let is_start =
                    |at: &usize| bytes.get(*at).is_none_or(|byte| byte & 0b1100_0000 != 0b1000_0000);
                (at.saturating_sub(3)..=at).rev().find(is_start).unwrap_or(at)
            }
            _ if !self.has_long_characters() => at,
            _ => {
                let (mut from, mut next) = (0, 0);
                while next <= at {
                    from = next;
                    next += self.character_bytes(bytes.get(next..).unwrap_or_default()).unwrap_or(1);
                }
                from
            }
        };
        if found == 0 { at } else { found }
    }

    /// The largest place of `bytes`, which lie at `offset`, before which every character is there as a whole.
    pub(super) fn whole(self, offset: u64, bytes: &[u8]) -> usize {
        let len = bytes.len();
        if self.unit_bytes() == 2 {
            let even = len - self.misaligned(offset + len as u64).min(len);
            let high = if self.0 == UTF_16LE { even.wrapping_sub(1) } else { even.wrapping_sub(2) };
            let is_first = bytes.get(high).is_some_and(|byte| byte & 0b1111_1100 == 0b1101_1000);
            return if is_first { even.saturating_sub(2) } else { even };
        }
        if self.is_utf_8() {
            let last = (len.saturating_sub(3)..len)
                .rev()
                .find(|at| bytes.get(*at).is_some_and(|byte| *byte >= 0xc0));
            let needs = |at: usize| bytes.get(at).map_or(0, |byte| byte.leading_ones() as usize);
            return last.filter(|at| at + needs(*at) > len).unwrap_or(len);
        }
        let mut at = 0;
        while self.has_long_characters() && at < len {
            let Some(bytes) = self.character_bytes(bytes.get(at..).unwrap_or_default()) else { return at };
            at += bytes;
        }
        len
    }

    fn unit_boundary(self, offset: u64, bytes: &[u8], at: usize) -> usize {
        let even = at - usize::from((offset + at as u64) % 2 == 1).min(at);
        let high = if self.0 == UTF_16LE { even + 1 } else { even };
        // Not between the two halves of a pair: the second one is D800 and above, up to DFFF.
        let is_second = bytes.get(high).is_some_and(|byte| byte & 0b1111_1100 == 0b1101_1100);
        if is_second { even.saturating_sub(2) } else { even }
    }

    /// Bytes from `offset` on to the next unit.
    pub(super) fn misaligned(self, offset: u64) -> usize {
        usize::from(self.unit_bytes() == 2 && offset % 2 == 1)
    }

    /// Whether a character can end with a byte that is another one alone, so that only a walk from the start of a
    /// line tells them apart.
    pub(super) fn has_long_characters(self) -> bool {
        [GBK, GB18030, BIG5, SHIFT_JIS, EUC_KR, EUC_JP].contains(&self.0)
    }

    /// Whether a search finds `byte` only where it is a character of its own: no second byte is below `0`, and those
    /// of four bytes in GB18030 begin there.
    pub(super) fn is_always_whole(self, byte: u8) -> bool {
        byte < b'0' || !self.has_long_characters()
    }

    /// Bytes of the character that `bytes` begin with, in an encoding of [`Encoding::has_long_characters`]; a byte that
    /// begins none stands alone. `None` when more are needed.
    pub(super) fn character_bytes(self, bytes: &[u8]) -> Option<usize> {
        let (lead, second) = (*bytes.first()?, bytes.get(1).copied());
        let is_lead = if self.0 == SHIFT_JIS {
            matches!(lead, 0x81..=0x9f | 0xe0..=0xfc)
        } else if self.0 == EUC_JP {
            matches!(lead, 0x8e | 0x8f | 0xa1..=0xfe)
        } else {
            matches!(lead, 0x81..=0xfe)
        };
        if !is_lead {
            return Some(1);
        }
        let second = second?;
        let is_four = (self.0 == GBK || self.0 == GB18030) && second.is_ascii_digit();
        if is_four {
            let [_, _, third, fourth, ..] = bytes else { return None };
            return Some(if *third >= 0x81 && fourth.is_ascii_digit() { 4 } else { 1 });
        }
        if self.0 == EUC_JP && lead == 0x8f && second >= 0xa1 {
            return Some(if *bytes.get(2)? >= 0xa1 { 3 } else { 1 });
        }
        Some(if second >= 0x40 && second != 0x7f { 2 } else { 1 })
    }
}

impl<'de> Deserialize<'de> for Encoding {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let name = Cow::<'de, str>::deserialize(deserializer)?;
        let known = encoding_rs::Encoding::for_label_no_replacement(name.as_bytes())
            // Its escapes reach over line ends, and the other is no encoding of text.
            .filter(|known| ![encoding_rs::ISO_2022_JP, encoding_rs::X_USER_DEFINED].contains(known));
        known.map(Encoding).ok_or_else(|| {
            D::Error::custom(format_args!(
                "`{name}` is no encoding that can be read line by line: write utf-8, utf-16le, utf-16be, gbk, \
                 gb18030, big5, shift_jis, latin1, or another name of https://encoding.spec.whatwg.org/#names-and-labels"
            ))
        })
    }
}

impl JsonSchema for Encoding {
    fn schema_name() -> Cow<'static, str> {
        "Encoding".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        schemars::json_schema!({
            "type": "string",
            "examples": ["utf-8", "utf-16le", "utf-16be", "gbk", "gb18030", "big5", "shift_jis", "latin1"],
        })
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const NAMES: [&str; 9] =
        ["utf-8", "utf-16le", "utf-16be", "gbk", "gb18030", "big5", "shift_jis", "latin1", "euc-jp"];

    fn encoding(name: &str) -> Encoding {
        yaml::parse("test.yml", name).unwrap()
    }

    fn decoded(name: &str, bytes: &[u8]) -> (String, bool) {
        let mut text = String::new();
        let is_broken = encoding(name).decode(0, bytes, &mut text);
        (text, is_broken)
    }

    #[test]
    fn lines_are_decoded_and_what_is_broken_ends_with_its_line() {
        for (name, bytes, expected, is_broken) in [
            ("utf-8", &b"caf\xc3\xa9"[..], "caf\u{e9}", false),
            ("utf-8", b"caf\xc3", "caf\u{fffd}", true),
            ("utf-16le", b"\x0a\x4e\x0d\x4e", "\u{4e0a}\u{4e0d}", false),
            ("utf-16le", b"a\0\x3d\xd8", "a\u{fffd}", true),
            ("utf-16be", b"\x4e\x0a\x4e", "\u{4e0a}\u{fffd}", true),
            ("gbk", b"\xc4\xe3\xba\xc3\xba", "\u{4f60}\u{597d}\u{fffd}", true),
            ("gb18030", b"\x94\x39\xda\x33", "\u{1f4a9}", false),
            ("big5", b"\xa7A\xa6n", "\u{4f60}\u{597d}", false),
            ("shift_jis", b"\x83\x5c", "\u{30bd}", false),
            ("latin1", b"\x93caf\xe9\x94", "\u{201c}caf\u{e9}\u{201d}", false),
        ] {
            assert_eq!(decoded(name, bytes), (expected.to_owned(), is_broken), "{name} {bytes:x?}");
        }
    }

    #[test]
    fn names_are_those_of_the_web_and_others_are_refused_with_the_way_out() {
        for (name, expected) in
            [("UTF8", "UTF-8"), ("latin1", "windows-1252"), ("gb2312", "GBK"), ("sjis", "Shift_JIS")]
        {
            assert_eq!(encoding(name).name(), expected);
        }
        for name in ["klingon", "iso-2022-jp", "x-user-defined", "replacement"] {
            let error = yaml::parse::<Encoding>("test.yml", name).unwrap_err().to_string();
            assert!(
                error.contains(&format!("`{name}` is no encoding that can be read line by line")),
                "{error}"
            );
            assert!(error.contains("gb18030"), "{error}");
        }
    }

    #[test]
    fn a_mark_is_found_once_enough_is_there() {
        for (head, expected) in [
            (&b""[..], Mark::Open),
            (b"\xef\xbb", Mark::Open),
            (b"\xff", Mark::Open),
            (b"\xff\xfe", Mark::Found(Encoding(UTF_16LE))),
            (b"\xfe\xff\0a", Mark::Found(Encoding(UTF_16BE))),
            (b"\xef\xbb\xbfa", Mark::Found(Encoding(UTF_8))),
            (b"a", Mark::Absent),
            (b"\xef\xbba", Mark::Absent),
        ] {
            assert_eq!(Mark::of(head), expected, "{head:x?}");
        }
    }

    proptest! {
        #[test]
        fn a_boundary_lies_between_characters(
            name in prop::sample::select(&NAMES[..]),
            text in "[a|0\u{4e0a}\u{65e5}\u{ff5c}]{1,20}",
            at in 4usize..24,
        ) {
            let encoding = encoding(name);
            let Some(bytes) = encoding.encode(&text).filter(|bytes| bytes.len() > at) else { return Ok(()) };
            let found = encoding.boundary(0, &bytes, at);
            prop_assert!(found <= at && found + 4 > at);
            let (mut one, mut two) = (String::new(), String::new());
            prop_assert!(!encoding.decode(0, &bytes[..found], &mut one));
            prop_assert!(!encoding.decode(found as u64, &bytes[found..], &mut two));
            prop_assert_eq!(one + &two, text);
        }

        #[test]
        fn what_is_whole_decodes_without_a_fault(
            name in prop::sample::select(&NAMES[..]),
            text in "[a0\u{4e0a}\u{65e5}]{0,8}",
            len in 0usize..24,
        ) {
            let encoding = encoding(name);
            let Some(bytes) = encoding.encode(&text) else { return Ok(()) };
            let bytes = &bytes[..len.min(bytes.len())];
            let whole = encoding.whole(0, bytes);
            prop_assert!(whole <= bytes.len() && whole + 4 > bytes.len());
            prop_assert!(!encoding.decode(0, &bytes[..whole], &mut String::new()));
        }

        #[test]
        fn no_bytes_are_too_odd(
            name in prop::sample::select(&NAMES[..]),
            bytes in prop::collection::vec(any::<u8>(), 0..40),
            offset in 0u64..4,
            at in 0usize..40,
        ) {
            let encoding = encoding(name);
            encoding.decode(offset, &bytes, &mut String::new());
            let at = at.min(bytes.len());
            let found = encoding.boundary(offset, &bytes, at);
            prop_assert!(found <= at && (found > 0 || at == 0));
            prop_assert!(encoding.whole(offset, &bytes) <= bytes.len());
        }
    }
}
