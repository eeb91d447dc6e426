//! The loop that drives an output, on a thread of its own.
//!
//! Enters: parcels. Leaves: fates, in batches. Never: a decision; the output's own file decides what becomes of a parcel,
//! and [`Turns`] whose parcel is next. Never: a wait for one lane while another one has something and room.

use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use daemon::source::queue::Queue;
use daemon::{Clock, Readiness};

use tokio::sync::oneshot;

use super::pace::Paces;
use super::{Memory, Output, OutputConfig, OutputError, kafka, queue, stdout};
use crate::batch::Settled;
use crate::channel::{Parcel, Receiver};
use crate::metric::OutputMetrics;
use crate::route::{Holds, LANES_MAX, LaneId, LaneSet, Lanes, Turns};
use daemon::dead_letter::DeadLetters;

/// How long one wait lasts while answers are outstanding: what an acknowledgement may lie before it is served.
const SERVE_EVERY: Duration = Duration::from_millis(10);
/// The same while no answer comes: the broker is away, or slow.
const STALLED_WAIT_MAX: Duration = Duration::from_millis(200);
/// How long one wait lasts while records wait for an answer.
const HOLD_STEP: Duration = Duration::from_millis(1);
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
    /// The ways that parcels come.
    pub lanes: Lanes,
    /// What is remembered over a kill; `None` when no file is read.
    pub memory: Option<Memory>,
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
            &deps.lanes,
            &deps.readiness,
            &deps.metrics,
            deps.dead_letters,
            deps.memory,
            deps.clock.now(),
        )?)),
        OutputConfig::Stdout(config) => Output::Stdout(stdout::Stdout::new(config)),
        OutputConfig::Queue(_) => {
            Output::Queue(queue::QueueOutput::new(deps.queue.ok_or(OutputError::NoQueue)?))
        }
    };
    let shell = Shell {
        output,
        clock: deps.clock,
        metrics: deps.metrics,
        home: deps.settled,
        settled: Vec::new(),
        turns: Turns::new(deps.lanes.urgent()),
        paces: Paces::default(),
        holds: Holds::new(deps.lanes.iter().map(|(_, lane)| config.hold(lane.pace))),
        unripe: LaneSet::NONE,
        hands: Default::default(),
        full: LaneSet::NONE,
    };
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
    turns: Turns,
    paces: Paces,
    holds: Holds,
    /// Lanes whose parcels wait for others.
    unripe: LaneSet,
    /// For each lane the parcel that had no room as a whole, and its first record that had none.
    hands: [Option<(Parcel, usize)>; LANES_MAX],
    /// Lanes that have one.
    full: LaneSet,
}

impl Shell {
    fn run(mut self, receiver: &Receiver) -> Result<(), OutputError> {
        let (mut wait, mut waiting, mut pressing) = (SERVE_EVERY, LaneSet::NONE, LaneSet::NONE);
        loop {
            let has_answers = self.serve()?;
            // Something that goes at once ends every wait.
            let held = self.holding(waiting.without(self.unripe).without(pressing), receiver);
            let has_given = self.deliver(waiting, pressing, held, receiver)?;
            wait = if has_answers || has_given { SERVE_EVERY } else { (wait * 2).min(STALLED_WAIT_MAX) };
            let limit = if held.is_empty() { self.limit(wait) } else { self.limit(wait).min(HOLD_STEP) };
            let closed = self.full.or(self.turns.held()).or(held);
            (waiting, pressing) = receiver.wait(closed, self.unripe, limit);
            if !receiver.is_closed() {
                continue;
            }
            pressing = LaneSet::ALL;
            if waiting.without(self.full).is_empty() {
                // Nothing overtakes what had no room: a consumer would take it for a repetition after the next start.
                return self.drain();
            }
            if !has_given {
                // A closed channel is no wait any more.
                std::thread::sleep(SERVE_EVERY);
            }
        }
    }

    /// Those of the `waiting` lanes on which records had better wait on for an answer of the broker.
    fn holding(&self, waiting: LaneSet, receiver: &Receiver) -> LaneSet {
        let open = waiting.without(self.full);
        if open.is_empty() || receiver.is_closed() {
            return LaneSet::NONE;
        }
        let load = |lane| Some((self.output.paced(lane)?, receiver.waiting_bytes(lane)));
        self.paces.holding(open, load, Instant::now())
    }

    /// How long the next wait may last.
    fn limit(&self, wait: Duration) -> Duration {
        let now = self.clock.now();
        let dues = [self.output.deadline(), self.turns.deadline(), self.holds.deadline(now)];
        let due = dues.into_iter().flatten().min();
        let due = due.map_or(IDLE_WAIT, |due| self.clock.real(due.since(now)));
        let has_work = self.output.pending() > 0 || !self.full.is_empty();
        if has_work { wait.min(due) } else { IDLE_WAIT.min(due) }
    }

    /// Gives parcels to the output while there is room for any, but for those of lanes that are `held`; true when
    /// something was given.
    fn deliver(
        &mut self,
        waiting: LaneSet,
        pressing: LaneSet,
        held: LaneSet,
        receiver: &Receiver,
    ) -> Result<bool, OutputError> {
        let waiting = waiting.or(self.full);
        let mut ripe = self.holds.tick(waiting, pressing.or(self.full), self.clock.now());
        self.unripe = waiting.without(ripe);
        ripe = ripe.without(held);
        let (mut stuck, mut has_given) = (LaneSet::NONE, false);
        while let Some(lane) = self.turns.tick(ripe, stuck, self.clock.now()) {
            let hand = self.hands.get_mut(lane.index()).and_then(Option::take);
            let Some((parcel, from)) = hand.or_else(|| Some((receiver.take(lane)?, 0))) else {
                ripe.remove(lane);
                continue;
            };
            let taken = self.give(lane, parcel, from, receiver)?;
            has_given |= taken > 0;
            if self.full.has(lane) {
                stuck.insert(lane);
            }
            self.serve()?;
        }
        Ok(has_given)
    }

