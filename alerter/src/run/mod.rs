//! The shell around [`Core`]: it waits for whatever comes first and hands it over.
//!
//! Enters: a source, a clock, answers of channels, new configurations. Leaves: sends, metrics, readiness.
//! Never: a decision; those are the core's.

use std::collections::BTreeMap;
use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::time::Duration;

use daemon::metric::Metrics;
use daemon::{Batch, Clock, Readiness, Shutdown, Source};
use futures::FutureExt;
use tokio::sync::{mpsc, watch};
use tokio::task::JoinSet;

use crate::api::Board;
use crate::core::{Core, Observed};
use crate::metric::Counts;
use crate::outbox::{Send, Settled, Verdict};
use crate::setup::{Setup, SetupError};
use crate::state::StateError;
use crate::{Channel, Outcome};

mod pump;

/// Batches between the source and the core.
const BATCHES_MAX: usize = 2;
/// A channel limits its own waiting; this is for one that does not.
const SEND_MAX: Duration = Duration::from_secs(120);
/// How long a stop waits for vendors that have not answered yet. What they do not answer is sent again after the start.
const DRAIN_MAX: Duration = Duration::from_secs(5);
/// The shortest sleep, so that a deadline which does not move cannot keep the processor busy.
const SLEEP_MIN: Duration = Duration::from_millis(10);

/// How often gauges are set and the board is renewed.
const LOOK_EVERY: Duration = Duration::from_secs(1);

/// What the alerter needs from the outside.
#[derive(Debug)]
pub struct Deps<S> {
    /// The time.
    pub clock: Clock,
    /// The records.
    pub source: S,
    /// Where it says what works: the parts `source`, `state`, `config` and `channel:NAME`.
    pub readiness: Readiness,
    /// Where it counts.
    pub metrics: Metrics,
    /// Where it shows its alerts.
    pub board: Board,
    /// Who watches transitions and deliveries; a watcher that is too slow misses some, and the alerter does not wait.
    pub observer: Option<mpsc::Sender<Observed>>,
    /// Configurations that were read again; a refused one is logged and the old one stays.
    pub reloads: mpsc::Receiver<Result<Setup, SetupError>>,
}

/// Why the alerter cannot go on.
#[derive(Debug, thiserror::Error)]
pub enum RunError {
    /// The state cannot be read at the start, or written at the end.
    #[error(transparent)]
    State(#[from] StateError),
    /// The source cannot work with this configuration.
    #[error("source: {0}")]
    Source(String),
}

/// Runs until `shutdown`. The source is read on from where the state says; at the end the state is saved.
///
/// # Errors
/// [`RunError`]. A broker, a channel or a disk that is away for a while is none: readiness says so.
pub async fn run<S: Source + 'static>(
    setup: Setup,
    deps: Deps<S>,
    shutdown: Shutdown,
) -> Result<(), RunError> {
    let Deps { clock, mut source, readiness, metrics, board, observer, mut reloads } = deps;
    let core = Core::open(&setup.state, setup.plan, setup.save_every)?;
    readiness.up("state");
    source.seek(core.positions());
    let (batches_in, mut batches) = mpsc::channel(BATCHES_MAX);
    let (positions, committed) = watch::channel(core.positions().to_vec());
    let pump = tokio::spawn(pump::pump(source, batches_in, committed, readiness.clone()));
    let mut shell = Shell {
        core,
        channels: setup.channels,
        clock,
        readiness,
        counts: Counts::new(&metrics),
        board,
        observer,
        sends: JoinSet::new(),
        positions,
        look_at: event::Timestamp::MIN,
    };
    let ended = loop {
        shell.turn();
        let deadline = shell.deadline();
        tokio::select! {
            biased;
            () = shutdown.cancelled() => break false,
            Some(answer) = shell.sends.join_next() => shell.settle(answer),
            Some(reload) = reloads.recv() => shell.reload(reload),
            batch = batches.recv(), if !shell.core.is_stuck() => match batch {
                Some(batch) => shell.handle(&batch),
                None => break true,
            },
            () = shell.clock.sleep_until_some(deadline) => {}
        }
    };
    drop(batches);
    let saved = shell.drain().await;
    // The pump commits what it is told until nobody can tell it more.
    drop(shell);
    let pumped = pump.await.unwrap_or_else(|_| Err(RunError::Source("its task ended".to_owned())));
    if ended { pumped.and(saved) } else { saved.and(pumped) }
}

struct Shell {
    core: Core,
    channels: BTreeMap<String, Arc<Channel>>,
    clock: Clock,
    readiness: Readiness,
    counts: Counts,
    board: Board,
    observer: Option<mpsc::Sender<Observed>>,
    sends: JoinSet<(Send, Outcome)>,
    positions: watch::Sender<Vec<daemon::Position>>,
    /// When the gauges are set and the board is renewed next.
    look_at: event::Timestamp,
}

impl Shell {
    /// Lets time pass, sends what is due, and tells what happened.
    fn turn(&mut self) {
        let now = self.clock.now();
        let ticked = blocking(|| self.core.tick(now));
        self.written(ticked);
        for send in self.core.due(now) {
            self.send(send);
        }
        if self.core.is_saved() {
            let positions = self.core.positions();
            self.positions.send_if_modified(|before| {
                let has_moved = before != positions;
                if has_moved {
                    *before = positions.to_vec();
                }
                has_moved
            });
        }
        let observed = self.core.observed();
        if !observed.is_empty() || now >= self.look_at {
            self.board.publish(&self.core);
        }
        observed.into_iter().for_each(|observed| self.tell(observed));
        if now >= self.look_at {
            self.counts.look(&self.core, now);
            self.look_at = now.plus(LOOK_EVERY);
        }
    }

