//! What the shipper says of itself, into every partition of every topic.
//!
//! Enters: the sums of the file inputs, the time. Leaves: one record for each topic each `every`, behind the events that it speaks of.
//! Never: a wait for the output; a heartbeat that finds no room is counted and left out.

use std::fs;
use std::io;
use std::path::Path;
use std::time::Duration;

use daemon::{Clock, Shutdown};
use event::{Heartbeat, StreamId, Timestamp};

use crate::channel::{Parcel, Refused, Sender};
use crate::config::Config;
use crate::input::InputConfig;
use crate::input::file::FileTotals;
use crate::metric::ProbeMetrics;
use crate::output::OutputConfig;
use crate::route::{LaneSet, Lanes};

/// What stays the same in every heartbeat of a run.
#[derive(Debug, Clone)]
pub struct Identity {
    host: String,
    agent: String,
    every: Duration,
    services: Vec<String>,
    /// What was read lies in this process's queue before the heartbeat. The alerter has it although the indexer, which
    /// has to make it durable too, may be far behind: a search that is away must not hold decisions back.
    is_queued: bool,
}

impl Identity {
    /// Of a shipper with this configuration; `agent` names the installation, see [`agent_id`].
    #[must_use]
    pub fn new(config: &Config, agent: String) -> Self {
        let mut services: Vec<String> =
            config.inputs.iter().filter_map(InputConfig::service).map(str::to_owned).collect();
        services.sort_unstable();
        services.dedup();
        Identity {
            host: config.host(),
            agent,
            every: config.heartbeat.every.0,
            services,
            is_queued: matches!(config.output, OutputConfig::Queue(_)),
        }
    }

    /// `host.name`.
    #[must_use]
    pub fn host(&self) -> &str {
        &self.host
    }

    /// `agent.id`.
    #[must_use]
    pub fn agent(&self) -> &str {
        &self.agent
    }

    /// Time between two heartbeats.
    #[must_use]
    pub fn every(&self) -> Duration {
        self.every
    }

    /// The heartbeat's record for the topic of these lanes. Whoever reads a topic waits for what is missing there; records
    /// that another topic does not take are none of its business. The sums of the ledger are those of the shipper.
    #[must_use]
    pub fn record(&self, totals: &FileTotals, lanes: LaneSet, at: Timestamp) -> Vec<u8> {
        let heartbeat = Heartbeat {
            host: self.host.clone(),
            agent: self.agent.clone(),
            at,
            every: self.every,
            services: self.services.clone(),
            streams: totals.streams,
            backlog_bytes: totals.ledger.pending,
            oldest_unshipped: if self.is_queued { totals.unread_since } else { totals.behind_since(lanes) },
            ledger: totals.ledger,
        };
        let mut record = Vec::new();
        heartbeat.encode(&mut record);
        record
    }
}

/// Beats until `shutdown`; the first beat is at once, so that a restart is not a silence.
pub async fn run(
    identity: Identity,
    totals: impl Fn() -> FileTotals,
    sender: Sender,
    lanes: Lanes,
    metrics: ProbeMetrics,
    clock: Clock,
    shutdown: Shutdown,
) {
    let mut due = clock.now();
    loop {
        tokio::select! {
            () = shutdown.cancelled() => return,
            () = clock.sleep_until(due) => {}
        }
        let now = clock.now();
        let totals = totals();
        for lane in lanes.topics() {
            let record = identity.record(&totals, lanes.sharing_topic(lane), now);
            match sender.offer(Parcel::Broadcast(lane, record)) {
                Ok(()) => {}
                Err(Refused::Full) => metrics.lost("heartbeat"),
                Err(Refused::Closed) => return,
            }
        }
        due = now.plus(identity.every);
    }
}

