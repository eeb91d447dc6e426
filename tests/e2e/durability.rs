//! No line is lost and none is torn, whatever dies: `shipper run` between a busy log file and a real Kafka.
//!
//! Enters: numbered lines of a writer that never waits for anybody, kills at random moments. Leaves: the oracle's verdict
//! on the topic: each line is there, under one id however often it was sent.

use std::collections::BTreeMap;
use std::fs::{File, OpenOptions};
use std::io::Write;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{RecvTimeoutError, Sender, channel};
use std::thread::JoinHandle;
use std::time::Duration;

use event::EventId;
use tests::dice::Dice;
use tests::oracle::{self, Verdict};
use tests::part::daemon::Daemon;
use tests::part::kafka::Kafka;
use tests::wait::{until, until_or_tell, within};

/// Lines of one generation of the file, about.
const ROTATE_LINES: u64 = 4000;
/// Between two bursts of the writer.
const PAUSE: Duration = Duration::from_millis(2);

/// A service that writes its log, and whose log is rotated by renaming it.
struct Writer {
    stop: Sender<()>,
    written: Arc<AtomicU64>,
    thread: JoinHandle<()>,
}

impl Writer {
    fn start(log: PathBuf, mut dice: Dice) -> Self {
        let (stop, stopped) = channel();
        let written = Arc::new(AtomicU64::new(0));
        let count = Arc::clone(&written);
        let thread = std::thread::spawn(move || {
            let mut pen = Pen::new(log);
            // It ends with whole lines only.
            while stopped.recv_timeout(PAUSE) == Err(RecvTimeoutError::Timeout) {
                for _ in 0..dice.roll(20) {
                    pen.line(&mut dice);
                }
                count.store(pen.lines, Ordering::Release);
            }
        });
        Writer { stop, written, thread }
    }

    fn lines(&self) -> u64 {
        self.written.load(Ordering::Acquire)
    }

    fn wait_for(&self, lines: u64) {
        until("the writer", || (self.lines() >= lines).then_some(()));
    }

    /// Ends it; gives how many lines it has written.
    fn stop(self) -> u64 {
        drop(self.stop);
        self.thread.join().unwrap();
        self.written.load(Ordering::Acquire)
    }
}

/// The writer's hand: lines in one or two strokes, and a file that is renamed under it.
struct Pen {
    log: PathBuf,
    file: File,
    lines: u64,
    /// The line with which it notices that its file was renamed.
    reopen_at: u64,
    generation: u64,
}

impl Pen {
    fn new(log: PathBuf) -> Self {
        Pen { file: append(&log), log, lines: 0, reopen_at: u64::MAX, generation: 0 }
    }

    fn line(&mut self, dice: &mut Dice) {
        let words = "word ".repeat(usize::try_from(dice.roll(40)).unwrap());
        let line = format!("2026-11-23T10:30:45.123Z INFO {words}app {}\n", self.lines);
        // Now and then a reader sees half of a line.
        let (start, end) = line.split_at(if dice.roll(4) == 1 { line.len() / 2 } else { 0 });
        self.file.write_all(start.as_bytes()).unwrap();
        self.file.write_all(end.as_bytes()).unwrap();
        self.lines += 1;
        if self.lines.is_multiple_of(ROTATE_LINES) {
            self.generation += 1;
            std::fs::rename(&self.log, format!("{}.{}", self.log.display(), self.generation)).unwrap();
            self.reopen_at = self.lines + dice.roll(200);
        }
        if self.lines == self.reopen_at {
            self.file = append(&self.log);
        }
    }
}

fn append(path: &Path) -> File {
    OpenOptions::new().create(true).append(true).open(path).unwrap()
}

/// Waits until more bytes are acknowledged than now.
fn until_progress(shipper: &Daemon) {
    let before = shipper.metric("shipper_file_acked_bytes_total");
    until_or_tell(
        "progress",
        || format!("{:?}\n{}", shipper.parts(), shipper.log()),
        || (shipper.metric("shipper_file_acked_bytes_total") > before).then_some(()),
    );
}

/// A folder with a log and a registry, and a shipper on it.
struct Rig<'k> {
    kafka: &'k Kafka,
    topic: &'static str,
    folder: tempfile::TempDir,
}

