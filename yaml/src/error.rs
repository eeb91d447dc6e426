//! What is wrong, in words that an operator can act on.
//!
//! Enters: the library's error, the text as it is written. Leaves: a place, a sentence, the way out.
//! Never: a value that a reference stands for.

use serde_saphyr::{Error, MessageFormatter, UserMessageFormatter};

use crate::place::Place;
use crate::reference::Expanded;
use crate::scalar::scalars;

/// What is wrong with a text.
#[derive(Debug)]
pub(crate) struct Finding {
    pub(crate) place: Place,
    pub(crate) what: String,
    pub(crate) help: Option<String>,
}

/// The library's words where it would have had to quote a value that came from a property. It says so of its
/// neighbours, too; what really stands there is in the text.
const REDACTED: [&str; 4] = [
    "invalid interpolated scalar value",
    "an interpolated value",
    "an interpolated variant",
    "an interpolated field",
];

/// True when the library has hidden what is wrong, though it may have had no reason to.
pub(crate) fn is_redacted(error: &Error) -> bool {
    match error {
        Error::Message { msg, .. } => msg == REDACTED[0],
        Error::SerdeInvalidType { unexpected, .. } | Error::SerdeInvalidValue { unexpected, .. } => {
            unexpected == REDACTED[1]
        }
        _ => false,
    }
}

/// `text` is the text as it is written.
pub(crate) fn describe(error: &Error, text: &str, expanded: &Expanded) -> Finding {
    let place = pointed(error.location().map_or(Place::START, Place::from_location), text);
    let source = source(text, place);
    let is_masked = expanded.is_masked(place);
    let word = |said: &str| if REDACTED.contains(&said) { source.clone() } else { said.to_owned() };
    let plain = |what: &str| (what.to_owned(), None);
    let (what, help) = match error {
        Error::SerdeUnknownField { field, expected, .. } => unknown("key", &word(field), expected),
        Error::SerdeUnknownVariant { variant, expected, .. } => {
            unknown(if is_key(text, place) { "key" } else { "value" }, &word(variant), expected)
        }
        Error::SerdeMissingField { field, .. } => {
            let what = format!("key `{field}` is missing");
            (what, Some(format!("add `{field}: ...` to this mapping")))
        }
        Error::DuplicateMappingKey { .. } => {
            (format!("key `{source}` is there twice"), Some("remove one of the two".to_owned()))
        }
        Error::InvalidScalar { ty: "boolean" | "bool", .. } => {
            (format!("{} is neither true nor false", quoted(&source)), None)
        }
        Error::InvalidScalar { ty, .. } => (format!("{} is not {}", quoted(&source), in_words(ty)), None),
        Error::InvalidBooleanStrict { .. } => {
            (format!("{} is neither true nor false", quoted(&source)), None)
        }
        Error::NullIntoString { .. } => plain("there is no value; write one, or \"\" for an empty text"),
        Error::SerdeInvalidType { unexpected, expected, .. } => {
            let found = if is_masked { quoted(&source) } else { found(unexpected) };
            (format!("expected {}, found {found}", expected.as_str()), None)
        }
        Error::SerdeInvalidValue { unexpected, expected, .. } => {
            let found = if is_masked { quoted(&source) } else { found(unexpected) };
            (format!("expected {}, found {found}", expected.as_str()), None)
        }
        Error::Message { msg, .. } if msg == REDACTED[0] => {
            (format!("{} is not what is expected here", quoted(&source)), None)
        }
        Error::Message { msg, .. } => (msg.clone(), None),
        Error::Unexpected { expected, .. } => (format!("expected {}", structure(expected)), None),
        Error::ExternallyTaggedEnumExpectedScalarOrMapping { .. } => {
            plain("expected a name, or a mapping of one key")
        }
        Error::ExpectedMappingEndAfterEnumVariantValue { .. } => (
            format!(
                "key `{source}` stands beside the one that names the kind, which is alone in its mapping"
            ),
            Some("indent it to belong to the key above, or start a new item".to_owned()),
        ),
        Error::MultipleDocuments { .. } => plain("a second document starts here; one file holds one"),
        Error::Eof { .. } if scalars(text).is_empty() => {
            plain("the file is empty; write at least its required keys")
        }
        Error::Eof { .. } => plain("the file ends in the middle of a value"),
        other => syntax(other, text, place),
    };
    Finding { place, what: expanded.redact(&what), help }
}

