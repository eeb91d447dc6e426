//! What to send, when, and what became of it.
//!
//! Enters: documents, answers, the time. Leaves: [`Output`]s, of which one at a time takes a while: the core waits for
//! its result before it asks for the next. Never: a clock, a connection, a file.
//!
//! Documents wait in one queue in the order they came. A request takes the first of them; what is settled leaves the
//! queue, what has to be tried again keeps its place.

use std::time::Duration;

use bytes::Bytes;
use daemon::Position;
use daemon::backoff::{Backoff, fraction};
use event::Timestamp;

use self::queue::Queue;
use crate::bulk::Bounds;
use crate::document::Document;
use crate::fate::{Answer, Fate, Verdict, judge};

mod queue;

/// How often an idle core asks whether Elasticsearch is there, so that `/readyz` tells it before the next document.
const PROBE_EVERY: Duration = Duration::from_secs(10);

/// What the core is made with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Limits {
    /// How large a request becomes.
    pub bounds: Bounds,
    /// How long a document waits for others.
    pub linger: Duration,
    /// The first delay after a failure.
    pub retry_first: Duration,
    /// The longest delay after failures.
    pub retry_max: Duration,
}

/// What happened.
#[derive(Debug)]
pub enum Input {
    /// Records were read.
    Documents(Vec<Document>),
    /// [`Output::Prepare`] or [`Output::Probe`] ended; the problem.
    Checked(Result<(), String>),
    /// [`Output::Send`] ended; the problem when there was no answer.
    Answered(Result<Answer, String>),
    /// [`Output::Bury`] ended; the problem.
    Buried(Result<(), String>),
    /// No further documents will come; what is there goes out at once.
    Drain,
}

/// What to do.
#[derive(Debug, PartialEq, Eq)]
pub enum Output {
    /// See that Elasticsearch is there and has the template, then say [`Input::Checked`].
    Prepare,
    /// See that Elasticsearch is there, then say [`Input::Checked`].
    Probe,
    /// Send this body, then say [`Input::Answered`].
    Send(Bytes),
    /// Write these with their reasons to the dead-letter file, then say [`Input::Buried`].
    Bury(Vec<(Document, String)>),
    /// Everything before these positions is settled.
    Commit(Vec<Position>),
    /// What became of documents.
    Settled(Tally),
    /// A part works.
    Up(Part),
    /// A part does not, and why.
    Down(Part, String),
    /// Requests stay under so many bytes from now on, because Elasticsearch takes no larger ones.
    Shrunk(usize),
}

/// What can be down.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Part {
    /// Elasticsearch.
    Elasticsearch,
    /// The dead-letter file.
    DeadLetters,
}

/// Documents by fate.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Tally {
    /// New in the index.
    pub indexed: u64,
    /// There already.
    pub duplicate: u64,
    /// Refused for good, and safe in the dead-letter file.
    pub dead_lettered: u64,
    /// To be sent again.
    pub retried: u64,
}

/// What the core waits for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Waiting {
    Nothing,
    Check,
    /// An answer for the first so many documents, in so many bytes.
    Answer {
        documents: usize,
        bytes: usize,
    },
    Burial,
}

/// The state machine.
#[derive(Debug)]
pub struct Core {
    limits: Limits,
    pending: Queue,
    /// Refused for good, and not yet in the dead-letter file.
    rejected: Vec<(Document, String)>,
    waiting: Waiting,
    is_prepared: bool,
    /// The last request got nowhere.
    is_refused: bool,
    is_draining: bool,
    /// Documents that the next request takes at most: halved by each that was too much at once, an eighth more after
    /// each that was not, until the bound itself is reached.
    part_max: Option<usize>,
    backoff: Backoff,
    /// Nothing is tried before this.
    retry_at: Option<Timestamp>,
    probe_at: Timestamp,
}

impl Core {
    /// A core without documents, which asks for [`Output::Prepare`] at its first tick.
    #[must_use]
    pub fn new(limits: Limits) -> Self {
        let backoff = Backoff::new(limits.retry_first, limits.retry_max);
        Core {
            limits,
            pending: Queue::default(),
            rejected: Vec::new(),
            waiting: Waiting::Nothing,
            is_prepared: false,
            is_refused: false,
            is_draining: false,
            part_max: None,
            backoff,
            retry_at: None,
            probe_at: Timestamp::MIN,
        }
    }

