//! `${...}` in scalars.
//!
//! Enters: text, and who knows the values. Leaves: text of the same shape with a property in each such scalar's place,
//! and what the properties stand for. Never: a value in the text, so that no snippet or error can show one.
//!
//! The library expands properties in plain scalars of block collections alone, and has neither `${file:...}` nor a
//! word of why a value cannot be had. So a scalar with references is expanded here as a whole, and the text that the
//! library reads has a property `$name` there: as many characters, so that every line and column stays.

use std::collections::HashMap;
use std::ops::Range;

use crate::place::Place;
use crate::scalar::{Scalar, scalars};

/// Who knows values: `Ok(None)` for a name that is not set, `Err` with the reason for one that cannot be had.
pub(crate) type Lookup<'l> = &'l mut dyn FnMut(&str) -> Result<Option<String>, String>;

/// A text whose references are expanded.
#[derive(Debug, Default)]
pub(crate) struct Expanded {
    pub(crate) text: String,
    /// Values by property name.
    pub(crate) properties: HashMap<String, String>,
    masks: Vec<Mask>,
}

#[derive(Debug)]
struct Mask {
    property: String,
    /// As it is written.
    raw: String,
    place: Place,
}

/// A reference without a value.
#[derive(Debug)]
pub(crate) struct ReferenceError {
    pub(crate) place: Place,
    pub(crate) what: String,
}

impl Expanded {
    /// A text in which `$` and `${` are characters like others.
    pub(crate) fn literal(text: &str) -> Self {
        Expanded { text: text.to_owned(), ..Expanded::default() }
    }

    pub(crate) fn new(text: &str, lookup: Lookup<'_>) -> Result<Self, ReferenceError> {
        let mut expanded = Expanded::literal(text);
        // From the last to the first, because a mask may have fewer bytes than what it covers; errors name the first.
        let mut failure = None;
        for scalar in scalars(text).into_iter().rev() {
            if scalar.is_key || !is_expanded(&scalar) {
                continue;
            }
            match expand(&scalar.value, lookup) {
                Ok(value) if failure.is_none() => failure = expanded.mask(text, &scalar, value).err(),
                Ok(_) => {}
                Err((at, what)) => {
                    let place = Place::inside_raw(text, scalar.bytes.start, &scalar.value, at);
                    failure = Some(ReferenceError { place, what });
                }
            }
        }
        failure.map_or(Ok(expanded), Err)
    }

    /// True when the scalar at `place` holds a reference.
    pub(crate) fn is_masked(&self, place: Place) -> bool {
        self.masks.iter().any(|mask| mask.place == place)
    }

    /// `message` with what the operator wrote in the place of properties, and of values that it may quote.
    pub(crate) fn redact(&self, message: &str) -> String {
        let mut message = message.to_owned();
        for mask in &self.masks {
            message = replaced(&message, &mask.property, &mask.raw);
        }
        for mask in &self.masks {
            let value = self.properties.get(&mask.property).map_or("", String::as_str);
            // Shorter ones are part of any sentence; the library has taken them out where they were quoted.
            if value.len() >= 4 && value != mask.raw {
                message = message.replace(value, &mask.raw);
            }
        }
        message
    }

    /// The text without properties, for its errors alone: numbers and truths stand in it, so that types fit, and the
    /// other properties are words.
    pub(crate) fn without_values(&self) -> String {
        let mut text = self.text.clone();
        for Mask { property, .. } in &self.masks {
            let value = self.properties.get(property).map_or("", String::as_str);
            let is_typed =
                matches!(value, "true" | "false") || value.parse::<f64>().is_ok_and(f64::is_finite);
            if is_typed && value.len() <= property.len() {
                text = text.replace(
                    &format!("${property}"),
                    &format!("{value:<width$}", width = property.len() + 1),
                );
            }
        }
        text
    }

    /// True when `message` holds what a property stands for.
    pub(crate) fn is_told_in(&self, message: &str) -> bool {
        self.properties.values().any(|value| !value.is_empty() && message.contains(value.as_str()))
    }

