//! Bad input: what no service should write, what lies where logs should be, and parts that are away.
//!
//! Enters: bytes, links, pipes, dead addresses. Leaves: every good line around them, and one word in the log for each
//! part that is away, however many events pass meanwhile.

use std::io::Write;
use std::path::Path;
use std::process::Command;

use daemon::Clock;
use event::{Level, StreamId};
use serde_json::Value;
use tests::part::daemon::Daemon;
use tests::part::free_port;
use tests::part::kafka::Kafka;
use tests::publish::{line, publish};
use tests::wait::until;

/// `line_bytes_max` of the inputs here.
const LINE_BYTES_MAX: usize = 64 << 10;

/// A shipper on `*.log` in a folder.
fn shipper(folder: &Path, output: &str) -> Daemon {
    let home = folder.display();
    let text = format!(
        "inputs:\n  - file: {{ paths: [\"{home}/*.log\"], multiline: none, line_bytes_max: 64KiB }}\n\
         output: {output}\nregistry: {{ path: \"{home}/registry\" }}\nadmin: {{ listen: \"127.0.0.1:0\" }}\n"
    );
    std::fs::create_dir_all(folder.join("conf")).unwrap();
    let file = folder.join("conf/shipper.yml");
    std::fs::write(&file, text).unwrap();
    Daemon::start("shipper", &["run", "-c", file.to_str().unwrap()], &folder.join("conf/shipper.out"))
}

fn append(path: &Path, bytes: &[u8]) {
    let file = std::fs::OpenOptions::new().create(true).append(true).open(path);
    file.unwrap().write_all(bytes).unwrap();
}

/// The events of one file that a shipper has printed, in order.
fn events(shipper: &Daemon, file: &str) -> Vec<Value> {
    let log = shipper.log();
    let complete = &log[..log.rfind('\n').map_or(0, |end| end + 1)];
    let events = complete.lines().filter_map(|line| serde_json::from_str::<Value>(line).ok());
    let is_of =
        |event: &Value| event["log"]["file"]["path"].as_str().is_some_and(|path| path.ends_with(file));
    events.filter(is_of).collect()
}

fn messages(events: &[Value]) -> Vec<&str> {
    events.iter().map(|event| event["message"].as_str().unwrap()).collect()
}

#[test]
fn reading_goes_on_behind_bytes_that_are_no_text() {
    let folder = tempfile::tempdir().unwrap();
    let log = folder.path().join("bad.log");
    append(&log, b"first\ncaf\xe9 \xff\xfe\x80 broken\nnul \0\0 bytes\na \x1b[31mred\x1b[0m \x07\r\n");
    append(&log, &[b'\0'; 4096]);
    append(&log, b"\n");
    append(&log, &b"x".repeat(20 << 20));
    append(&log, b"\nafter the long one\nhalf a li");
    let shipper = shipper(folder.path(), "{ stdout: {} }");
    let found =
        until("the whole lines", || Some(events(&shipper, "bad.log")).filter(|found| found.len() == 6));
    let said = messages(&found);
    assert_eq!(
        said[..4],
        [
            "first",
            "caf\u{fffd} \u{fffd}\u{fffd}\u{fffd} broken",
            "nul \0\0 bytes",
            "a \u{1b}[31mred\u{1b}[0m \u{7}"
        ]
    );
    assert_eq!(found[1]["tags"], serde_json::json!(["invalid_utf8"]), "{}", found[1]);
    // A hole of NUL bytes is no text.
    assert_eq!(said[4].len(), LINE_BYTES_MAX);
    assert_eq!(found[4]["tags"], serde_json::json!(["truncated"]));
    assert_eq!(found[4]["log"]["original_bytes"], 20 << 20);
    assert_eq!(said[5], "after the long one");
    // The rest of the long line; its line feed is no loss.
    let lost = until("the loss to be counted", || {
        Some(shipper.metric("shipper_file_lost_bytes_total")).filter(|lost| *lost > 0.0)
    });
    let expected = ((20 << 20) - LINE_BYTES_MAX) as f64;
    assert!((expected..=expected + 1.0).contains(&lost), "{lost} of {expected}");

    append(&log, b"ne\n");
    let found = until("the torn line", || Some(events(&shipper, "bad.log")).filter(|found| found.len() == 7));
    assert_eq!(messages(&found)[6], "half a line");
}

