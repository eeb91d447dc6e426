//! Which of an event's fields a predicate looks at.
//!
//! Enters: the field's name as it was written. Leaves: for a path, the kind by which to compare, or nothing.
//! Never: an allocation for an event.

use event::Value;

use super::document::Document;
use super::mapping::{self, Kind};
use super::pattern::Pattern;

/// The fields of one predicate.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Fields {
    /// Every field: the predicate names none, or `*`.
    Any,
    /// One field, and the field behind it when the name is a multi-field's (`message.keyword`).
    Named { path: String, kind: Kind, behind: Option<(String, Kind)> },
    /// All fields whose path matches.
    Matching(Pattern),
}

impl Fields {
    /// The fields that `name` stands for inside `path: { ... }`.
    pub(crate) fn new(name: Option<&Pattern>, path: Option<&Pattern>) -> Self {
        let name = match (path, name) {
            (None, None) => return Fields::Any,
            (None, Some(name)) => name.clone(),
            (Some(path), None) => path.join(&Pattern::new(vec![String::new(); 2])),
            (Some(path), Some(name)) => path.join(name),
        };
        match name.as_exact() {
            Some(path) => Fields::Named {
                path: path.to_owned(),
                kind: mapping::kind(path),
                behind: mapping::multi_field(path).map(|(parent, kind)| (parent.to_owned(), kind)),
            },
            None if name.is_any() => Fields::Any,
            None => Fields::Matching(name),
        }
    }

    /// The field, when it is exactly one.
    pub(crate) fn name(&self) -> Option<&str> {
        match self {
            Fields::Named { path, .. } => Some(path),
            _ => None,
        }
    }

    /// By which kind the value at `path` compares, if it is looked at.
    fn kind(&self, path: &str) -> Option<Kind> {
        match self {
            Fields::Any => Some(mapping::kind(path)),
            Fields::Named { path: name, kind, .. } if name == path => Some(*kind),
            Fields::Named { behind: Some((parent, kind)), .. } if parent == path => Some(*kind),
            Fields::Named { .. } => None,
            Fields::Matching(pattern) => pattern.matches(path).then(|| mapping::kind(path)),
        }
    }

    /// Does any value of `event` that is looked at pass `test`?
    pub(crate) fn any(&self, event: &impl Document, mut test: impl FnMut(Kind, Value<'_>) -> bool) -> bool {
        event.any(|path, value| self.kind(path).is_some_and(|kind| test(kind, value)))
    }

    /// Does `event` have any value, below these fields too? A null is none.
    pub(crate) fn exist(&self, event: &impl Document) -> bool {
        event.any(|path, value| value != Value::Null && (self.kind(path).is_some() || self.is_above(path)))
            || self.name() == Some(TIMESTAMP)
    }

    fn is_above(&self, path: &str) -> bool {
        self.name().is_some_and(|name| path.strip_prefix(name).is_some_and(|rest| rest.starts_with('.')))
    }
}

/// The field that every event has, whatever its record said.
pub(crate) const TIMESTAMP: &str = "@timestamp";
