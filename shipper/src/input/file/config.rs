//! `file:` of an input.
//!
//! Enters: the user's keys. Leaves: [`FileConfig`]. Never: a file.

use std::collections::BTreeMap;

use std::num::NonZeroU32;

use schemars::JsonSchema;
use serde::Deserialize;
use yaml::{ByteSize, Span};

use super::container::Container;
use super::encoding::Encoding;
use super::recipe::Recipe;
use super::scan::Selection;
use crate::multiline::MultilineConfig;
use crate::parser::ParserConfig;
use crate::processor::{PROCESSORS_MAX, ProcessorConfig};
use crate::route::{Lanes, LevelsConfig, Pace, Wish, check_topic};

/// Reads every file that matches, from rotation to rotation.
#[derive(Debug, Clone, PartialEq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct FileConfig {
    /// Globs of the files: `*`, `?`, `[a-z]`, `{a,b}` and `**` for folders of any depth.
    pub paths: Vec<String>,
    /// Globs of files that are left out although they match.
    #[serde(default)]
    pub exclude: Vec<String>,
    /// `service.name` of the records.
    pub service: Option<String>,
    /// How lines become records: the name of a preset (`auto`, `java`, `python`, `go`, `dotnet`, `node`, `ruby`, `php`,
    /// `none`), or a map with `pattern` and `match`, with `count` or with `while`.
    #[serde(default)]
    pub multiline: MultilineConfig,
    /// How a record's text is read.
    #[serde(default)]
    pub parse: ParserConfig,
    /// What is done to the records before they are sent, in this order: at most 32 entries.
    #[serde(default)]
    pub processors: Vec<ProcessorConfig>,
    /// `labels.*` of the records.
    #[serde(default)]
    pub labels: BTreeMap<String, String>,
    /// `tags` of the records.
    #[serde(default)]
    pub tags: Vec<String>,
    /// How bytes stand for characters: `utf-8`, `utf-16le`, `utf-16be`, `gbk`, `gb18030`, `big5`, `shift_jis`, `latin1`
    /// (which is windows-1252, as on the web), or another name of the WHATWG Encoding Standard, such as `windows-1251`
    /// or `euc-kr`. A file that begins with a byte order mark of UTF-8 or UTF-16 is read by it, whatever stands here.
    /// Bytes that are no character become U+FFFD, and the record gets the tag `invalid_utf8`.
    #[serde(default)]
    pub encoding: Encoding,
    /// What a container runtime puts around each line: `none`, `auto`, `docker` (json-file), or `cri` (containerd, CRI-O).
    /// Records then hold the program's own text; its parts are joined, stdout and stderr each for itself, also by
    /// `multiline`, and `stream` names the output. `@timestamp` is the runtime's unless the text has one. A line of
    /// another shape is shipped as it stands, with the tag `not_container`.
    #[serde(default)]
    pub container: Container,
    /// What ends a line: 1 to 16 bytes in the file's encoding, such as `"|\n"` or `"\0"`. As it is, lines end with LF or
    /// CR LF; any other text ends a line only as a whole. NUL bytes in front of a line, as a crash or a truncation
    /// leaves them, are skipped and counted as filtered, unless this begins with one.
    #[serde(default = "default_line_end")]
    pub line_end: String,
    /// Bytes of a line's text at most, 1KiB to 16MiB; what becomes of a longer one says `too_long`.
    #[serde(default = "default_line_bytes_max")]
    pub line_bytes_max: ByteSize,
    /// What becomes of a line that is longer than `line_bytes_max`.
    #[serde(default)]
    pub too_long: TooLong,
    /// How long a last line may wait for its end until it is a record as it stands; what is written later is another
    /// record. For ever when it is left out, so that no line is torn while its file is still there.
    pub partial_line_timeout: Option<Span>,
    /// Where a file is begun that was there before this input first ran.
    #[serde(default)]
    pub start: Start,
    /// Files that have not changed for longer than this when they are first seen are left alone until they change.
    pub ignore_older: Option<Span>,
    /// Files that are followed at the same time, against a pattern that matches more than was meant. Further ones are left
    /// alone, and named in the status, until others are gone; then the one that was changed the longest ago is next. Rotated
    /// files that match count, too: leave room for them.
    pub files_max: Option<NonZeroU32>,
    /// Topic of the records; `output.kafka.topic` when it is left out. An alerter or indexer reads one topic, the one in
    /// its `source.kafka.topic`, and sees nothing of what goes to another: leave what rules need in one topic, or run a
    /// further alerter, with a `group` and a `state.path` of its own, on the other. Heartbeats go to every topic.
    pub topic: Option<String>,
    /// Files of this input are read and sent before others when the broker cannot take everything, as after an outage:
    /// eight turns for one of the others.
    #[serde(default)]
    pub urgent: bool,
    /// How soon records are sent: `at_once` (the usual for urgent ones), `normal` (the usual for others), or
    /// `in_large_batches`, up to a second later, for logs that nobody waits for.
    pub send: Option<Pace>,
    /// What is done otherwise with records of some levels, such as
    /// `{ error: { urgent: true }, debug: { topic: app-debug, when: switched_on } }`; levels that are left out are those of
    /// the top-level `levels`. A file whose lines go to several topics is read on while one of them is refused, until that
    /// topic's share of 12 MiB waits for it (of two topics, 6 MiB); then the whole file waits, and `shipper status` and
    /// `shipper why` name the topic.
    #[serde(default)]
    pub levels: LevelsConfig,
    /// Zone of times that name none, such as `Asia/Shanghai`; the machine's when it is left out.
    pub time_zone: Option<String>,
}

