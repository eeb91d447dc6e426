//! Node.js: stack traces, the properties of an error with its causes, the source above an uncaught error.
//!
//! Enters: the lines of a stream. Leaves: what each is. Never: an ordinary line within the braces of an error; what is
//! in there is indented.
//!
//! ```text
//! /app/shop.js:7
//!     throw new Error('no stock', { cause })
//!     ^
//!
//! Error: no stock
//!     at buy (/app/shop.js:7:11) {
//!   [cause]: Error: sold
//!       at sell (/app/shop.js:3:9)
//! }
//!
//! Node.js v22.4.0
//! ```

use super::java;
use super::preset::Sign;
use super::throwable::is_throwable;

/// Where in a trace the stream stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct Node {
    place: Place,
    /// The runtime wrote the trace at its own end: its version follows.
    is_uncaught: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
enum Place {
    /// In none.
    #[default]
    Outside,
    /// Behind the name of a source file: its line comes.
    Name,
    /// Behind a line of source: the mark below it comes.
    Source,
    /// Behind the mark: the error comes.
    Mark,
    /// Among frames, or behind them.
    Frames,
    /// Among the properties of an error.
    Braces,
}

impl Node {
    /// A line that starts a record; an error may stand in it.
    pub(super) fn begin(&mut self, line: &[u8]) {
        let place = if line.ends_with(b" {") && is_throwable(line) { Place::Braces } else { Place::Outside };
        *self = Node { place, is_uncaught: false };
    }

    /// What `line` is.
    pub(super) fn read(&mut self, line: &[u8]) -> Sign {
        if let Some(next) = self.next(line) {
            self.place = next;
            return Sign::Inside;
        }
        *self = Node::default();
        if is_source_name(line) {
            *self = Node { place: Place::Name, is_uncaught: true };
            return Sign::Alone;
        }
        let is_thrown = is_throwable(line) || line.starts_with(b"Uncaught ");
        let is_bare = line.starts_with(b"[") && line.ends_with(b"] {") && is_named_inside(line);
        if (is_thrown && line.ends_with(b" {")) || is_bare {
            self.place = Place::Braces;
        }
        if is_thrown || is_bare { Sign::Opens } else { Sign::Other }
    }

    /// Where the trace stands behind `line`; `None` when the line is no part of it.
    fn next(&self, line: &[u8]) -> Option<Place> {
        let is_indented = line.starts_with(b" ") || line.starts_with(b"\t");
        match self.place {
            Place::Name => return Some(Place::Source),
            Place::Source if is_mark(line) => return Some(Place::Mark),
            Place::Mark if line.is_empty() => return Some(Place::Mark),
            Place::Mark if line.ends_with(b" {") => return Some(Place::Braces),
            Place::Mark => return Some(Place::Frames),
            Place::Braces if line.starts_with(b"}") => return Some(Place::Frames),
            Place::Braces if is_indented || line.is_empty() => return Some(Place::Braces),
            Place::Frames if self.is_uncaught && is_epilogue(line) => return Some(Place::Frames),
            _ => {}
        }
        let is_part = is_indented && (java::read(line) == Sign::Inside || is_cause(line));
        is_part.then_some(if line.ends_with(b" {") { Place::Braces } else { Place::Frames })
    }
}

/// `/app/shop.js:7`, `file:///app/shop.mjs:7`, `node:internal/process/promises:246`, and nothing else in the line.
fn is_source_name(line: &[u8]) -> bool {
    let Some((name, number)) = memchr::memrchr(b':', line).and_then(|colon| line.split_at_checked(colon))
    else {
        return false;
    };
    let extensions: [&[u8]; 6] = [b".js", b".mjs", b".cjs", b".ts", b".jsx", b".tsx"];
    number.len() > 1
        && number.iter().skip(1).all(u8::is_ascii_digit)
        && !name.iter().any(u8::is_ascii_whitespace)
        && (name.starts_with(b"node:") || extensions.iter().any(|end| name.ends_with(end)))
}

/// `    ^^^^`.
fn is_mark(line: &[u8]) -> bool {
    let inner = line.trim_ascii();
    !inner.is_empty() && inner.iter().all(|byte| *byte == b'^')
}

/// What the runtime writes behind an uncaught error.
fn is_epilogue(line: &[u8]) -> bool {
    line.is_empty() || line.starts_with(b"Node.js v") || line.starts_with(b"(Use `node --")
}

/// `[cause]: Error: sold`.
fn is_cause(line: &[u8]) -> bool {
    line.trim_ascii_start().starts_with(b"[cause]: ")
}

/// `[Error: ENOENT: no such file] {`: an error without a stack.
fn is_named_inside(line: &[u8]) -> bool {
    line.get(1..).is_some_and(is_throwable)
}
