//! A start after a crash, on a broker that is not as it was: access, topics and records are gone, or others have written.
//!
//! Enters: lines, a `kill -9` as soon as they are on the topic. Leaves: each line once where the broker can be asked, each
//! under one name where it cannot, and no start that waits for what will never come.

use std::collections::{BTreeMap, BTreeSet};
use std::time::{Duration, Instant};

use daemon::Clock;
use event::{Level, StreamId};
use tests::dice::Dice;
use tests::oracle;
use tests::part::daemon::Daemon;
use tests::part::kafka::{GUARDED, Kafka};
use tests::publish::{line, publish_at};
use tests::wait::until;

use crate::desk::{Desk, lines};

const INPUT: &str = "{ paths: ['LOGS/app.log'] }";
/// Records of others, several times what tells that an absence is over.
const OTHERS: u32 = 400_000;
/// How long a start may take until it sends: it waits two seconds for what may still arrive.
const START_MAX: Duration = Duration::from_secs(15);

/// Ships the lines from `first` on, and kills the shipper as soon as they are on the topic.
fn ship_then_kill(desk: &Desk, topic: &str, first: u64, count: u64) {
    let shipper = desk.start();
    desk.append("app.log", &lines("app", first, count, 10));
    desk.seen(topic).until_has(&format!(" app {}", first + count - 1));
    // Dropping it is `kill -9`.
    drop(shipper);
}

/// Starts again, with ten further lines, and ends when they are acknowledged; gives the shipper's log.
fn ship_on(desk: &Desk, first: u64) -> String {
    desk.append("app.log", &lines("app", first, 10, 10));
    let started = Instant::now();
    let mut shipper = desk.start();
    until_settled(&shipper);
    assert!(started.elapsed() < START_MAX, "{:?}\n{}", started.elapsed(), shipper.log());
    shipper.until_ready();
    assert_eq!(shipper.terminate(), Some(0));
    shipper.log()
}

fn until_settled(shipper: &Daemon) {
    until("everything to be acknowledged", || {
        let is_known = shipper.metric("shipper_file_streams") > 0.0;
        (is_known && shipper.metric("shipper_file_pending_bytes") == 0.0).then_some(())
    });
}

/// The numbers of the lines on the topic; none is there twice.
fn numbers(desk: &Desk, topic: &str) -> BTreeSet<u64> {
    let mut seen = desk.seen(topic);
    seen.read();
    let number = |line: &str| line.rsplit(' ').next().unwrap().parse::<u64>().unwrap();
    let numbers: BTreeSet<u64> = seen.lines.iter().map(|(_, line)| number(line)).collect();
    assert_eq!(numbers.len(), seen.lines.len(), "some are there twice");
    numbers
}

#[test]
fn a_topic_that_may_not_be_read_gets_its_lines_again_under_their_names() {
    let kafka = Kafka::start(GUARDED);
    kafka.create("logs", &[]);
    let desk = Desk::new(&kafka, &[INPUT], "topic: logs");
    ship_then_kill(&desk, "logs", 0, 500);
    kafka.grant("logs");
    kafka.deny("Read", "logs");
    let log = ship_on(&desk, 500);
    assert!(log.contains("the end of the topic cannot be read"), "{log}");
    assert!(log.contains("access denied; allow this user to Read and Describe the topic"), "{log}");
    kafka.allow("Read", "logs");
    let mut named = BTreeMap::new();
    let events = until("the topic to be readable", || {
        let events = oracle::read(&desk.brokers, "logs");
        (!events.is_empty()).then_some(events)
    });
    for event in events.iter().filter(|event| event.value("log.offset").is_some()) {
        let message = event.text("message").unwrap().to_owned();
        assert_eq!(named.entry(event.id().unwrap()).or_insert(message.clone()), &message);
    }
    assert_eq!(named.len(), 510);
}

#[test]
fn a_topic_that_was_made_anew_gets_what_is_not_known_to_be_acknowledged() {
    let kafka = Kafka::start("auto.create.topics.enable=false");
    kafka.create("logs", &[]);
    let desk = Desk::new(&kafka, &[INPUT], "topic: logs");
    ship_then_kill(&desk, "logs", 0, 500);
    kafka.delete("logs");
    kafka.create("logs", &[]);
    ship_on(&desk, 500);
    let numbers = numbers(&desk, "logs");
    let first = *numbers.first().unwrap();
    assert!(first <= 500 && numbers.into_iter().eq(first..510));
}

#[test]
fn a_tail_that_retention_has_removed_is_waited_for_by_nobody() {
    let kafka = Kafka::shared();
    kafka.create("resume-expired", &[]);
    let desk = Desk::new(&kafka, &[INPUT], "topic: resume-expired");
    ship_then_kill(&desk, "resume-expired", 0, 500);
    kafka.expire("resume-expired");
    ship_on(&desk, 500);
    let numbers = numbers(&desk, "resume-expired");
    let first = *numbers.first().unwrap();
    assert!(first <= 500 && numbers.into_iter().eq(first..510));
}

