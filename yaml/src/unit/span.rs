//! Spans of time.

use std::fmt;
use std::str::FromStr;
use std::time::Duration;

use super::{UnitError, quoted, written_as_text};

/// A span such as `500ms`, `10s`, `5m`, `1h30m`, `7d`: whole numbers with units from large to small.
/// Units are `w`, `d`, `h`, `m`, `s`, `ms`, `us`, `ns`; a number without one is refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Span(pub Duration);

/// Units from large to small, in nanoseconds.
const UNITS: [(&str, u64); 8] = [
    ("w", 604_800_000_000_000),
    ("d", 86_400_000_000_000),
    ("h", 3_600_000_000_000),
    ("m", 60_000_000_000),
    ("s", 1_000_000_000),
    ("ms", 1_000_000),
    ("us", 1_000),
    ("ns", 1),
];
const EXAMPLES: &str = "write a whole number and a unit, such as 500ms, 10s, 5m, 1h30m or 7d";

impl FromStr for Span {
    type Err = UnitError;

    fn from_str(text: &str) -> Result<Self, UnitError> {
        let wrong = |what: &str| UnitError(format!("{} {what}: {EXAMPLES}", quoted(text)));
        let (mut rest, mut total, mut units) = (text, 0u64, UNITS.as_slice());
        while !rest.is_empty() || text.is_empty() {
            let digits = rest.find(|c: char| !c.is_ascii_digit()).unwrap_or(rest.len());
            let (number, tail) = rest.split_at(digits);
            let letters = tail.find(|c: char| !c.is_ascii_alphabetic()).unwrap_or(tail.len());
            let (unit, tail) = tail.split_at(letters);
            if number.is_empty() {
                return Err(wrong("is not a span of time"));
            }
            if unit.is_empty() && tail.is_empty() {
                return Err(wrong("has no unit of time"));
            }
            let Some(at) = units.iter().position(|(name, _)| *name == unit) else {
                return Err(wrong("is not a span of time"));
            };
            let nanos = number.parse::<u64>().ok().and_then(|number| number.checked_mul(units[at].1));
            let sum = nanos.and_then(|nanos| total.checked_add(nanos));
            total = sum.ok_or_else(|| wrong("is longer than 584 years"))?;
            (rest, units) = (tail, &units[at + 1..]);
        }
        Ok(Span(Duration::from_nanos(total)))
    }
}

impl fmt::Display for Span {
    /// The shortest text that reads as the same span: `1h30m`, `0s`. Days are the largest unit.
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut rest = self.0.as_nanos();
        if rest == 0 {
            return out.write_str("0s");
        }
        for (name, nanos) in &UNITS[1..] {
            let count = rest / u128::from(*nanos);
            rest %= u128::from(*nanos);
            if count > 0 {
                write!(out, "{count}{name}")?;
            }
        }
        Ok(())
    }
}

struct Visitor;

impl serde::de::Visitor<'_> for Visitor {
    type Value = Span;

    fn expecting(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("a span of time such as 500ms, 10s, 5m, 1h30m or 7d")
    }

    fn visit_str<E: serde::de::Error>(self, text: &str) -> Result<Span, E> {
        text.parse().map_err(E::custom)
    }
}

written_as_text!(Span, "Span", deserialize_str, {
    "type": "string",
    "pattern": "^([0-9]+(w|d|h|m|s|ms|us|ns))+$",
    "format": "span",
    "description": "a span of time such as 500ms, 10s, 5m, 1h30m or 7d"
});

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn reads_spans() {
        let millis = |text: &str| text.parse::<Span>().unwrap().0.as_millis();
        for (text, expected) in [
            ("500ms", 500),
            ("10s", 10_000),
            ("5m", 300_000),
            ("1h30m", 5_400_000),
            ("7d", 604_800_000),
            ("1w", 604_800_000),
            ("0s", 0),
            ("1s500ms", 1_500),
            ("1000us", 1),
        ] {
            assert_eq!(millis(text), expected, "{text}");
        }
    }

    #[test]
    fn refuses_what_it_would_have_to_guess() {
        for (text, expected) in [
            ("10", "`10` has no unit of time"),
            ("1h30", "`1h30` has no unit of time"),
            ("", "`` is not a span of time"),
            ("s", "`s` is not a span of time"),
            ("10 s", "`10 s` is not a span of time"),
            ("1.5s", "`1.5s` is not a span of time"),
            ("-5m", "`-5m` is not a span of time"),
            ("30m1h", "`30m1h` is not a span of time"),
            ("5m5m", "`5m5m` is not a span of time"),
            ("10sec", "`10sec` is not a span of time"),
            ("999999999999d", "`999999999999d` is longer than 584 years"),
            ("99999999999999999999s", "`99999999999999999999s` is longer than 584 years"),
        ] {
            assert_eq!(text.parse::<Span>().unwrap_err().to_string(), format!("{expected}: {EXAMPLES}"));
        }
    }

    proptest! {
        #[test]
        fn what_is_shown_is_read(nanos in any::<u64>()) {
            let span = Span(Duration::from_nanos(nanos));
            prop_assert_eq!(span.to_string().parse::<Span>(), Ok(span));
        }

        #[test]
        fn any_text_is_read_or_refused(text in ".{0,20}") {
            if let Ok(span) = text.parse::<Span>() {
                prop_assert_eq!(span.to_string().parse::<Span>(), Ok(span));
            }
        }
    }
}
