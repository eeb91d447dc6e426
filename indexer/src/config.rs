//! `indexer.yml`.
//!
//! Enters: the file's text. Leaves: a [`Config`] that can be run as it stands. Never: a connection.

use std::path::{Path, PathBuf};
use std::time::Duration;

use daemon::admin::AdminConfig;
use daemon::config::{ByteSize, ConfigError, Secret, Span};
use daemon::log::LogConfig;
use daemon::source::kafka::KafkaSourceConfig;
use schemars::JsonSchema;
use serde::Deserialize;

/// The whole file.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(title = "indexer.yml")]
pub struct Config {
    /// Where events come from.
    pub source: SourceConfig,
    /// Where documents go to.
    pub elasticsearch: ElasticsearchConfig,
    /// How documents travel.
    #[serde(default)]
    pub bulk: BulkConfig,
    /// Where the indexer keeps what Elasticsearch refused.
    #[serde(default)]
    pub state: StateConfig,
    /// Health and metrics over HTTP.
    #[serde(default = "default_admin")]
    pub admin: AdminConfig,
    /// The indexer's own log.
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

/// `elasticsearch:`.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ElasticsearchConfig {
    /// A node or a load balancer before several, such as `http://127.0.0.1:9200`.
    pub url: String,
    /// The user of basic authentication.
    #[serde(default)]
    pub user: Option<String>,
    /// The user's password; write `${file:/path}` or `${VARIABLE}`.
    #[serde(default)]
    pub password: Option<Secret>,
    /// An API key as Kibana shows it (base64), instead of a user.
    #[serde(default)]
    pub api_key: Option<Secret>,
    /// The authority that signs the server's certificate, as a PEM file; public authorities when it is not set.
    #[serde(default)]
    pub ca: Option<PathBuf>,
    /// The data stream that documents are created in.
    #[serde(default = "default_data_stream")]
    pub data_stream: String,
    /// Install the index template at start when it is absent or older. Without it, mappings are yours to provide.
    #[serde(default = "default_install_template")]
    pub install_template: bool,
    /// How long one request may take.
    #[serde(default = "default_timeout")]
    pub timeout: Span,
}

fn default_data_stream() -> String {
    "logs-watchfire-default".to_owned()
}

const fn default_install_template() -> bool {
    true
}

const fn default_timeout() -> Span {
    Span(Duration::from_secs(60))
}

/// `bulk:`. A request is sent when one of the bounds is reached.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct BulkConfig {
    /// Bytes of one request.
    pub bytes: ByteSize,
    /// Documents of one request.
    pub documents: usize,
    /// How long the first document of a request waits for others.
    pub linger: Span,
    /// The delay after the first failure; it doubles with each further one.
    pub retry_first: Span,
    /// The longest delay between two tries.
    pub retry_max: Span,
}

impl Default for BulkConfig {
    fn default() -> Self {
        BulkConfig {
            bytes: ByteSize(5 << 20),
            documents: 5000,
            linger: Span(Duration::from_millis(500)),
            retry_first: Span(Duration::from_millis(500)),
            retry_max: Span(Duration::from_secs(30)),
        }
    }
}

/// `state:`.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct StateConfig {
    /// A folder of this indexer alone, for dead letters. How far it has read is the consumer group's to remember.
    pub path: PathBuf,
}

impl Default for StateConfig {
    fn default() -> Self {
        StateConfig { path: PathBuf::from("/var/lib/watchfire/indexer") }
    }
}

/// What [`crate::run()`] needs of a configuration; `watchfire.yml` has the same parts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Settings {
    /// Where documents go to.
    pub elasticsearch: ElasticsearchConfig,
    /// How they travel.
    pub bulk: BulkConfig,
    /// The folder of dead letters.
    pub state: PathBuf,
}

/// Where the page is unless the file says otherwise.
fn default_admin() -> AdminConfig {
    AdminConfig::on_loopback(9603)
}

impl Config {
    /// Reads the file at `path`.
    ///
    /// # Errors
    /// [`ConfigError`], ready to print.
    pub fn load(path: &Path) -> Result<Self, ConfigError> {
        let config: Config = daemon::config::load(path)?;
        let wrong = |problem| ConfigError::Invalid(format!("{}: {problem}", path.display()));
        config.elasticsearch.check().map_err(wrong)?;
        config.bulk.check().map_err(wrong)?;
        Ok(config)
    }

