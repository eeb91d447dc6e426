//! The record of one run.
//!
//! Enters: what a run saw. Leaves: a batch of one record, named as Heartbeat names such things. Never: a log level;
//! a probe that fails is no line in an error rate.

use std::time::Duration;

use event::fields::Monitor;
use event::{Encoder, Fields, Origin, Record, StreamId, Text, Timestamp};

use super::{Outcome, ProbeConfig, Start, Target};
use crate::batch::{Batch, Entry};

/// `event.dataset` of probe records.
pub const DATASET: &str = "probe";

/// Writes the records of one probe.
#[derive(Debug)]
pub struct Recorder {
    encoder: Encoder,
    name: String,
    kind: &'static str,
    url: String,
}

impl Recorder {
    /// For one probe of one host.
    #[must_use]
    pub fn new(config: &ProbeConfig, target: &Target, host: &str) -> Self {
        let origin = Origin {
            stream: StreamId::derive(&[b"probe", host.as_bytes(), config.name.as_bytes()]),
            host: host.to_owned(),
            service: config.service.clone(),
            path: None,
            dataset: DATASET.to_owned(),
            tags: config.tags.clone(),
            labels: config.labels.iter().map(|(name, value)| (name.clone(), value.clone())).collect(),
        };
        let kind = match target {
            Target::Http(_) => "http",
            Target::Tcp(_) => "tcp",
        };
        Recorder { encoder: Encoder::new(&origin), name: config.name.clone(), kind, url: config.url.clone() }
    }

    /// The record of the run that started `at`. Nobody waits for it, so it has no ticket.
    pub fn record(&mut self, start: Start, at: Timestamp, took: Duration, outcome: &Outcome) -> Batch {
        let millis = took.as_secs_f64() * 1000.0;
        let message = match (&outcome.failure, outcome.status) {
            (Some(reason), _) => format!("{} is down: {reason}", self.name),
            (None, Some(status)) => format!("{} is up: {status} in {millis:.1} ms", self.name),
            (None, None) => format!("{} is up: connected in {millis:.1} ms", self.name),
        };
        let fields = Fields {
            timestamp: Some(at),
            http_status: outcome.status,
            error_message: outcome.failure.as_deref().map(Text::Plain),
            duration_ns: u64::try_from(took.as_nanos()).ok(),
            monitor: Some(Monitor {
                id: &self.name,
                name: &self.name,
                kind: self.kind,
                is_up: outcome.failure.is_none(),
                duration_us: u64::try_from(took.as_micros()).unwrap_or(u64::MAX),
                url: &self.url,
            }),
            ..Fields::default()
        };
        let mut batch = Batch::default();
        let created = at.plus(took);
        self.encoder.encode(
            &Record { offset: start.run, text: &message, created, fields: &fields },
            &mut batch.bytes,
        );
        batch.entries.push(Entry {
            stream: self.encoder.origin().stream,
            ticket: None,
            start: 0,
            end: u32::try_from(batch.bytes.len()).unwrap_or(u32::MAX),
            timestamp_ms: at.as_millis(),
        });
        batch
    }
}
