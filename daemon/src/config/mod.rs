//! One YAML file as typed configuration.
//!
//! Enters: a file, the environment. Leaves: the caller's own struct, or an error that names file, line, column,
//! what was expected and the nearest known key. Never: a second file, layers, a default that the type does not state.
//! Scalars may hold `${ENV}` and `${file:/path}`; what they expand to is never printed.

use std::path::Path;

use serde::de::DeserializeOwned;

mod secret;

pub use secret::Secret;
pub use yaml::{ByteSize, Percent, Span};

/// Why a file cannot be used. The text has file, line, column, a snippet and the way out.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    /// The file cannot be read.
    #[error("{path}: {reason}")]
    Unreadable {
        /// The file.
        path: String,
        /// What the system says, and what to do.
        reason: String,
    },
    /// The file is not what the type expects.
    #[error("{0}")]
    Invalid(String),
}

/// Reads and types the file at `path`.
///
/// # Errors
/// [`ConfigError`], ready to print.
pub fn load<T: DeserializeOwned>(path: &Path) -> Result<T, ConfigError> {
    let text = std::fs::read_to_string(path).map_err(|error| ConfigError::Unreadable {
        path: path.display().to_string(),
        reason: error.to_string(),
    })?;
    parse(&path.display().to_string(), &text)
}

/// Types `text`; `name` stands for the file in errors.
///
/// # Errors
/// [`ConfigError::Invalid`], ready to print.
pub fn parse<T: DeserializeOwned>(name: &str, text: &str) -> Result<T, ConfigError> {
    yaml::parse(name, text).map_err(|error| ConfigError::Invalid(error.0))
}
