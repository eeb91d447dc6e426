//! Metrics that are declared before they are counted.
//!
//! Enters: a crate's table of [`Declaration`]s. Leaves: counters, gauges and histograms for the code, OpenMetrics text
//! for Prometheus, a Markdown table for the docs. Never: a name that is not in a table, a label without a bound.
//!
//! Each crate has one file, `metric.rs`, with the table, and a struct of handles made from it:
//!
//! ```
//! use daemon::metric::{Counter, CounterBy, Declaration, Label, Metrics};
//!
//! const ACKED: Declaration = Declaration::counter("shipper_records_acked", "records", "The broker has them.");
//! const DROPPED: Declaration = Declaration::counter("shipper_records_dropped", "records", "Dropped, by reason.")
//!     .by(&[Label::closed("reason", &["filtered", "budget"])]);
//! /// All of the crate's metrics, in the order of the docs.
//! pub const TABLE: &[Declaration] = &[ACKED, DROPPED];
//!
//! struct Counts {
//!     acked: Counter,
//!     dropped: CounterBy,
//! }
//!
//! let metrics = Metrics::new();
//! let counts = Counts { acked: metrics.counter(&ACKED), dropped: metrics.counter_by(&DROPPED) };
//! counts.acked.inc_by(3);
//! counts.dropped.with(&["budget"]).inc();
//! assert!(metrics.encode().contains("shipper_records_dropped_total{reason=\"budget\"} 1"));
//! assert!(daemon::metric::document(TABLE).contains("| `shipper_records_acked_total` |"));
//! ```

use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use prometheus_client::encoding::text;
use prometheus_client::metrics::family::{Family, MetricConstructor};
use prometheus_client::registry::{Metric, Registry};

mod declaration;

pub use declaration::{Declaration, Kind, Label, Values, document};

/// A number that only grows. Clones share it; `inc()` and `inc_by(n)` are one atomic addition.
pub type Counter = prometheus_client::metrics::counter::Counter;
/// A number that goes up and down: `set(v)`, `inc()`, `dec()`.
pub type Gauge = prometheus_client::metrics::gauge::Gauge<f64, AtomicU64>;
/// Counts by size: `observe(v)`.
pub type Histogram = prometheus_client::metrics::histogram::Histogram;

/// Counters, one for each set of label values.
pub type CounterBy = By<Counter, fn() -> Counter>;
/// Gauges, one for each set of label values.
pub type GaugeBy = By<Gauge, fn() -> Gauge>;
/// Histograms, one for each set of label values.
pub type HistogramBy = By<Histogram, Buckets>;

/// Series of one metric at most; what comes after them is counted under the value [`OTHER`].
pub const SERIES_MAX: usize = 2000;
/// The label value of what has no series of its own.
pub const OTHER: &str = "other";

