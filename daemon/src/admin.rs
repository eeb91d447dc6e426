//! The page that says how the daemon is.
//!
//! Enters: HTTP requests on one port, loopback unless the operator says otherwise. Leaves: `/metrics` for Prometheus,
//! `/healthz` (the process turns), `/readyz` (every part works, or which does not and why), and the caller's own routes.
//! Never: a secret, a change of state.

use std::collections::BTreeMap;
use std::net::SocketAddr;

use axum::Router;
use axum::extract::State;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use tokio::net::TcpListener;
use tokio::task::JoinHandle;

use crate::metric::Metrics;
use crate::{Readiness, Shutdown};

/// `admin:` of every daemon.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct AdminConfig {
    /// Address and port of `/metrics`, `/healthz` and `/readyz`; port 0 lets the system choose.
    pub listen: String,
}

impl AdminConfig {
    /// On `port` of the loopback address.
    #[must_use]
    pub fn on_loopback(port: u16) -> Self {
        AdminConfig { listen: format!("127.0.0.1:{port}") }
    }
}

/// Why there is no page.
#[derive(Debug, thiserror::Error)]
#[error(
    "admin address {address}: {reason}; another daemon may have the port: change `admin.listen`, or write port 0"
)]
pub struct AdminError {
    /// As it was configured.
    pub address: String,
    /// What the system says.
    pub reason: String,
}

/// A page that is being served.
#[derive(Debug)]
pub struct Admin {
    /// Where: the configured address, with the port that the system chose for port 0.
    pub address: SocketAddr,
    /// Ends when the shutdown token is cancelled and open requests are answered.
    pub task: JoinHandle<()>,
}

#[derive(Debug, Clone)]
struct Parts {
    readiness: Readiness,
    metrics: Metrics,
}

#[derive(serde::Serialize)]
struct Report {
    ready: bool,
    parts: BTreeMap<String, String>,
}

/// Binds `address` (such as `127.0.0.1:9600`; port 0 lets the system choose) and serves until `shutdown`.
/// `more` adds the caller's own routes; `Router::new()` adds none.
///
/// # Errors
/// [`AdminError`] when the address cannot be bound.
pub async fn serve(
    address: &str,
    readiness: Readiness,
    metrics: Metrics,
    more: Router,
    shutdown: Shutdown,
) -> Result<Admin, AdminError> {
    let failed =
        |error: std::io::Error| AdminError { address: address.to_owned(), reason: error.to_string() };
    let listener = TcpListener::bind(address).await.map_err(failed)?;
    let bound = listener.local_addr().map_err(failed)?;
    let routes = router(readiness, metrics).merge(more);
    let task = tokio::spawn(async move {
        let served = axum::serve(listener, routes).with_graceful_shutdown(shutdown.cancelled_owned());
        if let Err(error) = served.await {
            tracing::error!(%error, "admin page ended");
        }
    });
    tracing::info!(address = %bound, "admin page");
    Ok(Admin { address: bound, task })
}

/// The three routes by themselves, for a caller with a server of its own.
pub fn router(readiness: Readiness, metrics: Metrics) -> Router {
    Router::new()
        .route("/metrics", get(metrics_page))
        .route("/healthz", get(|| async { "ok\n" }))
        .route("/readyz", get(ready_page))
        .with_state(Parts { readiness, metrics })
}

async fn metrics_page(State(parts): State<Parts>) -> Response {
    let kind = "application/openmetrics-text; version=1.0.0; charset=utf-8";
    ([(header::CONTENT_TYPE, kind)], parts.metrics.encode()).into_response()
}

async fn ready_page(State(parts): State<Parts>) -> Response {
    let parts = parts.readiness.parts();
    let ready = parts.values().all(Result::is_ok);
    let words = |state: Result<(), String>| state.err().unwrap_or_else(|| "ok".to_owned());
    let parts = parts.into_iter().map(|(name, state)| (name, words(state))).collect();
    let status = if ready { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE };
    (status, axum::Json(Report { ready, parts })).into_response()
}

#[cfg(test)]
mod tests {
    use super::*;

    async fn fetch(url: String) -> (u16, String) {
        let answer = reqwest::get(url).await.unwrap();
        (answer.status().as_u16(), answer.text().await.unwrap())
    }

    #[tokio::test]
    async fn says_what_is_down_and_why() {
        let (readiness, shutdown) = (Readiness::default(), Shutdown::new());
        let more = Router::new().route("/rules", get(|| async { "mine" }));
        let admin =
            serve("127.0.0.1:0", readiness.clone(), Metrics::new(), more, shutdown.clone()).await.unwrap();
        let url = |path: &str| format!("http://{}{path}", admin.address);

        readiness.up("registry");
        assert_eq!(
            fetch(url("/readyz")).await,
            (200, r#"{"ready":true,"parts":{"registry":"ok"}}"#.to_owned())
        );
        readiness.down("kafka", "no broker answers");
        assert_eq!(
            fetch(url("/readyz")).await,
            (503, r#"{"ready":false,"parts":{"kafka":"no broker answers","registry":"ok"}}"#.to_owned())
        );
        assert_eq!(fetch(url("/healthz")).await, (200, "ok\n".to_owned()));
        assert_eq!(fetch(url("/metrics")).await, (200, "# EOF\n".to_owned()));
        assert_eq!(fetch(url("/rules")).await, (200, "mine".to_owned()));

        shutdown.cancel();
        admin.task.await.unwrap();
    }

    #[tokio::test]
    async fn a_taken_port_says_what_to_do() {
        let taken = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = taken.local_addr().unwrap().to_string();
        let error =
            serve(&address, Readiness::default(), Metrics::new(), Router::new(), Shutdown::new()).await;
        let text = error.unwrap_err().to_string();
        assert!(text.contains(&address) && text.contains("change `admin.listen`"), "{text}");
    }
}
