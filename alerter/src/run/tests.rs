//! The shell with its real edges: the queue in memory, a state file, and an HTTP receiver on a free port.

use std::path::Path;

use axum::Router;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::routing::post;
use bytes::Bytes;
use daemon::source::queue::{NewRecord, Queue};
use rules::AlertState;
use tokio::task::JoinHandle;

use super::*;
use crate::channel::ChannelDeps;
use crate::config::Config;

/// Seconds of the alerter's clock in one of the machine's: idle bounds pass in a blink, and a window in a few seconds.
/// A busy machine that holds the test up for a while must not let an alert be over before it was told.
const SPEED: f64 = 100.0;
const RULES: &str = "
rules:
  - name: errors
    priority: P1
    match: 'log.level: error'
    group_by: [service.name]
    condition: { count: { above: 2, window: 10m } }
    summary: '{{ service.name }} fails'
";

/// A receiver of webhooks: what came, and what it answers.
struct Receiver {
    url: String,
    posts: mpsc::UnboundedReceiver<(String, String)>,
    answers: watch::Sender<StatusCode>,
}

#[derive(Clone)]
struct Inbox {
    posts: mpsc::UnboundedSender<(String, String)>,
    answers: watch::Receiver<StatusCode>,
}

async fn receive(State(inbox): State<Inbox>, headers: HeaderMap, body: String) -> StatusCode {
    let key = headers.get("idempotency-key").and_then(|key| key.to_str().ok()).unwrap_or("none");
    inbox.posts.send((key.to_owned(), body)).unwrap();
    *inbox.answers.borrow()
}

impl Receiver {
    async fn start() -> Self {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}/hook", listener.local_addr().unwrap());
        let (arrived, posts) = mpsc::unbounded_channel();
        let (answers, answer) = watch::channel(StatusCode::OK);
        let inbox = Inbox { posts: arrived, answers: answer };
        let routes = Router::new().route("/hook", post(receive)).with_state(inbox);
        tokio::spawn(async move { axum::serve(listener, routes).await.unwrap() });
        Receiver { url, posts, answers }
    }

    /// The next one's key, and whether it says firing or resolved.
    async fn next(&mut self) -> (String, &'static str) {
        let (key, body) = self.posts.recv().await.unwrap();
        (key, if body.contains("RESOLVED") { "resolved" } else { "firing" })
    }
}

/// An alerter in its folder, with a clock that hurries.
struct Running {
    clock: Clock,
    queue: Queue,
    readiness: Readiness,
    metrics: Metrics,
    board: Board,
    observed: mpsc::Receiver<Observed>,
    reloads: mpsc::Sender<Result<Setup, SetupError>>,
    shutdown: Shutdown,
    task: JoinHandle<Result<(), RunError>>,
}

fn setup(folder: &Path, url: &str) -> Setup {
    std::fs::write(folder.join("rules.yml"), RULES).unwrap();
    let text = format!(
        "source: {{ kafka: {{ brokers: [none], topic: logs, group: g }} }}\nrules: [rules.yml]\n\
         channels: {{ hook: {{ webhook: {{ url: '{url}' }} }} }}\nstate: {{ path: '{}' }}\n\
         engine: {{ grace: 1s, idle: 5s, blind: off }}\n",
        folder.join("state").display()
    );
    let config = Config::parse("alerter.yml", &text).unwrap();
    Setup::load(config.parts(), folder, &ChannelDeps::default()).unwrap()
}

impl Running {
    fn start(folder: &Path, url: &str, clock: &Clock) -> Self {
        let (observer, observed) = mpsc::channel(64);
        let (reloads, requests) = mpsc::channel(1);
        let running = Running {
            clock: clock.clone(),
            queue: Queue::new(1 << 20),
            readiness: Readiness::default(),
            metrics: Metrics::new(),
            board: Board::default(),
            observed,
            reloads,
            shutdown: Shutdown::new(),
            task: tokio::spawn(async { Ok(()) }),
        };
        let deps = Deps {
            clock: running.clock.clone(),
            source: running.queue.subscribe(),
            readiness: running.readiness.clone(),
            metrics: running.metrics.clone(),
            board: running.board.clone(),
            observer: Some(observer),
            reloads: requests,
        };
        let task = tokio::spawn(run(setup(folder, url), deps, running.shutdown.clone()));
        Running { task, ..running }
    }

