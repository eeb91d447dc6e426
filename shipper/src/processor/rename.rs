//! `rename`: the same value under another name.
//!
//! Enters: a record's fields. Leaves: the same, with values moved. Never: a value that is lost on the way; what does not
//! fit its new field stays where it was.

use std::collections::BTreeMap;

use event::Fields;
use schemars::JsonSchema;
use serde::Deserialize;

use super::{FieldPath, When};

/// Renames in one entry at most.
pub const RENAMES_MAX: usize = 64;

/// Gives fields other names. A value that its new field cannot have (a word for `http.response.status_code`) stays where
/// it is. Members of objects inside a JSON line are not reached: `json.user` is, `json.user.id` is not.
#[derive(Debug, Clone, PartialEq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RenameConfig {
    /// New names by old ones, such as `json.uid: user.name`. A field that has the new name already is replaced.
    pub fields: BTreeMap<FieldPath, FieldPath>,
    /// Which records, in KQL; all when it is left out.
    pub when: Option<When>,
}

impl RenameConfig {
    pub(super) fn check(&self) -> Result<(), String> {
        if self.fields.is_empty() {
            return Err("`fields` is empty: write an old name and a new one".to_owned());
        }
        if self.fields.len() > RENAMES_MAX {
            return Err(format!("{RENAMES_MAX} fields are the most"));
        }
        for (from, to) in &self.fields {
            if from.as_str() == "message" {
                return Err("`message` cannot be renamed: every record has one".to_owned());
            }
            if self.fields.contains_key(to) {
                let name = to.as_str();
                return Err(format!(
                    "`{name}` is both an old name and a new one: write two entries, in order"
                ));
            }
        }
        Ok(())
    }
}

/// The processor.
#[derive(Debug)]
pub(super) struct Rename {
    fields: Vec<(FieldPath, FieldPath)>,
}

impl Rename {
    pub(super) fn new(config: &RenameConfig) -> Self {
        Rename { fields: config.fields.clone().into_iter().collect() }
    }

    pub(super) fn handle<'a>(&'a self, fields: &mut Fields<'a>) {
        for (from, to) in &self.fields {
            if let Some(value) = from.take(fields)
                && !to.set(fields, value)
            {
                from.set(fields, value);
            }
        }
    }
}
