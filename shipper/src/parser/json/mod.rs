//! One JSON object for each record.
//!
//! Enters: a record's text. Leaves: the members that ECS has a name for in their fields, all others unchanged
//! under `json.*`; strings keep their escapes, because they go into JSON again.
//! Never: a tree, a copy. One pass over the text; what is not wholly valid JSON is not touched.
//!
//! Shapes: ECS loggers (dotted or nested), logstash-logback, log4j2, zap, zerolog, logrus, pino, bunyan,
//! Serilog, Python.

mod scan;

pub(super) use scan::is_string_inside;

use event::{Fields, Scalar, Text};

use self::scan::Scanner;
use super::exception;
use super::name::{self, Group, Value};
use super::time::Clock;

/// Reads one record; `fields` stay untouched when it is no JSON object.
pub(super) fn parse<'a>(text: &'a str, clock: &mut Clock, fields: &mut Fields<'a>) -> bool {
    let mut scanner = Scanner::new(text);
    if scanner.peek() != Some(b'{') {
        return false;
    }
    let is_whole = read_object(&mut scanner, Group::Root, clock, fields).is_some() && scanner.is_done();
    if is_whole {
        fill_error(fields);
    } else {
        *fields = Fields::default();
    }
    is_whole
}

/// Reads one object of a known group. True when a member of it has no field.
fn read_object<'a>(
    scanner: &mut Scanner<'a>,
    group: Group,
    clock: &mut Clock,
    fields: &mut Fields<'a>,
) -> Option<bool> {
    let mut has_rest = false;
    scanner.expect(b'{')?;
    if scanner.peek()? == b'}' {
        return scanner.goes_on(b'}').map(|_| has_rest);
    }
    loop {
        let key = scanner.key()?;
        let is_known = match group.inner(key) {
            Some(inner) if scanner.peek()? == b'{' => {
                let start = scanner.at();
                let is_known = !read_object(scanner, inner, clock, fields)?;
                if !is_known && group == Group::Root {
                    // What is known of it has its field; the whole stays too, so that nothing of it is lost.
                    push_rest(key, Value::Json(scanner.since(start)), fields)?;
                }
                is_known
            }
            _ => {
                let value = scanner.value()?;
                let is_known = group.name(key).is_some_and(|name| name.fill(value, clock, fields));
                if !is_known && group == Group::Root {
                    push_rest(key, value, fields)?;
                }
                is_known
            }
        };
        has_rest |= !is_known;
        if !scanner.goes_on(b'}')? {
            return Some(has_rest);
        }
    }
}

/// Keeps a member that has no field.
fn push_rest<'a>(key: &'a str, value: Value<'a>, fields: &mut Fields<'a>) -> Option<()> {
    let value = match value {
        Value::Text(text) => Scalar::Text(text),
        Value::Bool(truth) => Scalar::Bool(truth),
        Value::Number(json) | Value::Json(json) => Scalar::Json(json),
    };
    name::push_rest(&mut fields.json, Text::Escaped(key), value)
}

/// The class and the message of a stack trace, where the line does not give them apart.
fn fill_error(fields: &mut Fields<'_>) {
    let Some(Text::Escaped(trace)) = fields.stack_trace.filter(|_| fields.error_type.is_none()) else {
        return;
    };
    if let Some((class, message)) = exception::headline(trace, "\\n") {
        fields.error_type = Some(Text::Escaped(class));
        fields.error_message = fields.error_message.or(message.map(Text::Escaped));
    }
}

#[cfg(test)]
mod test;
