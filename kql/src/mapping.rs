//! How a field's text compares, as Elasticsearch would have mapped the field.
//!
//! Enters: a path. Leaves: one of four kinds. Never: an event; numbers and truth values tell their kind themselves.

/// How the text in a field compares.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    /// As a whole, exactly, case and all.
    Keyword,
    /// By its words, in any case.
    Text,
    /// As a moment.
    Date,
    /// As an address.
    Address,
}

/// The fields that are searched by words; every other text is a keyword.
const TEXTS: [&str; 4] = ["message", "error.message", "error.stack_trace", "event.original"];
/// The fields that hold moments: the dates of ECS that log shippers write.
const DATES: [&str; 6] =
    ["@timestamp", "event.created", "event.start", "event.end", "event.ingested", "process.start"];

/// The kind of the field at `path`. ECS calls every address `ip`.
pub(crate) fn kind(path: &str) -> Kind {
    if TEXTS.contains(&path) {
        Kind::Text
    } else if DATES.contains(&path) {
        Kind::Date
    } else if path == "ip" || path.ends_with(".ip") {
        Kind::Address
    } else {
        Kind::Keyword
    }
}

/// The field behind a multi-field: `message.keyword` is `message` as a keyword, `user.name.text` is `user.name` as text.
pub(crate) fn multi_field(path: &str) -> Option<(&str, Kind)> {
    let (parent, suffix) = path.rsplit_once('.')?;
    match suffix {
        "keyword" => Some((parent, Kind::Keyword)),
        "text" => Some((parent, Kind::Text)),
        _ => None,
    }
}
