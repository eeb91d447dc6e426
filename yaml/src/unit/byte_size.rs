//! Sizes in bytes.

use std::fmt;
use std::str::FromStr;

use super::{UnitError, quoted, written_as_text};

/// A size in bytes such as `64KiB`, `1MB`, `2GiB` or a plain number of bytes.
/// `KiB`, `MiB`, `GiB`, `TiB` are powers of 1024; `kB` or `KB`, `MB`, `GB`, `TB` are powers of 1000; `B` is one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct ByteSize(pub u64);

/// Units; the binary ones from large to small, because they are shown.
const BINARY: [(&str, u64); 4] = [("TiB", 1 << 40), ("GiB", 1 << 30), ("MiB", 1 << 20), ("KiB", 1 << 10)];
const DECIMAL: [(&str, u64); 7] = [
    ("TB", 1_000_000_000_000),
    ("GB", 1_000_000_000),
    ("MB", 1_000_000),
    ("KB", 1_000),
    ("kB", 1_000),
    ("B", 1),
    ("", 1),
];
const EXAMPLES: &str = "write a whole number of bytes, or one with a unit, such as 64KiB, 1MB or 2GiB";

impl FromStr for ByteSize {
    type Err = UnitError;

    fn from_str(text: &str) -> Result<Self, UnitError> {
        let wrong = |what: &str| UnitError(format!("{} {what}: {EXAMPLES}", quoted(text)));
        let digits = text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len());
        let (number, unit) = text.split_at(digits);
        let Some((_, bytes)) = BINARY.iter().chain(&DECIMAL).find(|(name, _)| *name == unit) else {
            return Err(wrong("is not a size"));
        };
        if number.is_empty() {
            return Err(wrong("is not a size"));
        }
        let product = number.parse::<u64>().ok().and_then(|number| number.checked_mul(*bytes));
        product.map(ByteSize).ok_or_else(|| wrong("is larger than 16 EiB"))
    }
}

impl fmt::Display for ByteSize {
    /// In the largest binary unit that leaves a whole number: `64KiB`, else in bytes: `1000`.
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match BINARY.iter().find(|(_, bytes)| self.0 >= *bytes && self.0.is_multiple_of(*bytes)) {
            Some((name, bytes)) => write!(out, "{}{name}", self.0 / bytes),
            None => write!(out, "{}", self.0),
        }
    }
}

struct Visitor;

impl serde::de::Visitor<'_> for Visitor {
    type Value = ByteSize;

    fn expecting(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("a size such as 64KiB, 1MB, 2GiB, or a number of bytes")
    }

    fn visit_str<E: serde::de::Error>(self, text: &str) -> Result<ByteSize, E> {
        text.parse().map_err(E::custom)
    }

    fn visit_u64<E: serde::de::Error>(self, bytes: u64) -> Result<ByteSize, E> {
        Ok(ByteSize(bytes))
    }

    fn visit_i64<E: serde::de::Error>(self, bytes: i64) -> Result<ByteSize, E> {
        bytes.to_string().parse().map_err(E::custom)
    }

    fn visit_f64<E: serde::de::Error>(self, bytes: f64) -> Result<ByteSize, E> {
        bytes.to_string().parse().map_err(E::custom)
    }
}

written_as_text!(ByteSize, "ByteSize", deserialize_any, {
    "anyOf": [
        { "type": "integer", "minimum": 0 },
        { "type": "string", "pattern": "^[0-9]+(B|KB|kB|MB|GB|TB|KiB|MiB|GiB|TiB)?$" }
    ],
    "format": "size",
    "description": "a size such as 64KiB, 1MB, 2GiB, or a number of bytes"
});

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn reads_sizes() {
        for (text, expected) in [
            ("0", 0),
            ("1000", 1000),
            ("12B", 12),
            ("64KiB", 65_536),
            ("1MB", 1_000_000),
            ("1kB", 1000),
            ("1KB", 1000),
            ("2GiB", 2_147_483_648),
            ("1TiB", 1_099_511_627_776),
        ] {
            assert_eq!(text.parse(), Ok(ByteSize(expected)), "{text}");
        }
    }

    #[test]
    fn refuses_what_is_no_size() {
        for (text, expected) in [
            ("", "`` is not a size"),
            ("KiB", "`KiB` is not a size"),
            ("64 KiB", "`64 KiB` is not a size"),
            ("64kib", "`64kib` is not a size"),
            ("1.5MB", "`1.5MB` is not a size"),
            ("-1", "`-1` is not a size"),
            ("99999999TiB", "`99999999TiB` is larger than 16 EiB"),
        ] {
            assert_eq!(text.parse::<ByteSize>().unwrap_err().to_string(), format!("{expected}: {EXAMPLES}"));
        }
    }

    #[test]
    fn shows_whole_binary_units() {
        for (bytes, expected) in
            [(0, "0"), (1000, "1000"), (1024, "1KiB"), (1_048_576, "1MiB"), (1536, "1536")]
        {
            assert_eq!(ByteSize(bytes).to_string(), expected);
        }
    }

    #[test]
    fn a_number_is_bytes() {
        assert_eq!(serde_json::from_str::<ByteSize>("1000").unwrap(), ByteSize(1000));
        assert_eq!(serde_json::from_str::<ByteSize>("\"1KiB\"").unwrap(), ByteSize(1024));
    }

    proptest! {
        #[test]
        fn what_is_shown_is_read(bytes in prop_oneof![any::<u64>(), (0u64..5000).prop_map(|n| n << 20)]) {
            prop_assert_eq!(ByteSize(bytes).to_string().parse::<ByteSize>(), Ok(ByteSize(bytes)));
        }

        #[test]
        fn any_text_is_read_or_refused(text in "[0-9]{0,22}[a-zA-Z]{0,3}.{0,2}") {
            if let Ok(size) = text.parse::<ByteSize>() {
                prop_assert_eq!(size.to_string().parse::<ByteSize>(), Ok(size));
            }
        }
    }
}
