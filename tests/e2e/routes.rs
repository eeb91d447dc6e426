//! Several topics of one shipper on a real broker: what is refused, urgent, collected or switched off harms no other.
//!
//! Enters: lines in files, each with a number. Leaves: what is on each topic, when it came there, and how often.

use std::time::Instant;

use tests::part::kafka::{GUARDED, Kafka};
use tests::torture::usage::Usage;
use tests::wait::until;

use crate::desk::{Desk, Seen, lines, noise};

/// Most of a processor that a shipper may take which has little to send, in percent.
const IDLE_PERCENT_MAX: u128 = 20;
/// How long half of the lines may take at most that go at once.
const SOON_MS: i64 = 150;

/// A topic whose records say when the broker took them.
const STAMPED: [(&str, &str); 1] = [("message.timestamp.type", "LogAppendTime")];

fn now_ms() -> i64 {
    daemon::Clock::System.now().as_millis()
}

fn median(mut waits: Vec<i64>) -> i64 {
    waits.sort_unstable();
    waits[waits.len() / 2]
}

#[test]
fn a_topic_that_is_refused_holds_up_nothing_but_what_is_meant_for_it() {
    let kafka = Kafka::start(&format!("{GUARDED}\nauto.create.topics.enable=false"));
    kafka.create("logs", &STAMPED);
    kafka.create("denied", &[]);
    kafka.deny("Write", "denied");
    let inputs = [
        "{ paths: ['LOGS/good.log'] }",
        "{ paths: ['LOGS/denied.log'], topic: denied }",
        "{ paths: ['LOGS/missing.log'], topic: missing }",
    ];
    // Little memory, so that both lanes that stand still are full, and their files unread.
    let output = "topic: logs, queue_bytes: 3MiB, batch_bytes: 100KiB, \
                  options: { topic.metadata.propagation.max.ms: '2000' }";
    let desk = Desk::new(&kafka, &inputs, output);
    desk.append("denied.log", &lines("denied", 0, 5000, 1000));
    desk.append("missing.log", &lines("missing", 0, 30_000, 1000));
    let mut shipper = desk.start();
    shipper.until_down("output.denied", "allow this user to Write");
    shipper.until_down("output.missing", "topic `missing` is not there; create it");

    let mut good = desk.seen("logs");
    let (started, before) = (Instant::now(), Usage::of(shipper.pid()).unwrap().cpu);
    let mut waits = Vec::new();
    for number in 0..20 {
        let written = now_ms();
        desk.append("good.log", &lines("good", number, 1, 10));
        waits.push(good.until_has(&format!(" good {number}")) - written);
    }
    let spent = Usage::of(shipper.pid()).unwrap().cpu.saturating_sub(before);
    let percent = spent.as_millis() * 100 / started.elapsed().as_millis();
    println!("{percent} % of a processor, {waits:?} ms");
    assert!(percent < IDLE_PERCENT_MAX, "{percent} % of a processor\n{}", shipper.log());
    assert!(median(waits) < SOON_MS);
    assert_eq!(shipper.parts()["output"], "ok");

    kafka.create("missing", &[]);
    kafka.allow("Write", "denied");
    for (stream, first) in [("denied", 5000), ("missing", 30_000), ("good", 20)] {
        desk.append(&format!("{stream}.log"), &lines(stream, first, 10, 10));
    }
    let judge = || {
        desk.judge("denied", "denied", 5010);
        desk.judge("missing", "missing", 30_010);
        desk.judge("logs", "good", 30);
    };
    judge();
    shipper.until_ready();
    assert_eq!(shipper.terminate(), Some(0));
    judge();
}

