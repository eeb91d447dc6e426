//! The thread that drives the file input.
//!
//! Enters: fates, file events, the wish to end. Leaves: batches, totals. Never: a decision; [`FileInput`] decides.
//!
//! One thread, because a file is read in order. It never waits for the output: when the channel has no room it reads
//! nothing, and goes on to scan, so that files that rotate meanwhile are held.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use daemon::Clock;
use tokio::sync::oneshot;

use super::metric::FileMetrics;
use super::status::{FileStatus, FileTotals, Query, StreamStatus};
use super::watch::Watch;
use super::{BATCH_BYTES, FileInput, Poll};
use crate::batch::{Outbox, Settled};
use crate::channel;
use crate::registry::Anchors;
use crate::route::Lanes;

/// Time between two publications of the totals.
const PUBLISH_EVERY: Duration = Duration::from_secs(1);
/// Time between two looks at file events. The first after a pause is looked at once. Under a steady stream of lines each
/// look finds several, and wakes every stage behind it once instead of once for each line: waking is what costs.
const LOOK_EVERY: Duration = Duration::from_millis(5);
/// The same after a look that found more than [`LOOK_FILES`] files: a line here and there, in many of them.
const LOOK_EVERY_MANY: Duration = Duration::from_millis(20);
/// Files that make no crowd.
const LOOK_FILES: usize = 8;
/// Fates that wait for the reader's next turn, which is never far, before it is woken for them.
const FATES_MAX: usize = 1024;
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
    Settled,
    Begin(Anchors, oneshot::Sender<()>),
    Reached(Anchors),
    Look,
    Room,
    Status(Query, oneshot::Sender<FileStatus>),
    Untold(usize, oneshot::Sender<Vec<StreamStatus>>),
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
    fates: Arc<Fates>,
    totals: Arc<Mutex<FileTotals>>,
}

/// Fates on their way to the reader.
#[derive(Debug, Default)]
struct Fates {
    waiting: Mutex<Vec<Settled>>,
    /// The reader can do nothing before some come.
    is_wanted: AtomicBool,
}

impl Fates {
    fn lock(&self) -> MutexGuard<'_, Vec<Settled>> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Inbox {
    /// Gives fates back; does not block. The reader sees them before any message that is sent later.
    pub fn settle(&self, mut settled: Vec<Settled>) {
        let mut waiting = self.fates.lock();
        let before = waiting.len();
        waiting.append(&mut settled);
        let is_many = before < FATES_MAX && waiting.len() >= FATES_MAX;
        drop(waiting);
        if self.fates.is_wanted.swap(false, Ordering::AcqRel) || is_many {
            // After the end nobody needs them: what is not committed is read again.
            let _ = self.messages.send(Message::Settled);
        }
    }

    /// Tells from where on records will lie on the broker, and waits until the registry has it. Not for an asynchronous caller.
    pub fn begin(&self, anchors: Anchors) {
        let (reply, answer) = oneshot::channel();
        if self.messages.send(Message::Begin(anchors, reply)).is_ok() {
            // A thread that has ended hands out nothing more.
            let _ = answer.blocking_recv();
        }
    }

