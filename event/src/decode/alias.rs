//! Other shippers' names for ECS fields, as data.
//!
//! Enters: a flattened event. Leaves: the same event with ECS paths, and its time.
//! The rules: a value at the ECS path itself wins and everything else stays where it is; without one, the first
//! name of the row whose value is acceptable is *moved* to the ECS path, so that a value has one name.
//! A name stands for a plain value: `host` is a text there, `{"host": {"name": …}}` has the path `host.name`.

use crate::event::{Leaf, Stored};
use crate::{Event, Level, Timestamp, Value};

use super::moment;

/// One row of the table.
#[derive(Debug, Clone, Copy)]
pub struct Alias {
    /// The ECS path.
    pub to: &'static str,
    /// Which values may be moved there.
    pub accepts: Accepts,
    /// A path without which the row does not apply: what makes a vague name certain.
    pub beside: Option<&'static str>,
    /// The other names, best first.
    pub from: &'static [&'static str],
}

/// Which values an alias may bring.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Accepts {
    /// What [`moment`] reads.
    Time,
    /// A word or a number that is a [`Level`].
    Level,
    /// Our own event id; no other name stands for it.
    Id,
    /// Any text.
    Text,
    /// Any whole number.
    Int,
}

const fn row(to: &'static str, accepts: Accepts, from: &'static [&'static str]) -> Alias {
    Alias { to, accepts, beside: None, from }
}

/// The table. Sources: Vector (`timestamp`, `host`, `file`, `appname`), Fluent Bit and Docker (`log`, `time`,
/// `date`), rsyslog (`msg`, `severity`, `programname`), journald (`MESSAGE`), Logstash (`@version` and `path`),
/// logstash-logback-encoder (`logger_name`, `thread_name`, `stack_trace`), zap, logrus and slog (`ts`, `time`,
/// `msg`, `stacktrace`), pino and bunyan (`time`, `level` as a number, `err.*`), python-json-logger (`asctime`,
/// `levelname`, `exc_info`).
pub const ALIASES: [Alias; 17] = [
    row("@timestamp", Accepts::Time, &["timestamp", "time", "date", "ts", "asctime", "datetime"]),
    row("event.id", Accepts::Id, &[]),
    row("message", Accepts::Text, &["msg", "log", "MESSAGE", "short_message"]),
    row(
        "log.level",
        Accepts::Level,
        &["level", "severity", "lvl", "levelname", "loglevel", "log_level", "severity_text"],
    ),
    row("log.logger", Accepts::Text, &["logger", "logger_name", "loggerName"]),
    row("host.name", Accepts::Text, &["host", "hostname", "_HOSTNAME"]),
    row(
        "service.name",
        Accepts::Text,
        &["service", "app", "application", "service_name", "app_name", "appname", "programname"],
    ),
    row("log.file.path", Accepts::Text, &["file", "filename", "filepath"]),
    Alias { to: "log.file.path", accepts: Accepts::Text, beside: Some("@version"), from: &["path"] },
    row("error.type", Accepts::Text, &["err.type", "err.name", "exception.type", "exception_class"]),
    row("error.message", Accepts::Text, &["err.message", "exception.message", "error", "err"]),
    row(
        "error.stack_trace",
        Accepts::Text,
        &["stack_trace", "stacktrace", "err.stack", "exception.stacktrace", "exc_info", "stack", "exception"],
    ),
    row("process.thread.name", Accepts::Text, &["thread", "thread_name", "threadName"]),
    row("process.pid", Accepts::Int, &["pid"]),
    row("user.name", Accepts::Text, &["user", "username"]),
    row("trace.id", Accepts::Text, &["trace_id", "traceId", "traceid"]),
    row("span.id", Accepts::Text, &["span_id", "spanId", "spanid"]),
];

/// What the table found beside the names.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Found {
    /// The record's own time.
    pub(super) timestamp: Option<Timestamp>,
    /// The leaf of `event.id`.
    pub(super) id: Option<usize>,
}

/// The best candidate of one row: its place in the row (0 is the ECS path itself) and its leaf.
type Best = Option<(u8, usize)>;

/// Moves aliases to their ECS paths and reads time and level.
pub(super) fn resolve(event: &mut Event) -> Found {
    let mut best: [Best; ALIASES.len()] = [None; ALIASES.len()];
    let mut found = Found::default();
    let mut level = None;
    for (at, leaf) in event.leaves.iter().enumerate() {
        let Some(name) = lookup(event.path(leaf)) else { continue };
        let (Some(alias), Some(best)) = (ALIASES.get(name.row), best.get_mut(name.row)) else { continue };
        if leaf.value == Stored::Null || best.is_some_and(|(rank, _)| rank <= name.rank) {
            continue;
        }
        let value = event.load(leaf.value);
        let is_accepted = match alias.accepts {
            Accepts::Time => {
                let read = read_time(value);
                found.timestamp = if read.is_some() || name.rank == 0 { read } else { found.timestamp };
                read.is_some()
            }
            Accepts::Level => {
                let read = read_level(value);
                level = if read.is_some() || name.rank == 0 { read } else { level };
                read.is_some()
            }
            Accepts::Text | Accepts::Id => matches!(value, Value::Text(_)),
            Accepts::Int => matches!(value, Value::Int(_)),
        };
        if is_accepted || name.rank == 0 {
            *best = Some((name.rank, at));
        }
    }
    for (alias, best) in ALIASES.iter().zip(best) {
        let Some((rank, leaf)) = best else { continue };
        if rank > 0 {
            rename(event, leaf, alias);
        }
        match alias.accepts {
            Accepts::Level => event.set_level(leaf, level),
            Accepts::Id => found.id = Some(leaf),
            _ => {}
        }
    }
    found
}

