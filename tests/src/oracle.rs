//! What really reached the topic, judged by numbers that the test wrote into the lines.
//!
//! Enters: a topic of events whose messages end with `<stream> <sequence>`. Leaves: what is missing, doubled, torn
//! or out of order. Never: trust in the shipper's own counts.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use event::decode::Received;
use event::{Event, Timestamp};
use rdkafka::ClientConfig;
use rdkafka::consumer::{BaseConsumer, Consumer};
use rdkafka::message::Message;
use rdkafka::topic_partition_list::{Offset, TopicPartitionList};

/// Everything on a topic, decoded, by partition and offset.
///
/// # Panics
/// When the broker does not answer.
#[must_use]
pub fn read(brokers: &str, topic: &str) -> Vec<Event> {
    let mut records = Vec::new();
    Reader::new(brokers, topic).read(|place, event| records.push((place, event)));
    records.sort_unstable_by_key(|(place, _)| *place);
    records.into_iter().map(|(_, event)| event).collect()
}

/// Where a record lies.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Place {
    /// Its partition.
    pub partition: i32,
    /// Its offset there.
    pub offset: i64,
    /// Its Kafka timestamp, in milliseconds.
    pub stamp_ms: i64,
}

/// Reads a topic while it grows.
pub struct Reader {
    consumer: BaseConsumer,
    topic: String,
    /// By partition: the offset that comes next.
    next: BTreeMap<i32, i64>,
}

impl std::fmt::Debug for Reader {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Reader").field("topic", &self.topic).field("next", &self.next).finish_non_exhaustive()
    }
}

impl Reader {
    /// Begins at a topic's first records.
    ///
    /// # Panics
    /// When the settings are refused.
    #[must_use]
    pub fn new(brokers: &str, topic: &str) -> Self {
        let consumer: BaseConsumer = ClientConfig::new()
            .set("bootstrap.servers", brokers)
            .set("group.id", "oracle")
            .set("enable.auto.commit", "false")
            .set("fetch.wait.max.ms", "50")
            .create()
            .unwrap();
        let next = partitions(&consumer, topic).into_iter().map(|(id, (start, _))| (id, start)).collect();
        let reader = Reader { consumer, topic: topic.to_owned(), next };
        let mut assignment = TopicPartitionList::new();
        for id in reader.next.keys() {
            assignment.add_partition_offset(topic, *id, Offset::Beginning).unwrap();
        }
        reader.consumer.assign(&assignment).unwrap();
        reader
    }

    /// Gives every further record up to what are now the ends, with its place; how many there were.
    ///
    /// # Panics
    /// When the broker does not answer.
    pub fn read(&mut self, mut take: impl FnMut(Place, Event)) -> u64 {
        let ends = partitions(&self.consumer, &self.topic);
        let mut records = 0;
        while self.next.iter().any(|(id, next)| ends.get(id).is_some_and(|(_, end)| next < end)) {
            let Some(message) = self.consumer.poll(Duration::from_secs(10)) else {
                panic!("{}: nothing after {:?} of {ends:?}", self.topic, self.next);
            };
            let Ok(message) = message else { continue };
            let place = Place {
                partition: message.partition(),
                offset: message.offset(),
                stamp_ms: message.timestamp().to_millis().unwrap_or_default(),
            };
            self.next.insert(place.partition, place.offset + 1);
            take(place, decoded(&self.topic, &message));
            records += 1;
        }
        records
    }
}

/// The log lines on a topic: what is left without probes and heartbeats.
#[must_use]
pub fn messages(brokers: &str, topic: &str) -> Vec<String> {
    let is_line = |event: &&Event| event.value("log.offset").is_some();
    let events = read(brokers, topic);
    events.iter().filter(is_line).filter_map(|event| event.text("message").map(str::to_owned)).collect()
}

/// Partitions, each with where its records begin and end; nothing while the broker does not answer.
fn partitions(consumer: &BaseConsumer, topic: &str) -> BTreeMap<i32, (i64, i64)> {
    let patience = Duration::from_secs(10);
    let Ok(metadata) = consumer.fetch_metadata(Some(topic), patience) else { return BTreeMap::new() };
    let ids: Vec<i32> =
        metadata.topics()[0].partitions().iter().map(rdkafka::metadata::MetadataPartition::id).collect();
    ids.into_iter().map(|id| (id, consumer.fetch_watermarks(topic, id, patience).unwrap_or((0, 0)))).collect()
}

fn decoded(topic: &str, message: &impl Message) -> Event {
    let mut event = Event::default();
    let received = Received {
        topic,
        partition: message.partition(),
        offset: message.offset(),
        timestamp: Timestamp::from_millis(message.timestamp().to_millis().unwrap_or_default()),
        payload: message.payload().unwrap_or_default(),
    };
    event::decode::decode(&received, &mut event);
    event
}

/// The verdict on lines that end with `<stream> <sequence>`, sequences counting from 0 in each stream.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Verdict {
    /// Lines that were written and did not arrive.
    pub missing: Vec<(String, u64)>,
    /// Lines that arrived more than once.
    pub doubled: Vec<(String, u64)>,
    /// Messages that do not end with a stream and a number.
    pub torn: Vec<String>,
    /// Lines that arrived after a later line of their stream.
    pub out_of_order: Vec<(String, u64)>,
}

/// Judges `messages` against `written`: how many lines each stream has.
#[must_use]
pub fn judge(written: &BTreeMap<String, u64>, messages: &[String]) -> Verdict {
    let mut verdict = Verdict::default();
    let mut seen = BTreeSet::new();
    let mut latest: BTreeMap<String, u64> = BTreeMap::new();
    for message in messages {
        let Some(line) = numbered(message).filter(|(stream, _)| written.contains_key(stream)) else {
            verdict.torn.push(message.clone());
            continue;
        };
        if !seen.insert(line.clone()) {
            verdict.doubled.push(line);
            continue;
        }
        let last = latest.entry(line.0.clone()).or_default();
        if line.1 < *last {
            verdict.out_of_order.push(line);
        } else {
            *last = line.1;
        }
    }
    for (stream, count) in written {
        let all = (0..*count).map(|sequence| (stream.clone(), sequence));
        verdict.missing.extend(all.filter(|line| !seen.contains(line)));
    }
    verdict
}

fn numbered(message: &str) -> Option<(String, u64)> {
    let mut words = message.rsplit(' ');
    let sequence = words.next()?.parse().ok()?;
    Some((words.next()?.to_owned(), sequence))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(written: u64, arrived: &[&str], expected: &str) {
        let written = BTreeMap::from([("a".to_owned(), written)]);
        let arrived: Vec<String> = arrived.iter().map(|line| (*line).to_owned()).collect();
        let verdict = judge(&written, &arrived);
        let counts = [&verdict.missing, &verdict.doubled, &verdict.out_of_order].map(Vec::len);
        assert_eq!(format!("{counts:?} {}", verdict.torn.len()), expected, "{arrived:?}");
    }

    #[test]
    fn the_oracle_sees_each_kind_of_fault() {
        check(2, &["x a 0", "x a 1"], "[0, 0, 0] 0");
        check(3, &["x a 0", "x a 2"], "[1, 0, 0] 0");
        check(2, &["x a 0", "x a 0", "x a 1"], "[0, 1, 0] 0");
        check(2, &["x a 1", "x a 0"], "[0, 0, 1] 0");
        check(1, &["x a 0", "x b 0", "half"], "[0, 0, 0] 2");
    }
}
