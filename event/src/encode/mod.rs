//! One record as ECS JSON, in one pass into a buffer that the caller reuses.
//!
//! Enters: an [`Origin`] and what a parser found. Leaves: the bytes of one Kafka record, without a line end.
//! Never: an intermediate tree, an allocation for each field, a byte that is no JSON.

use crate::{EventId, Fields, Origin, Scalar, Text, Timestamp};

mod escape;
mod field;
mod imprint;
mod json;
mod timestamp;

pub use self::imprint::Imprint;
pub(crate) use self::json::Members;
pub use self::timestamp::push_timestamp;

/// `ecs.version` of every record.
pub const ECS_VERSION: &str = "8.17.0";

/// `labels` and `json` members in one record at most, each; those beyond are left out and the record gets the
/// tag [`crate::tag::FIELDS_TRUNCATED`]. Names are compared in pairs, so the bound is also one on time.
pub const MEMBERS_MAX: usize = 512;

/// Room that a record takes beside its own text, so that a plain line grows the buffer once at most.
const OVERHEAD_BYTES: usize = 640;

/// The constant parts of a stream's records, serialized once.
#[derive(Debug, Clone)]
pub struct Encoder {
    origin: Origin,
    /// `"event":{"id":"<stream>-`
    event: Vec<u8>,
    /// `"dataset":"…",`
    dataset: Vec<u8>,
    /// `"file":{"path":"…"},`, or nothing.
    file: Vec<u8>,
    /// `"host":…,"agent":…,"ecs":…,`
    constant: Vec<u8>,
    /// `"service":{"name":"…"},`, or nothing.
    service: Vec<u8>,
    /// `"a":"1","b":"2",`
    labels: Vec<u8>,
    /// `"a","b",`
    tags: Vec<u8>,
}

/// One record to encode. The fields have a lifetime of their own, because a list inside them is invariant in it.
#[derive(Debug, Clone, Copy)]
pub struct Record<'r, 'a> {
    /// Where its first byte lies in the stream: `log.offset`, and the second half of `event.id`.
    pub offset: u64,
    /// The record as read, without its line end: `message` when the parser found no narrower one.
    pub text: &'r str,
    /// When it was read: `event.created`, and `@timestamp` when the parser found none.
    pub created: Timestamp,
    /// What the parser found.
    pub fields: &'r Fields<'a>,
}

impl Encoder {
    /// Serializes the parts that never change.
    #[must_use]
    pub fn new(origin: &Origin) -> Self {
        let fragment = |write: &dyn Fn(&mut Members<'_>)| {
            let mut bytes = Vec::new();
            write(&mut Members::new(&mut bytes));
            bytes
        };
        let mut event = b"\"event\":{\"id\":\"".to_vec();
        event.extend_from_slice(&origin.stream.hex());
        event.push(b'-');
        Encoder {
            event,
            dataset: fragment(&|members| members.plain("dataset", &origin.dataset)),
            file: fragment(&|members| {
                if let Some(path) = &origin.path {
                    members.object("file", |file| file.plain("path", path));
                }
            }),
            constant: fragment(&|members| {
                members.object("host", |host| host.plain("name", &origin.host));
                members.object("agent", |agent| agent.plain("type", "watchfire"));
                members.object("ecs", |ecs| ecs.plain("version", ECS_VERSION));
            }),
            service: fragment(&|members| {
                if let Some(name) = &origin.service {
                    members.object("service", |service| service.plain("name", name));
                }
            }),
            labels: fragment(&|members| {
                for (at, (name, value)) in origin.labels.iter().enumerate() {
                    if !origin.labels.iter().skip(at + 1).any(|(later, _)| later == name) {
                        members.scalar(Text::Plain(name), Scalar::Text(Text::Plain(value)));
                    }
                }
            }),
            tags: fragment(&|members| origin.tags.iter().for_each(|tag| members.element(tag))),
            origin: origin.clone(),
        }
    }

    /// The stream's origin.
    #[must_use]
    pub fn origin(&self) -> &Origin {
        &self.origin
    }

    /// The id of the record that starts at `offset`.
    #[must_use]
    pub fn id(&self, offset: u64) -> EventId {
        EventId { stream: self.origin.stream, offset }
    }

    /// Appends the record's JSON object to `out`. It holds no raw line end, so records can be joined by one.
    pub fn encode(&self, record: &Record<'_, '_>, out: &mut Vec<u8>) {
        let fields = record.fields;
        out.reserve(record.text.len() + self.constant.len() + OVERHEAD_BYTES);
        out.push(b'{');
        let mut members = Members::new(out);
        members.time("@timestamp", fields.timestamp.unwrap_or(record.created));
        match fields.message {
            Some(message) => members.text("message", message),
            // A probe reads no line; what reads lines has a message even when the line is empty.
            None if record.text.is_empty() && fields.monitor.is_some() => {}
            None => members.plain("message", record.text),
        }
        self.event(record, &mut members);
        self.log(record, &mut members);
        if let Some(output) = fields.output {
            members.plain("stream", output);
        }
        members.raw(&self.constant);
        match fields.service_name {
            Some(name) => members.object("service", |service| service.text("name", name)),
            None => members.raw(&self.service),
        }
        field::write(fields, &mut members);
        let is_truncated = self.labels(fields, &mut members)
            | json_members(fields, &mut members)
            | more_members(fields, &mut members);
        self.tags(fields, is_truncated, &mut members);
        members.close();
    }

