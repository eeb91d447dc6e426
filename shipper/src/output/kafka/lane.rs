//! One lane: records on one topic, none lost, each stream's in order.
//!
//! Enters: parcels of this lane. Leaves: records that the broker has acknowledged (`acks=all`, idempotent), dead letters
//! for those that it refuses for good. Never: a record that a time-out drops; a record that overtakes another of its
//! stream; a wait, so that the lane next to this one goes on whatever the broker thinks of this one.
//!
//! The producer's own queue is the only copy of what is in flight, and it is bounded in bytes. When it is full, nothing
//! is taken from the channel, and so nothing is read for this lane. What a refusal brings back is sent again from here,
//! in the order of each stream, before anything new; [`super::recovery`] says when and how.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::{Duration, Instant};

use daemon::Readiness;
use daemon::dead_letter::DeadLetter;
use daemon::kafka::ClientEvents;
use event::Timestamp;
use rdkafka::client::Client;
use rdkafka::config::FromClientConfigAndContext;
use rdkafka::producer::{BaseProducer, BaseRecord, Producer, PurgeConfig};
use rdkafka::types::RDKafkaErrorCode as Code;

use super::config::{KafkaConfig, Share};
use super::grave::Graves;
use super::recovery::{Recovery, Session};
use super::refusal::{self, Kind};
use super::replay;
use super::report::{self, Listener, Returned};
use super::resume::{Resume, Standing};
use crate::batch::{Batch, Fate, Settled, Ticket};
use crate::channel::Parcel;
use crate::metric::OutputMetrics;
use crate::output::OutputError;
use crate::route;

/// The client gives purged records back at once; if it has not by then, it is broken.
const GIVE_BACK_MAX: Duration = Duration::from_secs(10);
/// Answers that one turn serves at most, each for a request; the others are served in the next.
const ANSWERS_MAX: usize = 64;

/// One lane.
pub(super) struct Lane {
    config: KafkaConfig,
    share: Share,
    pub(super) topic: Arc<str>,
    pub(super) readiness: Readiness,
    /// The part of readiness that says whether the broker takes the lane's records.
    pub(super) part: String,
    /// The lane's connection there.
    connection: String,
    pub(super) metrics: OutputMetrics,
    pub(super) recovery: Recovery,
    pub(super) producer: Option<BaseProducer<Listener>>,
    /// Records in the producer.
    pub(super) in_flight: usize,
    /// What came back and is not sent again yet.
    pub(super) replay: VecDeque<Returned>,
    /// Where each partition's acknowledgements are, since that was last taken.
    pub(super) reached: Vec<(i32, i64)>,
    /// True from a refusal until everything that came back is acknowledged.
    pub(super) is_replaying: bool,
    /// The operator has something to mend, and nothing was acknowledged since.
    pub(super) is_refused: bool,
    /// The newest heartbeat, until it is sent.
    pub(super) heartbeat: Option<Vec<u8>>,
    /// What the broker told of the topic, and until when it is believed.
    pub(super) partitions: Option<(Option<i32>, Timestamp)>,
}

/// Why the session has to end.
pub(super) struct Broken {
    pub kind: Kind,
    pub reason: String,
}

impl Lane {
    /// Connects in the background; the broker need not be there.
    pub(super) fn new(
        config: &KafkaConfig,
        lane: &route::Lane,
        lanes: usize,
        readiness: Readiness,
        metrics: OutputMetrics,
        now: Timestamp,
    ) -> Result<Self, OutputError> {
        let suffix = lane.suffix();
        let connection = format!("kafka{suffix}");
        readiness.starting(&connection, "not connected yet");
        let mut this = Lane {
            config: config.clone(),
            share: config.share(lane.pace, lanes),
            topic: lane.topic.clone().unwrap_or_else(|| config.topic.as_str().into()),
            readiness,
            part: format!("output{suffix}"),
            connection,
            metrics,
            recovery: Recovery::new(config.batch_bytes.0, now),
            producer: None,
            in_flight: 0,
            replay: VecDeque::new(),
            reached: Vec::new(),
            is_replaying: false,
            is_refused: false,
            heartbeat: None,
            partitions: None,
        };
        this.connect_when_due(now)?;
        Ok(this)
    }

    /// Records that were taken and have no fate yet.
    pub(super) fn pending(&self) -> usize {
        self.in_flight + self.replay.len()
    }

    /// What can be asked of the brokers; `None` while none is connected.
    pub(super) fn client(&self) -> Option<&Client<Listener>> {
        let producer = self.producer.as_ref().filter(|producer| producer.context().is_connected())?;
        Some(producer.client())
    }

    /// What of it is on its way.
    pub(super) fn standing(&self) -> Standing {
        Standing { is_busy: self.pending() > 0 || self.is_replaying, is_sending_again: self.is_replaying }
    }

