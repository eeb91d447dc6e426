//! From a topic to documents: each event once, whatever dies on the way.
//!
//! Enters: events on a real Kafka. Leaves: what a real Elasticsearch holds, counted and named by it.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use daemon::Clock;
use event::{Level, StreamId};
use tests::part::daemon::Daemon;
use tests::part::elasticsearch::Elasticsearch;
use tests::part::kafka::Kafka;
use tests::publish::{line, publish};
use tests::wait::until;

/// Streams of the published events; their keys spread them over the partitions.
const STREAMS: u64 = 5;

/// A topic, the data stream of the same name, and who fills them.
struct Rig<'p> {
    kafka: &'p Kafka,
    elasticsearch: &'p Elasticsearch,
    name: &'static str,
    folder: tempfile::TempDir,
    published: u64,
    ids: BTreeSet<String>,
}

impl<'p> Rig<'p> {
    fn new(kafka: &'p Kafka, elasticsearch: &'p Elasticsearch, name: &'static str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        Rig { kafka, elasticsearch, name, folder, published: 0, ids: BTreeSet::new() }
    }

    /// `indexer.yml` of a consumer group.
    fn file(&self, group: &str) -> PathBuf {
        let (broker, url, name) = (self.kafka.address(), self.elasticsearch.url(), self.name);
        let folder = self.folder.path();
        let text = format!(
            "source: {{ kafka: {{ brokers: [\"{broker}\"], topic: {name}, group: {name}-{group} }} }}\n\
             elasticsearch: {{ url: \"{url}\", data_stream: {name} }}\n\
             bulk: {{ documents: 500, retry_max: 1s }}\n\
             state: {{ path: \"{}\" }}\nadmin: {{ listen: \"127.0.0.1:0\" }}\n",
            folder.join("state").display()
        );
        let path = folder.join(format!("{group}.yml"));
        std::fs::write(&path, text).unwrap();
        path
    }

    fn start(&self, group: &str) -> Daemon {
        Daemon::run("indexer", &self.file(group))
    }

    /// `count` further events, every tenth of them an error.
    fn publish(&mut self, count: u64) {
        let now = Clock::System.now();
        let mut records = Vec::new();
        for number in self.published..self.published + count {
            let stream = StreamId::derive(&[self.name.as_bytes(), &(number % STREAMS).to_le_bytes()]);
            let level = if number % 10 == 0 { Level::Error } else { Level::Info };
            let (id, payload) = line(stream, number, level, now);
            self.ids.insert(id.to_string());
            records.push((stream.to_string(), payload));
        }
        self.published += count;
        let records = records.iter().map(|(key, payload)| (key.as_str(), payload.as_slice()));
        publish(&self.kafka.address(), self.name, records);
    }

    fn count(&self, query: &str) -> u64 {
        self.elasticsearch.count(self.name, query)
    }

    fn until_count(&self, expected: u64) {
        until(&format!("{expected} documents in {}", self.name), || {
            (self.count("*") >= expected).then_some(())
        });
        assert_eq!(self.count("*"), expected);
    }

    /// The documents' names; ten thousand at most.
    fn found(&self) -> BTreeSet<String> {
        let all = serde_json::json!({ "size": 10_000, "_source": false });
        let found = self.elasticsearch.search(self.name, &all).unwrap();
        let hits = found["hits"]["hits"].as_array().unwrap();
        hits.iter().map(|hit| hit["_id"].as_str().unwrap().to_owned()).collect()
    }
}

#[test]
fn every_event_is_one_document_named_as_the_event_and_a_replay_adds_none() {
    let (kafka, elasticsearch) = (Kafka::shared(), Elasticsearch::shared());
    let mut rig = Rig::new(&kafka, &elasticsearch, "logs-replay-test");
    rig.publish(3000);
    let mut first = rig.start("first");
    rig.until_count(3000);
    assert_eq!(rig.found(), rig.ids);
    assert_eq!(rig.count("log.level: error"), 300);
    assert_eq!(rig.count("log.level: error AND service.name: checkout"), 300);
    assert_eq!(rig.count("message: \"done\" AND NOT log.level: info"), 300);
    assert_eq!(rig.count("log.offset: [0 TO 9]"), 10);
    first.until_ready();
    assert_eq!(first.terminate(), Some(0));

    let template = format!("{}/_index_template/watchfire-{}", elasticsearch.url(), rig.name);
    let (status, template) = tests::http::get(&template).unwrap();
    assert_eq!(status, 200, "{template}");
    let patterns = "\"index_patterns\":[\"logs-replay-test\"]";
    assert!(template.contains(patterns) && template.contains("\"service\""), "{template}");

    // The same group goes on behind what it had; another one reads everything again.
    rig.publish(10);
    let same = rig.start("first");
    rig.until_count(3010);
    until("the new documents to be counted", || (settled(&same, "indexed") >= 10.0).then_some(()));
    assert_eq!(settled(&same, "duplicate"), 0.0);
    let again = rig.start("again");
    until("the replay", || (settled(&again, "duplicate") >= 3010.0).then_some(()));
    assert_eq!(settled(&again, "indexed"), 0.0);
    rig.until_count(3010);
    assert_eq!(rig.found(), rig.ids);
}

