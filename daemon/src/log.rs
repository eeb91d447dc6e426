//! The daemon's own log.
//!
//! Enters: `tracing` events. Leaves: lines on standard error, as text for people or JSON for a shipper.
//! Never: standard output, which belongs to the events that a command prints.

use std::io::IsTerminal;
use std::str::FromStr;

use tracing_subscriber::EnvFilter;
use tracing_subscriber::util::SubscriberInitExt;

/// How log lines look.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, Default, serde::Serialize, serde::Deserialize, schemars::JsonSchema,
)]
#[serde(rename_all = "lowercase")]
pub enum LogFormat {
    /// One line for people; coloured on a terminal.
    #[default]
    Text,
    /// One JSON object on each line.
    Json,
}

/// `log:` of every daemon.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize, schemars::JsonSchema)]
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

/// Why the log cannot be set up.
#[derive(Debug, thiserror::Error)]
pub enum LogError {
    /// The filter is not one.
    #[error("log level `{level}`: {reason}; write `info`, or `warn,shipper::input=debug`")]
    Level {
        /// As it was written.
        level: String,
        /// What is wrong.
        reason: String,
    },
    /// It is neither `text` nor `json`.
    #[error("log format `{0}` is not known; write `text` or `json`")]
    Format(String),
    /// A log was set up before.
    #[error("the log is set up already")]
    Twice,
}

impl FromStr for LogFormat {
    type Err = LogError;

    fn from_str(text: &str) -> Result<Self, LogError> {
        match text {
            "text" => Ok(LogFormat::Text),
            "json" => Ok(LogFormat::Json),
            other => Err(LogError::Format(other.to_owned())),
        }
    }
}

/// Sends log lines to standard error from now on. `level` is a level (`error`, `warn`, `info`, `debug`, `trace`) or a
/// list of filters such as `info,shipper::input=debug`.
///
/// # Errors
/// [`LogError`]
pub fn init(format: LogFormat, level: &str) -> Result<(), LogError> {
    start(format, level, std::io::stderr().is_terminal(), std::io::stderr)
}

/// [`init`] into a file, for a program whose terminal shows something else.
///
/// # Errors
/// As [`init`].
pub fn init_to(file: std::fs::File, format: LogFormat, level: &str) -> Result<(), LogError> {
    start(format, level, false, std::sync::Mutex::new(file))
}

fn start<W>(format: LogFormat, level: &str, is_coloured: bool, writer: W) -> Result<(), LogError>
where
    W: for<'w> tracing_subscriber::fmt::MakeWriter<'w> + Send + Sync + 'static,
{
    let lines = tracing_subscriber::fmt().with_env_filter(filter(level)?).with_writer(writer);
    match format {
        LogFormat::Text => lines.with_ansi(is_coloured).finish().try_init(),
        LogFormat::Json => lines.json().flatten_event(true).with_ansi(false).finish().try_init(),
    }
    .map_err(|_| LogError::Twice)
}

fn filter(level: &str) -> Result<EnvFilter, LogError> {
    EnvFilter::builder()
        .parse(level)
        .map_err(|error| LogError::Level { level: level.to_owned(), reason: error.to_string() })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_filter_is_a_level_or_a_list() {
        for good in ["info", "warn,shipper::input=debug", "off"] {
            assert!(filter(good).is_ok(), "{good}");
        }
        let error = filter("shipper=loud").unwrap_err().to_string();
        assert!(error.starts_with("log level `shipper=loud`: "), "{error}");
    }

    #[test]
    fn a_format_has_two_names() {
        assert_eq!("json".parse::<LogFormat>().unwrap(), LogFormat::Json);
        assert_eq!(
            "xml".parse::<LogFormat>().unwrap_err().to_string(),
            "log format `xml` is not known; write `text` or `json`"
        );
    }
}