type Labels = Vec<(&'static str, String)>;

/// The metrics of one process; clones share them.
#[derive(Debug, Clone, Default)]
pub struct Metrics {
    registry: Arc<Mutex<Registry>>,
}

impl Metrics {
    /// None yet.
    #[must_use]
    pub fn new() -> Self {
        Metrics::default()
    }

    /// A counter without labels.
    #[must_use]
    pub fn counter(&self, declaration: &Declaration) -> Counter {
        self.register(declaration, Counter::default())
    }

    /// A gauge without labels.
    #[must_use]
    pub fn gauge(&self, declaration: &Declaration) -> Gauge {
        self.register(declaration, Gauge::default())
    }

    /// A histogram without labels.
    #[must_use]
    pub fn histogram(&self, declaration: &Declaration) -> Histogram {
        self.register(declaration, Histogram::new(declaration.buckets.iter().copied()))
    }

    /// Counters by the declaration's labels. Where all of these are closed, every series is there from the start, at 0:
    /// a rate over a series that appears with its first event would miss that event.
    #[must_use]
    pub fn counter_by(&self, declaration: &Declaration) -> CounterBy {
        let counters: CounterBy = self.family(declaration, Counter::default);
        for values in combinations(declaration.labels).unwrap_or_default() {
            let _ = counters.with(&values);
        }
        counters
    }

    /// Gauges by the declaration's labels.
    #[must_use]
    pub fn gauge_by(&self, declaration: &Declaration) -> GaugeBy {
        self.family(declaration, Gauge::default)
    }

    /// Histograms by the declaration's labels.
    #[must_use]
    pub fn histogram_by(&self, declaration: &Declaration) -> HistogramBy {
        self.family(declaration, Buckets(declaration.buckets))
    }

    /// All metrics as OpenMetrics text.
    #[must_use]
    pub fn encode(&self) -> String {
        let mut page = String::new();
        // Writing to a string cannot fail.
        let _ = text::encode(&mut page, &self.registry.lock().unwrap_or_else(PoisonError::into_inner));
        page
    }

    fn family<M, C>(&self, declaration: &Declaration, constructor: C) -> By<M, C>
    where
        Family<Labels, M, C>: Metric + Clone,
        C: Clone,
    {
        let family = self.register(declaration, Family::new_with_constructor(constructor));
        By { family, labels: declaration.labels, series: Arc::default() }
    }

    fn register<M: Metric + Clone>(&self, declaration: &Declaration, metric: M) -> M {
        let mut registry = self.registry.lock().unwrap_or_else(PoisonError::into_inner);
        // The encoder ends the help text with a full stop of its own.
        registry.register(declaration.name, declaration.meaning.trim_end_matches('.'), metric.clone());
        metric
    }
}

/// Every combination of the labels' values; none when a label is open.
fn combinations(labels: &[Label]) -> Option<Vec<Vec<&'static str>>> {
    labels.iter().try_fold(vec![Vec::new()], |found, label| {
        let Values::Closed(values) = label.values else { return None };
        let longer = found.iter().flat_map(|values_before: &Vec<&'static str>| {
            values.iter().map(|value| [values_before.as_slice(), &[*value]].concat())
        });
        Some(longer.collect())
    })
}