#[test]
fn what_is_no_file_does_not_stop_those_that_are() {
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name);
    append(&path("a.log"), b"before\n");
    std::os::unix::fs::symlink(path("nowhere"), path("dangling.log")).unwrap();
    std::os::unix::fs::symlink(path("loop.log"), path("loop.log")).unwrap();
    std::fs::create_dir(path("folder.log")).unwrap();
    assert!(Command::new("mkfifo").arg(path("pipe.log")).status().unwrap().success());
    append(&path("z.log"), b"behind\n");
    let shipper = shipper(folder.path(), "{ stdout: {} }");
    for (file, words) in [("a.log", "before"), ("z.log", "behind")] {
        until(words, || (messages(&events(&shipper, file)) == [words]).then_some(()));
    }
    until("the entries to be counted", || (shipper.metric("shipper_file_skipped") >= 4.0).then_some(()));
    // What was nothing becomes a file.
    std::fs::write(path("nowhere"), "there now\n").unwrap();
    std::fs::remove_dir(path("folder.log")).unwrap();
    append(&path("folder.log"), b"a file now\n");
    until("the folder's successor", || {
        (messages(&events(&shipper, "folder.log")) == ["a file now"]).then_some(())
    });
    until("the link's file", || shipper.log().contains("there now").then_some(()));
}

/// How often the log says that this part is down.
fn outages(daemon: &Daemon, part: &str) -> usize {
    let says = |line: &&str| line.contains("part is down") && line.contains(&format!("part=\"{part}\""));
    daemon.log().lines().filter(says).count()
}

#[test]
fn a_broker_that_is_away_is_one_word_however_much_is_written() {
    let folder = tempfile::tempdir().unwrap();
    let output = format!("{{ kafka: {{ brokers: [\"127.0.0.1:{}\"], topic: logs }} }}", free_port());
    let log = folder.path().join("app.log");
    append(&log, b"a line\n");
    let shipper = shipper(folder.path(), &output);
    shipper.until_down("kafka", "no broker answers");
    // Nothing is sent before a broker has told where the topic ends, so only the file's own numbers move.
    for _ in 0..8 {
        let before = shipper.metric("shipper_file_pending_bytes");
        append(&log, "another line\n".repeat(500).as_bytes());
        until("the lines to be seen", || {
            (shipper.metric("shipper_file_pending_bytes") > before).then_some(())
        });
    }
    shipper.until_down("kafka", "no broker answers");
    assert_eq!(outages(&shipper, "kafka"), 1, "{}", shipper.log());
    assert!(shipper.log().lines().count() < 20, "{}", shipper.log());
}

#[test]
fn a_channel_that_is_away_is_one_word_however_many_pages_wait() {
    const GROUPS: u64 = 40;
    let (kafka, folder) = (Kafka::shared(), tempfile::tempdir().unwrap());
    let home = folder.path().display().to_string();
    let rules = "rules:\n  - name: errors\n    priority: P1\n    match: 'log.level: error'\n    group_by: [log.offset]\n    \
                 condition: { count: { at_least: 1, window: 10m } }\n";
    let config = format!(
        "source: {{ kafka: {{ brokers: [\"{}\"], topic: pages, group: pages }} }}\nrules: [rules.yml]\n\
         channels: {{ hook: {{ webhook: {{ url: \"http://127.0.0.1:{}\" }} }} }}\n\
         engine: {{ grace: 1s, idle: 2s, blind: off }}\n\
         state: {{ path: \"{home}/state\" }}\nadmin: {{ listen: \"127.0.0.1:0\" }}\n",
        kafka.address(),
        free_port()
    );
    std::fs::write(folder.path().join("rules.yml"), rules).unwrap();
    std::fs::write(folder.path().join("alerter.yml"), config).unwrap();
    let stream = StreamId::derive(&[b"pages"]);
    let lines: Vec<Vec<u8>> =
        (0..GROUPS).map(|offset| line(stream, offset, Level::Error, Clock::System.now()).1).collect();
    // One stream has one key, or its records would be in no order.
    let key = stream.to_string();
    publish(&kafka.address(), "pages", lines.iter().map(|line| (key.as_str(), line.as_slice())));
    let alerter = Daemon::run("alerter", &folder.path().join("alerter.yml"));
    alerter.until_down("channel:hook", "cannot connect");
    until("every page to be tried", || {
        (alerter.metric("alerter_attempts_total") >= GROUPS as f64).then_some(())
    });
    assert_eq!(outages(&alerter, "channel:hook"), 1, "{}", alerter.log());
    until("every page to wait", || (alerter.metric("alerter_outbox_rows") == GROUPS as f64).then_some(()));
    let tries = alerter.log().lines().filter(|line| line.contains("cannot connect")).count();
    assert_eq!(tries, 1, "{}", alerter.log());
}
