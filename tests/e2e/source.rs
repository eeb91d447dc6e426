//! The Kafka source under a stream that never pauses.
//!
//! Enters: records of one partition, one behind the other. Leaves: batches that know when they are at the end.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use daemon::source::kafka::{KafkaSource, KafkaSourceConfig};
use daemon::{Readiness, Source};
use rdkafka::ClientConfig;
use rdkafka::producer::{BaseRecord, DefaultProducerContext, Producer, ThreadedProducer};
use tests::part::kafka::Kafka;
use tests::wait::PATIENCE;

/// Sends until `stop`, each record as soon as the one before it is acknowledged, so that every fetch brings one.
fn stream(brokers: &str, stop: &AtomicBool) {
    let producer: ThreadedProducer<DefaultProducerContext> =
        ClientConfig::new().set("bootstrap.servers", brokers).set("linger.ms", "0").create().unwrap();
    while !stop.load(Ordering::Relaxed) {
        producer
            .send(BaseRecord::to("steady").key("one stream").payload("line"))
            .map_err(|(error, _)| error)
            .unwrap();
        producer.flush(PATIENCE).unwrap();
    }
}

#[tokio::test]
async fn a_stream_without_a_pause_is_read_to_its_end() {
    let kafka = Kafka::shared();
    let stop = Arc::new(AtomicBool::new(false));
    let writer = std::thread::spawn({
        let (brokers, stop) = (kafka.address(), Arc::clone(&stop));
        move || stream(&brokers, &stop)
    });
    let state = tempfile::tempdir().unwrap();
    let text = format!("{{ brokers: [\"{}\"], topic: steady, group: steady }}", kafka.address());
    let config: KafkaSourceConfig = daemon::config::parse("source", &text).unwrap();
    let mut source = KafkaSource::new(&config, state.path(), Readiness::default()).unwrap();
    // Not once by luck, but again and again while records come.
    let reading = async {
        let (mut ends, mut records) = (0, 0);
        while ends < 20 || records < 40 {
            if let Ok(batch) = source.next(Duration::from_millis(100)).await {
                records += batch.records.len();
                ends += usize::from(batch.is_caught_up && !batch.records.is_empty());
            }
        }
    };
    let read = tokio::time::timeout(PATIENCE, reading).await;
    stop.store(true, Ordering::Relaxed);
    writer.join().unwrap();
    assert!(read.is_ok(), "the source never knew that it had read everything");
}
