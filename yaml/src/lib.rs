//! Typed YAML whose errors a person can act on.
//!
//! Enters: text, and the name to call it by. Leaves: the caller's own struct, or an error that names file, line,
//! column, what was expected, and the nearest known key. Never: a file, the environment; expansions of `${...}`
//! are an argument. The YAML library is called here and nowhere else.

use serde::de::DeserializeOwned;

mod unit;

pub use serde_saphyr::Spanned;
pub use unit::{ByteSize, Percent, Span};

/// Text that is not what the type expects. Prints as `file:line:column: what is wrong`, a snippet, and the way out.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct YamlError(pub String);

/// Types `text`; `name` stands for the file in errors.
///
/// # Errors
/// [`YamlError`], ready to print.
pub fn parse<T: DeserializeOwned>(name: &str, text: &str) -> Result<T, YamlError> {
    serde_saphyr::from_str(text).map_err(|error| YamlError(format!("{name}: {error}")))
}
