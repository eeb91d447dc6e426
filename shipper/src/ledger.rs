//! The loss ledger of every file, on a topic of its own.
//!
//! Enters: the streams whose ledger has moved since it was last told. Leaves: one record for each of them, at most once each
//! heartbeat's time. Never: a wait for the output; a record that stands in the way of a log line, since the topic has a lane
//! of its own. What finds no room is told with the next change.
//!
//! ```json
//! {"@timestamp":"2026-11-28T03:00:01.000Z","event":{"dataset":"watchfire.ledger"},"host":{"name":"web-1"},
//!  "agent":{"type":"watchfire","id":"0f3a..."},"service":{"name":"checkout"},"log":{"file":{"path":"/var/log/a.log"}},
//!  "watchfire":{"stream":"6fd0...","presence":"present","oldest_unshipped":"2026-11-28T03:00:00.000Z",
//!   "ledger":{"written":10,"acked":6,"filtered":1,"lost":1,"pending":2},"losses":{"truncated":1}}}
//! ```
//! `written = acked + filtered + lost + pending`, in bytes since the stream began; `losses` has the reasons that lost
//! something. The key is the stream, so that a compacted topic keeps the last word on each file; the last record of a stream
//! that is done with says `ended`. The sums of the whole shipper come by its heartbeats, which go to this topic too.

use daemon::{Clock, Shutdown};
use event::Timestamp;
use serde_json::{Map, Value, json};

use crate::batch::{Batch, Entry};
use crate::channel::{Parcel, Refused, Sender};
use crate::heartbeat::Identity;
use crate::input::file::{Inbox, StreamStatus};
use crate::metric::ProbeMetrics;
use crate::route::LaneId;
use crate::status::StreamRow;

/// `event.dataset` of ledger records.
pub const DATASET: &str = "watchfire.ledger";
/// Records of one parcel at most.
const TOLD_MAX: usize = 200;
/// Room that one parcel may need; asked for before, because what was asked for counts as told.
const PARCEL_BYTES: usize = 224 << 10;
/// Parcels of one time at most; what is left has its turn the next time.
const PARCELS_MAX: usize = 25;

/// What telling needs.
#[derive(Debug)]
pub struct Deps {
    /// The way to the topic.
    pub lane: LaneId,
    /// Who tells, and how often.
    pub identity: Identity,
    /// Who knows.
    pub inbox: Inbox,
    /// The way to the output.
    pub sender: Sender,
    /// Counts what found no room.
    pub metrics: ProbeMetrics,
    /// Time.
    pub clock: Clock,
}

/// Tells until `shutdown`.
pub async fn run(deps: Deps, shutdown: Shutdown) {
    let mut due = deps.clock.now();
    loop {
        tokio::select! {
            () = shutdown.cancelled() => return,
            () = deps.clock.sleep_until(due) => {}
        }
        let now = deps.clock.now();
        if deps.tell(now).await.is_break() {
            return;
        }
        due = now.plus(deps.identity.every());
    }
}

impl Deps {
    async fn tell(&self, now: Timestamp) -> std::ops::ControlFlow<()> {
        for _ in 0..PARCELS_MAX {
            if self.sender.without_room(PARCEL_BYTES).has(self.lane) {
                break;
            }
            let Some(streams) = self.inbox.untold(TOLD_MAX).await else {
                return std::ops::ControlFlow::Break(());
            };
            if streams.is_empty() {
                break;
            }
            let is_last = streams.len() < TOLD_MAX;
            match self.sender.offer(Parcel::Batch(self.batch(streams, now))) {
                Ok(()) => {}
                Err(Refused::Full) => self.metrics.lost("ledger"),
                Err(Refused::Closed) => return std::ops::ControlFlow::Break(()),
            }
            if is_last {
                break;
            }
        }
        std::ops::ControlFlow::Continue(())
    }

    fn batch(&self, streams: Vec<StreamStatus>, now: Timestamp) -> Batch {
        let mut batch = Batch { lane: self.lane, ..Batch::default() };
        for stream in streams {
            let row = StreamRow::of(stream);
            let start = u32::try_from(batch.bytes.len()).unwrap_or(u32::MAX);
            batch.bytes.extend_from_slice(record(&row, &self.identity, now).to_string().as_bytes());
            let end = u32::try_from(batch.bytes.len()).unwrap_or(u32::MAX);
            let timestamp_ms = now.as_millis();
            batch.entries.push(Entry { stream: row.stream, ticket: None, start, end, timestamp_ms });
        }
        batch
    }
}

fn record(row: &StreamRow, identity: &Identity, now: Timestamp) -> Value {
    let losses = row.losses.entries().into_iter().filter(|(_, lost)| *lost > 0);
    let losses: Map<String, Value> = losses.map(|(reason, lost)| (reason.to_owned(), json!(lost))).collect();
    let mut record = json!({
        "@timestamp": now,
        "event": { "dataset": DATASET },
        "host": { "name": identity.host() },
        "agent": { "type": "watchfire", "id": identity.agent() },
        "log": { "file": { "path": row.path } },
        "ecs": { "version": event::encode::ECS_VERSION },
        "watchfire": {
            "stream": row.stream.to_string(),
            "presence": row.presence,
            "ledger": row.ledger,
            "losses": losses,
        },
    });
    if let Some(service) = &row.service {
        record["service"] = json!({ "name": service });
    }
    if let Some(since) = row.behind_since {
        record["watchfire"]["oldest_unshipped"] = json!(since);
    }
    record
}

#[cfg(test)]
mod tests {
    use event::StreamId;
    use event::heartbeat::Ledger;

    use super::*;
    use crate::input::file::Presence;
    use crate::registry::Losses;

    #[test]
    fn a_record_has_the_documented_shape() {
        let text = "host: web-1\ninputs: [{ file: { paths: [/a] } }]\noutput: { stdout: {} }\n";
        let config: crate::config::Config = daemon::config::parse("shipper.yml", text).unwrap();
        let identity = Identity::new(&config, "0f3a".to_owned());
        let row = StreamRow::of(StreamStatus {
            stream: StreamId::from_u128(0xab),
            path: "/var/log/a.log".into(),
            key: (1, 2),
            service: Some("checkout".to_owned()),
            presence: Presence::Present,
            is_open: true,
            size: 10,
            read: 9,
            offset: 8,
            is_caught_up: true,
            records: 2,
            ledger: Ledger { written: 10, acked: 6, filtered: 1, lost: 1, pending: 2 },
            losses: Losses { truncated: 1, ..Losses::default() },
            behind_since: Some(Timestamp::from_secs(1)),
            waits_for: None,
            error: None,
        });
        assert_eq!(
            record(&row, &identity, Timestamp::from_secs(2)),
            json!({
                "@timestamp": "1970-01-01T00:00:02.000Z",
                "event": { "dataset": "watchfire.ledger" },
                "host": { "name": "web-1" },
                "agent": { "type": "watchfire", "id": "0f3a" },
                "service": { "name": "checkout" },
                "log": { "file": { "path": "/var/log/a.log" } },
                "ecs": { "version": event::encode::ECS_VERSION },
                "watchfire": {
                    "stream": "000000000000000000000000000000ab",
                    "presence": "present",
                    "oldest_unshipped": "1970-01-01T00:00:01.000Z",
                    "ledger": { "written": 10, "acked": 6, "filtered": 1, "lost": 1, "pending": 2 },
                    "losses": { "truncated": 1 },
                },
            })
        );
    }
}