    /// True while there is room. One batch of the source may come beyond one full request: that is the bound of memory.
    #[must_use]
    pub fn wants_documents(&self) -> bool {
        !self.is_draining && !self.is_full()
    }

    /// True when nothing is left to be done.
    #[must_use]
    pub fn is_drained(&self) -> bool {
        self.pending.is_empty() && self.rejected.is_empty() && self.waiting == Waiting::Nothing
    }

    /// True after a failure, until something works.
    #[must_use]
    pub fn is_failing(&self) -> bool {
        self.backoff.failures() > 0
    }

    /// Documents that are not settled, and their bytes.
    #[must_use]
    pub fn load(&self) -> (usize, usize) {
        (self.pending.len() + self.rejected.len(), self.pending.bytes())
    }

    /// When the oldest record that is not settled was stamped.
    #[must_use]
    pub fn oldest(&self) -> Option<Timestamp> {
        Some(self.pending.front()?.1.timestamp)
    }

    /// Takes what happened.
    pub fn handle(&mut self, input: Input, now: Timestamp, out: &mut Vec<Output>) {
        match input {
            Input::Documents(documents) => {
                documents.into_iter().for_each(|document| self.pending.push(document, now));
            }
            Input::Drain => self.is_draining = true,
            Input::Checked(result) => {
                self.waiting = Waiting::Nothing;
                self.probe_at = now.plus(PROBE_EVERY);
                match result {
                    Ok(()) => {
                        self.is_prepared = true;
                        self.retry_at = None;
                        // A cluster whose health is fine and that takes no document is still down.
                        if !self.is_refused {
                            self.succeed(Part::Elasticsearch, out);
                        }
                    }
                    Err(reason) => self.fail(Part::Elasticsearch, reason, now, out),
                }
            }
            Input::Answered(result) => {
                let waiting = std::mem::replace(&mut self.waiting, Waiting::Nothing);
                self.probe_at = now.plus(PROBE_EVERY);
                if let Waiting::Answer { documents, bytes } = waiting {
                    self.is_refused = true;
                    match result {
                        Ok(answer) => self.follow(judge(&answer, documents), (documents, bytes), now, out),
                        Err(reason) => self.fail(Part::Elasticsearch, reason, now, out),
                    }
                }
            }
            Input::Buried(Ok(())) => {
                self.waiting = Waiting::Nothing;
                let dead_lettered = std::mem::take(&mut self.rejected).len() as u64;
                out.push(Output::Settled(Tally { dead_lettered, ..Tally::default() }));
                self.succeed(Part::DeadLetters, out);
                self.commit(out);
            }
            Input::Buried(Err(reason)) => {
                self.waiting = Waiting::Nothing;
                self.fail(Part::DeadLetters, reason, now, out);
            }
        }
        self.tick(now, out);
    }

    /// Does what is due.
    pub fn tick(&mut self, now: Timestamp, out: &mut Vec<Output>) {
        if self.waiting != Waiting::Nothing || self.retry_at.is_some_and(|at| now < at) {
            return;
        }
        if !self.is_prepared {
            self.waiting = Waiting::Check;
            out.push(Output::Prepare);
        } else if !self.rejected.is_empty() {
            self.waiting = Waiting::Burial;
            out.push(Output::Bury(self.rejected.clone()));
        } else if self.send_at().is_some_and(|at| at <= now) {
            let mut bounds = self.limits.bounds;
            bounds.documents = self.part_max.unwrap_or(bounds.documents);
            let bulk = self.pending.assemble(bounds);
            self.waiting = Waiting::Answer { documents: bulk.documents, bytes: bulk.body.len() };
            out.push(Output::Send(bulk.body));
        } else if self.probe_at <= now {
            self.waiting = Waiting::Check;
            out.push(Output::Probe);
        }
    }

    /// When to call [`Core::tick`]; `None` while something is under way whose end comes through [`Core::handle`].
    #[must_use]
    pub fn deadline(&self) -> Option<Timestamp> {
        if self.waiting != Waiting::Nothing {
            return None;
        }
        let due = if !self.is_prepared || !self.rejected.is_empty() {
            Timestamp::MIN
        } else {
            self.send_at().map_or(self.probe_at, |at| at.min(self.probe_at))
        };
        Some(self.retry_at.map_or(due, |at| due.max(at)))
    }

    fn is_full(&self) -> bool {
        self.pending.bytes() >= self.limits.bounds.bytes || self.pending.len() >= self.limits.bounds.documents
    }

