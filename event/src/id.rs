//! Names that stay: the id of a stream, and the id of an event in it.
//!
//! Enters: what identifies one generation of one file (or one probe). Leaves: ids that are the same for ever.

use std::fmt;
use std::str::FromStr;

/// One generation of one file on one host, or one probe of one host. 128 bits, written as 32 hex digits.
/// The Kafka key is this text, so a stream's records keep their order in one partition.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct StreamId(u128);

/// Text that is no id.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is not an id: a stream is 32 hex digits, an event is a stream, a dash and a decimal offset")]
pub struct IdError(pub String);

impl StreamId {
    /// Derives the id from the parts that name the stream; the same parts give the same id for ever, even
    /// when the registry was lost. Parts are length-prefixed, so that `["ab", "c"]` and `["a", "bc"]` differ.
    #[must_use]
    pub fn derive(parts: &[&[u8]]) -> Self {
        let mut hasher = xxhash_rust::xxh3::Xxh3::new();
        for part in parts {
            hasher.update(&(part.len() as u64).to_le_bytes());
            hasher.update(part);
        }
        StreamId(hasher.digest128())
    }

    /// The 128 bits.
    #[must_use]
    pub const fn as_u128(self) -> u128 {
        self.0
    }

    /// From the 128 bits.
    #[must_use]
    pub const fn from_u128(bits: u128) -> Self {
        StreamId(bits)
    }

    /// The 32 lower-case hex digits, without an allocation.
    #[must_use]
    pub fn hex(self) -> [u8; 32] {
        const DIGITS: &[u8; 16] = b"0123456789abcdef";
        let mut text = [0; 32];
        for (at, digit) in text.iter_mut().enumerate() {
            *digit = DIGITS[(self.0 >> (124 - 4 * at)) as usize & 15];
        }
        text
    }
}

impl fmt::Display for StreamId {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{:032x}", self.0)
    }
}

impl FromStr for StreamId {
    type Err = IdError;

    fn from_str(text: &str) -> Result<Self, IdError> {
        let is_hex = text.len() == 32 && text.bytes().all(|byte| byte.is_ascii_hexdigit());
        let wrong = || IdError(text.chars().take(64).collect());
        if !is_hex {
            return Err(wrong());
        }
        u128::from_str_radix(text, 16).map(StreamId).map_err(|_| wrong())
    }
}

/// `event.id`: the stream and the byte offset of the record's first byte (a probe counts its runs instead).
/// The same line has the same id for ever; Elasticsearch uses it as `_id`, the alerter to count once.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct EventId {
    /// The stream that the event belongs to.
    pub stream: StreamId,
    /// Where the event starts in it; grows along the stream.
    pub offset: u64,
}

impl fmt::Display for EventId {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{}-{}", self.stream, self.offset)
    }
}

impl FromStr for EventId {
    type Err = IdError;

    fn from_str(text: &str) -> Result<Self, IdError> {
        let wrong = || IdError(text.chars().take(64).collect());
        let (stream, offset) = text.split_once('-').ok_or_else(wrong)?;
        let stream = stream.parse()?;
        let offset = offset.parse().map_err(|_| wrong())?;
        Ok(EventId { stream, offset })
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn check(text: &str, is_id: bool) {
        assert_eq!(text.parse::<EventId>().is_ok(), is_id, "{text}");
    }

    #[test]
    fn reads_event_ids_only() {
        check("00000000000000000000000000000abc-42", true);
        check("ABCDEF00000000000000000000000000-0", true);
        check("00000000000000000000000000000abc-18446744073709551616", false);
        check("00000000000000000000000000000abc--1", false);
        check("00000000000000000000000000000abc", false);
        check("+0000000000000000000000000000abc-1", false);
        check("abc-1", false);
        check("", false);
    }

    #[test]
    fn the_same_parts_give_the_same_id_for_ever() {
        let id = StreamId::derive(&[b"web-1", b"/var/log/app.log", &7_u64.to_le_bytes()]);
        // A released id: a change here sends every line of every file again.
        assert_eq!(id.to_string(), "be946726cb9f958cc25f514f933fbb09");
        assert_ne!(StreamId::derive(&[b"ab", b"c"]), StreamId::derive(&[b"a", b"bc"]));
        assert_ne!(StreamId::derive(&[b"ab"]), StreamId::derive(&[b"ab", b""]));
    }

    proptest! {
        #[test]
        fn reads_back_what_it_wrote(bits in any::<u128>(), offset in any::<u64>()) {
            let id = EventId { stream: StreamId::from_u128(bits), offset };
            prop_assert_eq!(id.to_string().parse(), Ok(id));
            let hex = id.stream.hex();
            prop_assert_eq!(std::str::from_utf8(&hex).unwrap(), id.stream.to_string());
        }
    }
}
