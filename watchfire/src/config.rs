//! `watchfire.yml`: the union of the three daemons' files, with a queue in memory in Kafka's place.
//!
//! Enters: the file's text. Leaves: a [`Config`], and from it each daemon's own. Never: a key that none of them reads.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use alerter::ChannelConfig;
use alerter::config::{EngineConfig, OutboxConfig, RouteConfig, StateConfig, check_routes};
use alerter::setup::Parts;
use daemon::admin::AdminConfig;
use daemon::config::ConfigError;
use daemon::log::LogConfig;
use rules::rule::Priority;
use schemars::JsonSchema;
use serde::Deserialize;
use shipper::config::{HeartbeatConfig, RegistryConfig};
use shipper::input::InputConfig;
use shipper::output::OutputConfig;
use shipper::output::queue::QueueConfig;
use shipper::route::LevelsConfig;

/// The whole file.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(title = "watchfire.yml")]
pub struct Config {
    /// `host.name` of every record; the machine's own name when it is left out.
    pub host: Option<String>,
    /// Where records come from.
    pub inputs: Vec<InputConfig>,
    /// The queue between the shipper and its readers.
    #[serde(default)]
    pub queue: QueueConfig,
    /// Rule files, as paths with wildcards beside this file.
    pub rules: Vec<String>,
    /// Where notifications go, by names of your own. Without any, they go to standard output.
    #[serde(default = "alerter::config::default_channels")]
    pub channels: BTreeMap<String, ChannelConfig>,
    /// Who is told of which priority; left out, each goes to the channels made for it.
    #[serde(default)]
    pub routes: BTreeMap<Priority, RouteConfig>,
    /// Notifications on their way.
    #[serde(default)]
    pub outbox: OutboxConfig,
    /// How the rules take time, and their bounds.
    #[serde(default)]
    pub engine: EngineConfig,
    /// Index the same events into Elasticsearch; left out, nothing is indexed. While it is away, up to 16 MiB of what
    /// was read wait for it and pages go out; then reading stops until it is back, and nothing is lost. Where search
    /// may be away for long, run an indexer of its own behind Kafka.
    pub elasticsearch: Option<indexer::config::ElasticsearchConfig>,
    /// What files may cost the disk that were deleted before they were shipped.
    #[serde(default)]
    pub pinned: shipper::input::file::PinnedConfig,
    /// What is done otherwise with records of some levels, for every file input that has no entry of its own for the
    /// level.
    #[serde(default)]
    pub levels: LevelsConfig,
    /// What the shipper says of itself to the alerter.
    #[serde(default)]
    pub heartbeat: HeartbeatConfig,
    /// Where everything is remembered: offsets, timers, unsent pages.
    #[serde(default)]
    pub state: State,
    /// Health, metrics and alerts over HTTP.
    #[serde(default = "default_admin")]
    pub admin: AdminConfig,
    /// Watchfire's own log.
    #[serde(default)]
    pub log: LogConfig,
}

/// `state:`.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct State {
    /// A folder of this process alone; relative paths start beside this file.
    pub path: PathBuf,
}

impl Default for State {
    fn default() -> Self {
        State { path: PathBuf::from("/var/lib/watchfire") }
    }
}

/// Where the page is unless the file says otherwise.
fn default_admin() -> AdminConfig {
    AdminConfig::on_loopback(9600)
}

impl Config {
    /// Reads and checks `path`.
    ///
    /// # Errors
    /// [`ConfigError`], ready to print.
    pub fn load(path: &Path) -> Result<Self, ConfigError> {
        let mut config: Config = daemon::config::load(path)?;
        // The text again, for the places of what does not fit.
        let text = std::fs::read_to_string(path).unwrap_or_default();
        check_routes(&path.display().to_string(), &text, &config.channels, &config.routes)?;
        let folder = path.parent().unwrap_or(Path::new(""));
        config.state.path = folder.join(&config.state.path);
        let problem = |problem: ConfigError| ConfigError::Invalid(format!("{}: {problem}", path.display()));
        config.shipper().check().map_err(problem)?;
        let elasticsearch = config.elasticsearch.as_ref().map_or(Ok(()), indexer::ElasticsearchConfig::check);
        elasticsearch.map_err(|text| problem(ConfigError::Invalid(text.to_owned())))?;
        Ok(config)
    }

    /// The shipper's part.
    #[must_use]
    pub fn shipper(&self) -> shipper::config::Config {
        shipper::config::Config {
            host: self.host.clone(),
            inputs: self.inputs.clone(),
            output: OutputConfig::Queue(self.queue),
            registry: RegistryConfig { path: self.state.path.join("shipper") },
            pinned: self.pinned,
            levels: self.levels.clone(),
            heartbeat: self.heartbeat.clone(),
            admin: self.admin.clone(),
            log: self.log.clone(),
        }
    }

    /// The alerter's part; `state` comes from [`Config::alerter_state`].
    #[must_use]
    pub fn alerter<'a>(&'a self, state: &'a StateConfig) -> Parts<'a> {
        Parts {
            rules: &self.rules,
            channels: &self.channels,
            routes: &self.routes,
            outbox: &self.outbox,
            state,
            engine: &self.engine,
        }
    }

    /// The indexer's part; none when nothing is indexed.
    #[must_use]
    pub fn indexer(&self) -> Option<indexer::Settings> {
        let elasticsearch = self.elasticsearch.clone()?;
        let (bulk, state) = (indexer::BulkConfig::default(), self.state.path.join("indexer"));
        Some(indexer::Settings { elasticsearch, bulk, state })
    }

    /// Where the alerter remembers.
    #[must_use]
    pub fn alerter_state(&self) -> StateConfig {
        StateConfig { path: self.state.path.join("alerter"), ..StateConfig::default() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const GOOD: &str = r#"
inputs:
  - file: { paths: ["app.log"], service: app }
rules: ["rules/*.yml"]
channels: { screen: { console: {} } }
routes: { P0: { channels: [screen] } }
elasticsearch: { url: "http://127.0.0.1:9200" }
state: { path: state }
"#;

    fn load(text: &str) -> Result<Config, String> {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("watchfire.yml");
        std::fs::write(&path, text).unwrap();
        Config::load(&path).map_err(|error| error.to_string())
    }

    fn check(from: &str, to: &str, expected: &str) {
        let problem = load(&GOOD.replace(from, to)).unwrap_err();
        assert!(problem.contains(expected), "{from} -> {to}: {problem}");
    }

    #[test]
    fn what_no_room_can_use_is_refused() {
        check("[screen]", "[scren]", "screen");
        check("service: app", "servce: app", "did you mean `service`?");
        check("http://127", "127", "start it with http://");
        check("[\"app.log\"]", "[]", "inputs[0]");
        check("elasticsearch:", "bulk: {}\nelasticsearch:", "bulk");
    }

    #[test]
    fn each_room_has_a_folder_of_its_own() {
        let config = load(GOOD).unwrap();
        let state = &config.state.path;
        assert_eq!(config.shipper().registry.path, state.join("shipper"));
        assert_eq!(config.alerter_state().path, state.join("alerter"));
        assert_eq!(config.indexer().unwrap().state, state.join("indexer"));
        assert_eq!(load(&GOOD.replace("elasticsearch", "# elasticsearch")).unwrap().indexer(), None);
    }
}
