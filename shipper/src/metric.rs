//! Everything that the shipper counts.
//!
//! Enters: what inputs and outputs did. Leaves: the numbers at `/metrics`. Never: a label without a bound.

use daemon::metric::{Counter, CounterBy, Declaration, Gauge, Label, Metrics};

use crate::batch::{Batch, Fate, Settled};

const RECORDS: Declaration =
    Declaration::counter("shipper_output_records", "records", "Records that were handed to the output.");
const BYTES: Declaration =
    Declaration::counter("shipper_output_bytes", "bytes", "Bytes of records that were handed to the output.");
const SETTLED: Declaration =
    Declaration::counter("shipper_records_settled", "records", "Records by their fate.")
        .by(&[Label::closed("fate", &["acked", "dead_lettered"])]);
const PENDING: Declaration = Declaration::gauge(
    "shipper_output_pending_records",
    "records",
    "Records that the broker has not answered for.",
);
const RESENT: Declaration = Declaration::counter(
    "shipper_records_resent",
    "records",
    "Records that were sent again, after the producer had to start anew.",
);
const ALREADY_THERE: Declaration = Declaration::counter(
    "shipper_output_already_there",
    "records",
    "Records that the broker was found to have after a crash, and that were not sent again.",
);
const REFUSALS: Declaration = Declaration::counter(
    "shipper_output_refusals",
    "refusals",
    "Times that the broker refused what a retry of its client does not mend.",
)
.by(&[Label::closed("kind", &["setting", "record", "session"])]);
const PROBES: Declaration =
    Declaration::counter("shipper_probe_runs", "runs", "Runs of probes by their result.")
        .by(&[Label::closed("result", &["up", "down", "skipped"])]);
const LOST: Declaration = Declaration::counter(
    "shipper_records_lost",
    "records",
    "Records of no file that found no room in the output, or no time at the end.",
)
.by(&[Label::closed("kind", &["probe", "heartbeat", "ledger"])]);

/// The output's and the probes' metrics, in the order of the docs; the file input has its own table.
pub const TABLE: &[Declaration] =
    &[RECORDS, BYTES, SETTLED, PENDING, RESENT, ALREADY_THERE, REFUSALS, PROBES, LOST];

/// All of them.
#[derive(Debug, Clone)]
pub struct ShipperMetrics {
    /// The output's.
    pub output: OutputMetrics,
    /// The probes' and the heartbeat's.
    pub probe: ProbeMetrics,
}

impl ShipperMetrics {
    /// Registers them; once in a process.
    #[must_use]
    pub fn new(metrics: &Metrics) -> Self {
        let lost = metrics.counter_by(&LOST);
        ShipperMetrics {
            output: OutputMetrics::new(metrics, lost.clone()),
            probe: ProbeMetrics::new(metrics, lost),
        }
    }
}

/// What outputs count.
#[derive(Debug, Clone)]
pub struct OutputMetrics {
    records: Counter,
    bytes: Counter,
    acked: Counter,
    dead_lettered: Counter,
    pending: Gauge,
    /// Records that were sent again.
    pub resent: Counter,
    /// Records that the broker has already.
    pub already_there: Counter,
    refusals: CounterBy,
    lost: CounterBy,
}

impl OutputMetrics {
    fn new(metrics: &Metrics, lost: CounterBy) -> Self {
        let settled = metrics.counter_by(&SETTLED);
        OutputMetrics {
            records: metrics.counter(&RECORDS),
            bytes: metrics.counter(&BYTES),
            acked: settled.with(&["acked"]),
            dead_lettered: settled.with(&["dead_lettered"]),
            pending: metrics.gauge(&PENDING),
            resent: metrics.counter(&RESENT),
            already_there: metrics.counter(&ALREADY_THERE),
            refusals: metrics.counter_by(&REFUSALS),
            lost,
        }
    }

    /// A batch was handed to the output.
    pub fn taken(&self, batch: &Batch) {
        self.records.inc_by(batch.entries.len() as u64);
        self.bytes.inc_by(batch.bytes.len() as u64);
    }

    /// Fates became known.
    pub fn settled(&self, settled: &[Settled]) {
        let dead = settled.iter().filter(|settled| settled.fate == Fate::DeadLettered).count() as u64;
        self.dead_lettered.inc_by(dead);
        self.acked.inc_by(settled.len() as u64 - dead);
    }

    /// How many records have no fate yet.
    pub fn pending(&self, records: usize) {
        self.pending.set(records as f64);
    }

    /// A heartbeat found no room in a partition.
    pub fn heartbeat_lost(&self) {
        self.lost.with(&["heartbeat"]).inc();
    }

    /// The broker refused: `setting`, `record` or `session`.
    pub fn refused(&self, kind: &'static str) {
        self.refusals.with(&[kind]).inc();
    }
}

/// What probes and heartbeats count.
#[derive(Debug, Clone)]
pub struct ProbeMetrics {
    runs: CounterBy,
    lost: CounterBy,
}

impl ProbeMetrics {
    fn new(metrics: &Metrics, lost: CounterBy) -> Self {
        ProbeMetrics { runs: metrics.counter_by(&PROBES), lost }
    }

    /// A run ended.
    pub fn ran(&self, is_up: bool) {
        self.runs.with(&[if is_up { "up" } else { "down" }]).inc();
    }

    /// Runs fell out.
    pub fn skipped(&self, runs: u64) {
        self.runs.with(&["skipped"]).inc_by(runs);
    }

    /// A record found no room: `probe`, `heartbeat`, or a parcel of them: `ledger`.
    pub fn lost(&self, kind: &'static str) {
        self.lost.with(&[kind]).inc();
    }
}
