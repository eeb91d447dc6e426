//! What the file input counts.
//!
//! Enters: its totals, as often as they are published. Leaves: the numbers at `/metrics`. Never: a path as a label.

use daemon::metric::{Counter, CounterBy, Declaration, Gauge, Label, Metrics};

use super::status::FileTotals;

const STREAMS: Declaration = Declaration::gauge("shipper_file_streams", "streams", "Files that are known.");
const OPEN: Declaration = Declaration::gauge("shipper_file_open", "files", "Files that are held open.");
const FAILING: Declaration =
    Declaration::gauge("shipper_file_failing", "files", "Files that cannot be read now.");
const SKIPPED: Declaration = Declaration::gauge(
    "shipper_file_skipped",
    "entries",
    "Entries that match and are no files, or are too old.",
);
const PENDING: Declaration =
    Declaration::gauge("shipper_file_pending_bytes", "bytes", "Bytes on disk that are not acknowledged yet.");
const IN_FLIGHT: Declaration =
    Declaration::gauge("shipper_file_in_flight_bytes", "bytes", "Encoded records that have no fate yet.");
const ACKED: Declaration =
    Declaration::counter("shipper_file_acked_bytes", "bytes", "Bytes of files whose records the output has.");
const FILTERED: Declaration = Declaration::counter(
    "shipper_file_filtered_bytes",
    "bytes",
    "Bytes of files that are not to be shipped: empty lines, what lies before the start position, what processors leave \
     out, and levels that are switched off.",
);
const LOST: Declaration =
    Declaration::counter("shipper_file_lost_bytes", "bytes", "Bytes of files that are gone.").by(&[
        Label::closed(
            "reason",
            &["line_too_long", "truncated", "vanished", "dead_lettered", "over_budget", "unseen"],
        ),
    ]);
const PINNED: Declaration = Declaration::gauge(
    "shipper_file_pinned_bytes",
    "bytes",
    "Deleted files that are held until they are shipped; see `pinned`.",
);
const SPOOLED: Declaration = Declaration::gauge(
    "shipper_file_spooled_bytes",
    "bytes",
    "Compressed copies of deleted files in the registry's folder; see `pinned`.",
);
const MULTILINE_CUTS: Declaration = Declaration::counter(
    "shipper_file_multiline_cuts",
    "records",
    "Records that were cut because they reached `lines_max` or `bytes_max` of `multiline`; they are tagged `multiline_cut`.",
);
const LEFT_OUT: Declaration = Declaration::counter(
    "shipper_processor_left_out_records",
    "records",
    "Records of files that a processor left out; their bytes are among the filtered ones.",
)
.by(&[Label::closed("processor", &["drop", "rate_limit", "sample", "dedupe"])]);
const REDACTED: Declaration = Declaration::counter(
    "shipper_processor_redacted_records",
    "records",
    "Records in which `redact` replaced something.",
);
const KEYS_FORGOTTEN: Declaration = Declaration::counter(
    "shipper_processor_forgotten_keys",
    "keys",
    "Keys that a processor forgot before their windows ended, to make room for others.",
)
.by(&[Label::closed("processor", &["rate_limit", "dedupe"])]);

const SWITCHED_OFF: Declaration = Declaration::counter(
    "shipper_file_switched_off_records",
    "records",
    "Records of levels with `when: switched_on` that were left out while `shipper debug` was off; their bytes are among the filtered ones.",
);

/// The file input's metrics, in the order of the docs.
pub const TABLE: &[Declaration] = &[
    STREAMS,
    OPEN,
    FAILING,
    SKIPPED,
    PENDING,
    IN_FLIGHT,
    ACKED,
    FILTERED,
    LOST,
    PINNED,
    SPOOLED,
    MULTILINE_CUTS,
    LEFT_OUT,
    REDACTED,
    KEYS_FORGOTTEN,
    SWITCHED_OFF,
];

/// The handles.
#[derive(Debug, Clone)]
pub struct FileMetrics {
    streams: Gauge,
    open: Gauge,
    failing: Gauge,
    skipped: Gauge,
    pending: Gauge,
    in_flight: Gauge,
    acked: Counter,
    filtered: Counter,
    lost: CounterBy,
    pinned: Gauge,
    spooled: Gauge,
    multiline_cuts: Counter,
    left_out: CounterBy,
    redacted: Counter,
    keys_forgotten: CounterBy,
    switched_off: Counter,
}

impl FileMetrics {
    /// Registers them.
    #[must_use]
    pub fn new(metrics: &Metrics) -> Self {
        FileMetrics {
            streams: metrics.gauge(&STREAMS),
            open: metrics.gauge(&OPEN),
            failing: metrics.gauge(&FAILING),
            skipped: metrics.gauge(&SKIPPED),
            pending: metrics.gauge(&PENDING),
            in_flight: metrics.gauge(&IN_FLIGHT),
            acked: metrics.counter(&ACKED),
            filtered: metrics.counter(&FILTERED),
            lost: metrics.counter_by(&LOST),
            pinned: metrics.gauge(&PINNED),
            spooled: metrics.gauge(&SPOOLED),
            multiline_cuts: metrics.counter(&MULTILINE_CUTS),
            left_out: metrics.counter_by(&LEFT_OUT),
            redacted: metrics.counter(&REDACTED),
            keys_forgotten: metrics.counter_by(&KEYS_FORGOTTEN),
            switched_off: metrics.counter(&SWITCHED_OFF),
        }
    }

    /// Takes over `now`; counters move by what has come since `before`.
    #[expect(clippy::cast_precision_loss, reason = "a gauge is a float; sizes above 2^53 lose bytes")]
    pub fn publish(&self, before: &FileTotals, now: &FileTotals) {
        self.streams.set(now.streams as f64);
        self.open.set(now.files_open as f64);
        self.failing.set(now.failing as f64);
        self.skipped.set(now.skipped as f64);
        self.pending.set(now.ledger.pending as f64);
        self.in_flight.set(now.in_flight_bytes as f64);
        self.pinned.set(now.pinned_bytes as f64);
        self.spooled.set(now.spooled_bytes as f64);
        self.acked.inc_by(now.ledger.acked.saturating_sub(before.ledger.acked));
        self.filtered.inc_by(now.ledger.filtered.saturating_sub(before.ledger.filtered));
        self.multiline_cuts.inc_by(now.multiline_cuts.saturating_sub(before.multiline_cuts));
        self.switched_off.inc_by(now.switched_off.saturating_sub(before.switched_off));
        for ((reason, old), (_, new)) in before.losses.entries().into_iter().zip(now.losses.entries()) {
            self.lost.with(&[reason]).inc_by(new.saturating_sub(old));
        }
        let (old, new) = (&before.processed, &now.processed);
        self.redacted.inc_by(new.redacted.saturating_sub(old.redacted));
        for (processor, old, new) in [
            ("drop", old.dropped, new.dropped),
            ("rate_limit", old.limited, new.limited),
            ("sample", old.sampled_out, new.sampled_out),
            ("dedupe", old.repeated, new.repeated),
        ] {
            self.left_out.with(&[processor]).inc_by(new.saturating_sub(old));
        }
        for (processor, old, new) in [
            ("rate_limit", old.limit_keys_forgotten, new.limit_keys_forgotten),
            ("dedupe", old.dedupe_keys_forgotten, new.dedupe_keys_forgotten),
        ] {
            self.keys_forgotten.with(&[processor]).inc_by(new.saturating_sub(old));
        }
    }
}
