//! Windows by a field of the records.
//!
//! Enters: a record as KQL sees it. Leaves: whether it is kept. A record without the field is: a name that was not
//! written right must not lose anything.

use std::time::Duration;

use event::{Timestamp, Value};
use kql::Document;
use xxhash_rust::xxh3::xxh3_128;

use super::field::NAME_BYTES_MAX;
use super::view::View;
use super::window::{KEYS_MAX, Windows};

/// Bytes of a key that a summary shows.
pub const KEY_BYTES_MAX: usize = 256;

/// The state of `rate_limit` and `dedupe`.
#[derive(Debug)]
pub(super) struct Keyed {
    /// The field; without one, all records have one key.
    pub field: Option<String>,
    pub windows: Windows,
}

impl Keyed {
    pub(super) fn new(field: Option<String>, span: Duration, max: u64) -> Self {
        Keyed { field, windows: Windows::new(span, max, KEYS_MAX) }
    }

    /// Is the record kept?
    pub(super) fn handle(&mut self, view: &View<'_, '_>, now: Timestamp) -> bool {
        let field = self.field.as_deref();
        let Some(key) = field.map_or(Some(0), |field| hash(view, field)) else { return true };
        self.windows
            .handle(key, view.timestamp(), now, || field.map_or_else(String::new, |field| text(view, field)))
    }
}

/// Finds what cannot be a field's name.
pub(super) fn check(field: &str) -> Result<(), String> {
    let is_odd = field.is_empty() || field.contains(|c: char| c.is_whitespace() || c == '*');
    if is_odd || field.len() > NAME_BYTES_MAX {
        return Err(format!("`key` is `{field}`: write one dotted name, such as `service.name`"));
    }
    Ok(())
}

/// Keys are compared by 128 bits, so that a long message costs no copy.
fn hash(view: &View<'_, '_>, field: &str) -> Option<u128> {
    let mut found = None;
    view.any(|path, value| {
        if path == field {
            found = match value {
                Value::Null => None,
                Value::Bool(truth) => Some(xxh3_128(&[u8::from(truth)])),
                Value::Int(number) => Some(xxh3_128(&number.to_le_bytes())),
                Value::Float(number) => Some(xxh3_128(&number.to_le_bytes())),
                Value::Text(text) => Some(xxh3_128(text.as_bytes())),
            };
        }
        found.is_some()
    });
    found
}

fn text(view: &View<'_, '_>, field: &str) -> String {
    let mut found = String::new();
    view.any(|path, value| {
        let is_here = path == field && value != Value::Null;
        if is_here {
            found = match value {
                Value::Null => String::new(),
                Value::Bool(truth) => truth.to_string(),
                Value::Int(number) => number.to_string(),
                Value::Float(number) => number.to_string(),
                Value::Text(text) => {
                    text.get(..text.floor_char_boundary(KEY_BYTES_MAX)).unwrap_or(text).to_owned()
                }
            };
        }
        is_here
    });
    found
}
