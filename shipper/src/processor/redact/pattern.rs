//! What `redact` looks for, and where.
//!
//! Enters: names and regular expressions of the user's file. Leaves: [`Pattern`]s and [`Place`]s. Never: a name of a
//! field that no record has: a slip of the pen there would send what was to be hidden.

use std::borrow::Cow;
use std::fmt;

use event::Fields;
use schemars::{JsonSchema, Schema, SchemaGenerator};
use serde::Deserialize;
use serde::de::value::{MapAccessDeserializer, StrDeserializer};
use serde::de::{Deserializer, Error, MapAccess, Visitor};

/// One thing to look for.
#[derive(Debug, Clone, PartialEq, JsonSchema)]
#[schemars(untagged)]
pub enum Pattern {
    /// The name of a built-in pattern.
    Known(Known),
    /// A pattern of the user's own.
    Own(OwnPattern),
}

/// Built-in patterns.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Known {
    /// Mobile numbers of China, with or without 86, in one piece or 3-4-4: `[phone]`.
    Phone,
    /// Identity card numbers of China, 18 characters whose checksum is right: `[id_card]`.
    IdCard,
    /// Bank card numbers, 13 to 19 digits whose checksum is right, in one piece or in fours: `[bank_card]`. About one in
    /// ten other numbers of that length has such a checksum too.
    BankCard,
    /// E-mail addresses: `[email]`.
    Email,
    /// What opens doors: `Bearer ...`, values of `password`, `token`, `secret` and the like, JSON web tokens, keys of
    /// cloud providers, passwords in addresses. The name stays, the value becomes `[token]`.
    Token,
}

/// A regular expression and what takes the place of its matches.
#[derive(Debug, Clone, PartialEq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct OwnPattern {
    /// The expression.
    pub pattern: TextPattern,
    /// The replacement; `$1` is what the first group matched, `$$` a dollar sign.
    #[serde(default = "default_replace")]
    pub replace: String,
}

fn default_replace() -> String {
    "[redacted]".to_owned()
}

impl Pattern {
    /// Every built-in one.
    #[must_use]
    pub fn built_in() -> Vec<Pattern> {
        [Known::Phone, Known::IdCard, Known::BankCard, Known::Email, Known::Token]
            .map(Pattern::Known)
            .to_vec()
    }
}

impl<'de> Deserialize<'de> for Pattern {
    /// By hand and not `untagged`, which would lose the place of an error and the nearest key.
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Either;

        impl<'de> Visitor<'de> for Either {
            type Value = Pattern;

            fn expecting(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
                out.write_str(
                    "`phone`, `id_card`, `bank_card`, `email`, `token`, or a map with `pattern` and `replace`",
                )
            }

            fn visit_str<E: Error>(self, name: &str) -> Result<Pattern, E> {
                Known::deserialize(StrDeserializer::new(name)).map(Pattern::Known)
            }

            fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Pattern, A::Error> {
                OwnPattern::deserialize(MapAccessDeserializer::new(map)).map(Pattern::Own)
            }
        }

        deserializer.deserialize_any(Either)
    }
}

/// A regular expression that compiled, for text.
#[derive(Debug, Clone)]
pub struct TextPattern(pub regex::Regex);

impl PartialEq for TextPattern {
    fn eq(&self, other: &Self) -> bool {
        self.0.as_str() == other.0.as_str()
    }
}

impl<'de> Deserialize<'de> for TextPattern {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = Cow::<'de, str>::deserialize(deserializer)?;
        regex::Regex::new(&text).map(TextPattern).map_err(|error| {
            D::Error::custom(format_args!("`{text}` is not a regular expression this program knows: {error}"))
        })
    }
}

impl JsonSchema for TextPattern {
    fn schema_name() -> Cow<'static, str> {
        "TextPattern".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        schemars::json_schema!({ "type": "string", "format": "regex" })
    }
}

/// A field, or all fields of `labels` or `json`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Place(String);

/// Places that are not members of [`Fields`] by themselves.
const GROUPS: [&str; 2] = ["labels.*", "json.*"];

impl Place {
    /// Is the field at `path` meant? A member inside a nested value of a JSON line means the whole value.
    #[must_use]
    pub fn holds(&self, path: &str) -> bool {
        match self.0.strip_suffix('*') {
            Some(object) => path.starts_with(object),
            None => self.0.strip_prefix(path).is_some_and(|rest| rest.is_empty() || rest.starts_with('.')),
        }
    }
}

impl<'de> Deserialize<'de> for Place {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let name = Cow::<'de, str>::deserialize(deserializer)?;
        let texts = Fields::default().texts().map(|(path, _)| path);
        let known: Vec<&'static str> = texts.into_iter().chain(GROUPS).collect();
        let is_member = |object: &str| {
            name.strip_prefix(object).is_some_and(|rest| !rest.is_empty() && !rest.contains('*'))
        };
        if known.contains(&&*name) || is_member("labels.") || is_member("json.") {
            return Ok(Place(name.into_owned()));
        }
        let known = known.iter().map(|known| format!("`{known}`")).collect::<Vec<_>>().join(", ");
        Err(D::Error::custom(format_args!(
            "`{name}` is no text of a record: write `labels.NAME`, `json.NAME`, or one of {known}"
        )))
    }
}

impl JsonSchema for Place {
    fn schema_name() -> Cow<'static, str> {
        "Place".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        schemars::json_schema!({ "type": "string", "description": "A field that holds text, `labels.*` or `json.*`." })
    }
}
