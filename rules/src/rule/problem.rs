//! What is wrong with a file, all of it at once.
//!
//! Enters: problems with their places, while a file is checked. Leaves: one error that prints each as
//! `file:line:column: message`. Never: only the first of several mistakes.

use std::fmt::{self, Display};
use std::time::Duration;

use kql::Query;
use yaml::{Place, Span, Spanned, YamlError};

use crate::condition::WINDOW_MAX;
use crate::template::Template;

/// A file that cannot be used, with every reason that was found, by place. Text that is no YAML, or of another shape,
/// has one reason.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RuleError {
    /// Each is ready to print.
    pub problems: Vec<YamlError>,
}

impl Display for RuleError {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (at, problem) in self.problems.iter().enumerate() {
            let between = if at > 0 { "\n" } else { "" };
            write!(out, "{between}{problem}")?;
        }
        Ok(())
    }
}

impl std::error::Error for RuleError {}

impl From<YamlError> for RuleError {
    fn from(problem: YamlError) -> Self {
        RuleError { problems: vec![problem] }
    }
}

/// Collects what is wrong with one file.
pub(crate) struct Problems<'a> {
    name: &'a str,
    text: &'a str,
    found: Vec<(Place, String)>,
}

impl<'a> Problems<'a> {
    /// For the file `name` with this text.
    pub(crate) fn new(name: &'a str, text: &'a str) -> Self {
        Problems { name, text, found: Vec::new() }
    }

    /// Adds a problem with the whole of `value`.
    pub(crate) fn add<T>(&mut self, value: &Spanned<T>, what: impl Into<String>) {
        self.found.push((Place::of(value), what.into()));
    }

    /// Adds a problem at a byte of `value`.
    pub(crate) fn add_inside(&mut self, value: &Spanned<String>, offset: usize, what: impl Into<String>) {
        self.found.push((Place::inside(self.text, value, offset), what.into()));
    }

    /// Parses a query.
    pub(crate) fn query(&mut self, value: &Spanned<String>) -> Option<Query> {
        match Query::parse(&value.value) {
            Ok(query) => Some(query),
            Err(error) => {
                self.add_inside(value, error.offset, format!("KQL: {}", error.kind));
                None
            }
        }
    }

    /// Compiles a template.
    pub(crate) fn template(&mut self, value: &Spanned<String>) -> Option<Template> {
        match Template::compile(&value.value) {
            Ok(template) => Some(template),
            Err(error) => {
                self.add_inside(value, error.offset, error.message);
                None
            }
        }
    }

    /// Checks the length of a window: whole seconds, because windows are counted by the second, and no more than
    /// [`WINDOW_MAX`].
    pub(crate) fn window(&mut self, value: Option<&Spanned<Span>>, default: Duration) -> Duration {
        let Some(value) = value else { return default };
        let Span(window) = value.value;
        if window.is_zero() || window.subsec_nanos() > 0 {
            self.add(value, format!("a window is whole seconds, not {}: write 1s or more", value.value));
        } else if window > WINDOW_MAX {
            self.add(
                value,
                format!("{} is too long a window: write {} or less", value.value, Span(WINDOW_MAX)),
            );
        }
        window
    }

    /// Checks the name of a field that is looked up exactly.
    pub(crate) fn field(&mut self, value: &Spanned<String>) {
        let name = &value.value;
        if name.is_empty() || name.contains(char::is_whitespace) || name.contains('*') {
            self.add(
                value,
                format!("`{name}` is not a field: write one dotted name, such as `service.name`"),
            );
        }
    }

    /// `file` when nothing is wrong, else all that is, by place.
    pub(crate) fn finish<T>(mut self, file: T) -> Result<T, RuleError> {
        if self.found.is_empty() {
            return Ok(file);
        }
        self.found.sort_by_key(|(place, _)| *place);
        let error = |(place, what): &(Place, String)| YamlError::at(self.name, self.text, *place, what);
        Err(RuleError { problems: self.found.iter().map(error).collect() })
    }
}
