//! `output.kafka:`.
//!
//! Enters: the user's keys. Leaves: [`KafkaConfig`], and the settings of a producer that loses and reorders nothing.
//! Never: a key that weakens delivery; `acks`, idempotence and time-outs are not the user's to get wrong.

use std::collections::BTreeMap;
use std::time::Duration;

use daemon::kafka::{KafkaConfigError, Sasl, Tls};
use rdkafka::ClientConfig;
use schemars::JsonSchema;
use serde::Deserialize;
use yaml::{ByteSize, Span};

use super::recovery::{BATCH_BYTES_MIN, Session};
use crate::route::{Pace, check_topic};

/// Bytes of one record at most. Above every broker's own limit that is in use, so that the broker decides.
pub const RECORD_BYTES_MAX: usize = 16 << 20;
/// Records that all producers hold at most; each costs about 300 bytes beside its own.
const QUEUE_RECORDS_MAX: usize = 40_000;
/// Memory that a shipper may give to its producer.
const QUEUE_BYTES: std::ops::RangeInclusive<u64> = (1 << 20)..=(1 << 30);

/// Other names of fixed properties, and one that needs a protocol of its own.
const ALSO_FIXED: [&str; 5] = [
    "request.required.acks",
    "delivery.timeout.ms",
    "message.send.max.retries",
    "retries",
    "transactional.id",
];

/// What one lane has of the whole.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Share {
    linger: Duration,
    queue_bytes: u64,
    queue_records: usize,
}

/// Writes to Kafka.
#[derive(Debug, Clone, PartialEq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct KafkaConfig {
    /// Brokers to ask for the others, as `host:port`. One that answers is enough; name two or three.
    pub brokers: Vec<String>,
    /// The topic of all records for which an input names no other.
    pub topic: String,
    /// A topic for the loss ledger: one record for each file whose numbers have moved, at most once each
    /// `heartbeat.every`, and the heartbeats. When it is not set, the sums go with the heartbeats to the other topics
    /// alone. A control topic that is missing or denied holds up nothing but its own records.
    #[serde(default)]
    pub control_topic: Option<String>,
    /// The name that the brokers' logs and quotas know this client by.
    #[serde(default = "default_client_id")]
    pub client_id: String,
    /// Speak TLS.
    #[serde(default)]
    pub tls: Option<Tls>,
    /// Log in.
    #[serde(default)]
    pub sasl: Option<Sasl>,
    /// Further librdkafka properties, such as `socket.timeout.ms: 10000`; those that would weaken delivery are refused.
    #[serde(default)]
    pub options: BTreeMap<String, String>,
    /// How batches are compressed.
    #[serde(default)]
    pub compression: Compression,
    /// How long a batch waits to fill.
    #[serde(default = "default_linger")]
    pub linger: Span,
    /// Bytes of one batch before compression.
    #[serde(default = "default_batch_bytes")]
    pub batch_bytes: ByteSize,
    /// Bytes that wait for the broker's answer in memory; beyond them, reading stops. Different topics, urgent records
    /// and those of another pace have equal shares of it, so that none takes the others' room.
    #[serde(default = "default_queue_bytes")]
    pub queue_bytes: ByteSize,
    /// How a start after a crash finds out what the broker has already.
    #[serde(default)]
    pub resume: Resume,
}

/// What happens before the first record is sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Resume {
    /// After a crash, the ends of the partitions are read, for two seconds at least, and what is there is not sent again. The
    /// user needs Read on the topic beside Write and Describe; without it a warning is logged and `none` holds.
    #[default]
    Tail,
    /// Nothing is read. After a crash, the records of about the last second are sent again, under the same `event.id`.
    None,
}

/// A codec of Kafka.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Compression {
    /// Fast.
    #[default]
    Lz4,
    /// Smaller, for a little more time.
    Zstd,
    /// For old consumers.
    Gzip,
    /// For old consumers.
    Snappy,
    /// As it is.
    None,
}

impl Compression {
    fn name(self) -> &'static str {
        match self {
            Compression::Lz4 => "lz4",
            Compression::Zstd => "zstd",
            Compression::Gzip => "gzip",
            Compression::Snappy => "snappy",
            Compression::None => "none",
        }
    }
}

fn default_client_id() -> String {
    "watchfire-shipper".to_owned()
}

fn default_linger() -> Span {
    Span(Duration::from_millis(5))
}

fn default_batch_bytes() -> ByteSize {
    ByteSize(1_000_000)
}

fn default_queue_bytes() -> ByteSize {
    ByteSize(16 << 20)
}

