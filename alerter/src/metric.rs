//! What the alerter counts.
//!
//! Enters: what the core did. Leaves: metrics. Never: a label that grows with the data; channels and rules are the
//! operator's own names.

use std::collections::BTreeMap;

use daemon::metric::{Counter, CounterBy, Declaration, Gauge, GaugeBy, Histogram, Label, Metrics};
use event::Timestamp;
use rules::rule::Priority;
use rules::{AlertState, Stats, Transition};

use crate::core::Core;
use crate::outbox::{Delivery, Verdict};

const PRIORITY: Label = Label::closed("priority", &["P0", "P1", "P2", "P3"]);
const CHANNEL: Label = Label::open("channel", "the channel's name in the configuration");

const RECORDS: Declaration =
    Declaration::counter("alerter_records", "records", "Records taken from the source.");
const BYTES: Declaration =
    Declaration::counter("alerter_records_bytes", "bytes", "Bytes of the records taken from the source.");
const BEHIND: Declaration = Declaration::gauge(
    "alerter_behind_seconds",
    "seconds",
    "Age of the last record that was taken, 0 when the source was read to its end.",
);
const ENGINE: Declaration =
    Declaration::counter("alerter_engine_events", "events", "What the rule engine made of events.").by(&[
        Label::closed(
            "result",
            &[
                "taken",
                "duplicate",
                "heartbeat",
                "matched",
                "late",
                "skewed",
                "ungrouped",
                "group_refused",
                "source_refused",
            ],
        ),
    ]);
const RENDER_ERRORS: Declaration = Declaration::counter(
    "alerter_render_errors",
    "transitions",
    "Templates that could not be rendered; the notification carried a fallback text.",
);
const STREAMS_EVICTED: Declaration = Declaration::counter(
    "alerter_streams_evicted",
    "streams",
    "Streams forgotten before their time, because there are more than `engine.streams_max`.",
);
const GROUPS: Declaration = Declaration::gauge("alerter_groups", "groups", "Groups that rules hold now.");
const SOURCES: Declaration = Declaration::gauge(
    "alerter_sources",
    "sources",
    "Shippers and hosts: known, not heard of, with a backlog, with a wrong clock.",
)
.by(&[Label::closed("state", &["known", "blind", "behind", "skewed"])]);
const TRANSITIONS: Declaration =
    Declaration::counter("alerter_transitions", "transitions", "Alerts that changed their state.")
        .by(&[PRIORITY, Label::closed("state", &["inactive", "pending", "firing", "resolved"])]);
const ALERTS: Declaration = Declaration::gauge(
    "alerter_alerts",
    "alerts",
    "Alerts that are pending or firing, by priority and state.",
)
.by(&[PRIORITY, Label::closed("state", &["pending", "firing"])]);
const ATTEMPTS: Declaration =
    Declaration::counter("alerter_attempts", "sends", "Answers of vendors, by kind.").by(&[
        CHANNEL,
        Label::closed("answer", &["delivered", "retry_after", "resign", "shrink", "permanent"]),
    ]);
const NOTIFICATIONS: Declaration = Declaration::counter(
    "alerter_notifications",
    "notifications",
    "Notifications that are over, by how they ended.",
)
.by(&[CHANNEL, Label::closed("verdict", &["delivered", "permanent", "gave_up", "superseded", "dropped"])]);
const DELIVERY: Declaration = Declaration::histogram(
    "alerter_delivery_seconds",
    "seconds",
    "Time from an alert's transition being seen to the vendor's having taken the notification.",
    &[0.1, 0.5, 1.0, 2.0, 5.0, 10.0, 30.0, 60.0, 300.0, 1800.0, 7200.0],
);
const OUTBOX: Declaration =
    Declaration::gauge("alerter_outbox_rows", "notifications", "Notifications that are not delivered yet.");
const OUTBOX_AGE: Declaration = Declaration::gauge(
    "alerter_outbox_oldest_seconds",
    "seconds",
    "Age of the oldest notification that is not delivered yet.",
);
const STATE_FAILURES: Declaration =
    Declaration::counter("alerter_state_failures", "writes", "Tries to save the state that failed.");
const RELOADS: Declaration =
    Declaration::counter("alerter_reloads", "reloads", "Configurations that were read again, by result.")
        .by(&[Label::closed("result", &["ok", "refused"])]);
const UNOBSERVED: Declaration = Declaration::counter(
    "alerter_unobserved",
    "events",
    "Transitions and deliveries that a watcher in the process was too slow for.",
);

/// All metrics, in the order of the docs.
pub const TABLE: &[Declaration] = &[
    RECORDS,
    BYTES,
    BEHIND,
    ENGINE,
    RENDER_ERRORS,
    STREAMS_EVICTED,
    GROUPS,
    SOURCES,
    TRANSITIONS,
    ALERTS,
    ATTEMPTS,
    NOTIFICATIONS,
    DELIVERY,
    OUTBOX,
    OUTBOX_AGE,
    STATE_FAILURES,
    RELOADS,
    UNOBSERVED,
];

