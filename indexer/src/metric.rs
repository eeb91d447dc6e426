//! Everything that the indexer counts.
//!
//! Enters: what the core decided. Leaves: the numbers at `/metrics`. Never: a label without a bound.

use daemon::metric::{Counter, CounterBy, Declaration, Gauge, Histogram, Label, Metrics};

use crate::core::Tally;

const DOCUMENTS: Declaration =
    Declaration::counter("indexer_documents_settled", "documents", "Documents by their fate.")
        .by(&[Label::closed("fate", &["indexed", "duplicate", "dead_lettered"])]);
const RETRIED: Declaration = Declaration::counter(
    "indexer_documents_retried",
    "documents",
    "Times that Elasticsearch refused a document for now and it was kept for another try.",
);
const REQUESTS: Declaration =
    Declaration::counter("indexer_bulk_requests", "requests", "Bulk requests by their result.")
        .by(&[Label::closed("result", &["answered", "unanswered"])]);
const BYTES: Declaration =
    Declaration::counter("indexer_bulk_bytes", "bytes", "Bytes of bulk requests, those that failed too.");
const BULK_BYTES_MAX: Declaration = Declaration::gauge(
    "indexer_bulk_bytes_max",
    "bytes",
    "The largest request that is sent: `bulk.bytes`, or less once Elasticsearch has refused one as too large.",
);
const SECONDS: Declaration = Declaration::histogram(
    "indexer_bulk_seconds",
    "seconds",
    "Time from a bulk request to its answer.",
    &[0.01, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0],
);
const PENDING: Declaration = Declaration::gauge(
    "indexer_pending_documents",
    "documents",
    "Documents that were read and are not settled yet.",
);
const PENDING_BYTES: Declaration =
    Declaration::gauge("indexer_pending_bytes", "bytes", "Bytes of the documents that are not settled yet.");
const LAG: Declaration = Declaration::gauge(
    "indexer_lag_seconds",
    "seconds",
    "Age of the oldest record that was read and is not settled yet.",
);

/// All of them, in the order of the docs.
pub const TABLE: &[Declaration] =
    &[DOCUMENTS, RETRIED, REQUESTS, BYTES, BULK_BYTES_MAX, SECONDS, PENDING, PENDING_BYTES, LAG];

/// The handles.
#[derive(Debug, Clone)]
pub struct IndexerMetrics {
    indexed: Counter,
    duplicate: Counter,
    dead_lettered: Counter,
    retried: Counter,
    requests: CounterBy,
    bytes: Counter,
    /// The largest request that is sent.
    pub bulk_bytes_max: Gauge,
    seconds: Histogram,
    /// Documents that are not settled.
    pub pending: Gauge,
    /// Their bytes.
    pub pending_bytes: Gauge,
    /// Age of the oldest of them.
    pub lag: Gauge,
}

impl IndexerMetrics {
    /// Registers them; once in a process.
    #[must_use]
    pub fn new(metrics: &Metrics) -> Self {
        let documents = metrics.counter_by(&DOCUMENTS);
        IndexerMetrics {
            indexed: documents.with(&["indexed"]),
            duplicate: documents.with(&["duplicate"]),
            dead_lettered: documents.with(&["dead_lettered"]),
            retried: metrics.counter(&RETRIED),
            requests: metrics.counter_by(&REQUESTS),
            bytes: metrics.counter(&BYTES),
            bulk_bytes_max: metrics.gauge(&BULK_BYTES_MAX),
            seconds: metrics.histogram(&SECONDS),
            pending: metrics.gauge(&PENDING),
            pending_bytes: metrics.gauge(&PENDING_BYTES),
            lag: metrics.gauge(&LAG),
        }
    }

    /// Counts what became of documents.
    pub fn settled(&self, tally: Tally) {
        self.indexed.inc_by(tally.indexed);
        self.duplicate.inc_by(tally.duplicate);
        self.dead_lettered.inc_by(tally.dead_lettered);
        self.retried.inc_by(tally.retried);
    }

    /// Counts one request.
    pub fn requested(&self, bytes: usize, is_answered: bool, took: std::time::Duration) {
        self.requests.with(&[if is_answered { "answered" } else { "unanswered" }]).inc();
        self.bytes.inc_by(bytes as u64);
        self.seconds.observe(took.as_secs_f64());
    }
}
