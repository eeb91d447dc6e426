//! Joining by the user's own regular expression, with the meaning that Filebeat gives to `negate` and
//! `match`.
//!
//! Enters: a line. Leaves: its place. Never: state of its own beyond the configuration.

use super::Joint;
use super::config::{LinePattern, Match, PatternConfig};

/// One pattern, and what a match means.
#[derive(Debug, Clone)]
pub(super) struct Pattern {
    pattern: LinePattern,
    negate: bool,
    place: Match,
}

impl Pattern {
    pub(super) fn new(config: &PatternConfig) -> Self {
        Pattern { pattern: config.pattern.clone(), negate: config.negate, place: config.place }
    }

    /// `match: after` joins matching lines to the line before them; `match: before` to the line after them,
    /// so that the first line that does not match completes the record.
    pub(super) fn place(&self, line: &[u8], has_collected: bool) -> Joint {
        let is_match = self.pattern.0.is_match(line) != self.negate;
        match (self.place, is_match) {
            (Match::After, true) if has_collected => Joint::Continues,
            (Match::After, _) => Joint::Starts,
            (Match::Before, true) => Joint::Continues,
            (Match::Before, false) => Joint::Ends,
        }
    }
}
