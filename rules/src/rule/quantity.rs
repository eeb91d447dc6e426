//! A number and how people write it.
//!
//! Enters: `85%`, `4GiB`, `500ms`, `42`. Leaves: the number in the field's own unit, and the unit to print it in.
//! Never: a guess; a span for a field whose name does not tell its unit is refused.

use std::fmt;
use std::time::Duration;

use serde::de::{self, Deserialize, Deserializer, Visitor};
use yaml::{ByteSize, Percent, Span};

/// A number with the unit that it is printed in.
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

/// What the end of a field's name tells about its numbers, in the words of ECS and of common log fields.
const SUFFIXES: [(&str, Unit); 17] = [
    ("event.duration", Unit::Nanoseconds),
    (".ns", Unit::Nanoseconds),
    ("_ns", Unit::Nanoseconds),
    ("_nanos", Unit::Nanoseconds),
    (".us", Unit::Microseconds),
    ("_us", Unit::Microseconds),
    ("_micros", Unit::Microseconds),
    (".ms", Unit::Milliseconds),
    ("_ms", Unit::Milliseconds),
    ("_millis", Unit::Milliseconds),
    (".sec", Unit::Seconds),
    ("_seconds", Unit::Seconds),
    (".pct", Unit::Percent),
    ("_pct", Unit::Percent),
    (".bytes", Unit::Bytes),
    ("_bytes", Unit::Bytes),
    ("memory.old.used", Unit::Bytes),
];

impl Unit {
    /// The unit that the name of `field` tells; [`Unit::Number`] when it tells none.
    #[must_use]
    pub fn of_field(field: &str) -> Self {
        SUFFIXES.iter().find(|(suffix, _)| field.ends_with(suffix)).map_or(Unit::Number, |(_, unit)| *unit)
    }

    /// Writes `value` in this unit: `85.2%`, `3.5GiB`, `1m30s`, `42`.
    ///
    /// # Errors
    /// Those of the writer.
    pub fn write(self, value: f64, out: &mut dyn fmt::Write) -> fmt::Result {
        match self.nanoseconds() {
            Some(nanoseconds) => write_span(value * nanoseconds, out),
            None if self == Unit::Percent => write!(out, "{}%", rounded(value * 100.0)),
            None if self == Unit::Bytes => write_bytes(value, out),
            None => write!(out, "{}", rounded(value)),
        }
    }

    /// How long one of this unit is, when it measures time.
    const fn nanoseconds(self) -> Option<f64> {
        match self {
            Unit::Nanoseconds => Some(1.0),
            Unit::Microseconds => Some(1e3),
            Unit::Milliseconds => Some(1e6),
            Unit::Seconds => Some(1e9),
            Unit::Number | Unit::Percent | Unit::Bytes => None,
        }
    }
}

impl fmt::Display for Quantity {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.unit.write(self.value, out)
    }
}

/// Two decimals from 1 upwards, three significant digits below: a page is read at a glance.
fn rounded(value: f64) -> f64 {
    let magnitude = value.abs();
    if magnitude >= 1e15 || magnitude == 0.0 || !magnitude.is_finite() {
        return value;
    }
    let decimals = if magnitude >= 1.0 { 2 } else { 3 - magnitude.log10().ceil() as i32 };
    let scale = 10_f64.powi(decimals.min(300));
    (value * scale).round() / scale
}

fn write_bytes(value: f64, out: &mut dyn fmt::Write) -> fmt::Result {
    const PREFIXES: [(&str, f64); 5] = [
        ("PiB", 1_125_899_906_842_624.0),
        ("TiB", 1_099_511_627_776.0),
        ("GiB", 1_073_741_824.0),
        ("MiB", 1_048_576.0),
        ("KiB", 1024.0),
    ];
    let (name, size) = PREFIXES.into_iter().find(|(_, size)| value.abs() >= *size).unwrap_or(("B", 1.0));
    write!(out, "{}{name}", rounded(value / size))
}

/// Three digits below a minute (`1.23s`), whole seconds above (`1h30m5s`).
fn write_span(nanoseconds: f64, out: &mut dyn fmt::Write) -> fmt::Result {
    let magnitude = nanoseconds.abs();
    let sign = if nanoseconds < 0.0 { "-" } else { "" };
    let (name, size) = match magnitude {
        _ if magnitude >= 60e9 => {
            let seconds = (magnitude / 1e9).round();
            let whole = Duration::try_from_secs_f64(seconds).unwrap_or(Duration::MAX);
            return write!(out, "{sign}{}", Span(whole));
        }
        _ if magnitude >= 1e9 || magnitude == 0.0 => ("s", 1e9),
        _ if magnitude >= 1e6 => ("ms", 1e6),
        _ if magnitude >= 1e3 => ("us", 1e3),
        _ => ("ns", 1.0),
    };
    write!(out, "{}{name}", rounded(nanoseconds / size))
}

/// A number as it stands in a rule, before its field has told the unit.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Written {
    Number(f64),
    Percent(f64),
    Bytes(f64),
    Span(Duration),
}

