//! Notifications that are on their way: who is next, and what an answer means.
//!
//! Enters: rows, and the vendors' answers. Leaves: sends that are due, deliveries that are over.
//! Never: a socket, a clock, a file. [`crate::core::Core`] writes the changes to disk before a send is made.
//!
//! A recipient of a channel is a mailbox. One send at a time goes to a mailbox, the most urgent and then the oldest
//! first; rows of one alert go in their order. A vendor's own delay holds the whole mailbox, our back-off only the
//! row, so that a row that a vendor chokes on does not keep the next one from being tried.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use event::Timestamp;
use rules::rule::Priority;

use crate::{Kind, Outcome, Quota};
use lane::Lane;

pub mod history;
mod lane;
pub mod pace;
pub mod row;

pub use history::History;
pub use pace::Pacer;
pub use row::{Delivery, Row, RowId, Send, Verdict};

/// Rows that the outbox holds at most. A scan over them is cheap enough to need no index.
pub const ROWS_MAX: usize = 10_000;
/// Sends of one channel that are in flight at most, each to another recipient.
pub const IN_FLIGHT_MAX: usize = 8;
/// How often a row is cut before that counts as permanent.
pub const SHRINKS_MAX: u32 = 5;
/// The first back-off; it doubles with each attempt.
pub const BACKOFF_FIRST: Duration = Duration::from_secs(1);
/// The longest back-off.
pub const BACKOFF_MAX: Duration = Duration::from_secs(300);

/// What an operator can set.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// How long a row is tried for.
    pub give_up_after: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Limits { give_up_after: Duration::from_secs(24 * 3600) }
    }
}

/// What an answer did to a row.
#[derive(Debug, Clone, PartialEq)]
pub enum Settled {
    /// The row is over: what it was, and how it ended.
    Over(Box<Row>, Box<Delivery>),
    /// It goes again.
    Again {
        /// When.
        at: Timestamp,
        /// True when nobody knows whether the vendor can be reached at all; false when it has spoken.
        is_unreachable: bool,
        /// What was said.
        reason: String,
    },
}

/// The outbox.
#[derive(Debug)]
pub struct Outbox {
    limits: Limits,
    rows: BTreeMap<RowId, Row>,
    next: u64,
    lanes: BTreeMap<String, Lane>,
    changed: BTreeSet<RowId>,
    history: History,
}

impl Outbox {
    /// The outbox as it was saved. A row that was in flight then is due again: its notification carries the same id.
    #[must_use]
    pub fn restore(limits: Limits, rows: BTreeMap<RowId, Row>, history: History) -> Self {
        let next = rows.last_key_value().map_or(0, |(id, _)| id.0 + 1);
        Outbox { limits, rows, next, lanes: BTreeMap::new(), changed: BTreeSet::new(), history }
    }

    /// Sets what can change while it runs. A new channel's count starts with what the history knows of it.
    pub fn configure(&mut self, limits: Limits, quotas: &BTreeMap<String, Quota>) {
        self.limits = limits;
        self.lanes.retain(|channel, lane| quotas.contains_key(channel) || lane.in_flight() > 0);
        self.lanes.values_mut().for_each(|lane| lane.pacer = None);
        for (channel, quota) in quotas {
            let mut pacer = Pacer::new(*quota);
            let attempts = self.history.iter().filter(|past| past.attempts > 0 && past.channel == *channel);
            attempts.for_each(|past| pacer.record(past.at));
            self.lanes.entry(channel.clone()).or_default().pacer = Some(pacer);
        }
    }

    /// Takes a row. A resolution ends the rows of its firing that are not out yet. When the outbox is full, the
    /// least urgent and youngest row has to go, which may be this one.
    pub fn queue(&mut self, row: Row, now: Timestamp) {
        let id = RowId(self.next);
        self.next += 1;
        self.rows.insert(id, row);
        self.changed.insert(id);
        self.supersede_before(id, now);
        if self.rows.len() > ROWS_MAX {
            let idle = self.rows.iter().filter(|(id, row)| !self.is_in_flight(**id, row));
            let least = idle.map(|(id, row)| (row.notification.transition.priority, *id)).max();
            if let Some((_, id)) = least {
                self.end(id, Verdict::Dropped, format!("the outbox holds its {ROWS_MAX} rows"), now);
            }
        }
    }

