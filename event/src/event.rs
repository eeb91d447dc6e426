//! A record as its readers see it: a flat list of paths and values.
//!
//! Enters: what [`crate::decode`] makes of a record's bytes. Leaves: values by ECS path.
//! Never: a tree. Names and texts share one buffer, so decoding into a reused event allocates nothing.

use crate::{EventId, Timestamp};

/// One leaf of a record.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Value<'a> {
    /// JSON null.
    Null,
    /// A truth value.
    Bool(bool),
    /// A whole number.
    Int(i64),
    /// Any other number.
    Float(f64),
    /// Text.
    Text(&'a str),
}

/// One decoded record. Paths are dotted ECS names (`log.level`); the members of an array repeat its path, so a
/// path can have several values. Empty objects and empty arrays leave nothing.
#[derive(Debug, Clone, Default)]
pub struct Event {
    pub(crate) text: String,
    pub(crate) leaves: Vec<Leaf>,
    pub(crate) timestamp: Timestamp,
    pub(crate) id: Option<EventId>,
    /// False while `id` is the record's place.
    pub(crate) has_own_id: bool,
}

/// Bytes of a buffer that [`Event::clear`] keeps at most, so that one huge record does not stay in memory.
const KEPT_BYTES_MAX: usize = 1 << 20;

/// A path and a value; texts are ranges of [`Event::text`].
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Leaf {
    pub(crate) path: (u32, u32),
    pub(crate) value: Stored,
}

/// [`Value`] without the borrow.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Stored {
    Null,
    Bool(bool),
    Int(i64),
    Float(f64),
    Text((u32, u32)),
}

impl Event {
    /// An event without fields, at the given time. Add fields with [`Event::push`].
    #[must_use]
    pub fn new(timestamp: Timestamp) -> Self {
        Event { timestamp, ..Event::default() }
    }

    /// `@timestamp`; the time of receipt when the record had none.
    #[must_use]
    pub fn timestamp(&self) -> Timestamp {
        self.timestamp
    }

    /// `event.id` when it is one of ours, else one made of the record's place in Kafka.
    #[must_use]
    pub fn id(&self) -> Option<EventId> {
        self.id
    }

    /// Every path and value, in the record's order.
    pub fn iter(&self) -> impl Iterator<Item = (&str, Value<'_>)> {
        self.leaves.iter().map(|leaf| (self.slice(leaf.path), self.load(leaf.value)))
    }