/// Documents with this fate.
fn settled(indexer: &Daemon, fate: &str) -> f64 {
    let (_, page) = indexer.page("/metrics");
    let line = format!("indexer_documents_settled_total{{fate=\"{fate}\"}} ");
    page.lines().find_map(|found| found.strip_prefix(&line)?.parse().ok()).unwrap_or(0.0)
}

#[test]
fn an_indexer_that_is_killed_again_and_again_indexes_each_event_once() {
    const EVENTS: u64 = 30_000;
    let (kafka, elasticsearch) = (Kafka::shared(), Elasticsearch::shared());
    let mut rig = Rig::new(&kafka, &elasticsearch, "logs-killed-test");
    rig.publish(EVENTS);
    for kill in 1..=4 {
        let goal = EVENTS * kill / 6;
        let indexer = rig.start("killed");
        until("a part of the documents", || (rig.count("*") >= goal).then_some(()));
        // Dropping it is `kill -9`.
        drop(indexer);
    }
    let mut indexer = rig.start("killed");
    rig.until_count(EVENTS);
    assert_eq!(rig.count("log.level: error"), EVENTS / 10);
    assert_eq!(indexer.terminate(), Some(0));
    assert!(!dead_letters(rig.folder.path()).exists());
}

fn dead_letters(folder: &Path) -> PathBuf {
    folder.join("state/dead-letters.ndjson")
}

#[test]
fn an_elasticsearch_that_is_away_is_named_and_loses_nothing() {
    let (kafka, elasticsearch) = (Kafka::shared(), Elasticsearch::start());
    let mut rig = Rig::new(&kafka, &elasticsearch, "logs-outage-test");
    rig.publish(700);
    let mut indexer = rig.start("outage");
    rig.until_count(700);
    indexer.until_ready();
    elasticsearch.stop();
    rig.publish(5000);
    indexer.until_down("elasticsearch", "refused");
    assert_eq!(indexer.page("/healthz").0, 200);
    elasticsearch.launch();
    rig.until_count(5700);
    indexer.until_ready();
    assert_eq!(rig.found(), rig.ids);
    // One line when it goes and one when it is back; a node that starts may give a second reason or a third.
    let log = indexer.log();
    let lines = |words: &str| log.lines().filter(|line| line.contains(words)).count();
    assert!((1..=4).contains(&lines("part is down")), "{log}");
    assert_eq!(lines("part is back"), 1, "{log}");
    assert_eq!(indexer.terminate(), Some(0));
    assert!(!dead_letters(rig.folder.path()).exists());
}

#[test]
fn what_elasticsearch_never_takes_becomes_a_dead_letter_and_the_rest_goes_on() {
    let (kafka, elasticsearch) = (Kafka::shared(), Elasticsearch::shared());
    let mut rig = Rig::new(&kafka, &elasticsearch, "logs-refused-test");
    let own = r#""agent":{"type":"watchfire"},"@timestamp":"2026-11-23T10:30:45.123Z""#;
    let refused = format!("{{{own},\"host\":\"a name where an object belongs\"}}");
    publish(&kafka.address(), rig.name, [("k", refused.as_bytes())]);
    rig.publish(200);
    let indexer = rig.start("refused");
    rig.until_count(200);
    let letters = dead_letters(rig.folder.path());
    let text = until("the dead letter", || {
        std::fs::read_to_string(&letters).ok().filter(|text| text.ends_with('\n'))
    });
    assert_eq!(text.lines().count(), 1, "{text}");
    assert!(
        text.contains("a name where an object belongs") && text.contains("document_parsing_exception"),
        "{text}"
    );
    until("it to be counted", || (settled(&indexer, "dead_lettered") >= 1.0).then_some(()));
    indexer.until_ready();
}
