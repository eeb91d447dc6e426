//! A Kafka consumer group as a source.
//!
//! Enters: one topic's records. Leaves: batches, and whether all partitions were read to their end.
//! Never: a position of its own. Where to go on is what the caller said, else what the group committed.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use event::Timestamp;
use futures::FutureExt;
use rdkafka::consumer::{CommitMode, Consumer, StreamConsumer};
use rdkafka::error::{KafkaError, KafkaResult};
use rdkafka::message::{BorrowedMessage, Message};
use rdkafka::types::RDKafkaErrorCode as Code;
use schemars::JsonSchema;
use serde::Deserialize;
use tokio::time::{Instant, timeout_at};

use super::group::{Group, GroupEvents};
use super::{BATCH_BYTES_MAX, BATCH_RECORDS_MAX, Batch, Position, Record, Source, SourceError};
use crate::Readiness;
use crate::kafka::{ClientEvents, KafkaConfig, Sasl, Tls, default_client_id};

/// Kilobytes that librdkafka fetches ahead at most; with one batch, the bound of a source's memory.
const PREFETCH_KBYTES_MAX: &str = "16384";

/// What an operator may tune with `options`.
const DEFAULTS: &[(&str, &str)] = &[
    ("auto.offset.reset", "earliest"),
    ("queued.max.messages.kbytes", PREFETCH_KBYTES_MAX),
    // How long a host may be gone before the others of its group take over its partitions.
    ("session.timeout.ms", "15000"),
];

/// What the delivery contract stands on.
const FIXED: &[(&str, &str)] = &[
    ("enable.auto.commit", "false"),
    ("enable.auto.offset.store", "false"),
    ("enable.partition.eof", "true"),
    ("partition.assignment.strategy", "range,roundrobin"),
    ("allow.auto.create.topics", "false"),
];

/// One topic, read as a member of a consumer group.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct KafkaSourceConfig {
    /// Brokers to ask for the others, as `host:port`. One that answers is enough; name two or three.
    pub brokers: Vec<String>,
    /// The topic, one: an alerter tells repetitions by the order of a file's lines, which holds within a topic alone.
    pub topic: String,
    /// The consumer group: members share the partitions, and its committed offsets show the lag.
    pub group: String,
    /// The name that the brokers' logs and quotas know this client by.
    #[serde(default = "default_client_id")]
    pub client_id: String,
    /// Speak TLS.
    #[serde(default)]
    pub tls: Option<Tls>,
    /// Log in.
    #[serde(default)]
    pub sasl: Option<Sasl>,
    /// Further librdkafka properties, such as `fetch.min.bytes: 1024`.
    #[serde(default)]
    pub options: BTreeMap<String, String>,
}

impl KafkaSourceConfig {
    /// The connection's part of the settings. They stand flat in one mapping because a flattened struct would lose the
    /// line of an error.
    #[must_use]
    pub fn connection(&self) -> KafkaConfig {
        KafkaConfig {
            brokers: self.brokers.clone(),
            client_id: self.client_id.clone(),
            tls: self.tls.clone(),
            sasl: self.sasl.clone(),
            options: self.options.clone(),
        }
    }
}

/// A member of a consumer group.
pub struct KafkaSource {
    consumer: Arc<StreamConsumer<GroupEvents>>,
    group: Group,
    topic: Arc<str>,
    is_subscribed: bool,
    /// Positions were given after partitions were: assign them once more.
    is_moved: bool,
    /// The number of the connection on which the partitions are read.
    connection: u64,
    /// What keeps partitions from being assigned, such as a missing topic.
    problem: Option<String>,
    /// An error that came behind records; the next call tells it.
    late: Option<SourceError>,
}

impl std::fmt::Debug for KafkaSource {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.debug_struct("KafkaSource").field("topic", &self.topic).finish_non_exhaustive()
    }
}

