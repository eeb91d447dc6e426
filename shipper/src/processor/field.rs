//! A field of a record, by the name that a user writes.
//!
//! Enters: a dotted name. Leaves: where it stands in [`Fields`], to take its value or to give it one. Never: a name that
//! the shipper answers for itself (`event.id`, `log.offset`, `host.name`); those are refused with the configuration.

use std::borrow::Cow;

use event::fields::Pairs;
use event::{Fields, Level, Scalar, Text};
use schemars::{JsonSchema, Schema, SchemaGenerator};
use serde::Deserialize;
use serde::de::{Deserializer, Error};

/// Bytes in a field's name at most.
pub const NAME_BYTES_MAX: usize = 256;

/// What the shipper writes itself: a changed one would break counting, or name another host's line.
const OWN: [&str; 8] = [
    "@timestamp",
    "event.id",
    "event.created",
    "event.dataset",
    "host.name",
    "log.offset",
    "log.file.path",
    "source.ip",
];
/// Objects that are the shipper's own as a whole.
const OWN_OBJECTS: [&str; 5] = ["agent", "ecs", "jvm", "monitor", "watchfire"];
/// Objects of any names; those are members of [`Fields`] of their own.
const LABELS: &str = "labels.";
const JSON: &str = "json.";
const LEVEL: &str = "log.level";

/// A field that a processor may change.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct FieldPath {
    name: String,
    slot: Slot,
}

/// Where a field stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Slot {
    /// A member of [`Fields::texts`], by its place there.
    Text(usize),
    /// A member of [`Fields::numbers`], by its place there.
    Number(usize),
    Level,
    Label,
    Json,
    /// None of the others: [`Fields::more`].
    More,
}

impl FieldPath {
    /// Reads a name.
    ///
    /// # Errors
    /// A text with the way out, for what is no field or one that cannot be changed.
    pub fn parse(name: &str) -> Result<Self, String> {
        let is_odd = |part: &str| {
            part.is_empty() || part.contains(|c: char| c.is_whitespace() || c.is_control() || c == '*')
        };
        if name.len() > NAME_BYTES_MAX || name.split('.').any(is_odd) {
            return Err(format!("`{name}` is not a field: write one dotted name, such as `labels.team`"));
        }
        let slot = Slot::of(name);
        if slot == Slot::More {
            check_more(name)?;
        }
        Ok(FieldPath { name: name.to_owned(), slot })
    }

    /// The name as it is written.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.name
    }

    /// The last part of the name in an object of any names, else the whole name.
    fn key(&self) -> &str {
        match self.slot {
            Slot::Label => self.name.strip_prefix(LABELS),
            Slot::Json => self.name.strip_prefix(JSON),
            _ => None,
        }
        .unwrap_or(&self.name)
    }

    /// Takes the value out of `fields`; `None` when there is none.
    pub fn take<'a>(&self, fields: &mut Fields<'a>) -> Option<Scalar<'a>> {
        match self.slot {
            Slot::Text(at) => fields.texts_mut().into_iter().nth(at)?.take().map(Scalar::Text),
            Slot::Number(at) => {
                let (_, number) = fields.numbers().into_iter().nth(at)?;
                let number = i64::try_from(number?).ok()?;
                set_number(fields, at, None);
                Some(Scalar::Int(number))
            }
            Slot::Level => fields.level.take().map(|level| Scalar::Text(Text::Plain(level.as_str()))),
            Slot::Label => take_pair(&mut fields.labels, self.key()),
            Slot::Json => take_pair(&mut fields.json, self.key()),
            Slot::More => take_pair(&mut fields.more, self.key()),
        }
    }

    /// Gives the field a value; false, and nothing changes, when the value is none that it can have.
    pub fn set<'a>(&'a self, fields: &mut Fields<'a>, value: Scalar<'a>) -> bool {
        match self.slot {
            Slot::Text(at) => {
                let (Some(text), Some(member)) = (text(value), fields.texts_mut().into_iter().nth(at)) else {
                    return false;
                };
                *member = Some(text);
            }
            Slot::Number(at) => {
                let Some(number) = number(value) else { return false };
                return set_number(fields, at, Some(number));
            }
            Slot::Level => {
                let word = |text: Text<'_>| Level::parse(text.resolve(&mut String::new()));
                let Some(level) = text(value).and_then(word) else { return false };
                fields.level = Some(level);
            }
            Slot::Label => set_pair(&mut fields.labels, self.key(), value),
            Slot::Json => set_pair(&mut fields.json, self.key(), value),
            Slot::More => set_pair(&mut fields.more, self.key(), value),
        }
        true
    }
}

