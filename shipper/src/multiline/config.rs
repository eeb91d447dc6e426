//! `multiline:` of a file input.
//!
//! Enters: a preset's name, or a map that names one way of joining and its limits. Leaves: [`MultilineConfig`].
//! Never: a pattern that does not compile, two ways at once.

use std::borrow::Cow;
use std::fmt;
use std::time::Duration;

use schemars::{JsonSchema, Schema, SchemaGenerator};
use serde::Deserialize;
use serde::de::value::{MapAccessDeserializer, StrDeserializer};
use serde::de::{Deserializer, Error, MapAccess, Visitor};
use yaml::{ByteSize, Span};

/// How a file's lines become records.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct MultilineConfig {
    /// What joins lines.
    pub rule: RuleConfig,
    /// Where a record ends although its lines go on.
    pub limits: Limits,
}

/// The ways to join lines.
#[derive(Debug, Clone, PartialEq)]
pub enum RuleConfig {
    /// What a language's logs look like.
    Preset(Preset),
    /// A pattern that tells where records begin or end.
    Pattern(PatternConfig),
    /// So many lines are a record.
    Count(CountConfig),
    /// Neighbours that match are a record.
    While(WhileConfig),
}

impl Default for RuleConfig {
    fn default() -> Self {
        RuleConfig::Preset(Preset::None)
    }
}

impl MultilineConfig {
    /// False when each line is a record.
    #[must_use]
    pub fn joins(&self) -> bool {
        self.rule != RuleConfig::Preset(Preset::None)
    }
}

impl From<Preset> for MultilineConfig {
    fn from(preset: Preset) -> Self {
        MultilineConfig { rule: RuleConfig::Preset(preset), limits: Limits::default() }
    }
}

/// Ready-made joining rules.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Preset {
    /// All the languages below: the first lines of a trace tell which one it is.
    Auto,
    /// Java, Kotlin and Scala: stack traces, `Caused by:` and whatever else follows a line that starts a
    /// record.
    Java,
    /// Python tracebacks, chained ones and those of exception groups too.
    Python,
    /// Go panics and fatal errors with their goroutines.
    Go,
    /// .NET: stack traces with their inner exceptions, and the console log of `Microsoft.Extensions.Logging`.
    Dotnet,
    /// Node.js: stack traces, the properties of an error and its `[cause]`, the lines of source above an
    /// uncaught one.
    Node,
    /// Ruby: backtraces of the interpreter, of `Logger` and of Rails, with causes and hints.
    Ruby,
    /// PHP: `Stack trace:` with its frames and `thrown in`, `Next` for chained exceptions, Laravel's
    /// `[stacktrace]`.
    Php,
    /// Each line is a record.
    #[default]
    None,
}

/// Joins by a regular expression.
#[derive(Debug, Clone, PartialEq)]
pub struct PatternConfig {
    /// Matched against each line.
    pub pattern: LinePattern,
    /// Whether lines that do not match are meant.
    pub negate: bool,
    /// Where the matching lines belong.
    pub place: Match,
    /// A line that matches is the last of its record, whatever `pattern` says of the next one.
    pub flush_pattern: Option<LinePattern>,
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

/// Joins a fixed number of lines.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct CountConfig {
    /// Lines in one record: from 1 up to `lines_max`.
    pub lines: u32,
}

/// Joins neighbours that match; every other line is a record by itself.
#[derive(Debug, Clone, PartialEq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct WhileConfig {
    /// Matched against each line.
    pub pattern: LinePattern,
    /// Whether lines that do not match are meant.
    #[serde(default)]
    pub negate: bool,
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

/// What may be written: a name, or the keys of a map. Only the schema is made of it.
#[derive(JsonSchema)]
#[schemars(untagged, rename = "MultilineConfig")]
#[expect(dead_code, reason = "the shape of what is typed by hand below")]
enum Written {
    /// The name of a preset.
    Name(Preset),
    /// One of `pattern`, `count`, `while` and `preset`, and limits.
    Keys(Keys),
}

