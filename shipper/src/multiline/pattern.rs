//! Joining by the user's own words: a regular expression with the meaning that Filebeat gives to `negate` and
//! `match`, a number of lines, a run of lines that match.
//!
//! Enters: a line, and what was collected before it. Leaves: its place. Never: state of its own beyond the
//! configuration, so that reading again from the start of a record joins the same lines.

use super::Joint;
use super::config::{CountConfig, LinePattern, Match, PatternConfig, WhileConfig};

/// One pattern, and what a match means.
#[derive(Debug, Clone)]
pub(super) struct Pattern {
    pattern: LinePattern,
    negate: bool,
    place: Match,
    flush: Option<LinePattern>,
}

impl Pattern {
    pub(super) fn new(config: &PatternConfig) -> Self {
        let PatternConfig { pattern, negate, place, flush_pattern } = config.clone();
        Pattern { pattern, negate, place, flush: flush_pattern }
    }

    /// `match: after` joins matching lines to the line before them; `match: before` to the line after them,
    /// so that the first line that does not match completes the record.
    pub(super) fn place(&self, line: &[u8], has_collected: bool) -> Joint {
        let is_match = self.pattern.0.is_match(line) != self.negate;
        let joint = match (self.place, is_match) {
            (Match::After, true) if has_collected => Joint::Continues,
            (Match::After, _) => Joint::Starts,
            (Match::Before, true) => Joint::Continues,
            (Match::Before, false) => Joint::Ends,
        };
        match (&self.flush, joint) {
            (Some(flush), Joint::Starts) if flush.0.is_match(line) => Joint::Alone,
            (Some(flush), Joint::Continues) if flush.0.is_match(line) => Joint::Ends,
            _ => joint,
        }
    }
}

/// A number of lines.
#[derive(Debug, Clone)]
pub(super) struct Count {
    lines: u64,
}

impl Count {
    pub(super) fn new(config: &CountConfig) -> Self {
        Count { lines: u64::from(config.lines) }
    }

    /// The place of a line behind `collected` lines.
    pub(super) fn place(&self, collected: u64) -> Joint {
        if collected + 1 >= self.lines { Joint::Ends } else { Joint::Continues }
    }
}

/// A run of lines that match.
#[derive(Debug, Clone)]
pub(super) struct While {
    pattern: LinePattern,
    negate: bool,
}

impl While {
    pub(super) fn new(config: &WhileConfig) -> Self {
        While { pattern: config.pattern.clone(), negate: config.negate }
    }

    /// Only lines that match are collected, so whatever was collected goes on with one that matches.
    pub(super) fn place(&self, line: &[u8], has_collected: bool) -> Joint {
        match self.pattern.0.is_match(line) != self.negate {
            true if has_collected => Joint::Continues,
            true => Joint::Starts,
            false => Joint::Alone,
        }
    }
}
