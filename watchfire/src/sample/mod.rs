//! A small web service to watch, and to break: what the demo and the compose file run Watchfire on.
//!
//! Enters: HTTP requests, its own load among them, and orders to fail. Leaves: a log on standard output, and a
//! garbage-collection log as a JVM writes it. Never: a word to Watchfire; it is shipped like any other service.

use std::io::Write;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicU8, AtomicU64, Ordering};
use std::time::Duration;

use anyhow::Context;
use axum::Router;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::routing::{get, post};
use daemon::{Clock, Shutdown};

mod heap;
mod line;

/// What the service is told.
#[derive(Debug, Clone, clap::Args)]
pub struct Options {
    /// Where to listen.
    #[arg(long, default_value = "127.0.0.1:8080")]
    pub listen: SocketAddr,
    /// Where to write the garbage-collection log; none is written without it.
    #[arg(long)]
    pub gc_log: Option<PathBuf>,
    /// Requests that it sends to itself, for each second.
    #[arg(long, default_value_t = 20)]
    pub load: u32,
    /// Time-lapse: how many seconds pass in one. The demo sets it, with the moment at which its clock started.
    #[arg(long, default_value_t = 1.0)]
    pub speed: f64,
    /// The moment from which `--speed` counts, RFC 3339.
    #[arg(long)]
    pub since: Option<String>,
}

/// How the service fares.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub enum Mode {
    /// All is well.
    Healthy,
    /// Every fourth request fails.
    Failing,
    /// What it allocates is never freed.
    Leaking,
}

impl Mode {
    fn parse(word: &str) -> Option<Self> {
        match word {
            "healthy" => Some(Mode::Healthy),
            "failing" => Some(Mode::Failing),
            "leaking" => Some(Mode::Leaking),
            _ => None,
        }
    }
}

#[derive(Debug)]
struct Service {
    clock: Clock,
    mode: AtomicU8,
    requests: AtomicU64,
}

impl Service {
    fn is(&self, mode: Mode) -> bool {
        self.mode.load(Ordering::Relaxed) == mode as u8
    }
}

/// Serves until `shutdown`.
///
/// # Errors
/// When it cannot listen, or cannot write its garbage-collection log.
pub async fn run(options: Options, shutdown: Shutdown) -> anyhow::Result<()> {
    let clock = match &options.since {
        Some(since) => Clock::lapse_since(event::Timestamp::parse(since)?, options.speed),
        None => Clock::System,
    };
    let service =
        Arc::new(Service { clock, mode: AtomicU8::new(Mode::Healthy as u8), requests: AtomicU64::new(0) });
    let listener = tokio::net::TcpListener::bind(options.listen)
        .await
        .with_context(|| format!("cannot listen on {}; choose another with --listen", options.listen))?;
    let address = listener.local_addr()?;
    print_line(&line::started(service.clock.now(), address));
    let tasks = tokio_util::task::TaskTracker::new();
    if let Some(path) = options.gc_log {
        let file = std::fs::OpenOptions::new().create(true).append(true).open(&path);
        let file = file.with_context(|| format!("cannot write {}", path.display()))?;
        tasks.spawn(heap::run(Arc::clone(&service), file, shutdown.clone()));
    }
    tasks.spawn(load(address, options.load, shutdown.clone()));
    tasks.close();
    axum::serve(listener, router(Arc::clone(&service)))
        .with_graceful_shutdown(shutdown.cancelled_owned())
        .await?;
    tasks.wait().await;
    print_line(&line::stopped(service.clock.now()));
    Ok(())
}

fn router(service: Arc<Service>) -> Router {
    Router::new()
        .route("/health", get(|| async { "ok" }))
        .route("/checkout/{order}", get(checkout))
        .route("/mode/{mode}", post(set_mode))
        .with_state(service)
}

async fn checkout(State(service): State<Arc<Service>>, Path(order): Path<u64>) -> StatusCode {
    let count = service.requests.fetch_add(1, Ordering::Relaxed);
    let now = service.clock.now();
    if service.is(Mode::Failing) && count.is_multiple_of(4) {
        print_line(&line::failed(now, order));
        return StatusCode::INTERNAL_SERVER_ERROR;
    }
    print_line(&line::served(now, order, Duration::from_millis(3 + count % 40)));
    StatusCode::OK
}

async fn set_mode(State(service): State<Arc<Service>>, Path(word): Path<String>) -> StatusCode {
    let Some(mode) = Mode::parse(&word) else { return StatusCode::NOT_FOUND };
    service.mode.store(mode as u8, Ordering::Relaxed);
    StatusCode::NO_CONTENT
}

/// Clients of the service: real requests over loopback, at an even pace.
async fn load(address: SocketAddr, per_second: u32, shutdown: Shutdown) {
    let Some(pause) = Duration::from_secs(1).checked_div(per_second) else { return };
    let client = reqwest::Client::new();
    let mut ticks = tokio::time::interval(pause);
    for order in 0_u64.. {
        tokio::select! {
            _ = ticks.tick() => {}
            () = shutdown.cancelled() => return,
        }
        let url = format!("http://127.0.0.1:{}/checkout/{}", address.port(), 100_000 + order);
        // A refused request is the service's own affair: it is what the log is watched for.
        let _ = client.get(url).send().await;
    }
}

/// One write for each record, so that a reader never sees two lines mixed.
fn print_line(text: &str) {
    let _ = std::io::stdout().lock().write_all(text.as_bytes());
}
