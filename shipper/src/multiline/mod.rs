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
//! {"level":"info"}              Alone            (0..3 is a record, and so is 3..4)
//! ```
//!
//! A family: presets for languages, one file each, and ways of the user's own.

mod auto;
mod config;
mod dotnet;
mod go;
mod header;
mod java;
mod node;
mod pattern;
mod php;
mod preset;
mod python;
mod ruby;
mod throwable;

pub use config::{
    CountConfig, Limits, LinePattern, Match, MultilineConfig, PatternConfig, Preset, RuleConfig, WhileConfig,
};

use event::Timestamp;

use self::pattern::{Count, Pattern, While};
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
    /// As [`Joint::Starts`], and the new record is complete with this line: nothing is collected any more.
    Alone,
}

/// Joins the lines of one stream. A pure state machine: the time is an argument.
#[derive(Debug, Clone)]
pub struct Multiline {
    rule: Rule,
    limits: Limits,
    lines: u64,
    bytes: u64,
    deadline: Option<Timestamp>,
    has_cut: bool,
}

#[derive(Debug, Clone)]
enum Rule {
    /// Each line is a record.
    None,
    Preset(Records),
    Pattern(Pattern),
    Count(Count),
    While(While),
}

impl Multiline {
    /// A joiner for a new stream.
    #[must_use]
    pub fn new(config: &MultilineConfig) -> Self {
        let rule = match &config.rule {
            RuleConfig::Preset(preset) => Records::new(*preset).map_or(Rule::None, Rule::Preset),
            RuleConfig::Pattern(config) => Rule::Pattern(Pattern::new(config)),
            RuleConfig::Count(config) => Rule::Count(Count::new(config)),
            RuleConfig::While(config) => Rule::While(While::new(config)),
        };
        Multiline { rule, limits: config.limits, lines: 0, bytes: 0, deadline: None, has_cut: false }
    }

    /// True when the lines before those of a record say how to join it; then [`Multiline::learn`] is worth their reading.
    #[must_use]
    pub fn learns(&self) -> bool {
        matches!(self.rule, Rule::Preset(_))
    }

    /// Before the first line of a stream that goes on: a line that lies before it, in order. So records begin after a
    /// restart as they did before it.
    pub fn learn(&mut self, line: &[u8]) {
        if let Rule::Preset(records) = &mut self.rule {
            records.learn(line);
        }
    }

    /// Places one line. A line that would bring a record over [`Limits`] starts a new one instead: nothing is
    /// dropped, and [`Multiline::has_cut`] tells it.
    pub fn handle(&mut self, line: &[u8], now: Timestamp) -> Joint {
        let joint = match &mut self.rule {
            Rule::None => Joint::Alone,
            Rule::Preset(records) => records.place(line, self.lines > 0),
            Rule::Pattern(pattern) => pattern.place(line, self.lines > 0),
            Rule::Count(count) => count.place(self.lines),
            Rule::While(run) => run.place(line, self.lines > 0),
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
        collected
    }

    /// Whether the record that the last line ended by [`Joint::Starts`] or [`Joint::Alone`] has reached a limit: its
    /// lines go on in the next record.
    #[must_use]
    pub fn has_cut(&self) -> bool {
        self.has_cut
    }

    /// Keeps the limits: turns `joint` into a beginning where a record would pass them.
    fn account(&mut self, joint: Joint, bytes: u64, now: Timestamp) -> Joint {
        let is_full = self.lines >= u64::from(self.limits.lines_max)
            || self.bytes.saturating_add(bytes + 1) > self.limits.bytes_max;
        let is_joined = self.lines > 0 && matches!(joint, Joint::Continues | Joint::Ends);
        self.has_cut = is_joined && is_full;
        if self.has_cut
            && let Rule::Preset(records) = &mut self.rule
        {
            records.forget();
        }
        let joint = match joint {
            Joint::Continues if self.has_cut => Joint::Starts,
            Joint::Ends if self.has_cut => Joint::Alone,
            joint => joint,
        };
        match joint {
            Joint::Ends | Joint::Alone => {
                self.flush();
                return joint;
            }
            Joint::Continues if self.lines > 0 => {
                (self.lines, self.bytes) = (self.lines + 1, self.bytes + bytes + 1);
            }
            Joint::Starts | Joint::Continues => (self.lines, self.bytes) = (1, bytes),
        }
        self.deadline = Some(now.plus(self.limits.timeout));
        joint
    }
}

#[cfg(test)]
mod test;