    /// True when this recipient has a row of this alert that is not delivered yet.
    #[must_use]
    pub fn is_waiting(&self, channel: &str, recipient: &str, fingerprint: u64) -> bool {
        self.rows.values().any(|row| {
            row.fingerprint() == fingerprint && row.channel == channel && row.recipient == recipient
        })
    }

    /// What is to be sent now, the most urgent first. Each is in flight until it is settled.
    pub fn due(&mut self, now: Timestamp) -> Vec<Send> {
        let mut heads: Vec<(Priority, RowId)> =
            self.heads().map(|(id, row)| (row.notification.transition.priority, id)).collect();
        heads.sort_unstable();
        let mut sends = Vec::new();
        for (_, id) in heads {
            let Some(row) = self.rows.get(&id) else { continue };
            if self.free_at(row).is_some_and(|at| at <= now) {
                sends.push(row.send(id));
                self.lanes.entry(row.channel.clone()).or_default().start(&row.recipient, id, now);
            }
        }
        sends
    }

    /// The earliest time at which something is due; in the past when it is due already.
    #[must_use]
    pub fn deadline(&self) -> Option<Timestamp> {
        self.heads().filter_map(|(_, row)| self.free_at(row)).min()
    }

    /// Takes the answer to a send. `None` when there is no such row any more.
    pub fn settle(&mut self, id: RowId, outcome: Outcome, now: Timestamp) -> Option<Settled> {
        let row = self.rows.get_mut(&id)?;
        row.attempts = row.attempts.saturating_add(1);
        let lane = self.lanes.entry(row.channel.clone()).or_default();
        lane.finish(&row.recipient, None);
        match outcome {
            Outcome::Delivered { reference } => {
                self.wake_others(id, now);
                self.end(id, Verdict::Delivered, reference, now)
            }
            Outcome::Permanent { reason } => self.end(id, Verdict::Permanent, reason, now),
            Outcome::Resign { reason } if row.is_resigned => {
                self.end(id, Verdict::Permanent, format!("refused again after signing anew: {reason}"), now)
            }
            Outcome::Resign { reason } => {
                row.is_resigned = true;
                self.again(id, now, reason, false, now)
            }
            Outcome::Shrink { bytes_max, reason } => {
                let is_smaller = bytes_max > 0 && row.bytes_max.is_none_or(|before| bytes_max < before);
                row.shrinks += 1;
                if !is_smaller || row.shrinks > SHRINKS_MAX {
                    let reason = format!("too long even when cut: {reason}");
                    return self.end(id, Verdict::Permanent, reason, now);
                }
                row.bytes_max = Some(bytes_max);
                self.again(id, now, reason, false, now)
            }
            Outcome::RetryAfter { delay, reason } => {
                row.is_resigned = false;
                let give_up_at = row.queued_at.plus(self.limits.give_up_after);
                if now >= give_up_at {
                    return self.end(id, Verdict::GaveUp, reason, now);
                }
                let at = now.plus(delay.unwrap_or_else(|| backoff(row.attempts))).min(give_up_at);
                lane.finish(&row.recipient, delay.map(|_| at));
                self.again(id, at, reason, delay.is_none(), now)
            }
        }
    }

    /// Rows that are not delivered yet, the oldest first.
    pub fn rows(&self) -> impl Iterator<Item = (RowId, &Row)> {
        self.rows.iter().map(|(id, row)| (*id, row))
    }

    /// Sends without an answer yet.
    #[must_use]
    pub fn in_flight(&self) -> usize {
        self.lanes.values().map(Lane::in_flight).sum()
    }

