//! Ruby: backtraces as the interpreter writes them, those of `Logger`, those of Rails.
//!
//! Enters: the lines of a stream. Leaves: what each is in a backtrace. Never: an end with the last frame; the cause of
//! the error may follow it, so the record waits for the next line or the time-out.
//!
//! ```text
//! shop.rb:7:in 'Shop#buy': no stock (RuntimeError)
//!
//!     raise 'no stock' if stock.zero?
//!     ^^^^^
//!     from shop.rb:12:in '<main>'
//! shop.rb:3:in 'Shop#sell': sold (Sold)
//!     from shop.rb:7:in 'Shop#buy'
//! ```

use super::preset::Sign;

/// Where in a backtrace the stream stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) enum Ruby {
    /// In none.
    #[default]
    Outside,
    /// Behind the error's own line; a snippet of source and hints may follow before the frames.
    Raised,
    /// Among the frames or behind them; a cause may follow.
    Frames,
    /// In a backtrace with its error at the end, as terminals get it from Ruby 2.5 to 2.7.
    Reversed,
}

impl Ruby {
    /// A line that starts a record.
    pub(super) fn begin(&mut self) {
        *self = Ruby::Outside;
    }

    /// What `line` is.
    pub(super) fn read(&mut self, line: &[u8]) -> Sign {
        let is_indented = line.starts_with(b" ") || line.starts_with(b"\t");
        let is_error = is_error(line);
        match *self {
            Ruby::Reversed if is_indented => return Sign::Inside,
            Ruby::Reversed if is_error => return self.go(Ruby::Raised, Sign::Inside),
            // What is thrown at the top of a program has no place before it, and frames behind it.
            Ruby::Frames if is_error => return self.go(Ruby::Raised, Sign::Inside),
            _ => {}
        }
        if is_frame(line) {
            return self.go(Ruby::Frames, Sign::Inside);
        }
        if line.starts_with(b"#<Thread:0x")
            && memchr::memmem::find(line, b" terminated with exception").is_some()
        {
            return self.go(Ruby::Frames, Sign::Alone);
        }
        if line.starts_with(b"Traceback (most recent call last):") {
            return self.go(Ruby::Reversed, Sign::Opens);
        }
        if is_error || is_rails(line) {
            return self.go(Ruby::Raised, Sign::Opens);
        }
        let is_hint = line.is_empty() || is_indented || line.starts_with(b"Did you mean?");
        if *self == Ruby::Raised && is_hint {
            return Sign::Inside;
        }
        self.go(Ruby::Outside, Sign::Other)
    }

    fn go(&mut self, next: Ruby, sign: Sign) -> Sign {
        *self = next;
        sign
    }
}

/// `from shop.rb:12:in '<main>'`, `1: from shop.rb:12:in ...`, `app/shop.rb:12:in 'buy'`, `... 7 levels...`.
fn is_frame(line: &[u8]) -> bool {
    let inner = line.trim_ascii();
    if inner.starts_with(b"... ") && inner.ends_with(b" levels...") {
        return true;
    }
    let from = inner.strip_prefix(b"from ").unwrap_or(inner);
    method(from).is_some_and(|method| method.ends_with(b"'") || method.ends_with(b"\""))
}

/// `shop.rb:7:in 'Shop#buy': no stock (RuntimeError)`.
fn is_error(line: &[u8]) -> bool {
    method(line).is_some_and(|method| memchr::memmem::find(method, b"': ").is_some())
}

/// Behind `shop.rb:7:in ` where a quote follows; names of methods are quoted in two ways.
fn method(inner: &[u8]) -> Option<&[u8]> {
    // A search for the four bytes costs several times as much, and every line is searched.
    let is_there = |at: &usize| inner.get(*at..).is_some_and(|rest| rest.starts_with(b":in "));
    let at = memchr::memchr_iter(b':', inner).find(is_there)?;
    let (place, rest) = inner.split_at_checked(at)?;
    let number = place.iter().rev().take_while(|byte| byte.is_ascii_digit()).count();
    let has_number =
        number > 0 && place.len() > number + 1 && place.get(place.len() - number - 1) == Some(&b':');
    let method = rest.strip_prefix(b":in ")?;
    (has_number && matches!(method.first(), Some(b'`' | b'\''))).then_some(method)
}

/// `NoMethodError (undefined method 'x' for nil):`.
fn is_rails(line: &[u8]) -> bool {
    let inner = line.trim_ascii();
    if !inner.ends_with(b"):") {
        return false;
    }
    let open = memchr::memmem::find(inner, b" (").and_then(|open| inner.get(..open)).unwrap_or_default();
    open.first().is_some_and(u8::is_ascii_uppercase)
        && open.iter().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b':' | b'_'))
}
