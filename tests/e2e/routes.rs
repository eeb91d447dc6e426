//! Several topics of one shipper on a real broker: what is refused, urgent, collected or switched off harms no other.
//!
//! Enters: lines in files, each with a number. Leaves: what is on each topic, when it came there, and how often.

use std::collections::BTreeMap;
use std::fs::OpenOptions;
use std::io::Write as _;
use std::path::PathBuf;
use std::time::Instant;

use tests::oracle::{self, Reader, Verdict};
use tests::part::binary;
use tests::part::daemon::Daemon;
use tests::part::kafka::{GUARDED, Kafka};
use tests::torture::usage::Usage;
use tests::wait::until;

/// Most of a processor that a shipper may take which has little to send, in percent.
const IDLE_PERCENT_MAX: u128 = 20;
/// How long half of the lines may take at most that go at once.
const SOON_MS: i64 = 150;

/// A topic whose records say when the broker took them.
const STAMPED: [(&str, &str); 1] = [("message.timestamp.type", "LogAppendTime")];

/// A folder with files and a shipper's configuration.
struct Desk {
    folder: tempfile::TempDir,
    brokers: String,
}

impl Desk {
    /// `inputs` are the entries of `inputs`, with `LOGS` for the folder; `output` are further keys of `output.kafka`.
    fn new(kafka: &Kafka, inputs: &[&str], output: &str) -> Self {
        let desk = Desk { folder: tempfile::tempdir().unwrap(), brokers: kafka.address() };
        let here = desk.folder.path().display().to_string();
        let inputs: String = inputs.iter().map(|input| format!("  - file: {input}\n")).collect();
        let text = format!(
            "inputs:\n{}output: {{ kafka: {{ brokers: ['{}'], {output} }} }}\n\
             registry: {{ path: '{here}/registry' }}\nadmin: {{ listen: '127.0.0.1:0' }}\n",
            inputs.replace("LOGS", &here),
            desk.brokers,
        );
        std::fs::write(desk.config(), text).unwrap();
        desk
    }

    fn config(&self) -> PathBuf {
        self.folder.path().join("shipper.yml")
    }

    fn start(&self) -> Daemon {
        Daemon::run("shipper", &self.config())
    }

    fn append(&self, name: &str, text: &str) {
        let path = self.folder.path().join(name);
        let file = OpenOptions::new().create(true).append(true).open(path);
        file.unwrap().write_all(text.as_bytes()).unwrap();
    }

    fn seen(&self, topic: &str) -> Seen {
        Seen { reader: Reader::new(&self.brokers, topic), lines: Vec::new() }
    }

    /// `shipper debug ...`; what it says.
    fn debug(&self, arguments: &[&str]) -> String {
        let config = self.config();
        let all = [&["debug"], arguments, &["-c", config.to_str().unwrap()]].concat();
        let (code, said) = binary::run("shipper", &all);
        assert_eq!(code, 0, "{said}");
        said
    }

    /// Every line of `stream` is on `topic`, and once; gives all that lies there.
    fn judge(&self, topic: &str, stream: &str, lines: u64) -> Seen {
        let mut seen = self.seen(topic);
        until(&format!("{lines} lines on {topic}"), || {
            seen.read();
            (seen.lines.len() as u64 >= lines).then_some(())
        });
        let messages: Vec<String> = seen.lines.iter().map(|(_, line)| line.clone()).collect();
        let written = BTreeMap::from([(stream.to_owned(), lines)]);
        let Verdict { missing, doubled, torn, out_of_order: _ } = oracle::judge(&written, &messages);
        assert_eq!((missing, doubled, torn), (vec![], vec![], vec![]), "{topic}");
        seen
    }
}

/// The lines of a topic, as they come.
struct Seen {
    reader: Reader,
    /// When each was appended, by the broker's clock where the topic says so, and its text.
    lines: Vec<(i64, String)>,
}

impl Seen {
    fn read(&mut self) {
        let lines = &mut self.lines;
        self.reader.read(|place, event| {
            if let Some(message) = event.value("log.offset").and(event.text("message")) {
                lines.push((place.stamp_ms, message.to_owned()));
            }
        });
    }

    /// Waits for a line that ends so; gives when it was appended.
    fn until_has(&mut self, end: &str) -> i64 {
        until(end, || {
            self.read();
            self.lines.iter().find(|(_, line)| line.ends_with(end)).map(|(stamp, _)| *stamp)
        })
    }

    /// When lines came, the earliest first.
    fn stamps(&self) -> Vec<i64> {
        let mut stamps: Vec<i64> = self.lines.iter().map(|(stamp, _)| *stamp).collect();
        stamps.sort_unstable();
        stamps
    }

    /// At how many moments lines came.
    fn moments(&self) -> usize {
        let mut stamps = self.stamps();
        stamps.dedup();
        stamps.len()
    }
}

/// `count` numbered lines of a stream from `first` on, each longer than `bytes`, which no codec makes small.
fn lines(stream: &str, first: u64, count: u64, bytes: usize) -> String {
    let noise = noise(bytes * 4 + 1);
    let line = |number: u64| {
        let from = usize::try_from(number * 7).unwrap() % (noise.len() - bytes);
        format!("{} {stream} {number}\n", &noise[from..from + bytes])
    };
    (first..first + count).map(line).collect()
}

fn noise(bytes: usize) -> String {
    let mut seed = 1_u64;
    let mut letter = || {
        seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        char::from(b'a' + u8::try_from((seed >> 33) % 26).unwrap())
    };
    (0..bytes).map(|_| letter()).collect()
}

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
    kafka.deny_write("denied");
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
    let shipper = desk.start();
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
    kafka.allow_write("denied");
    for (stream, first) in [("denied", 5000), ("missing", 30_000), ("good", 20)] {
        desk.append(&format!("{stream}.log"), &lines(stream, first, 10, 10));
    }
    desk.judge("denied", "denied", 5010);
    desk.judge("missing", "missing", 30_010);
    desk.judge("logs", "good", 30);
    shipper.until_ready();
}

#[test]
fn an_event_that_one_topic_never_takes_is_kept_with_the_name_of_the_topic() {
    let kafka = Kafka::shared();
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
        (shipper.metric("shipper_output_pending_records") > 10_000.0).then_some(())
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