    fn mask(&mut self, text: &str, scalar: &Scalar, value: String) -> Result<(), ReferenceError> {
        let raw = &text[scalar.bytes.clone()];
        let cover = cover(raw);
        let place = Place::of_byte(text, scalar.bytes.start + cover.start);
        let width = raw[cover.clone()].chars().count();
        let property = self.property(width - 1).ok_or_else(|| ReferenceError {
            place,
            what: "too many references in one file; split it, or write some values in it".to_owned(),
        })?;
        self.text.replace_range(scalar.bytes.clone(), &blanked(raw, &cover, &property));
        self.properties.insert(property.clone(), value);
        self.masks.push(Mask { property, raw: scalar.value.clone(), place });
        Ok(())
    }

    /// A name of `length` characters that no other property has.
    fn property(&self, length: usize) -> Option<String> {
        let names = (0..=self.properties.len())
            .map(|number| format!("{}{number:x}", if length > 1 { "r" } else { "" }));
        let letters = ('a'..='z').map(String::from);
        let mut names: Box<dyn Iterator<Item = String>> =
            if length > 1 { Box::new(names) } else { Box::new(letters) };
        names.find_map(|mut name| {
            name.extend(std::iter::repeat_n('_', length.saturating_sub(name.len())));
            (name.len() == length && !self.properties.contains_key(&name)).then_some(name)
        })
    }
}

/// `text` with `with` in the place of `$property`, but not of a longer name that starts the same.
fn replaced(text: &str, property: &str, with: &str) -> String {
    let (mut result, mut rest) = (String::with_capacity(text.len()), text);
    let name = format!("${property}");
    while let Some(at) = rest.find(&name) {
        let (before, tail) = rest.split_at(at + name.len());
        let is_longer = tail.starts_with(|letter: char| letter == '_' || letter.is_ascii_alphanumeric());
        result.push_str(if is_longer { before } else { &before[..at] });
        result.push_str(if is_longer { "" } else { with });
        rest = tail;
    }
    result + rest
}

/// True for what the library must not read as it is: a reference, and a `$` that it would take for one of its own.
fn is_expanded(scalar: &Scalar) -> bool {
    let follows = |(at, _): (usize, &str)| scalar.value[at + 1..].chars().next();
    let is_property = |letter: char| letter == '$' || letter == '_' || letter.is_ascii_alphabetic();
    scalar.value.contains("${")
        || scalar.is_plain && scalar.value.match_indices('$').filter_map(follows).any(is_property)
}

/// `value` with its references replaced; or the byte of the one that has no value, and why.
fn expand(value: &str, lookup: Lookup<'_>) -> Result<String, (usize, String)> {
    let (mut expanded, mut rest) = (String::with_capacity(value.len()), value);
    while let Some(at) = rest.find("${") {
        if rest[..at].ends_with('$') {
            expanded.push_str(&rest[..at - 1]);
            expanded.push_str("${");
            rest = &rest[at + 2..];
            continue;
        }
        expanded.push_str(&rest[..at]);
        let wrong = |what: String| (value.len() - rest.len() + at, what);
        let Some((body, tail)) = rest[at + 2..].split_once('}') else {
            return Err(wrong(format!("`${{` is not closed; {FORMS}")));
        };
        expanded.push_str(&resolve(body, lookup).map_err(wrong)?);
        rest = tail;
    }
    expanded.push_str(rest);
    Ok(expanded)
}

const FORMS: &str = "write ${NAME}, ${NAME:-default} or ${file:/path}, and $${ for a plain ${";

fn resolve(body: &str, lookup: Lookup<'_>) -> Result<String, String> {
    let (name, default) = match body.split_once(":-") {
        Some((name, default)) if !body.starts_with("file:") => (name, Some(default)),
        _ => (body, None),
    };
    let is_variable = !name.is_empty()
        && !name.starts_with(|letter: char| letter.is_ascii_digit())
        && name.chars().all(|letter| letter == '_' || letter.is_ascii_alphanumeric());
    if !is_variable && name.strip_prefix("file:").is_none_or(str::is_empty) {
        return Err(format!("`${{{body}}}` is not a reference; {FORMS}"));
    }
    match (lookup(name)?, default) {
        (Some(value), None) => Ok(value),
        (Some(value), Some(_)) if !value.is_empty() => Ok(value),
        (_, Some(default)) => Ok(default.to_owned()),
        (None, None) => {
            Err(format!("`{name}` is not set; set it in the environment, or write ${{{name}:-default}}"))
        }
    }
}

