//! The scalars of a YAML text, where they stand.
//!
//! Enters: text. Leaves: each scalar's bytes, style, and whether it is a key. Never: a type.

use std::ops::Range;

use serde_saphyr::granit_parser::{Event, Parser, ScalarStyle};

/// One scalar as it is written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Scalar {
    /// Its bytes in the text, quotes and a block's `|` or `>` included.
    pub(crate) bytes: Range<usize>,
    /// What it says, with quotes and escapes resolved.
    pub(crate) value: String,
    pub(crate) is_plain: bool,
    pub(crate) is_key: bool,
}

/// Every scalar in the order of the text, up to the first mistake in its syntax.
pub(crate) fn scalars(text: &str) -> Vec<Scalar> {
    let mut found = Vec::new();
    // For each open collection: `Some(true)` in a mapping that expects a key, `None` in a sequence.
    let mut open: Vec<Option<bool>> = Vec::new();
    for event in Parser::new_from_str(text) {
        let Ok((event, span)) = event else { break };
        match event {
            Event::Scalar(value, style, ..) => {
                let is_key = open.last() == Some(&Some(true));
                let is_plain = style == ScalarStyle::Plain;
                if let Some(mut bytes) = span.byte_range().filter(|bytes| text.get(bytes.clone()).is_some()) {
                    if matches!(style, ScalarStyle::Literal | ScalarStyle::Folded) {
                        bytes.start = header(text, bytes.start);
                    }
                    found.push(Scalar { bytes, value: value.into_owned(), is_plain, is_key });
                }
                pass(&mut open);
            }
            Event::Alias(..) => pass(&mut open),
            Event::MappingStart(..) => {
                pass(&mut open);
                open.push(Some(true));
            }
            Event::SequenceStart(..) => {
                pass(&mut open);
                open.push(None);
            }
            Event::MappingEnd | Event::SequenceEnd => {
                open.pop();
            }
            _ => {}
        }
    }
    found
}

/// Where the `|` or `>` of a block stands whose lines start at `content`.
fn header(text: &str, content: usize) -> usize {
    let before = text[..content].trim_end();
    let line = before.rfind('\n').map_or(0, |at| at + 1);
    let is_header = |at: &usize| {
        let rest = before[at + 1..]
            .trim_start_matches(|letter: char| letter.is_ascii_digit() || "+-".contains(letter));
        rest.trim_start().is_empty() || rest.starts_with([' ', '\t']) && rest.trim_start().starts_with('#')
    };
    before[line..].match_indices(['|', '>']).map(|(at, _)| line + at).find(is_header).unwrap_or(content)
}

/// A node of a mapping was seen: after a key comes a value, after a value a key.
fn pass(open: &mut [Option<bool>]) {
    if let Some(Some(expects_key)) = open.last_mut() {
        *expects_key = !*expects_key;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_and_values_are_told_apart() {
        let text = "a: 'x'\nb: {c: 1, ? d : [e, {f: g}]}\nh: &i j\nk: *i\nl: m\n";
        let keys: Vec<_> =
            scalars(text).into_iter().filter(|scalar| scalar.is_key).map(|scalar| scalar.value).collect();
        assert_eq!(keys, ["a", "b", "c", "d", "f", "h", "k", "l"]);
        assert_eq!(&text[scalars(text)[1].bytes.clone()], "'x'");
    }

    #[test]
    fn a_block_starts_at_its_header() {
        for text in ["a | b: |\n  c\n", "a | b: |2- # x | y\n\n   c\n", "- >-\n\n  c\n"] {
            let scalar = scalars(text).pop().unwrap();
            assert!(text[scalar.bytes].starts_with(['|', '>']), "{text:?}");
        }
    }
}