/// Where reading begins.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Start {
    /// At the first byte.
    #[default]
    Beginning,
    /// Behind the last byte that is there.
    End,
}

/// What becomes of a line that is longer than `line_bytes_max`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum TooLong {
    /// Its beginning is a record with the tag `truncated` and the line's length as `log.original_bytes`; the rest is
    /// counted as lost. The record comes when the line has ended, so that its length is known, or has gone on for
    /// 256 MiB; then the length is left out.
    #[default]
    Cut,
    /// It comes as several records, each with the tag `split`; nothing is lost.
    Split,
}

/// Limits of one line that can be kept: memory for a record grows with it, and no broker takes more.
const LINE_BYTES: std::ops::RangeInclusive<u64> = (1 << 10)..=(16 << 20);

impl FileConfig {
    /// Which way the records are to go.
    #[must_use]
    pub fn wish(&self) -> Wish {
        Wish { topic: self.topic.clone(), pace: self.send, is_urgent: self.urgent }
    }

    /// Finds what cannot work.
    ///
    /// # Errors
    /// A text with the way out.
    pub fn check(&self) -> Result<(), String> {
        if self.paths.is_empty() {
            return Err("`paths` is empty: name at least one file or glob".to_owned());
        }
        if !LINE_BYTES.contains(&self.line_bytes_max.0) {
            return Err("`line_bytes_max` must be between 1KiB and 16MiB".to_owned());
        }
        if self.multiline.limits.bytes_max > *LINE_BYTES.end() {
            return Err("`multiline.bytes_max` must be at most 16MiB".to_owned());
        }
        if self.urgent && self.send.is_some_and(|pace| pace != Pace::AtOnce) {
            return Err("it is `urgent`, which is `send: at_once`: remove one of them".to_owned());
        }
        if let Some(topic) = &self.topic {
            check_topic("topic", topic)?;
        }
        if self.processors.len() > PROCESSORS_MAX {
            return Err(format!("`processors` has more than {PROCESSORS_MAX} entries"));
        }
        for (number, processor) in self.processors.iter().enumerate() {
            processor.check().map_err(|what| format!("processors[{number}]: {what}"))?;
        }
        Selection::parse(&self.paths, &self.exclude).map_err(|error| error.to_string())?;
        Recipe::new(self.clone(), &Lanes::single(), "", 0).map(drop).map_err(|error| error.to_string())
    }
}

fn default_line_end() -> String {
    "\n".to_owned()
}

fn default_line_bytes_max() -> ByteSize {
    ByteSize(256 << 10)
}
