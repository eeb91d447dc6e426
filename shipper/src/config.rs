//! `shipper.yml`.
//!
//! Enters: the file's text. Leaves: a [`Config`] that can be run as it stands. Never: a key that nobody reads.

use std::collections::BTreeSet;
use std::path::PathBuf;
use std::time::Duration;

use daemon::admin::AdminConfig;
use daemon::config::ConfigError;
use daemon::log::LogConfig;
use schemars::JsonSchema;
use serde::Deserialize;
use yaml::Span;

use crate::input::InputConfig;
use crate::input::file::{FileConfig, PinnedConfig};
use crate::output::OutputConfig;
use crate::route::{Lanes, LevelsConfig, TooManyLanes, Wish};

/// Inputs in one file at most: tickets and threads are planned for this many.
pub const INPUTS_MAX: usize = 1024;
/// Less would give up files that are deleted a moment before their last line is acknowledged.
const PINNED_BYTES_MIN: u64 = 1 << 20;

/// The whole file.
#[derive(Debug, Clone, PartialEq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(title = "shipper.yml")]
pub struct Config {
    /// `host.name` of every record; the machine's own name when it is left out.
    pub host: Option<String>,
    /// Where records come from.
    pub inputs: Vec<InputConfig>,
    /// Where records go to.
    pub output: OutputConfig,
    /// Where the shipper remembers how far it has read.
    #[serde(default)]
    pub registry: RegistryConfig,
    /// What files may cost the disk that were deleted before they were shipped.
    #[serde(default)]
    pub pinned: PinnedConfig,
    /// What is done otherwise with records of some levels, for every file input that has no entry of its own for the
    /// level.
    #[serde(default)]
    pub levels: LevelsConfig,
    /// What the shipper says of itself to the alerter.
    #[serde(default)]
    pub heartbeat: HeartbeatConfig,
    /// Health and metrics over HTTP.
    #[serde(default = "default_admin")]
    pub admin: AdminConfig,
    /// The shipper's own log.
    #[serde(default)]
    pub log: LogConfig,
}

/// `registry:`.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct RegistryConfig {
    /// A folder of this shipper alone: offsets, the agent's id and dead letters.
    pub path: PathBuf,
}

impl Default for RegistryConfig {
    fn default() -> Self {
        RegistryConfig { path: PathBuf::from("/var/lib/watchfire/shipper") }
    }
}

/// `heartbeat:`.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct HeartbeatConfig {
    /// Time between two heartbeats; the alerter misses a shipper after three.
    pub every: Span,
}

impl Default for HeartbeatConfig {
    fn default() -> Self {
        HeartbeatConfig { every: Span(Duration::from_secs(10)) }
    }
}

/// Where the page is unless the file says otherwise.
fn default_admin() -> AdminConfig {
    AdminConfig::on_loopback(9601)
}

impl Config {
    /// Finds what the types cannot: what would not work, or not as it was meant.
    ///
    /// # Errors
    /// [`ConfigError::Invalid`] that names every such place, with the way out.
    pub fn check(&self) -> Result<(), ConfigError> {
        let mut wrong = Vec::new();
        if self.inputs.is_empty() {
            wrong.push("`inputs` is empty: add a `file:` or a `probe:`".to_owned());
        }
        if self.inputs.len() > INPUTS_MAX {
            wrong.push(format!("`inputs` has {} entries: {INPUTS_MAX} are the most", self.inputs.len()));
        }
        if self.host.as_deref().is_some_and(|host| host.trim().is_empty()) {
            wrong.push("`host` is empty: remove it to use the machine's name".to_owned());
        }
        if self.heartbeat.every.0 < Duration::from_secs(1)
            || self.heartbeat.every.0 > Duration::from_secs(3600)
        {
            wrong.push("`heartbeat.every` must be between 1s and 1h".to_owned());
        }
        if self.pinned.bytes_max.0 < PINNED_BYTES_MIN {
            wrong.push("`pinned.bytes_max` must be at least 1MiB".to_owned());
        }
        wrong.extend(self.output.check().err());
        wrong.extend(self.check_lanes().err());
        let mut names = BTreeSet::new();
        for (number, input) in self.inputs.iter().enumerate() {
            wrong.extend(input.check().err().map(|what| format!("inputs[{number}]: {what}")));
            if let InputConfig::Probe(probe) = input
                && !names.insert(&probe.name)
            {
                wrong.push(format!(
                    "inputs[{number}]: another probe is named `{}` too: rename one",
                    probe.name
                ));
            }
        }
        if wrong.is_empty() { Ok(()) } else { Err(ConfigError::Invalid(wrong.join("\n"))) }
    }