impl Slot {
    fn of(name: &str) -> Self {
        let fields = Fields::default();
        if let Some(at) = fields.texts().iter().position(|(known, _)| *known == name) {
            return Slot::Text(at);
        }
        if let Some(at) = fields.numbers().iter().position(|(known, _)| *known == name) {
            return Slot::Number(at);
        }
        match name {
            LEVEL => Slot::Level,
            _ if name.starts_with(LABELS) => Slot::Label,
            _ if name.starts_with(JSON) => Slot::Json,
            _ => Slot::More,
        }
    }
}

/// A path may neither be the shipper's own, nor make an object of a value, nor a value of an object: search engines
/// refuse such records.
fn check_more(name: &str) -> Result<(), String> {
    let object = name.split('.').next().unwrap_or_default();
    if OWN.contains(&name) || OWN_OBJECTS.contains(&object) {
        return Err(format!("`{name}` is written by the shipper itself and cannot be changed"));
    }
    if name == "tags" {
        return Err("`tags` is a list: use the key `tags` of `add_fields`, or of the input".to_owned());
    }
    let fields = Fields::default();
    let texts = fields.texts().map(|(known, _)| known);
    let numbers = fields.numbers().map(|(known, _)| known);
    for known in texts.iter().chain(&numbers).chain(&OWN).chain(&[LEVEL, "tags", "labels.", "json."]) {
        let is_above = known.strip_prefix(name).is_some_and(|rest| rest.starts_with('.'));
        if is_above {
            return Err(format!("`{name}` is an object: name a field in it, such as `{name}.name`"));
        }
        if name.strip_prefix(known).is_some_and(|rest| rest.starts_with('.')) {
            return Err(format!("`{known}` is a value, and nothing can lie in it: choose another name"));
        }
    }
    Ok(())
}

/// What can stand in a field of text. A number of a JSON line is text as it is written there.
fn text(value: Scalar<'_>) -> Option<Text<'_>> {
    match value {
        Scalar::Text(text) => Some(text),
        Scalar::Bool(truth) => Some(Text::Plain(if truth { "true" } else { "false" })),
        Scalar::Json(json) => {
            json.starts_with(|c: char| c == '-' || c.is_ascii_digit()).then_some(Text::Plain(json))
        }
        Scalar::Int(_) | Scalar::Float(_) => None,
    }
}

fn number(value: Scalar<'_>) -> Option<u64> {
    match value {
        Scalar::Int(number) => u64::try_from(number).ok(),
        Scalar::Text(Text::Plain(text) | Text::Escaped(text)) | Scalar::Json(text) => text.parse().ok(),
        Scalar::Float(_) | Scalar::Bool(_) => None,
    }
}

/// The members of [`Fields::numbers`], to be changed; false when the number is too large for one.
fn set_number(fields: &mut Fields<'_>, at: usize, number: Option<u64>) -> bool {
    let member = match at {
        0 => {
            let status = number.map(u16::try_from).transpose();
            if let Ok(status) = status {
                fields.http_status = status;
            }
            return status.is_ok();
        }
        1 => &mut fields.http_body_bytes,
        2 => &mut fields.duration_ns,
        3 => &mut fields.process_pid,
        _ => &mut fields.thread_id,
    };
    *member = number;
    true
}

fn is_named(name: Text<'_>, key: &str) -> bool {
    name.resolve(&mut String::new()) == key
}

/// A record keeps the last of several values of one name, so the last is the one that counts.
fn take_pair<'a>(pairs: &mut Pairs<'a>, key: &str) -> Option<Scalar<'a>> {
    let (_, value) = pairs.iter().rfind(|(name, _)| is_named(*name, key)).copied()?;
    pairs.retain(|(name, _)| !is_named(*name, key));
    Some(value)
}

