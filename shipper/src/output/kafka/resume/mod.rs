//! What was sent before a kill is not sent again.
//!
//! Enters: what the registry's last owner left in doubt, acknowledgements. Leaves: before anything is sent, what the broker
//! has already; then, how far each partition is acknowledged, for the registry. Never: a record that is sent before it is
//! known; never a record that is left out because its neighbour is there.
//!
//! ```text
//!            doubt: the tails are read            the topic's anchors are durable
//! Reading ------------------------------> Ready ----------------------------------> records are sent
//!    ^  a broker that is away: it waits     `-- records that are there are settled at once
//! ```
//! Acknowledged offsets are held back while records that the broker has are still to be read again from the files: an anchor
//! would move over what a second kill leaves in doubt. [`reach`] holds back those of records on their way.

mod already;
mod end;
mod reach;
mod tail;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use daemon::Readiness;
use event::{StreamId, Timestamp};
use rdkafka::client::Client;
use rdkafka::types::RDKafkaErrorCode as Code;

use self::already::Already;
use self::reach::Reach;
pub(super) use self::reach::Standing;
use self::tail::{Tail, Turn};
use super::config::{KafkaConfig, Resume as Mode};
use super::report::Listener;
use crate::output::{Memory, OutputError};
use crate::registry::Anchors;

/// How long a broker may take to tell where a partition ends.
const OFFSET_WAIT: Duration = Duration::from_secs(1);
/// How long until it is asked again when it did not.
const ASK_AGAIN: Duration = Duration::from_millis(500);
/// How often it is asked; a partition without a leader must not keep the others waiting for ever.
const ASKED_MAX: u32 = 5;
/// The part of readiness that says whether the broker takes our records.
const PART: &str = "output";
/// How often it is told how far partitions are acknowledged; the registry is committed about as often.
const TELL_EVERY: Duration = Duration::from_millis(500);
/// Records that the broker has and that no file gave for so long, while others were sent, belong to files that are gone.
const LEFT_FOR: Duration = Duration::from_secs(60);

/// The machine.
pub(super) struct Resume {
    memory: Option<Memory>,
    is_off: bool,
    tail: Option<Box<Tail>>,
    already: Already,
    /// Until when records that were not asked for hold the anchors back; set by the first acknowledgement.
    hold_until: Option<Timestamp>,
    /// Where records of each topic lie from.
    anchors: Anchors,
    begun: BTreeSet<String>,
    ask_at: Timestamp,
    asked: u32,
    readiness: Readiness,
    reach: Reach,
    /// Acknowledged, and held back.
    reached: Anchors,
    /// Acknowledged, and told at the next turn: the fates go first.
    ready: Anchors,
    tell_at: Timestamp,
}

impl Resume {
    /// Begins to read what is in doubt.
    pub(super) fn new(
        config: &KafkaConfig,
        topics: &[Arc<str>],
        memory: Option<Memory>,
        readiness: Readiness,
        now: Timestamp,
    ) -> Result<Self, OutputError> {
        let mut resume = Resume {
            memory,
            is_off: config.resume == Mode::None,
            tail: None,
            already: Already::default(),
            hold_until: None,
            anchors: Anchors::new(),
            begun: BTreeSet::new(),
            ask_at: now,
            asked: 0,
            readiness,
            reach: Reach::new(topics),
            reached: Anchors::new(),
            ready: Anchors::new(),
            tell_at: now,
        };
        let doubt = resume.memory.as_mut().and_then(|memory| memory.doubt.take());
        if let Some(doubt) = doubt.filter(|_| !resume.is_off) {
            resume
                .readiness
                .starting(PART, "reading what the broker has already of the records before the crash");
            resume.anchors.clone_from(&doubt.anchors);
            let client = config.reader().map_err(|error| OutputError::Kafka(error.to_string()))?;
            let tail = Tail::new(&client, doubt).map_err(|error| OutputError::Kafka(error.to_string()))?;
            resume.tail = Some(Box::new(tail));
        }
        Ok(resume)
    }

    /// Tells what was reached, and reads on; before anything else in a turn.
    pub(super) fn tick(&mut self, now: Timestamp) -> Result<(), OutputError> {
        if self.is_off {
            // What the registry says of partitions is out of date from the first record on.
            if let Some(memory) = self.memory.take() {
                (memory.begin)(Anchors::new());
            }
            return Ok(());
        }
        if let Some(memory) = &self.memory
            && !self.ready.is_empty()
            && (self.tell_at <= now || self.tell_at.since(now) > TELL_EVERY)
        {
            self.tell_at = now.plus(TELL_EVERY);
            (memory.reach)(std::mem::take(&mut self.ready));
        }
        let Some(tail) = &mut self.tail else { return Ok(()) };
        if let Turn::Done(already) = tail.turn().map_err(|error| OutputError::Kafka(error.to_string()))? {
            let (records, left_out, looked_at) = (already.len(), already.left_out(), tail.looked_at());
            tracing::info!(
                records,
                looked_at,
                "the broker was asked what it has already; it is not sent again"
            );
            if left_out > 0 {
                tracing::warn!(left_out, "more than can be kept in mind; these are sent again");
            }
            self.readiness.up(PART);
            self.already = already;
            self.tail = None;
        }
        Ok(())
    }

