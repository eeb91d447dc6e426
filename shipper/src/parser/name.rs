//! The names that loggers give to the same things.
//!
//! Enters: a member's name, the object it stands in, its value. Leaves: the ECS field that it is. Never: a
//! value that does not fit the field; the caller keeps it under the name that the line used.
//!
//! Known: ECS (dotted and nested), logstash-logback-encoder, log4j2's JsonLayout, zap, zerolog, logrus, pino,
//! bunyan, Serilog's compact form, Python's json loggers.

use event::fields::Pairs;
use event::{Fields, Level, Scalar, Text, Timestamp};

use super::time::{Clock, epoch};

/// The value of a member.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Value<'a> {
    /// Text.
    Text(Text<'a>),
    /// A number as the line writes it.
    Number(&'a str),
    /// A truth value.
    Bool(bool),
    /// Null, an array, or an object of unknown members: valid JSON.
    Json(&'a str),
}

/// An object whose members have names of their own.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Group {
    /// The line itself.
    Root,
    Log,
    Error,
    Process,
    Thread,
    Http,
    HttpRequest,
    HttpResponse,
    HttpBody,
    Url,
    Service,
    Trace,
    Span,
    Source,
    User,
    UserAgent,
    Event,
}

/// An ECS field.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Name {
    Timestamp,
    Level,
    Message,
    Logger,
    ErrorType,
    ErrorMessage,
    StackTrace,
    Thread,
    ThreadId,
    ProcessPid,
    TraceId,
    SpanId,
    Service,
    HttpMethod,
    HttpReferrer,
    HttpStatus,
    HttpBodyBytes,
    HttpVersion,
    UrlPath,
    UrlQuery,
    UrlOriginal,
    Duration,
    SourceAddress,
    User,
    UserAgent,
}

impl Group {
    /// The known object that `key` opens in this one.
    pub(super) fn inner(self, key: &str) -> Option<Group> {
        Some(match (self, key) {
            (Group::Root, "log") => Group::Log,
            (Group::Root, "error" | "err" | "thrown" | "exception") => Group::Error,
            (Group::Root, "process") => Group::Process,
            (Group::Process, "thread") => Group::Thread,
            (Group::Root, "http") => Group::Http,
            (Group::Http, "request") => Group::HttpRequest,
            (Group::Http, "response") => Group::HttpResponse,
            (Group::HttpResponse, "body") => Group::HttpBody,
            (Group::Root, "url") => Group::Url,
            (Group::Root, "service") => Group::Service,
            (Group::Root, "trace") => Group::Trace,
            (Group::Root, "span") => Group::Span,
            (Group::Root, "source") => Group::Source,
            (Group::Root, "user") => Group::User,
            (Group::Root, "user_agent") => Group::UserAgent,
            (Group::Root, "event") => Group::Event,
            _ => return None,
        })
    }

    /// The field that `key` is in this object.
    pub(super) fn name(self, key: &str) -> Option<Name> {
        Some(match (self, key) {
            (Group::Root, key) => return root_name(key),
            (Group::Log, "level") => Name::Level,
            (Group::Log, "logger") => Name::Logger,
            (Group::Error, "type" | "name") => Name::ErrorType,
            (Group::Error, "message") => Name::ErrorMessage,
            (Group::Error, "stack_trace" | "stack" | "stacktrace" | "extendedStackTrace") => Name::StackTrace,
            (Group::Process, "pid") => Name::ProcessPid,
            (Group::Thread, "name") => Name::Thread,
            (Group::Thread, "id") => Name::ThreadId,
            (Group::Http, "version") => Name::HttpVersion,
            (Group::HttpRequest, "method") => Name::HttpMethod,
            (Group::HttpRequest, "referrer") => Name::HttpReferrer,
            (Group::HttpResponse, "status_code") => Name::HttpStatus,
            (Group::HttpBody, "bytes") => Name::HttpBodyBytes,
            (Group::Url, "path") => Name::UrlPath,
            (Group::Url, "query") => Name::UrlQuery,
            (Group::Url, "original") => Name::UrlOriginal,
            (Group::Service | Group::User, "name") => {
                if self == Group::User {
                    Name::User
                } else {
                    Name::Service
                }
            }
            (Group::Trace, "id") => Name::TraceId,
            (Group::Span, "id") => Name::SpanId,
            (Group::Source, "address" | "ip") => Name::SourceAddress,
            (Group::UserAgent, "original") => Name::UserAgent,
            (Group::Event, "duration") => Name::Duration,
            _ => return None,
        })
    }
}

fn root_name(key: &str) -> Option<Name> {
    Some(match key {
        "@timestamp" | "time" | "timestamp" | "ts" | "@t" | "asctime" | "timeMillis" | "datetime" => {
            Name::Timestamp
        }
        "level" | "log.level" | "severity" | "levelname" | "lvl" | "@l" | "loglevel" | "log_level" => {
            Name::Level
        }
        "message" | "msg" | "@m" | "@mt" => Name::Message,
        "logger" | "log.logger" | "logger_name" | "loggerName" | "name" | "SourceContext" => Name::Logger,
        "error.type" | "error_type" | "exception.type" => Name::ErrorType,
        "error.message" | "error" | "err" | "error_message" | "exception.message" => Name::ErrorMessage,
        "error.stack_trace"
        | "stack_trace"
        | "stacktrace"
        | "stackTrace"
        | "stack"
        | "exc_info"
        | "exception"
        | "@x"
        | "exception.stacktrace" => Name::StackTrace,
        "thread_name" | "thread" | "threadName" | "process.thread.name" => Name::Thread,
        "process.thread.id" | "thread_id" | "threadId" => Name::ThreadId,
        "process.pid" | "pid" => Name::ProcessPid,
        "trace.id" | "traceId" | "trace_id" | "traceID" | "@tr" => Name::TraceId,
        "span.id" | "spanId" | "span_id" | "spanID" | "@sp" => Name::SpanId,
        "service.name" | "service" | "serviceName" => Name::Service,
        "http.request.method" => Name::HttpMethod,
        "http.request.referrer" => Name::HttpReferrer,
        "http.response.status_code" => Name::HttpStatus,
        "http.response.body.bytes" => Name::HttpBodyBytes,
        "http.version" => Name::HttpVersion,
        "url.path" => Name::UrlPath,
        "url.query" => Name::UrlQuery,
        "url.original" => Name::UrlOriginal,
        "event.duration" => Name::Duration,
        "source.address" | "source.ip" => Name::SourceAddress,
        "user.name" => Name::User,
        "user_agent.original" => Name::UserAgent,
        _ => return None,
    })
}

