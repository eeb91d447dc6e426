//! An event as one nested JSON object again, for readers that want a document.
//!
//! Enters: an [`Event`]. Leaves: JSON that a search engine with ECS mappings accepts: no repeated name, no path
//! that is a value and an object at once. Records of our own encoder need none of this; others' do.

use serde_json::{Map, Value as Json};

use crate::decode::DEPTH_MAX;
use crate::{Event, Value};

/// Paths that are objects in ECS. A plain value there (`"error": "refused"` beside `error.type`) moves below.
const OBJECTS: [&str; 36] = [
    "agent",
    "client",
    "cloud",
    "container",
    "destination",
    "ecs",
    "error",
    "event",
    "file",
    "geo",
    "host",
    "http",
    "http.request",
    "http.response",
    "json",
    "jvm",
    "jvm.memory",
    "kubernetes",
    "labels",
    "log",
    "log.file",
    "monitor",
    "network",
    "observer",
    "orchestrator",
    "process",
    "process.thread",
    "server",
    "service",
    "source",
    "span",
    "trace",
    "url",
    "user",
    "user_agent",
    "watchfire",
];

/// The name below an object for a plain value that stood in the object's place.
const VALUE: &str = "value";

impl Event {
    /// The event as one JSON object: dotted paths nest, a repeated path becomes an array, `@timestamp` and
    /// `event.id` are always there. Where a path is both a value and an object, the value moves to `<path>.value`.
    #[must_use]
    pub fn to_json(&self) -> Vec<u8> {
        let mut root = Map::new();
        root.insert("@timestamp".to_owned(), Json::from(self.timestamp().to_string()));
        for (path, value) in self.iter().filter(|(path, _)| *path != "@timestamp") {
            insert(&mut root, path, to_value(value));
        }
        if let (Some(id), None) = (self.id(), self.value("event.id")) {
            insert(&mut root, "event.id", Json::from(id.to_string()));
        }
        Json::Object(root).to_string().into_bytes()
    }
}

fn to_value(value: Value<'_>) -> Json {
    match value {
        Value::Null => Json::Null,
        Value::Bool(truth) => Json::from(truth),
        Value::Int(number) => Json::from(number),
        Value::Float(number) => Json::from(number),
        Value::Text(text) => Json::from(text),
    }
}

fn insert(root: &mut Map<String, Json>, path: &str, value: Json) {
    // Names of labels are written with their dots, as the encoder does.
    let segments = if path.starts_with("labels.") { 2 } else { DEPTH_MAX };
    let below = OBJECTS.contains(&path).then_some(VALUE);
    let mut names = path.splitn(segments, '.').chain(below);
    let first = names.next().unwrap_or_default();
    place(root, first, &mut names, value);
}

/// Puts `value` at `name`, or at the names that follow, below it. A plain value in the way moves below, too.
fn place<'p>(
    object: &mut Map<String, Json>,
    name: &str,
    rest: &mut impl Iterator<Item = &'p str>,
    value: Json,
) {
    let name = if name.is_empty() { "_" } else { name };
    let Some(next) = rest.next() else { return put(object, name, value) };
    match object.entry(name).or_insert_with(|| Json::Object(Map::new())) {
        Json::Object(inside) => place(inside, next, rest, value),
        other => {
            let mut inside = Map::from_iter([(VALUE.to_owned(), other.take())]);
            place(&mut inside, next, rest, value);
            *other = Json::Object(inside);
        }
    }
}

fn put(object: &mut Map<String, Json>, name: &str, value: Json) {
    match object.get_mut(name) {
        None => {
            object.insert(name.to_owned(), value);
        }
        Some(Json::Object(inside)) => put(inside, VALUE, value),
        Some(Json::Array(values)) => values.push(value),
        Some(first) => {
            let first_value = first.take();
            *first = Json::Array(vec![first_value, value]);
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::decode::{Received, decode};
    use crate::{EventId, StreamId, Timestamp};

    fn check(values: &[(&str, Value<'_>)], expected: &str) {
        let mut event = Event::new(Timestamp::EPOCH);
        values.iter().for_each(|(path, value)| event.push(path, *value));
        let mut json: Json = serde_json::from_slice(&event.to_json()).unwrap();
        json.as_object_mut().unwrap().remove("@timestamp").unwrap();
        assert_eq!(json, serde_json::from_str::<Json>(expected).unwrap());
    }

    #[test]
    fn nests_repeats_and_resolves() {
        use Value::{Bool, Float, Int, Null, Text};
        check(&[], "{}");
        check(
            &[("a.b.c", Int(1)), ("a.d", Bool(true)), ("e", Null)],
            r#"{"a":{"b":{"c":1},"d":true},"e":null}"#,
        );
        check(&[("tags", Text("x")), ("tags", Text("y")), ("tags", Text("z"))], r#"{"tags":["x","y","z"]}"#);
        check(&[("x", Float(f64::NAN)), ("y", Float(0.5))], r#"{"x":null,"y":0.5}"#);
        // A value and an object at one path, in either order.
        check(&[("a", Int(1)), ("a.b", Int(2))], r#"{"a":{"value":1,"b":2}}"#);
        check(&[("a.b", Int(2)), ("a", Int(1)), ("a", Int(3))], r#"{"a":{"value":[1,3],"b":2}}"#);
        check(&[("error", Text("refused"))], r#"{"error":{"value":"refused"}}"#);
        check(&[("labels.k8s.io/app", Text("x"))], r#"{"labels":{"k8s.io/app":"x"}}"#);
        check(&[("", Int(1)), ("a..b", Int(2))], r#"{"_":1,"a":{"_":{"b":2}}}"#);
        check(&[("@timestamp", Text("not this one"))], "{}");
    }

    #[test]
    fn brings_its_id() {
        let mut event = Event::new(Timestamp::EPOCH);
        event.set_id(EventId { stream: StreamId::from_u128(1), offset: 2 });
        let json: Json = serde_json::from_slice(&event.to_json()).unwrap();
        assert_eq!(json["event"]["id"], "00000000000000000000000000000001-2");
    }

    proptest! {
        #[test]
        fn decodes_to_the_same_values(paths in proptest::collection::btree_set("[a-c](\\.[a-c]){0,3}", 0..8)) {
            let is_prefix = |one: &String| paths.iter().any(|other| other.starts_with(&format!("{one}.")));
            let kept: Vec<&String> = paths.iter().filter(|path| !is_prefix(path)).collect();
            let mut event = Event::new(Timestamp::EPOCH);
            for (number, path) in (0..).zip(&kept) {
                event.push(path, Value::Int(number));
            }
            let json = event.to_json();
            let mut again = Event::default();
            let place = Received { topic: "t", partition: 0, offset: 0, timestamp: Timestamp::EPOCH, payload: &json };
            decode(&place, &mut again);
            for (number, path) in (0..).zip(&kept) {
                prop_assert_eq!(again.value(path), Some(Value::Int(number)));
            }
        }
    }
}
