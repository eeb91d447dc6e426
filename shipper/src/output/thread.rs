//! The loop that drives an output, on a thread of its own.
//!
//! Enters: parcels. Leaves: fates, in batches. Never: a decision; the output's own file decides.

use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use daemon::source::queue::Queue;
use daemon::{Clock, Readiness};

use tokio::sync::oneshot;

use super::{Output, OutputConfig, OutputError, kafka, queue, stdout};
use crate::batch::Settled;
use crate::channel::{Parcel, Received, Receiver};
use crate::metric::OutputMetrics;
use daemon::dead_letter::DeadLetters;

/// How long one wait lasts while answers are outstanding: what an acknowledgement may lie before it is served.
const SERVE_EVERY: Duration = Duration::from_millis(10);
/// The same while there is no room and no answer comes: the broker is away, and the client's wait is not free.
const STALLED_WAIT_MAX: Duration = Duration::from_millis(200);
/// How long one wait lasts while nothing is outstanding.
const IDLE_WAIT: Duration = Duration::from_secs(1);
/// How long the end of the shipper waits for answers; what has none by then is read again after the next start.
pub const DRAIN_MAX: Duration = Duration::from_secs(10);

/// What every output is given.
pub struct Deps {
    /// Time.
    pub clock: Clock,
    /// Part `output`.
    pub readiness: Readiness,
    /// Counters.
    pub metrics: OutputMetrics,
    /// Where records lie that are refused for good.
    pub dead_letters: DeadLetters,
    /// The process's queue, for `output.queue`.
    pub queue: Option<Queue>,
    /// Takes the fates, in the order in which they became known; must not block.
    pub settled: Box<dyn Fn(Vec<Settled>) + Send>,
}

/// A running output.
#[derive(Debug)]
pub struct Thread {
    handle: JoinHandle<Result<(), OutputError>>,
    /// Closes when the thread ends.
    alive: oneshot::Receiver<()>,
}

impl Thread {
    /// Waits until the output has ended by itself, which only an error makes it do.
    pub async fn ended(&mut self) {
        // The other end is never used but to be dropped.
        let _ = (&mut self.alive).await;
    }

    /// Waits for its end; close the channel before.
    ///
    /// # Errors
    /// What ended the output.
    pub fn join(self) -> Result<(), OutputError> {
        self.handle
            .join()
            .unwrap_or_else(|_| Err(OutputError::Kafka("the output's thread panicked".to_owned())))
    }
}

/// Starts the output that `config` names.
///
/// # Errors
/// [`OutputError`] when its settings are refused.
pub fn start(config: &OutputConfig, deps: Deps, receiver: Receiver) -> Result<Thread, OutputError> {
    let output = match config {
        OutputConfig::Kafka(config) => Output::Kafka(Box::new(kafka::Kafka::new(
            config,
            deps.readiness.clone(),
            deps.metrics.clone(),
            deps.dead_letters,
            deps.clock.now(),
        )?)),
        OutputConfig::Stdout(config) => Output::Stdout(stdout::Stdout::new(config)),
        OutputConfig::Queue(_) => {
            Output::Queue(queue::QueueOutput::new(deps.queue.ok_or(OutputError::NoQueue)?))
        }
    };
    let shell =
        Shell { output, clock: deps.clock, metrics: deps.metrics, home: deps.settled, settled: Vec::new() };
    let (alive_here, alive) = oneshot::channel();
    let handle = std::thread::Builder::new()
        .name("output".to_owned())
        .spawn(move || {
            let _alive = alive_here;
            shell.run(&receiver)
        })
        .map_err(OutputError::Thread)?;
    Ok(Thread { handle, alive })
}

struct Shell {
    output: Output,
    clock: Clock,
    metrics: OutputMetrics,
    home: Box<dyn Fn(Vec<Settled>) + Send>,
    settled: Vec<Settled>,
}

impl Shell {
    fn run(mut self, receiver: &Receiver) -> Result<(), OutputError> {
        loop {
            self.serve(Duration::ZERO)?;
            let wait = if self.output.pending() > 0 { SERVE_EVERY } else { IDLE_WAIT };
            match receiver.receive(wait) {
                Received::Parcel(parcel) => self.deliver(parcel, receiver)?,
                Received::Nothing => {}
                Received::Closed => return self.drain(),
            }
        }
    }

    /// Gives the parcel to the output; while there is no room, serves answers and takes nothing else.
    fn deliver(&mut self, parcel: Parcel, receiver: &Receiver) -> Result<(), OutputError> {
        let records = match &parcel {
            Parcel::Batch(batch) => batch.entries.len(),
            Parcel::Broadcast(_) => 1,
        };
        let (mut taken, mut wait) = (0, SERVE_EVERY);
        while taken < records {
            taken = self.output.handle(&parcel, taken, self.clock.now())?;
            if taken < records {
                if receiver.is_closed() {
                    return Ok(());
                }
                let has_answers = self.serve(wait)?;
                wait = if has_answers { SERVE_EVERY } else { (wait * 2).min(STALLED_WAIT_MAX) };
            }
        }
        if let Parcel::Batch(batch) = parcel {
            self.metrics.taken(&batch);
            receiver.give_back(batch);
        }
        Ok(())
    }

    /// True when fates came.
    fn serve(&mut self, wait: Duration) -> Result<bool, OutputError> {
        self.output.tick(self.clock.now(), wait, &mut self.settled)?;
        let has_answers = !self.settled.is_empty();
        if has_answers {
            self.metrics.settled(&self.settled);
            (self.home)(std::mem::take(&mut self.settled));
        }
        self.metrics.pending(self.output.pending());
        Ok(has_answers)
    }

    /// Waits for the last answers.
    fn drain(mut self) -> Result<(), OutputError> {
        let started = Instant::now();
        while self.output.pending() > 0 && started.elapsed() < DRAIN_MAX {
            self.serve(SERVE_EVERY)?;
        }
        if self.output.pending() > 0 {
            tracing::warn!(
                records = self.output.pending(),
                "not acknowledged before the end; files are read again from there after the next start"
            );
        }
        Ok(())
    }
}
