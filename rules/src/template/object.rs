//! What templates see: figures that print in their unit, moments that print in a zone, and the filters.
//!
//! Enters: a [`Context`]. Leaves: minijinja values. Never: a panic on any combination of value and filter.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

use event::Timestamp;
use jiff::tz::TimeZone;
use minijinja::value::{Object, ObjectRepr};
use minijinja::{Environment, Error, ErrorKind, Value};

use super::Context;
use crate::rule::Unit;

/// The variables of a template.
pub(super) fn values(context: &Context<'_>) -> Value {
    let moment = |at| Value::from_object(Moment { at, now: context.at, zone: context.zone.clone() });
    let flat = |pairs: &[(String, String)]| {
        let pairs = pairs.iter().map(|(name, text)| (name.clone(), Value::from(text.as_str())));
        Value::from(pairs.collect::<BTreeMap<_, _>>())
    };
    let mut values = nested(context.group);
    values.extend([
        ("rule".to_owned(), Value::from(context.rule)),
        ("priority".to_owned(), Value::from(context.priority.as_str())),
        ("state".to_owned(), Value::from(context.state)),
        ("group".to_owned(), flat(context.group)),
        ("labels".to_owned(), flat(context.labels)),
        ("since".to_owned(), moment(context.since)),
        ("at".to_owned(), moment(context.at)),
        ("reason".to_owned(), Value::from(context.reason)),
    ]);
    // What is not there stays unknown, so that errors name it.
    for (name, number) in [("value", context.value), ("threshold", context.threshold)] {
        if let Some(number) = number {
            values.insert(name.to_owned(), Value::from_object(Figure { number, unit: context.unit }));
        }
    }
    Value::from(values)
}

/// `service.name` as `service` with a member `name`. Where one field lies under another (`a` and `a.b`), the deeper
/// ones win; `group` has both.
fn nested(fields: &[(String, String)]) -> BTreeMap<String, Value> {
    let mut children: BTreeMap<String, Vec<(String, String)>> = BTreeMap::new();
    let mut values = BTreeMap::new();
    for (path, value) in fields {
        match path.split_once('.') {
            Some((parent, rest)) => {
                children.entry(parent.to_owned()).or_default().push((rest.to_owned(), value.clone()));
            }
            None => {
                values.insert(path.clone(), Value::from(value.as_str()));
            }
        }
    }
    values.extend(children.into_iter().map(|(parent, fields)| (parent, Value::from(nested(&fields)))));
    values
}

/// A number in the rule's unit: prints as `85.2%`, and `.number` is 0.852.
#[derive(Debug)]
struct Figure {
    number: f64,
    unit: Unit,
}

impl Object for Figure {
    fn repr(self: &Arc<Self>) -> ObjectRepr {
        ObjectRepr::Plain
    }

    fn get_value(self: &Arc<Self>, key: &Value) -> Option<Value> {
        (key.as_str() == Some("number")).then(|| Value::from(self.number))
    }

    fn render(self: &Arc<Self>, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.unit.write(self.number, out)
    }
}

/// A moment: prints as RFC 3339 in UTC, and with the filter `time` in the zone of the page's readers.
#[derive(Debug)]
struct Moment {
    at: Timestamp,
    now: Timestamp,
    zone: TimeZone,
}

impl Object for Moment {
    fn repr(self: &Arc<Self>) -> ObjectRepr {
        ObjectRepr::Plain
    }

    fn render(self: &Arc<Self>, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{}", self.at)
    }
}

/// A moment as pages write it: `2026-11-23 10:30:45 UTC`, `2026-11-23 18:30:45 +08:00`.
#[must_use]
pub fn time(at: Timestamp, zone: &TimeZone) -> String {
    let Ok(instant) = jiff::Timestamp::from_second(at.as_secs()) else { return at.to_string() };
    let offset = zone.to_offset(instant);
    let seconds = offset.seconds();
    let name = if seconds == 0 {
        "UTC".to_owned()
    } else {
        let sign = if seconds < 0 { '-' } else { '+' };
        format!("{sign}{:02}:{:02}", seconds.abs() / 3600, seconds.abs() / 60 % 60)
    };
    format!("{} {name}", offset.to_datetime(instant).strftime("%Y-%m-%d %H:%M:%S"))
}

/// Adds `time`, `duration`, `percent`, `bytes` and `number`.
pub(super) fn add_filters(environment: &mut Environment<'_>) {
    environment.add_filter("time", |value: Value| match value.downcast_object_ref::<Moment>() {
        Some(moment) => Ok(time(moment.at, &moment.zone)),
        None => text_time(&value),
    });
    environment.add_filter("duration", |value: Value| match value.downcast_object_ref::<Moment>() {
        Some(moment) => written(Unit::Seconds, moment.now.since(moment.at).as_secs_f64()),
        None => in_unit(&value, Unit::Seconds, true),
    });
    environment.add_filter("percent", |value: Value| in_unit(&value, Unit::Percent, false));
    environment.add_filter("bytes", |value: Value| in_unit(&value, Unit::Bytes, false));
    environment.add_filter("number", |value: Value| in_unit(&value, Unit::Number, false));
}

fn text_time(value: &Value) -> Result<String, Error> {
    let parsed = value.as_str().and_then(|text| Timestamp::parse(text).ok());
    parsed.map(|at| time(at, &TimeZone::UTC)).ok_or_else(|| wrong(value, "a moment such as `since` or `at`"))
}

/// `value` as text in `unit`; a figure that `keeps_time` stays in its own unit of time.
fn in_unit(value: &Value, unit: Unit, keeps_time: bool) -> Result<String, Error> {
    if let Some(figure) = value.downcast_object_ref::<Figure>() {
        let is_time = !matches!(figure.unit, Unit::Number | Unit::Percent | Unit::Bytes);
        return written(if keeps_time && is_time { figure.unit } else { unit }, figure.number);
    }
    if value.is_undefined() || value.is_none() {
        return Ok(String::new());
    }
    let number = f64::try_from(value.clone()).ok();
    let number = number.or_else(|| value.as_str().and_then(|text| text.parse().ok()));
    number.map_or_else(|| Err(wrong(value, "a number such as `value`")), |number| written(unit, number))
}

fn written(unit: Unit, number: f64) -> Result<String, Error> {
    let mut text = String::new();
    unit.write(number, &mut text)?;
    Ok(text)
}

fn wrong(value: &Value, expected: &str) -> Error {
    Error::new(ErrorKind::InvalidOperation, format!("`{value}` is not {expected}"))
}
