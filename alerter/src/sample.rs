//! Values that tests of several modules start from.

use event::Timestamp;
use rules::rule::Priority;
use rules::{AlertState, Reason, Transition};

use crate::{Kind, Notification};

/// A transition of the alert `name`, to firing or to resolved.
pub(crate) fn transition(name: &str, priority: Priority, to: AlertState, at: Timestamp) -> Transition {
    Transition {
        rule: format!("rule-{name}"),
        priority,
        group: vec![("service.name".to_owned(), name.to_owned())],
        fingerprint: event::StreamId::derive(&[name.as_bytes()]).as_u128() as u64,
        from: if to == AlertState::Firing { AlertState::Pending } else { AlertState::Firing },
        to,
        at,
        since: at,
        value: Some(0.062),
        threshold: Some(0.05),
        reason: if to == AlertState::Firing { Reason::ConditionMet } else { Reason::Recovered },
        detail: "31 of 500 events (6.2 %) in 1m, limit 5 %".to_owned(),
        evidence: vec!["payment refused".to_owned()],
        labels: Vec::new(),
        annotations: Vec::new(),
        summary: format!("{name} is failing"),
        description: String::new(),
        runbook: Some("https://wiki/checkout".to_owned()),
    }
}

/// A notification of the alert `name`, whose episode started at `started_at`.
pub(crate) fn notification(
    name: &str,
    priority: Priority,
    kind: Kind,
    started_at: Timestamp,
) -> Notification {
    let to = if kind == Kind::Resolved { AlertState::Resolved } else { AlertState::Firing };
    let transition = transition(name, priority, to, started_at);
    Notification {
        id: Notification::derive_id(&transition, kind, "ops", ""),
        kind,
        transition,
        started_at,
        ended_at: (kind == Kind::Resolved).then(|| started_at.plus(std::time::Duration::from_secs(60))),
        zone: String::new(),
        firing_missed: kind == Kind::Resolved,
    }
}
