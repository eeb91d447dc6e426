//! What is wrong with a file, all of it at once.
//!
//! Enters: problems with their places. Leaves: one error that prints each as `file:line:column: message` with the
//! line and a caret. Never: only the first of several mistakes.

use std::fmt;

/// A file that cannot be used, with every reason found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RuleError {
    /// The problems by their place.
    pub problems: Vec<Problem>,
}

/// One thing that is wrong.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    /// The line, counted from 1; 0 when the message has its own place.
    pub line: u64,
    /// The column in characters, counted from 1.
    pub column: u64,
    /// What is wrong, and the way out.
    pub message: String,
}

impl fmt::Display for RuleError {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (at, problem) in self.problems.iter().enumerate() {
            if at > 0 {
                out.write_str("\n")?;
            }
            out.write_str(&problem.message)?;
        }
        Ok(())
    }
}

impl std::error::Error for RuleError {}
