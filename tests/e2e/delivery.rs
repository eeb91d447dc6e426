//! What the shipper's Kafka output does when a real broker refuses: nothing is lost, and no stream changes its order.
//!
//! Enters: batches made by hand, each record with a stream and a number. Leaves: what is on the topic, by the oracle,
//! and the fates that came back.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use daemon::dead_letter::DeadLetters;
use daemon::metric::Metrics;
use daemon::{Clock, Readiness};
use event::StreamId;
use shipper::batch::{Batch, Entry, Fate, Settled, Ticket};
use shipper::channel::{Sender, channel};
use shipper::metric::ShipperMetrics;
use shipper::output;
use shipper::route::Lanes;
use tests::oracle;
use tests::part::kafka::{GUARDED, Kafka};
use tests::wait::until;

/// Streams that send at the same time; more than partitions, so that some share one.
const STREAMS: u32 = 7;

/// A running output of the shipper, and what came back of it.
struct Rig {
    sender: Sender,
    thread: output::Thread,
    settled: Arc<Mutex<Vec<Settled>>>,
    readiness: Readiness,
    folder: tempfile::TempDir,
    sent: u64,
}

impl Rig {
    fn start(kafka: &Kafka, topic: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let text = format!(
            "kafka: {{ brokers: [\"{}\"], topic: {topic}, options: {{ topic.metadata.propagation.max.ms: \"2000\" }} }}",
            kafka.address()
        );
        let config: output::OutputConfig = daemon::config::parse("output", &text).unwrap();
        let lanes = Lanes::single();
        let (sender, receiver) = channel(&lanes);
        let (settled, readiness) = (Arc::new(Mutex::new(Vec::new())), Readiness::default());
        let home = Arc::clone(&settled);
        let deps = output::Deps {
            clock: Clock::System,
            readiness: readiness.clone(),
            metrics: ShipperMetrics::new(&Metrics::new()).output,
            dead_letters: DeadLetters::new(folder.path()),
            queue: None,
            lanes,
            memory: None,
            settled: Box::new(move |fates| home.lock().unwrap().extend(fates)),
        };
        let thread = output::start(&config, deps, receiver).unwrap();
        Rig { sender, thread, settled, readiness, folder, sent: 0 }
    }

    /// Sends `count` further lines of every stream, each `bytes` long beside its number.
    fn send(&mut self, count: u64, bytes: usize) {
        for sequence in self.sent..self.sent + count {
            let mut batch = Batch::default();
            for slot in 0..STREAMS {
                push(&mut batch, slot, sequence, &noise(u64::from(slot) << 32 | sequence, bytes));
            }
            self.sender.send(batch).unwrap();
        }
        self.sent += count;
    }

    fn fates(&self, fate: Fate) -> Vec<Ticket> {
        let settled = self.settled.lock().unwrap();
        settled.iter().filter(|settled| settled.fate == fate).map(|settled| settled.ticket).collect()
    }

    /// Waits until every record has a fate.
    fn wait(&self) {
        let all = (self.sent * u64::from(STREAMS)) as usize;
        until("every record's fate", || (self.settled.lock().unwrap().len() >= all).then_some(()));
    }

    fn wait_for_refusal(&self, words: &str) {
        until(words, || {
            let reason = self.readiness.parts().remove("output")?.err()?;
            reason.contains(words).then_some(())
        });
    }

    /// Ends the output; no record may have two fates.
    fn end(self) {
        self.sender.close();
        self.thread.join().unwrap();
        let mut tickets: Vec<Ticket> =
            self.settled.lock().unwrap().iter().map(|settled| settled.ticket).collect();
        let count = tickets.len();
        tickets.sort_unstable();
        tickets.dedup();
        assert_eq!(tickets.len(), count, "a record was settled twice");
    }
}

fn push(batch: &mut Batch, slot: u32, sequence: u64, noise: &str) {
    let start = batch.bytes.len() as u32;
    let record = serde_json::json!({
        "message": format!("{noise} s{slot} {sequence}"),
        "log": { "offset": sequence },
    });
    serde_json::to_writer(&mut batch.bytes, &record).unwrap();
    batch.entries.push(Entry {
        stream: StreamId::derive(&[&slot.to_le_bytes()]),
        ticket: Some(Ticket::new(slot, sequence)),
        start,
        end: batch.bytes.len() as u32,
        timestamp_ms: Clock::System.now().as_millis(),
    });
}

