//! Anybody's record as an [`Event`]: our own, Filebeat's ECS, flat JSON of Vector, Fluent Bit and rsyslog, plain text.
//!
//! Enters: the bytes of a Kafka record and its place. Leaves: an event; every input gives one.
//! Never: a refusal. What is no JSON object is a plain-text line, what is no UTF-8 is repaired and tagged.

use crate::{Event, Timestamp};

/// A record as it came from Kafka, or from the in-process queue.
#[derive(Debug, Clone, Copy)]
pub struct Received<'a> {
    /// The topic.
    pub topic: &'a str,
    /// The partition of the topic.
    pub partition: i32,
    /// The record's offset in the partition.
    pub offset: i64,
    /// When the broker, or the producer, stamped it.
    pub timestamp: Timestamp,
    /// The value.
    pub payload: &'a [u8],
}

/// Decodes `record` into `event`, whose buffers are reused.
pub fn decode(record: &Received<'_>, event: &mut Event) {
    event.clear(record.timestamp);
}
