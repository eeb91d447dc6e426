//! The engine: events and a clock in, alert transitions out.
//!
//! Enters: decoded records in any order of sources, whether the queue is read to its end, and the wall clock.
//! Leaves: [`Transition`]s with exact event times; a [`Snapshot`] from which another engine goes on.
//! Never: a decision that depends on how the input was cut into batches, or on when the caller woke up.
//!
//! An event goes through `matcher` (which rules), `groups` (which alert), and its group's window. Each time a
//! source's time enters a new second, `horizon` says how far its groups may be judged, `group` judges them edge by
//! edge, and `render` words what changed.
//!
//! An engine that was made or restored takes the queue as unread until it is told [`Input::CaughtUp`]`(true)`.

mod blind;
mod clock;
mod evidence;
mod group;
mod groups;
mod horizon;
mod intake;
mod lifecycle;
mod matcher;
mod quiet;
mod render;
mod snapshot;
#[cfg(test)]
mod tests;

pub use blind::BLIND;
pub use evidence::{EVIDENCE_BYTES_MAX, EVIDENCE_MAX};
pub use group::SOURCES_MAX;
pub use snapshot::{SNAPSHOT_VERSION, Snapshot};

use event::{Event, Timestamp};

use crate::dedup::Dedup;
use crate::rule::Rule;
use crate::settings::Settings;
use crate::source::Sources;
use crate::stats::{RuleStats, Stats};
use crate::transition::{AlertState, Transition};
use crate::window::STEP_MIN;

use clock::Clock;
use groups::Groups;
use matcher::Matcher;

/// What comes in.
#[derive(Debug, Clone, Copy)]
pub enum Input<'a> {
    /// A record. Heartbeats are known by themselves.
    Event(&'a Event),
    /// Whether the queue was read to its end. Until it was, time stands still: nothing fires by absence, nothing
    /// resolves, and what events say waits for at most `hold_max`.
    CaughtUp(bool),
}

/// All rules, all windows, all alerts.
#[derive(Debug)]
pub struct Engine {
    rules: Vec<Rule>,
    settings: Settings,
    matcher: Matcher,
    groups: Groups,
    sources: Sources,
    dedup: Dedup,
    clock: Clock,
    /// The second of the last search for what can be forgotten.
    swept: Timestamp,
    stats: Stats,
    rule_stats: Vec<RuleStats>,
    /// Transitions that a restore left to say.
    queued: Vec<Transition>,
}

/// An alert that is pending or firing, for consoles and metrics.
#[derive(Debug, Clone, PartialEq)]
pub struct AlertView<'a> {
    /// Where it stands.
    pub state: AlertState,
    /// Since when its condition holds.
    pub since: Timestamp,
    /// The number at the last edge; that of `last` for the alert `blind`.
    pub value: Option<f64>,
    /// Its newest transition: rule, group, texts.
    pub last: &'a Transition,
}

impl Engine {
    /// An engine that has seen nothing. The names of `rules` are distinct.
    #[must_use]
    pub fn new(rules: Vec<Rule>, settings: Settings) -> Self {
        Engine {
            matcher: Matcher::new(&rules),
            groups: Groups::new(rules.len()),
            sources: Sources::default(),
            dedup: Dedup::default(),
            clock: Clock::default(),
            swept: Timestamp::MIN,
            stats: Stats::default(),
            rule_stats: vec![RuleStats::default(); rules.len()],
            queued: Vec::new(),
            rules,
            settings,
        }
    }

    /// Takes one input that was received at `now`, and appends what changed to `out`, by time. `now` may stand
    /// still; where it goes back, it is taken as standing still.
    pub fn handle(&mut self, input: Input<'_>, now: Timestamp, out: &mut Vec<Transition>) {
        let start = out.len();
        self.pass(now, out);
        match input {
            Input::Event(event) => self.take(event, now, out),
            Input::CaughtUp(is_caught_up) => {
                if self.clock.take(is_caught_up, now) {
                    self.judge_all(out);
                }
            }
        }
        self.finish(start, out);
    }

    /// Lets time pass; call it at [`Engine::deadline`], or at any other moment.
    pub fn tick(&mut self, now: Timestamp, out: &mut Vec<Transition>) {
        let start = out.len();
        self.pass(now, out);
        self.finish(start, out);
    }

    /// The wall-clock moment of the next [`Engine::tick`] that could matter; `None`: only input matters.
    #[must_use]
    pub fn deadline(&self) -> Option<Timestamp> {
        if !self.queued.is_empty() {
            return Some(self.clock.second);
        }
        let is_watching = self.clock.is_caught_up && !(self.sources.is_empty() && self.groups.is_empty());
        let is_new = self.clock.is_caught_up && self.whole_rules().next().is_some();
        (is_watching || is_new).then(|| self.clock.second.plus(STEP_MIN))
    }

    /// The rules, in their order.
    #[must_use]
    pub fn rules(&self) -> &[Rule] {
        &self.rules
    }

    /// Alerts that are pending or firing.
    pub fn alerts(&self) -> impl Iterator<Item = AlertView<'_>> {
        let of_groups = self.groups.iter().filter_map(|(_, group)| {
            Some(AlertView {
                state: group.alert.state(),
                since: group.alert.since()?,
                value: group.reading.and_then(|reading| reading.value),
                last: group.last.as_deref()?,
            })
        });
        let of_sources = self.sources.iter().filter_map(|(_, source)| {
            let (since, last) = (source.alert.since()?, source.last.as_deref()?);
            Some(AlertView { state: source.alert.state(), since, value: None, last })
        });
        of_groups.chain(of_sources)
    }

    /// What was counted so far.
    #[must_use]
    pub fn stats(&self) -> Stats {
        let mut stats = Stats {
            sources_refused: self.sources.refused(),
            streams_evicted: self.dedup.evicted(),
            groups: self.groups.len() as u64,
            sources: self.sources.len() as u64,
            broad_rules: self.matcher.broad() as u64,
            ..self.stats
        };
        for (_, source) in self.sources.iter() {
            stats.blind += u64::from(source.hearing == crate::source::Hearing::Blind);
            stats.behind += u64::from(source.backlog(&self.settings).is_some());
            stats.skewed_sources += u64::from(source.is_fast || source.is_slow);
        }
        stats
    }

    /// What was counted for each rule.
    pub fn rule_stats(&self) -> impl Iterator<Item = (&Rule, RuleStats)> {
        self.rules.iter().zip(self.rule_stats.iter().copied())
    }

    /// Puts what one call said in the order of time.
    fn finish(&mut self, start: usize, out: &mut [Transition]) {
        if let Some(said) = out.get_mut(start..) {
            said.sort_by(|left, right| {
                (left.at, &left.rule, left.fingerprint).cmp(&(right.at, &right.rule, right.fingerprint))
            });
            self.stats.transitions += said.len() as u64;
        }
    }
}