#[test]
fn an_event_that_one_topic_never_takes_is_kept_with_the_name_of_the_topic() {
    let kafka = Kafka::shared();
    kafka.create("routes-large", &[]);
    kafka.create("routes-small", &[("max.message.bytes", "20000")]);
    let inputs = [
        "{ paths: ['LOGS/a.log'], levels: { error: { topic: routes-small, urgent: true } }, parse: logfmt }",
    ];
    let desk = Desk::new(&kafka, &inputs, "topic: routes-large");
    let line = |level: &str, number: u64, bytes: usize| {
        format!("level={level} msg=\"{} {level} {number}\"\n", noise(bytes))
    };
    desk.append("a.log", &line("error", 0, 10));
    // One that the other topic would take.
    desk.append("a.log", &line("error", 99, 60_000));
    for number in 0..50 {
        desk.append("a.log", &(line("info", number, 10) + &line("error", number + 1, 10)));
    }
    let mut shipper = desk.start();
    desk.judge("routes-large", "info", 50);
    desk.judge("routes-small", "error", 51);
    let letters = std::fs::read_to_string(desk.folder.path().join("registry/dead-letters.ndjson")).unwrap();
    assert_eq!(letters.lines().count(), 1);
    let letter: serde_json::Value = serde_json::from_str(&letters).unwrap();
    assert_eq!(letter["topic"], "routes-small");
    assert!(letter["error"]["message"].as_str().unwrap().contains("max.message.bytes"), "{letter}");
    assert!(letter["record"].as_str().unwrap().contains("error 99"));
    assert_eq!(shipper.terminate(), Some(0));
}

/// One file feeds two topics, and one of them is not there: the other has its lines until there is no room any more, and
/// then it is said what the file waits for.
#[test]
fn a_file_that_waits_for_one_of_its_topics_says_so() {
    let kafka = Kafka::start("auto.create.topics.enable=false");
    kafka.create("logs", &[]);
    let input = "{ paths: ['LOGS/a.log'], parse: logfmt, levels: { error: { topic: errors } } }";
    let desk = Desk::new(&kafka, &[input], "topic: logs");
    let line = |level: &str, number: u64, bytes: usize| {
        format!("level={level} msg=\"{} {level} {number}\"\n", noise(bytes))
    };
    desk.append("a.log", &(line("error", 0, 10) + &line("info", 0, 10)));
    let mut shipper = desk.start();
    let mut logs = desk.seen("logs");
    logs.until_has("info 0");
    shipper.until_down("output.errors", "topic `errors` is not there");
    // More than half of the 16 MiB that records may take which have no answer.
    let errors: String = (1..12_000).map(|number| line("error", number, 1000)).collect();
    desk.append("a.log", &(errors + &line("info", 1, 10)));
    let address = shipper.admin().replace("http://", "");
    let path = desk.folder.path().join("a.log");
    let told = |arguments: &[&str], words: &str| {
        until(words, || {
            let (_, said) = desk.command(&[arguments, &["--address", &address]].concat());
            said.contains(words).then_some(())
        });
    };
    told(&["status", "--over", "0s"], "a.log: waits for topic errors, see output.errors");
    told(
        &["why", path.to_str().unwrap()],
        "answer: topic errors takes nothing (output.errors): topic `errors` is not",
    );
    let last = format!("{}:12002", path.display());
    told(
        &["why", &last],
        "answer: it waits for topic errors, which is refused and has no room for what comes next",
    );
    let second = format!("{}:2", path.display());
    told(&["why", &second], "shows when what lies before it for topic errors is, which is refused");
    kafka.create("errors", &[]);
    logs.until_has("info 1");
    desk.judge("errors", "error", 12_000);
    assert_eq!(shipper.terminate(), Some(0));
    desk.judge("errors", "error", 12_000);
    desk.judge("logs", "info", 2);
}

#[test]
fn errors_go_at_once_and_access_lines_in_large_batches() {
    let kafka = Kafka::shared();
    for topic in ["paced-logs", "paced-errors", "paced-access"] {
        kafka.create(topic, &STAMPED);
    }
    let inputs = [
        "{ paths: ['LOGS/app.log'], parse: logfmt, levels: { error: { topic: paced-errors, urgent: true } } }",
        "{ paths: ['LOGS/access.log'], topic: paced-access, send: in_large_batches }",
    ];
    let desk = Desk::new(&kafka, &inputs, "topic: paced-logs");
    let shipper = desk.start();
    desk.append("app.log", "level=info msg=\"app 0\"\n");
    desk.seen("paced-logs").until_has("app 0");
    let mut written = Vec::new();
    for number in 0..200 {
        written.push(now_ms());
        desk.append("access.log", &format!("access {number}\n"));
        desk.append("app.log", &format!("level=error msg=\"error {number}\"\n"));
        // The pace of a service.
        let next = written[number] + 20;
        until("the next line's time", || (now_ms() >= next).then_some(()));
    }
    let errors = desk.judge("paced-errors", "error", 200);
    let access = desk.judge("paced-access", "access", 200);
    let waits = |seen: &Seen| {
        let number = |line: &str| line.rsplit(' ').next().unwrap().parse::<usize>().unwrap();
        seen.lines.iter().map(|(stamp, line)| stamp - written[number(line)]).collect::<Vec<i64>>()
    };
    let (urgent, large) = (waits(&errors), waits(&access));
    let moments = [errors.moments(), access.moments()];
    println!("{} and {} ms, at {moments:?} moments", median(urgent.clone()), median(large.clone()));
    assert!(median(urgent.clone()) < SOON_MS, "{urgent:?}");
    // Four seconds of lines, a second in each batch.
    assert!((2..=10).contains(&moments[1]) && moments[0] > 50, "{moments:?}");
    drop(shipper);
}

