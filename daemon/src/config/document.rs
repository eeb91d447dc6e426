//! A configuration type as pages for people and editors.
//!
//! Enters: a type that derives `JsonSchema`. Leaves: a Markdown table of its keys, and its JSON Schema.
//! Never: a word that the type's own doc comments do not say.

use std::fmt::Write;

use schemars::{JsonSchema, schema_for};
use serde_json::{Map, Value};

/// The JSON Schema of `T`, for editors: indented, with a line break at its end.
#[must_use]
pub fn schema<T: JsonSchema>() -> String {
    let mut page = serde_json::to_string_pretty(&schema_for!(T)).unwrap_or_default();
    page.push('\n');
    page
}

/// Every key of `T` as a Markdown table: key, type, default, meaning. Nested keys are written with dots, the items
/// of a list with `[]`, the keys of a free mapping with `*`. A type inside itself is written once.
#[must_use]
pub fn document<T: JsonSchema>() -> String {
    document_schema(&serde_json::to_value(schema_for!(T)).unwrap_or_default())
}

/// [`document`] of a type whose schema is at hand.
#[must_use]
pub fn document_schema(root: &Value) -> String {
    let mut table = Table { root, page: String::new(), open: Vec::new() };
    table.page.push_str("| key | type | default | meaning |\n|---|---|---|---|\n");
    table.keys("", root);
    table.page
}

struct Table<'s> {
    root: &'s Value,
    page: String,
    /// The references that are being written, to end where a type holds itself.
    open: Vec<&'s str>,
}

impl<'s> Table<'s> {
    /// The rows of what lies below `path`.
    fn keys(&mut self, path: &str, schema: &'s Value) {
        self.rows(path, schema, false);
    }

    /// As `keys`; the key of a variant does not have to be there, because another one may be.
    fn rows(&mut self, path: &str, schema: &'s Value, is_variant: bool) {
        if let Some(name) = schema["$ref"].as_str() {
            if !self.open.contains(&name) {
                self.open.push(name);
                self.keys(path, self.resolved(schema));
                self.open.pop();
            }
            return;
        }
        for choice in choices(schema) {
            self.rows(path, choice, schema.get("oneOf").is_some());
        }
        if let Some(items) = schema.get("items") {
            self.keys(&format!("{path}[]"), items);
        }
        if let Some(values @ Value::Object(_)) = schema.get("additionalProperties") {
            self.keys(&joined(path, "*"), values);
        }
        let required = schema["required"].as_array().map_or(&[][..], Vec::as_slice);
        for (key, value) in schema["properties"].as_object().into_iter().flatten() {
            let is_required = !is_variant && required.iter().any(|required| required == key);
            let path = joined(path, key);
            // The variant's own doc comment stands beside its one key.
            let meaning =
                text(value, "description").or_else(|| is_variant.then(|| text(schema, "description"))?);
            self.row(&path, value, is_required, meaning);
            self.keys(&path, value);
        }
    }

    fn row(&mut self, path: &str, schema: &'s Value, is_required: bool, meaning: Option<&str>) {
        let default = match schema.get("default") {
            _ if is_required => "required".to_owned(),
            None | Some(Value::Null) => String::new(),
            Some(default) => {
                format!("`{}`", default.as_str().map_or_else(|| default.to_string(), str::to_owned))
            }
        };
        let meaning = meaning.or_else(|| text(self.resolved(schema), "description")).unwrap_or_default();
        let cell = |text: &str| text.replace('\n', " ").replace('|', "\\|");
        let kind = self.kind(schema);
        // Writing to a string cannot fail.
        let _ =
            writeln!(self.page, "| `{path}` | {} | {} | {} |", cell(&kind), cell(&default), cell(meaning));
    }