impl KafkaConfig {
    /// Finds what cannot work.
    ///
    /// # Errors
    /// A text with the way out.
    pub fn check(&self) -> Result<(), String> {
        check_topic("output.kafka.topic", &self.topic)?;
        if let Some(topic) = &self.control_topic {
            check_topic("output.kafka.control_topic", topic)?;
            if *topic == self.topic {
                return Err(
                    "`output.kafka.control_topic` is the topic of the logs: name another one".to_owned()
                );
            }
        }
        if self.linger.0 > Duration::from_secs(60) {
            return Err("`output.kafka.linger` is above 60s: records would be late for every rule".to_owned());
        }
        if !(BATCH_BYTES_MIN..=RECORD_BYTES_MAX as u64).contains(&self.batch_bytes.0) {
            return Err("`output.kafka.batch_bytes` must be between 16KiB and 16MiB".to_owned());
        }
        if !QUEUE_BYTES.contains(&self.queue_bytes.0) || self.queue_bytes.0 < self.batch_bytes.0 {
            return Err(
                "`output.kafka.queue_bytes` must hold a batch and be between 1MiB and 1GiB".to_owned()
            );
        }
        if let Some(name) = self.options.keys().find(|name| ALSO_FIXED.contains(&name.as_str())) {
            return Err(format!(
                "`output.kafka.options.{name}`: remove it; the shipper sets it so that nothing is lost"
            ));
        }
        let session = Session { is_single: false, batch_bytes: self.batch_bytes.0 };
        self.producer(session, self.share(Pace::Normal, 1))
            .map(drop)
            .map_err(|error| format!("`output.kafka`: {error}"))
    }

    /// Finds out whether memory is enough for so many lanes.
    ///
    /// # Errors
    /// A text with the way out.
    pub fn check_lanes(&self, lanes: usize) -> Result<(), String> {
        let wanted = self.batch_bytes.0 * lanes as u64;
        if self.queue_bytes.0 < wanted {
            return Err(format!(
                "`output.kafka.queue_bytes` must hold a batch for each of the {lanes} different pairs of `topic`, \
                 `urgent` and `send`: write at least {}, or a smaller `batch_bytes`",
                ByteSize(wanted)
            ));
        }
        Ok(())
    }

    /// What one of so many lanes may have.
    pub(super) fn share(&self, pace: Pace, lanes: usize) -> Share {
        Share {
            linger: pace.linger(self.linger.0),
            queue_bytes: self.queue_bytes.0 / lanes.max(1) as u64,
            queue_records: QUEUE_RECORDS_MAX / lanes.max(1),
        }
    }

    /// The client's settings for one session of a lane.
    pub(super) fn producer(&self, session: Session, share: Share) -> Result<ClientConfig, KafkaConfigError> {
        let fixed = [
            ("enable.idempotence", "true"),
            // The first refusal stops the session: nothing of a stream overtakes what was refused.
            ("enable.gapless.guarantee", "true"),
            ("acks", "all"),
            // No time-out ever drops a record.
            ("message.timeout.ms", "0"),
            ("compression.codec", self.compression.name()),
            ("linger.ms", &share.linger.as_millis().to_string()),
            ("batch.size", &session.batch_bytes.to_string()),
            ("batch.num.messages", if session.is_single { "1" } else { "10000" }),
            ("message.max.bytes", &RECORD_BYTES_MAX.to_string()),
            ("queue.buffering.max.kbytes", &(share.queue_bytes / 1024).to_string()),
            ("queue.buffering.max.messages", &share.queue_records.to_string()),
        ];
        let defaults = [
            // A topic that is missing is said to be missing soon; records are held all the same.
            ("topic.metadata.propagation.max.ms", "10000"),
            // Each lane finds for itself that a broker is back; an urgent one must not be far behind another.
            ("reconnect.backoff.max.ms", "500"),
        ];
        self.connection().client(&defaults, &fixed)
    }

    /// The settings of a consumer that reads the ends of partitions: without a group that anybody joins.
    pub(super) fn reader(&self) -> Result<ClientConfig, KafkaConfigError> {
        let fixed = [
            // librdkafka asks for a name; no member ever has it.
            ("group.id", "watchfire-shipper-resume"),
            ("enable.auto.commit", "false"),
            ("enable.auto.offset.store", "false"),
            ("enable.partition.eof", "true"),
            // What retention has removed, and what a topic that was made anew never had, is looked for from its start on.
            ("auto.offset.reset", "earliest"),
            // Whatever stands on the broker counts; somebody else's open transaction must not hide it.
            ("isolation.level", "read_uncommitted"),
            ("allow.auto.create.topics", "false"),
        ];
        let defaults = [("queued.max.messages.kbytes", "8192"), ("statistics.interval.ms", "0")];
        self.connection().client(&defaults, &fixed)
    }

    fn connection(&self) -> daemon::kafka::KafkaConfig {
        daemon::kafka::KafkaConfig {
            brokers: self.brokers.clone(),
            client_id: self.client_id.clone(),
            tls: self.tls.clone(),
            sasl: self.sasl.clone(),
            options: self.options.clone(),
        }
    }
}
