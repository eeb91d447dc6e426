//! What the client tells: delivery reports, errors, its own log.
//!
//! Enters: callbacks of librdkafka. Leaves: lists that the output's thread takes. Never: a decision.
//!
//! All callbacks run on the output's own thread, inside `poll`, except the client's log; so the lock is never contended,
//! and costs an acknowledged record about as much as pushing it to the list.

use std::sync::{Mutex, MutexGuard, PoisonError};

use daemon::kafka::ClientEvents;
use rdkafka::Statistics;
use rdkafka::client::ClientContext;
use rdkafka::config::RDKafkaLogLevel;
use rdkafka::error::KafkaError;
use rdkafka::message::Message;
use rdkafka::producer::{DeliveryResult, ProducerContext};
use rdkafka::types::RDKafkaErrorCode as Code;

use crate::batch::{Fate, Settled, Ticket};

/// The opaque of a record that nobody waits for. No ticket packs to it: its slot is beyond those that are given out.
const NOBODY: usize = usize::MAX;

/// A record that came back unwritten, or with its fate unknown.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Returned {
    /// Its ticket.
    pub ticket: Option<Ticket>,
    /// What was said of it.
    pub code: Code,
    /// Its topic.
    pub topic: String,
    /// Its partition, where it was chosen by the sender.
    pub key: Vec<u8>,
    /// Its JSON.
    pub payload: Vec<u8>,
    /// Its Kafka timestamp.
    pub timestamp_ms: i64,
}

/// What came in since it was last taken.
#[derive(Debug, Default)]
pub struct Reports {
    /// Fates.
    pub settled: Vec<Settled>,
    /// Answers of any kind, also for records that nobody waits for.
    pub answers: usize,
    /// Acknowledgements among them.
    pub acked: usize,
    /// For each partition that acknowledged something, the offset behind the last record.
    pub reached: Vec<(i32, i64)>,
    /// What came back.
    pub returned: Vec<Returned>,
    /// The session has ended for good.
    pub is_fatal: bool,
}

impl Reports {
    /// Notes that a record lies at `offset`. Acknowledgements come partition by partition and in order, so the last entry
    /// is mostly the one that is looked for.
    fn reach(&mut self, partition: i32, offset: i64) {
        // The broker does not tell it of a record that it took before and was asked for again.
        if offset < 0 {
            return;
        }
        match self.reached.iter_mut().rev().find(|(known, _)| *known == partition) {
            Some((_, next)) => *next = offset + 1,
            None => self.reached.push((partition, offset + 1)),
        }
    }
}

/// The client's listener.
#[derive(Debug)]
pub struct Listener {
    events: ClientEvents,
    reports: Mutex<Reports>,
}

impl Listener {
    /// Tells `events` about the connection.
    pub fn new(events: ClientEvents) -> Self {
        Listener { events, reports: Mutex::default() }
    }

    /// True while a broker answers.
    pub fn is_connected(&self) -> bool {
        self.events.is_connected()
    }

    /// What came in.
    pub fn lock(&self) -> MutexGuard<'_, Reports> {
        self.reports.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A ticket as a record's opaque: a number, not a pointer to anything.
pub fn opaque(ticket: Option<Ticket>) -> usize {
    ticket.and_then(|ticket| usize::try_from(ticket.as_u64()).ok()).unwrap_or(NOBODY)
}

fn ticket(opaque: usize) -> Option<Ticket> {
    (opaque != NOBODY).then(|| Ticket::from_u64(opaque as u64))
}

impl ProducerContext for Listener {
    type DeliveryOpaque = usize;

    fn delivery(&self, result: &DeliveryResult<'_>, opaque: usize) {
        let mut reports = self.lock();
        reports.answers += 1;
        match result {
            Ok(message) => {
                reports.acked += 1;
                reports.reach(message.partition(), message.offset());
                reports.settled.extend(ticket(opaque).map(|ticket| Settled { ticket, fate: Fate::Acked }));
            }
            Err((error, message)) => reports.returned.push(Returned {
                ticket: ticket(opaque),
                code: error.rdkafka_error_code().unwrap_or(Code::Unknown),
                topic: message.topic().to_owned(),
                key: message.key().unwrap_or_default().to_vec(),
                payload: message.payload().unwrap_or_default().to_vec(),
                timestamp_ms: message.timestamp().to_millis().unwrap_or(0),
            }),
        }
    }
}

impl ClientContext for Listener {
    fn log(&self, level: RDKafkaLogLevel, facility: &str, message: &str) {
        self.events.log(level, facility, message);
    }

    fn error(&self, error: KafkaError, reason: &str) {
        self.lock().is_fatal |= error.rdkafka_error_code() == Some(Code::Fatal);
        self.events.error(error, reason);
    }

    fn stats(&self, statistics: Statistics) {
        self.events.stats(statistics);
    }
}
