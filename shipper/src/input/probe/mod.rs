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

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use axum::Router;
    use axum::http::StatusCode;
    use axum::response::Redirect;
    use axum::routing::get;
    use tokio::net::TcpListener;
    use yaml::Span;

    use super::*;
    use crate::route::{LaneId, Lanes};

    /// A service with one route for each way to answer.
    async fn service() -> String {
        let routes = Router::new()
            .route("/ok", get(|| async { "{\"status\":\"UP\"}" }))
            .route("/large", get(|| async { format!("{}end", "x".repeat(70_000)) }))
            .route("/broken", get(|| async { StatusCode::INTERNAL_SERVER_ERROR }))
            .route("/moved", get(|| async { Redirect::temporary("/broken") }))
            .route("/never", get(std::future::pending::<()>));
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap().to_string();
        tokio::spawn(async move { axum::serve(listener, routes).await });
        address
    }

    fn expect(status: Option<u16>, body: Option<&str>) -> Expect {
        Expect { status, body: body.map(str::to_owned), ..Expect::default() }
    }

    #[tokio::test]
    async fn a_service_is_up_when_it_answers_as_expected() {
        let client = client().unwrap();
        let address = service().await;
        for (path, expect, failure, status) in [
            ("/ok", expect(None, None), None, Some(200)),
            ("/ok", expect(Some(200), Some("\"UP\"")), None, Some(200)),
            ("/ok", expect(Some(204), None), Some("status 200 instead of 204"), Some(200)),
            ("/ok", expect(None, Some("DOWN")), Some("`DOWN` is not in the answer"), Some(200)),
            ("/large", expect(None, Some("xxx")), None, Some(200)),
            ("/large", expect(None, Some("end")), Some("`end` is not in the answer"), Some(200)),
            ("/broken", expect(None, None), Some("status 500"), Some(500)),
            ("/broken", expect(Some(500), None), None, Some(500)),
            ("/moved", expect(None, None), None, Some(307)),
            ("/none", expect(None, None), Some("status 404"), Some(404)),
        ] {
            let target = Target::Http(format!("http://{address}{path}"));
            let outcome = ask(&client, &target, &expect).await;
            assert_eq!((outcome.failure.as_deref(), outcome.status), (failure, status), "{path} {expect:?}");
        }
    }

    #[tokio::test]
    async fn a_service_that_hangs_or_is_not_there_is_down() {
        let client = client().unwrap();
        let address = service().await;
        let short = Expect { within: Span(Duration::from_millis(50)), ..Expect::default() };
        let hanging = ask(&client, &Target::Http(format!("http://{address}/never")), &short).await;
        assert_eq!(hanging, Outcome::down("no answer within 50ms"));
        let nobody = TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap().to_string();
        for target in [Target::Tcp(nobody.clone()), Target::Http(format!("http://{nobody}/"))] {
            let failure = ask(&client, &target, &Expect::default()).await.failure.unwrap();
            assert!(failure.contains("Connection refused"), "{failure}");
        }
        assert_eq!(ask(&client, &Target::Tcp(address), &Expect::default()).await, Outcome::up(None));
    }

    #[tokio::test]
    async fn runs_come_as_records_with_growing_numbers() {
        let (sender, receiver) = crate::channel::channel(&Lanes::single());
        let clock = Clock::manual(Timestamp::from_secs(1000));
        let config = ProbeConfig {
            name: "shop".to_owned(),
            service: Some("checkout".to_owned()),
            url: format!("tcp://{}", service().await),
            every: Span(Duration::from_secs(10)),
            expect: Expect::default(),
            labels: std::iter::once(("env".to_owned(), "test".to_owned())).collect(),
            tags: vec!["edge".to_owned()],
        };
        let deps = Deps {
            clock: clock.clone(),
            sender,
            metrics: crate::metric::ShipperMetrics::new(&daemon::metric::Metrics::new()).probe,
            host: "web-1".to_owned(),
            client: client().unwrap(),
        };
        let shutdown = Shutdown::new();
        let task = tokio::spawn(run(config.clone(), config.check().unwrap(), deps, shutdown.clone()));
        let mut ids = Vec::new();
        for _ in 0..2 {
            let record = loop {
                clock.set(clock.now().plus(Duration::from_secs(1)));
                if let Some(Parcel::Batch(batch)) = receiver.take(LaneId::MAIN) {
                    break serde_json::from_slice::<serde_json::Value>(batch.payload(&batch.entries[0]))
                        .unwrap();
                }
                tokio::task::yield_now().await;
            };
            assert_eq!(record["monitor"]["name"], "shop");
            assert_eq!(record["monitor"]["status"], "up");
            assert_eq!(record["service"]["name"], "checkout");
            assert_eq!(record["labels"]["env"], "test");
            assert_eq!(record["event"]["dataset"], record::DATASET);
            assert!(record["log"]["level"].is_null(), "a probe is no line of an error rate: {record}");
            ids.push(record["event"]["id"].as_str().unwrap().parse::<event::EventId>().unwrap());
        }
        assert_eq!(ids[0].stream, ids[1].stream);
        assert!(ids[0].offset < ids[1].offset, "{ids:?}");
        shutdown.cancel();
        task.await.unwrap();
    }
}
