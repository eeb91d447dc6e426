//! A record that is not encoded yet, as KQL sees it.
//!
//! Enters: a parser's fields, and what the record's stream gives. Leaves: paths and values, the same that a reader of the
//! encoded record would find, but for `event.id`. Never: an encoded byte. Paths and escapes are put together in buffers
//! that the next record uses again.

use std::cell::RefCell;
use std::net::IpAddr;

use event::decode::flatten_at;
use event::fields::{Jvm, Pairs};
use event::{Event, Fields, Scalar, StreamId, Timestamp, Value};
use kql::Document;

use super::Raw;

/// Buffers of the views of one input.
#[derive(Debug, Default)]
pub(super) struct Scratch(RefCell<Buffers>);

#[derive(Debug, Default)]
struct Buffers {
    path: String,
    text: String,
    /// The leaves of a nested JSON value.
    nested: Event,
}

/// See the module.
#[derive(Clone, Copy)]
pub(super) struct View<'v, 'a> {
    raw: &'v Raw<'v>,
    fields: &'v Fields<'a>,
    scratch: &'v Scratch,
}

/// What a view gives paths and values to; true ends the walk.
type Test<'t> = dyn FnMut(&str, Value<'_>) -> bool + 't;

impl<'v, 'a> View<'v, 'a> {
    pub(super) fn new(raw: &'v Raw<'v>, fields: &'v Fields<'a>, scratch: &'v Scratch) -> Self {
        View { raw, fields, scratch }
    }

    pub(super) fn stream(&self) -> StreamId {
        self.raw.origin.stream
    }

    pub(super) fn offset(&self) -> u64 {
        self.raw.offset
    }

    fn walk(&self, test: &mut Test<'_>) -> bool {
        let mut buffers = self.scratch.0.take();
        let is_found = self.members(&mut buffers.text, test)
            || self.constants(test)
            || self.fields.jvm.as_ref().is_some_and(|jvm| jvm_members(jvm, &mut buffers.text, test))
            || self.labels(&mut buffers, test)
            || pairs("json.", &self.fields.json, &mut buffers, test)
            || pairs("", &self.fields.more, &mut buffers, test);
        self.scratch.0.replace(buffers);
        is_found
    }

    /// The members that have a name of their own.
    fn members(&self, buffer: &mut String, test: &mut Test<'_>) -> bool {
        let Fields { level, message, source_address, .. } = self.fields;
        if level.is_some_and(|level| test("log.level", Value::Text(level.as_str())))
            || (message.is_none() && test("message", Value::Text(self.raw.text)))
        {
            return true;
        }
        for (path, text) in self.fields.texts() {
            if text.is_some_and(|text| test(path, Value::Text(text.resolve(buffer)))) {
                return true;
            }
        }
        for (path, number) in self.fields.numbers() {
            if number.is_some_and(|number| test(path, whole(number))) {
                return true;
            }
        }
        source_address.is_some_and(|address| {
            let address = address.resolve(buffer);
            address.parse::<IpAddr>().is_ok() && test("source.ip", Value::Text(address))
        })
    }

    /// What is the same for every record of the stream, and what reading the record gives.
    fn constants(&self, test: &mut Test<'_>) -> bool {
        let Raw { offset, created, origin, .. } = self.raw;
        let service = origin.service.as_ref().filter(|_| self.fields.service_name.is_none());
        service.is_some_and(|service| test("service.name", Value::Text(service)))
            || origin.path.as_ref().is_some_and(|path| {
                test("log.file.path", Value::Text(path)) || test("log.offset", whole(*offset))
            })
            || test("host.name", Value::Text(&origin.host))
            || test("event.dataset", Value::Text(&origin.dataset))
            || test("event.created", Value::Int(created.as_millis()))
            || test("@timestamp", Value::Int(self.timestamp().as_millis()))
            || test("agent.type", Value::Text("watchfire"))
            || test("ecs.version", Value::Text(event::encode::ECS_VERSION))
            || origin.tags.iter().any(|tag| test("tags", Value::Text(tag)))
            || self.fields.tags.iter().any(|tag| test("tags", Value::Text(tag)))
    }

    /// The input's own labels give way to the record's.
    fn labels(&self, buffers: &mut Buffers, test: &mut Test<'_>) -> bool {
        for (name, value) in &self.raw.origin.labels {
            let is_own = self.fields.labels.iter().any(|(own, _)| own.resolve(&mut buffers.text) == name);
            if !is_own && test(joined("labels.", name, &mut buffers.path), Value::Text(value)) {
                return true;
            }
        }
        pairs("labels.", &self.fields.labels, buffers, test)
    }
}

impl Document for View<'_, '_> {
    fn timestamp(&self) -> Timestamp {
        self.fields.timestamp.unwrap_or(self.raw.created)
    }

    fn any(&self, mut test: impl FnMut(&str, Value<'_>) -> bool) -> bool {
        self.walk(&mut test)
    }
}

fn joined<'p>(prefix: &str, name: &str, path: &'p mut String) -> &'p str {
    path.clear();
    path.push_str(prefix);
    path.push_str(name);
    path
}

fn whole(number: u64) -> Value<'static> {
    #[expect(clippy::cast_precision_loss, reason = "beyond i64 an event keeps the nearest float")]
    i64::try_from(number).map_or(Value::Float(number as f64), Value::Int)
}

fn pairs(prefix: &str, pairs: &Pairs<'_>, buffers: &mut Buffers, test: &mut Test<'_>) -> bool {
    pairs.iter().any(|(name, value)| {
        let Buffers { path, text, nested } = &mut *buffers;
        let path = joined(prefix, name.resolve(text), path);
        match value {
            Scalar::Text(value) => test(path, Value::Text(value.resolve(text))),
            Scalar::Int(number) => test(path, Value::Int(*number)),
            Scalar::Float(number) if number.is_finite() => test(path, Value::Float(*number)),
            Scalar::Float(_) => test(path, Value::Null),
            Scalar::Bool(truth) => test(path, Value::Bool(*truth)),
            Scalar::Json(json) => {
                nested.clear(Timestamp::EPOCH);
                flatten_at(path, json, nested);
                nested.iter().any(|(path, value)| test(path, value))
            }
        }
    })
}

fn jvm_members(jvm: &Jvm<'_>, buffer: &mut String, test: &mut Test<'_>) -> bool {
    let pool = [
        ("jvm.memory.old.used", jvm.old_used),
        ("jvm.memory.old.max", jvm.old_max),
        ("jvm.memory.heap.used", jvm.heap_used),
        ("jvm.memory.heap.max", jvm.heap_max),
    ];
    let shares = [
        ("jvm.memory.old.used_pct", jvm.old_used, jvm.old_max),
        ("jvm.memory.heap.used_pct", jvm.heap_used, jvm.heap_max),
    ];
    jvm.gc_name.is_some_and(|name| test("jvm.gc.name", Value::Text(name.resolve(buffer))))
        || pool.iter().any(|(path, bytes)| bytes.is_some_and(|bytes| test(path, whole(bytes))))
        || shares.iter().any(|(path, used, max)| match (used, max) {
            #[expect(clippy::cast_precision_loss, reason = "a share of a heap needs no more than 53 bits")]
            (Some(used), Some(max @ 1..)) => test(path, Value::Float(*used as f64 / *max as f64)),
            _ => false,
        })
}
