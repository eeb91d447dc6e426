//! Events as our shippers write them, put on a topic by hand.
//!
//! Enters: a stream, numbers, a level. Leaves: records on the broker, acknowledged.

use event::{Encoder, EventId, Fields, Level, Origin, Record, StreamId, Timestamp};
use rdkafka::ClientConfig;
use rdkafka::producer::DefaultProducerContext;
use rdkafka::producer::{BaseRecord, Producer, ThreadedProducer};

/// An event of `checkout` at its offset in a stream.
#[must_use]
pub fn line(stream: StreamId, offset: u64, level: Level, now: Timestamp) -> (EventId, Vec<u8>) {
    let origin = Origin {
        stream,
        host: "host-1".to_owned(),
        service: Some("checkout".to_owned()),
        path: Some("/var/log/app.log".to_owned()),
        dataset: "log".to_owned(),
        tags: Vec::new(),
        labels: Vec::new(),
    };
    let fields = Fields { timestamp: Some(now), level: Some(level), ..Fields::default() };
    let encoder = Encoder::new(&origin);
    let (mut bytes, text) = (Vec::new(), format!("done {stream} {offset}"));
    encoder.encode(&Record { offset, text: &text, created: now, fields: &fields }, &mut bytes);
    (encoder.id(offset), bytes)
}

/// Puts the records on a topic, each with its key, and waits until the broker has them.
///
/// # Panics
/// When it does not take them.
pub fn publish<'r>(brokers: &str, topic: &str, records: impl IntoIterator<Item = (&'r str, &'r [u8])>) {
    publish_at(brokers, topic, None, records);
}

/// [`publish`], with a Kafka timestamp in milliseconds where one is given.
///
/// # Panics
/// When the broker does not take them.
pub fn publish_at<'r>(
    brokers: &str,
    topic: &str,
    stamp_ms: Option<i64>,
    records: impl IntoIterator<Item = (&'r str, &'r [u8])>,
) {
    let producer: ThreadedProducer<DefaultProducerContext> = ClientConfig::new()
        .set("bootstrap.servers", brokers)
        .set("acks", "all")
        .set("linger.ms", "5")
        .set("queue.buffering.max.messages", "1000000")
        .create()
        .unwrap();
    for (key, payload) in records {
        let record = BaseRecord::to(topic).key(key).payload(payload);
        let sent = producer.send(match stamp_ms {
            Some(stamp_ms) => record.timestamp(stamp_ms),
            None => record,
        });
        sent.map_err(|(error, _)| error).unwrap();
    }
    producer.flush(crate::wait::PATIENCE).unwrap();
}
