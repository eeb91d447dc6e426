//! Java, Kotlin and Scala; the frames of .NET and Node.js look alike.
//!
//! Enters: a line that is no first line of a record. Leaves: what it is in a stack trace. Never: state; each
//! line of such a trace says by itself what it is.

use super::preset::Sign;
use super::throwable::is_throwable;

/// What `line` is.
pub(super) fn read(line: &[u8]) -> Sign {
    let inner = line.trim_ascii_start();
    let starts = |words: &[&[u8]]| words.iter().any(|word| inner.starts_with(word));
    let is_frame = inner.len() < line.len()
        && (inner.strip_prefix(b"at ").is_some_and(is_place)
            || starts(&[b"--- End of ", b"[CIRCULAR REFERENCE:"]));
    let is_part = starts(&[b"Caused by: ", b"Suppressed: ", b"Wrapped by: ", b"nested exception is:"]);
    if is_frame || is_part || is_omission(inner) {
        Sign::Inside
    } else if line.starts_with(b"Exception in thread \"") {
        Sign::Alone
    } else if is_throwable(line) {
        Sign::Opens
    } else {
        Sign::Other
    }
}

/// `a.B.c(B.java:1)`, `next (/app/a.js:1:2)`, `/app/a.js:1:2`, `A.B()`: what stands behind the `at` of a frame, and not
/// the rest of a sentence.
pub(super) fn is_place(rest: &[u8]) -> bool {
    let word = rest.rsplit(|byte| *byte == b' ').next().unwrap_or_default();
    memchr::memchr(b'(', rest).is_some()
        || (word.len() == rest.len() && !word.is_empty())
        || (word.last().is_some_and(u8::is_ascii_digit) && memchr::memchr(b':', word).is_some())
}

/// `... 7 more`, `... 7 common frames omitted`, `... 4 lines matching cause stack trace ...`.
fn is_omission(inner: &[u8]) -> bool {
    inner
        .strip_prefix(b"... ")
        .is_some_and(|rest| rest.first().is_some_and(u8::is_ascii_digit) || rest.starts_with(b"suppressed "))
}

#[cfg(test)]
mod test {
    use super::*;

    #[test]
    fn lines() {
        for (line, expected) in [
            ("\tat a.B.c(B.java:1)", Sign::Inside),
            ("\tat java.base/a.B.c(Native Method)", Sign::Inside),
            ("    at async /app/a.js:1:2", Sign::Inside),
            ("     ... 1 more", Sign::Inside),
            ("\t... 12 common frames omitted", Sign::Inside),
            ("Caused by: a.B: no", Sign::Inside),
            ("\tSuppressed: a.B: no", Sign::Inside),
            ("   --- End of inner exception stack trace ---", Sign::Inside),
            ("Exception in thread \"main\" a.B: no", Sign::Alone),
            ("java.lang.IllegalStateException: no", Sign::Opens),
            ("java.lang.OutOfMemoryError", Sign::Opens),
            ("at noon", Sign::Other),
            ("  at noon we met", Sign::Other),
            ("  at 10:30 we met", Sign::Other),
            ("... and so on", Sign::Other),
            ("an Exceptional case", Sign::Other),
            ("  indented", Sign::Other),
            ("  ", Sign::Other),
            ("", Sign::Other),
        ] {
            assert_eq!(read(line.as_bytes()), expected, "{line:?}");
        }
    }
}