    fn send_at(&self) -> Option<Timestamp> {
        let (came, _) = self.pending.front()?;
        let is_due = self.is_full() || self.is_draining || self.part_max.is_some();
        Some(if is_due { came } else { came.plus(self.limits.linger) })
    }

    /// Does what the verdict on a request of so many documents and bytes asks for.
    fn follow(
        &mut self,
        verdict: Verdict,
        (documents, bytes): (usize, usize),
        now: Timestamp,
        out: &mut Vec<Output>,
    ) {
        match verdict {
            Verdict::Items(fates) => self.settle(fates, now, out),
            Verdict::TooLarge => {
                self.shrink(documents, bytes, out);
                self.split(documents, "larger than Elasticsearch takes".to_owned(), out);
            }
            Verdict::Spoiled(reason) => self.split(documents, reason, out),
            Verdict::Busy(_) if documents > 1 => {
                // A smaller one may pass: rest, without an alarm.
                self.halve(documents);
                self.rest(now);
            }
            Verdict::Busy(reason) | Verdict::Later(reason) => {
                self.fail(Part::Elasticsearch, reason, now, out);
            }
        }
    }

    /// Takes out what is settled and keeps the rest in its place.
    fn settle(&mut self, fates: Vec<Fate>, now: Timestamp, out: &mut Vec<Output>) {
        let sent = fates.len();
        let mut tally = Tally::default();
        let mut kept = Vec::new();
        let mut failure = None;
        for fate in fates {
            let Some((came, document)) = self.pending.pop() else { break };
            match fate {
                Fate::Indexed => tally.indexed += 1,
                Fate::Duplicate => tally.duplicate += 1,
                Fate::Rejected(reason) => self.rejected.push((document, reason)),
                Fate::Retry(reason) => {
                    tally.retried += 1;
                    failure = Some(reason);
                    kept.push((came, document));
                }
            }
        }
        let has_progress = kept.len() < sent;
        self.pending.put_back(kept);
        out.push(Output::Settled(tally));
        match failure {
            Some(reason) if !has_progress => {
                self.halve(sent);
                self.fail(Part::Elasticsearch, format!("it refuses documents for now: {reason}"), now, out);
            }
            _ => {
                let grown = self.part_max.map(|part| part + part / 8 + 1);
                self.part_max = grown.filter(|part| *part < self.limits.bounds.documents);
                self.succeed(Part::Elasticsearch, out);
                if failure.is_some() {
                    // It works, only not as fast as this: rest before the next request, without an alarm.
                    self.rest(now);
                }
            }
        }
        self.commit(out);
    }

    fn halve(&mut self, documents: usize) {
        self.part_max = Some((documents / 2).max(1));
    }

    /// The bound is a setting of the cluster or of a proxy, and will be the same for the next request.
    fn shrink(&mut self, documents: usize, bytes: usize, out: &mut Vec<Output>) {
        if documents > 1 {
            self.limits.bounds.bytes = self.limits.bounds.bytes.min(bytes / 2).max(1);
            out.push(Output::Shrunk(self.limits.bounds.bytes));
        }
    }

    fn split(&mut self, documents: usize, reason: String, out: &mut Vec<Output>) {
        self.succeed(Part::Elasticsearch, out);
        if documents > 1 {
            self.halve(documents);
        } else if let Some((_, document)) = self.pending.pop() {
            self.rejected.push((document, reason));
        }
    }

    fn succeed(&mut self, part: Part, out: &mut Vec<Output>) {
        self.is_refused &= part != Part::Elasticsearch;
        self.backoff.reset();
        self.retry_at = None;
        out.push(Output::Up(part));
    }

    fn fail(&mut self, part: Part, reason: String, now: Timestamp, out: &mut Vec<Output>) {
        // A cluster that comes back may be a new one, without the template.
        self.is_prepared &= part == Part::DeadLetters;
        self.rest(now);
        out.push(Output::Down(part, reason));
    }

    fn rest(&mut self, now: Timestamp) {
        let delay = self.backoff.next_delay(fraction(now.as_nanos().unsigned_abs()));
        self.retry_at = Some(now.plus(delay));
    }

    /// Says how far each partition is settled, where that has grown.
    fn commit(&mut self, out: &mut Vec<Output>) {
        let positions = self.pending.commit(self.rejected.iter().map(|(document, _)| document));
        if !positions.is_empty() {
            out.push(Output::Commit(positions));
        }
    }
}

#[cfg(test)]
mod tests;
