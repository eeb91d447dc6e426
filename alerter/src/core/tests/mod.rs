//! The core from records to deliveries, over a state file of its own.

use std::sync::Arc;

use bytes::Bytes;
use rules::AlertState;
use rules::rule::Priority;

use super::*;
use crate::Kind;
use crate::route::Route;

mod crash;

const RULES: &str = "
rules:
  - name: down
    priority: P0
    match: 'monitor.id: *'
    group_by: [service.name]
    condition: { availability: { up: 'monitor.status: up' } }
    for: 18s
    summary: '{{ service.name }} is down'
  - name: errors
    priority: P1
    match: 'log.level: error'
    group_by: [service.name]
    condition: { count: { above: 2, window: 10s } }
    summary: '{{ service.name }} fails'
";
const START: Timestamp = Timestamp::from_secs(1_700_000_000);

fn plan() -> Plan {
    let names = |names: &[&str]| names.iter().map(ToString::to_string).collect::<Vec<_>>();
    let route = |channels: &[&str], repeat| Route { channels: names(channels), repeat };
    Plan {
        rules: rules::rule::load("rules.yml", RULES).unwrap().rules,
        engine: rules::Settings {
            grace: Duration::from_secs(1),
            idle: Duration::from_secs(5),
            blind: None,
            ..rules::Settings::default()
        },
        routes: Routes {
            by_priority: BTreeMap::from([
                (Priority::P0, route(&["phone", "ding"], Some(Duration::from_secs(60)))),
                (Priority::P1, route(&["ding"], None)),
            ]),
            recipients: BTreeMap::from([
                ("phone".to_owned(), names(&["138", "139"])),
                ("ding".to_owned(), names(&[""])),
            ]),
            zone: String::new(),
        },
        quotas: BTreeMap::new(),
        limits: Limits::default(),
    }
}

fn second(second: u64) -> Timestamp {
    START.plus(Duration::from_secs(second))
}

/// Records in one partition, in the order of their times.
#[derive(Debug, Clone, Default)]
struct Feed {
    records: Vec<Record>,
}

impl Feed {
    fn push(&mut self, at: u64, fields: &str) {
        let payload = format!("{{\"@timestamp\":\"{}\",{fields}}}", second(at));
        self.records.push(Record {
            topic: Arc::from("logs"),
            partition: 0,
            offset: i64::try_from(self.records.len()).unwrap(),
            timestamp: second(at),
            key: None,
            payload: Bytes::from(payload),
        });
    }

    fn probe(&mut self, at: u64, service: &str, status: &str) {
        let fields = format!(
            "\"service\":{{\"name\":\"{service}\"}},\"host\":{{\"name\":\"h\"}},\
             \"monitor\":{{\"id\":\"{service}\",\"status\":\"{status}\"}}"
        );
        self.push(at, &fields);
    }

    fn error(&mut self, at: u64, service: &str) {
        let fields = format!(
            "\"service\":{{\"name\":\"{service}\"}},\"host\":{{\"name\":\"h\"}},\
             \"log\":{{\"level\":\"error\"}},\"message\":\"failed\""
        );
        self.push(at, &fields);
    }

    /// What has arrived by `now` and lies behind the core's positions.
    fn unread(&self, core: &Core, now: Timestamp) -> &[Record] {
        let next = core.positions().first().map_or(0, |position| usize::try_from(position.next).unwrap());
        let end = self.records.partition_point(|record| record.timestamp <= now);
        &self.records[next..end]
    }
}

fn open(folder: &Path) -> Core {
    Core::open(folder, plan(), Duration::from_secs(1)).unwrap()
}

/// Steps the core through one second; everything is delivered at once. Answers what was.
fn turn(core: &mut Core, feed: &Feed, now: Timestamp) -> Vec<String> {
    core.handle(feed.unread(core, now), true, now).unwrap();
    core.tick(now).unwrap();
    let mut taken = Vec::new();
    loop {
        let sends = core.due(now);
        if sends.is_empty() {
            return taken;
        }
        for send in sends {
            taken.push(words(&send, now));
            core.settle(send.id, Outcome::Delivered { reference: String::new() }, now).unwrap();
        }
    }
}

fn words(send: &Send, now: Timestamp) -> String {
    let kind = match send.notification.kind {
        Kind::Repeat(count) => format!("repeat {count}"),
        Kind::Resolved => "resolved".to_owned(),
        Kind::Firing | Kind::Test => "firing".to_owned(),
    };
    let (summary, to) = (&send.notification.transition.summary, &send.recipient);
    format!("{} {kind} {}{to}: {summary}", now.since(START).as_secs(), send.channel)
}

/// A service that answers until 30 and from 100 on.
fn outage() -> Feed {
    let mut feed = Feed::default();
    for at in (0..180).step_by(5) {
        feed.probe(at, "shop", if (30..100).contains(&at) { "down" } else { "up" });
    }
    feed
}