/// Text that no codec makes much shorter.
fn noise(mut seed: u64, bytes: usize) -> String {
    let mut text = String::with_capacity(bytes);
    while text.len() < bytes {
        seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        text.push(char::from(b'!' + u8::try_from((seed >> 33) % 90).unwrap()).to_ascii_lowercase());
    }
    text.replace(['\\', '"'], "_")
}

/// Everything that was written is there, in order; what was sent again may be there twice.
fn judge(kafka: &Kafka, topic: &str, lines: u64, missing: &[(&str, u64)]) {
    let written: BTreeMap<String, u64> = (0..STREAMS).map(|slot| (format!("s{slot}"), lines)).collect();
    let verdict = oracle::judge(&written, &oracle::messages(&kafka.address(), topic));
    let expected: Vec<(String, u64)> =
        missing.iter().map(|(stream, number)| ((*stream).to_owned(), *number)).collect();
    assert_eq!(verdict.missing, expected);
    assert_eq!(verdict.out_of_order, []);
    assert_eq!(verdict.torn, Vec::<String>::new());
}

#[test]
fn a_topic_with_a_small_limit_gets_all_but_what_is_larger_and_that_becomes_dead_letters() {
    let kafka = Kafka::start("auto.create.topics.enable=false");
    kafka.create("small", &[("max.message.bytes", "30000")]);
    let mut rig = Rig::start(&kafka, "small");
    rig.send(20, 900);
    rig.send(1, 40_000);
    rig.send(200, 900);
    rig.wait();
    let dead = rig.fates(Fate::DeadLettered);
    let expected: Vec<Ticket> = (0..STREAMS).map(|slot| Ticket::new(slot, 20)).collect();
    assert_eq!(
        dead.iter().copied().collect::<std::collections::BTreeSet<_>>().into_iter().collect::<Vec<_>>(),
        expected
    );
    let letters = std::fs::read_to_string(rig.folder.path().join("dead-letters.ndjson")).unwrap();
    assert_eq!(letters.lines().count(), STREAMS as usize);
    assert!(letters.contains("max.message.bytes"), "no reason in the letters");
    rig.end();
    let missing: Vec<String> = (0..STREAMS).map(|slot| format!("s{slot}")).collect();
    let missing: Vec<(&str, u64)> = missing.iter().map(|stream| (stream.as_str(), 20)).collect();
    judge(&kafka, "small", 221, &missing);
}

#[test]
fn a_topic_that_is_not_there_is_waited_for() {
    let kafka = Kafka::start("auto.create.topics.enable=false");
    let mut rig = Rig::start(&kafka, "later");
    rig.send(50, 100);
    rig.wait_for_refusal("topic `later` is not there; create it");
    rig.send(50, 100);
    kafka.create("later", &[]);
    rig.wait();
    until("readiness", || rig.readiness.is_ready().then_some(()));
    assert_eq!(rig.fates(Fate::Acked).len(), 100 * STREAMS as usize);
    rig.end();
    judge(&kafka, "later", 100, &[]);
}

#[test]
fn access_that_is_taken_away_stops_everything_until_it_is_back() {
    let kafka = Kafka::start(GUARDED);
    kafka.create("guarded", &[]);
    let mut rig = Rig::start(&kafka, "guarded");
    rig.send(100, 100);
    rig.wait();
    kafka.deny("Write", "guarded");
    rig.send(100, 100);
    rig.wait_for_refusal("allow this user to Write");
    rig.send(100, 100);
    assert_eq!(rig.fates(Fate::DeadLettered), []);
    kafka.allow("Write", "guarded");
    rig.wait();
    until("readiness", || rig.readiness.is_ready().then_some(()));
    rig.end();
    judge(&kafka, "guarded", 300, &[]);
}

#[test]
fn a_broker_that_is_killed_in_the_middle_loses_and_reorders_nothing() {
    let kafka = Kafka::start("");
    kafka.create("killed", &[]);
    let mut rig = Rig::start(&kafka, "killed");
    rig.send(500, 200);
    kafka.stop(true);
    rig.send(500, 200);
    until("the word that the broker is away", || rig.readiness.parts().get("kafka")?.clone().err());
    kafka.launch();
    rig.send(500, 200);
    rig.wait();
    rig.end();
    judge(&kafka, "killed", 1500, &[]);
}
