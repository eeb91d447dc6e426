//! The first line of a stack trace, where it names what was thrown.
//!
//! Enters: a line. Leaves: whether it names an exception or error. Never: state.

/// A word that ends in `Exception`, `Error` or `Throwable`, perhaps with something in brackets behind it, and then a
/// colon or the line's end: `java.io.IOException: no`, `SocketException (111): refused`, `TypeError [ERR_X]: no`,
/// `NoMethodError (undefined):`. Searched from the colons: searches for the words cost more than all the rest of the
/// joining.
pub(super) fn is_throwable(line: &[u8]) -> bool {
    is_named(line)
        || memchr::memchr_iter(b':', line).any(|colon| is_named(line.get(..colon).unwrap_or_default()))
}

fn is_named(before: &[u8]) -> bool {
    let names: [&[u8]; 3] = [b"Exception", b"Error", b"Throwable"];
    let open: &[u8] = match before.last() {
        Some(b')') => b" (",
        Some(b']') => b" [",
        _ => return names.iter().any(|name| before.ends_with(name)),
    };
    let word = memchr::memmem::find(before, open).and_then(|open| before.get(..open)).unwrap_or_default();
    names.iter().any(|name| word.ends_with(name))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines() {
        for (line, expected) in [
            ("java.lang.IllegalStateException: no", true),
            ("java.lang.OutOfMemoryError", true),
            ("System.Net.Sockets.SocketException (111): Connection refused", true),
            ("TypeError [ERR_INVALID_ARG_TYPE]: no", true),
            ("NoMethodError (undefined method `x' for #<Y>):", true),
            ("09:30 handler: RuntimeException: no", true),
            ("an Exceptional case", false),
            ("1: (2): [3]", false),
            ("", false),
        ] {
            assert_eq!(is_throwable(line.as_bytes()), expected, "{line:?}");
        }
    }
}
