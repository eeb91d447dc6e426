//! A record whose first lines end one stream and whose last lines begin the next.
//!
//! Enters: the lines of the stream that was rotated away, and how they are joined. Leaves: the same with those that the
//! next stream adds. Never: a second ticket; the record is settled by the first stream's.

use event::Encoder;

use crate::batch::Ticket;
use crate::multiline::Multiline;
use crate::parser::Parser;

/// What one stream hands to the next.
#[derive(Debug)]
pub(super) struct Carry {
    /// The lines so far, joined by line feeds.
    pub text: String,
    /// Bytes of them were no text.
    pub is_repaired: bool,
    /// Where the record starts in the first stream.
    pub start: u64,
    /// Where it ends there.
    pub end: u64,
    /// By which the first stream waits for it.
    pub ticket: Ticket,
    pub joiner: Multiline,
    pub parser: Parser,
    pub encoder: Encoder,
}

impl Carry {
    /// Adds lines of the next stream.
    pub(super) fn add(&mut self, text: &str, is_repaired: bool) {
        self.text.push('\n');
        self.text.push_str(text);
        self.is_repaired |= is_repaired;
    }
}