/// The installation's name: made at the first start, kept in the registry's folder. It survives a change of the host's
/// name, and two shippers on one host have two.
///
/// # Errors
/// What the system says of `folder`.
pub fn agent_id(folder: &Path, host: &str, now: Timestamp) -> io::Result<String> {
    let path = folder.join("agent-id");
    match fs::read_to_string(&path) {
        Ok(text) if text.trim().parse::<StreamId>().is_ok() => return Ok(text.trim().to_owned()),
        // A torn or foreign file is no name; the registry does not depend on it.
        Ok(_) => {}
        Err(error) if error.kind() == io::ErrorKind::NotFound => {}
        Err(error) => return Err(error),
    }
    let parts: [&[u8]; 3] =
        [host.as_bytes(), &now.as_nanos().to_le_bytes(), &std::process::id().to_le_bytes()];
    let id = StreamId::derive(&parts).to_string();
    fs::create_dir_all(folder)?;
    let fresh = folder.join("agent-id.new");
    fs::write(&fresh, &id)?;
    fs::File::open(&fresh)?.sync_all()?;
    fs::rename(&fresh, &path)?;
    Ok(id)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::route::LaneId;

    #[test]
    fn an_installation_keeps_its_name() {
        let folder = tempfile::tempdir().unwrap();
        let first = agent_id(folder.path(), "host", Timestamp::from_secs(1)).unwrap();
        assert_eq!(agent_id(folder.path(), "other", Timestamp::from_secs(2)).unwrap(), first);
        fs::write(folder.path().join("agent-id"), "torn").unwrap();
        let second = agent_id(folder.path(), "host", Timestamp::from_secs(3)).unwrap();
        assert_ne!(second, first);
        assert_eq!(agent_id(folder.path(), "host", Timestamp::from_secs(4)).unwrap(), second);
    }

    /// What a shipper with this output says that is unshipped, when everything is read and nothing is acknowledged.
    fn unshipped(output: &str, unread_since: Option<Timestamp>) -> Option<String> {
        let text = format!("inputs:\n  - file: {{ paths: [/a] }}\noutput: {{ {output} }}\n");
        let config: Config = daemon::config::parse("shipper.yml", &text).unwrap();
        let behind_since = Some(Timestamp::from_secs(60));
        let mut totals = FileTotals { behind_since, unread_since, ..FileTotals::default() };
        totals.lanes_behind_since[0] = behind_since;
        let identity = Identity::new(&config, "agent".to_owned());
        let record = identity.record(&totals, LaneSet::ALL, Timestamp::from_secs(100));
        let record: serde_json::Value = serde_json::from_slice(&record).unwrap();
        Some(record["watchfire"]["oldest_unshipped"].as_str()?.to_owned())
    }

    #[test]
    fn what_lies_in_the_queue_is_no_backlog() {
        let early = Timestamp::from_secs(60).to_string();
        let late = Timestamp::from_secs(90);
        assert_eq!(unshipped("queue: {}", None), None);
        assert_eq!(unshipped("queue: {}", Some(late)), Some(late.to_string()));
        assert_eq!(unshipped("stdout: {}", None), Some(early));
    }

    #[tokio::test]
    async fn beats_at_once_and_then_every_so_often() {
        let config: Config = daemon::config::parse(
            "shipper.yml",
            "host: web-1\ninputs:\n  - file: { paths: [/a], service: b }\n  - file: { paths: [/a], service: a }\n  - file: { paths: [/c], service: b }\noutput: { stdout: {} }\n",
        )
        .unwrap();
        let identity = Identity::new(&config, "agent".to_owned());
        let lanes = Lanes::single();
        let (sender, receiver) = crate::channel::channel(&lanes);
        let clock = Clock::manual(Timestamp::from_secs(100));
        let metrics = crate::metric::ShipperMetrics::new(&daemon::metric::Metrics::new()).probe;
        let totals = || FileTotals { streams: 7, ..FileTotals::default() };
        let task =
            tokio::spawn(run(identity, totals, sender, lanes, metrics, clock.clone(), Shutdown::new()));
        for secs in [100, 110, 120] {
            clock.set(Timestamp::from_secs(secs));
            let record = loop {
                if let Some(Parcel::Broadcast(_, record)) = receiver.take(LaneId::MAIN) {
                    break record;
                }
                tokio::task::yield_now().await;
            };
            let record: serde_json::Value = serde_json::from_slice(&record).unwrap();
            assert_eq!(record["watchfire"]["services"], serde_json::json!(["a", "b"]));
            assert_eq!(record["watchfire"]["streams"], 7);
            assert_eq!(record["host"]["name"], "web-1");
            assert_eq!(record["@timestamp"], Timestamp::from_secs(secs).to_string());
        }
        task.abort();
    }
}
