//! The built-in alert `blind`: a shipper's heartbeat is missing although everything was read.
//!
//! Enters: a source that is not heard, or is heard again. Leaves: the transition that says so.
//! Never: an alert about a source that promised no heartbeat.

use event::Timestamp;
use jiff::tz::TimeZone;
use xxhash_rust::xxh3::xxh3_64;

use crate::rule::Priority;
use crate::settings::Settings;
use crate::source::{BEATS_MISSED_MAX, Beat, Source};
use crate::state::{Change, Observed, Timing};
use crate::template;
use crate::transition::{AlertState, Reason, Transition};

/// The name of the built-in rule.
pub const BLIND: &str = "blind";

/// The source's heartbeat is missing. `None` when the alert is off, or on already.
pub fn open(source: &mut Source, settings: &Settings) -> Option<Transition> {
    let (priority, beat, host) = (settings.blind?, source.beat?, source.name.host()?);
    let due = beat.at.plus(beat.every.saturating_mul(BEATS_MISSED_MAX));
    let observed = Observed::Holds { since: beat.at, reason: Reason::HeartbeatMissing };
    let change = source.alert.observe(due, observed, Timing::default())?;
    let said = transition((priority, host, beat), change, &settings.zone);
    source.last = Some(Box::new(said.clone()));
    Some(said)
}

/// The source's alert is over. `None` when it was not on.
pub fn close(source: &mut Source, at: Timestamp, reason: Reason, settings: &Settings) -> Option<Transition> {
    let priority = source.last.take()?.priority;
    let (beat, host) = (source.beat?, source.name.host()?);
    let change = source.alert.close(at, reason)?;
    Some(transition((priority, host, beat), change, &settings.zone))
}

/// Words a change of the alert of a host, with times in `zone`.
fn transition((priority, host, beat): (Priority, &str, Beat), change: Change, zone: &TimeZone) -> Transition {
    let (every, heard) = (yaml::Span(beat.every), template::time(beat.at, zone));
    let summary = if change.to == AlertState::Firing {
        format!("no heartbeat from {host} since {heard}: nobody knows how its services are")
    } else {
        format!("{host} is heard again")
    };
    let detail = match change.reason {
        Reason::HeartbeatMissing => {
            format!(
                "no heartbeat for {}, one is due each {every}",
                yaml::Span(beat.every.saturating_mul(BEATS_MISSED_MAX))
            )
        }
        Reason::HeartbeatBack => format!("heartbeat at {heard}"),
        reason => reason.as_str().to_owned(),
    };
    Transition {
        rule: BLIND.to_owned(),
        priority,
        group: vec![("host.name".to_owned(), host.to_owned())],
        fingerprint: xxh3_64(format!("{BLIND}\0{host}").as_bytes()),
        from: change.from,
        to: change.to,
        at: change.at,
        since: change.since,
        value: None,
        threshold: None,
        reason: change.reason,
        detail,
        evidence: Vec::new(),
        labels: Vec::new(),
        annotations: Vec::new(),
        summary,
        description: "The shipper on this host is dead, or cut off from Kafka. Rules about absence wait; \
                      availability rules take the lost view for an outage."
            .to_owned(),
        runbook: None,
    }
}
