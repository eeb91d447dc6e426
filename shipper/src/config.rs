//! `shipper.yml`.
//!
//! Enters: the file's text. Leaves: a [`Config`] that can be run as it stands. Never: a key that nobody reads.

use std::collections::BTreeSet;
use std::path::PathBuf;
use std::time::Duration;

use daemon::config::ConfigError;
use daemon::log::LogFormat;
use schemars::JsonSchema;
use serde::Deserialize;
use yaml::Span;

use crate::input::InputConfig;
use crate::output::OutputConfig;

/// Inputs in one file at most: tickets and threads are planned for this many.
pub const INPUTS_MAX: usize = 1024;

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
    /// What the shipper says of itself to the alerter.
    #[serde(default)]
    pub heartbeat: HeartbeatConfig,
    /// Health and metrics over HTTP.
    #[serde(default)]
    pub admin: AdminConfig,
    /// The shipper's own log.
    #[serde(default)]
    pub log: LogConfig,
}

/// `admin:`.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct AdminConfig {
    /// Address and port of `/metrics`, `/healthz` and `/readyz`; port 0 lets the system choose.
    pub listen: String,
}

impl Default for AdminConfig {
    fn default() -> Self {
        AdminConfig { listen: "127.0.0.1:9601".to_owned() }
    }
}

/// `log:`.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct LogConfig {
    /// `text` for people, `json` for a shipper.
    pub format: LogFormat,
    /// `error`, `warn`, `info`, `debug`, `trace`, or a list such as `info,shipper::input=debug`.
    pub level: String,
}

impl Default for LogConfig {
    fn default() -> Self {
        LogConfig { format: LogFormat::Text, level: "info".to_owned() }
    }
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
        wrong.extend(self.output.check().err());
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

    /// `host.name`: the file's, or the machine's.
    #[must_use]
    pub fn host(&self) -> String {
        self.host.clone().unwrap_or_else(|| rustix::system::uname().nodename().to_string_lossy().into_owned())
    }
}