impl<'k> Rig<'k> {
    fn new(kafka: &'k Kafka, topic: &'static str) -> Self {
        let rig = Rig { kafka, topic, folder: tempfile::tempdir().unwrap() };
        let (folder, broker) = (rig.folder.path().display(), kafka.address());
        let text = format!(
            "host: host-1\n\
             inputs: [{{ file: {{ paths: [\"{folder}/app.log*\"], service: app, line_bytes_max: 4MiB }} }}]\n\
             output: {{ kafka: {{ brokers: [\"{broker}\"], topic: {topic} }} }}\n\
             registry: {{ path: \"{folder}/registry\" }}\nadmin: {{ listen: \"127.0.0.1:0\" }}\n",
        );
        std::fs::write(rig.folder.path().join("shipper.yml"), text).unwrap();
        rig
    }

    fn log(&self) -> PathBuf {
        self.folder.path().join("app.log")
    }

    fn start(&self) -> Daemon {
        Daemon::run("shipper", &self.folder.path().join("shipper.yml"))
    }

    /// Waits until everything that is in the files is acknowledged.
    fn until_shipped(&self, shipper: &Daemon) {
        let bytes = || {
            let files = std::fs::read_dir(self.folder.path()).unwrap().map(|entry| entry.unwrap());
            let logs = files.filter(|file| file.file_name().to_string_lossy().starts_with("app.log"));
            logs.map(|file| file.metadata().unwrap().len()).sum::<u64>()
        };
        // A newly started shipper knows of no byte yet: an empty backlog alone would say nothing.
        within(Duration::from_secs(120), "every byte to be acknowledged", || {
            let known = shipper.metric("shipper_file_streams") > 0.0;
            (known && bytes() > 0 && shipper.metric("shipper_file_pending_bytes") == 0.0).then_some(())
        });
    }

    fn arrived(&self) -> Vec<(EventId, String)> {
        let events = oracle::read(&self.kafka.address(), self.topic);
        let lines = events.iter().filter(|event| event.value("log.offset").is_some());
        lines.map(|event| (event.id().unwrap(), event.text("message").unwrap().to_owned())).collect()
    }

    /// Everything is there, and what came again came under its own name. Gives how many came again.
    fn judge(&self, written: u64) -> usize {
        let arrived = self.arrived();
        let unique: BTreeMap<EventId, String> = arrived.iter().cloned().collect();
        assert!(arrived.iter().all(|(id, line)| unique[id] == *line), "one id, two lines");
        let lines: Vec<String> = unique.into_values().collect();
        let verdict = oracle::judge(&BTreeMap::from([("app".to_owned(), written)]), &lines);
        let Verdict { missing, doubled, torn, out_of_order: _ } = &verdict;
        let counts = [missing.len(), doubled.len(), torn.len()];
        assert_eq!(counts, [0, 0, 0], "missing, under two ids, torn: {missing:?} {doubled:?} {torn:?}");
        arrived.len() - lines.len()
    }
}

#[test]
fn twenty_kills_in_mid_run_lose_no_line() {
    let kafka = Kafka::shared();
    let rig = Rig::new(&kafka, "durability-kills");
    let mut dice = Dice::new();
    let writer = Writer::start(rig.log(), dice.clone());
    for _ in 0..20 {
        let shipper = rig.start();
        writer.wait_for(writer.lines() + dice.roll(5000));
        // Dropping it is `kill -9`.
        drop(shipper);
    }
    let mut shipper = rig.start();
    let written = writer.stop();
    rig.until_shipped(&shipper);
    assert_eq!(shipper.terminate(), Some(0));
    let repeated = rig.judge(written);
    println!("{written} lines, {repeated} of them sent again");
    assert_eq!(repeated, 0, "what the broker had was sent again\n{}", shipper.log());
    assert!(written > ROTATE_LINES, "{written} lines: the file was never rotated");
}

/// Kills where it hurts: before anything was committed, and while the ends of the partitions are read.
#[test]
fn kills_before_the_first_commit_and_during_a_start_send_no_line_again() {
    let kafka = Kafka::shared();
    let rig = Rig::new(&kafka, "durability-early");
    let mut dice = Dice::new();
    let writer = Writer::start(rig.log(), dice.clone());
    for round in 0..4 {
        let shipper = rig.start();
        until("the first records", || (shipper.metric("shipper_output_records_total") > 0.0).then_some(()));
        writer.wait_for(writer.lines() + dice.roll(400));
        drop(shipper);
        for _ in 0..round {
            let shipper = rig.start();
            until("the ends to be read", || {
                shipper.parts().get("output").filter(|state| state.contains("before the crash")).map(drop)
            });
            drop(shipper);
        }
    }
    let mut shipper = rig.start();
    let written = writer.stop();
    rig.until_shipped(&shipper);
    assert!(shipper.metric("shipper_output_already_there_total") > 0.0, "no record was in doubt");
    assert_eq!(shipper.terminate(), Some(0));
    assert_eq!(rig.judge(written), 0, "{}", shipper.log());
}