    /// Takes records while the producer has room and nothing is being replayed; see [`crate::output`].
    pub(super) fn handle(
        &mut self,
        parcel: &Parcel,
        from: usize,
        graves: &mut Graves,
        resume: &mut Resume,
        now: Timestamp,
    ) -> Result<usize, OutputError> {
        if self.producer.is_none() || self.is_replaying {
            return Ok(from);
        }
        match parcel {
            Parcel::Broadcast(_, record) => {
                if self.heartbeat.replace(record.clone()).is_some() {
                    self.metrics.heartbeat_lost();
                }
                self.beat(now);
                Ok(1)
            }
            Parcel::Batch(batch) => match self.send_batch(batch, from, graves, resume, now) {
                (taken, None) => Ok(taken),
                (taken, Some(broken)) => self.stop(&broken, graves, now).map(|()| taken),
            },
        }
    }

    /// Serves the client without waiting, and turns the wheel of [`super::recovery`].
    pub(super) fn tick(
        &mut self,
        now: Timestamp,
        graves: &mut Graves,
        settled: &mut Vec<Settled>,
    ) -> Result<(), OutputError> {
        self.poll();
        if let Some(broken) = self.take_reports(settled) {
            return self.stop(&broken, graves, now);
        }
        if let Some(broken) = self.send_replay(now) {
            return self.stop(&broken, graves, now);
        }
        if self.heartbeat.is_some() && !self.is_replaying {
            self.beat(now);
        }
        if self.is_replaying && self.producer.is_some() && self.pending() == 0 {
            self.is_replaying = false;
            if self.recovery.replayed(now) {
                self.producer = None;
            }
        }
        self.connect_when_due(now)
    }

    /// When [`Lane::tick`] has something to do by itself; `None` while there is a producer.
    pub(super) fn deadline(&self) -> Option<Timestamp> {
        self.recovery.deadline()
    }

    /// Serves what has come in.
    fn poll(&self) {
        let Some(producer) = &self.producer else { return };
        for _ in 0..ANSWERS_MAX {
            let before = producer.context().lock().answers;
            producer.poll(Duration::ZERO);
            if producer.context().lock().answers == before {
                break;
            }
        }
    }

    fn connect_when_due(&mut self, now: Timestamp) -> Result<(), OutputError> {
        if let Some(session) = self.recovery.tick(now) {
            self.producer = Some(self.connect(session)?);
        }
        Ok(())
    }

    fn connect(&self, session: Session) -> Result<BaseProducer<Listener>, OutputError> {
        tracing::debug!(?session, "a new producer");
        let client = self
            .config
            .producer(session, self.share)
            .map_err(|error| OutputError::Kafka(error.to_string()))?;
        let events = ClientEvents::new(self.readiness.clone(), self.connection.as_str());
        BaseProducer::from_config_and_context(&client, Listener::new(events))
            .map_err(|error| OutputError::Kafka(error.to_string()))
    }

    /// Sends from number `from` on; gives the first that was not taken.
    fn send_batch(
        &mut self,
        batch: &Batch,
        from: usize,
        graves: &mut Graves,
        resume: &mut Resume,
        now: Timestamp,
    ) -> (usize, Option<Broken>) {
        let Some(producer) = &self.producer else { return (from, None) };
        for (number, entry) in batch.entries.iter().enumerate().skip(from) {
            let payload = batch.payload(entry);
            if let Some(ticket) = entry.ticket
                && resume.has(entry.stream, payload, now)
            {
                self.metrics.already_there.inc();
                graves.settled.push(Settled { ticket, fate: Fate::Acked });
                continue;
            }
            let key = entry.stream.hex();
            let outgoing = Outgoing {
                topic: &self.topic,
                key: &key,
                payload,
                timestamp_ms: entry.timestamp_ms,
                ticket: entry.ticket,
            };
            match outgoing.send(producer, now) {
                Ok(()) => self.in_flight += 1,
                Err(Code::QueueFull) => return (number, None),
                Err(code) if Kind::of(code) == Kind::Record => {
                    if let Err(broken) = graves.bury(&outgoing.letter(code, now), entry.ticket) {
                        return (number, Some(broken));
                    }
                }
                Err(code) => {
                    return (number, Some(Broken { kind: Kind::of(code), reason: self.reason(code) }));
                }
            }
        }
        (batch.entries.len(), None)
    }

    /// Sends again what came back, oldest first.
    fn send_replay(&mut self, now: Timestamp) -> Option<Broken> {
        let producer = self.producer.as_ref()?;
        while let Some(record) = self.replay.front() {
            match record.outgoing().send(producer, now) {
                Ok(()) => {
                    self.in_flight += 1;
                    self.metrics.resent.inc();
                    self.replay.pop_front();
                }
                Err(Code::QueueFull) => return None,
                Err(code) => return Some(Broken { kind: Kind::of(code), reason: self.reason(code) }),
            }
        }
        None
    }

