//! One group of one rule: its window, its alert, and how far it has been judged.
//!
//! Enters: measured events, and moments up to which they are in. Leaves: changes of the alert, in order of time.
//! Never: a decision that depends on how often it is asked; edges are judged one by one.

use std::time::Duration;

use event::Timestamp;
use serde::{Deserialize, Serialize};
use smallvec::SmallVec;

use crate::condition::{Reading, Verdict, View};
use crate::rule::{NoData, Rule};
use crate::state::{Alert, Change, Observed, Timing};
use crate::transition::{AlertState, Reason, Transition};
use crate::window::{Measured, Ring, nanos};

use super::evidence::Evidence;

/// Groups remember this many of their sources; a group of more is judged by the time of these.
pub const SOURCES_MAX: usize = 64;

/// What one edge changed, in order of time, each with the reading that it rests on.
pub type Changes = SmallVec<[(Change, Reading); 4]>;

/// A group's state.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Group {
    /// The rule's place in the engine's list.
    pub rule: u32,
    /// The fields of `group_by` and their values.
    pub key: Vec<(String, String)>,
    /// Rule and key, hashed.
    pub fingerprint: u64,
    /// The places of the sources that its events came from.
    pub sources: Vec<u32>,
    /// Its events.
    pub ring: Ring,
    /// Its alert.
    pub alert: Alert,
    /// The first bucket edge of the group.
    #[serde(with = "nanos")]
    pub created: Timestamp,
    /// The newest event time.
    #[serde(with = "nanos")]
    pub newest: Timestamp,
    /// When the newest event was received, in reading time.
    #[serde(with = "nanos")]
    pub heard: Timestamp,
    /// Up to here events are known to be in; never goes back.
    #[serde(with = "nanos")]
    pub settled: Timestamp,
    /// The edge that was judged last.
    #[serde(with = "nanos")]
    pub judged: Timestamp,
    /// The last edge at which the alert was told something.
    #[serde(with = "nanos")]
    pub observed: Timestamp,
    /// The last edge at which the condition was seen not to hold.
    #[serde(with = "nanos")]
    pub clear: Timestamp,
    /// What was seen at `judged`.
    pub reading: Option<Reading>,
    /// Sample messages.
    pub evidence: Evidence,
    /// The newest transition, while the alert is not inactive.
    pub last: Option<Box<Transition>>,
}

/// How far a group may be judged, and how much is known there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Horizon {
    /// Judge the edges up to here.
    pub until: Timestamp,
    /// Records are unread before here: only what events say counts, and nothing resolves.
    pub is_held: bool,
    /// A shipper that vouched for the group is not heard.
    pub is_blind: bool,
    /// None that vouched for the group is heard.
    pub is_lost: bool,
}

impl Group {
    /// A group that is first heard of now; `at`: its first event, or now for a group without one.
    #[must_use]
    pub fn new(
        rule: u32,
        key: Vec<(String, String)>,
        fingerprint: u64,
        at: Timestamp,
        step: Duration,
    ) -> Self {
        let created = at.floor(step);
        Group {
            rule,
            key,
            fingerprint,
            sources: Vec::new(),
            ring: Ring::default(),
            alert: Alert::Inactive,
            created,
            newest: created,
            heard: Timestamp::MIN,
            settled: Timestamp::MIN,
            judged: created,
            observed: created,
            clear: created,
            reading: None,
            evidence: Evidence::default(),
            last: None,
        }
    }

    /// Counts one event that was received at `reading`, in reading time. `false`: it came after its edge was judged; it corrects what is still to be judged.
    pub fn insert(&mut self, at: Timestamp, reading: Timestamp, measured: Measured, rule: &Rule) -> bool {
        let step = rule.condition.step();
        let is_late = at < self.judged;
        self.newest = self.newest.max(at);
        self.heard = self.heard.max(reading);
        if !is_late
            || rule.condition.is_state()
            || at.floor(step) >= self.judged.minus(rule.condition.window())
        {
            self.ring.insert(at, measured, step);
        }
        !is_late
    }

    /// Judges the next edge and gives the changes it made, in order of time; `None` when the horizon is reached.
    /// A stretch in which nothing can change is one step.
    pub fn advance(&mut self, horizon: Horizon, rule: &Rule) -> Option<Changes> {
        let step = rule.condition.step();
        let last = horizon.until.floor(step);
        if self.judged >= last {
            return None;
        }
        let edge = self.next_edge(step, horizon, rule).min(last);
        let reading = rule.condition.judge(&View {
            ring: &self.ring,
            edge,
            created: self.created,
            is_firing: self.is_firing_at(edge, rule),
        });
        let changes = self.observe(edge, reading, horizon, rule);
        self.judged = edge;
        self.reading = Some(reading);
        let kept = if rule.condition.is_state() { Duration::ZERO } else { rule.condition.window() };
        self.ring.settle(edge.minus(kept));
        Some(changes)
    }

    /// Is the alert on at `edge`, before what is seen there? A timer that ends on the way fires it, or resolves it.
    fn is_firing_at(&self, edge: Timestamp, rule: &Rule) -> bool {
        let ends_before = self.alert.deadline(timing(rule)).is_some_and(|due| due < edge);
        let turns = self.is_gapless() && ends_before;
        (self.alert.state() == AlertState::Firing) != turns
    }

