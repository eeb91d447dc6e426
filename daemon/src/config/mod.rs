//! One YAML file as typed configuration.
//!
//! Enters: a file, the environment. Leaves: the caller's own struct, or an error that names file, line, column,
//! what was expected and the nearest known key. Never: a second file, layers, a default that the type does not state.
//! Scalars may hold `${ENV}`, `${ENV:-default}` and `${file:/path}`; what they expand to is never printed.

use std::path::Path;

use serde::de::DeserializeOwned;

mod document;
mod reference;
mod secret;

pub use document::{document, schema};
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

/// Reads and types the file at `path`. A relative `${file:...}` is looked for beside it.
///
/// # Errors
/// [`ConfigError`], ready to print.
pub fn load<T: DeserializeOwned>(path: &Path) -> Result<T, ConfigError> {
    let text = std::fs::read_to_string(path).map_err(|error| ConfigError::Unreadable {
        path: path.display().to_string(),
        reason: reason(&error),
    })?;
    let folder = path.parent().unwrap_or(Path::new(""));
    typed(&path.display().to_string(), &text, folder)
}

/// Types `text`; `name` stands for the file in errors. A relative `${file:...}` is looked for in the working directory.
///
/// # Errors
/// [`ConfigError::Invalid`], ready to print.
pub fn parse<T: DeserializeOwned>(name: &str, text: &str) -> Result<T, ConfigError> {
    typed(name, text, Path::new(""))
}

fn typed<T: DeserializeOwned>(name: &str, text: &str, folder: &Path) -> Result<T, ConfigError> {
    yaml::parse_with(name, text, &mut |reference| reference::look_up(reference, folder))
        .map_err(|error| ConfigError::Invalid(error.0))
}

fn reason(error: &std::io::Error) -> String {
    match error.kind() {
        std::io::ErrorKind::NotFound => "no such file; name the configuration with `-c FILE`".to_owned(),
        std::io::ErrorKind::InvalidData => "the file is not UTF-8; save it as UTF-8".to_owned(),
        _ => error.to_string(),
    }
}