/// Mistakes of syntax, in the scanner's own words.
fn syntax(error: &Error, text: &str, place: Place) -> (String, Option<String>) {
    let line = text.lines().nth(usize::try_from(place.line - 1).unwrap_or_default()).unwrap_or_default();
    if line.trim_start_matches(' ').starts_with('\t') {
        let help = "indent with blanks; an editor can replace each tab by two".to_owned();
        return ("a tab in the indentation".to_owned(), Some(help));
    }
    let help = (line.contains("${") && line.contains(['{', '[']))
        .then(|| "inside `{ }` and `[ ]` a reference needs quotes: \"${NAME}\"".to_owned());
    (UserMessageFormatter.format_message(error).into_owned(), help)
}

/// A name that is not among `known`.
pub(crate) fn unknown(kind: &str, name: &str, known: &[&str]) -> (String, Option<String>) {
    let what = match nearest(name, known) {
        Some(near) => format!("unknown {kind} `{name}`, did you mean `{near}`?"),
        None => format!("unknown {kind} `{name}`"),
    };
    let list = known.iter().map(|known| format!("`{known}`")).collect::<Vec<_>>().join(", ");
    let help =
        if known.is_empty() { "no key is known here".to_owned() } else { format!("known {kind}s: {list}") };
    (what, Some(help))
}

/// The known name that `name` is most likely a slip of: at most a third of its characters differ.
fn nearest<'k>(name: &str, known: &[&'k str]) -> Option<&'k str> {
    let same = |name: &str| name.to_lowercase().replace('-', "_");
    let distance = |known: &str| strsim::osa_distance(&same(name), &same(known));
    let bound = (name.chars().count() / 3).max(1);
    known
        .iter()
        .copied()
        .map(|known| (distance(known), known))
        .filter(|(far, _)| *far <= bound)
        .min()
        .map(|(_, known)| known)
}

/// `place`, or the scalar before it where nothing is: there a value is missing.
fn pointed(place: Place, text: &str) -> Place {
    let end = text.trim_end().len();
    let byte = place.byte(text).unwrap_or(end);
    if byte < end {
        return place;
    }
    let before = scalars(text).into_iter().rev().find(|scalar| scalar.bytes.start < byte);
    before.map_or(Place::START, |scalar| Place::of_byte(text, scalar.bytes.start))
}

/// The scalar at `place` as it is written; the rest of the line where there is none.
fn source(text: &str, place: Place) -> String {
    let Some(at) = place.byte(text) else { return String::new() };
    let scalar = scalars(text).into_iter().find(|scalar| scalar.bytes.start == at);
    let rest = || text[at..].lines().next().unwrap_or_default().to_owned();
    scalar.map_or_else(rest, |scalar| text[scalar.bytes].trim_matches(['"', '\'']).to_owned())
}

fn is_key(text: &str, place: Place) -> bool {
    let at = place.byte(text);
    scalars(text).iter().any(|scalar| scalar.is_key && Some(scalar.bytes.start) == at)
}

fn quoted(text: &str) -> String {
    let short: String = text.chars().take(40).flat_map(char::escape_debug).collect();
    if text.chars().nth(40).is_some() { format!("`{short}...`") } else { format!("`{short}`") }
}

/// serde's and the library's names for what was found.
fn found(unexpected: &str) -> String {
    match unexpected {
        "map" => "a mapping".to_owned(),
        "sequence" => "a list".to_owned(),
        "unit value" | "unit" => "no value".to_owned(),
        other => other.to_owned(),
    }
}

fn structure(expected: &str) -> &str {
    match expected {
        "mapping start" | "mapping" => "a mapping (`key: value`)",
        "sequence start" | "sequence" => "a list (`[a, b]`, or lines that start with `- `)",
        "string scalar" | "string" => "a text",
        "scalar" => "a single value",
        other => other,
    }
}

fn in_words(ty: &str) -> String {
    let range = |max: u128| format!("a whole number from 0 to {max}");
    let signed = |max: i128| format!("a whole number from -{} to {max}", max + 1);
    match ty {
        "u8" => range(u8::MAX.into()),
        "u16" => range(u16::MAX.into()),
        "u32" => range(u32::MAX.into()),
        "u64" => range(u64::MAX.into()),
        "i8" => signed(i8::MAX.into()),
        "i16" => signed(i16::MAX.into()),
        "i32" => signed(i32::MAX.into()),
        "i64" => signed(i64::MAX.into()),
        "f32" | "f64" | "floating point" | "float" => "a number".to_owned(),
        other => format!("a valid {other}"),
    }
}