impl Name {
    /// Puts `value` into this field. False, and nothing is changed, when the field is taken or the value does
    /// not fit.
    pub(super) fn fill<'a>(self, value: Value<'a>, clock: &mut Clock, fields: &mut Fields<'a>) -> bool {
        if let Some(slot) = self.text_slot(fields) {
            let Value::Text(text) = value else { return false };
            return put(slot, Some(text).filter(|text| !inner(*text).is_empty()));
        }
        match self {
            Name::Timestamp => put(&mut fields.timestamp, timestamp(value, clock)),
            Name::Level => put(&mut fields.level, level(value)),
            Name::ThreadId => put(&mut fields.thread_id, number(value)),
            Name::ProcessPid => put(&mut fields.process_pid, number(value)),
            Name::HttpBodyBytes => put(&mut fields.http_body_bytes, number(value)),
            Name::Duration => put(&mut fields.duration_ns, number(value)),
            Name::HttpStatus => {
                put(&mut fields.http_status, number(value).and_then(|status| status.try_into().ok()))
            }
            _ => false,
        }
    }

    fn text_slot<'f, 'a>(self, fields: &'f mut Fields<'a>) -> Option<&'f mut Option<Text<'a>>> {
        Some(match self {
            Name::Message => &mut fields.message,
            Name::Logger => &mut fields.logger,
            Name::ErrorType => &mut fields.error_type,
            Name::ErrorMessage => &mut fields.error_message,
            Name::StackTrace => &mut fields.stack_trace,
            Name::Thread => &mut fields.thread_name,
            Name::TraceId => &mut fields.trace_id,
            Name::SpanId => &mut fields.span_id,
            Name::Service => &mut fields.service_name,
            Name::HttpMethod => &mut fields.http_method,
            Name::HttpReferrer => &mut fields.http_referrer,
            Name::HttpVersion => &mut fields.http_version,
            Name::UrlPath => &mut fields.url_path,
            Name::UrlQuery => &mut fields.url_query,
            Name::UrlOriginal => &mut fields.url_original,
            Name::SourceAddress => &mut fields.source_address,
            Name::User => &mut fields.user_name,
            Name::UserAgent => &mut fields.user_agent,
            _ => return None,
        })
    }
}

/// Members of one line that no field takes; a line with more is read as text. It bounds the search for a
/// doubled name, for which Elasticsearch would refuse the whole record.
pub(super) const MEMBERS_MAX: usize = 256;

/// Keeps a member under its own name; of two with one name the last counts, as in every JSON reader. `None`
/// when there are too many.
pub(super) fn push_rest<'a>(pairs: &mut Pairs<'a>, key: Text<'a>, value: Scalar<'a>) -> Option<()> {
    if let Some(pair) = pairs.iter_mut().find(|(known, _)| *known == key) {
        pair.1 = value;
    } else if pairs.len() < MEMBERS_MAX {
        pairs.push((key, value));
    } else {
        return None;
    }
    Some(())
}

fn put<T>(slot: &mut Option<T>, value: Option<T>) -> bool {
    let fits = slot.is_none() && value.is_some();
    if fits {
        *slot = value;
    }
    fits
}

fn inner(text: Text<'_>) -> &str {
    match text {
        Text::Plain(text) | Text::Escaped(text) => text,
    }
}

fn timestamp(value: Value<'_>, clock: &mut Clock) -> Option<Timestamp> {
    match value {
        Value::Number(number) => epoch(number),
        Value::Text(text) => {
            let text = inner(text);
            let whole = clock.iso(text.as_bytes()).filter(|(_, taken)| *taken == text.len());
            whole.map(|(time, _)| time).or_else(|| epoch(text))
        }
        Value::Bool(_) | Value::Json(_) => None,
    }
}

/// A word, or the numbers of pino and bunyan.
fn level(value: Value<'_>) -> Option<Level> {
    match value {
        Value::Text(text) => Level::parse(inner(text)),
        Value::Number("10") => Some(Level::Trace),
        Value::Number("20") => Some(Level::Debug),
        Value::Number("30") => Some(Level::Info),
        Value::Number("40") => Some(Level::Warn),
        Value::Number("50") => Some(Level::Error),
        Value::Number("60") => Some(Level::Fatal),
        Value::Number(_) | Value::Bool(_) | Value::Json(_) => None,
    }
}

fn number(value: Value<'_>) -> Option<u64> {
    match value {
        Value::Number(number) => number.parse().ok(),
        Value::Text(text) => inner(text).parse().ok(),
        Value::Bool(_) | Value::Json(_) => None,
    }
}
