//! Text as the words that Elasticsearch's standard analyzer finds in it.
//!
//! Enters: text. Leaves: its words, as slices. Never: an allocation.
//!
//! The rules are those of Unicode's word boundaries (UAX 29) as Lucene's StandardTokenizer reads them:
//! `java.lang.OutOfMemoryError` is one word, `time-out` two, `10.5` one, each Chinese character is one of its own.

use super::pattern::fold;

/// What a character does to the word it stands in.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Class {
    Letter,
    Digit,
    Katakana,
    /// Joins letters, digits and itself: `_`.
    Connector,
    /// A word of its own.
    Ideograph,
    /// Belongs to the character before it: accents.
    Mark,
    /// Joins letters: `:`.
    MidLetter,
    /// Joins digits: `,` and `;`.
    MidDigit,
    /// Joins letters, and digits: `.` and `'`.
    Mid,
    Other,
}

fn class(character: char) -> Class {
    match character {
        'a'..='z' | 'A'..='Z' => Class::Letter,
        '0'..='9' => Class::Digit,
        '_' | '\u{203f}' | '\u{2040}' | '\u{ff3f}' => Class::Connector,
        '.' | '\'' | '\u{2018}' | '\u{2019}' | '\u{2024}' | '\u{ff0e}' => Class::Mid,
        ':' | '\u{b7}' | '\u{387}' | '\u{2027}' | '\u{ff1a}' => Class::MidLetter,
        ',' | ';' | '\u{37e}' | '\u{589}' | '\u{60c}' | '\u{66c}' | '\u{ff0c}' | '\u{ff1b}' => {
            Class::MidDigit
        }
        _ if character.is_ascii() => Class::Other,
        '\u{300}'..='\u{36f}' | '\u{200d}' | '\u{fe00}'..='\u{fe0f}' | '\u{3099}' | '\u{309a}' => Class::Mark,
        '\u{30a0}'..='\u{30ff}' | '\u{31f0}'..='\u{31ff}' | '\u{ff66}'..='\u{ff9f}' => Class::Katakana,
        '\u{3005}'..='\u{3007}' | '\u{3041}'..='\u{309f}' | '\u{3400}'..='\u{4dbf}' => Class::Ideograph,
        '\u{4e00}'..='\u{9fff}' | '\u{f900}'..='\u{faff}' | '\u{20000}'..='\u{3ffff}' => Class::Ideograph,
        _ if character.is_alphabetic() => Class::Letter,
        _ if character.is_numeric() => Class::Digit,
        _ => Class::Other,
    }
}

/// The words of `text`, in order.
pub(crate) fn words(text: &str) -> Words<'_> {
    Words { rest: text }
}

/// See [`words`].
#[derive(Clone)]
pub(crate) struct Words<'a> {
    rest: &'a str,
}

impl<'a> Iterator for Words<'a> {
    type Item = &'a str;

    fn next(&mut self) -> Option<&'a str> {
        loop {
            let start = self.rest.find(|c| {
                matches!(
                    class(c),
                    Class::Letter | Class::Digit | Class::Katakana | Class::Connector | Class::Ideograph
                )
            })?;
            let from = self.rest.get(start..)?;
            let length = word_length(from);
            let (word, rest) = from.split_at_checked(length)?;
            self.rest = rest;
            if word.chars().any(|c| class(c) != Class::Connector) {
                return Some(word);
            }
        }
    }
}

/// The length in bytes of the word that `text` starts with.
fn word_length(text: &str) -> usize {
    let mut characters = text.char_indices().peekable();
    let Some((_, first)) = characters.next() else { return 0 };
    let mut last = class(first);
    while let Some((at, character)) = characters.next() {
        let next = class(character);
        let joins = match (last, next) {
            (_, Class::Mark) => continue,
            (Class::Letter | Class::Digit, Class::Letter | Class::Digit)
            | (Class::Letter | Class::Digit | Class::Katakana | Class::Connector, Class::Connector)
            | (Class::Connector, Class::Letter | Class::Digit | Class::Katakana)
            | (Class::Katakana, Class::Katakana) => true,
            (Class::Letter, Class::Mid | Class::MidLetter) | (Class::Digit, Class::Mid | Class::MidDigit) => {
                characters.peek().is_some_and(|(_, after)| class(*after) == last)
            }
            _ => false,
        };
        if !joins {
            return at;
        }
        // A joining mark is part of the word, but what it joins decides about the next character.
        if !matches!(next, Class::Mid | Class::MidLetter | Class::MidDigit) {
            last = next;
        }
    }
    text.len()
}

/// Is `word`, in lower case, the text `lowered`?
pub(crate) fn is_word(word: &str, lowered: &str) -> bool {
    if word.is_ascii() { word.eq_ignore_ascii_case(lowered) } else { fold(word).eq(lowered.chars()) }
}

#[cfg(test)]
mod test {
    use proptest::prelude::*;

    use super::words;

    #[test]
    fn words_are_those_of_the_standard_analyzer() {
        let cases: [(&str, &[&str]); 20] = [
            ("The quick brown-fox's bone.", &["The", "quick", "brown", "fox's", "bone"]),
            ("java.lang.OutOfMemoryError: Java heap", &["java.lang.OutOfMemoryError", "Java", "heap"]),
            ("10.5 1,000;7 1.a a.1", &["10.5", "1,000;7", "1", "a", "a", "1"]),
            ("time-out /api/v1/users?id=3", &["time", "out", "api", "v1", "users", "id", "3"]),
            ("snake_case __init__ ___", &["snake_case", "__init__"]),
            ("key:value 10:30:45", &["key:value", "10", "30", "45"]),
            ("host:8080", &["host", "8080"]),
            ("a=b [c] {d}", &["a", "b", "c", "d"]),
            ("127.0.0.1", &["127.0.0.1"]),
            ("服务不可用 error", &["服", "务", "不", "可", "用", "error"]),
            ("カタカナひら", &["カタカナ", "ひ", "ら"]),
            ("naïve cafe\u{301} Ünïcode", &["naïve", "cafe\u{301}", "Ünïcode"]),
            ("trailing. 'quoted'", &["trailing", "quoted"]),
            ("a..b a.:b", &["a", "b", "a", "b"]),
            ("abc123 1a2b", &["abc123", "1a2b"]),
            ("안녕 привет", &["안녕", "привет"]),
            ("$5 50% #tag @me", &["5", "50", "tag", "me"]),
            ("", &[]),
            (" \t\n!?-", &[]),
            ("_x ._", &["_x"]),
        ];
        for (text, expected) in cases {
            assert_eq!(words(text).collect::<Vec<_>>(), expected, "{text}");
        }
    }

    proptest! {
        #[test]
        fn words_keep_every_letter_and_digit(text in "\\PC{0,40}") {
            let kept: String = words(&text).flat_map(str::chars).filter(char::is_ascii_alphanumeric).collect();
            let all: String = text.chars().filter(char::is_ascii_alphanumeric).collect();
            prop_assert_eq!(kept, all);
        }
    }
}