    /// The parts that [`crate::run()`] needs.
    #[must_use]
    pub fn settings(&self) -> Settings {
        Settings {
            elasticsearch: self.elasticsearch.clone(),
            bulk: self.bulk.clone(),
            state: self.state.path.clone(),
        }
    }
}

impl ElasticsearchConfig {
    /// What a type cannot say: keys that belong together.
    ///
    /// # Errors
    /// The problem and the way out.
    pub fn check(&self) -> Result<(), &'static str> {
        let is_http = self.url.starts_with("http://") || self.url.starts_with("https://");
        if !is_http {
            return Err(
                "elasticsearch.url: start it with http:// or https://, such as http://127.0.0.1:9200",
            );
        }
        if self.url.contains('@') {
            return Err("elasticsearch.url: write `user` and `password` as keys, because the URL is logged");
        }
        if self.user.is_some() != self.password.is_some() {
            return Err("elasticsearch: `user` and `password` belong together; set both or neither");
        }
        if self.user.is_some() && self.api_key.is_some() {
            return Err("elasticsearch: `user` and `api_key` exclude each other; keep one");
        }
        let is_plain =
            |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || b"-_.".contains(&byte);
        if self.data_stream.is_empty() || !self.data_stream.bytes().all(is_plain) {
            return Err("elasticsearch.data_stream: use lower-case letters, digits, `-`, `_` and `.` alone");
        }
        Ok(())
    }
}

impl BulkConfig {
    /// What a type cannot say: a bound of nothing.
    ///
    /// # Errors
    /// The problem and the way out.
    pub fn check(&self) -> Result<(), &'static str> {
        if self.documents == 0 || self.bytes.0 == 0 {
            return Err("bulk: `documents` and `bytes` are at least 1");
        }
        if self.retry_first.0.is_zero() {
            return Err(
                "bulk.retry_first: a delay of nothing would never let Elasticsearch rest; write 500ms",
            );
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(elasticsearch: &str, more: &str) -> Result<Config, String> {
        let source = "source: { kafka: { brokers: ['k:9092'], topic: logs, group: indexer } }";
        let text = format!("{source}\nelasticsearch: {{ {elasticsearch} }}\n{more}\n");
        let folder = tempfile::tempdir().map_err(|error| error.to_string())?;
        let path = folder.path().join("indexer.yml");
        std::fs::write(&path, text).map_err(|error| error.to_string())?;
        Config::load(&path).map_err(|error| error.to_string())
    }

    fn check(elasticsearch: &str, more: &str, expected: &str) {
        let problem = parse(elasticsearch, more).err().unwrap_or_default();
        assert!(problem.contains(expected), "{elasticsearch} {more}: {problem}");
        assert!(expected.is_empty() == problem.is_empty(), "{elasticsearch} {more}: {problem}");
    }

    #[test]
    fn says_what_does_not_fit() {
        check("url: 'http://e:9200'", "", "");
        check("url: 'https://e', user: u, password: p", "bulk: { bytes: 1MiB, linger: 1s }", "");
        check("url: 'e:9200'", "", "start it with http://");
        check("url: 'http://u:p@e:9200'", "", "write `user` and `password` as keys");
        check("url: 'http://e', user: u", "", "belong together");
        check("url: 'http://e', user: u, password: p, api_key: k", "", "exclude each other");
        check("url: 'http://e', data_stream: Logs", "", "lower-case");
        check("url: 'http://e'", "bulk: { documents: 0 }", "at least 1");
        check("url: 'http://e'", "bulk: { retry_first: 0s }", "retry_first");
        check("url: 'http://e', uri: x", "", "uri");
    }

    #[test]
    fn defaults_are_those_of_the_docs() {
        let config = parse("url: 'http://e:9200'", "").unwrap();
        assert_eq!(config.elasticsearch.data_stream, "logs-watchfire-default");
        assert!(config.elasticsearch.install_template);
        assert_eq!(config.settings().bulk, BulkConfig::default());
        assert_eq!(config.admin.listen, "127.0.0.1:9603");
    }

    #[test]
    fn a_secret_does_not_print() {
        let config = parse("url: 'http://e', user: u, password: hunter2", "").unwrap();
        assert!(!format!("{config:?}").contains("hunter2"));
    }
}
