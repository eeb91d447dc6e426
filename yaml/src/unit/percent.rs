//! Shares of a whole.

use std::fmt;
use std::str::FromStr;

use super::{UnitError, quoted, written_as_text};

/// A share, held as a fraction: `5%` and `0.05` are the same. A percentage may be above 100 %; a number without `%`
/// is refused above 1, because `5` would be one that nobody means.
#[derive(Debug, Clone, Copy, PartialEq, PartialOrd, Default)]
pub struct Percent(pub f64);

const EXAMPLES: &str = "write a percentage such as 5%, or a fraction from 0 to 1 such as 0.05";

impl Percent {
    /// `text` is what the fraction was written as.
    fn from_fraction(fraction: f64, text: &str) -> Result<Self, UnitError> {
        let wrong = |what: &str| UnitError(format!("{} {what}: {EXAMPLES}", quoted(text)));
        if fraction > 1.0 {
            return Err(wrong("has no % and is more than the whole"));
        }
        if fraction < 0.0 || !fraction.is_finite() {
            return Err(wrong("is not a share"));
        }
        Ok(Percent(fraction))
    }
}

impl FromStr for Percent {
    type Err = UnitError;

    fn from_str(text: &str) -> Result<Self, UnitError> {
        let wrong = || UnitError(format!("{} is not a share: {EXAMPLES}", quoted(text)));
        let number = text.strip_suffix('%').unwrap_or(text);
        // Rust reads `inf`, `nan` and `1e3` too; a person writes digits and a point.
        if !number.bytes().all(|byte| byte.is_ascii_digit() || byte == b'.') {
            return Err(wrong());
        }
        if text.ends_with('%') {
            // Shifting the point in the text keeps what is written: 7% is the f64 nearest to 0.07, not 7.0 / 100.0.
            let fraction: f64 = format!("{number}e-2").parse().map_err(|_| wrong())?;
            return if fraction.is_finite() { Ok(Percent(fraction)) } else { Err(wrong()) };
        }
        Percent::from_fraction(number.parse().map_err(|_| wrong())?, text)
    }
}

impl fmt::Display for Percent {
    /// As a percentage with as many digits as it needs: `5%`, `0.1%`; reads as the same share.
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let shifted = format!("{:?}e2", self.0).parse::<f64>().unwrap_or(self.0 * 100.0);
        if format!("{shifted}e-2").parse() == Ok(self.0) {
            write!(out, "{shifted}%")
        } else {
            write!(out, "{}", self.0)
        }
    }
}

struct Visitor;

impl serde::de::Visitor<'_> for Visitor {
    type Value = Percent;

    fn expecting(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("a share such as 5% or 0.05")
    }

    fn visit_str<E: serde::de::Error>(self, text: &str) -> Result<Percent, E> {
        text.parse().map_err(E::custom)
    }

    fn visit_f64<E: serde::de::Error>(self, fraction: f64) -> Result<Percent, E> {
        Percent::from_fraction(fraction, &fraction.to_string()).map_err(E::custom)
    }

    fn visit_u64<E: serde::de::Error>(self, whole: u64) -> Result<Percent, E> {
        self.visit_f64(whole as f64)
    }

    fn visit_i64<E: serde::de::Error>(self, whole: i64) -> Result<Percent, E> {
        self.visit_f64(whole as f64)
    }
}

written_as_text!(Percent, "Percent", deserialize_any, {
    "anyOf": [
        { "type": "number", "minimum": 0, "maximum": 1 },
        { "type": "string", "pattern": r"^([0-9]+(\.[0-9]+)?%|0?\.[0-9]+|[01])$" }
    ],
    "format": "share",
    "description": "a share such as 5% or 0.05"
});

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn reads_shares() {
        for (text, expected) in [
            ("5%", 0.05),
            ("0.05", 0.05),
            ("7%", 0.07),
            ("0.1%", 0.001),
            ("0", 0.0),
            ("1", 1.0),
            ("250%", 2.5),
        ] {
            assert_eq!(text.parse(), Ok(Percent(expected)), "{text}");
        }
    }

    #[test]
    fn refuses_what_is_no_share() {
        for (text, expected) in [
            ("5", "`5` has no % and is more than the whole"),
            ("1.01", "`1.01` has no % and is more than the whole"),
            ("-5%", "`-5%` is not a share"),
            ("5 %", "`5 %` is not a share"),
            ("five%", "`five%` is not a share"),
            ("%", "`%` is not a share"),
            ("", "`` is not a share"),
            ("nan", "`nan` is not a share"),
            ("inf", "`inf` is not a share"),
        ] {
            assert_eq!(text.parse::<Percent>().unwrap_err().to_string(), format!("{expected}: {EXAMPLES}"));
        }
    }

    #[test]
    fn numbers_are_fractions() {
        assert_eq!(serde_json::from_str::<Percent>("0.05").unwrap(), Percent(0.05));
        assert_eq!(serde_json::from_str::<Percent>("\"5%\"").unwrap(), Percent(0.05));
        assert!(serde_json::from_str::<Percent>("5").is_err());
        assert!(serde_json::from_str::<Percent>("-0.5").is_err());
    }

    proptest! {
        #[test]
        fn what_is_shown_is_read(fraction in 0.0f64..=1.0) {
            prop_assert_eq!(Percent(fraction).to_string().parse::<Percent>(), Ok(Percent(fraction)));
        }

        #[test]
        fn whole_percents_are_shown_as_written(percent in 0u32..=1000) {
            let text = format!("{percent}%");
            prop_assert_eq!(text.parse::<Percent>().unwrap().to_string(), text);
        }
    }
}
