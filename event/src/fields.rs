//! What a parser found in one record, borrowed from the record's own bytes.
//!
//! Enters: slices of the line. Leaves: the same slices under their ECS names, for [`crate::Encoder`].
//! Never: a copy. A field costs no allocation; the struct lives on the stack and is filled anew for each line.

use smallvec::SmallVec;

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
    /// `tags`, after the input's own.
    pub tags: SmallVec<[&'static str; 4]>,
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
