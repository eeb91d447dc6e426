//! What a user wants done to records before they are sent.
//!
//! Enters: one record's fields, borrowed from its line, and the time. Leaves: the fields as they are to be sent, or the
//! verdict that the record is left out. Never: bytes of a file. Whoever reads the file counts a record that is left out
//! as filtered.
//!
//! ```text
//! Fields -> when? -> processor -> when? -> processor -> ... -> encode
//!                        `-> left out, counted
//! ```
//! A family: one file for each processor, with its configuration, its documentation and its tests. Beside the members,
//! `field` names the fields that can be changed, and `view` lets KQL ask about a record that is not encoded yet.

mod add_fields;
mod config;
mod drop;
mod field;
pub mod redact;
mod rename;
mod sample;
mod view;

use event::{Fields, Origin, Timestamp};

pub use self::add_fields::AddFieldsConfig;
pub use self::config::{ProcessorConfig, When};
pub use self::drop::DropConfig;
pub use self::field::FieldPath;
pub use self::redact::RedactConfig;
pub use self::rename::RenameConfig;
pub use self::sample::SampleConfig;
use self::view::{Scratch, View};

/// Processors of one input at most.
pub const PROCESSORS_MAX: usize = 32;

/// A record that was not encoded yet, but for its fields.
#[derive(Debug, Clone, Copy)]
pub struct Raw<'r> {
    /// Where its first byte lies in its stream.
    pub offset: u64,
    /// The record as read, without its line end.
    pub text: &'r str,
    /// When it was read.
    pub created: Timestamp,
    /// What all records of its stream share.
    pub origin: &'r Origin,
}

/// What becomes of a record.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// It is sent.
    Keep,
    /// It is not sent; its bytes count as filtered.
    LeaveOut,
}

/// What processors did since they began.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Counts {
    /// Records left out by `drop`.
    pub dropped: u64,
    /// Records left out by `sample`.
    pub sampled_out: u64,
    /// Records in which `redact` found something.
    pub redacted: u64,
}

impl Counts {
    /// Adds those of another input.
    pub fn add(&mut self, other: &Counts) {
        self.dropped += other.dropped;
        self.sampled_out += other.sampled_out;
        self.redacted += other.redacted;
    }
}

/// One of the family.
#[derive(Debug)]
enum Processor {
    AddFields(add_fields::AddFields),
    Drop,
    Rename(rename::Rename),
    Redact(Box<redact::Redact>),
    Sample(sample::Sample),
}

impl Processor {
    fn new(config: &ProcessorConfig) -> Result<Self, String> {
        Ok(match config {
            ProcessorConfig::AddFields(config) => Processor::AddFields(add_fields::AddFields::new(config)),
            ProcessorConfig::Drop(_) => Processor::Drop,
            ProcessorConfig::Rename(config) => Processor::Rename(rename::Rename::new(config)),
            ProcessorConfig::Redact(config) => Processor::Redact(Box::new(redact::Redact::new(config)?)),
            ProcessorConfig::Sample(config) => Processor::Sample(sample::Sample::new(config)),
        })
    }
}

/// A processor, and which records it is for.
#[derive(Debug)]
struct Stage {
    when: Option<When>,
    processor: Processor,
}

/// The processors of one input, in the order in which they are written.
#[derive(Debug, Default)]
pub struct Processors {
    stages: Vec<Stage>,
    scratch: Scratch,
    counts: Counts,
}

impl Processors {
    /// Makes them ready.
    ///
    /// # Errors
    /// A text that [`ProcessorConfig::check`] would have given: patterns that are too large together.
    pub fn new(configs: &[ProcessorConfig]) -> Result<Self, String> {
        let stage = |config: &ProcessorConfig| {
            let processor = Processor::new(config)?;
            Ok::<_, String>(Stage { when: config.when().cloned(), processor })
        };
        let stages = configs.iter().map(stage).collect::<Result<_, _>>()?;
        Ok(Processors { stages, ..Processors::default() })
    }

    /// What they did.
    #[must_use]
    pub fn counts(&self) -> &Counts {
        &self.counts
    }

    /// Lets one processor after the other at a record, until one leaves it out.
    pub fn handle<'a>(&'a mut self, raw: &Raw<'_>, fields: &mut Fields<'a>) -> Verdict {
        let Processors { stages, scratch, counts } = self;
        for Stage { when, processor } in stages {
            let view = View::new(raw, fields, scratch);
            if when.as_ref().is_some_and(|when| !when.0.matches(&view)) {
                continue;
            }
            let (is_kept, count) = match processor {
                Processor::AddFields(add) => {
                    add.handle(fields);
                    continue;
                }
                Processor::Rename(rename) => {
                    rename.handle(fields);
                    continue;
                }
                Processor::Redact(redact) => {
                    counts.redacted += u64::from(redact.handle(raw.text, fields));
                    continue;
                }
                Processor::Drop => (false, &mut counts.dropped),
                Processor::Sample(sample) => (sample.handle(&view), &mut counts.sampled_out),
            };
            if !is_kept {
                *count += 1;
                return Verdict::LeaveOut;
            }
        }
        Verdict::Keep
    }
}

#[cfg(test)]
mod test;
