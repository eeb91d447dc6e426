//! Reads the tails of the partitions that were written last.
//!
//! Enters: what is in doubt. Leaves: what the broker has of it. Never: a group, a committed position; a wait for ever.
//!
//! It reads twice: at once, and again from there on when [`LANDING`] is over since a broker first answered, because what a
//! killed process had handed to its sockets arrives after it. A broker that is away is waited for, as nothing
//! can be sent to it anyway. What cannot be read is left out with one warning, and then records are sent again.

use std::collections::{BTreeMap, BTreeSet};
use std::time::{Duration, Instant};

use event::{Imprint, StreamId, Timestamp};
use rdkafka::client::ClientContext;
use rdkafka::config::{FromClientConfigAndContext, RDKafkaLogLevel};
use rdkafka::consumer::{BaseConsumer, Consumer, ConsumerContext};
use rdkafka::error::KafkaError;
use rdkafka::message::{BorrowedMessage, Message};
use rdkafka::metadata::{MetadataPartition, MetadataTopic};
use rdkafka::topic_partition_list::{Offset, TopicPartitionList};
use rdkafka::types::RDKafkaErrorCode as Code;
use rdkafka::{ClientConfig, Statistics};

use super::already::Already;
use super::end::End;
use crate::registry::Doubt;

/// How long after the first answer of a broker a record of a killed process may still arrive.
pub const LANDING: Duration = Duration::from_secs(2);
/// How long all of it may take from the first answer on.
const READ_MAX: Duration = Duration::from_secs(120);
/// How long a partition may give nothing although the brokers answer.
const STALL_MAX: Duration = Duration::from_secs(15);
/// How long one turn takes, so that the end of the shipper is noticed in time.
const TURN: Duration = Duration::from_millis(200);
/// How long a broker may take to tell of a topic.
const METADATA_WAIT: Duration = Duration::from_secs(1);

/// What a turn came to.
#[derive(Debug)]
pub enum Turn {
    /// There is more to read, or to wait for.
    More,
    /// This is what the broker has.
    Done(Already),
}

#[derive(Debug)]
struct Partition {
    next: i64,
    end: End,
    /// Nothing of ours follows.
    is_over: bool,
    /// Read to its end in this round.
    is_at_end: bool,
}

#[derive(Debug)]
struct Topic {
    name: String,
    anchors: BTreeMap<i32, i64>,
    partitions: BTreeMap<i32, Partition>,
    is_left_out: bool,
}

/// The reading.
pub struct Tail {
    consumer: BaseConsumer<Silent>,
    doubt: Doubt,
    /// The host's name as it stands in a record.
    host: Vec<u8>,
    topics: Vec<Topic>,
    /// The topic at hand; beyond the last one a round is over.
    at: usize,
    is_assigned: bool,
    is_second_round: bool,
    contact: Option<Instant>,
    /// When the topic at hand last gave something.
    heard: Instant,
    already: Already,
    /// Records that were looked at, of anybody.
    looked_at: u64,
}

impl Tail {
    /// Connects in the background.
    pub fn new(client: &ClientConfig, doubt: Doubt) -> Result<Self, KafkaError> {
        let topic = |(name, anchors): (&String, &BTreeMap<i32, i64>)| Topic {
            name: name.clone(),
            anchors: anchors.clone(),
            partitions: BTreeMap::new(),
            is_left_out: false,
        };
        Ok(Tail {
            consumer: BaseConsumer::from_config_and_context(client, Silent)?,
            host: serde_json::to_vec(&doubt.host).unwrap_or_default(),
            topics: doubt.anchors.iter().map(topic).collect(),
            doubt,
            at: 0,
            is_assigned: false,
            is_second_round: false,
            contact: None,
            heard: Instant::now(),
            already: Already::default(),
            looked_at: 0,
        })
    }

    /// Records that were looked at so far, of anybody.
    pub fn looked_at(&self) -> u64 {
        self.looked_at
    }

    /// Reads on for a while.
    pub fn turn(&mut self) -> Result<Turn, KafkaError> {
        let until = Instant::now() + TURN;
        while Instant::now() < until {
            if self.contact.is_some_and(|contact| contact.elapsed() > READ_MAX) {
                let (seconds, found) = (READ_MAX.as_secs(), self.already.len());
                tracing::warn!(
                    seconds,
                    found,
                    "reading the ends of the partitions takes too long; records may be sent again"
                );
                return Ok(Turn::Done(std::mem::take(&mut self.already)));
            }
            let Some(topic) = self.topics.get(self.at) else {
                // What cannot be looked at is not waited for.
                if self.is_second_round || self.topics.iter().all(|topic| topic.is_left_out) {
                    return Ok(Turn::Done(std::mem::take(&mut self.already)));
                }
                if self.contact.is_some_and(|contact| contact.elapsed() < LANDING) {
                    std::thread::sleep(Duration::from_millis(20));
                } else {
                    self.begin_second_round();
                }
                continue;
            };
            if topic.is_left_out {
                self.leave_topic();
            } else if self.is_assigned {
                self.read();
            } else if !self.open()? {
                return Ok(Turn::More);
            }
        }
        Ok(Turn::More)
    }

    fn begin_second_round(&mut self) {
        self.is_second_round = true;
        self.at = 0;
        for partition in self.topics.iter_mut().flat_map(|topic| topic.partitions.values_mut()) {
            partition.is_at_end = false;
        }
    }

    fn leave_topic(&mut self) {
        self.at += 1;
        self.is_assigned = false;
    }

