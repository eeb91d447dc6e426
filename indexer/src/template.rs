//! The index template: what Elasticsearch should know of the fields before the first document.
//!
//! Enters: the table below. Leaves: the JSON of one composable template with ECS mappings.
//! Its version grows with the table; an older one in the cluster is replaced, a newer one is left alone.

use serde_json::{Map, Value, json};

/// Grows with each change of the mappings.
pub const VERSION: u64 = 1;

/// Above Elasticsearch's own `logs` template (100) and what Fleet installs (200).
const PRIORITY: u64 = 250;

/// Characters of a keyword that are indexed; Lucene refuses a document with a longer term than 32 766 bytes.
const IGNORE_ABOVE: u64 = 1024;

/// How a field is indexed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    /// A moment; nanoseconds are kept in the source and sorted by milliseconds.
    Date,
    /// One word, for filters and sums.
    Keyword,
    /// Text that people search in.
    Text,
    /// A whole number.
    Long,
    /// Any number.
    Double,
    /// An address.
    Ip,
    /// An object of unknown members that must not become fields of their own.
    Flattened,
}

/// The fields of [`event::Fields`], of heartbeats and of what every record has, at their ECS paths.
const FIELDS: &[(&str, Kind)] = &[
    ("@timestamp", Kind::Date),
    ("message", Kind::Text),
    ("stream", Kind::Keyword),
    ("tags", Kind::Keyword),
    ("agent.id", Kind::Keyword),
    ("agent.type", Kind::Keyword),
    ("ecs.version", Kind::Keyword),
    ("error.message", Kind::Text),
    ("error.stack_trace", Kind::Text),
    ("error.type", Kind::Keyword),
    ("event.created", Kind::Date),
    ("event.dataset", Kind::Keyword),
    ("event.duration", Kind::Long),
    ("event.id", Kind::Keyword),
    ("host.name", Kind::Keyword),
    ("http.request.method", Kind::Keyword),
    ("http.request.referrer", Kind::Keyword),
    ("http.response.body.bytes", Kind::Long),
    ("http.response.status_code", Kind::Long),
    ("http.version", Kind::Keyword),
    ("json", Kind::Flattened),
    ("jvm.gc.name", Kind::Keyword),
    ("jvm.memory.heap.max", Kind::Long),
    ("jvm.memory.heap.used", Kind::Long),
    ("jvm.memory.heap.used_pct", Kind::Double),
    ("jvm.memory.old.max", Kind::Long),
    ("jvm.memory.old.used", Kind::Long),
    ("jvm.memory.old.used_pct", Kind::Double),
    ("log.file.path", Kind::Keyword),
    ("log.level", Kind::Keyword),
    ("log.logger", Kind::Keyword),
    ("log.offset", Kind::Long),
    ("log.original_bytes", Kind::Long),
    ("monitor.duration.us", Kind::Long),
    ("monitor.id", Kind::Keyword),
    ("monitor.name", Kind::Keyword),
    ("monitor.status", Kind::Keyword),
    ("monitor.type", Kind::Keyword),
    ("process.pid", Kind::Long),
    ("process.thread.id", Kind::Long),
    ("process.thread.name", Kind::Keyword),
    ("service.name", Kind::Keyword),
    ("source.address", Kind::Keyword),
    ("source.ip", Kind::Ip),
    ("span.id", Kind::Keyword),
    ("trace.id", Kind::Keyword),
    ("url.full", Kind::Keyword),
    ("url.original", Kind::Keyword),
    ("url.path", Kind::Keyword),
    ("url.query", Kind::Keyword),
    ("user.name", Kind::Keyword),
    ("user_agent.original", Kind::Keyword),
    ("watchfire.backlog_bytes", Kind::Long),
    ("watchfire.every_ms", Kind::Long),
    ("watchfire.ledger.acked", Kind::Long),
    ("watchfire.ledger.filtered", Kind::Long),
    ("watchfire.ledger.lost", Kind::Long),
    ("watchfire.ledger.pending", Kind::Long),
    ("watchfire.ledger.written", Kind::Long),
    ("watchfire.oldest_unshipped", Kind::Date),
    ("watchfire.services", Kind::Keyword),
    ("watchfire.streams", Kind::Long),
];

/// The template's name. Each data stream has a template of its own, so that two indexers on one cluster do not replace
/// each other's.
#[must_use]
pub fn name(data_stream: &str) -> String {
    format!("watchfire-{data_stream}")
}