/// The handles.
#[derive(Debug)]
pub struct Counts {
    records: Counter,
    bytes: Counter,
    behind: Gauge,
    engine: CounterBy,
    render_errors: Counter,
    streams_evicted: Counter,
    groups: Gauge,
    sources: GaugeBy,
    transitions: CounterBy,
    alerts: GaugeBy,
    attempts: CounterBy,
    notifications: CounterBy,
    delivery: Histogram,
    outbox: Gauge,
    outbox_age: Gauge,
    state_failures: Counter,
    reloads: CounterBy,
    unobserved: Counter,
    /// The engine's counters as they were counted last.
    stats: Stats,
}

impl Counts {
    /// Registers all of them.
    #[must_use]
    pub fn new(metrics: &Metrics) -> Self {
        Counts {
            records: metrics.counter(&RECORDS),
            bytes: metrics.counter(&BYTES),
            behind: metrics.gauge(&BEHIND),
            engine: metrics.counter_by(&ENGINE),
            render_errors: metrics.counter(&RENDER_ERRORS),
            streams_evicted: metrics.counter(&STREAMS_EVICTED),
            groups: metrics.gauge(&GROUPS),
            sources: metrics.gauge_by(&SOURCES),
            transitions: metrics.counter_by(&TRANSITIONS),
            alerts: metrics.gauge_by(&ALERTS),
            attempts: metrics.counter_by(&ATTEMPTS),
            notifications: metrics.counter_by(&NOTIFICATIONS),
            delivery: metrics.histogram(&DELIVERY),
            outbox: metrics.gauge(&OUTBOX),
            outbox_age: metrics.gauge(&OUTBOX_AGE),
            state_failures: metrics.counter(&STATE_FAILURES),
            reloads: metrics.counter_by(&RELOADS),
            unobserved: metrics.counter(&UNOBSERVED),
            stats: Stats::default(),
        }
    }

    /// A batch of the source.
    pub fn batch(&self, batch: &daemon::Batch, now: Timestamp) {
        self.records.inc_by(batch.records.len() as u64);
        self.bytes.inc_by(batch.records.iter().map(|record| record.payload.len() as u64).sum());
        if batch.is_caught_up {
            self.behind.set(0.0);
        } else if let Some(last) = batch.records.last() {
            self.behind.set(now.since(last.timestamp).as_secs_f64());
        }
    }

    /// An alert changed its state.
    pub fn transition(&self, transition: &Transition) {
        self.transitions.with(&[transition.priority.as_str(), transition.to.as_str()]).inc();
    }

    /// A vendor answered.
    pub fn attempt(&self, channel: &str, answer: &'static str) {
        self.attempts.with(&[channel, answer]).inc();
    }

    /// A notification is over.
    pub fn delivery(&self, delivery: &Delivery) {
        self.notifications.with(&[&delivery.channel, delivery.verdict.as_str()]).inc();
        if delivery.verdict == Verdict::Delivered {
            self.delivery.observe(delivery.at.since(delivery.queued_at).as_secs_f64());
        }
    }

    /// The state could not be saved.
    pub fn state_failed(&self) {
        self.state_failures.inc();
    }

    /// A configuration was read again.
    pub fn reload(&self, is_ok: bool) {
        self.reloads.with(&[if is_ok { "ok" } else { "refused" }]).inc();
    }

    /// A watcher missed something.
    pub fn unobserved(&self) {
        self.unobserved.inc();
    }

    /// What the core holds now.
    pub fn look(&mut self, core: &Core, now: Timestamp) {
        self.engine_stats(core.engine().stats());
        let mut alerts: BTreeMap<(Priority, AlertState), u32> = BTreeMap::new();
        for alert in core.engine().alerts() {
            *alerts.entry((alert.last.priority, alert.state)).or_default() += 1;
        }
        for priority in [Priority::P0, Priority::P1, Priority::P2, Priority::P3] {
            for state in [AlertState::Pending, AlertState::Firing] {
                let number = alerts.get(&(priority, state)).copied().unwrap_or(0);
                self.alerts.with(&[priority.as_str(), state.as_str()]).set(f64::from(number));
            }
        }
        let rows = core.outbox().rows().map(|(_, row)| row.queued_at);
        self.outbox.set(core.outbox().rows().count() as f64);
        self.outbox_age.set(rows.min().map_or(0.0, |oldest| now.since(oldest).as_secs_f64()));
    }

    fn engine_stats(&mut self, stats: Stats) {
        let before = self.stats;
        let results = [
            ("taken", stats.events, before.events),
            ("duplicate", stats.duplicates, before.duplicates),
            ("heartbeat", stats.heartbeats, before.heartbeats),
            ("matched", stats.matched, before.matched),
            ("late", stats.late, before.late),
            ("skewed", stats.skewed, before.skewed),
            ("ungrouped", stats.ungrouped, before.ungrouped),
            ("group_refused", stats.groups_refused, before.groups_refused),
            ("source_refused", stats.sources_refused, before.sources_refused),
        ];
        for (result, after, before) in results {
            self.engine.with(&[result]).inc_by(after.saturating_sub(before));
        }
        self.render_errors.inc_by(stats.render_errors.saturating_sub(before.render_errors));
        self.streams_evicted.inc_by(stats.streams_evicted.saturating_sub(before.streams_evicted));
        self.groups.set(stats.groups as f64);
        for (state, sources) in [
            ("known", stats.sources),
            ("blind", stats.blind),
            ("behind", stats.behind),
            ("skewed", stats.skewed_sources),
        ] {
            self.sources.with(&[state]).set(sources as f64);
        }
        self.stats = stats;
    }
}
