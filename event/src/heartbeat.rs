//! What a shipper says of itself, through the same partitions as its events.
//!
//! Enters: counts of the shipper. Leaves: a record of its own dataset, and the counts again on the other side.
//! A missing heartbeat is a fact of its own: the alerter is blind there, which is not the same as silence.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::encode::{ECS_VERSION, Members};
use crate::{Event, Timestamp, Value};

/// `event.dataset` of heartbeat records.
pub const DATASET: &str = "watchfire.heartbeat";

/// One heartbeat. Serialized as ECS JSON: `host.name`, `agent.id` and `watchfire.*`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Heartbeat {
    /// `host.name`.
    pub host: String,
    /// `agent.id`: one shipper installation, stable across restarts.
    pub agent: String,
    /// `@timestamp`, by the shipper's clock.
    pub at: Timestamp,
    /// `watchfire.every_ms`: when to expect the next one.
    pub every: Duration,
    /// `watchfire.services`: the services whose logs or probes this shipper vouches for, sorted.
    pub services: Vec<String>,
    /// `watchfire.streams`: open streams.
    pub streams: u64,
    /// `watchfire.backlog_bytes`: bytes on disk that are not acked yet.
    pub backlog_bytes: u64,
    /// `watchfire.oldest_unshipped`: since when there has been a backlog.
    pub oldest_unshipped: Option<Timestamp>,
    /// `watchfire.ledger.*`.
    pub ledger: Ledger,
}

/// The loss ledger in bytes: `written = acked + filtered + lost + pending`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Ledger {
    /// Bytes that the streams hold, or held.
    pub written: u64,
    /// Bytes that the broker has acknowledged.
    pub acked: u64,
    /// Bytes that the user's own filters dropped.
    pub filtered: u64,
    /// Bytes that are gone, each counted with a reason.
    pub lost: u64,
    /// Bytes that are still to be shipped.
    pub pending: u64,
}

impl Heartbeat {
    /// Appends the heartbeat's JSON object to `out`.
    pub fn encode(&self, out: &mut Vec<u8>) {
        out.push(b'{');
        let mut members = Members::new(out);
        members.time("@timestamp", self.at);
        members.object("event", |event| event.plain("dataset", DATASET));
        members.object("host", |host| host.plain("name", &self.host));
        members.object("agent", |agent| {
            agent.plain("type", "watchfire");
            agent.plain("id", &self.agent);
        });
        members.object("ecs", |ecs| ecs.plain("version", ECS_VERSION));
        members.object("watchfire", |watchfire| {
            watchfire.number("every_ms", u64::try_from(self.every.as_millis()).unwrap_or(u64::MAX));
            watchfire.array("services", |services| {
                self.services.iter().for_each(|service| services.element(service));
            });
            watchfire.number("streams", self.streams);
            watchfire.number("backlog_bytes", self.backlog_bytes);
            if let Some(oldest) = self.oldest_unshipped {
                watchfire.time("oldest_unshipped", oldest);
            }
            watchfire.object("ledger", |ledger| {
                for (name, bytes) in self.ledger.entries() {
                    ledger.number(name, bytes);
                }
            });
        });
        members.close();
    }

    /// The heartbeat in `event`; `None` when it is no heartbeat.
    #[must_use]
    pub fn from_event(event: &Event) -> Option<Self> {
        if event.text("event.dataset") != Some(DATASET) {
            return None;
        }
        let services = event.values("watchfire.services").filter_map(|value| match value {
            Value::Text(name) => Some(name.to_owned()),
            _ => None,
        });
        let ledger = |name: &str| count(event, &format!("watchfire.ledger.{name}"));
        Some(Heartbeat {
            host: event.text("host.name")?.to_owned(),
            agent: event.text("agent.id")?.to_owned(),
            at: event.timestamp(),
            every: Duration::from_millis(count(event, "watchfire.every_ms")?),
            services: services.collect(),
            streams: count(event, "watchfire.streams")?,
            backlog_bytes: count(event, "watchfire.backlog_bytes")?,
            oldest_unshipped: event
                .text("watchfire.oldest_unshipped")
                .and_then(|text| Timestamp::parse(text).ok()),
            ledger: Ledger {
                written: ledger("written")?,
                acked: ledger("acked")?,
                filtered: ledger("filtered")?,
                lost: ledger("lost")?,
                pending: ledger("pending")?,
            },
        })
    }
}

impl Ledger {
    /// Both together.
    #[must_use]
    pub fn plus(self, other: Ledger) -> Ledger {
        Ledger {
            written: self.written + other.written,
            acked: self.acked + other.acked,
            filtered: self.filtered + other.filtered,
            lost: self.lost + other.lost,
            pending: self.pending + other.pending,
        }
    }

    fn entries(&self) -> [(&'static str, u64); 5] {
        [
            ("written", self.written),
            ("acked", self.acked),
            ("filtered", self.filtered),
            ("lost", self.lost),
            ("pending", self.pending),
        ]
    }
}

/// A whole number that is not negative; exact, where [`Event::number`] would round it to a double.
fn count(event: &Event, path: &str) -> Option<u64> {
    match event.value(path)? {
        Value::Int(number) => u64::try_from(number).ok(),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::decode::{Received, decode};

    fn read(payload: &[u8]) -> Option<Heartbeat> {
        let mut event = Event::default();
        let timestamp = Timestamp::EPOCH;
        decode(&Received { topic: "logs", partition: 0, offset: 0, timestamp, payload }, &mut event);
        Heartbeat::from_event(&event)
    }

    fn sample() -> Heartbeat {
        Heartbeat {
            host: "web-1".to_owned(),
            agent: "0f3a".to_owned(),
            at: Timestamp::from_millis(1_795_429_845_123),
            every: Duration::from_secs(10),
            services: vec!["cart".to_owned(), "check \"out\"".to_owned()],
            streams: 3,
            backlog_bytes: 1 << 60,
            oldest_unshipped: Some(Timestamp::from_secs(1_795_429_800)),
            ledger: Ledger { written: 10, acked: 6, filtered: 1, lost: 1, pending: 2 },
        }
    }

    #[test]
    fn reads_back_what_it_wrote() {
        let idle = Heartbeat { services: vec![], oldest_unshipped: None, ..sample() };
        for heartbeat in [sample(), idle] {
            let mut payload = Vec::new();
            heartbeat.encode(&mut payload);
            assert_eq!(read(&payload), Some(heartbeat));
        }
    }

    #[test]
    fn takes_nothing_else_for_a_heartbeat() {
        assert_eq!(read(b"plain text"), None);
        assert_eq!(read(br#"{"event":{"dataset":"log"},"host":{"name":"a"},"agent":{"id":"b"}}"#), None);
        assert_eq!(read(br#"{"event":{"dataset":"watchfire.heartbeat"},"host":{"name":"a"}}"#), None);
    }
}
