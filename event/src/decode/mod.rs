//! Anybody's record as an [`Event`]: our own, Filebeat's ECS, flat JSON of Vector, Fluent Bit and rsyslog, plain text.
//!
//! Enters: the bytes of a Kafka record and its place. Leaves: an event; every input gives one.
//! Never: a refusal. What is no JSON object is a plain-text line, what is no UTF-8 is repaired and tagged.
//!
//! The way: repair -> flatten (one pass over the JSON, straight into the event's buffers) -> name (the aliases of
//! [`alias`] move other shippers' names to ECS ones) -> time and id.

use crate::event::Stored;
use crate::{Event, EventId, StreamId, Timestamp, Value, tag, utf8};

pub mod alias;
mod flatten;
pub mod moment;

pub use self::flatten::{DEPTH_MAX, LEAVES_MAX, PATH_BYTES_MAX, TEXT_BYTES_MAX, flatten_at};

/// Bytes of one record that are read; a longer one is cut there, and is a plain-text line from then on.
/// Kafka itself refuses records above 1 MiB unless its operator raises `message.max.bytes`.
pub const PAYLOAD_BYTES_MAX: usize = 64 << 20;

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

impl Received<'_> {
    /// The id of a record that brings none of its own: its place in Kafka, which is as lasting as the record.
    #[must_use]
    pub fn id(&self) -> EventId {
        let stream = StreamId::derive(&[b"kafka", self.topic.as_bytes(), &self.partition.to_le_bytes()]);
        EventId { stream, offset: u64::try_from(self.offset).unwrap_or(0) }
    }
}

/// Decodes `record` into `event`, whose buffers are reused: no allocation once they have grown, except for a
/// record with escapes (one scratch buffer) or with broken UTF-8.
pub fn decode(record: &Received<'_>, event: &mut Event) {
    event.clear(record.timestamp);
    let kept = record.payload.get(..PAYLOAD_BYTES_MAX).unwrap_or(record.payload);
    let mut buffer = String::new();
    let repaired = utf8::repair(kept, &mut buffer);
    let is_complete = read(repaired.text, event) && kept.len() == record.payload.len();
    name(record, event);
    if repaired.is_repaired {
        event.push("tags", Value::Text(tag::INVALID_UTF8));
    }
    if !is_complete {
        event.push("tags", Value::Text(tag::FIELDS_TRUNCATED));
    }
}

/// Fills `event` from `text`; false when a bound left something out.
fn read(text: &str, event: &mut Event) -> bool {
    if text.trim_ascii_start().starts_with('{') {
        if let Ok(is_complete) = flatten::flatten(text, event) {
            return is_complete;
        }
        event.text.clear();
        event.leaves.clear();
    }
    event.push("message", Value::Text(text.trim_end_matches(['\r', '\n'])));
    true
}

/// Gives the record's fields their ECS names, and the event its time and id.
fn name(record: &Received<'_>, event: &mut Event) {
    let found = alias::resolve(event);
    match found.timestamp {
        Some(timestamp) => event.timestamp = timestamp,
        None if event.value("@timestamp").is_some() => {
            event.push("tags", Value::Text(tag::INVALID_TIMESTAMP));
        }
        None => {}
    }
    let own = found.id.and_then(|leaf| match event.load(event.leaves.get(leaf)?.value) {
        Value::Text(text) => text.parse().ok(),
        _ => None,
    });
    event.has_own_id = own.is_some();
    event.id = own.or_else(|| Some(record.id()));
}

impl Event {
    /// Writes `log.level` in its one spelling: a known word becomes ours, any other one lower case.
    fn set_level(&mut self, leaf: usize, level: Option<crate::Level>) {
        let Some(value) = self.leaves.get(leaf).map(|leaf| leaf.value) else { return };
        let stored = match (level, value) {
            (Some(level), _) if self.load(value) == Value::Text(level.as_str()) => return,
            (Some(level), _) => Stored::Text(self.store(level.as_str())),
            (None, Stored::Text((start, end))) => {
                if let Some(word) = self.text.get_mut(start as usize..end as usize) {
                    word.make_ascii_lowercase();
                }
                return;
            }
            (None, _) => return,
        };
        if let Some(leaf) = self.leaves.get_mut(leaf) {
            leaf.value = stored;
        }
    }
}

#[cfg(test)]
mod tests;
