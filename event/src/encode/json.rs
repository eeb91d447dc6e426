//! JSON text, member by member.
//!
//! Enters: names and values. Leaves: `"name":value,` behind what is there already. Never: a look at the whole.
//! Every member ends with a comma, and closing an object turns its last comma into the brace: no state, no branch.

use super::escape::push_escaped;
use super::timestamp::push_timestamp;
use crate::{Scalar, Text, Timestamp};

/// The members of an object (or the elements of an array) that is being written.
pub(crate) struct Members<'o> {
    out: &'o mut Vec<u8>,
}

impl<'o> Members<'o> {
    /// Members go to the end of `out`; its opening brace is already there.
    pub(crate) fn new(out: &'o mut Vec<u8>) -> Self {
        Members { out }
    }

    /// Bytes as they are: whole members, made before.
    #[inline]
    pub(crate) fn raw(&mut self, bytes: &[u8]) {
        self.out.extend_from_slice(bytes);
    }

    /// Ends the object: the last member's comma becomes its brace.
    pub(crate) fn close(&mut self) {
        self.end(b'}');
    }

    fn end(&mut self, brace: u8) {
        match self.out.last_mut() {
            Some(last) if *last == b',' => *last = brace,
            _ => self.out.push(brace),
        }
    }

    /// `name` is one of ours and needs no escape; a stranger's name goes through [`Members::scalar`].
    #[inline]
    fn name(&mut self, name: &str) {
        self.out.push(b'"');
        self.out.extend_from_slice(name.as_bytes());
        self.out.extend_from_slice(b"\":");
    }

    fn quoted(&mut self, value: Text<'_>) {
        self.out.push(b'"');
        match value {
            Text::Plain(text) => push_escaped(self.out, text),
            Text::Escaped(text) => self.out.extend_from_slice(text.as_bytes()),
        }
        self.out.push(b'"');
    }

    /// A text that needs escaping.
    #[inline]
    pub(crate) fn plain(&mut self, name: &str, value: &str) {
        self.text(name, Text::Plain(value));
    }

    /// A text.
    pub(crate) fn text(&mut self, name: &str, value: Text<'_>) {
        self.name(name);
        self.quoted(value);
        self.out.push(b',');
    }

    /// A text, if there is one.
    #[inline]
    pub(crate) fn text_if(&mut self, name: &str, value: Option<Text<'_>>) {
        if let Some(value) = value {
            self.text(name, value);
        }
    }

    /// A whole number.
    pub(crate) fn number(&mut self, name: &str, value: u64) {
        self.name(name);
        self.digits(value);
        self.out.push(b',');
    }

    /// A whole number, if there is one.
    #[inline]
    pub(crate) fn number_if(&mut self, name: &str, value: Option<u64>) {
        if let Some(value) = value {
            self.number(name, value);
        }
    }

    /// A whole number's digits alone.
    pub(crate) fn digits(&mut self, value: u64) {
        self.out.extend_from_slice(itoa::Buffer::new().format(value).as_bytes());
    }

    /// A number; null when JSON has no word for it.
    pub(crate) fn float(&mut self, name: &str, value: f64) {
        self.name(name);
        self.float_value(value);
        self.out.push(b',');
    }

    fn float_value(&mut self, value: f64) {
        if value.is_finite() {
            self.out.extend_from_slice(ryu::Buffer::new().format_finite(value).as_bytes());
        } else {
            self.out.extend_from_slice(b"null");
        }
    }

    /// A time.
    pub(crate) fn time(&mut self, name: &str, value: Timestamp) {
        self.name(name);
        self.out.push(b'"');
        push_timestamp(self.out, value);
        self.out.extend_from_slice(b"\",");
    }

    /// A member whose name is not ours.
    pub(crate) fn scalar(&mut self, name: Text<'_>, value: Scalar<'_>) {
        self.quoted(name);
        self.out.push(b':');
        match value {
            Scalar::Text(text) => self.quoted(text),
            Scalar::Int(number) => {
                self.out.extend_from_slice(itoa::Buffer::new().format(number).as_bytes());
            }
            Scalar::Float(number) => self.float_value(number),
            Scalar::Bool(truth) => self.out.extend_from_slice(if truth { b"true" } else { b"false" }),
            Scalar::Json(json) => self.json(json),
        }
        self.out.push(b',');
    }

    /// A line end inside a JSON value can only be white space; as a blank it leaves the record on one line.
    fn json(&mut self, json: &str) {
        let start = self.out.len();
        self.out.extend_from_slice(json.as_bytes());
        let copied = self.out.get_mut(start..).unwrap_or_default();
        if memchr::memchr2(b'\n', b'\r', copied).is_some() {
            copied.iter_mut().filter(|byte| matches!(byte, b'\n' | b'\r')).for_each(|byte| *byte = b' ');
        }
    }

    /// One text of an array.
    pub(crate) fn element(&mut self, value: &str) {
        self.quoted(Text::Plain(value));
        self.out.push(b',');
    }

    /// An array of what `write` writes.
    pub(crate) fn array(&mut self, name: &str, write: impl FnOnce(&mut Members<'_>)) {
        self.name(name);
        self.out.push(b'[');
        write(&mut Members::new(self.out));
        self.end(b']');
        self.out.push(b',');
    }

    /// An object of what `write` writes; when that is nothing, the object is left out.
    pub(crate) fn object(&mut self, name: &str, write: impl FnOnce(&mut Members<'_>)) {
        let start = self.out.len();
        self.name(name);
        self.out.push(b'{');
        let inside = self.out.len();
        write(&mut Members::new(self.out));
        if self.out.len() == inside {
            self.out.truncate(start);
        } else {
            self.close();
            self.out.push(b',');
        }
    }
}