/// The bytes of a scalar that a property can stand in: a whole line of it with room, the first if that has.
fn cover(raw: &str) -> Range<usize> {
    let mut start = 0;
    let mut lines = Vec::new();
    for line in raw.split_inclusive('\n') {
        let indent = line.len() - line.trim_start().len();
        lines.push(start + indent.min(line.len())..start + line.trim_end().len().max(indent));
        start += line.len();
    }
    let room = |line: &Range<usize>| raw[line.clone()].chars().count();
    let first = lines.iter().find(|line| room(line) >= 4).cloned();
    first.or_else(|| lines.into_iter().max_by_key(room)).unwrap_or(0..raw.len())
}

/// Blanks in place of a scalar, except the property in place of `cover`.
fn blanked(raw: &str, cover: &Range<usize>, property: &str) -> String {
    let blank =
        |text: &str| text.chars().map(|letter| if letter == '\n' { '\n' } else { ' ' }).collect::<String>();
    format!("{}${property}{}", blank(&raw[..cover.start]), blank(&raw[cover.end..]))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn look_up(name: &str) -> Result<Option<String>, String> {
        match name {
            "USER" => Ok(Some("ann".to_owned())),
            "EMPTY" => Ok(Some(String::new())),
            "file:/a-b:-c" => Ok(Some("content".to_owned())),
            "file:/none" => Err("cannot read /none".to_owned()),
            _ => Ok(None),
        }
    }

    fn check(value: &str, expected: Result<&str, (usize, &str)>) {
        let found = expand(value, &mut look_up);
        let found = found.as_deref().map_err(|(at, what)| (*at, what.as_str()));
        assert_eq!(found, expected, "{value}");
    }

    #[test]
    fn references_are_replaced() {
        check("${USER}", Ok("ann"));
        check("a ${USER} b ${USER}", Ok("a ann b ann"));
        check("${USER:-x}", Ok("ann"));
        check("${EMPTY}", Ok(""));
        check("${EMPTY:-x}", Ok("x"));
        check("${NONE:-}", Ok(""));
        check("${NONE:-a:-b}", Ok("a:-b"));
        check("${file:/a-b:-c}", Ok("content"));
        check("$${USER} $USER $ ^a$", Ok("${USER} $USER $ ^a$"));
        check(
            "x ${NONE}",
            Err((2, "`NONE` is not set; set it in the environment, or write ${NONE:-default}")),
        );
        check("${file:/none}", Err((0, "cannot read /none")));
        check("${USER} ${", Err((8, &format!("`${{` is not closed; {FORMS}"))));
        check("${a b}", Err((0, &format!("`${{a b}}` is not a reference; {FORMS}"))));
        check("${}", Err((0, &format!("`${{}}` is not a reference; {FORMS}"))));
        check("${file:}", Err((0, &format!("`${{file:}}` is not a reference; {FORMS}"))));
    }

    #[test]
    fn places_stay_and_values_go() {
        let text = "a: ${USER} # ${NONE}\nb: {c: \"é ${USER}\", d: x$y}\n${k}: |\n  long ${USER}\n  line\nf: ${USER}\n";
        let expanded = Expanded::new(text, &mut look_up).unwrap();
        let shape = |text: &str| text.lines().map(|line| line.chars().count()).collect::<Vec<_>>();
        assert_eq!(shape(&expanded.text), shape(text));
        insta::assert_snapshot!(expanded.text, @r"
        a: $r1____ # ${NONE}
        b: {c: $r0________, d: $r0}
        ${k}:  
          $r0_________
              
        f: $r0____
        ");
        let mut values: Vec<_> = expanded.properties.values().map(String::as_str).collect();
        values.sort_unstable();
        assert_eq!(values, ["ann", "ann", "long ann\nline\n", "x$y", "é ann"]);
    }
}
