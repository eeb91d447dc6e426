//! Typed YAML whose errors a person can act on.
//!
//! Enters: text, and the name to call it by. Leaves: the caller's own struct, or an error that names file, line,
//! column, what was expected, and the nearest known key. Never: a file, the environment; expansions of `${...}`
//! are an argument. The YAML library is called here and nowhere else.

use std::collections::HashMap;
use std::rc::Rc;

use serde::de::DeserializeOwned;
use serde_saphyr::{Error, PropertySyntax};

use crate::error::Finding;
use crate::reference::Expanded;

mod scalar;
mod reference;
mod place;
mod error;
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
        YamlError(place::point(name, text, place, what, None))
    }

    /// An error about `wrong` at `place`, which is no `kind` that exists, worded as those of [`parse`] about unknown
    /// keys: with the nearest of `known`, and all of them.
    #[must_use]
    pub fn unknown(name: &str, text: &str, place: Place, kind: &str, wrong: &str, known: &[&str]) -> Self {
        let (what, help) = error::unknown(kind, wrong, known);
        YamlError(place::point(name, text, place, &what, help.as_deref()))
    }
}

/// Types `text`; `name` stands for the file in errors. `${...}` is text like any other.
///
/// # Errors
/// [`YamlError`], ready to print.
pub fn parse<T: DeserializeOwned>(name: &str, text: &str) -> Result<T, YamlError> {
    let expanded = Expanded::literal(text);
    typed(text, None).map_err(|error| report(name, text, &error::describe(&error, text, &expanded)))
}

/// As [`parse`], with `${name}` in scalars (not in keys) replaced by what `lookup` says of `name`: a value, `None` for
/// one that is not set, or why it cannot be had. `${name:-default}` takes the default for what is not set or empty,
/// `${file:path}` is looked up as `file:path`, and `$${` is a plain `${`. Values never appear in an error.
///
/// # Errors
/// [`YamlError`], ready to print.
pub fn parse_with<T: DeserializeOwned>(
    name: &str,
    text: &str,
    lookup: &mut dyn FnMut(&str) -> Result<Option<String>, String>,
) -> Result<T, YamlError> {
    let expanded = Expanded::new(text, lookup)
        .map_err(|error| report(name, text, &Finding { place: error.place, what: error.what, help: None }))?;
    typed(&expanded.text, Some(&expanded.properties)).map_err(|error| {
        // Where the library hides a neighbour's words for fear of a value in them, reading without values tells.
        let open =
            error::is_redacted(&error).then(|| typed::<T>(&expanded.without_values(), None).err()).flatten();
        let is_same =
            |open: &Error| open.location() == error.location() && !expanded.is_told_in(&open.to_string());
        let error = open.filter(is_same).unwrap_or(error);
        report(name, text, &error::describe(&error, text, &expanded))
    })
}

fn typed<T: DeserializeOwned>(text: &str, properties: Option<&HashMap<String, String>>) -> Result<T, Error> {
    let mut options = serde_saphyr::Options::default();
    options.with_snippet = false;
    options.property_syntax = PropertySyntax::BracedOrBare;
    options.property_map = properties.map(|properties| Rc::new(properties.clone()));
    serde_saphyr::from_str_with_options(text, options)
}

fn report(name: &str, text: &str, finding: &Finding) -> YamlError {
    YamlError(place::point(name, text, finding.place, &finding.what, finding.help.as_deref()))
}
