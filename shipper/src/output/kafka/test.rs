//! What becomes of records when a session ends. Nobody listens at the broker's address.

use std::time::Duration;

use daemon::metric::Metrics;
use rdkafka::types::RDKafkaErrorCode as Code;

use super::lane::Broken;
use super::refusal::Kind;
use super::report::Returned;
use super::*;
use crate::batch::Ticket;
use crate::metric::ShipperMetrics;

fn lane(now: Timestamp) -> Lane {
    let text = "{ brokers: [\"127.0.0.1:1\"], topic: logs }";
    let config: KafkaConfig = yaml::parse("test.yml", text).unwrap();
    let metrics = ShipperMetrics::new(&Metrics::new()).output;
    let lanes = Lanes::single();
    let (_, main) = lanes.iter().next().unwrap();
    Lane::new(&config, main, 1, Readiness::default(), metrics, now).unwrap()
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
    let mut lane = lane(now);
    let mut graves = Graves { letters: DeadLetters::new(folder.path()), settled: Vec::new() };
    lane.replay = (0..3).map(refused).collect();
    let whole = Broken { kind: Kind::Record, reason: "too large".to_owned() };
    lane.stop(&whole, &mut graves, now).unwrap();
    assert!(lane.recovery.session().is_single);
    now = now.plus(Duration::from_secs(1));
    let cut_short = Broken { kind: Kind::Session, reason: "the session ended".to_owned() };
    lane.stop(&cut_short, &mut graves, now).unwrap();
    assert_eq!((lane.replay.len(), graves.settled.len()), (3, 0));
    assert!(!graves.letters.path().exists());
}
