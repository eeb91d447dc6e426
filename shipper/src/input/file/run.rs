//! The thread that drives the file input.
//!
//! Enters: fates, file events, the wish to end. Leaves: batches, totals. Never: a decision; [`FileInput`] decides.
//!
//! One thread, because a file is read in order. It never waits for the output: when the channel has no room it reads
//! nothing, and goes on to scan, so that files that rotate meanwhile are held.

use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::Duration;

use daemon::Clock;
use tokio::sync::oneshot;

use super::metric::FileMetrics;
use super::status::{FileStatus, FileTotals, Query};
use super::watch::Watch;
use super::{BATCH_BYTES, FileInput, Poll};
use crate::batch::{Outbox, Settled};
use crate::channel;
use crate::route::Lanes;

/// Time between two publications of the totals.
const PUBLISH_EVERY: Duration = Duration::from_secs(1);
/// How long one wait lasts under a clock that does not follow the machine's.
const POLL_EVERY: Duration = Duration::from_millis(5);

/// What the thread is given.
#[derive(Debug)]
pub struct RunDeps {
    /// Time.
    pub clock: Clock,
    /// The way to the output.
    pub sender: channel::Sender,
    /// Its lanes.
    pub lanes: Lanes,
    /// Gauges and counters.
    pub metrics: FileMetrics,
}

/// What wakes the thread.
enum Message {
    Settled(Vec<Settled>),
    Look,
    Room,
    Status(Query, oneshot::Sender<FileStatus>),
    StopReading,
    End,
}

/// The running input.
#[derive(Debug)]
pub struct Handle {
    inbox: Inbox,
    thread: JoinHandle<()>,
    /// Closes when the thread ends.
    alive: oneshot::Receiver<()>,
}

/// The ways into the running input; clones share them.
#[derive(Debug, Clone)]
pub struct Inbox {
    messages: Sender<Message>,
    totals: Arc<Mutex<FileTotals>>,
}

impl Inbox {
    /// Gives fates back; does not block.
    pub fn settle(&self, settled: Vec<Settled>) {
        // After the end nobody needs them: what is not committed is read again.
        let _ = self.messages.send(Message::Settled(settled));
    }

    /// The sums, at most [`PUBLISH_EVERY`] old.
    #[must_use]
    pub fn totals(&self) -> FileTotals {
        self.totals.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// The streams that `query` asks for, as they are at the thread's next turn. `None` after the end.
    pub async fn look(&self, query: Query) -> Option<FileStatus> {
        let (reply, answer) = oneshot::channel();
        self.messages.send(Message::Status(query, reply)).ok()?;
        answer.await.ok()
    }

    /// Every stream as it is now; waits for the thread's next turn, outside of any runtime. `None` after the end.
    #[must_use]
    pub fn status(&self) -> Option<FileStatus> {
        let (reply, answer) = oneshot::channel();
        self.messages.send(Message::Status(Query::default(), reply)).ok()?;
        answer.blocking_recv().ok()
    }
}

impl Handle {
    /// The ways in, for the output and the status.
    #[must_use]
    pub fn inbox(&self) -> &Inbox {
        &self.inbox
    }

    /// Waits until the thread has ended by itself, which only a panic makes it do.
    pub async fn ended(&mut self) {
        // The other end is never used but to be dropped.
        let _ = (&mut self.alive).await;
    }

    /// Reads nothing more. What is in flight may still be settled until [`Handle::join`].
    pub fn stop_reading(&self) {
        let _ = self.inbox.messages.send(Message::StopReading);
    }

