//! What becomes of records when a session ends. Nobody listens at the broker's address.

use daemon::metric::Metrics;

use super::*;
use crate::metric::ShipperMetrics;

fn kafka(folder: &std::path::Path, now: Timestamp) -> Kafka {
    let text = "{ brokers: [\"127.0.0.1:1\"], topic: logs }";
    let config: KafkaConfig = yaml::parse("test.yml", text).unwrap();
    let metrics = ShipperMetrics::new(&Metrics::new()).output;
    Kafka::new(&config, Readiness::default(), metrics, DeadLetters::new(folder), now).unwrap()
}

fn refused(sequence: u64) -> Returned {
    Returned {
        ticket: Some(Ticket::new(0, sequence)),
        code: Code::MessageSizeTooLarge,
        topic: "logs".to_owned(),
        key: b"key".to_vec(),
        payload: sequence.to_string().into_bytes(),
        timestamp_ms: 0,
    }
}

/// A batch is refused as a whole; a session that ends before each of its records went alone has judged none of them.
#[test]
fn a_record_that_was_refused_with_its_batch_is_no_dead_letter_before_it_went_alone() {
    let folder = tempfile::tempdir().unwrap();
    let mut now = Timestamp::from_secs(1_000_000);
    let mut kafka = kafka(folder.path(), now);
    kafka.replay = (0..3).map(refused).collect();
    let whole = Broken { kind: Kind::Record, reason: "too large".to_owned() };
    kafka.stop(&whole, now).unwrap();
    assert!(kafka.recovery.session().is_single);
    now = now.plus(Duration::from_secs(1));
    let cut_short = Broken { kind: Kind::Session, reason: "the session ended".to_owned() };
    kafka.stop(&cut_short, now).unwrap();
    assert_eq!((kafka.replay.len(), kafka.graves.settled.len()), (3, 0));
    assert!(!kafka.graves.letters.path().exists());
}
