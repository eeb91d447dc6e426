//! PHP: uncaught exceptions with their frames, chained ones, Laravel's records.
//!
//! Enters: the lines of a stream. Leaves: what each is in a trace. Never: an empty line as a part, but for the one
//! behind `{main}`, where a chained exception may follow.
//!
//! ```text
//! PHP Fatal error:  Uncaught RuntimeException: sold in /app/shop.php:3
//! Stack trace:
//! #0 /app/shop.php(7): sell()
//! #1 {main}
//!
//! Next LogicException: no stock in /app/shop.php:7
//! Stack trace:
//! #0 {main}
//!   thrown in /app/shop.php on line 7
//! ```

use super::preset::Sign;
use super::throwable::is_throwable;

/// Where in a trace the stream stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) enum Php {
    /// In none, or among frames, which say by themselves what they are.
    #[default]
    Outside,
    /// Behind the last frame.
    Main,
    /// Behind the empty line that parts chained exceptions.
    Parted,
}

impl Php {
    /// A line that starts a record.
    pub(super) fn begin(&mut self) {
        *self = Php::Outside;
    }

    /// What `line` is.
    pub(super) fn read(&mut self, line: &[u8]) -> Sign {
        let before = std::mem::take(self);
        let starts = |words: &[&[u8]]| words.iter().any(|word| line.starts_with(word));
        let inner = line.trim_ascii();
        match before {
            Php::Main if line.is_empty() => {
                *self = Php::Parted;
                return Sign::Inside;
            }
            Php::Main | Php::Parted if starts(&[b"Next ", b"[previous exception]", b"\"}"]) => {
                return Sign::Inside;
            }
            _ => {}
        }
        if is_frame(inner) {
            *self = if inner.ends_with(b"{main}") { Php::Main } else { Php::Outside };
            return Sign::Inside;
        }
        let is_title = [&b"Stack trace:"[..], b"[stacktrace]", b"PHP Stack trace:"].contains(&inner);
        if is_title || starts(&[b"  thrown in "]) || is_numbered(line) {
            return Sign::Inside;
        }
        let is_first = starts(&[b"PHP Fatal error:  Uncaught ", b"Fatal error: Uncaught ", b"exception '"]);
        if is_first || is_throwable(line) { Sign::Opens } else { Sign::Other }
    }
}

/// `#0 /app/shop.php(7): sell()`, `#1 [internal function]: f()`, `#2 {main}`.
fn is_frame(inner: &[u8]) -> bool {
    let Some(rest) = inner.strip_prefix(b"#") else { return false };
    let digits = rest.iter().take_while(|byte| byte.is_ascii_digit()).count();
    let rest = rest.get(digits..).and_then(|rest| rest.strip_prefix(b" ")).filter(|_| digits > 0);
    rest.is_some_and(|rest| {
        rest == b"{main}"
            || rest.starts_with(b"[internal function]")
            || (!rest.starts_with(b" ") && memchr::memmem::find(rest, b"): ").is_some())
    })
}

/// `PHP   1. {main}() /app/shop.php:0`, as Xdebug writes.
fn is_numbered(line: &[u8]) -> bool {
    let Some(rest) = line.strip_prefix(b"PHP  ") else { return false };
    let rest = rest.trim_ascii_start();
    let digits = rest.iter().take_while(|byte| byte.is_ascii_digit()).count();
    digits > 0 && rest.get(digits..).is_some_and(|rest| rest.starts_with(b". "))
}