#[test]
fn a_long_absence_does_not_make_it_read_what_others_have_written_since() {
    let kafka = Kafka::shared();
    kafka.create("resume-absent", &[]);
    let desk = Desk::new(&kafka, &[INPUT], "topic: resume-absent");
    ship_then_kill(&desk, "resume-absent", 0, 500);
    // What half a day brings, as far as a test can: many records, with the times of that day.
    let later = Clock::System.now().plus(Duration::from_secs(12 * 60));
    let streams: Vec<String> = (0..64).map(|number| StreamId::from_u128(number).to_string()).collect();
    let (_, payload) = line(StreamId::from_u128(1), 0, Level::Info, later);
    let keys = streams.iter().cycle().take(OTHERS as usize);
    let records = keys.map(|key| (key.as_str(), payload.as_slice()));
    publish_at(&desk.brokers, "resume-absent", Some(later.as_millis()), records);
    desk.append("app.log", &lines("app", 500, 10, 10));
    let started = Instant::now();
    let mut shipper = desk.start();
    until_settled(&shipper);
    assert_eq!(shipper.terminate(), Some(0));
    let log = shipper.log();
    let looked_at = log.split("looked_at=").nth(1).and_then(|rest| rest.split_whitespace().next());
    let looked_at: u32 = looked_at.unwrap_or_else(|| panic!("{log}")).parse().unwrap();
    println!("{:?}, {looked_at} were looked at", started.elapsed());
    assert!(looked_at < OTHERS / 2, "{log}");
    let lines = oracle::messages(&desk.brokers, "resume-absent");
    let ours: Vec<&String> = lines.iter().filter(|line| line.contains(" app ")).collect();
    assert_eq!(ours.len(), ours.iter().collect::<BTreeSet<_>>().len(), "some are there twice");
    assert_eq!(ours.len(), 510);
}

/// The good topic's lines lie behind one that another topic does not take, so that no offset covers them.
#[test]
fn lines_behind_one_of_a_refused_topic_are_not_sent_again_after_kills() {
    let kafka = Kafka::start("auto.create.topics.enable=false");
    kafka.create("logs", &[]);
    let input = "{ paths: ['LOGS/app.log'], parse: logfmt, levels: { error: { topic: errors } } }";
    let desk = Desk::new(&kafka, &[input], "topic: logs");
    let mut logs = desk.seen("logs");
    for round in 0..3 {
        let shipper = desk.start();
        for number in round * 200..(round + 1) * 200 {
            let both = format!("level=error msg=\"error {number}\"\nlevel=info msg=\"info {number}\"\n");
            desk.append("app.log", &both);
        }
        logs.until_has(&format!("info {}", round * 200 + 199));
        shipper.until_down("output.errors", "is not there");
        // Some commits later.
        let acked = || shipper.metric("shipper_records_settled_total");
        desk.append("app.log", "level=info msg=\"more info 0\"\n");
        until("a settled record", || (acked() > 0.0).then_some(()));
        drop(shipper);
    }
    kafka.create("errors", &[]);
    let mut shipper = desk.start();
    until_settled(&shipper);
    assert_eq!(shipper.terminate(), Some(0));
    desk.judge("errors", "error", 600);
    let infos = oracle::messages(&desk.brokers, "logs");
    let unique: BTreeSet<&String> = infos.iter().filter(|line| line.starts_with("info ")).collect();
    assert_eq!((unique.len(), infos.len()), (600, 603), "{}", shipper.log());
}

/// Three lanes, two of them on one topic, and kills at any moment.
#[test]
fn kills_with_several_lanes_lose_no_line_and_send_none_again() {
    let kafka = Kafka::shared();
    let topics = ["resume-logs", "resume-errors"];
    topics.iter().for_each(|topic| kafka.create(topic, &[]));
    let inputs = [
        "{ paths: ['LOGS/app.log'], parse: logfmt, levels: { error: { topic: resume-errors, urgent: true } } }",
        "{ paths: ['LOGS/pay.log'], urgent: true }",
    ];
    let desk = Desk::new(&kafka, &inputs, "topic: resume-logs");
    let (mut dice, mut number, mut seen) = (Dice::new(), 0, desk.seen("resume-errors"));
    for _ in 0..4 {
        let shipper = desk.start();
        let bursts = 12 + dice.roll(15);
        for _ in 0..bursts {
            let first = number;
            number += dice.roll(200);
            let both =
                |number| format!("level=info msg=\"info {number}\"\nlevel=error msg=\"error {number}\"\n");
            desk.append("app.log", &(first..number).map(both).collect::<String>());
            desk.append("pay.log", &lines("pay", first, number - first, 10));
            // The pace of a service: an answer of the broker.
            seen.read();
        }
        drop(shipper);
    }
    let mut shipper = desk.start();
    until_settled(&shipper);
    assert_eq!(shipper.terminate(), Some(0));
    desk.judge("resume-errors", "error", number);
    let all = oracle::messages(&desk.brokers, "resume-logs");
    let of = |stream: &str| -> Vec<String> {
        let end = format!(" {stream} ");
        all.iter().filter(|line| format!(" {line}").contains(&end)).cloned().collect()
    };
    for stream in ["info", "pay"] {
        let verdict = oracle::judge(&BTreeMap::from([(stream.to_owned(), number)]), &of(stream));
        assert_eq!(
            (verdict.missing.len(), verdict.doubled.len(), verdict.torn.len()),
            (0, 0, 0),
            "{stream}: {verdict:?}\n{}",
            shipper.log()
        );
    }
}