    /// True while it is not known what the broker has.
    pub(super) fn is_reading(&self) -> bool {
        self.tail.is_some()
    }

    /// True when records for `topic` may be sent: what is in doubt is known, and the registry says from where on records lie.
    pub(super) fn is_ready(
        &mut self,
        topic: &str,
        client: Option<&Client<Listener>>,
        now: Timestamp,
    ) -> bool {
        let Some(memory) = &self.memory else { return true };
        if self.tail.is_some() {
            return false;
        }
        if self.begun.contains(topic) {
            return true;
        }
        let is_early = now < self.ask_at && self.ask_at.since(now) <= ASK_AGAIN;
        // The client waits for an answer; while no broker is there, that would only make the other lanes wait.
        let Some(client) = client.filter(|_| !is_early) else { return false };
        self.ask_at = now.plus(ASK_AGAIN);
        if !self.anchors.contains_key(topic) {
            self.asked += 1;
            let Some(ends) = ends(client, topic, self.asked < ASKED_MAX) else { return false };
            self.asked = 0;
            self.anchors.insert(topic.to_owned(), ends);
        }
        (memory.begin)(self.anchors.clone());
        self.begun.insert(topic.to_owned());
        // The next topic need not wait for its turn.
        self.ask_at = now;
        true
    }

    /// A lane is about to send.
    pub(super) fn send(&mut self, lane: usize) {
        self.reach.send(lane);
    }

    /// True when the broker has this record already.
    pub(super) fn has(&mut self, stream: StreamId, payload: &[u8], now: Timestamp) -> bool {
        if self.already.is_empty() {
            return false;
        }
        let is_there = self.already.take(stream, payload);
        if is_there && self.hold_until.is_some() {
            self.hold_until = Some(now.plus(LEFT_FOR));
        }
        is_there
    }

    /// A lane's records up to `next` of a partition are acknowledged.
    pub(super) fn acked(&mut self, lane: usize, partition: i32, next: i64, is_sending_again: bool) {
        self.reach.acked(lane, partition, next, is_sending_again);
    }

    /// At the end of a turn: what may be told at the next one, when the fates are.
    pub(super) fn end_turn(&mut self, standing: impl Fn(usize) -> Standing, now: Timestamp) {
        if self.memory.is_none() || self.tail.is_some() {
            return;
        }
        for (topic, offsets) in self.reach.take(standing) {
            self.reached.entry(topic).or_default().extend(offsets);
        }
        if self.reached.is_empty() {
            return;
        }
        let until = *self.hold_until.get_or_insert(now.plus(LEFT_FOR));
        if !self.already.is_empty() && (until <= now || until.since(now) > LEFT_FOR) {
            tracing::info!(records = self.already.len(), "on the broker, and in no file any more");
            self.already = Already::default();
        }
        if self.already.is_empty() {
            for (topic, offsets) in std::mem::take(&mut self.reached) {
                self.ready.entry(topic).or_default().extend(offsets);
            }
        }
    }
}

/// Where each partition of a topic ends now: nothing of ours that comes later lies before. A topic that is not there, or
/// that we may not look at, begins at zero when it is. `None` when no broker answered, and, to a patient caller, when one
/// partition cannot be asked just now; else that one begins at zero too.
fn ends(client: &Client<Listener>, topic: &str, is_patient: bool) -> Option<BTreeMap<i32, i64>> {
    let metadata = client.fetch_metadata(Some(topic), OFFSET_WAIT).ok()?;
    let found = metadata.topics().iter().find(|found| found.name() == topic)?;
    let mut ends = BTreeMap::from([(0, 0)]);
    if let Some(code) = found.error().map(Code::from) {
        return (!is_patient || is_final(code)).then_some(ends);
    }
    for partition in found.partitions() {
        let end = client.fetch_watermarks(topic, partition.id(), OFFSET_WAIT);
        let end = match end.map_err(|error| error.rdkafka_error_code()) {
            Ok((_, end)) => end,
            Err(code) if is_patient && !code.is_some_and(is_final) => return None,
            Err(_) => 0,
        };
        ends.insert(partition.id(), end);
    }
    Some(ends)
}

/// Whether asking again is of no use before somebody has mended something.
fn is_final(code: Code) -> bool {
    matches!(
        code,
        Code::TopicAuthorizationFailed
            | Code::UnknownTopicOrPartition
            | Code::UnknownTopic
            | Code::UnknownPartition
            | Code::InvalidTopic
    )
}
