//! Java, Kotlin and Scala; C# and Node, whose frames look alike.
//!
//! Enters: a line that is no first line of a record. Leaves: what it is in a stack trace. Never: state; each
//! line of such a trace says by itself what it is.

use super::preset::Sign;

/// What `line` is.
pub(super) fn read(line: &[u8]) -> Sign {
    let inner = line.trim_ascii_start();
    let is_indented = inner.len() < line.len();
    let starts = |words: &[&[u8]]| words.iter().any(|word| inner.starts_with(word));
    let is_frame = is_indented && (starts(&[b"at ", b"--- ", b"["]) || inner.is_empty());
    if is_frame || starts(&[b"Caused by: ", b"Suppressed: ", b"Wrapped by: ", b"... "]) {
        Sign::Inside
    } else if line.starts_with(b"Exception in thread \"") {
        Sign::Alone
    } else if is_throwable(line) {
        Sign::Opens
    } else {
        Sign::Other
    }
}

/// A word that ends in `Exception`, `Error` or `Throwable` with a colon or the line's end behind it. Searched
/// from the colons: three searches for the words cost more than all the rest of the joining.
fn is_throwable(line: &[u8]) -> bool {
    let names: [&[u8]; 3] = [b"Exception", b"Error", b"Throwable"];
    let is_named = |before: &[u8]| names.iter().any(|name| before.ends_with(name));
    is_named(line) || memchr::memchr_iter(b':', line).any(|colon| is_named(&line[..colon]))
}

#[cfg(test)]
mod test {
    use super::*;

    #[test]
    fn lines() {
        for (line, expected) in [
            ("\tat a.B.c(B.java:1)", Sign::Inside),
            ("     ... 1 more", Sign::Inside),
            ("Caused by: a.B: no", Sign::Inside),
            ("\tSuppressed: a.B: no", Sign::Inside),
            ("Exception in thread \"main\" a.B: no", Sign::Alone),
            ("java.lang.IllegalStateException: no", Sign::Opens),
            ("java.lang.OutOfMemoryError", Sign::Opens),
            ("at noon", Sign::Other),
            ("an Exceptional case", Sign::Other),
            ("  indented", Sign::Other),
            ("", Sign::Other),
        ] {
            assert_eq!(read(line.as_bytes()), expected, "{line:?}");
        }
    }
}
