//! The alerter from its core to the vendors, without its loop: real rules, outbox, state file and channels, stepped by a
//! clock that the test moves.
//!
//! Enters: `channels:` as an operator writes them, an outage. Leaves: what each attempt came to. Never: a wait; what
//! the outbox holds back for ten minutes is sent when the test has moved the clock by ten minutes.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use alerter::channel::ChannelDeps;
use alerter::core::{Core, Plan};
use alerter::outbox::{Delivery, Verdict};
use alerter::route::{Route, Routes};
use alerter::{Channel, ChannelConfig, Kind, Notification, Outcome};
use bytes::Bytes;
use daemon::{Clock, Record};
use event::Timestamp;
use rules::rule::Priority;
use rules::{AlertState, Reason, Transition};

/// A P0 that fires when its service has been down for ten seconds.
const RULES: &str = "
rules:
  - name: service-down
    priority: P0
    match: 'monitor.id: *'
    group_by: [service.name]
    condition: { availability: { up: 'monitor.status: up' } }
    for: 10s
    summary: '{{ service.name }} 不可用'
";

/// When the clock starts.
pub const START: Timestamp = Timestamp::from_secs(1_700_000_000);

/// One attempt, and what came of it.
#[derive(Debug, Clone)]
pub struct Attempt {
    /// When, since [`START`].
    pub at: Duration,
    /// The recipient; empty for a robot.
    pub recipient: String,
    /// The vendor's answer, understood.
    pub outcome: Outcome,
}

/// What channels get, with a patience that suits a test.
#[must_use]
pub fn deps() -> ChannelDeps {
    ChannelDeps { timeout: Duration::from_millis(500), ..ChannelDeps::default() }
}

/// The channel called `ops`, from the text behind `ops:`.
///
/// # Panics
/// When it cannot be built.
#[must_use]
pub fn channel(text: &str) -> Channel {
    let config: ChannelConfig = daemon::config::parse("channel", text).unwrap();
    Channel::build("ops", &config, &deps()).unwrap()
}

/// The alerter, with one channel called `ops` that is told of everything.
#[derive(Debug)]
pub struct Post {
    /// The time; the vendors may share it.
    pub clock: Clock,
    /// Every attempt so far.
    pub attempts: Vec<Attempt>,
    core: Core,
    channel: Arc<Channel>,
    records: i64,
    runtime: tokio::runtime::Runtime,
    _folder: tempfile::TempDir,
}

impl Post {
    /// Opens it on a folder of its own.
    ///
    /// # Panics
    /// When the channel cannot be built.
    #[must_use]
    pub fn open(clock: Clock, channel: Channel) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let route = Route { channels: vec!["ops".to_owned()], repeat: None };
        let plan = Plan {
            rules: rules::rule::load("rules.yml", RULES).unwrap().rules,
            engine: rules::Settings { blind: None, ..rules::Settings::default() },
            routes: Routes {
                by_priority: BTreeMap::from([(Priority::P0, route)]),
                recipients: BTreeMap::from([("ops".to_owned(), channel.recipients().to_vec())]),
                zone: String::new(),
            },
            quotas: channel.quota().map(|quota| ("ops".to_owned(), quota)).into_iter().collect(),
            ..Plan::default()
        };
        let core = Core::open(folder.path(), plan, Duration::from_secs(1)).unwrap();
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        Post {
            clock,
            attempts: Vec::new(),
            core,
            channel: Arc::new(channel),
            records: 0,
            runtime,
            _folder: folder,
        }
    }

    /// A probe finds `service` down, and says so in `message`.
    pub fn probe_fails(&mut self, service: &str, message: &str) {
        let now = self.clock.now();
        let event = serde_json::json!({
            "@timestamp": now.to_string(), "monitor.id": "p", "monitor.status": "down",
            "service.name": service, "message": message,
        });
        let record = Record {
            topic: Arc::from("logs"),
            partition: 0,
            offset: self.records,
            timestamp: now,
            key: None,
            payload: Bytes::from(event.to_string()),
        };
        self.records += 1;
        self.core.handle(&[record], true, now).unwrap();
    }

    /// Lets time pass until `goal` since the start, sending whatever becomes due on the way.
    ///
    /// # Panics
    /// When the core wants to be woken again and again at the same time.
    pub fn advance(&mut self, goal: Duration) {
        let goal = START.plus(goal);
        for _ in 0..10_000 {
            self.turn();
            let now = self.clock.now();
            if now >= goal {
                return;
            }
            let next = self.core.deadline().unwrap_or(goal);
            self.clock.set(next.clamp(now.plus(Duration::from_millis(1)), goal));
        }
        panic!("still at {} after 10000 turns", self.clock.now());
    }

    /// What is over, and how.
    #[must_use]
    pub fn deliveries(&self) -> Vec<Delivery> {
        self.core.outbox().history().iter().cloned().collect()
    }

    /// How often something was delivered.
    #[must_use]
    pub fn delivered(&self) -> usize {
        self.deliveries().iter().filter(|delivery| delivery.verdict == Verdict::Delivered).count()
    }

    fn turn(&mut self) {
        let now = self.clock.now();
        self.core.tick(now).unwrap();
        loop {
            let sends = self.core.due(now);
            if sends.is_empty() {
                return;
            }
            for send in sends {
                let sending = self.channel.send(&send.notification, &send.recipient, send.options, now);
                let outcome = self.runtime.block_on(sending);
                self.core.settle(send.id, outcome.clone(), now).unwrap();
                self.attempts.push(Attempt { at: now.since(START), recipient: send.recipient, outcome });
            }
        }
    }
}

/// The firing of a P0, as the engine would tell it.
#[must_use]
pub fn notification(summary: &str, evidence: &str) -> Notification {
    let transition = Transition {
        rule: "service-down".to_owned(),
        priority: Priority::P0,
        group: vec![("service.name".to_owned(), "checkout".to_owned())],
        fingerprint: 0x00c0_ffee,
        from: AlertState::Pending,
        to: AlertState::Firing,
        at: START,
        since: START,
        value: None,
        threshold: None,
        reason: Reason::ConditionMet,
        detail: "no success for 5m".to_owned(),
        evidence: vec![evidence.to_owned()],
        labels: vec![("team".to_owned(), "pay".to_owned())],
        annotations: vec![("dashboard".to_owned(), "https://kibana/1".to_owned())],
        summary: summary.to_owned(),
        description: String::new(),
        runbook: None,
    };
    Notification {
        id: Notification::derive_id(&transition, Kind::Firing, "ops", ""),
        kind: Kind::Firing,
        transition,
        started_at: START,
        ended_at: None,
        zone: String::new(),
        firing_missed: false,
    }
}