    /// Four errors, now.
    async fn fail(&self) {
        let now = self.clock.now();
        let payload = format!(
            "{{\"@timestamp\":\"{now}\",\"service\":{{\"name\":\"shop\"}},\"log\":{{\"level\":\"error\"}}}}"
        );
        let error = NewRecord { timestamp: now, key: None, payload: Bytes::from(payload) };
        self.queue.push(vec![error; 4]).await.unwrap();
    }

    /// Waits until the alerter has said this much about its alert.
    async fn seen(&mut self, state: AlertState) {
        loop {
            match self.observed.recv().await.unwrap() {
                Observed::Transition(transition) if transition.to == state => return,
                _ => {}
            }
        }
    }

    async fn stop(self) -> String {
        self.shutdown.cancel();
        self.task.await.unwrap().unwrap();
        self.metrics.encode()
    }
}

#[tokio::test]
async fn from_records_to_the_receiver_and_on_after_a_restart() {
    let (folder, clock) = (tempfile::tempdir().unwrap(), Clock::lapse(SPEED));
    let mut receiver = Receiver::start().await;
    let mut alerter = Running::start(folder.path(), &receiver.url, &clock);
    alerter.fail().await;
    alerter.seen(AlertState::Firing).await;
    let (key, state) = receiver.next().await;
    assert_eq!((key.len(), state), (32, "firing"));
    let acked = alerter.queue.acked();
    let metrics = alerter.stop().await;
    assert_eq!(*acked.borrow(), 4, "what is on disk is committed");
    assert!(metrics.contains("alerter_records_total 4"), "{metrics}");
    assert!(metrics.contains(r#"alerter_transitions_total{priority="P1",state="firing"} 1"#), "{metrics}");

    // The next process has a queue of its own, and knows what was said. Which of the two says that it is over is the
    // hurrying clock's choice.
    let alerter = Running::start(folder.path(), &receiver.url, &clock);
    let (other, state) = receiver.next().await;
    assert_eq!(state, "resolved");
    assert_ne!(other, key);
    alerter.stop().await;
    assert!(receiver.posts.try_recv().is_err(), "nothing is told twice");
}

#[tokio::test]
async fn what_the_receiver_refuses_comes_again_with_the_same_key() {
    let (folder, clock) = (tempfile::tempdir().unwrap(), Clock::lapse(SPEED));
    let mut receiver = Receiver::start().await;
    receiver.answers.send(StatusCode::SERVICE_UNAVAILABLE).unwrap();
    let mut alerter = Running::start(folder.path(), &receiver.url, &clock);
    alerter.fail().await;
    alerter.seen(AlertState::Firing).await;
    let (key, _) = receiver.next().await;
    let readiness = alerter.readiness.clone();
    let metrics = alerter.stop().await;
    assert!(readiness.parts()["channel:hook"].as_ref().unwrap_err().contains("503"), "{readiness:?}");
    assert!(
        metrics.contains(r#"alerter_attempts_total{channel="hook",answer="retry_after"} 1"#),
        "{metrics}"
    );

    receiver.answers.send(StatusCode::OK).unwrap();
    let alerter = Running::start(folder.path(), &receiver.url, &clock);
    assert_eq!(receiver.next().await.0, key);
    let readiness = alerter.readiness.clone();
    alerter.stop().await;
    assert_eq!(readiness.parts()["channel:hook"], Ok(()));
}

#[tokio::test]
async fn a_reload_that_is_refused_changes_nothing_and_one_that_is_not_does() {
    let (folder, clock) = (tempfile::tempdir().unwrap(), Clock::lapse(SPEED));
    let mut receiver = Receiver::start().await;
    let mut alerter = Running::start(folder.path(), &receiver.url, &clock);
    alerter.fail().await;
    alerter.seen(AlertState::Firing).await;
    assert_eq!(receiver.next().await.1, "firing");
    // One waits in the channel, and one is being taken: with the third, the first is done.
    for _ in 0..3 {
        let refused = SetupError { problems: vec!["rules.yml:1:1: no".to_owned()] };
        alerter.reloads.send(Err(refused)).await.unwrap();
    }
    let reason = alerter.readiness.parts()["config"].clone().unwrap_err();
    assert_eq!(reason, "rules.yml:1:1: no; the configuration before it stays");
    let mut without_rules = setup(folder.path(), &receiver.url);
    without_rules.plan.rules.clear();
    alerter.reloads.send(Ok(without_rules)).await.unwrap();
    alerter.seen(AlertState::Resolved).await;
    assert_eq!(receiver.next().await.1, "resolved");
    assert!(alerter.board.view().alerts.is_empty());
    assert_eq!(alerter.readiness.parts()["config"], Ok(()));
    let metrics = alerter.stop().await;
    assert!(metrics.contains(r#"alerter_reloads_total{result="ok"} 1"#), "{metrics}");
    assert!(metrics.contains(r#"alerter_reloads_total{result="refused"} 3"#), "{metrics}");
}

#[tokio::test]
async fn a_channel_that_is_gone_is_a_failure_and_not_a_silence() {
    let (folder, clock) = (tempfile::tempdir().unwrap(), Clock::lapse(SPEED));
    let receiver = Receiver::start().await;
    let mut alerter = Running::start(folder.path(), &receiver.url, &clock);
    let mut without_channel = setup(folder.path(), &receiver.url);
    without_channel.channels.clear();
    alerter.reloads.send(Ok(without_channel)).await.unwrap();
    alerter.fail().await;
    loop {
        if let Observed::Delivery(delivery) = alerter.observed.recv().await.unwrap() {
            assert_eq!(delivery.verdict, Verdict::Permanent);
            assert!(delivery.detail.contains("not in the configuration any more"));
            break;
        }
    }
    let readiness = alerter.readiness.clone();
    alerter.stop().await;
    assert_eq!(readiness.parts()["channel:hook"], Ok(()), "nobody waits for it to come back");
}

#[tokio::test]
async fn a_channel_that_was_down_and_is_gone_does_not_keep_the_alerter_from_being_ready() {
    let (folder, clock) = (tempfile::tempdir().unwrap(), Clock::lapse(SPEED));
    let mut receiver = Receiver::start().await;
    receiver.answers.send(StatusCode::FORBIDDEN).unwrap();
    let mut alerter = Running::start(folder.path(), &receiver.url, &clock);
    alerter.fail().await;
    receiver.next().await;
    while !matches!(alerter.observed.recv().await.unwrap(), Observed::Delivery(_)) {}
    assert!(alerter.readiness.parts()["channel:hook"].is_err());
    for _ in 0..3 {
        let mut without_channel = setup(folder.path(), &receiver.url);
        without_channel.channels.clear();
        alerter.reloads.send(Ok(without_channel)).await.unwrap();
    }
    assert!(alerter.readiness.parts()["channel:hook"].is_ok());
    alerter.stop().await;
}

#[tokio::test]
async fn a_state_that_another_alerter_uses_is_refused() {
    let (folder, clock) = (tempfile::tempdir().unwrap(), Clock::lapse(SPEED));
    let receiver = Receiver::start().await;
    let _held = crate::state::Store::open(&folder.path().join("state")).unwrap();
    let alerter = Running::start(folder.path(), &receiver.url, &clock);
    let error = alerter.task.await.unwrap().unwrap_err().to_string();
    assert!(error.contains("stop the other alerter"), "{error}");
}
