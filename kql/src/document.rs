//! What a query is asked about.
//!
//! Enters: a record in whatever form its holder has it. Leaves: its time, and its values by path. Never: a conversion; a
//! shipper asks of fields that were not written yet, an alerter of a decoded event, and neither copies for it.

use event::{Event, Timestamp, Value};

/// A record that a [`Query`](crate::Query) can be asked about.
pub trait Document {
    /// `@timestamp`.
    fn timestamp(&self) -> Timestamp;

    /// Gives `test` each path and value, a path once for each of its values, until it says true. True when it did.
    fn any(&self, test: impl FnMut(&str, Value<'_>) -> bool) -> bool;
}

impl Document for Event {
    fn timestamp(&self) -> Timestamp {
        Event::timestamp(self)
    }

    fn any(&self, mut test: impl FnMut(&str, Value<'_>) -> bool) -> bool {
        self.iter().any(|(path, value)| test(path, value))
    }
}
