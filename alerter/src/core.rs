//! The alerter without its edges: engine, router, outbox and state file as one machine that a caller steps.
//!
//! Enters: records, the time, the answers of vendors. Leaves: sends that are due, and what happened.
//! Never: a clock, a socket, a runtime. It writes its state file before anything that depends on it goes out.
//!
//! [`crate::run`] steps it from a source and a clock; a scenario steps it by hand:
//!
//! ```text
//! let mut core = Core::open(directory, plan, save_every)?;
//! core.handle(&records, true, now)?;         // decisions, on disk when it returns
//! core.tick(now)?;                           // whenever `core.deadline()` has come
//! for send in core.due(now) {                // what is to be sent now
//!     core.settle(send.id, outcome, now)?;   // what became of it
//! }
//! drop(core);                                // kill -9; `Core::open` goes on where it was
//! ```

use std::collections::BTreeMap;
use std::path::Path;
use std::time::Duration;

use daemon::{Position, Record};
use event::{Event, Timestamp};
use rules::rule::Rule;
use rules::{Engine, Input, Transition};

use crate::outbox::{Delivery, History, Limits, Outbox, RowId, Send, Settled, Verdict};
use crate::route::{Router, Routes};
use crate::state::{Change, StateError, Store};
use crate::{Outcome, Quota};

/// How long after a failed write the next one is tried.
pub const RETRY_AFTER: Duration = Duration::from_secs(1);
/// Bytes of snapshots that are written in a second while nothing happens but counting: where there are hundreds of
/// thousands of streams, the state is saved less often than asked for, and a crash costs reading more records again.
pub const SNAPSHOT_BYTES_PER_SECOND: f64 = 4_194_304.0;
/// Positions that are remembered; the one that was named first makes room. A queue in memory has a new topic in each
/// process, so old ones gather.
pub const POSITIONS_MAX: usize = 4096;

/// Everything that can change while it runs.
#[derive(Debug, Clone, Default)]
pub struct Plan {
    /// The rules of all files.
    pub rules: Vec<Rule>,
    /// The engine's settings; those of the start stay.
    pub engine: rules::Settings,
    /// Who is told of what.
    pub routes: Routes,
    /// The quota of each channel that has one.
    pub quotas: BTreeMap<String, Quota>,
    /// How long a notification is tried for.
    pub limits: Limits,
}

/// What happened, for whoever watches.
#[derive(Debug, Clone, PartialEq)]
pub enum Observed {
    /// An alert changed its state.
    Transition(Transition),
    /// A notification is over.
    Delivery(Delivery),
}

/// The machine.
#[derive(Debug)]
pub struct Core {
    engine: Engine,
    router: Router,
    outbox: Outbox,
    store: Store,
    positions: Vec<Position>,
    save_every: Duration,
    /// The size of the last snapshot.
    snapshot_bytes: usize,
    save_at: Option<Timestamp>,
    retry_at: Option<Timestamp>,
    has_engine_changed: bool,
    event: Event,
    transitions: Vec<Transition>,
    observed: Vec<Observed>,
}

impl Core {
    /// Opens the state in `directory`, or begins it, and goes on by `plan`. While nothing happens but counting, the
    /// state is saved each `save_every`; a crash then costs reading the same records again, and nothing else.
    ///
    /// # Errors
    /// [`StateError`] when the state cannot be read.
    pub fn open(directory: &Path, plan: Plan, save_every: Duration) -> Result<Self, StateError> {
        let (store, saved) = Store::open(directory)?;
        let mut engine = Engine::new(plan.rules, plan.engine);
        if let Some(snapshot) = saved.engine {
            engine.restore(snapshot);
        }
        let mut outbox = Outbox::restore(plan.limits, saved.rows, History::restore(saved.history));
        outbox.configure(plan.limits, &plan.quotas);
        Ok(Core {
            engine,
            router: Router::restore(plan.routes, saved.episodes),
            outbox,
            store,
            positions: saved.positions,
            save_every,
            snapshot_bytes: 0,
            save_at: None,
            retry_at: None,
            has_engine_changed: false,
            event: Event::default(),
            transitions: Vec::new(),
            observed: Vec::new(),
        })
    }

