//! What a parser found in one record, borrowed from the record's own bytes.
//!
//! Enters: slices of the line. Leaves: the same slices under their ECS names, for [`crate::Encoder`].
//! Never: a copy. A field costs no allocation; the struct lives on the stack and is filled anew for each line.

use smallvec::SmallVec;

use crate::unescape::unescape;
use crate::{Level, Timestamp};

/// A borrowed piece of text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Text<'a> {
    /// Plain text; the encoder escapes it.
    Plain(&'a str),
    /// The inside of a valid JSON string, escapes and all; the encoder copies it as it is.
    Escaped(&'a str),
}

impl<'a> From<&'a str> for Text<'a> {
    fn from(text: &'a str) -> Self {
        Text::Plain(text)
    }
}

impl<'a> Text<'a> {
    /// What a reader of the record sees: the text as it is, or what its escapes stand for, written to `buffer`.
    pub fn resolve<'b>(self, buffer: &'b mut String) -> &'b str
    where
        'a: 'b,
    {
        match self {
            Text::Escaped(inside) if inside.contains('\\') => {
                buffer.clear();
                unescape(inside, buffer);
                buffer
            }
            Text::Plain(text) | Text::Escaped(text) => text,
        }
    }
}

/// A value under a name that ECS does not know.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Scalar<'a> {
    /// Text.
    Text(Text<'a>),
    /// A whole number.
    Int(i64),
    /// A number; a NaN or an infinity is written as null.
    Float(f64),
    /// A truth value.
    Bool(bool),
    /// One valid JSON value of any shape, copied as it is.
    Json(&'a str),
}

/// A list of names and values that usually fits on the stack.
pub type Pairs<'a> = SmallVec<[(Text<'a>, Scalar<'a>); 8]>;

/// The ECS fields that parsers fill; what stays `None` is left out of the record.
///
/// Each member's document line names the ECS path that it is written to.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Fields<'a> {
    /// `@timestamp`: when it happened. `None` stands for the time at which the line was read.
    pub timestamp: Option<Timestamp>,
    /// `message`: the human part. `None` stands for the whole record.
    pub message: Option<Text<'a>>,
    /// `log.level`.
    pub level: Option<Level>,
    /// `log.logger`.
    pub logger: Option<Text<'a>>,
    /// `stream`, as Filebeat names it: `stdout` or `stderr`, where a container wrote the record.
    pub output: Option<&'static str>,
    /// `log.original_bytes`: how long a record was in its file that is shipped only in part.
    pub original_bytes: Option<u64>,
    /// `error.type`: the exception's class.
    pub error_type: Option<Text<'a>>,
    /// `error.message`.
    pub error_message: Option<Text<'a>>,
    /// `error.stack_trace`.
    pub stack_trace: Option<Text<'a>>,
    /// `http.request.method`.
    pub http_method: Option<Text<'a>>,
    /// `http.request.referrer`.
    pub http_referrer: Option<Text<'a>>,
    /// `http.response.status_code`.
    pub http_status: Option<u16>,
    /// `http.response.body.bytes`.
    pub http_body_bytes: Option<u64>,
    /// `http.version`.
    pub http_version: Option<Text<'a>>,
    /// `url.path`.
    pub url_path: Option<Text<'a>>,
    /// `url.query`, without the question mark.
    pub url_query: Option<Text<'a>>,
    /// `url.original`: the request target as the client wrote it.
    pub url_original: Option<Text<'a>>,
    /// `event.duration`, nanoseconds.
    pub duration_ns: Option<u64>,
    /// `source.address`, and `source.ip` when it is an address.
    pub source_address: Option<Text<'a>>,
    /// `user.name`.
    pub user_name: Option<Text<'a>>,
    /// `user_agent.original`.
    pub user_agent: Option<Text<'a>>,
    /// `process.pid`.
    pub process_pid: Option<u64>,
    /// `process.thread.name`.
    pub thread_name: Option<Text<'a>>,
    /// `process.thread.id`.
    pub thread_id: Option<u64>,
    /// `trace.id`.
    pub trace_id: Option<Text<'a>>,
    /// `span.id`.
    pub span_id: Option<Text<'a>>,
    /// `service.name`; overrides the input's.
    pub service_name: Option<Text<'a>>,
    /// `jvm.*`, of a garbage-collection log.
    pub jvm: Option<Jvm<'a>>,
    /// `monitor.*`, of a probe.
    pub monitor: Option<Monitor<'a>>,
    /// `labels.*`: pairs of the line that ECS has no name for.
    pub labels: Pairs<'a>,
    /// `json.*`: members of a JSON line that ECS has no name for, unchanged.
    pub json: Pairs<'a>,
    /// Any other path, dotted, each once: written at the record's root, where a dotted name and an object are one to
    /// every reader of ECS. Never a path that another member writes to. At most [`crate::encode::MEMBERS_MAX`].
    pub more: Pairs<'a>,
    /// `tags`, after the input's own.
    pub tags: SmallVec<[&'a str; 4]>,
}

/// How many members [`Fields::texts`] has.
pub const TEXTS: usize = 18;

impl<'a> Fields<'a> {
    /// The members that hold text, each with its ECS path.
    #[must_use]
    pub fn texts(&self) -> [(&'static str, Option<Text<'a>>); TEXTS] {
        [
            ("message", self.message),
            ("error.message", self.error_message),
            ("error.type", self.error_type),
            ("error.stack_trace", self.stack_trace),
            ("service.name", self.service_name),
            ("log.logger", self.logger),
            ("process.thread.name", self.thread_name),
            ("http.request.method", self.http_method),
            ("http.request.referrer", self.http_referrer),
            ("http.version", self.http_version),
            ("url.path", self.url_path),
            ("url.query", self.url_query),
            ("url.original", self.url_original),
            ("source.address", self.source_address),
            ("user.name", self.user_name),
            ("user_agent.original", self.user_agent),
            ("trace.id", self.trace_id),
            ("span.id", self.span_id),
        ]
    }

    /// The same members in the same order, to be changed.
    pub fn texts_mut(&mut self) -> [&mut Option<Text<'a>>; TEXTS] {
        [
            &mut self.message,
            &mut self.error_message,
            &mut self.error_type,
            &mut self.stack_trace,
            &mut self.service_name,
            &mut self.logger,
            &mut self.thread_name,
            &mut self.http_method,
            &mut self.http_referrer,
            &mut self.http_version,
            &mut self.url_path,
            &mut self.url_query,
            &mut self.url_original,
            &mut self.source_address,
            &mut self.user_name,
            &mut self.user_agent,
            &mut self.trace_id,
            &mut self.span_id,
        ]
    }

    /// The members that hold a whole number, each with its ECS path.
    #[must_use]
    pub fn numbers(&self) -> [(&'static str, Option<u64>); 5] {
        [
            ("http.response.status_code", self.http_status.map(u64::from)),
            ("http.response.body.bytes", self.http_body_bytes),
            ("event.duration", self.duration_ns),
            ("process.pid", self.process_pid),
            ("process.thread.id", self.thread_id),
        ]
    }
}

/// The state of a heap after one collection.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Jvm<'a> {
    /// `jvm.gc.name`: the collection, such as `Pause Young (Normal)`.
    pub gc_name: Option<Text<'a>>,
    /// `jvm.memory.old.used`, bytes.
    pub old_used: Option<u64>,
    /// `jvm.memory.old.max`, bytes. With `old_used` it gives `jvm.memory.old.used_pct` (0..1).
    pub old_max: Option<u64>,
    /// `jvm.memory.heap.used`, bytes.
    pub heap_used: Option<u64>,
    /// `jvm.memory.heap.max`, bytes.
    pub heap_max: Option<u64>,
}

/// What one run of a probe saw, as Heartbeat names it.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Monitor<'a> {
    /// `monitor.id`.
    pub id: &'a str,
    /// `monitor.name`.
    pub name: &'a str,
    /// `monitor.type`: `http` or `tcp`.
    pub kind: &'static str,
    /// `monitor.status`: `up` or `down`.
    pub is_up: bool,
    /// `monitor.duration.us`.
    pub duration_us: u64,
    /// `url.full` of the probed thing.
    pub url: &'a str,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_to_read_and_to_change_stand_in_one_order() {
        let mut fields = Fields::default();
        for at in 0..TEXTS {
            *fields.texts_mut()[at] = Some(Text::Plain("here"));
            let found = fields.texts().iter().position(|(_, text)| text.is_some());
            assert_eq!(found, Some(at));
            *fields.texts_mut()[at] = None;
        }
    }
}
