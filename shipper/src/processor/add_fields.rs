//! `add_fields`: what the user knows of the records.
//!
//! Enters: a record's fields. Leaves: the same with the configured ones. A field that is there already is replaced.

use std::collections::BTreeMap;

use event::{Fields, Scalar, Text};
use schemars::JsonSchema;
use serde::Deserialize;

use super::{FieldPath, When};

/// Fields and tags in one entry at most, each.
pub const ADDED_MAX: usize = 64;

/// Gives records fields and tags. A field that a record has already is replaced.
#[derive(Debug, Clone, PartialEq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct AddFieldsConfig {
    /// Texts by dotted ECS names, such as `service.environment: prod` or `labels.team: checkout`. Only the fields that a
    /// shipper writes as numbers (`http.response.status_code`) become numbers.
    #[serde(default)]
    pub fields: BTreeMap<FieldPath, String>,
    /// `tags` beside those of the input.
    #[serde(default)]
    pub tags: Vec<String>,
    /// Which records, in KQL; all when it is left out.
    pub when: Option<When>,
}

impl AddFieldsConfig {
    pub(super) fn check(&self) -> Result<(), String> {
        if self.fields.is_empty() && self.tags.is_empty() {
            return Err("nothing is added: name `fields` or `tags`".to_owned());
        }
        if self.fields.len() > ADDED_MAX || self.tags.len() > ADDED_MAX {
            return Err(format!("{ADDED_MAX} fields and {ADDED_MAX} tags are the most"));
        }
        for (path, value) in &self.fields {
            if !path.set(&mut Fields::default(), plain(value)) {
                let name = path.as_str();
                let wanted = if name == "log.level" { "a level, such as `warn`" } else { "a whole number" };
                return Err(format!("`{name}` is `{value}`: write {wanted}"));
            }
        }
        Ok(())
    }
}

/// The processor.
#[derive(Debug)]
pub(super) struct AddFields {
    fields: Vec<(FieldPath, String)>,
    tags: Vec<String>,
}

impl AddFields {
    pub(super) fn new(config: &AddFieldsConfig) -> Self {
        AddFields { fields: config.fields.clone().into_iter().collect(), tags: config.tags.clone() }
    }

    pub(super) fn handle<'a>(&'a self, fields: &mut Fields<'a>) {
        for (path, value) in &self.fields {
            path.set(fields, plain(value));
        }
        for tag in &self.tags {
            if !fields.tags.contains(&tag.as_str()) {
                fields.tags.push(tag);
            }
        }
    }
}

fn plain(value: &str) -> Scalar<'_> {
    Scalar::Text(Text::Plain(value))
}
