//! The topic of a drill, seen from the other side.
//!
//! Enters: the user's connection. Leaves: a topic, its messages as they arrive, its end. Never: a topic of the user's that is
//! deleted, a message from before the drill.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use anyhow::{Context, bail};
use daemon::Clock;
use rdkafka::ClientConfig;
use rdkafka::admin::{AdminClient, AdminOptions, NewTopic, TopicReplication};
use rdkafka::client::DefaultClientContext;
use rdkafka::config::RDKafkaLogLevel;
use rdkafka::consumer::{BaseConsumer, Consumer};
use rdkafka::message::Message;
use rdkafka::topic_partition_list::{Offset, TopicPartitionList};
use rdkafka::types::RDKafkaErrorCode as Code;

use super::judge::Judge;

/// Partitions of a topic that the drill makes.
const PARTITIONS: i32 = 3;
/// How long the brokers may take to answer.
const ANSWER_MAX: Duration = Duration::from_secs(30);
/// How long they may take to say where a partition ends; then they are asked again.
const PATIENCE: Duration = Duration::from_secs(10);
/// How long one wait for a message lasts.
const POLL: Duration = Duration::from_millis(50);

fn admin(client: &ClientConfig) -> anyhow::Result<AdminClient<DefaultClientContext>> {
    quiet(client).create().context("kafka")
}

/// What goes wrong is told once, by the caller.
fn quiet(client: &ClientConfig) -> ClientConfig {
    let mut client = client.clone();
    client.set_log_level(RDKafkaLogLevel::Emerg);
    client
}

/// Makes the topic. Inside a runtime.
pub(super) async fn create(client: &ClientConfig, topic: &str) -> anyhow::Result<()> {
    let new = NewTopic::new(topic, PARTITIONS, TopicReplication::Fixed(-1));
    let options = AdminOptions::new().request_timeout(Some(ANSWER_MAX));
    let made = admin(client)?.create_topics([&new], &options).await.context("no broker answers")?;
    match made.into_iter().next() {
        None | Some(Ok(_)) => Ok(()),
        Some(Err((_, code))) => bail!(
            "the broker does not make topic `{topic}`: {code}; make one and name it with `--topic`, or let this user Create"
        ),
    }
}

/// Deletes the topic. Inside a runtime.
pub(super) async fn delete(client: &ClientConfig, topic: &str) -> anyhow::Result<()> {
    let options = AdminOptions::new().request_timeout(Some(ANSWER_MAX));
    let gone = admin(client)?.delete_topics(&[topic], &options).await.context("no broker answers")?;
    match gone.into_iter().next() {
        None | Some(Ok(_)) => Ok(()),
        Some(Err((_, code))) => bail!("{code}"),
    }
}

/// A reader of the topic, on a thread of its own.
#[derive(Debug)]
pub(super) struct Reader {
    stop: Arc<AtomicBool>,
    thread: JoinHandle<()>,
}

impl Reader {
    /// Gives everything that arrives from now on to `judge`.
    pub(super) fn start(
        client: &ClientConfig,
        topic: &str,
        judge: Arc<Mutex<Judge>>,
    ) -> anyhow::Result<Self> {
        let consumer: BaseConsumer = quiet(client)
            .set("group.id", "watchfire-prove")
            .set("enable.auto.commit", "false")
            .set("fetch.wait.max.ms", "50")
            .create()
            .context("kafka")?;
        let assignment = ends(&consumer, topic)?;
        consumer.assign(&assignment).context("kafka")?;
        let stop = Arc::new(AtomicBool::new(false));
        let asked = Arc::clone(&stop);
        let thread = std::thread::Builder::new().name("drill".to_owned()).spawn(move || {
            while !asked.load(Ordering::Acquire) {
                // An error is one of the connection, which the client mends.
                let Some(Ok(message)) = consumer.poll(POLL) else { continue };
                let record = message.payload().unwrap_or_default();
                let record: serde_json::Value = serde_json::from_slice(record).unwrap_or_default();
                // What has no message is a heartbeat.
                if let Some(text) = record["message"].as_str() {
                    let mut judge = judge.lock().unwrap_or_else(PoisonError::into_inner);
                    judge.handle(message.key().unwrap_or_default(), text, Clock::System.now());
                }
            }
        })?;
        Ok(Reader { stop, thread })
    }

    /// Reads no more.
    pub(super) fn end(self) {
        self.stop.store(true, Ordering::Release);
        // It has no panic of its own.
        let _ = self.thread.join();
    }
}

/// Where each partition ends now. A topic that was made a moment ago is not known to every broker at once.
fn ends(consumer: &BaseConsumer, topic: &str) -> anyhow::Result<TopicPartitionList> {
    let started = Instant::now();
    loop {
        match look(consumer, topic) {
            Err(_) if started.elapsed() < ANSWER_MAX => std::thread::sleep(POLL * 4),
            found => return found,
        }
    }
}

fn look(consumer: &BaseConsumer, topic: &str) -> anyhow::Result<TopicPartitionList> {
    let metadata = consumer.fetch_metadata(Some(topic), PATIENCE).context("no broker answers")?;
    let found = metadata.topics().first().context("the broker does not know the topic")?;
    if let Some(code) = found.error() {
        bail!("topic `{topic}`: {}", Code::from(code));
    }
    let mut list = TopicPartitionList::new();
    for partition in found.partitions() {
        let (_, end) =
            consumer.fetch_watermarks(topic, partition.id(), PATIENCE).context("no broker answers")?;
        list.add_partition_offset(topic, partition.id(), Offset::Offset(end))?;
    }
    if list.count() == 0 {
        bail!("topic `{topic}` has no partitions yet; try again");
    }
    Ok(list)
}