#[test]
fn a_level_goes_to_its_own_topic_while_it_is_switched_on() {
    let kafka = Kafka::shared();
    let inputs = [
        "{ paths: ['LOGS/app.log'], parse: logfmt, levels: { debug: { topic: switched-debug, when: switched_on } } }",
    ];
    let desk = Desk::new(&kafka, &inputs, "topic: switched-logs");
    kafka.create("switched-logs", &[]);
    kafka.create("switched-debug", &[]);
    let shipper = desk.start();
    let mut debug = desk.seen("switched-debug");
    let (mut written, mut left_out) = (0_u64, 0_u64);
    // Writes a line, and waits until it is told what became of it: it goes, or it is left out.
    let mut goes = || {
        let before = left_out;
        desk.append(
            "app.log",
            &format!("level=debug msg=\"debug {written}\"\nlevel=info msg=\"info {written}\"\n"),
        );
        written += 1;
        left_out = until("the fate of a line", || {
            debug.read();
            let left_out = shipper.metric("shipper_file_switched_off_records_total") as u64;
            (debug.lines.len() as u64 + left_out == written).then_some(left_out)
        });
        left_out == before
    };
    assert!(!goes());
    for (span, is_ended) in [("10m", true), ("2s", false)] {
        let said = desk.debug(&["on", "--for", span]);
        assert!(said.starts_with("on until "), "{said}");
        until("lines to go", || goes().then_some(()));
        if is_ended {
            assert!(desk.debug(&["off"]).starts_with("off; "));
        }
        until("lines to be left out", || (!goes()).then_some(()));
    }
    assert!(desk.debug(&["status"]).starts_with("off since "));
    // Not one of the lines at the other level waited, and none took the wrong way.
    desk.judge("switched-logs", "info", written);
    assert!(debug.lines.iter().all(|(_, line)| line.starts_with("debug ")), "{:?}", debug.lines);
}

#[test]
fn after_an_outage_urgent_records_go_first() {
    let kafka = Kafka::start("auto.create.topics.enable=false");
    kafka.create("logs", &STAMPED);
    kafka.create("urgent", &STAMPED);
    let inputs = ["{ paths: ['LOGS/app.log'] }", "{ paths: ['LOGS/pay.log'], topic: urgent, urgent: true }"];
    let desk = Desk::new(&kafka, &inputs, "topic: logs");
    desk.append("app.log", &lines("app", 0, 1, 10));
    desk.append("pay.log", &lines("pay", 0, 1, 10));
    let shipper = desk.start();
    desk.judge("logs", "app", 1);
    desk.judge("urgent", "pay", 1);
    kafka.stop(true);
    desk.append("app.log", &lines("app", 1, 40_000, 1000));
    desk.append("pay.log", &lines("pay", 1, 5_000, 1000));
    until("the shipper to be full", || {
        (shipper.metric("shipper_output_pending_records") > 7000.0).then_some(())
    });
    kafka.launch();
    let (urgent, logs) = (desk.judge("urgent", "pay", 5001), desk.judge("logs", "app", 40_001));
    let (urgent, logs) = (urgent.stamps(), logs.stamps());
    let first = logs[1].min(urgent[1]);
    let place = |stamps: &[i64], part: usize| stamps[stamps.len() * part / 100 - 1] - first;
    println!(
        "urgent {:?}, others {:?}",
        [2, 50, 100].map(|part| place(&urgent, part)),
        [2, 50, 100].map(|part| place(&logs, part))
    );
    assert!(place(&urgent, 100) < place(&logs, 50));
}