    /// Takes the next records of the source. Its transitions, and the notifications of them, are on disk with the
    /// records' positions when this returns.
    ///
    /// # Errors
    /// [`StateError`]: the records are taken, not written yet; see [`Core::is_stuck`].
    pub fn handle(
        &mut self,
        records: &[Record],
        is_caught_up: bool,
        now: Timestamp,
    ) -> Result<(), StateError> {
        for record in records {
            event::decode::decode(&record.received(), &mut self.event);
            self.engine.handle(Input::Event(&self.event), now, &mut self.transitions);
            advance(&mut self.positions, record);
        }
        self.engine.handle(Input::CaughtUp(is_caught_up), now, &mut self.transitions);
        self.has_engine_changed |= !records.is_empty();
        self.tick(now)
    }

    /// Does what time alone brings: timers of rules, repetitions, saving.
    ///
    /// # Errors
    /// [`StateError`], as for [`Core::handle`].
    pub fn tick(&mut self, now: Timestamp) -> Result<(), StateError> {
        if self.is_stuck() {
            if !is_due(self.retry_at, now) {
                return Ok(());
            }
            self.save(now)?;
        }
        if self.engine.deadline().is_some_and(|at| at <= now) {
            self.engine.tick(now, &mut self.transitions);
        }
        let has_decided = self.route(now);
        if has_decided || is_due(self.save_at, now) {
            return self.save(now);
        }
        if self.has_engine_changed && self.save_at.is_none() {
            self.save_at = Some(self.next_save(now));
        }
        Ok(())
    }

    /// When [`Core::tick`] or [`Core::due`] has something to do next.
    #[must_use]
    pub fn deadline(&self) -> Option<Timestamp> {
        if self.is_stuck() {
            return self.retry_at;
        }
        let deadlines =
            [self.engine.deadline(), self.router.deadline(), self.outbox.deadline(), self.save_at];
        deadlines.into_iter().flatten().min()
    }

    /// What is to be sent now; each send is to be answered with [`Core::settle`]. Nothing while the state cannot be
    /// written: a page that is not on disk could be sent twice.
    pub fn due(&mut self, now: Timestamp) -> Vec<Send> {
        if self.is_stuck() { Vec::new() } else { self.outbox.due(now) }
    }

    /// Takes a vendor's answer. What is over is on disk when this returns.
    ///
    /// # Errors
    /// [`StateError`]: the answer is taken, not written yet; a crash now would send the same notification again.
    pub fn settle(
        &mut self,
        id: RowId,
        outcome: Outcome,
        now: Timestamp,
    ) -> Result<Option<Settled>, StateError> {
        let settled = self.outbox.settle(id, outcome, now);
        match &settled {
            Some(Settled::Over(row, delivery)) => {
                if delivery.verdict == Verdict::Delivered {
                    self.router.told(&row.notification, &row.channel, &row.recipient);
                }
                self.save_outbox(now)?;
            }
            Some(Settled::Again { .. }) if self.save_at.is_none() => {
                self.save_at = Some(self.next_save(now));
            }
            _ => {}
        }
        Ok(settled)
    }

    /// Goes on by another plan. Timers, firing alerts and undelivered notifications stay.
    ///
    /// # Errors
    /// [`StateError`], as for [`Core::handle`].
    pub fn reload(&mut self, plan: Plan, now: Timestamp) -> Result<(), StateError> {
        self.router.reload(plan.routes);
        self.outbox.configure(plan.limits, &plan.quotas);
        self.engine.reload(plan.rules, now, &mut self.transitions);
        self.save(now)
    }

    /// Writes everything now.
    ///
    /// # Errors
    /// [`StateError`], as for [`Core::handle`].
    pub fn save(&mut self, now: Timestamp) -> Result<(), StateError> {
        // What the engine has said belongs to what it knows: both are written, or neither.
        self.route(now);
        let snapshot = self.engine.snapshot();
        self.write(Some(&snapshot), now)
    }

    /// True while the last write has failed. Then records are to be left where they are.
    #[must_use]
    pub fn is_stuck(&self) -> bool {
        self.retry_at.is_some()
    }

    /// Where the source goes on after a restart; committed to it only when [`Core::is_stuck`] is false and nothing
    /// is unsaved.
    #[must_use]
    pub fn positions(&self) -> &[Position] {
        &self.positions
    }