    /// Tells how far the broker has acknowledged; after the fates of what lies before.
    pub fn reach(&self, reached: Anchors) {
        let _ = self.messages.send(Message::Reached(reached));
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

    /// At most `count` streams whose ledger has moved since this was asked last. `None` after the end.
    pub async fn untold(&self, count: usize) -> Option<Vec<StreamStatus>> {
        let (reply, answer) = oneshot::channel();
        self.messages.send(Message::Untold(count, reply)).ok()?;
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
    let fates = Arc::new(Fates::default());
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
        fates: Arc::clone(&fates),
        watch,
        next_look: Instant::now(),
        has_hints: false,
        is_reading: true,
    };
    let (alive_here, alive) = oneshot::channel();
    let thread = std::thread::Builder::new().name("files".to_owned()).spawn(move || {
        let _alive = alive_here;
        shell.run(&inbox);
    })?;
    Ok(Handle { inbox: Inbox { messages, fates, totals }, thread, alive })
}

struct Shell {
    input: FileInput,
    clock: Clock,
    sender: channel::Sender,
    out: Outbox,
    metrics: FileMetrics,
    totals: Arc<Mutex<FileTotals>>,
    fates: Arc<Fates>,
    published: FileTotals,
    next_publish: event::Timestamp,
    watch: Watch,
    /// When file events are looked at again.
    next_look: Instant,
    has_hints: bool,
    is_reading: bool,
}

impl Shell {
    fn run(mut self, inbox: &Receiver<Message>) {
        loop {
            self.take_fates();
            self.look();
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
        self.send();
        match poll {
            Poll::More => Duration::ZERO,
            Poll::Idle => self.wait(),
            Poll::Blocked => {
                self.fates.is_wanted.store(true, Ordering::Release);
                // Those that came before it was known that they are wanted woke nobody.
                if self.fates.lock().is_empty() { self.wait() } else { Duration::ZERO }
            }
        }
    }

    fn take_fates(&mut self) {
        let settled = std::mem::take(&mut *self.fates.lock());
        if !settled.is_empty() {
            self.input.settle(&settled, self.clock.now());
        }
    }

    /// Takes the file events, unless it has just done so.
    fn look(&mut self) {
        if !self.has_hints || Instant::now() < self.next_look {
            return;
        }
        self.has_hints = false;
        let (hints, now) = (self.watch.take(), self.clock.now());
        let is_crowd = hints.names.len() + hints.written.len() > LOOK_FILES;
        self.next_look = Instant::now() + if is_crowd { LOOK_EVERY_MANY } else { LOOK_EVERY };
        self.input.hint_made(hints.made, hints.is_cut, now);
        self.input.hint(hints.names, now);
        self.input.hint_written(hints.written, now);
        if hints.is_all {
            self.input.hint_all(now);
        }
    }

    fn send(&mut self) {
        if self.out.batches().any(|batch| !batch.is_empty()) {
            self.input.hand_out(self.clock.now());
        }
        for batch in self.out.batches().filter(|batch| !batch.is_empty()) {
            let empty = self.sender.buffer(batch.lane);
            self.is_reading &= self.sender.send(std::mem::replace(batch, empty)).is_ok();
        }
    }

    /// Until the input, or the publication of its totals, wants a turn.
    fn wait(&self) -> Duration {
        let now = self.clock.now();
        let until = self.input.deadline().unwrap_or(self.next_publish).min(self.next_publish);
        let mut wait = self.clock.real(until.since(now)).min(PUBLISH_EVERY);
        if self.has_hints {
            wait = wait.min(self.next_look.saturating_duration_since(Instant::now()));
        }
        if matches!(self.clock, Clock::Manual(_)) { wait.min(POLL_EVERY) } else { wait }
    }

    fn handle(&mut self, message: Message) -> std::ops::ControlFlow<()> {
        // What was settled before the message was sent.
        self.take_fates();
        match message {
            Message::Begin(anchors, reply) => {
                self.input.anchor(anchors, self.clock.now());
                // Whoever asked may have gone.
                let _ = reply.send(());
            }
            Message::Reached(reached) => self.input.reach(reached, self.clock.now()),
            Message::Look => self.has_hints = true,
            // The next turn sees what has changed.
            Message::Settled | Message::Room => {}
            // Whoever asked may have gone.
            Message::Status(query, reply) => drop(reply.send(self.input.look_at(&query))),
            Message::StopReading => {
                self.input.end_windows(self.clock.now(), &mut self.out);
                self.send();
                self.is_reading = false;
            }
            Message::Untold(count, reply) => drop(reply.send(self.input.untold(count))),
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
        self.take_fates();
        let _ = self.input.finish(self.clock.now());
        self.next_publish = event::Timestamp::MIN;
        self.publish();
    }
}
