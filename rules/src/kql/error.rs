//! Why a text is not a query.
//!
//! Enters: where reading stopped, and what could have stood there. Leaves: a message like Kibana's, with a caret.

use std::fmt;

/// A text that is not a query. Prints the message, the line of the query, and a caret under the place.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KqlError {
    /// The byte of the query where reading stopped.
    pub offset: usize,
    /// What is wrong there.
    pub kind: KqlErrorKind,
    /// The query.
    pub query: String,
}

/// What is wrong.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum KqlErrorKind {
    /// Something else must stand here.
    #[error("expected {} but {} found", expected.join(", "), found.as_ref().map_or_else(|| "end of input".to_owned(), |found| format!("\"{found}\"")))]
    Syntax {
        /// All that could stand here, as Kibana names it.
        expected: Vec<&'static str>,
        /// The character that stands here; `None` at the end.
        found: Option<char>,
    },
    /// A bound is exceeded.
    #[error("{what} {limit}: split the query into two rules")]
    TooLarge {
        /// Which bound.
        what: &'static str,
        /// The bound.
        limit: usize,
    },
    /// Reads well, but can never match.
    #[error("{0}")]
    Meaningless(&'static str),
}

impl fmt::Display for KqlError {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{}", self.kind)
    }
}

impl std::error::Error for KqlError {}