/// One of `pattern`, `count`, `while` and `preset`, and limits.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "MultilineKeys")]
struct Keys {
    /// Joins by a regular expression, which is matched against each line; `match` says where a line that matches
    /// belongs.
    pattern: Option<LinePattern>,
    /// With `pattern`: lines that do not match are meant.
    negate: Option<bool>,
    /// With `pattern`: where the lines that are meant belong.
    #[serde(rename = "match")]
    place: Option<Match>,
    /// With `pattern`: a line that matches this is the last of its record.
    flush_pattern: Option<LinePattern>,
    /// Joins a fixed number of lines.
    count: Option<CountConfig>,
    /// Joins neighbours that match; every other line is a record by itself.
    #[serde(rename = "while")]
    run: Option<WhileConfig>,
    /// A preset, where it needs other limits.
    preset: Option<Preset>,
    /// Lines in one record, at least 1; a longer one is cut into several, which are tagged `multiline_cut`.
    #[serde(default = "default_lines_max")]
    lines_max: u32,
    /// Bytes in one record; a longer one is cut into several, which are tagged `multiline_cut`.
    #[serde(default = "default_bytes_max")]
    bytes_max: ByteSize,
    /// How long an unfinished record waits for its next line.
    #[serde(default = "default_timeout")]
    timeout: Span,
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

impl Keys {
    /// The one way that the keys name, or what is wrong with them.
    fn typed(self) -> Result<MultilineConfig, String> {
        let limits =
            Limits { lines_max: self.lines_max, bytes_max: self.bytes_max.0, timeout: self.timeout.0 };
        if limits.lines_max == 0 {
            return Err("`lines_max` must be at least 1".to_owned());
        }
        let beside = [
            ("negate", self.negate.is_some()),
            ("match", self.place.is_some()),
            ("flush_pattern", self.flush_pattern.is_some()),
        ];
        let stray = beside.iter().find(|(_, is_there)| *is_there).filter(|_| self.pattern.is_none());
        if let Some((key, _)) = stray {
            return Err(format!("`{key}` goes with `pattern`, which is missing here"));
        }
        let rule = match (self.pattern, self.count, self.run, self.preset) {
            (Some(pattern), None, None, None) => RuleConfig::Pattern(PatternConfig {
                pattern,
                negate: self.negate.unwrap_or_default(),
                place: self.place.ok_or("`match` is missing: write `match: after` or `match: before`")?,
                flush_pattern: self.flush_pattern,
            }),
            (None, Some(count), None, None) if count.lines == 0 || count.lines > limits.lines_max => {
                return Err(format!("`count.lines` must be between 1 and `lines_max`, {}", limits.lines_max));
            }
            (None, Some(count), None, None) => RuleConfig::Count(count),
            (None, None, Some(run), None) => RuleConfig::While(run),
            (None, None, None, Some(preset)) => RuleConfig::Preset(preset),
            _ => return Err("write just one of `pattern`, `count`, `while` and `preset`".to_owned()),
        };
        Ok(MultilineConfig { rule, limits })
    }
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

impl JsonSchema for MultilineConfig {
    fn schema_name() -> Cow<'static, str> {
        Written::schema_name()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        Written::json_schema(generator)
    }
}

impl<'de> Deserialize<'de> for MultilineConfig {
    /// By hand and not `untagged`, which would lose the place of an error and the nearest key.
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Either;

        impl<'de> Visitor<'de> for Either {
            type Value = MultilineConfig;

            fn expecting(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
                out.write_str("`auto`, another preset's name, or a map with `pattern`, `count` or `while`")
            }

            fn visit_str<E: Error>(self, name: &str) -> Result<MultilineConfig, E> {
                Preset::deserialize(StrDeserializer::new(name)).map(MultilineConfig::from)
            }

            fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<MultilineConfig, A::Error> {
                Keys::deserialize(MapAccessDeserializer::new(map))?.typed().map_err(A::Error::custom)
            }
        }

        deserializer.deserialize_any(Either)
    }
}