    /// The file inputs, each with the levels that it has by the whole file.
    pub fn files(&self) -> impl Iterator<Item = FileConfig> + '_ {
        self.inputs.iter().filter_map(|input| match input {
            InputConfig::File(file) => {
                Some(FileConfig { levels: file.levels.or(&self.levels), ..FileConfig::clone(file) })
            }
            InputConfig::Probe(_) => None,
        })
    }

    /// The ways of records to the output.
    ///
    /// # Errors
    /// [`TooManyLanes`].
    pub fn lanes(&self) -> Result<Lanes, TooManyLanes> {
        let OutputConfig::Kafka(kafka) = &self.output else { return Ok(Lanes::single()) };
        let mut wishes = Vec::new();
        for file in self.files() {
            let wish = file.wish();
            wishes.extend(file.levels.wishes(&wish, &kafka.topic));
            wishes.push(wish);
        }
        wishes.extend(self.control());
        Lanes::new(&kafka.topic, wishes)
    }

    /// The way of the loss ledger's records, when they have a topic.
    #[must_use]
    pub fn control(&self) -> Option<Wish> {
        let OutputConfig::Kafka(kafka) = &self.output else { return None };
        let topic = kafka.control_topic.clone()?;
        Some(Wish { topic: Some(topic), pace: None, is_urgent: false })
    }

    fn check_lanes(&self) -> Result<(), String> {
        match &self.output {
            OutputConfig::Kafka(kafka) => {
                self.files().try_for_each(|file| file.levels.check(&file.wish(), &kafka.topic))?;
                let lanes = self.lanes().map_err(|error| format!("`inputs`: {error}"))?;
                kafka.check_lanes(lanes.len())
            }
            // On a terminal every record is shown, so that a configuration for Kafka can be tried as it is.
            OutputConfig::Stdout(_) => Ok(()),
            OutputConfig::Queue(_) if self.files().any(|file| file.topic.is_some() || file.levels.has_topic()) => {
                Err("`topic` of inputs and levels works with `output.kafka` alone: remove it, the queue has no topics"
                    .to_owned())
            }
            OutputConfig::Queue(_) => Ok(()),
        }
    }

    /// `host.name`: the file's, or the machine's.
    #[must_use]
    pub fn host(&self) -> String {
        self.host.clone().unwrap_or_else(|| rustix::system::uname().nodename().to_string_lossy().into_owned())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const GOOD: &str = r#"
inputs:
  - file: { paths: ["/var/log/app/*.log"], service: checkout, multiline: java, parse: auto }
  - probe: { name: checkout, service: checkout, url: "http://127.0.0.1:8080/health", every: 10s, expect: { status: 200, within: 500ms } }
output:
  kafka: { brokers: ["127.0.0.1:9092"], topic: logs }
registry: { path: /var/lib/watchfire/shipper }
"#;

    fn load(text: &str) -> Result<Config, String> {
        let config: Config = daemon::config::parse("shipper.yml", text).map_err(|error| error.to_string())?;
        config.check().map_err(|error| error.to_string())?;
        Ok(config)
    }

    #[test]
    fn the_documented_shape_is_good() {
        let config = load(GOOD).unwrap();
        assert_eq!(config.inputs.iter().map(InputConfig::service).collect::<Vec<_>>(), [Some("checkout"); 2]);
        assert_eq!(config.heartbeat.every.0, Duration::from_secs(10));
        assert!(!config.host().is_empty());
        for output in ["stdout: {}", "queue: {}", "queue: { bytes: 8MiB }"] {
            load(&GOOD.replace("kafka: { brokers: [\"127.0.0.1:9092\"], topic: logs }", output)).unwrap();
        }
    }

    #[test]
    fn ways_to_the_broker_have_bounds() {
        let with = |count: usize, from: &str, to: &str| {
            let files: String =
                (1..count).map(|number| format!("  - file: {{ paths: [/b], topic: t{number} }}\n")).collect();
            load(&GOOD.replace("output:\n", &format!("{files}output:\n")).replace(from, to))
        };
        assert_eq!(with(8, "", "").unwrap().lanes().unwrap().len(), 8);
        let error = with(9, "", "").unwrap_err();
        assert!(error.contains("`inputs`: more than 8 different pairs of `topic`, `urgent`"), "{error}");
        let error = with(4, "topic: logs", "topic: logs, queue_bytes: 3MB").unwrap_err();
        assert!(error.contains("for each of the 4 different pairs") && error.contains("4000000"), "{error}");
        let queue = "kafka: { brokers: [\"127.0.0.1:9092\"], topic: logs }";
        let error = with(2, queue, "queue: {}").unwrap_err();
        assert!(error.contains("`topic` of inputs and levels works with `output.kafka` alone"), "{error}");
        assert_eq!(with(2, queue, "stdout: {}").unwrap().lanes().unwrap().len(), 1);
    }

    #[test]
    fn what_cannot_work_is_refused_with_the_way_out() {
        for (from, to, words) in [
            ("topic: logs", "topic: \"lo gs\"", "`output.kafka.topic` is `lo gs`: write 1 to 249 letters"),
            (
                "topic: logs",
                "topic: logs, control_topic: logs",
                "`output.kafka.control_topic` is the topic of the logs",
            ),
            (
                "topic: logs",
                "topic: logs, control_topic: a b",
                "`output.kafka.control_topic` is `a b`: write 1 to",
            ),
            ("topic: logs", "topic: logs, linger: 2m", "`output.kafka.linger` is above 60s"),
            ("topic: logs", "topic: logs, batch_bytes: 1KiB", "between 16KiB and 16MiB"),
            ("topic: logs", "topic: logs, queue_bytes: 512KiB", "must hold a batch"),
            ("topic: logs", "topic: logs, options: { retries: \"1\" }", "so that nothing is lost"),
            ("topic: logs", "topic: logs, options: { acks: \"0\" }", "acks"),
            ("topic: logs", "topic: logs, options: { linger: \"1\" }", "linger"),
            ("[\"127.0.0.1:9092\"]", "[]", "name at least one broker"),
            ("[\"127.0.0.1:9092\"]", "[\"127.0.0.1\"]", "is not host:port"),
            ("topic: logs", "topik: logs", "did you mean `topic`?"),
            ("every: 10s", "every: 1ms", "inputs[1]: probe `checkout`: `every` must be"),
            ("[\"/var/log/app/*.log\"]", "[]", "inputs[0]: file: `paths` is empty"),
            ("app/*.log", "app/../*.log", "inputs[0]: file: `/var/log/app/../*.log`: `..` is not followed"),
            ("multiline: java", "exclude: [\"[\"]", "inputs[0]: file: `[`: unclosed character class"),
            (
                "parse: auto",
                "encoding: utf16",
                "`utf16` is no encoding that can be read line by line: write utf-8, utf-16le, utf-16be, gbk",
            ),
            (
                "parse: auto",
                "encoding: latin1, line_end: \"\\u4e0a\"",
                "inputs[0]: file: inputs: line_end: `\u{4e0a}` must be some text that windows-1252 has characters for",
            ),
            ("parse: auto", "line_end: \"\"", "line_end: `` must be some text"),
            (
                "parse: auto",
                "encoding: utf-16be, line_end: \"123456789\"",
                "`123456789` is longer than 16 bytes in UTF-16BE; write a shorter one",
            ),
            ("parse: auto", "too_long: drop", "cut"),
            ("parse: auto", "time_zone: Mars/Olympus", "`Mars/Olympus` is no zone of this machine"),
            ("parse: auto", "topic: \"\"", "inputs[0]: file: `topic` is ``: write 1 to 249 letters"),
            ("parse: auto", "topic: ..", "inputs[0]: file: `topic` is `..`: write 1 to 249 letters"),
            ("parse: auto", "urgent: true, send: normal", "it is `urgent`, which is `send: at_once`"),
            ("parse: auto", "levels: { eror: {} }", "did you mean `error`?"),
            (
                "parse: auto",
                "levels: { info: { send: normal } }",
                "`levels.info.send` needs a `topic` of its own",
            ),
            ("registry:", "levels: { warn: { topic: ' ' } }\nregistry:", "`levels.warn.topic` is ` `"),
            ("parse: auto", "send: soon", "unknown value `soon`"),
            ("parse: auto", "line_bytes_max: 5GiB", "`line_bytes_max` must be between 1KiB and 16MiB"),
            (
                "multiline: java",
                "multiline: { pattern: x, match: after, bytes_max: 1GiB }",
                "`multiline.bytes_max` must be at most 16MiB",
            ),
            ("registry:", "host: \" \"\nregistry:", "`host` is empty: remove it"),
            (
                "registry:",
                "heartbeat: { every: 2h }\nregistry:",
                "`heartbeat.every` must be between 1s and 1h",
            ),
            (
                "  - probe",
                "  - probe: { name: checkout, url: \"tcp://h:1\" }\n  - probe",
                "is named `checkout` too",
            ),
            (
                "registry:",
                "pinned: { bytes_max: 1KiB }\nregistry:",
                "`pinned.bytes_max` must be at least 1MiB",
            ),
            ("registry:", "pinned: { beyond: forget }\nregistry:", "`drop_oldest`"),
            ("  - file", "  - fille", "did you mean `file`?"),
        ] {
            let text = GOOD.replacen(from, to, 1);
            assert_ne!(text, GOOD, "{from} is not in the text");
            let error = load(&text).unwrap_err();
            assert!(error.contains(words), "{to}\n{error}\nhas no\n{words}");
        }
        assert!(
            load("inputs: []\noutput: { stdout: {} }").unwrap_err().contains("add a `file:` or a `probe:`")
        );
    }
}
