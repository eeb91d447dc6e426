//! Which lines belong to one record.
//!
//! Enters: the lines of one stream in order, without their line ends, and the time. Leaves: for each line,
//! where it stands to the record before it. Never: the bytes. The caller keeps ranges and joins them; nothing
//! is copied.
//!
//! ```text
//! line                          handle    the caller's collected range
//! ERROR checkout failed         Starts    0..1   (before it: what was collected is a record)
//! java.lang.Boom: no stock      Continues 0..2
//!   at Shop.buy(Shop.java:7)    Continues 0..3
//! INFO next                     Starts    3..4   (0..3 is a record)
//! ```
//!
//! A family: presets for languages, one file each, and a pattern of the user's own.

mod config;
mod go;
mod header;
mod java;
mod pattern;
mod preset;
mod python;

pub use config::{Limits, Match, MultilineConfig, PatternConfig, Preset};

use event::Timestamp;

use self::pattern::Pattern;
use self::preset::Records;

/// Where a line stands to the lines that were collected before it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Joint {
    /// A new record begins with this line. What was collected before it, if anything, is a record.
    Starts,
    /// This line belongs to what was collected; when nothing was, it is the first.
    Continues,
    /// As [`Joint::Continues`], and the record is complete with this line: nothing is collected any more.
    Ends,
}

/// Joins the lines of one stream. A pure state machine: the time is an argument.
#[derive(Debug, Clone)]
pub struct Multiline {
    rule: Rule,
    limits: Limits,
    lines: u64,
    bytes: u64,
    deadline: Option<Timestamp>,
    /// What was collected is complete although [`Joint::Starts`] was said: a line that ends a record had to
    /// start one.
    is_complete: bool,
    cuts: u64,
}

#[derive(Debug, Clone)]
enum Rule {
    /// Each line is a record.
    None,
    Preset(Records),
    Pattern(Pattern),
}

impl Multiline {
    /// A joiner for a new stream.
    #[must_use]
    pub fn new(config: &MultilineConfig) -> Self {
        let (rule, limits) = match config {
            MultilineConfig::Preset(preset) => {
                (Records::new(*preset).map_or(Rule::None, Rule::Preset), Limits::default())
            }
            MultilineConfig::Pattern(config) => (Rule::Pattern(Pattern::new(config)), config.limits()),
        };
        Multiline { rule, limits, lines: 0, bytes: 0, deadline: None, is_complete: false, cuts: 0 }
    }

    /// Places one line. A line that would bring a record over [`Limits`] starts a new one instead: nothing is
    /// dropped, and [`Multiline::cuts`] counts it.
    pub fn handle(&mut self, line: &[u8], now: Timestamp) -> Joint {
        let has_collected = self.lines > 0 && !self.is_complete;
        let joint = match &mut self.rule {
            Rule::None => return Joint::Ends,
            Rule::Preset(records) => records.place(line, has_collected),
            Rule::Pattern(pattern) => pattern.place(line, has_collected),
        };
        self.account(joint, line.len() as u64, now)
    }

    /// True when the time-out has passed: what was collected is a record, and is forgotten here.
    pub fn tick(&mut self, now: Timestamp) -> bool {
        self.deadline.is_some_and(|deadline| deadline <= now) && self.flush()
    }

    /// When [`Multiline::tick`] has something to do; `None` while nothing is collected.
    #[must_use]
    pub fn deadline(&self) -> Option<Timestamp> {
        self.deadline
    }

    /// Ends the record at hand, as at the end of a rotated file. True when lines were collected.
    pub fn flush(&mut self) -> bool {
        let collected = self.lines > 0;
        self.lines = 0;
        self.bytes = 0;
        self.deadline = None;
        self.is_complete = false;
        collected
    }

    /// How many records were cut because they reached a limit, since the stream began.
    #[must_use]
    pub fn cuts(&self) -> u64 {
        self.cuts
    }

    /// Keeps the limits: turns `joint` into [`Joint::Starts`] where a record would pass them.
    fn account(&mut self, joint: Joint, bytes: u64, now: Timestamp) -> Joint {
        let is_full = self.lines >= u64::from(self.limits.lines_max)
            || self.bytes.saturating_add(bytes + 1) > self.limits.bytes_max;
        let was_complete = std::mem::take(&mut self.is_complete);
        let is_cut = joint != Joint::Starts && self.lines > 0 && is_full && !was_complete;
        if is_cut {
            self.cuts += 1;
            if let Rule::Preset(records) = &mut self.rule {
                records.forget();
            }
        }
        if joint == Joint::Starts || is_cut || was_complete {
            (self.lines, self.bytes) = (1, bytes);
            self.is_complete = joint == Joint::Ends;
        } else if joint == Joint::Ends {
            self.flush();
            return Joint::Ends;
        } else {
            (self.lines, self.bytes) = (self.lines + 1, self.bytes + bytes + u64::from(self.lines > 0));
        }
        self.deadline = Some(now.plus(self.limits.timeout));
        if is_cut || was_complete { Joint::Starts } else { joint }
    }
}

#[cfg(test)]
mod test;
