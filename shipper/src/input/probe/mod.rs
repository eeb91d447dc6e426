//! Services that are asked whether they work.
//!
//! Enters: a URL and what to expect of it. Leaves: one record for each run, `up` or `down` with the reason.
//! Never: two runs of a probe at a time; a run without a record, unless it is counted.

mod config;
mod http;
mod record;
mod schedule;
mod tcp;

use std::future::Future;
use std::pin::Pin;
use std::time::{Duration, Instant};

use daemon::{Clock, Shutdown};
use event::Timestamp;

pub use config::{EVERY_MAX, EVERY_MIN, Expect, ProbeConfig, Target};
pub use record::Recorder;
pub use schedule::{Schedule, Start};

use crate::channel::{Parcel, Sender};
use crate::metric::ProbeMetrics;

/// What one run saw.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Outcome {
    /// Why the service is down; `None` when it is up.
    pub failure: Option<String>,
    /// The HTTP status, when there was an answer.
    pub status: Option<u16>,
}

impl Outcome {
    fn up(status: Option<u16>) -> Self {
        Outcome { failure: None, status }
    }

    fn down(reason: impl Into<String>) -> Self {
        Outcome { failure: Some(reason.into()), status: None }
    }
}

/// What a probe is given.
#[derive(Debug, Clone)]
pub struct Deps {
    /// Time.
    pub clock: Clock,
    /// The way to the output.
    pub sender: Sender,
    /// Counters.
    pub metrics: ProbeMetrics,
    /// `host.name`.
    pub host: String,
    /// One client for all probes; see [`client`].
    pub client: reqwest::Client,
}

/// The HTTP client of all probes: each run makes a connection of its own, because a service that takes no new
/// connection is down; and a redirect is an answer.
///
/// # Errors
/// When TLS cannot be set up.
pub fn client() -> Result<reqwest::Client, reqwest::Error> {
    reqwest::Client::builder()
        .user_agent(concat!("watchfire-shipper/", env!("CARGO_PKG_VERSION")))
        .redirect(reqwest::redirect::Policy::none())
        .pool_max_idle_per_host(0)
        .no_proxy()
        .build()
}

type Running = Pin<Box<dyn Future<Output = (Start, Timestamp, Duration, Outcome)> + Send>>;

/// Runs one probe until `shutdown`. `config` was checked, and `target` is what the check gave.
pub async fn run(config: ProbeConfig, target: Target, deps: Deps, shutdown: Shutdown) {
    let mut recorder = Recorder::new(&config, &target, &deps.host);
    let mut schedule = Schedule::new(&config.name, config.every.0, deps.clock.now());
    let mut running: Option<Running> = None;
    loop {
        tokio::select! {
            () = shutdown.cancelled() => return,
            () = deps.clock.sleep_until_some(schedule.deadline()) => {}
            (start, at, took, outcome) = end_of(&mut running) => {
                running = None;
                schedule.handle();
                deps.metrics.ran(outcome.failure.is_none());
                let batch = recorder.record(start, at, took, &outcome);
                if let Err(error) = deps.sender.offer(Parcel::Batch(batch)) {
                    deps.metrics.lost("probe");
                    tracing::warn!(probe = config.name, %error, "the result of a probe was dropped");
                }
            }
        }
        if let Some(start) = schedule.tick(deps.clock.now()) {
            running = Some(begin(start, &config, &target, &deps));
        }
        deps.metrics.skipped(schedule.take_skipped());
    }
}

async fn end_of(running: &mut Option<Running>) -> (Start, Timestamp, Duration, Outcome) {
    match running {
        Some(running) => running.await,
        None => std::future::pending().await,
    }
}

fn begin(start: Start, config: &ProbeConfig, target: &Target, deps: &Deps) -> Running {
    let (expect, target, client) = (config.expect.clone(), target.clone(), deps.client.clone());
    let at = deps.clock.now();
    Box::pin(async move {
        let started = Instant::now();
        let outcome = ask(&client, &target, &expect).await;
        (start, at, started.elapsed(), outcome)
    })
}

/// Asks once; gives an answer after `expect.within` at the latest.
pub async fn ask(client: &reqwest::Client, target: &Target, expect: &Expect) -> Outcome {
    let answer = async {
        match target {
            Target::Http(url) => http::ask(client, url, expect).await,
            Target::Tcp(address) => tcp::ask(address).await,
        }
    };
    match tokio::time::timeout(expect.within.0, answer).await {
        Ok(outcome) => outcome,
        Err(_) => Outcome::down(format!("no answer within {}", expect.within)),
    }
}