    fn deadline(&self) -> Option<event::Timestamp> {
        self.core.deadline().map(|deadline| deadline.max(self.clock.now().plus(SLEEP_MIN)))
    }

    fn handle(&mut self, batch: &Batch) {
        let now = self.clock.now();
        self.counts.batch(batch, now);
        let handled = blocking(|| self.core.handle(&batch.records, batch.is_caught_up, now));
        self.written(handled);
    }

    fn reload(&mut self, reload: Result<Setup, SetupError>) {
        self.counts.reload(reload.is_ok());
        match reload {
            Ok(setup) => {
                tracing::info!(
                    rules = setup.plan.rules.len(),
                    channels = setup.channels.len(),
                    "configuration reloaded"
                );
                self.readiness.up("config");
                for gone in self.channels.keys().filter(|name| !setup.channels.contains_key(*name)) {
                    self.readiness.up(&format!("channel:{gone}"));
                }
                self.channels = setup.channels;
                let now = self.clock.now();
                let reloaded = blocking(|| self.core.reload(setup.plan, now));
                self.written(reloaded);
            }
            Err(error) => {
                self.readiness.down("config", format!("{error}; the configuration before it stays"));
            }
        }
    }

    fn send(&mut self, send: Send) {
        let Some(channel) = self.channels.get(&send.channel).cloned() else {
            let reason = "the channel is not in the configuration any more".to_owned();
            self.answer(&send, Outcome::Permanent { reason });
            return;
        };
        let now = self.clock.now();
        self.sends.spawn(async move {
            let attempt = channel.send(&send.notification, &send.recipient, send.options, now);
            let attempt = tokio::time::timeout(SEND_MAX, AssertUnwindSafe(attempt).catch_unwind());
            let reason = match attempt.await {
                Ok(Ok(outcome)) => return (send, outcome),
                Ok(Err(_)) => "the channel failed; its log has the place".to_owned(),
                Err(_) => format!("no answer within {} s", SEND_MAX.as_secs()),
            };
            (send, Outcome::RetryAfter { delay: None, reason })
        });
    }

    fn settle(&mut self, answer: Result<(Send, Outcome), tokio::task::JoinError>) {
        match answer {
            Ok((send, outcome)) => self.answer(&send, outcome),
            // Panics are caught inside; a task is cancelled only with the runtime.
            Err(error) => tracing::error!(%error, "send ended without an answer"),
        }
    }

    fn answer(&mut self, send: &Send, outcome: Outcome) {
        self.counts.attempt(&send.channel, outcome.as_str());
        let now = self.clock.now();
        let part = format!("channel:{}", send.channel);
        let settled = blocking(|| self.core.settle(send.id, outcome, now));
        match settled {
            // What is told of a channel that is gone fails, and that is logged; nobody waits for it to come back.
            Ok(_) if !self.channels.contains_key(&send.channel) => {}
            Ok(Some(Settled::Over(_, delivery))) if delivery.verdict == Verdict::Delivered => {
                self.readiness.up(&part);
            }
            Ok(Some(Settled::Over(_, delivery))) if delivery.verdict.is_failure() => {
                self.readiness.down(&part, delivery.detail);
            }
            Ok(Some(Settled::Again { is_unreachable: true, reason, .. })) => {
                self.readiness.down(&part, reason);
            }
            Ok(_) => {}
            Err(error) => self.written(Err(error)),
        }
    }

    fn written(&mut self, result: Result<(), StateError>) {
        match result {
            Ok(()) if self.core.is_stuck() => {}
            Ok(()) => self.readiness.up("state"),
            Err(error) => {
                self.counts.state_failed();
                self.readiness.down("state", error.to_string());
            }
        }
    }

    fn tell(&self, observed: Observed) {
        match &observed {
            Observed::Transition(transition) => {
                self.counts.transition(transition);
                tracing::info!(rule = transition.rule, group = ?transition.group, from = %transition.from,
                    to = %transition.to, reason = %transition.reason, detail = transition.detail, "alert");
            }
            Observed::Delivery(delivery) => {
                self.counts.delivery(delivery);
                if delivery.verdict.is_failure() {
                    tracing::error!(channel = delivery.channel, recipient = delivery.recipient,
                        rule = delivery.rule, group = ?delivery.group, notification = delivery.notification,
                        verdict = delivery.verdict.as_str(), reason = delivery.detail, "notification failed");
                } else {
                    tracing::info!(
                        channel = delivery.channel,
                        recipient = delivery.recipient,
                        rule = delivery.rule,
                        notification = delivery.notification,
                        verdict = delivery.verdict.as_str(),
                        attempts = delivery.attempts,
                        "notification"
                    );
                }
            }
        }
        if let Some(observer) = &self.observer
            && observer.try_send(observed).is_err()
        {
            self.counts.unobserved();
        }
    }

    /// Waits a little for answers that are on their way, then saves.
    async fn drain(&mut self) -> Result<(), RunError> {
        let answers = async {
            while let Some(answer) = self.sends.join_next().await {
                self.settle(answer);
            }
        };
        if tokio::time::timeout(DRAIN_MAX, answers).await.is_err() {
            tracing::warn!(
                sends = self.sends.len(),
                "vendors have not answered, these are sent again after the start"
            );
        }
        let now = self.clock.now();
        blocking(|| self.core.save(now))?;
        self.positions.send_replace(self.core.positions().to_vec());
        Ok(())
    }
}

/// Runs what waits for the disk without holding up other tasks, where the runtime has threads for that.
fn blocking<T>(work: impl FnOnce() -> T) -> T {
    match tokio::runtime::Handle::current().runtime_flavor() {
        tokio::runtime::RuntimeFlavor::MultiThread => tokio::task::block_in_place(work),
        _ => work(),
    }
}

#[cfg(test)]
mod tests;