/// The name of a static member of a group. Without one, the group would wait for a killed member until its session
/// times out, and its successor would read nothing for so long.
fn instance(state: &Path) -> String {
    let folder = std::path::absolute(state).unwrap_or_else(|_| state.to_owned());
    let hash = crc32fast::hash(folder.as_os_str().as_encoded_bytes());
    // The broker takes letters, digits, dots, dashes and underscores.
    let host: String = rustix::system::uname()
        .nodename()
        .to_string_lossy()
        .chars()
        .map(|letter| if letter.is_ascii_alphanumeric() || ".-".contains(letter) { letter } else { '_' })
        .collect();
    format!("{host}-{hash:08x}")
}

impl KafkaSource {
    /// A member that joins its group with the first [`Source::next`]. Call it inside the runtime. The brokers' state
    /// is reported to `readiness` as the part `kafka`. `state` is the folder of the member's own state: a member
    /// that was killed and is back on the same folder gets its partitions at once.
    ///
    /// # Errors
    /// [`SourceError::Permanent`] when the settings cannot be used; a broker that does not answer is none.
    pub fn new(config: &KafkaSourceConfig, state: &Path, readiness: Readiness) -> Result<Self, SourceError> {
        let refused = |error: &dyn std::fmt::Display| SourceError::Permanent(error.to_string());
        let mut fixed = FIXED.to_vec();
        let instance = instance(state);
        fixed.push(("group.id", &config.group));
        fixed.push(("group.instance.id", &instance));
        let client = config.connection().client(DEFAULTS, &fixed).map_err(|error| refused(&error))?;
        let topic: Arc<str> = config.topic.as_str().into();
        let group = Group::new(Arc::clone(&topic));
        let events = GroupEvents::new(ClientEvents::new(readiness, "kafka"), group.clone());
        let consumer = client.create_with_context(events).map_err(|error| refused(&error))?;
        Ok(KafkaSource {
            consumer: Arc::new(consumer),
            group,
            topic,
            is_subscribed: false,
            is_moved: false,
            connection: 0,
            problem: None,
            late: None,
        })
    }

    /// Joins the group, and assigns the partitions anew where that is due.
    fn start(&mut self) -> KafkaResult<()> {
        if !self.is_subscribed {
            self.consumer.subscribe(&[&*self.topic])?;
            self.is_subscribed = true;
        }
        // librdkafka says once that a partition is at its end. After an outage that is old news, and only a fetch
        // that starts anew says it again.
        let connection = self.events().connects();
        if connection != self.connection {
            self.is_moved |= self.connection > 0;
            self.connection = connection;
        }
        if std::mem::take(&mut self.is_moved) && self.group.has_partitions() {
            self.consumer.assign(&self.group.assignment()?)?;
        }
        Ok(())
    }

    fn events(&self) -> &ClientEvents {
        &self.consumer.context().client
    }

    /// True when the event ends the wait for the first record.
    fn take(
        &mut self,
        event: KafkaResult<BorrowedMessage<'_>>,
        records: &mut Vec<Record>,
        bytes: &mut usize,
    ) -> bool {
        match event {
            Ok(message) => {
                self.group.passed(message.partition(), message.offset());
                *bytes += message.payload_len() + message.key_len();
                records.push(record(&self.topic, &message));
                true
            }
            Err(KafkaError::PartitionEOF(partition)) => {
                self.group.ended(partition);
                self.group.is_at_end()
            }
            // `ClientEvents` has heard of it, and librdkafka goes on trying.
            Err(error) if is_about_connection(&error) => false,
            Err(error) => {
                self.late = Some(self.classify(&error));
                true
            }
        }
    }

