//! `multiline:` of a file input.
//!
//! Enters: a preset's name, or a map with a pattern. Leaves: [`MultilineConfig`]. Never: a pattern that does
//! not compile.

use std::borrow::Cow;
use std::fmt;
use std::time::Duration;

use schemars::{JsonSchema, Schema, SchemaGenerator};
use serde::Deserialize;
use serde::de::value::MapAccessDeserializer;
use serde::de::{Deserializer, Error, MapAccess, Visitor};
use yaml::{ByteSize, Span};

/// How a file's lines become records.
#[derive(Debug, Clone, PartialEq, JsonSchema)]
#[schemars(untagged)]
pub enum MultilineConfig {
    /// The name of a preset.
    Preset(Preset),
    /// A pattern of the user's own.
    Pattern(PatternConfig),
}

impl Default for MultilineConfig {
    fn default() -> Self {
        MultilineConfig::Preset(Preset::None)
    }
}

/// Ready-made joining rules.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Preset {
    /// Java, Kotlin and Scala: stack traces, `Caused by:` and whatever else follows a line that starts a
    /// record.
    Java,
    /// Python tracebacks, chained ones and those of exception groups too.
    Python,
    /// Go panics and fatal errors with their goroutines.
    Go,
    /// Each line is a record.
    #[default]
    None,
}

/// Joins by a regular expression.
#[derive(Debug, Clone, PartialEq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct PatternConfig {
    /// Matched against each line.
    pub pattern: LinePattern,
    /// Whether lines that do not match are meant.
    #[serde(default)]
    pub negate: bool,
    /// Where the matching lines belong.
    #[serde(rename = "match")]
    pub place: Match,
    /// Lines in one record; a longer one is cut into several.
    #[serde(default = "default_lines_max")]
    pub lines_max: u32,
    /// Bytes in one record; a longer one is cut into several.
    #[serde(default = "default_bytes_max")]
    pub bytes_max: ByteSize,
    /// How long an unfinished record waits for its next line.
    #[serde(default = "default_timeout")]
    pub timeout: Span,
}

/// Where a matching line belongs, as in Filebeat.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Match {
    /// To the line before it.
    After,
    /// To the line after it.
    Before,
}

/// When a record is cut although its lines go on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Most lines in one record.
    pub lines_max: u32,
    /// Most bytes in one record, counting one byte for each joint.
    pub bytes_max: u64,
    /// How long after its last line a record is complete by itself.
    pub timeout: Duration,
}

impl Default for Limits {
    /// 500 lines, 256 KiB (a record with all its fields then fits into Kafka's usual megabyte), two seconds.
    fn default() -> Self {
        Limits { lines_max: 500, bytes_max: 256 << 10, timeout: Duration::from_secs(2) }
    }
}

impl PatternConfig {
    /// The limits of this configuration.
    #[must_use]
    pub fn limits(&self) -> Limits {
        Limits { lines_max: self.lines_max, bytes_max: self.bytes_max.0, timeout: self.timeout.0 }
    }
}

fn default_lines_max() -> u32 {
    Limits::default().lines_max
}

fn default_bytes_max() -> ByteSize {
    ByteSize(Limits::default().bytes_max)
}

fn default_timeout() -> Span {
    Span(Limits::default().timeout)
}

/// A regular expression that compiled, for bytes.
#[derive(Debug, Clone)]
pub struct LinePattern(pub regex::bytes::Regex);

impl PartialEq for LinePattern {
    fn eq(&self, other: &Self) -> bool {
        self.0.as_str() == other.0.as_str()
    }
}

impl<'de> Deserialize<'de> for LinePattern {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = Cow::<'de, str>::deserialize(deserializer)?;
        regex::bytes::Regex::new(&text).map(LinePattern).map_err(|error| {
            D::Error::custom(format_args!("`{text}` is not a regular expression this program knows: {error}"))
        })
    }
}

impl JsonSchema for LinePattern {
    fn schema_name() -> Cow<'static, str> {
        "LinePattern".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        schemars::json_schema!({ "type": "string", "format": "regex" })
    }
}

impl<'de> Deserialize<'de> for MultilineConfig {
    /// By hand and not `untagged`, which would lose the place of an error and the nearest key.
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Either;

        impl<'de> Visitor<'de> for Either {
            type Value = MultilineConfig;

            fn expecting(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
                out.write_str("`java`, `python`, `go`, `none`, or a map with `pattern` and `match`")
            }

            fn visit_str<E: Error>(self, name: &str) -> Result<MultilineConfig, E> {
                Preset::deserialize(serde::de::value::StrDeserializer::new(name)).map(MultilineConfig::Preset)
            }

            fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<MultilineConfig, A::Error> {
                PatternConfig::deserialize(MapAccessDeserializer::new(map)).map(MultilineConfig::Pattern)
            }
        }

        deserializer.deserialize_any(Either)
    }
}
