//! Where in a text something is, and how an error points at it.
//!
//! Enters: a line and a column, or a typed value that remembers where it was. Leaves: `file:line:column: ...` and a
//! snippet with a caret. Never: what a value expanded to; snippets show the text as it is written.

use serde_saphyr::{Location, Spanned};

use crate::scalar::scalars;

/// Characters of a line in a snippet at most.
const SNIPPET_CHARS_MAX: usize = 160;

/// A position: both count from 1, columns in characters.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Place {
    /// The line.
    pub line: u64,
    /// The column.
    pub column: u64,
}

impl Place {
    /// The first character.
    pub const START: Place = Place { line: 1, column: 1 };

    /// Where a value starts, the opening quote included.
    #[must_use]
    pub fn of<T>(value: &Spanned<T>) -> Self {
        Place::from_location(value.referenced)
    }

    /// Where byte `offset` of a scalar's value is written in `text`, for an error inside a query or a template. Knows
    /// quotes, escapes, folded and literal blocks.
    #[must_use]
    pub fn inside(text: &str, value: &Spanned<String>, offset: usize) -> Self {
        let start = Place::of(value);
        start.byte(text).map_or(start, |at| Place::inside_raw(text, at, &value.value, offset))
    }

    /// As [`Place::inside`], of the scalar that starts at byte `at`.
    pub(crate) fn inside_raw(text: &str, at: usize, value: &str, offset: usize) -> Self {
        Place::of_byte(text, at + written(&text[at..], value, offset))
    }

    pub(crate) fn from_location(location: Location) -> Self {
        Place { line: location.line().max(1), column: location.column().max(1) }
    }

    /// The byte of `text` that this place names; `None` outside it.
    pub(crate) fn byte(self, text: &str) -> Option<usize> {
        let lines = usize::try_from(self.line.checked_sub(1)?).ok()?;
        let start = match lines.checked_sub(1) {
            None => 0,
            Some(breaks) => text.match_indices('\n').nth(breaks)?.0 + 1,
        };
        let columns = usize::try_from(self.column.checked_sub(1)?).ok()?;
        let line = text[start..].split('\n').next().unwrap_or_default();
        let ends = line.char_indices().map(|(at, _)| at).chain([line.len()]);
        ends.skip(columns).map(|at| start + at).next()
    }

    /// The place of a byte of `text`; its end for one behind it.
    pub(crate) fn of_byte(text: &str, byte: usize) -> Self {
        let before = &text[..text.floor_char_boundary(byte)];
        let start = before.rfind('\n').map_or(0, |at| at + 1);
        let line = before.matches('\n').count() as u64 + 1;
        Place { line, column: before[start..].chars().count() as u64 + 1 }
    }
}

/// How far into `source`, which starts with a scalar, byte `offset` of the scalar's `value` is written. Folding and
/// escapes change white space alone, or write one character as several: so characters that show are counted.
fn written(source: &str, value: &str, offset: usize) -> usize {
    let (before, rest) = value.split_at(value.floor_char_boundary(offset));
    let blanks = before.chars().rev().take_while(|letter| letter.is_whitespace()).count();
    let shown = before.chars().filter(|letter| !letter.is_whitespace()).count();
    let is_shown = rest.chars().next().is_some_and(|letter| !letter.is_whitespace());
    let mut seen = 0;
    let mut end = 0;
    for (at, length, letter) in letters(source) {
        if letter.is_whitespace() {
            continue;
        }
        if is_shown && seen == shown {
            return at;
        }
        seen += 1;
        end = at + length;
        if !is_shown && seen == shown {
            break;
        }
    }
    let line = source[end..].split('\n').next().unwrap_or_default();
    end + line.chars().take(blanks).map(char::len_utf8).sum::<usize>()
}

/// The characters of a scalar that `source` starts with, each with where and how long it is written.
fn letters(source: &str) -> Vec<(usize, usize, char)> {
    let mut letters = Vec::new();
    let quote = source.chars().next().unwrap_or_default();
    let mut at = match quote {
        '"' | '\'' => 1,
        '|' | '>' => source.find('\n').map_or(source.len(), |end| end + 1),
        _ => 0,
    };
    while let Some(letter) = source[at..].chars().next() {
        let tail = &source[at..];
        let (length, letter) = match (quote, letter) {
            ('"', '"') => break,
            ('"', '\\') => escape(tail),
            ('\'', '\'') if tail.starts_with("''") => (2, '\''),
            ('\'', '\'') => break,
            _ => (letter.len_utf8(), letter),
        };
        letters.push((at, length, letter));
        at += length;
    }
    letters
}

/// The length of an escape in double quotes, and what it stands for: a blank, or any character that shows.
fn escape(tail: &str) -> (usize, char) {
    let length = |hex: usize| tail.char_indices().nth(2 + hex).map_or(tail.len(), |(at, _)| at);
    match tail.chars().nth(1) {
        Some('x') => (length(2), 'x'),
        Some('u') => (length(4), 'x'),
        Some('U') => (length(8), 'x'),
        Some('t' | 'n' | 'v' | 'f' | 'r' | ' ' | '\t' | '\n' | 'N' | '_' | 'L' | 'P') => (length(0), ' '),
        _ => (length(0), 'x'),
    }
}