    /// Was the alert told something at the last edge? Edges at which nothing was known do not count for `for`: the
    /// timer goes on, but is not due in them.
    fn is_gapless(&self) -> bool {
        self.observed == self.judged
    }

    /// The next edge at which the reading or the alert can differ from the last one.
    fn next_edge(&self, step: Duration, horizon: Horizon, rule: &Rule) -> Timestamp {
        let next = self.judged.plus(step);
        let Some(reading) = self.reading else { return next };
        // What could not be told at the last edge may be told now, or has another reason now, because more, or less,
        // is known of the sources.
        if let Some(observed) = self.observed(self.judged, reading, horizon, rule)
            && (!self.is_gapless() || self.alert.changes_reason(observed))
        {
            return next;
        }
        let by_event = match self.ring.first() {
            Some(first) if first < self.judged => next,
            Some(first) => first.plus(step),
            None => Timestamp::MAX,
        };
        let by_time = reading.next.map_or(Timestamp::MAX, |at| ceil(at, step));
        let by_timer =
            self.alert.deadline(timing(rule)).map_or(Timestamp::MAX, |due| due.floor(step).plus(step));
        by_event.min(by_time).min(by_timer).max(next)
    }

    fn observe(&mut self, edge: Timestamp, reading: Reading, horizon: Horizon, rule: &Rule) -> Changes {
        let mut changes = Changes::new();
        let Some(observed) = self.observed(edge, reading, horizon, rule) else { return changes };
        let timing = timing(rule);
        let before = self.reading.unwrap_or(reading);
        let is_gapless = self.is_gapless();
        let mut tell = |alert: &mut Alert, at: Timestamp, observed: Observed| {
            if is_gapless {
                changes.extend(alert.tick(at, timing).map(|change| (change, before)));
            }
            changes.extend(alert.observe(at, observed, timing).map(|change| (change, reading)));
        };
        match observed {
            Observed::Ended { .. } => {
                tell(&mut self.alert, reading.since.map_or(edge, |at| at.clamp(self.judged, edge)), observed);
                self.clear = edge;
            }
            Observed::Holds { since, reason } => {
                let began = self.alert.since();
                let may_end = !horizon.is_held || matches!(self.alert, Alert::Pending { .. });
                let is_anew = |&ended: &Timestamp| may_end && began.is_some_and(|began| began < ended);
                if let Some(ended) = reading.ended.filter(is_anew) {
                    let end = Observed::Ended { reason: Reason::Recovered };
                    tell(&mut self.alert, ended.clamp(self.judged, edge), end);
                }
                // What is kept on may have ended before this began; then it is another alert, with its own `for`.
                if !matches!(self.alert, Alert::Pending { .. }) {
                    tell(&mut self.alert, since.max(self.judged), observed);
                }
                let since = self.alert.since().unwrap_or(since);
                tell(&mut self.alert, edge, Observed::Holds { since, reason });
            }
        }
        self.observed = edge;
        changes
    }

    /// Ends the alert for a reason outside its condition, and forgets its last words. `None`: it was inactive.
    pub fn close(&mut self, at: Timestamp, reason: Reason) -> Option<(Change, Transition)> {
        Some((self.alert.close(at, reason)?, *self.last.take()?))
    }

    /// Remembers the newest transition as long as the alert is on.
    pub fn remember(&mut self, said: &Transition) {
        let is_on = matches!(said.to, AlertState::Pending | AlertState::Firing);
        self.last = is_on.then(|| Box::new(said.clone()));
    }

    /// What the alert is told. `None`: nothing, and its timers stand still.
    fn observed(&self, edge: Timestamp, reading: Reading, horizon: Horizon, rule: &Rule) -> Option<Observed> {
        let holds = |reason| {
            let since = reading.since.map_or(edge, |since| since.clamp(self.clear, edge));
            Some(Observed::Holds { since, reason })
        };
        let ended = |reason| {
            let may_end = !horizon.is_held || matches!(self.alert, Alert::Pending { .. });
            may_end.then_some(Observed::Ended { reason })
        };
        match reading.verdict {
            Verdict::Holds => holds(Reason::ConditionMet),
            Verdict::Ended => ended(Reason::Recovered),
            Verdict::Absent | Verdict::NoData if horizon.is_held => None,
            Verdict::Absent if rule.condition.outlives_view() && horizon.is_lost => holds(Reason::ViewLost),
            Verdict::Absent if horizon.is_blind => None,
            Verdict::Absent => holds(Reason::Silent),
            Verdict::NoData => match rule.no_data {
                NoData::Keep if matches!(self.alert, Alert::Firing { .. }) => None,
                NoData::Alert if horizon.is_blind => None,
                NoData::Alert => holds(Reason::Silent),
                NoData::Ok | NoData::Keep => ended(Reason::NoData),
            },
        }
    }
}

fn ceil(at: Timestamp, step: Duration) -> Timestamp {
    let floor = at.floor(step);
    if floor < at { floor.plus(step) } else { floor }
}

/// The timers of a rule's alerts.
#[must_use]
pub fn timing(rule: &Rule) -> Timing {
    Timing { pending_for: rule.hold_for, keep_firing_for: rule.keep_firing_for }
}
