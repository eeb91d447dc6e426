//! Python tracebacks, chained ones and exception groups too.
//!
//! Enters: the lines of a stream. Leaves: what each is in a traceback. Never: an end with the exception's own
//! line; a chain may follow it, so the record waits for the next line or the time-out.

use super::preset::Sign;

const FIRST: &[u8] = b"Traceback (most recent call last):";

/// Where in a traceback the stream stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) enum Python {
    /// In none.
    #[default]
    Outside,
    /// Among its frames; the next line that is not indented is the exception.
    Frames,
    /// Behind the exception; a sentence on the chain may follow.
    Raised,
    /// Behind that sentence; the next traceback belongs to the same record.
    Chained,
}

impl Python {
    /// A line that starts a record; a traceback may open in it.
    pub(super) fn begin(&mut self, line: &[u8]) {
        *self = if line.ends_with(FIRST) { Python::Frames } else { Python::Outside };
    }

    /// What `line` is.
    pub(super) fn read(&mut self, line: &[u8]) -> Sign {
        let is_first = line.ends_with(FIRST);
        let is_indented = line.starts_with(b" ") || line.starts_with(b"\t");
        match *self {
            Python::Chained if is_first => self.go(Python::Frames, Sign::Inside),
            Python::Frames if is_indented || line.is_empty() => Sign::Inside,
            _ if is_first => self.go(Python::Frames, Sign::Opens),
            Python::Frames => self.go(Python::Raised, Sign::Inside),
            Python::Raised if is_chain(line) => self.go(Python::Chained, Sign::Inside),
            Python::Raised | Python::Chained if line.is_empty() => Sign::Inside,
            _ => self.go(Python::Outside, Sign::Other),
        }
    }

    fn go(&mut self, next: Python, sign: Sign) -> Sign {
        *self = next;
        sign
    }
}

fn is_chain(line: &[u8]) -> bool {
    line.starts_with(b"During handling of the above exception")
        || line.starts_with(b"The above exception was")
}