    /// Asks which partitions the topic has, and begins to read them. False while no broker answers.
    fn open(&mut self) -> Result<bool, KafkaError> {
        let Some(topic) = self.topics.get_mut(self.at) else { return Ok(true) };
        let Ok(metadata) = self.consumer.fetch_metadata(Some(&topic.name), METADATA_WAIT) else {
            return Ok(false);
        };
        self.contact.get_or_insert_with(Instant::now);
        let found = metadata.topics().iter().find(|found| found.name() == topic.name);
        let error = found.and_then(MetadataTopic::error).map(Code::from);
        if let Some(code) = error {
            // A topic that is gone has nothing of ours.
            if code != Code::UnknownTopicOrPartition {
                warn(&topic.name, code);
            }
            topic.is_left_out = true;
            return Ok(true);
        }
        let ids: BTreeSet<i32> =
            found.iter().flat_map(|found| found.partitions()).map(MetadataPartition::id).collect();
        let mut list = TopicPartitionList::new();
        for id in ids {
            // One that the registry does not name was added after its topic was begun.
            let next = topic.anchors.get(&id).copied().unwrap_or(0);
            let end = End::new(self.doubt.alive);
            let partition = topic.partitions.entry(id).or_insert(Partition {
                next,
                end,
                is_over: false,
                is_at_end: false,
            });
            if !partition.is_over {
                list.add_partition_offset(&topic.name, id, Offset::Offset(partition.next))?;
            }
        }
        self.consumer.assign(&list)?;
        self.is_assigned = true;
        self.heard = Instant::now();
        Ok(true)
    }

    /// Takes what is there of the topic at hand.
    fn read(&mut self) {
        let Some(topic) = self.topics.get_mut(self.at) else { return };
        if topic.partitions.values().all(|partition| partition.is_over || partition.is_at_end) {
            return self.leave_topic();
        }
        match self.consumer.poll(Duration::from_millis(50)) {
            Some(Ok(message)) => {
                self.heard = Instant::now();
                self.looked_at += 1;
                let imprint = known(&self.doubt, &self.host, &message);
                let Some(partition) = topic.partitions.get_mut(&message.partition()) else { return };
                partition.is_at_end = false;
                partition.next = message.offset() + 1;
                let stamp = Timestamp::from_millis(message.timestamp().to_millis().unwrap_or_default());
                if !partition.is_over && partition.end.handle(imprint.is_some(), stamp) {
                    partition.is_over = true;
                    let mut list = TopicPartitionList::new();
                    list.add_partition(&topic.name, message.partition());
                    // What comes all the same is thrown away.
                    let _ = self.consumer.pause(&list);
                }
                if let Some(imprint) = imprint {
                    self.already.insert(imprint);
                }
            }
            Some(Err(KafkaError::PartitionEOF(id))) => {
                self.heard = Instant::now();
                if let Some(partition) = topic.partitions.get_mut(&id) {
                    partition.is_at_end = true;
                }
            }
            Some(Err(error)) => match error.rdkafka_error_code() {
                Some(code @ Code::TopicAuthorizationFailed) => {
                    warn(&topic.name, code);
                    topic.is_left_out = true;
                }
                Some(Code::UnknownTopicOrPartition | Code::UnknownTopic | Code::UnknownPartition) => {
                    topic.is_left_out = true;
                }
                // The client goes on trying; and no group is joined, so that one that is denied changes nothing.
                _ => self.watch_stall(),
            },
            None => self.watch_stall(),
        }
    }

    /// A partition without a leader must not keep the others waiting for ever.
    fn watch_stall(&mut self) {
        let Some(topic) = self.topics.get_mut(self.at) else { return };
        if self.heard.elapsed() < STALL_MAX {
            return;
        }
        self.heard = Instant::now();
        if self.consumer.fetch_metadata(Some(&topic.name), METADATA_WAIT).is_ok() {
            warn(&topic.name, Code::OperationTimedOut);
            topic.is_left_out = true;
        }
    }
}

/// The imprint of a record that is in doubt; `None` of all others.
fn known(doubt: &Doubt, host: &[u8], message: &BorrowedMessage<'_>) -> Option<Imprint> {
    let stream: StreamId = std::str::from_utf8(message.key()?).ok()?.parse().ok()?;
    let payload = message.payload()?;
    let covered = match doubt.covered.get(&stream) {
        Some(covered) => *covered,
        // A file that was new when we died, or a stream of somebody else.
        None => memchr::memmem::find(payload, host).map(|_| 0)?,
    };
    Imprint::of(payload).filter(|imprint| imprint.id.stream == stream && imprint.id.offset >= covered)
}

fn warn(topic: &str, code: Code) {
    let what = match code {
        Code::TopicAuthorizationFailed => {
            "access denied; allow this user to Read and Describe the topic, or set `output.kafka.resume: none`".to_owned()
        }
        other => other.to_string(),
    };
    tracing::warn!(
        topic,
        what,
        "the end of the topic cannot be read; records that were sent before a crash may be sent again"
    );
}

/// The producer tells of the connection; a second voice would contradict it.
struct Silent;

impl ClientContext for Silent {
    fn log(&self, _: RDKafkaLogLevel, facility: &str, message: &str) {
        tracing::debug!(facility, message, "reading the ends of the partitions");
    }

    fn error(&self, error: KafkaError, reason: &str) {
        tracing::debug!(%error, reason, "reading the ends of the partitions");
    }

    fn stats(&self, _: Statistics) {}
}

impl ConsumerContext for Silent {}
