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

pub use document::{document, document_schema, schema};
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

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug, serde::Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Channel {
        token: Secret,
        #[serde(default)]
        #[expect(dead_code, reason = "typed, not read")]
        every: Option<Span>,
    }

    fn load_text(text: &str) -> Result<Channel, String> {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("token"), "hunter2\r\n").unwrap();
        std::fs::write(folder.path().join("two"), "a\n\n").unwrap();
        let path = folder.path().join("channel.yml");
        std::fs::write(&path, text).unwrap();
        load(&path).map_err(|error| error.to_string().replace(&format!("{}/", folder.path().display()), ""))
    }

    #[test]
    fn a_secret_comes_from_a_file_beside_the_configuration() {
        assert_eq!(load_text("token: ${file:token}\n").unwrap().token.reveal(), "hunter2");
        assert_eq!(load_text("token: '${file:two}'\n").unwrap().token.reveal(), "a\n");
    }

    #[test]
    fn a_variable_or_its_default() {
        assert!(!load_text("token: ${PATH}\n").unwrap().token.reveal().is_empty());
        assert_eq!(load_text("token: ${WATCHFIRE_NOT_SET:-x}\n").unwrap().token.reveal(), "x");
    }

    #[test]
    fn a_secret_never_prints() {
        let channel = load_text("token: ${file:token}\n").unwrap();
        assert_eq!(format!("{channel:?} {}", channel.token), "Channel { token: ***, every: None } ***");
        let error = load_text("token: ${file:token}\nevery: ${file:token}\n").unwrap_err();
        assert!(error.starts_with("channel.yml:2:8: `${file:token}` is not a span of time"), "{error}");
        assert!(!error.contains("hunter2"), "{error}");
    }

    #[test]
    fn what_is_missing_is_named() {
        for (text, expected) in [
            ("token: ${file:none}\n", "channel.yml:1:8: cannot read none: No such file or directory"),
            ("token: ${WATCHFIRE_NOT_SET}\n", "channel.yml:1:8: `WATCHFIRE_NOT_SET` is not set; set it"),
            ("tokn: x\n", "channel.yml:1:1: unknown key `tokn`, did you mean `token`?"),
        ] {
            let error = load_text(text).unwrap_err();
            assert!(error.starts_with(expected), "{error}");
        }
        let error = load::<Channel>(Path::new("/nowhere/channel.yml")).unwrap_err().to_string();
        assert_eq!(error, "/nowhere/channel.yml: no such file; name the configuration with `-c FILE`");
    }
}