    /// Takes what the client has told since the last time.
    fn take_reports(&mut self, settled: &mut Vec<Settled>) -> Option<Broken> {
        let listener = Arc::clone(self.producer.as_ref()?.context());
        let mut reports = listener.lock();
        settled.append(&mut reports.settled);
        self.reached.append(&mut reports.reached);
        self.in_flight = self.in_flight.saturating_sub(std::mem::take(&mut reports.answers));
        if std::mem::take(&mut reports.acked) > 0 {
            self.recovery.acked();
            self.is_refused = false;
            if !self.is_replaying {
                self.readiness.up(&self.part);
            }
        }
        let gravest =
            reports.returned.iter().max_by_key(|record| Kind::of(record.code)).map(|record| record.code);
        let code = gravest.or(reports.is_fatal.then_some(Code::Fatal))?;
        Some(Broken { kind: Kind::of(code), reason: self.reason(code) })
    }

    /// Ends the session and takes back everything that it has not delivered.
    pub(super) fn stop(
        &mut self,
        broken: &Broken,
        graves: &mut Graves,
        now: Timestamp,
    ) -> Result<(), OutputError> {
        let is_single = self.recovery.session().is_single;
        self.metrics.refused(broken.kind.name());
        let mut returned = self.take_back(graves)?;
        returned.extend(self.replay.drain(..));
        replay::sort(&mut returned);
        let mut held = None;
        for record in returned {
            if is_single && Kind::of(record.code) == Kind::Record && held.is_none() {
                held = graves.bury(&record.outgoing().letter(record.code, now), record.ticket).err();
                if held.is_none() {
                    continue;
                }
            }
            if record.is_worth_sending() {
                // What was said of it held for the session that has ended.
                self.replay.push_back(Returned { code: Code::PurgeQueue, ..record });
            }
        }
        self.is_replaying = true;
        self.partitions = None;
        let broken = held.as_ref().unwrap_or(broken);
        if broken.kind == Kind::Setting {
            self.is_refused = true;
            self.readiness.down(&self.part, broken.reason.clone());
        } else {
            let (reason, topic) = (broken.reason.as_str(), &*self.topic);
            tracing::info!(reason, topic, records = self.replay.len(), "the producer starts anew");
        }
        self.recovery.handle(broken.kind, now);
        Ok(())
    }

    fn take_back(&mut self, graves: &mut Graves) -> Result<Vec<Returned>, OutputError> {
        let Some(producer) = self.producer.take() else { return Ok(Vec::new()) };
        producer.purge(PurgeConfig::default().queue().inflight());
        let listener = Arc::clone(producer.context());
        let started = Instant::now();
        while self.in_flight > 0 && started.elapsed() < GIVE_BACK_MAX {
            producer.poll(Duration::ZERO);
            let answers = std::mem::take(&mut listener.lock().answers);
            self.in_flight = self.in_flight.saturating_sub(answers);
            if answers == 0 {
                producer.poll(Duration::from_millis(1));
            }
        }
        if self.in_flight > 0 {
            return Err(OutputError::Kafka(format!("the client keeps {} records back", self.in_flight)));
        }
        let mut reports = listener.lock();
        graves.settled.append(&mut reports.settled);
        Ok(std::mem::take(&mut reports.returned))
    }

    pub(super) fn reason(&self, code: Code) -> String {
        refusal::advice(code, &self.topic)
    }
}

/// One record on its way into the producer, which copies it.
#[derive(Debug, Clone, Copy)]
pub(super) struct Outgoing<'a> {
    pub topic: &'a str,
    pub key: &'a [u8],
    pub payload: &'a [u8],
    pub timestamp_ms: i64,
    pub ticket: Option<Ticket>,
}

impl<'a> Outgoing<'a> {
    fn send(&self, producer: &BaseProducer<Listener>, now: Timestamp) -> Result<(), Code> {
        let record = BaseRecord::with_opaque_to(self.topic, report::opaque(self.ticket))
            .key(self.key)
            .payload(self.payload)
            .timestamp(replay::timestamp_ms(self.timestamp_ms, now));
        producer.send(record).map_err(|(error, _)| error.rdkafka_error_code().unwrap_or(Code::Fatal))
    }

    fn letter(&self, code: Code, now: Timestamp) -> DeadLetter<'a> {
        DeadLetter {
            at: now,
            reason: refusal::name(code),
            topic: Some(self.topic),
            key: std::str::from_utf8(self.key).unwrap_or_default(),
            payload: self.payload,
        }
    }
}