fn read_time(value: Value<'_>) -> Option<Timestamp> {
    match value {
        Value::Text(text) => moment::from_text(text),
        Value::Int(number) => moment::from_int(number),
        Value::Float(number) => moment::from_number(number),
        Value::Null | Value::Bool(_) => None,
    }
}

fn read_level(value: Value<'_>) -> Option<Level> {
    match value {
        Value::Text(word) => Level::parse(word),
        Value::Int(number) => Level::from_number(number),
        Value::Null | Value::Bool(_) | Value::Float(_) => None,
    }
}

/// Moves every value at the path of `leaf` to the row's ECS path; a null that stood there gives way.
fn rename(event: &mut Event, leaf: usize, alias: &Alias) {
    let is_certain = alias.beside.is_none_or(|path| event.value(path).is_some());
    let is_taken = event.values(alias.to).any(|value| value != Value::Null);
    let Some(from) = event.leaves.get(leaf).map(|leaf| leaf.path) else { return };
    if !is_certain || is_taken {
        return;
    }
    let to = event.store(alias.to);
    let Event { text, leaves, .. } = event;
    let at = |(start, end): (u32, u32)| text.as_bytes().get(start as usize..end as usize);
    for Leaf { path, value } in leaves.iter_mut() {
        if at(*path) == at(from) {
            *path = to;
        } else if *value == Stored::Null && at(*path) == at(to) {
            // The leaf stays, because others are named by their place; its value becomes the one that is moved.
            *path = from;
        }
    }
}

/// One name of the table: its row, and its place in it.
#[derive(Clone, Copy)]
struct Name {
    path: &'static str,
    row: usize,
    rank: u8,
}

const NAMES_LEN: usize = {
    let mut count = 0;
    let mut row = 0;
    while row < ALIASES.len() {
        count += 1 + ALIASES[row].from.len();
        row += 1;
    }
    count
};

/// Every name of the table, shortest first. Each leaf of each record is looked up, so a lookup compares only
/// the two or three names of its own length.
static NAMES: [Name; NAMES_LEN] = {
    let mut names = [Name { path: "", row: 0, rank: 0 }; NAMES_LEN];
    let mut filled = 0;
    let mut row = 0;
    while row < ALIASES.len() {
        let mut rank = 0;
        while rank <= ALIASES[row].from.len() {
            let path = if rank == 0 { ALIASES[row].to } else { ALIASES[row].from[rank - 1] };
            let mut at = filled;
            while at > 0 && names[at - 1].path.len() > path.len() {
                names[at] = names[at - 1];
                at -= 1;
            }
            names[at] = Name { path, row, rank: rank as u8 };
            filled += 1;
            rank += 1;
        }
        row += 1;
    }
    names
};

const LONGEST: usize = NAMES[NAMES_LEN - 1].path.len();

/// Where the names of each length start in [`NAMES`].
static STARTS: [usize; LONGEST + 2] = {
    let mut starts = [NAMES_LEN; LONGEST + 2];
    let mut at = NAMES_LEN;
    while at > 0 {
        at -= 1;
        starts[NAMES[at].path.len()] = at;
    }
    let mut len = LONGEST + 1;
    while len > 0 {
        len -= 1;
        if starts[len] == NAMES_LEN {
            starts[len] = starts[len + 1];
        }
    }
    starts
};

fn lookup(path: &[u8]) -> Option<&'static Name> {
    let start = *STARTS.get(path.len())?;
    let end = *STARTS.get(path.len() + 1)?;
    NAMES.get(start..end)?.iter().find(|name| name.path.as_bytes() == path)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn finds_every_name_of_the_table() {
        for (row, alias) in ALIASES.iter().enumerate() {
            for from in alias.from {
                let name = lookup(from.as_bytes()).unwrap();
                assert_eq!((name.path, name.row), (*from, row), "a name may stand in one row only");
            }
            assert_eq!(lookup(alias.to.as_bytes()).map(|name| name.path), Some(alias.to));
        }
        for unknown in ["", "x", "message.text", "a.name.longer.than.any.in.the.table.of.aliases"] {
            assert!(lookup(unknown.as_bytes()).is_none(), "{unknown}");
        }
    }
}
