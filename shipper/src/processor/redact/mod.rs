//! `redact`: what is nobody's business.
//!
//! Enters: a record's fields. Leaves: the same without phone numbers, identity cards, bank cards, e-mail addresses,
//! tokens, and whatever else the user names. Never: a record that is left out, a copy of one in which nothing is found.
//!
//! [`pattern`] is the configuration, [`number`] finds numbers that have a checksum or a shape, [`redactor`] rewrites one
//! text, [`json`] one nested JSON value.

mod json;
mod number;
mod pattern;
mod redactor;
#[cfg(test)]
mod test;

use std::ops::Range;

use event::fields::Pairs;
use event::{Fields, Scalar, Text};
use schemars::JsonSchema;
use serde::Deserialize;

pub use self::pattern::{Known, OwnPattern, Pattern, Place, TextPattern};
use self::redactor::{Redactor, TOKEN};
use super::When;

/// Patterns in one entry at most.
pub const PATTERNS_MAX: usize = 64;
/// Bytes of replaced texts that are kept for the next record.
const KEPT_BYTES_MAX: usize = 1 << 20;

/// Replaces what must not leave the host: `138...` becomes `[phone]`, and so on. Names of fields and the file's path stay
/// as they are.
#[derive(Debug, Clone, PartialEq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RedactConfig {
    /// What is looked for: names of built-in patterns, and maps with `pattern` and `replace`. All built-in ones when it
    /// is left out.
    #[serde(default = "Pattern::built_in")]
    pub patterns: Vec<Pattern>,
    /// Where: names of fields, `labels.*` and `json.*` for all of those. Every text of the record when it is left out,
    /// stack traces too.
    #[serde(default)]
    pub fields: Vec<Place>,
    /// Which records, in KQL; all when it is left out.
    pub when: Option<When>,
}

impl RedactConfig {
    pub(super) fn check(&self) -> Result<(), String> {
        if self.patterns.is_empty() {
            return Err("`patterns` is empty: remove the key to look for all built-in ones".to_owned());
        }
        if self.patterns.len() > PATTERNS_MAX {
            return Err(format!("{PATTERNS_MAX} patterns are the most"));
        }
        Redactor::new(&self.patterns).map(drop)
    }
}

/// The processor.
#[derive(Debug)]
pub(in crate::processor) struct Redact {
    redactor: Redactor,
    places: Vec<Place>,
    work: Work,
    /// The new texts of the record at hand, one behind the other.
    made: String,
    edits: Vec<Edit>,
}

/// Buffers that each text uses again.
#[derive(Debug, Default)]
struct Work {
    path: String,
    resolved: String,
}

/// A value that is to be replaced.
#[derive(Debug)]
struct Edit {
    list: List,
    at: usize,
    /// Where its new text lies in [`Redact::made`].
    range: Range<usize>,
    is_json: bool,
}

/// Which of a record's lists of values.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum List {
    Texts,
    Labels,
    Json,
    More,
}

impl Redact {
    /// # Errors
    /// When the patterns together are too large.
    pub(in crate::processor) fn new(config: &RedactConfig) -> Result<Self, String> {
        Ok(Redact {
            redactor: Redactor::new(&config.patterns)?,
            places: config.fields.clone(),
            work: Work::default(),
            made: String::new(),
            edits: Vec::new(),
        })
    }

    /// Replaces what is found in `fields`; `text` is the record's, which is the message where there is no narrower one.
    /// True when something was found.
    pub(in crate::processor) fn handle<'a>(&'a mut self, text: &str, fields: &mut Fields<'a>) -> bool {
        self.edits.clear();
        self.made.clear();
        self.made.shrink_to(KEPT_BYTES_MAX);
        for (at, (path, found)) in fields.texts().into_iter().enumerate() {
            let is_message = at == 0;
            if let Some(found) = found.or(is_message.then_some(Text::Plain(text)))
                && self.is_meant(path)
            {
                self.text(List::Texts, at, found);
            }
        }
        self.pairs(List::Labels, "labels.", &fields.labels);
        self.pairs(List::Json, "json.", &fields.json);
        self.pairs(List::More, "", &fields.more);
        let Redact { made, edits, .. } = self;
        let made: &'a str = made;
        for Edit { list, at, range, is_json } in edits.iter() {
            let new = made.get(range.clone()).unwrap_or_default();
            let value = if *is_json { Scalar::Json(new) } else { Scalar::Text(Text::Plain(new)) };
            let member = match list {
                List::Texts => {
                    if let Some(member) = fields.texts_mut().into_iter().nth(*at) {
                        *member = Some(Text::Plain(new));
                    }
                    continue;
                }
                List::Labels => fields.labels.get_mut(*at),
                List::Json => fields.json.get_mut(*at),
                List::More => fields.more.get_mut(*at),
            };
            if let Some((_, member)) = member {
                *member = value;
            }
        }
        !edits.is_empty()
    }

    /// One text by itself, such as a key that a summary shows; `None` when there is nothing to hide.
    pub(in crate::processor) fn hide(&mut self, text: &str) -> Option<&str> {
        self.redactor.redact(text)
    }

    fn is_meant(&self, path: &str) -> bool {
        self.places.is_empty() || self.places.iter().any(|place| place.holds(path))
    }

    fn text(&mut self, list: List, at: usize, text: Text<'_>) {
        if let Some(new) = self.redactor.redact(text.resolve(&mut self.work.resolved)) {
            let start = self.made.len();
            self.made.push_str(new);
            self.edits.push(Edit { list, at, range: start..self.made.len(), is_json: false });
        }
    }

    fn pairs(&mut self, list: List, prefix: &str, pairs: &Pairs<'_>) {
        for (at, (name, value)) in pairs.iter().enumerate() {
            let Work { path, resolved } = &mut self.work;
            path.clear();
            path.push_str(prefix);
            path.push_str(name.resolve(resolved));
            let is_secret = self.redactor.is_secret(&self.work.path);
            if !self.is_meant(&self.work.path) {
                continue;
            }
            match value {
                Scalar::Text(_) | Scalar::Int(_) if is_secret => self.secret(list, at),
                Scalar::Text(text) => self.text(list, at, *text),
                Scalar::Int(number) => self.text(list, at, Text::Plain(itoa::Buffer::new().format(*number))),
                Scalar::Json(json) => self.json(list, at, json, is_secret),
                Scalar::Float(_) | Scalar::Bool(_) => {}
            }
        }
    }

    fn secret(&mut self, list: List, at: usize) {
        let start = self.made.len();
        self.made.push_str(TOKEN);
        self.edits.push(Edit { list, at, range: start..self.made.len(), is_json: false });
    }

    fn json(&mut self, list: List, at: usize, json: &str, is_secret: bool) {
        let start = self.made.len();
        if json::rewrite(json, is_secret, &mut self.redactor, &mut self.made) {
            self.edits.push(Edit { list, at, range: start..self.made.len(), is_json: true });
        } else {
            self.made.truncate(start);
        }
    }
}