/// `name:line:column: what`, the line with a caret under the scalar, and the way out.
pub(crate) fn point(name: &str, text: &str, place: Place, what: &str, help: Option<&str>) -> String {
    let place = if place.byte(text).is_some() { place } else { Place::of_byte(text, text.trim_end().len()) };
    let Place { line, column } = place;
    let mut report = format!("{name}:{line}:{column}: {what}");
    let byte = place.byte(text).unwrap_or_default();
    let start = text[..byte].rfind('\n').map_or(0, |at| at + 1);
    let source = text[start..].lines().next().unwrap_or_default();
    if !source.trim().is_empty() {
        let (shown, padding) = window(source, byte - start);
        let number = line.to_string();
        let margin = " ".repeat(number.len());
        let carets = "^".repeat(width(text, byte, start + source.len()));
        report.push_str(&format!("\n{margin} |\n{number} | {shown}\n{margin} | {padding}{carets}"));
        if let Some(help) = help {
            report.push_str(&format!("\n{margin} = {help}"));
        }
    } else if let Some(help) = help {
        report.push_str(&format!("\n  = {help}"));
    }
    report
}

/// The part of a line around byte `at`, and blanks as wide as what stands before it.
fn window(line: &str, at: usize) -> (String, String) {
    let before = line[..at].chars().count();
    let skipped = before.saturating_sub(SNIPPET_CHARS_MAX / 2);
    let shown = line.chars().skip(skipped).take(SNIPPET_CHARS_MAX);
    let shown =
        shown.map(|letter| if letter.is_control() && letter != '\t' { '\u{fffd}' } else { letter }).collect();
    let blank = |letter| if letter == '\t' { '\t' } else { ' ' };
    (shown, line.chars().skip(skipped).take(before - skipped).map(blank).collect())
}

/// Characters of the scalar at `byte`, as far as it is on the line that ends at `line_end`; 1 where there is none.
fn width(text: &str, byte: usize, line_end: usize) -> usize {
    let scalar = scalars(text).into_iter().find(|scalar| scalar.bytes.start == byte);
    let end = scalar.map_or(byte, |scalar| scalar.bytes.end).min(line_end);
    text[byte.min(end)..end].trim_end().chars().count().clamp(1, SNIPPET_CHARS_MAX / 2)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn check(text: &str, needle: &str, line: u64, column: u64) {
        #[derive(serde::Deserialize)]
        struct Rule {
            query: Spanned<String>,
        }
        let rule: Rule = crate::parse("rule.yml", text).unwrap();
        let offset = rule.query.value.find(needle).unwrap_or(rule.query.value.len());
        assert_eq!(
            Place::inside(text, &rule.query, offset),
            Place { line, column },
            "{needle:?} in {text:?}"
        );
    }

    #[test]
    fn an_offset_in_a_value_has_a_place() {
        check("query: a: b and c\n".replace("a: b", "a:b").as_str(), "and", 1, 12);
        check("query: 'a: b and c'\n", "and", 1, 14);
        check("query: 'it''s: b and c'\n", "and", 1, 18);
        check("query: \"a: \\\"b\\\" and c\"\n", "and", 1, 18);
        check("query: \"a:\\tb \\u00e9 and\"\n", "and", 1, 22);
        check("query: 'ä: b and c'\n", "and", 1, 14);
        check("query: |\n  a: b\n  and c\n", "and", 3, 3);
        check("query: >-\n  a: b\n  and c\n", "and", 3, 3);
        check("query: >-\n  a: b\n\n  and c\n", "c", 4, 7);
        check("query: 'a: b\n  and c'\n", "and", 2, 3);
        check("query: a:b\n  and c\n", "and", 2, 3);
        check("query: 'a: b  '\n", "  ", 1, 13);
        check("query: 'a: b '\n", "the end", 1, 14);
        check("{ query: 'a: b' }\n", "b", 1, 14);
    }

    #[test]
    fn an_error_points_at_it() {
        insta::assert_snapshot!(
            point("a.yml", "one: 1\ntwo: 'three four'\n", Place { line: 2, column: 6 }, "is odd", Some("write two")),
            @r"
        a.yml:2:6: is odd
          |
        2 | two: 'three four'
          |      ^^^^^^^^^^^^
          = write two
        "
        );
    }

    proptest! {
        #[test]
        fn a_place_and_its_byte_agree(text in "[a-zé \n]{0,40}", byte in 0usize..60) {
            let byte = text.floor_char_boundary(byte);
            prop_assert_eq!(Place::of_byte(&text, byte).byte(&text), Some(byte));
        }

        #[test]
        fn any_place_can_be_pointed_at(text in "[a-z:'\"é \t\n]{0,40}", line in 0u64..6, column in 0u64..50) {
            point("a.yml", &text, Place { line, column }, "is odd", None);
        }
    }
}