    /// Takes the fates that came so far, commits, and ends. Close the output before, so that they have come.
    pub fn join(self) {
        let _ = self.inbox.messages.send(Message::End);
        if self.thread.join().is_err() {
            tracing::error!("the reader's thread panicked; records after the last commit are sent again");
        }
    }
}

/// Starts the thread.
///
/// # Errors
/// When the system has no thread to give.
pub fn spawn(input: FileInput, deps: RunDeps) -> std::io::Result<Handle> {
    let (messages, inbox) = channel();
    let totals = Arc::new(Mutex::new(input.totals()));
    let wake = messages.clone();
    let watch = Watch::new(move || drop(wake.send(Message::Look)));
    let wake = messages.clone();
    deps.sender.wake_by(move || drop(wake.send(Message::Room)));
    let shell = Shell {
        // What the start itself found lost counts.
        published: input.resumed.clone(),
        next_publish: deps.clock.now(),
        input,
        clock: deps.clock,
        sender: deps.sender,
        out: Outbox::new(&deps.lanes),
        metrics: deps.metrics,
        totals: Arc::clone(&totals),
        watch,
        is_reading: true,
    };
    let (alive_here, alive) = oneshot::channel();
    let thread = std::thread::Builder::new().name("files".to_owned()).spawn(move || {
        let _alive = alive_here;
        shell.run(&inbox);
    })?;
    Ok(Handle { inbox: Inbox { messages, totals }, thread, alive })
}

struct Shell {
    input: FileInput,
    clock: Clock,
    sender: channel::Sender,
    out: Outbox,
    metrics: FileMetrics,
    totals: Arc<Mutex<FileTotals>>,
    published: FileTotals,
    next_publish: event::Timestamp,
    watch: Watch,
    is_reading: bool,
}

impl Shell {
    fn run(mut self, inbox: &Receiver<Message>) {
        loop {
            let wait = self.read();
            let (folders, changed) = self.input.folders();
            self.watch.follow(folders, changed);
            self.publish();
            let mut next = match inbox.recv_timeout(wait) {
                Ok(message) => Some(message),
                Err(RecvTimeoutError::Timeout) => None,
                Err(RecvTimeoutError::Disconnected) => return self.end(),
            };
            while let Some(message) = next {
                if self.handle(message).is_break() {
                    return self.end();
                }
                next = inbox.try_recv().ok();
            }
        }
    }

    /// Reads until a batch is full, and sends what was read; gives how long to wait before the next turn.
    fn read(&mut self) -> Duration {
        let now = self.clock.now();
        if !self.is_reading {
            self.input.tick(now);
            return self.wait();
        }
        self.out.closed = self.sender.without_room(BATCH_BYTES);
        let poll = self.input.poll(now, &mut self.out);
        for batch in self.out.batches().filter(|batch| !batch.is_empty()) {
            let empty = self.sender.buffer(batch.lane);
            self.is_reading &= self.sender.send(std::mem::replace(batch, empty)).is_ok();
        }
        match poll {
            Poll::More => Duration::ZERO,
            Poll::Idle | Poll::Blocked => self.wait(),
        }
    }

    /// Until the input, or the publication of its totals, wants a turn.
    fn wait(&self) -> Duration {
        let now = self.clock.now();
        let until = self.input.deadline().unwrap_or(self.next_publish).min(self.next_publish);
        let wait = self.clock.real(until.since(now)).min(PUBLISH_EVERY);
        if matches!(self.clock, Clock::Manual(_)) { wait.min(POLL_EVERY) } else { wait }
    }

    fn handle(&mut self, message: Message) -> std::ops::ControlFlow<()> {
        let now = self.clock.now();
        match message {
            Message::Settled(settled) => self.input.settle(&settled, now),
            Message::Look => {
                let hints = self.watch.take();
                self.input.hint(hints.paths, now);
                if hints.is_all {
                    self.input.hint_all(now);
                }
            }
            // The next turn asks which lanes have room.
            Message::Room => {}
            // Whoever asked may have gone.
            Message::Status(query, reply) => drop(reply.send(self.input.look_at(&query))),
            Message::StopReading => self.is_reading = false,
            Message::End => return std::ops::ControlFlow::Break(()),
        }
        std::ops::ControlFlow::Continue(())
    }

    fn publish(&mut self) {
        let now = self.clock.now();
        if now < self.next_publish && self.next_publish.since(now) <= PUBLISH_EVERY {
            return;
        }
        self.next_publish = now.plus(PUBLISH_EVERY);
        let totals = self.input.totals();
        self.metrics.publish(&self.published, &totals);
        self.published = totals.clone();
        *self.totals.lock().unwrap_or_else(PoisonError::into_inner) = totals;
    }

    fn end(mut self) {
        // A failure is told by the readiness part; what is not committed is sent again.
        let _ = self.input.checkpoint(self.clock.now());
        self.next_publish = event::Timestamp::MIN;
        self.publish();
    }
}
