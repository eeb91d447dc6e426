//! Heartbeats: one record into every partition.
//!
//! Enters: the newest heartbeat. Leaves: a copy of it behind the events of each partition. Never: one that is late; a
//! newer one takes its place.

use std::time::Duration;

use event::Timestamp;
use rdkafka::producer::{BaseRecord, Producer};
use rdkafka::types::RDKafkaErrorCode as Code;

use super::lane::Lane;
use super::refusal::Kind;
use super::report;

/// How long the number of partitions is believed.
const PARTITIONS_FOR: Duration = Duration::from_secs(60);
/// How long until it is asked for again when the broker did not tell it.
const PARTITIONS_AGAIN: Duration = Duration::from_secs(2);
/// How long the broker may take to tell it.
const METADATA_WAIT: Duration = Duration::from_millis(1000);

impl Lane {
    /// The heartbeat into each partition, once it is known how many there are. A heartbeat is worth nothing later: a
    /// newer one takes its place, and a partition that has no room goes without.
    pub(super) fn beat(&mut self, now: Timestamp) {
        let Some(partitions) = self.partition_count(now) else { return };
        let (Some(producer), Some(record)) = (&self.producer, self.heartbeat.take()) else { return };
        for partition in 0..partitions {
            let heartbeat =
                BaseRecord::<[u8], [u8], usize>::with_opaque_to(&self.topic, report::opaque(None))
                    .partition(partition)
                    .payload(&record)
                    .timestamp(now.as_millis());
            match producer.send(heartbeat) {
                Ok(()) => self.in_flight += 1,
                Err((error, _)) => {
                    tracing::debug!(%error, partition, "no heartbeat");
                    self.metrics.heartbeat_lost();
                }
            }
        }
    }

    /// Asks the broker once in a while; it also tells whether the topic is there when there is nothing to send.
    fn partition_count(&mut self, now: Timestamp) -> Option<i32> {
        if let Some((count, until)) = self.partitions
            && now < until
        {
            return count;
        }
        // The client waits for an answer; while no broker is there, that would only make the other lanes wait.
        if !self.producer.as_ref()?.context().is_connected() {
            return None;
        }
        let found = self.fetch_partition_count();
        self.partitions = Some(match found {
            Ok(count) => (Some(count), now.plus(PARTITIONS_FOR)),
            Err(_) => (None, now.plus(PARTITIONS_AGAIN)),
        });
        match found {
            // Only an acknowledgement says that a refusal is over.
            Ok(_) if !self.is_refused => self.readiness.up(&self.part),
            Err(Some(code)) if Kind::of(code) == Kind::Setting => {
                self.readiness.down(&self.part, self.reason(code));
            }
            _ => {}
        }
        found.ok()
    }

    /// The number of partitions, or what the broker said instead; `None` when it said nothing.
    fn fetch_partition_count(&self) -> Result<i32, Option<Code>> {
        let client = self.producer.as_ref().ok_or(None)?.client();
        let metadata = client.fetch_metadata(Some(&self.topic), METADATA_WAIT).map_err(|_| None)?;
        let topic = metadata.topics().iter().find(|topic| topic.name() == &*self.topic).ok_or(None)?;
        match topic.error() {
            Some(error) => Err(Some(Code::from(error))),
            None => i32::try_from(topic.partitions().len()).ok().filter(|count| *count > 0).ok_or(None),
        }
    }
}