    /// True when the positions are on disk.
    #[must_use]
    pub fn is_saved(&self) -> bool {
        !self.has_engine_changed && !self.is_stuck()
    }

    /// What happened since the last call; all of it is on disk.
    pub fn observed(&mut self) -> Vec<Observed> {
        if self.is_stuck() { Vec::new() } else { std::mem::take(&mut self.observed) }
    }

    /// The rule engine.
    #[must_use]
    pub fn engine(&self) -> &Engine {
        &self.engine
    }

    /// Alerts that are firing, and whom they are told to.
    #[must_use]
    pub fn router(&self) -> &Router {
        &self.router
    }

    /// Notifications on their way, and the last that are over.
    #[must_use]
    pub fn outbox(&self) -> &Outbox {
        &self.outbox
    }

    /// The state file.
    #[must_use]
    pub fn path(&self) -> &Path {
        self.store.path()
    }

    /// Turns transitions and repetitions into rows; true when there were any.
    fn route(&mut self, now: Timestamp) -> bool {
        let mut rows = Vec::new();
        let has_transitions = !self.transitions.is_empty();
        for transition in self.transitions.drain(..) {
            self.router.handle(&transition, now, &mut rows);
            self.observed.push(Observed::Transition(transition));
        }
        // Rows of one batch see each other: a repetition must not overtake the firing that was just queued.
        for row in rows.drain(..) {
            self.outbox.queue(row, now);
        }
        let outbox = &self.outbox;
        let is_waiting = |channel: &str, recipient: &str, alert| outbox.is_waiting(channel, recipient, alert);
        let has_repeated = self.router.tick(now, is_waiting, &mut rows);
        for row in rows {
            self.outbox.queue(row, now);
        }
        has_transitions || has_repeated
    }

    fn next_save(&self, now: Timestamp) -> Timestamp {
        let pause = Duration::from_secs_f64(self.snapshot_bytes as f64 / SNAPSHOT_BYTES_PER_SECOND);
        now.plus(self.save_every.max(pause))
    }

    /// Writes what does not depend on the engine. While the engine's own state is ahead of the disk that is fine:
    /// it has decided nothing since, or it would have been written.
    fn save_outbox(&mut self, now: Timestamp) -> Result<(), StateError> {
        if self.is_stuck() { Ok(()) } else { self.write(None, now) }
    }

    fn write(&mut self, engine: Option<&rules::Snapshot>, now: Timestamp) -> Result<(), StateError> {
        let change = Change {
            engine: engine.map(|snapshot| (snapshot, self.positions.as_slice())),
            episodes: self.router.changes().collect(),
            rows: self.outbox.changes().collect(),
            history: self.outbox.history().unsaved().collect(),
            history_first: self.outbox.history().first(),
        };
        match self.store.write(&change) {
            Ok(bytes) if engine.is_some() => self.snapshot_bytes = bytes,
            Ok(_) => {}
            Err(error) => {
                self.retry_at = Some(now.plus(RETRY_AFTER));
                // Records are left unread from now on: what is not seen is not silence.
                self.engine.handle(Input::CaughtUp(false), now, &mut self.transitions);
                return Err(error);
            }
        }
        let ended = self.outbox.history().unsaved().map(|(_, delivery)| Observed::Delivery(delivery.clone()));
        self.observed.extend(ended);
        self.router.mark_saved();
        self.outbox.mark_saved();
        if engine.is_some() {
            self.has_engine_changed = false;
            self.save_at = None;
            self.retry_at = None;
        }
        Ok(())
    }
}

fn is_due(at: Option<Timestamp>, now: Timestamp) -> bool {
    at.is_some_and(|at| at <= now)
}

/// Follows the source, wherever it goes: an older offset means that the source began anew.
fn advance(positions: &mut Vec<Position>, record: &Record) {
    let next = record.offset.saturating_add(1);
    let mut known = positions.iter_mut().rev();
    match known.find(|position| position.partition == record.partition && *position.topic == *record.topic) {
        Some(position) => position.next = next,
        None => {
            if positions.len() >= POSITIONS_MAX {
                positions.remove(0);
            }
            let topic = record.topic.to_string();
            positions.push(Position { topic, partition: record.partition, next });
        }
    }
}

#[cfg(test)]
mod tests;