    /// The last deliveries.
    #[must_use]
    pub fn history(&self) -> &History {
        &self.history
    }

    /// Rows that changed since [`Outbox::mark_saved`]; `None` for those that are over.
    pub fn changes(&self) -> impl Iterator<Item = (RowId, Option<&Row>)> {
        self.changed.iter().map(|id| (*id, self.rows.get(id)))
    }

    /// Says that rows and history are on disk.
    pub fn mark_saved(&mut self) {
        self.changed.clear();
        self.history.mark_saved();
    }

    /// The oldest row of each (alert, recipient).
    fn heads(&self) -> impl Iterator<Item = (RowId, &Row)> {
        let mut seen = BTreeSet::new();
        self.rows().filter(move |(_, row)| seen.insert((row.fingerprint(), &row.channel, &row.recipient)))
    }

    /// When this row can go; `None` while another answer has to come first.
    fn free_at(&self, row: &Row) -> Option<Timestamp> {
        let priority = row.notification.transition.priority;
        match self.lanes.get(&row.channel) {
            Some(lane) => Some(lane.free_at(&row.recipient, priority)?.max(row.next_at)),
            None => Some(row.next_at),
        }
    }

    fn is_in_flight(&self, id: RowId, row: &Row) -> bool {
        self.lanes.get(&row.channel).is_some_and(|lane| lane.is_in_flight(&row.recipient, id))
    }

    /// Ends what the row `id` says again, if that is a resolution.
    fn supersede_before(&mut self, id: RowId, now: Timestamp) {
        let Some(row) = self.rows.get(&id).filter(|row| row.notification.kind == Kind::Resolved) else {
            return;
        };
        let earlier = self.rows.range(..id);
        let passed = earlier
            .filter(|(id, earlier)| earlier.is_superseded_by(row) && !self.is_in_flight(**id, earlier));
        for id in passed.map(|(id, _)| *id).collect::<Vec<_>>() {
            self.end(id, Verdict::Superseded, "the alert was over first".to_owned(), now);
        }
    }

    /// A recipient who can be reached again gets everything that a back-off keeps; a resolution that waits behind
    /// the delivered firing need not repeat it.
    fn wake_others(&mut self, delivered: RowId, now: Timestamp) {
        let Some(told) = self.rows.get(&delivered).cloned() else { return };
        for (id, row) in &mut self.rows {
            if row.channel == told.channel && row.recipient == told.recipient && row.next_at > now {
                row.next_at = now;
                self.changed.insert(*id);
            }
            if told.is_superseded_by(row) && row.notification.firing_missed {
                row.notification.firing_missed = false;
                self.changed.insert(*id);
            }
        }
    }

    fn again(
        &mut self,
        id: RowId,
        at: Timestamp,
        reason: String,
        is_unreachable: bool,
        now: Timestamp,
    ) -> Option<Settled> {
        let row = self.rows.get_mut(&id)?;
        row.next_at = at;
        row.reason = Some(reason.clone());
        self.changed.insert(id);
        let resolution = self.rows.iter().find(|(_, later)| self.rows[&id].is_superseded_by(later));
        if let Some(resolution) = resolution.map(|(id, _)| *id) {
            self.supersede_before(resolution, now);
        }
        Some(Settled::Again { at, is_unreachable, reason })
    }

    fn end(&mut self, id: RowId, verdict: Verdict, detail: String, now: Timestamp) -> Option<Settled> {
        let row = self.rows.remove(&id)?;
        self.changed.insert(id);
        let delivery = Delivery::of(&row, verdict, detail, now);
        self.history.push(delivery.clone());
        Some(Settled::Over(Box::new(row), Box::new(delivery)))
    }
}

/// The delay after this many attempts.
fn backoff(attempts: u32) -> Duration {
    BACKOFF_FIRST.saturating_mul(2u32.saturating_pow(attempts.saturating_sub(1))).min(BACKOFF_MAX)
}

#[cfg(test)]
mod tests;