    /// Gives a parcel's records from number `from` on to the output, and keeps in hand what has no room; gives how many
    /// were taken.
    fn give(
        &mut self,
        lane: LaneId,
        parcel: Parcel,
        from: usize,
        receiver: &Receiver,
    ) -> Result<usize, OutputError> {
        let records = match &parcel {
            Parcel::Batch(batch) => batch.entries.len(),
            Parcel::Broadcast(..) => 1,
        };
        let taken = self.output.handle(&parcel, from, self.clock.now())?;
        if taken > from {
            self.paces.gave(lane, taken - from, Instant::now());
            self.turns.handle(lane, self.clock.now());
        }
        if taken < records {
            self.full.insert(lane);
            if let Some(hand) = self.hands.get_mut(lane.index()) {
                *hand = Some((parcel, taken));
            }
        } else {
            self.full.remove(lane);
            if let Parcel::Batch(batch) = parcel {
                self.metrics.taken(&batch);
                receiver.give_back(batch);
            }
        }
        Ok(taken - from)
    }

    /// True when fates came.
    fn serve(&mut self) -> Result<bool, OutputError> {
        self.output.tick(self.clock.now(), &mut self.settled)?;
        let has_answers = !self.settled.is_empty();
        if has_answers {
            self.metrics.settled(&self.settled);
            (self.home)(std::mem::take(&mut self.settled));
        }
        self.paces.answered(|lane| self.output.paced(lane), Instant::now());
        self.metrics.pending(self.output.pending());
        Ok(has_answers)
    }

    /// Waits for the last answers.
    fn drain(mut self) -> Result<(), OutputError> {
        let started = Instant::now();
        while self.output.pending() > 0 && started.elapsed() < DRAIN_MAX {
            self.serve()?;
            std::thread::sleep(SERVE_EVERY);
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

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;
    use std::sync::{Arc, Mutex};

    use daemon::Source;
    use daemon::metric::Metrics;
    use daemon::source::Position;

    use super::*;
    use crate::batch::{Batch, Entry, Ticket};
    use crate::channel::channel;
    use crate::metric::ShipperMetrics;

    /// Two records of one stream, with the numbers `first` and the one behind it.
    fn pair(first: u64) -> Batch {
        let mut batch = Batch::default();
        for number in [first, first + 1] {
            let start = u32::try_from(batch.bytes.len()).unwrap();
            batch.bytes.extend_from_slice(number.to_string().as_bytes());
            batch.entries.push(Entry {
                stream: event::StreamId::from_u128(1),
                ticket: Some(Ticket::new(0, number)),
                start,
                end: u32::try_from(batch.bytes.len()).unwrap(),
                timestamp_ms: 0,
            });
        }
        batch
    }

    /// A consumer keeps the highest offset of a stream: what was left out would be taken for a repetition later.
    #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
    async fn at_the_end_nothing_overtakes_a_record_that_found_no_room() {
        // One record fills the queue.
        let queue = Queue::new(1);
        let mut reader = queue.subscribe();
        let (sender, receiver) = channel(&Lanes::single());
        for first in (0..100_000).step_by(2) {
            sender.send(pair(first)).unwrap();
        }
        sender.close();
        let settled = Arc::new(Mutex::new(Vec::new()));
        let home = Arc::clone(&settled);
        let folder = tempfile::tempdir().unwrap();
        let deps = Deps {
            clock: Clock::System,
            readiness: Readiness::default(),
            metrics: ShipperMetrics::new(&Metrics::new()).output,
            dead_letters: DeadLetters::new(folder.path()),
            queue: Some(queue.clone()),
            lanes: Lanes::single(),
            memory: None,
            settled: Box::new(move |fates| home.lock().unwrap().extend(fates)),
        };
        let config = OutputConfig::Queue(queue::QueueConfig::default());
        let mut thread = start(&config, deps, receiver).unwrap();
        let mut got: Vec<u64> = Vec::new();
        loop {
            let batch = reader.next(Duration::from_millis(1)).await.unwrap();
            let is_over = batch.records.is_empty()
                && tokio::time::timeout(Duration::from_millis(1), thread.ended()).await.is_ok();
            for record in batch.records {
                got.push(std::str::from_utf8(&record.payload).unwrap().parse().unwrap());
                let (topic, next) = (record.topic.to_string(), record.offset + 1);
                reader.commit(&[Position { topic, partition: record.partition, next }]).await.unwrap();
            }
            if is_over {
                break;
            }
        }
        thread.join().unwrap();
        let gap = got.iter().zip(0..).find(|(number, place)| *number != place);
        assert_eq!(gap, None, "the reader got everything up to where it ended");
        let settled: BTreeSet<u64> =
            settled.lock().unwrap().iter().map(|settled| settled.ticket.sequence()).collect();
        assert_eq!(settled, got.into_iter().collect(), "settled is what the queue's reader has");
    }
}