/// The broker stands still with requests in its sockets, the shipper is killed, and the broker goes on.
#[test]
fn a_kill_during_an_outage_sends_no_line_again() {
    let kafka = Kafka::start("");
    let rig = Rig::new(&kafka, "durability-outage");
    let mut dice = Dice::new();
    let writer = Writer::start(rig.log(), dice.clone());
    for _ in 0..3 {
        let shipper = rig.start();
        until_progress(&shipper);
        kafka.pause();
        writer.wait_for(writer.lines() + dice.roll(3000));
        drop(shipper);
        let shipper = rig.start();
        writer.wait_for(writer.lines() + dice.roll(3000));
        kafka.resume();
        writer.wait_for(writer.lines() + dice.roll(2000));
        drop(shipper);
    }
    let mut shipper = rig.start();
    let written = writer.stop();
    rig.until_shipped(&shipper);
    assert_eq!(shipper.terminate(), Some(0));
    assert_eq!(rig.judge(written), 0, "{}", shipper.log());
}

#[test]
fn a_broker_that_is_killed_and_comes_back_loses_no_line() {
    let kafka = Kafka::start("");
    let rig = Rig::new(&kafka, "durability-broker");
    let writer = Writer::start(rig.log(), Dice::new());
    let shipper = rig.start();
    until("the first records", || (shipper.metric("shipper_file_acked_bytes_total") > 0.0).then_some(()));
    kafka.stop(true);
    shipper.until_down("kafka", "");
    writer.wait_for(writer.lines() + ROTATE_LINES);
    kafka.launch();
    writer.wait_for(writer.lines() + ROTATE_LINES);
    let written = writer.stop();
    rig.until_shipped(&shipper);
    shipper.until_ready();
    rig.judge(written);
    let log = shipper.log();
    let downs = log.lines().filter(|line| line.contains("part is down")).count();
    assert!((1..=4).contains(&downs), "an outage is a line, not one for each record:\n{log}");
}

#[test]
fn a_stop_in_mid_run_sends_what_was_read_and_nothing_again() {
    let kafka = Kafka::shared();
    let rig = Rig::new(&kafka, "durability-stop");
    let writer = Writer::start(rig.log(), Dice::new());
    for _ in 0..5 {
        let mut shipper = rig.start();
        until_progress(&shipper);
        writer.wait_for(writer.lines() + ROTATE_LINES / 4);
        assert_eq!(shipper.terminate(), Some(0), "{}", shipper.log());
    }
    let written = writer.stop();
    let mut shipper = rig.start();
    rig.until_shipped(&shipper);
    assert_eq!(shipper.terminate(), Some(0));
    assert_eq!(rig.judge(written), 0, "a clean stop leaves nothing to be sent again");
}

#[test]
fn an_event_that_the_broker_never_takes_is_kept_with_the_reason_and_the_others_go_on() {
    let kafka = Kafka::shared();
    let rig = Rig::new(&kafka, "durability-large");
    let mut dice = Dice::new();
    let mut file = append(&rig.log());
    writeln!(file, "first app 0").unwrap();
    // Three megabytes that no codec makes small.
    let noise: String =
        (0..3 << 20).map(|_| char::from(b'a' + u8::try_from(dice.roll(26) - 1).unwrap())).collect();
    writeln!(file, "{noise} giant 0").unwrap();
    for number in 1..100 {
        writeln!(file, "later app {number}").unwrap();
    }
    let shipper = rig.start();
    rig.until_shipped(&shipper);
    rig.judge(100);
    let letters = std::fs::read_to_string(rig.folder.path().join("registry/dead-letters.ndjson")).unwrap();
    assert_eq!(letters.lines().count(), 1);
    let letter: serde_json::Value = serde_json::from_str(&letters).unwrap();
    assert!(letters.contains(&noise[..1000]), "the record is not in the letter");
    let reason = letter["error"]["message"].as_str().unwrap();
    assert!(reason.contains("max.message.bytes"), "{reason}");
    assert!(shipper.metric("shipper_file_lost_bytes_total") > 3_000_000.0);
}