#[test]
fn an_outage_is_told_once_to_each_and_once_when_it_is_over() {
    let folder = tempfile::tempdir().unwrap();
    let mut core = open(folder.path());
    let feed = outage();
    let told: Vec<String> = (0..180).flat_map(|at| turn(&mut core, &feed, second(at))).collect();
    insta::assert_snapshot!(told.join("\n"), @r"
        50 firing phone138: shop is down
        50 firing phone139: shop is down
        50 firing ding: shop is down
        105 resolved phone138: shop is down
        105 resolved phone139: shop is down
        105 resolved ding: shop is down
    ");
}

#[test]
fn for_goes_on_over_a_restart() {
    let folder = tempfile::tempdir().unwrap();
    let feed = outage();
    let mut told = Vec::new();
    for at in 0..180 {
        // A new process for every second.
        let mut core = open(folder.path());
        told.extend(turn(&mut core, &feed, second(at)));
        core.save(second(at)).unwrap();
    }
    insta::assert_snapshot!(told.join("\n"), @r"
        50 firing phone138: shop is down
        50 firing phone139: shop is down
        50 firing ding: shop is down
        105 resolved phone138: shop is down
        105 resolved phone139: shop is down
        105 resolved ding: shop is down
    ");
}

#[test]
fn what_is_delivered_is_not_sent_again_and_what_is_not_is() {
    let folder = tempfile::tempdir().unwrap();
    let mut feed = Feed::default();
    (0..4).for_each(|_| feed.error(1, "shop"));
    let mut core = open(folder.path());
    let now = second(3);
    core.handle(&feed.records, true, now).unwrap();
    core.tick(second(9)).unwrap();
    let sends = core.due(second(9));
    assert_eq!(sends.len(), 1);
    drop(core);

    let mut core = open(folder.path());
    let again = core.due(second(10));
    assert_eq!(again, sends, "the same notification, with the same id");
    core.settle(again[0].id, Outcome::Delivered { reference: "42".to_owned() }, second(10)).unwrap();
    drop(core);

    let mut core = open(folder.path());
    assert_eq!(core.due(second(11)), []);
    let past: Vec<&Delivery> = core.outbox().history().iter().collect();
    assert_eq!((past.len(), past[0].detail.as_str()), (1, "42"));
}

#[test]
fn a_dead_channel_holds_up_no_other() {
    let folder = tempfile::tempdir().unwrap();
    let mut core = open(folder.path());
    let feed = outage();
    let mut delivered = Vec::new();
    for at in 0..180 {
        let now = second(at);
        core.handle(feed.unread(&core, now), true, now).unwrap();
        core.tick(now).unwrap();
        for send in core.due(now) {
            let outcome = match (send.channel.as_str(), send.recipient.as_str()) {
                ("ding", _) => Outcome::Permanent { reason: "token does not exist".to_owned() },
                (_, "139") => Outcome::RetryAfter { delay: None, reason: "no route".to_owned() },
                _ => {
                    delivered.push(words(&send, now));
                    Outcome::Delivered { reference: String::new() }
                }
            };
            core.settle(send.id, outcome, now).unwrap();
        }
    }
    insta::assert_snapshot!(delivered.join("\n"), @r"
        50 firing phone138: shop is down
        105 resolved phone138: shop is down
    ");
    let ended = |verdict| core.outbox().history().iter().filter(|past| past.verdict == verdict).count();
    assert_eq!((ended(Verdict::Delivered), ended(Verdict::Permanent)), (2, 2));
    // The one who could not be reached gets one message that says all.
    let left: Vec<(Kind, bool)> = core
        .outbox()
        .rows()
        .map(|(_, row)| (row.notification.kind, row.notification.firing_missed))
        .collect();
    assert_eq!(left, [(Kind::Resolved, true)]);
}

#[test]
fn a_reload_keeps_timers_alerts_and_the_outbox() {
    let folder = tempfile::tempdir().unwrap();
    let mut core = open(folder.path());
    let feed = outage();
    let mut told = Vec::new();
    for at in 0..180 {
        told.extend(turn(&mut core, &feed, second(at)));
        core.reload(plan(), second(at)).unwrap();
    }
    insta::assert_snapshot!(told.join("\n"), @r"
        50 firing phone138: shop is down
        50 firing phone139: shop is down
        50 firing ding: shop is down
        105 resolved phone138: shop is down
        105 resolved phone139: shop is down
        105 resolved ding: shop is down
    ");
}

#[test]
fn a_rule_that_goes_resolves_its_alerts() {
    let folder = tempfile::tempdir().unwrap();
    let mut core = open(folder.path());
    let feed = outage();
    (0..70).for_each(|at| drop(turn(&mut core, &feed, second(at))));
    assert_eq!(core.engine().alerts().next().unwrap().state, AlertState::Firing);
    core.reload(Plan { rules: Vec::new(), ..plan() }, second(70)).unwrap();
    let told = turn(&mut core, &feed, second(70));
    assert_eq!(told.len(), 3, "{told:?}");
    assert!(core.router().episodes().is_empty());
}

#[test]
fn a_disk_that_refuses_stops_sends_and_loses_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let directory = folder.path().join("state");
    let mut core = open(&directory);
    let mut feed = Feed::default();
    (0..4).for_each(|_| feed.error(1, "shop"));
    core.handle(&feed.records, true, second(3)).unwrap();
    core.store.let_go();
    let away = folder.path().join("away");
    std::fs::rename(&directory, &away).unwrap();
    core.tick(second(9)).unwrap_err();
    assert!(core.is_stuck() && !core.is_saved());
    assert_eq!(core.due(second(9)), []);
    assert_eq!(core.observed(), []);
    assert_eq!(core.deadline(), Some(second(10)));
    core.tick(second(10)).unwrap_err();
    std::fs::rename(&away, &directory).unwrap();
    core.tick(second(11)).unwrap();
    assert!(core.is_saved());
    assert_eq!(core.due(second(11)).len(), 1);
    assert!(core.observed().iter().any(|seen| matches!(seen, Observed::Transition(_))));
    drop(core);
    assert_eq!(open(&directory).due(second(12)).len(), 1);
}

#[test]
fn time_stands_still_while_records_are_left_where_they_are() {
    let folder = tempfile::tempdir().unwrap();
    let (directory, away) = (folder.path().join("state"), folder.path().join("away"));
    let mut core = open(&directory);
    let mut feed = Feed::default();
    (0..300).step_by(5).for_each(|at| feed.probe(at, "shop", "up"));
    (0..40).for_each(|at| drop(turn(&mut core, &feed, second(at))));
    core.handle(feed.unread(&core, second(40)), true, second(40)).unwrap();
    core.store.let_go();
    std::fs::rename(&directory, &away).unwrap();
    for at in 41..200 {
        // The source is not read, so nobody has seen the service answer.
        let _ = core.tick(second(at));
    }
    assert!(core.is_stuck());
    std::fs::rename(&away, &directory).unwrap();
    core.tick(second(200)).unwrap();
    core.tick(second(201)).unwrap();
    let told: Vec<String> = (202..300).flat_map(|at| turn(&mut core, &feed, second(at))).collect();
    assert_eq!(told, Vec::<String>::new());
    assert_eq!(core.router().episodes().len(), 0);
}

#[test]
fn a_large_snapshot_is_saved_less_often() {
    let folder = tempfile::tempdir().unwrap();
    let mut core = open(folder.path());
    let mut feed = Feed::default();
    feed.error(0, "shop");
    core.snapshot_bytes = 40 << 20;
    core.handle(&feed.records, true, second(0)).unwrap();
    assert_eq!(core.save_at, Some(second(10)));
    core.tick(second(10)).unwrap();
    assert!(core.is_saved() && core.snapshot_bytes < 1 << 20);
}

#[test]
fn the_board_shows_what_is_firing_and_whom_it_was_told_to() {
    let folder = tempfile::tempdir().unwrap();
    let mut core = open(folder.path());
    let feed = outage();
    (0..70).for_each(|at| drop(turn(&mut core, &feed, second(at))));
    let board = crate::api::Board::default();
    board.publish(&core);
    let view = serde_json::to_value(&*board.view()).unwrap();
    let alert = &view["alerts"][0];
    assert_eq!(alert["state"], "firing");
    assert_eq!(alert["rule"], "down");
    assert_eq!(alert["group"], serde_json::json!([["service.name", "shop"]]));
    let told = serde_json::json!({"channel": "phone", "recipient": "138", "is_told": true});
    assert_eq!(alert["addresses"][0], told);
    assert_eq!(view["deliveries"].as_array().unwrap().len(), 3);
    assert_eq!(view["deliveries"][0]["verdict"], "delivered");
}

#[test]
fn counting_alone_is_saved_at_its_interval() {
    let folder = tempfile::tempdir().unwrap();
    let mut core = open(folder.path());
    let mut feed = Feed::default();
    feed.error(0, "shop");
    core.handle(&feed.records, true, second(0)).unwrap();
    assert!(!core.is_saved());
    core.tick(second(1)).unwrap();
    assert!(core.is_saved());
    let positions = core.positions().to_vec();
    drop(core);
    assert_eq!(open(folder.path()).positions(), positions);
}

#[test]
fn positions_follow_the_source_and_have_a_bound() {
    let record = |topic: &str, offset| Record {
        topic: Arc::from(topic),
        partition: 0,
        offset,
        timestamp: START,
        key: None,
        payload: Bytes::new(),
    };
    let mut positions = Vec::new();
    for (topic, offset) in [("a", 5), ("b", 0), ("a", 6), ("b", 9), ("b", 2)] {
        advance(&mut positions, &record(topic, offset));
    }
    let next: Vec<(&str, i64)> = positions.iter().map(|place| (place.topic.as_str(), place.next)).collect();
    assert_eq!(next, [("a", 7), ("b", 3)]);
    for topic in 0..POSITIONS_MAX {
        advance(&mut positions, &record(&topic.to_string(), 0));
    }
    assert_eq!(positions.len(), POSITIONS_MAX);
    assert_eq!(positions[0].topic, "0");
}
