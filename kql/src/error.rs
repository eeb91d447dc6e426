//! Why a text is not a query.
//!
//! Enters: where reading stopped, and what could have stood there. Leaves: a message like Kibana's, with a caret.

use std::fmt;

/// A text that is not a query. Prints the message, the line of the query, and a caret under the place.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{kind}\n{}", self.excerpt())]
pub struct KqlError {
    /// The byte of the query where reading stopped.
    pub offset: usize,
    /// What is wrong there.
    pub kind: KqlErrorKind,
    /// The query.
    pub query: String,
}

/// What is wrong with a query.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum KqlErrorKind {
    /// Something else has to stand here.
    #[error("expected {} but {} found", expected.join(", "), Found(*found))]
    Syntax {
        /// All that could stand here, as Kibana names it.
        expected: Vec<&'static str>,
        /// The character that stands here; `None` at the end.
        found: Option<char>,
    },
    /// A backslash before a character that needs none.
    #[error("`\\{0}` is not an escape: write `\\\\` for a backslash")]
    Escape(String),
    /// A bound is exceeded.
    #[error("a query may have {limit} {what} at most: make it several")]
    TooLarge {
        /// What there is too much of.
        what: &'static str,
        /// The bound.
        limit: usize,
    },
    /// Reads well, but cannot mean anything over events; says what to write instead.
    #[error("{0}")]
    Meaningless(&'static str),
}

impl KqlError {
    /// The line of the query with a caret under the place, as Kibana shows it.
    fn excerpt(&self) -> String {
        let before = self.query.get(..self.offset).unwrap_or(&self.query);
        let start = before.rfind('\n').map_or(0, |at| at + 1);
        let line = self.query.get(start..).unwrap_or_default().lines().next().unwrap_or_default();
        let column = before.get(start..).unwrap_or_default().chars().count();
        format!("{line}\n{}^", "-".repeat(column))
    }
}

/// What stands where something else should.
struct Found(Option<char>);

impl fmt::Display for Found {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            Some(found) => write!(out, "\"{found}\""),
            None => out.write_str("end of input"),
        }
    }
}