impl Written {
    /// The number that values of `field` compare with.
    ///
    /// # Errors
    /// What to write instead, when the field's name does not tell how a span compares to its numbers.
    pub(crate) fn in_field(self, field: &str) -> Result<Quantity, String> {
        let unit = Unit::of_field(field);
        Ok(match self {
            Written::Number(value) => Quantity { value, unit },
            Written::Percent(value) => Quantity { value, unit: Unit::Percent },
            Written::Bytes(value) => Quantity { value, unit: Unit::Bytes },
            Written::Span(span) => match unit.nanoseconds() {
                Some(nanoseconds) => Quantity { value: span.as_secs_f64() * 1e9 / nanoseconds, unit },
                None => {
                    return Err(format!(
                        "`{field}` does not tell its unit of time, as `event.duration` or a name that ends in `_ms` \
                         does: write a plain number in that field's unit"
                    ));
                }
            },
        })
    }
}

struct WrittenVisitor;

impl Visitor<'_> for WrittenVisitor {
    type Value = Written;

    fn expecting(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("a number such as 42, 85%, 4GiB or 500ms")
    }

    fn visit_i64<E: de::Error>(self, number: i64) -> Result<Written, E> {
        self.visit_str(&number.to_string())
    }

    fn visit_u64<E: de::Error>(self, number: u64) -> Result<Written, E> {
        self.visit_str(&number.to_string())
    }

    fn visit_f64<E: de::Error>(self, number: f64) -> Result<Written, E> {
        if number.is_finite() {
            Ok(Written::Number(number))
        } else {
            Err(E::custom("a limit is a finite number"))
        }
    }

    fn visit_str<E: de::Error>(self, text: &str) -> Result<Written, E> {
        if let Ok(number) = text.parse::<f64>() {
            return self.visit_f64(number);
        }
        if text.ends_with('%') {
            let (sign, share) = text.strip_prefix('-').map_or((1.0, text), |share| (-1.0, share));
            return share.parse().map(|Percent(share)| Written::Percent(sign * share)).map_err(E::custom);
        }
        if text.ends_with('B') {
            #[expect(clippy::cast_precision_loss, reason = "limits of more than 8 PiB lose single bytes")]
            return text.parse().map(|ByteSize(bytes)| Written::Bytes(bytes as f64)).map_err(E::custom);
        }
        match text.parse() {
            Ok(Span(span)) => Ok(Written::Span(span)),
            Err(_) => Err(E::custom(format!(
                "`{text}` is not a limit: write a number such as 42, 85%, 4GiB or 500ms"
            ))),
        }
    }
}

impl<'de> Deserialize<'de> for Written {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(WrittenVisitor)
    }
}

impl schemars::JsonSchema for Written {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Limit".into()
    }

    fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
        schemars::json_schema!({
            "description": "A number, also as a share (85%), a size (4GiB) or a span (500ms).",
            "type": ["number", "string"],
            "examples": [42, "85%", "4GiB", "500ms"]
        })
    }
}

#[cfg(test)]
mod test {
    use serde::de::IntoDeserializer;
    use serde::de::value::{Error, StrDeserializer};

    use super::{Deserialize, Unit, Written};

    #[test]
    fn units_print_at_a_glance() {
        let cases = [
            (Unit::Number, 42.0, "42"),
            (Unit::Number, 1234.5678, "1234.57"),
            (Unit::Number, 0.000_123_456, "0.000123"),
            (Unit::Number, -0.5, "-0.5"),
            (Unit::Number, 0.0, "0"),
            (Unit::Percent, 0.05, "5%"),
            (Unit::Percent, 0.8617, "86.17%"),
            (Unit::Percent, 0.07, "7%"),
            (Unit::Bytes, 512.0, "512B"),
            (Unit::Bytes, 3_758_096_384.0, "3.5GiB"),
            (Unit::Nanoseconds, 1_234_567_890.0, "1.23s"),
            (Unit::Nanoseconds, 523_400_000.0, "523.4ms"),
            (Unit::Microseconds, 12.0, "12us"),
            (Unit::Milliseconds, 90_000.0, "1m30s"),
            (Unit::Seconds, 0.0, "0s"),
            (Unit::Seconds, 5400.4, "1h30m"),
        ];
        for (unit, value, expected) in cases {
            let mut text = String::new();
            unit.write(value, &mut text).unwrap();
            assert_eq!(text, expected, "{unit:?} {value}");
        }
    }

    #[test]
    fn limits_read_in_the_unit_of_their_field() {
        let read = |text: &str, field: &str| {
            let text: StrDeserializer<'_, Error> = text.into_deserializer();
            let written = Written::deserialize(text).map_err(|error| error.to_string())?;
            written.in_field(field).map(|quantity| format!("{} {:?}", quantity.value, quantity.unit))
        };
        let cases = [
            ("85%", "jvm.memory.old.used_pct", "0.85 Percent"),
            ("0.85", "jvm.memory.old.used_pct", "0.85 Percent"),
            ("85", "queue.length", "85 Number"),
            ("-3.5", "balance", "-3.5 Number"),
            ("4GiB", "process.memory", "4294967296 Bytes"),
            ("1.5e3", "x", "1500 Number"),
            ("500ms", "event.duration", "500000000 Nanoseconds"),
            ("500ms", "monitor.duration.us", "500000 Microseconds"),
            ("2s", "labels.took_ms", "2000 Milliseconds"),
        ];
        for (text, field, expected) in cases {
            assert_eq!(read(text, field).as_deref(), Ok(expected), "{text} {field}");
        }
        for (text, field) in
            [("500ms", "labels.took"), ("inf", "x"), ("NaN", "x"), ("many", "x"), ("", "x"), ("5 %", "x")]
        {
            assert!(read(text, field).is_err(), "{text} {field}");
        }
    }
}
