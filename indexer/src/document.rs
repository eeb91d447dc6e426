//! A record as a document.
//!
//! Enters: a record's bytes and its place. Leaves: a JSON object on one line, and the id that it has for ever.
//! Our own shippers' records are documents already and pass byte by byte; everybody else's are decoded to ECS.

use std::sync::Arc;

use bytes::Bytes;
use daemon::Record;
use event::decode::decode;
use event::{Event, EventId, Timestamp, Value};

/// `agent.type` of our own shippers.
const OWN_AGENT: &str = "watchfire";

/// One document on its way.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Document {
    /// `_id`.
    pub id: EventId,
    /// The JSON object; it holds no line end.
    pub source: Bytes,
    /// The topic of its record.
    pub topic: Arc<str>,
    /// The partition of its record.
    pub partition: i32,
    /// The offset of its record.
    pub offset: i64,
    /// When its record was stamped.
    pub timestamp: Timestamp,
}

/// Makes a document of any record; `event` is a buffer that the caller reuses.
#[must_use]
pub fn make(record: &Record, event: &mut Event) -> Document {
    let received = record.received();
    decode(&received, event);
    let source = if is_document(event, &record.payload) {
        record.payload.clone()
    } else {
        Bytes::from(event.to_json())
    };
    Document {
        id: event.id().unwrap_or_else(|| received.id()),
        source,
        topic: Arc::clone(&record.topic),
        partition: record.partition,
        offset: record.offset,
        timestamp: record.timestamp,
    }
}

/// Whether the payload is what our encoder writes: ECS with a time, valid UTF-8, on one line (a bulk request is
/// made of lines).
fn is_document(event: &Event, payload: &[u8]) -> bool {
    event.text("agent.type") == Some(OWN_AGENT)
        && matches!(event.value("@timestamp"), Some(Value::Text(_)))
        && !payload.contains(&b'\n')
        && std::str::from_utf8(payload).is_ok()
}

#[cfg(test)]
mod tests {
    use event::{Encoder, Fields, Origin, StreamId};

    use super::*;

    fn record(payload: &[u8]) -> Record {
        Record {
            topic: "logs".into(),
            partition: 2,
            offset: 7,
            timestamp: Timestamp::from_secs(1_795_000_000),
            key: None,
            payload: Bytes::copy_from_slice(payload),
        }
    }

    fn check(payload: &[u8], expected: &str) {
        let document = make(&record(payload), &mut Event::default());
        let source: serde_json::Value = serde_json::from_slice(&document.source).unwrap();
        let mut expected: serde_json::Value = serde_json::from_str(expected).unwrap();
        // A record without an id of its own is named by its place.
        expected["event"]["id"] = document.id.to_string().into();
        assert_eq!(source, expected);
        assert!(!document.source.contains(&b'\n'));
    }

    #[test]
    fn our_own_record_passes_unchanged() {
        let origin = Origin {
            stream: StreamId::from_u128(1),
            host: "web-1".to_owned(),
            service: None,
            path: None,
            dataset: "log".to_owned(),
            tags: vec![],
            labels: vec![],
        };
        let fields = Fields::default();
        let mut payload = Vec::new();
        let encoder = Encoder::new(&origin);
        let text = "a line";
        encoder.encode(
            &event::Record { offset: 9, text, created: Timestamp::EPOCH, fields: &fields },
            &mut payload,
        );
        let record = record(&payload);
        let document = make(&record, &mut Event::default());
        assert_eq!(document.source.as_ptr(), record.payload.as_ptr(), "not even copied");
        assert_eq!(document.id, encoder.id(9));
    }

    #[test]
    fn others_records_become_ecs() {
        let at = r#""@timestamp":"2026-11-18T11:06:40.000Z""#;
        check(b"plain text", &format!(r#"{{{at},"message":"plain text"}}"#));
        check(
            br#"{"log":"x","host":"a","level":"ERR"}"#,
            &format!(r#"{{{at},"message":"x","host":{{"name":"a"}},"log":{{"level":"error"}}}}"#),
        );
        check(b"{\n\"a.b\": 1\n}", &format!(r#"{{{at},"a":{{"b":1}}}}"#));
        // One that says it is ours, and is none that can be sent as it is.
        check(
            b"{\"agent\":{\"type\":\"watchfire\"}}",
            &format!(r#"{{{at},"agent":{{"type":"watchfire"}}}}"#),
        );
        check(
            b"{\"agent\":{\"type\":\"watchfire\"},\n\"@timestamp\":\"2026-11-23T10:30:45.123Z\"}",
            r#"{"@timestamp":"2026-11-23T10:30:45.123Z","agent":{"type":"watchfire"}}"#,
        );
        check(
            b"{\"agent\":{\"type\":\"watchfire\"},\"@timestamp\":\"2026-11-23T10:30:45.123Z\",\"message\":\"\xff\"}",
            r#"{"@timestamp":"2026-11-23T10:30:45.123Z","agent":{"type":"watchfire"},"message":"\ufffd","tags":"invalid_utf8"}"#,
        );
    }

    #[test]
    fn a_record_has_the_same_id_each_time() {
        let once = make(&record(b"x"), &mut Event::default());
        let again = make(&record(b"x"), &mut Event::default());
        assert_eq!(once.id, again.id);
        assert_eq!(once.id.offset, 7);
    }
}
