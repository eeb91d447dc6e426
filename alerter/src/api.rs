//! What is firing and what was delivered, as JSON for the console, scripts and people.
//!
//! Enters: the core, whenever something happened. Leaves: `GET /api/alerts`, `GET /api/deliveries`.
//! Never: a change; never a lock that the core waits for.

use std::sync::Arc;

use axum::extract::State;
use axum::response::IntoResponse;
use axum::routing::get;
use axum::{Json, Router};
use event::Timestamp;
use rules::rule::Priority;
use rules::{AlertState, AlertView, Reason};
use serde::Serialize;
use tokio::sync::watch;

use crate::core::Core;
use crate::outbox::Delivery;
use crate::route::Address;

/// Deliveries on the page.
const DELIVERIES_MAX: usize = 200;

/// The last published view; clones share it.
#[derive(Debug, Clone, Default)]
pub struct Board {
    view: Arc<watch::Sender<Arc<View>>>,
}

/// One moment.
#[derive(Debug, Clone, Default, Serialize)]
pub struct View {
    /// Alerts that are pending or firing, the most urgent first.
    pub alerts: Vec<Alert>,
    /// The last deliveries, the newest first.
    pub deliveries: Vec<Delivery>,
}

/// An alert that is pending or firing.
#[derive(Debug, Clone, Serialize)]
pub struct Alert {
    /// Where it stands.
    pub state: AlertState,
    /// Since when its condition has held.
    pub since: Timestamp,
    /// The number as it is now; the transition has that of its own time.
    pub value: Option<f64>,
    /// Its newest transition: rule, group, texts.
    #[serde(flatten)]
    pub transition: Told,
    /// Whom its firing is told to, and whether the vendor has taken it.
    pub addresses: Vec<Address>,
}

/// The parts of a transition that stay true until the next one.
#[derive(Debug, Clone, Serialize)]
pub struct Told {
    rule: String,
    priority: Priority,
    group: Vec<(String, String)>,
    fingerprint: String,
    threshold: Option<f64>,
    reason: Reason,
    detail: String,
    summary: String,
    description: String,
    evidence: Vec<String>,
    labels: Vec<(String, String)>,
    runbook: Option<String>,
}

impl Board {
    /// Shows what the core holds now.
    pub fn publish(&self, core: &Core) {
        let mut alerts: Vec<Alert> = core.engine().alerts().map(|view| alert(core, &view)).collect();
        alerts.sort_by_key(|alert| (alert.transition.priority, alert.since));
        let deliveries = core.outbox().history().iter().rev().take(DELIVERIES_MAX).cloned().collect();
        self.view.send_replace(Arc::new(View { alerts, deliveries }));
    }

    /// What was published last.
    #[must_use]
    pub fn view(&self) -> Arc<View> {
        Arc::clone(&self.view.borrow())
    }

    /// The routes, for the admin page.
    pub fn router(&self) -> Router {
        Router::new()
            .route("/api/alerts", get(alerts))
            .route("/api/deliveries", get(deliveries))
            .with_state(self.clone())
    }
}

fn alert(core: &Core, view: &AlertView<'_>) -> Alert {
    let last = view.last;
    let episode = core.router().episodes().get(&last.fingerprint);
    Alert {
        state: view.state,
        since: view.since,
        value: view.value,
        transition: Told {
            rule: last.rule.clone(),
            priority: last.priority,
            group: last.group.clone(),
            // JavaScript has no integers of 64 bits.
            fingerprint: format!("{:016x}", last.fingerprint),
            threshold: last.threshold,
            reason: last.reason,
            detail: last.detail.clone(),
            summary: last.summary.clone(),
            description: last.description.clone(),
            evidence: last.evidence.clone(),
            labels: last.labels.clone(),
            runbook: last.runbook.clone(),
        },
        addresses: episode.map(|episode| episode.addresses.clone()).unwrap_or_default(),
    }
}

async fn alerts(State(board): State<Board>) -> impl IntoResponse {
    Json(board.view().alerts.clone())
}

async fn deliveries(State(board): State<Board>) -> impl IntoResponse {
    Json(board.view().deliveries.clone())
}
