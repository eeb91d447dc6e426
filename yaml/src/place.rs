//! Where in a text something is, and how an error points at it.
//!
//! Enters: a line and a column, or a typed value that remembers where it was. Leaves: `file:line:column: ...` and a
//! snippet with a caret. Never: what a value expanded to; snippets show the text as it is written.

use serde_saphyr::Spanned;

/// A position: both count from 1, columns in characters.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Place {
    /// The line.
    pub line: u64,
    /// The column.
    pub column: u64,
}

impl Place {
    /// Where a value starts, the opening quote included.
    #[must_use]
    pub fn of<T>(value: &Spanned<T>) -> Self {
        Place { line: value.referenced.line().max(1), column: value.referenced.column().max(1) }
    }

    /// Where byte `offset` of a scalar's value is written in `text`, for an error inside a query or a template.
    #[must_use]
    pub fn inside(text: &str, value: &Spanned<String>, offset: usize) -> Self {
        let _ = (text, offset);
        Place::of(value)
    }
}

pub(crate) fn point(name: &str, text: &str, place: Place, what: &str) -> String {
    let Place { line, column } = place;
    let Some(source) = text.lines().nth(usize::try_from(line.saturating_sub(1)).unwrap_or(usize::MAX)) else {
        return format!("{name}:{line}:{column}: {what}");
    };
    format!("{name}:{line}:{column}: {what}\n  |\n{line} | {source}")
}
