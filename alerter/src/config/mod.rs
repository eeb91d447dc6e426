//! `alerter.yml`.
//!
//! Enters: the file's text. Leaves: a [`Config`] whose names fit each other, or an error with file, line and column.
//! Never: a rule file, a connection; [`crate::setup`] reads the one and builds the other.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::Duration;

use daemon::admin::AdminConfig;
use daemon::config::{ConfigError, Span};
use daemon::log::LogConfig;
use daemon::source::kafka::KafkaSourceConfig;
use rules::rule::Priority;
use schemars::JsonSchema;
use serde::Deserialize;

use crate::channel::console;
use crate::{ChannelConfig, outbox};

mod engine;
mod route;

pub use engine::{Blind, EngineConfig};
pub use route::{RouteConfig, check_routes, routes};

/// The whole file.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(title = "alerter.yml")]
pub struct Config {
    /// Where events come from.
    pub source: SourceConfig,
    /// Rule files, as paths with wildcards beside this file, such as `rules/*.yml`. Their tests (`*.test.yml`) are
    /// left out.
    pub rules: Vec<String>,
    /// Where notifications go, by names of your own. Without any, they go to standard output.
    #[serde(default = "default_channels")]
    pub channels: BTreeMap<String, ChannelConfig>,
    /// Who is told of which priority. A priority that is left out goes to the channels made for it: P0 to voice, SMS
    /// and DingTalk, P1 to SMS and WeCom, P2 and P3 to email, all of them to webhooks and the console.
    #[serde(default)]
    pub routes: BTreeMap<Priority, RouteConfig>,
    /// Notifications on their way.
    #[serde(default)]
    pub outbox: OutboxConfig,
    /// Where the alerter remembers what it has seen and said.
    #[serde(default)]
    pub state: StateConfig,
    /// How the rules take time, and their bounds.
    #[serde(default)]
    pub engine: EngineConfig,
    /// Health, metrics and alerts over HTTP.
    #[serde(default = "default_admin")]
    pub admin: AdminConfig,
    /// The alerter's own log.
    #[serde(default)]
    pub log: LogConfig,
}

/// `source:`, with the kind as its key.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum SourceConfig {
    /// A Kafka topic.
    Kafka(KafkaSourceConfig),
}

/// `outbox:`.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct OutboxConfig {
    /// How long a notification is tried for before it counts as failed.
    pub give_up_after: Span,
}

impl Default for OutboxConfig {
    fn default() -> Self {
        OutboxConfig { give_up_after: Span(outbox::Limits::default().give_up_after) }
    }
}

/// `state:`.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct StateConfig {
    /// A folder of this alerter alone.
    pub path: PathBuf,
    /// How often it is saved while nothing but counting happens; what an alert does is saved at once.
    pub save_every: Span,
}

impl Default for StateConfig {
    fn default() -> Self {
        StateConfig {
            path: PathBuf::from("/var/lib/watchfire/alerter"),
            save_every: Span(Duration::from_secs(1)),
        }
    }
}

/// Where the page is unless the file says otherwise.
fn default_admin() -> AdminConfig {
    AdminConfig::on_loopback(9602)
}

impl Config {
    /// Reads the file at `path`.
    ///
    /// # Errors
    /// [`ConfigError`], ready to print.
    pub fn load(path: &Path) -> Result<Self, ConfigError> {
        let config: Config = daemon::config::load(path)?;
        // The text again, for the places of what does not fit.
        let text = std::fs::read_to_string(path).unwrap_or_default();
        check_routes(&path.display().to_string(), &text, &config.channels, &config.routes)?;
        Ok(config)
    }

    /// Types `text`; `name` stands for the file in errors.
    ///
    /// # Errors
    /// [`ConfigError::Invalid`], ready to print.
    pub fn parse(name: &str, text: &str) -> Result<Self, ConfigError> {
        let config: Config = daemon::config::parse(name, text)?;
        check_routes(name, text, &config.channels, &config.routes)?;
        Ok(config)
    }
}

/// One console.
#[must_use]
pub fn default_channels() -> BTreeMap<String, ChannelConfig> {
    BTreeMap::from([("console".to_owned(), ChannelConfig::Console(console::Config::default()))])
}

#[cfg(test)]
mod tests;