    /// The type in words.
    fn kind(&self, schema: &'s Value) -> String {
        let schema = self.resolved(schema);
        if let Some(unit) = text(schema, "format").filter(|format| ["span", "size", "share"].contains(format))
        {
            return unit.to_owned();
        }
        if let Some(values) = schema["enum"].as_array() {
            return list(values.iter().filter_map(Value::as_str));
        }
        let constants: Vec<&str> = choices(schema).filter_map(|choice| text(choice, "const")).collect();
        if !constants.is_empty() {
            return list(constants.into_iter());
        }
        let mut others = choices(schema).filter(|choice| choice["type"] != "null");
        if let (Some(only), None) = (others.next(), others.next()) {
            return self.kind(only);
        }
        let kind = match &schema["type"] {
            Value::Array(types) => types.iter().find_map(|kind| kind.as_str().filter(|kind| *kind != "null")),
            kind => kind.as_str(),
        };
        match kind {
            Some("string") => "text".to_owned(),
            Some("integer") => "whole number".to_owned(),
            Some("number") => "number".to_owned(),
            Some("boolean") => "`true` or `false`".to_owned(),
            Some("array") => format!("list of {}", self.kind(&schema["items"])),
            Some("object") => "mapping".to_owned(),
            _ if choices(schema).next().is_some() => "one of the keys below".to_owned(),
            _ => "any".to_owned(),
        }
    }

    fn resolved(&self, schema: &'s Value) -> &'s Value {
        schema["$ref"].as_str().map_or(schema, |name| self.resolved_name(name))
    }

    fn resolved_name(&self, name: &str) -> &'s Value {
        self.root.pointer(name.trim_start_matches('#')).unwrap_or(&Value::Null)
    }
}

fn choices(schema: &Value) -> impl Iterator<Item = &Value> {
    ["oneOf", "anyOf"].into_iter().filter_map(|kind| schema[kind].as_array()).flatten()
}

fn text<'s>(schema: &'s Value, key: &str) -> Option<&'s str> {
    schema.as_object().and_then(|schema: &Map<String, Value>| schema.get(key)).and_then(Value::as_str)
}

fn list<'v>(values: impl Iterator<Item = &'v str>) -> String {
    values.map(|value| format!("`{value}`")).collect::<Vec<_>>().join(", ")
}

fn joined(path: &str, key: &str) -> String {
    if path.is_empty() { key.to_owned() } else { format!("{path}.{key}") }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use serde::Deserialize;

    use super::*;
    use crate::config::{ByteSize, Percent, Secret, Span};

    /// The whole file.
    #[derive(Deserialize, JsonSchema)]
    #[serde(deny_unknown_fields)]
    #[expect(dead_code, reason = "described, not read")]
    struct File {
        /// What to read.
        inputs: Vec<Input>,
        /// How long to wait.
        #[serde(default = "ten")]
        wait: Span,
        /// Where to write: `a | b`.
        #[serde(default)]
        output: Option<Output>,
        /// By name.
        #[serde(default)]
        channels: BTreeMap<String, Output>,
        /// All of them, or
        /// any.
        #[serde(default)]
        any: Vec<Node>,
    }

    #[derive(Deserialize, JsonSchema)]
    #[serde(rename_all = "snake_case", deny_unknown_fields)]
    #[expect(dead_code, reason = "described, not read")]
    enum Input {
        /// Lines of files.
        File {
            /// Which.
            paths: Vec<String>,
        },
        /// A service's health.
        Probe(Output),
    }

    #[derive(Deserialize, JsonSchema)]
    #[serde(deny_unknown_fields)]
    #[expect(dead_code, reason = "described, not read")]
    struct Output {
        /// The token.
        token: Secret,
        /// How much.
        size: ByteSize,
        /// Which share.
        share: Option<Percent>,
        /// How loud.
        #[serde(default)]
        level: Level,
    }

    #[derive(Deserialize, serde::Serialize, JsonSchema, Default)]
    #[serde(rename_all = "lowercase")]
    enum Level {
        /// Not at all.
        #[default]
        Quiet,
        /// Very.
        Loud,
    }

    #[derive(Deserialize, JsonSchema)]
    #[expect(dead_code, reason = "described, not read")]
    struct Node {
        /// Inside it.
        nodes: Vec<Node>,
    }

    fn ten() -> Span {
        Span(std::time::Duration::from_secs(10))
    }

    #[test]
    fn every_key_has_a_row() {
        insta::assert_snapshot!(document::<File>());
    }

    #[test]
    fn an_editor_gets_a_schema() {
        let schema: Value = serde_json::from_str(&schema::<File>()).unwrap();
        assert_eq!(schema["required"], serde_json::json!(["inputs"]));
        assert_eq!(schema["additionalProperties"], Value::Bool(false));
    }
}