/// The template for one data stream.
#[must_use]
pub fn template(data_stream: &str) -> Value {
    let mut properties = Map::new();
    for (path, kind) in FIELDS {
        add(&mut properties, path, kind.mapping());
    }
    // Names of labels hold dots as they are: `app` and `app.kubernetes.io/name` can stand beside each other.
    let labels = json!({ "type": "object", "subobjects": false, "dynamic": true });
    properties.insert("labels".to_owned(), labels);
    json!({
        "index_patterns": [data_stream],
        "data_stream": {},
        "priority": PRIORITY,
        "version": VERSION,
        "_meta": { "description": "Watchfire's events, named as ECS names them", "managed_by": "watchfire" },
        "template": {
            "settings": {
                // What a stranger's records bring beyond the limit stays in the source, and the document is kept.
                "index.mapping.total_fields.ignore_dynamic_beyond_limit": true,
                "index.mapping.ignore_malformed": true
            },
            "mappings": {
                "date_detection": false,
                "dynamic_templates": [{
                    "strings": {
                        "match_mapping_type": "string",
                        "mapping": Kind::Keyword.mapping()
                    }
                }],
                "properties": properties
            }
        }
    })
}

impl Kind {
    fn mapping(self) -> Value {
        match self {
            Kind::Date => json!({ "type": "date" }),
            Kind::Keyword => json!({ "type": "keyword", "ignore_above": IGNORE_ABOVE }),
            Kind::Text => json!({ "type": "text", "norms": false }),
            Kind::Long => json!({ "type": "long" }),
            Kind::Double => json!({ "type": "double" }),
            Kind::Ip => json!({ "type": "ip" }),
            Kind::Flattened => json!({ "type": "flattened", "ignore_above": IGNORE_ABOVE }),
        }
    }
}

/// Adds a mapping at a dotted path.
fn add(properties: &mut Map<String, Value>, path: &str, mapping: Value) {
    match path.split_once('.') {
        None => {
            properties.insert(path.to_owned(), mapping);
        }
        Some((name, rest)) => {
            let object = properties.entry(name).or_insert_with(|| json!({ "properties": {} }));
            if let Some(inside) = object.get_mut("properties").and_then(Value::as_object_mut) {
                add(inside, rest, mapping);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use event::fields::{Jvm, Monitor};
    use event::{Encoder, Event, Fields, Level, Origin, Record, StreamId, Timestamp};

    use super::*;

    fn mapping(template: &Value, path: &str) -> Value {
        let pointer = format!("/template/mappings/properties/{}", path.replace('.', "/properties/"));
        template.pointer(&pointer).cloned().unwrap_or_default()
    }

    #[test]
    fn every_row_is_in_the_template() {
        let template = template("logs-watchfire-default");
        for (path, kind) in FIELDS {
            assert_eq!(mapping(&template, path), kind.mapping(), "{path}");
        }
        assert_eq!(template["index_patterns"], json!(["logs-watchfire-default"]));
    }

    /// A field that the encoder writes and the table forgets would be guessed by Elasticsearch.
    #[test]
    fn every_path_of_the_encoder_has_a_row() {
        let text = || Some("1.1.1.1".into());
        let fields = Fields {
            timestamp: Some(Timestamp::EPOCH),
            message: text(),
            level: Some(Level::Info),
            logger: text(),
            original_bytes: Some(1),
            output: Some("stdout"),
            error_type: text(),
            error_message: text(),
            stack_trace: text(),
            http_method: text(),
            http_referrer: text(),
            http_status: Some(200),
            http_body_bytes: Some(1),
            http_version: text(),
            url_path: text(),
            url_query: text(),
            url_original: text(),
            duration_ns: Some(1),
            source_address: text(),
            user_name: text(),
            user_agent: text(),
            process_pid: Some(1),
            thread_name: text(),
            thread_id: Some(1),
            trace_id: text(),
            span_id: text(),
            service_name: text(),
            jvm: Some(Jvm {
                gc_name: text(),
                old_used: Some(1),
                old_max: Some(2),
                heap_used: Some(1),
                heap_max: Some(2),
            }),
            monitor: Some(Monitor { id: "m", name: "m", kind: "tcp", is_up: true, duration_us: 1, url: "u" }),
            ..Fields::default()
        };
        let origin = Origin {
            stream: StreamId::from_u128(1),
            host: "h".to_owned(),
            service: None,
            path: Some("/l".to_owned()),
            dataset: "log".to_owned(),
            tags: vec!["t".to_owned()],
            labels: vec![],
        };
        let mut payload = Vec::new();
        let record = Record { offset: 0, text: "", created: Timestamp::EPOCH, fields: &fields };
        Encoder::new(&origin).encode(&record, &mut payload);
        let mut event = Event::default();
        let place = event::decode::Received {
            topic: "t",
            partition: 0,
            offset: 0,
            timestamp: Timestamp::EPOCH,
            payload: &payload,
        };
        event::decode::decode(&place, &mut event);
        let template = template("x");
        for (path, _) in event.iter() {
            assert!(mapping(&template, path).get("type").is_some(), "{path} has no row");
        }
    }
}