/// Makes histograms with a declaration's buckets.
#[derive(Debug, Clone, Copy)]
pub struct Buckets(&'static [f64]);

impl MetricConstructor<Histogram> for Buckets {
    fn new_metric(&self) -> Histogram {
        Histogram::new(self.0.iter().copied())
    }
}

/// Metrics of one name, told apart by their labels. Clones share them.
#[derive(Debug)]
pub struct By<M, C> {
    family: Family<Labels, M, C>,
    labels: &'static [Label],
    series: Arc<AtomicUsize>,
}

impl<M, C: Clone> Clone for By<M, C> {
    fn clone(&self) -> Self {
        By { family: self.family.clone(), labels: self.labels, series: Arc::clone(&self.series) }
    }
}

impl<M: Clone, C: MetricConstructor<M>> By<M, C> {
    /// The metric for these label values, in the order of the declaration. Keep what it returns where it is used
    /// often: each call looks the values up. A value outside its closed set, a value too many, and the series after
    /// [`SERIES_MAX`] count under [`OTHER`].
    #[must_use]
    pub fn with(&self, values: &[&str]) -> M {
        let mut set = self.named(|index, label| {
            let value = values.get(index).copied().unwrap_or(OTHER);
            if label.allows(value) { value } else { OTHER }
        });
        if self.family.get(&set).is_none() && self.series.fetch_add(1, Ordering::Relaxed) >= SERIES_MAX {
            self.series.fetch_sub(1, Ordering::Relaxed);
            set = self.named(|_, _| OTHER);
        }
        self.family.get_or_create_owned(&set)
    }

    /// Forgets the series of these label values, for what is gone: a file, a partition.
    pub fn forget(&self, values: &[&str]) {
        if self.family.remove(&self.named(|index, _| values.get(index).copied().unwrap_or(OTHER))) {
            self.series.fetch_sub(1, Ordering::Relaxed);
        }
    }

    fn named<'v>(&self, value: impl Fn(usize, &Label) -> &'v str) -> Labels {
        self.labels
            .iter()
            .enumerate()
            .map(|(index, label)| (label.name, value(index, label).to_owned()))
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PLAIN: Declaration = Declaration::counter("things", "things", "All things.");
    const BY: Declaration = Declaration::counter("things_by", "things", "Things.")
        .by(&[Label::closed("reason", &["good", "bad"]), Label::open("file", "the file's path")]);
    const LAG: Declaration = Declaration::gauge("lag_seconds", "seconds", "How far behind.");
    const TOOK: Declaration = Declaration::histogram("took_seconds", "seconds", "How long.", &[0.1, 1.0]);

    #[test]
    fn the_page_has_what_was_counted() {
        let metrics = Metrics::new();
        let by = metrics.counter_by(&BY);
        metrics.counter(&PLAIN).inc_by(2);
        by.with(&["good", "/a"]).inc();
        by.with(&["ugly", "/b"]).inc();
        by.with(&["bad", "/c"]).inc();
        by.forget(&["bad", "/c"]);
        metrics.gauge(&LAG).set(1.5);
        metrics.histogram(&TOOK).observe(0.5);
        let page = metrics.encode();
        let mut lines: Vec<&str> = page.lines().filter(|line| !line.starts_with('#')).collect();
        lines.sort_unstable();
        insta::assert_snapshot!(lines.join("\n"), @r#"
        lag_seconds 1.5
        things_by_total{reason="good",file="/a"} 1
        things_by_total{reason="other",file="/b"} 1
        things_total 2
        took_seconds_bucket{le="+Inf"} 1
        took_seconds_bucket{le="0.1"} 0
        took_seconds_bucket{le="1.0"} 1
        took_seconds_count 1
        took_seconds_sum 0.5
        "#);
    }

    #[test]
    fn closed_series_are_there_before_their_first_event() {
        const CLOSED: Declaration = Declaration::counter("sends", "sends", "Sends.")
            .by(&[Label::closed("priority", &["P0", "P1"]), Label::closed("answer", &["yes", "no"])]);
        let metrics = Metrics::new();
        metrics.counter_by(&CLOSED).with(&["P0", "no"]).inc();
        let _ = metrics.counter_by(&BY);
        let page = metrics.encode();
        let mut lines: Vec<&str> = page.lines().filter(|line| !line.starts_with('#')).collect();
        lines.sort_unstable();
        insta::assert_snapshot!(lines.join("\n"), @r#"
        sends_total{priority="P0",answer="no"} 1
        sends_total{priority="P0",answer="yes"} 0
        sends_total{priority="P1",answer="no"} 0
        sends_total{priority="P1",answer="yes"} 0
        "#);
    }

    #[test]
    fn series_have_a_bound() {
        let metrics = Metrics::new();
        let by = metrics.counter_by(&BY);
        for file in 0..=SERIES_MAX {
            by.with(&["good", &file.to_string()]).inc();
        }
        let page = metrics.encode();
        assert!(page.contains(r#"things_by_total{reason="other",file="other"} 1"#));
        assert_eq!(page.lines().filter(|line| line.starts_with("things_by_total")).count(), SERIES_MAX + 1);
    }

    #[test]
    fn the_docs_come_from_the_same_table() {
        insta::assert_snapshot!(document(&[PLAIN, BY, LAG, TOOK]), @r"
        | metric | kind | unit | labels | meaning |
        |---|---|---|---|---|
        | `things_total` | counter | things |  | All things. |
        | `things_by_total` | counter | things | `reason`: good, bad; `file`: the file's path | Things. |
        | `lag_seconds` | gauge | seconds |  | How far behind. |
        | `took_seconds` | histogram | seconds |  | How long. |
        ");
    }
}