fn set_pair<'a>(pairs: &mut Pairs<'a>, key: &'a str, value: Scalar<'a>) {
    pairs.retain(|(name, _)| !is_named(*name, key));
    pairs.push((Text::Plain(key), value));
}

impl<'de> Deserialize<'de> for FieldPath {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        FieldPath::parse(&Cow::<'de, str>::deserialize(deserializer)?).map_err(D::Error::custom)
    }
}

impl JsonSchema for FieldPath {
    fn schema_name() -> Cow<'static, str> {
        "FieldPath".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        schemars::json_schema!({ "type": "string", "description": "A dotted name, such as `labels.team`." })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(name: &str, complaint: &str) {
        let error = FieldPath::parse(name).unwrap_err();
        assert!(error.contains(complaint), "{name}: {error}");
    }

    #[test]
    fn what_cannot_be_changed_is_refused() {
        check("", "is not a field");
        check("a b", "is not a field");
        check("labels.", "is not a field");
        check("json.*", "is not a field");
        check("event.id", "written by the shipper itself");
        check("agent.name", "written by the shipper itself");
        check("tags", "is a list");
        check("labels", "is an object");
        check("error", "name a field in it, such as `error.name`");
        check("message.first", "`message` is a value");
    }

    #[test]
    fn every_kind_of_field_takes_a_value_and_gives_it_back() {
        let text = |text| Scalar::Text(Text::Plain(text));
        for (name, value, back) in [
            ("service.name", text("cart"), text("cart")),
            ("user.name", Scalar::Json("42"), text("42")),
            ("log.level", text("WARNING"), text("warn")),
            ("http.response.status_code", text("503"), Scalar::Int(503)),
            ("event.duration", Scalar::Json("12"), Scalar::Int(12)),
            ("process.thread.id", Scalar::Int(7), Scalar::Int(7)),
            ("labels.team", Scalar::Bool(true), Scalar::Bool(true)),
            ("json.a.b", Scalar::Json("[1]"), Scalar::Json("[1]")),
            ("service.environment", Scalar::Float(0.5), Scalar::Float(0.5)),
        ] {
            let path = FieldPath::parse(name).unwrap();
            let mut fields = Fields::default();
            assert!(path.set(&mut fields, text("0")) || path.slot == Slot::Level, "{name}");
            assert!(path.set(&mut fields, value), "{name}");
            assert_ne!(fields, Fields::default(), "{name}");
            assert_eq!(path.take(&mut fields), Some(back), "{name}");
            assert_eq!(path.take(&mut fields), None, "{name}");
            assert_eq!(fields, Fields::default(), "{name}");
        }
    }

    #[test]
    fn a_value_that_does_not_fit_changes_nothing() {
        for (name, value) in [
            ("user.name", Scalar::Json("{}")),
            ("user.name", Scalar::Int(1)),
            ("log.level", Scalar::Text("loud".into())),
            ("http.response.status_code", Scalar::Int(70_000)),
            ("process.pid", Scalar::Int(-1)),
            ("process.pid", Scalar::Bool(true)),
        ] {
            let path = FieldPath::parse(name).unwrap();
            let mut fields = Fields::default();
            assert!(!path.set(&mut fields, value), "{name}");
            assert_eq!(fields, Fields::default(), "{name}");
        }
    }
}
