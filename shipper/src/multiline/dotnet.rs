//! .NET: stack traces with inner exceptions, and the console log of `Microsoft.Extensions.Logging`.
//!
//! Enters: the lines of a stream. Leaves: what each is in a trace or in a console record. Never: an empty line, but
//! for the one that .NET writes behind each inner exception of several.
//!
//! ```text
//! fail: Shop.Checkout[0]
//!       An unhandled exception has occurred.
//!       System.AggregateException: One or more errors occurred. (no stock)
//!        ---> System.Exception: no stock
//!          at Shop.Buy(Int32 id) in /src/Shop.cs:line 7
//!          --- End of inner exception stack trace ---
//! ```

use super::java::is_place;
use super::preset::Sign;
use super::throwable::is_throwable;

/// What the console log puts before every line of a message but the first.
const INDENT: &[u8] = b"      ";

/// Where in a trace the stream stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct Dotnet {
    /// The record began with a line of the console log.
    is_console: bool,
    /// The line before this one ended an inner exception; an empty one belongs to it.
    has_ended: bool,
    /// The line before this one said that an exception follows.
    is_announced: bool,
}

impl Dotnet {
    /// A line that starts a record.
    pub(super) fn begin(&mut self) {
        *self = Dotnet::default();
    }

    /// What `line` is.
    pub(super) fn read(&mut self, line: &[u8]) -> Sign {
        let before = std::mem::take(self);
        let inner = line.trim_ascii_start();
        let is_indented = inner.len() < line.len();
        let starts = |words: &[&[u8]]| words.iter().any(|word| line.starts_with(word));
        if starts(&[b"trce: ", b"dbug: ", b"info: ", b"warn: ", b"fail: ", b"crit: "]) && line.ends_with(b"]")
        {
            self.is_console = true;
            return Sign::Alone;
        }
        if starts(&[b"Unhandled exception", b"Unhandled Exception", "未经处理的异常".as_bytes()]) {
            self.is_announced = true;
            return Sign::Alone;
        }
        let is_part = (before.is_console && line.starts_with(INDENT))
            || (before.has_ended && line.is_empty())
            || (is_indented && is_frame(inner))
            || is_joint(inner);
        if is_part {
            self.is_console = before.is_console;
            self.has_ended = line.ends_with(b"<---");
            return Sign::Inside;
        }
        match is_throwable(line) {
            true if before.is_announced => Sign::Inside,
            true => Sign::Opens,
            false => Sign::Other,
        }
    }
}

/// `at A.B(C d) in /src/A.cs:line 7`, in the two languages that .NET Framework is met in.
fn is_frame(inner: &[u8]) -> bool {
    inner.strip_prefix(b"at ").is_some_and(is_place)
        || (inner.starts_with("在 ".as_bytes()) && memchr::memchr(b'(', inner).is_some())
}

/// `---> System.Exception: inner`, `--- End of inner exception stack trace ---`.
fn is_joint(inner: &[u8]) -> bool {
    inner.starts_with(b"---> ") || (inner.starts_with(b"--- ") && inner.ends_with(b" ---"))
}