    /// The values at `path`, exactly.
    pub fn values<'a>(&'a self, path: &str) -> impl Iterator<Item = Value<'a>> {
        self.leaves.iter().filter(move |leaf| self.is_at(leaf, path)).map(|leaf| self.load(leaf.value))
    }

    /// The first value at `path`.
    #[must_use]
    pub fn value(&self, path: &str) -> Option<Value<'_>> {
        self.leaves.iter().find(|leaf| self.is_at(leaf, path)).map(|leaf| self.load(leaf.value))
    }

    /// The first value at `path`, if it is text.
    #[must_use]
    pub fn text(&self, path: &str) -> Option<&str> {
        match self.value(path)? {
            Value::Text(text) => Some(text),
            _ => None,
        }
    }

    /// The first value at `path` as a number; text that reads as a number counts.
    #[must_use]
    pub fn number(&self, path: &str) -> Option<f64> {
        match self.value(path)? {
            #[expect(
                clippy::cast_precision_loss,
                reason = "rules compare in f64; counters above 2^53 lose units"
            )]
            Value::Int(number) => Some(number as f64),
            Value::Float(number) => Some(number),
            Value::Text(text) => text.parse().ok(),
            Value::Null | Value::Bool(_) => None,
        }
    }

    /// The id that the record itself brought. A record without one is told from its copies by nothing: its place in
    /// Kafka starts anew with the topic, so it must not be compared with places that were seen before.
    #[must_use]
    pub fn own_id(&self) -> Option<EventId> {
        self.id.filter(|_| self.has_own_id)
    }

    /// Gives the event an id of its own.
    pub fn set_id(&mut self, id: EventId) {
        self.id = Some(id);
        self.has_own_id = true;
    }

    /// Adds one value; a path that is there already becomes an array.
    pub fn push(&mut self, path: &str, value: Value<'_>) {
        let path = self.store(path);
        let value = match value {
            Value::Null => Stored::Null,
            Value::Bool(truth) => Stored::Bool(truth),
            Value::Int(number) => Stored::Int(number),
            Value::Float(number) => Stored::Float(number),
            Value::Text(text) => Stored::Text(self.store(text)),
        };
        self.leaves.push(Leaf { path, value });
    }

    /// Forgets all fields and keeps the buffers.
    pub fn clear(&mut self, timestamp: Timestamp) {
        self.text.clear();
        self.text.shrink_to(KEPT_BYTES_MAX);
        self.leaves.clear();
        self.leaves.shrink_to(KEPT_BYTES_MAX / size_of::<Leaf>());
        self.timestamp = timestamp;
        self.id = None;
        self.has_own_id = false;
    }

    /// Lookups run once for each predicate of each rule. Most paths differ in length, which is known without a
    /// look at the text.
    #[inline]
    fn is_at(&self, leaf: &Leaf, path: &str) -> bool {
        (leaf.path.1 - leaf.path.0) as usize == path.len() && self.path(leaf) == path.as_bytes()
    }

    /// As bytes, because a slice of a `str` also checks for whole characters.
    #[inline]
    pub(crate) fn path(&self, leaf: &Leaf) -> &[u8] {
        self.text.as_bytes().get(leaf.path.0 as usize..leaf.path.1 as usize).unwrap_or_default()
    }

    pub(crate) fn store(&mut self, text: &str) -> (u32, u32) {
        let start = self.text.len();
        self.text.push_str(text);
        Event::range(start, self.text.len())
    }

    /// Decoding bounds the text far below 4 GiB.
    pub(crate) fn range(start: usize, end: usize) -> (u32, u32) {
        (u32::try_from(start).unwrap_or(u32::MAX), u32::try_from(end).unwrap_or(u32::MAX))
    }

    fn slice(&self, (start, end): (u32, u32)) -> &str {
        self.text.get(start as usize..end as usize).unwrap_or_default()
    }

    pub(crate) fn load(&self, value: Stored) -> Value<'_> {
        match value {
            Stored::Null => Value::Null,
            Stored::Bool(truth) => Value::Bool(truth),
            Stored::Int(number) => Value::Int(number),
            Stored::Float(number) => Value::Float(number),
            Stored::Text(range) => Value::Text(self.slice(range)),
        }
    }
}

/// Two events are equal when their times, ids, paths and values are, however their buffers are laid out.
impl PartialEq for Event {
    fn eq(&self, other: &Self) -> bool {
        (self.timestamp, self.id) == (other.timestamp, other.id) && self.iter().eq(other.iter())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sample() -> Event {
        let mut event = Event::new(Timestamp::from_secs(7));
        event.push("log.level", Value::Text("error"));
        event.push("tags", Value::Text("a"));
        event.push("http.response.status_code", Value::Int(503));
        event.push("tags", Value::Text("b"));
        event.push("labels.took", Value::Text("12.5"));
        event.push("ok", Value::Bool(false));
        event.push("none", Value::Null);
        event
    }

    #[test]
    fn answers_by_path() {
        let event = sample();
        assert_eq!(event.text("log.level"), Some("error"));
        assert_eq!(event.text("http.response.status_code"), None);
        assert_eq!(event.number("http.response.status_code"), Some(503.0));
        assert_eq!(event.number("labels.took"), Some(12.5));
        assert_eq!(event.number("ok"), None);
        assert_eq!(event.values("tags").collect::<Vec<_>>(), [Value::Text("a"), Value::Text("b")]);
        assert_eq!(event.value("none"), Some(Value::Null));
        assert_eq!(event.value("log"), None);
        assert_eq!(event.value("log.levex"), None);
        assert_eq!(event.iter().map(|(path, _)| path).nth(2), Some("http.response.status_code"));
    }

    #[test]
    fn a_cleared_event_is_like_a_new_one() {
        let mut event = sample();
        event.push("big", Value::Text(&"x".repeat(2 * KEPT_BYTES_MAX)));
        event.clear(Timestamp::EPOCH);
        assert_eq!(event, Event::new(Timestamp::EPOCH));
        assert!(event.text.capacity() <= KEPT_BYTES_MAX);
    }
}