    fn event(&self, record: &Record<'_, '_>, members: &mut Members<'_>) {
        members.raw(&self.event);
        members.digits(record.offset);
        members.raw(b"\",");
        members.time("created", record.created);
        members.raw(&self.dataset);
        if let Some(duration) = record.fields.duration_ns {
            members.number("duration", duration);
        }
        members.close();
        members.raw(b",");
    }

    fn log(&self, record: &Record<'_, '_>, members: &mut Members<'_>) {
        let fields = record.fields;
        let has_own = fields.level.is_some() || fields.logger.is_some() || fields.original_bytes.is_some();
        if self.file.is_empty() && !has_own {
            return;
        }
        members.object("log", |log| {
            if let Some(level) = fields.level {
                log.plain("level", level.as_str());
            }
            log.text_if("logger", fields.logger);
            log.number_if("original_bytes", fields.original_bytes);
            if !self.file.is_empty() {
                log.number("offset", record.offset);
                log.raw(&self.file);
            }
        });
    }

    /// Writes `labels`; true when some were left out. A name that stands twice keeps its last value, and the
    /// record's own value wins over the input's, because search engines refuse a repeated name.
    fn labels(&self, fields: &Fields<'_>, members: &mut Members<'_>) -> bool {
        let (kept, is_truncated) = bounded(&fields.labels);
        if kept.is_empty() && self.labels.is_empty() {
            return is_truncated;
        }
        members.object("labels", |labels| {
            if !self.origin.labels.iter().any(|(name, _)| repeats(Text::Plain(name), kept)) {
                labels.raw(&self.labels);
            } else {
                for (at, (name, value)) in self.origin.labels.iter().enumerate() {
                    let is_last = !self.origin.labels.iter().skip(at + 1).any(|(later, _)| later == name);
                    if is_last && !repeats(Text::Plain(name), kept) {
                        labels.scalar(Text::Plain(name), Scalar::Text(Text::Plain(value)));
                    }
                }
            }
            write_pairs(kept, labels);
        });
        is_truncated
    }

    fn tags(&self, fields: &Fields<'_>, is_truncated: bool, members: &mut Members<'_>) {
        if self.tags.is_empty() && fields.tags.is_empty() && !is_truncated {
            return;
        }
        members.array("tags", |tags| {
            tags.raw(&self.tags);
            let own = fields.tags.iter().copied().chain(is_truncated.then_some(crate::tag::FIELDS_TRUNCATED));
            for tag in own {
                if !self.origin.tags.iter().any(|known| known == tag) {
                    tags.element(tag);
                }
            }
        });
    }
}

type Pair<'a> = (Text<'a>, Scalar<'a>);

fn json_members(fields: &Fields<'_>, members: &mut Members<'_>) -> bool {
    let (kept, is_truncated) = bounded(&fields.json);
    if !kept.is_empty() {
        members.object("json", |json| write_pairs(kept, json));
    }
    is_truncated
}

/// A dotted name at the root and the same name in objects are one path to whoever reads ECS.
fn more_members(fields: &Fields<'_>, members: &mut Members<'_>) -> bool {
    if fields.more.is_empty() {
        return false;
    }
    let (kept, is_truncated) = bounded(&fields.more);
    write_pairs(kept, members);
    is_truncated
}

fn bounded<'p, 'a>(pairs: &'p [Pair<'a>]) -> (&'p [Pair<'a>], bool) {
    pairs.get(..MEMBERS_MAX).map_or((pairs, false), |kept| (kept, pairs.len() > MEMBERS_MAX))
}

fn write_pairs(pairs: &[Pair<'_>], members: &mut Members<'_>) {
    for (at, (name, value)) in pairs.iter().enumerate() {
        if !repeats(*name, pairs.get(at + 1..).unwrap_or_default()) {
            members.scalar(*name, *value);
        }
    }
}

fn repeats(name: Text<'_>, pairs: &[Pair<'_>]) -> bool {
    pairs.iter().any(|(other, _)| is_same(name, *other))
}

/// Whether two names are one name to whoever reads the JSON.
fn is_same(one: Text<'_>, other: Text<'_>) -> bool {
    match (one, other) {
        (Text::Plain(one), Text::Plain(other)) => one == other,
        (Text::Escaped(one), Text::Escaped(other)) if one == other => true,
        // Allocates only for a name that has an escape, which almost none has.
        _ => one.resolve(&mut String::new()) == other.resolve(&mut String::new()),
    }
}

#[cfg(test)]
mod tests;