    fn classify(&mut self, error: &KafkaError) -> SourceError {
        let topic = &self.topic;
        match error.rdkafka_error_code() {
            Some(Code::UnknownTopicOrPartition | Code::UnknownTopic) => {
                let text = format!("topic `{topic}` does not exist; create it, or correct `topic`");
                self.problem = Some(text.clone());
                SourceError::Transient(text)
            }
            Some(Code::TopicAuthorizationFailed) => SourceError::Permanent(format!(
                "the broker does not let this user read topic `{topic}`; grant READ and DESCRIBE on it"
            )),
            Some(Code::GroupAuthorizationFailed) => SourceError::Permanent(
                "the broker does not let this user join the consumer group; grant READ on `group`".to_owned(),
            ),
            _ if matches!(error, KafkaError::MessageConsumptionFatal(_)) => {
                SourceError::Permanent(format!("topic `{topic}`: {error}"))
            }
            _ => SourceError::Transient(format!("topic `{topic}`: {error}")),
        }
    }

    /// What a call without records has to say.
    fn outcome(&mut self) -> Result<(), SourceError> {
        if let Some(error) = self.late.take() {
            return Err(error);
        }
        // The broker's users may be mended while we wait, and who reads must go on with its other work until then.
        if let Some(text) = self.events().refusal() {
            return Err(SourceError::Transient(text));
        }
        if self.group.has_partitions() {
            self.problem = None;
        }
        match &self.problem {
            Some(text) => Err(SourceError::Transient(text.clone())),
            None => Ok(()),
        }
    }
}

impl Source for KafkaSource {
    async fn next(&mut self, wait: Duration) -> Result<Batch, SourceError> {
        self.start().map_err(|error| self.classify(&error))?;
        let consumer = Arc::clone(&self.consumer);
        let deadline = Instant::now() + wait;
        let (mut records, mut bytes) = (Vec::new(), 0);
        while let Ok(event) = timeout_at(deadline, consumer.recv()).await {
            if self.take(event, &mut records, &mut bytes) {
                break;
            }
        }
        // What librdkafka has fetched already is there without a wait.
        while records.len() < BATCH_RECORDS_MAX && bytes < BATCH_BYTES_MAX && self.late.is_none() {
            let Some(event) = consumer.recv().now_or_never() else { break };
            self.take(event, &mut records, &mut bytes);
        }
        if records.is_empty() {
            self.outcome()?;
        }
        let events = self.events();
        let is_current = events.is_connected() && events.connects() == self.connection;
        Ok(Batch { records, is_caught_up: is_current && self.group.is_at_end() })
    }

    fn seek(&mut self, positions: &[Position]) {
        self.group.seek(positions);
        self.is_moved = true;
    }

    async fn commit(&mut self, positions: &[Position]) -> Result<(), SourceError> {
        let list = self.group.committed(positions).map_err(|error| self.classify(&error))?;
        if list.count() > 0 {
            self.consumer.commit(&list, CommitMode::Async).map_err(|error| self.classify(&error))?;
        }
        match self.group.commit_failure() {
            Some(reason) => Err(SourceError::Transient(format!("topic `{}`: {reason}", self.topic))),
            None => Ok(()),
        }
    }
}

fn record(topic: &Arc<str>, message: &BorrowedMessage<'_>) -> Record {
    Record {
        topic: Arc::clone(topic),
        partition: message.partition(),
        offset: message.offset(),
        timestamp: Timestamp::from_millis(message.timestamp().to_millis().unwrap_or_default()),
        key: message.key().map(Bytes::copy_from_slice),
        payload: message.payload().map(Bytes::copy_from_slice).unwrap_or_default(),
    }
}

/// Errors that librdkafka repairs by itself and that [`ClientEvents`] reports.
fn is_about_connection(error: &KafkaError) -> bool {
    matches!(
        error.rdkafka_error_code(),
        Some(
            Code::AllBrokersDown
                | Code::BrokerTransportFailure
                | Code::Resolve
                | Code::OperationTimedOut
                | Code::RequestTimedOut
                | Code::SSL
                | Code::Authentication
                | Code::SaslAuthenticationFailed
        )
    )
}
