//! Bytes of unknown origin as text.
//!
//! Enters: bytes and a buffer that the caller reuses. Leaves: text, and whether it had to be repaired.
//! Never: a refusal, a copy of what is valid already.

/// Text, and whether bytes were replaced by U+FFFD to make it so; tag the record with
/// [`crate::tag::INVALID_UTF8`] then.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Repaired<'a> {
    /// The text: the bytes themselves, or the buffer.
    pub text: &'a str,
    /// True when it is not what the bytes were.
    pub is_repaired: bool,
}

/// Borrows `bytes` when they are UTF-8, else writes them to `buffer` with each broken sequence replaced, as
/// [`String::from_utf8_lossy`] does, but without an allocation for each call.
pub fn repair<'a>(bytes: &'a [u8], buffer: &'a mut String) -> Repaired<'a> {
    if let Ok(text) = std::str::from_utf8(bytes) {
        return Repaired { text, is_repaired: false };
    }
    buffer.clear();
    for chunk in bytes.utf8_chunks() {
        buffer.push_str(chunk.valid());
        if !chunk.invalid().is_empty() {
            buffer.push(char::REPLACEMENT_CHARACTER);
        }
    }
    Repaired { text: buffer, is_repaired: true }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn repairs_as_the_standard_library_does(bytes in proptest::collection::vec(any::<u8>(), 0..64)) {
            let mut buffer = String::from("left over");
            let repaired = repair(&bytes, &mut buffer);
            prop_assert_eq!(repaired.text, &*String::from_utf8_lossy(&bytes));
            prop_assert_eq!(repaired.is_repaired, std::str::from_utf8(&bytes).is_err());
        }
    }
}
