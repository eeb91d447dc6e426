//! What a user wants done to records before they are sent.
//!
//! Enters: one record's fields, borrowed from its line, and the time. Leaves: the fields as they are to be sent, or the
//! verdict that the record is left out; from time to time a summary of what was left out. Never: bytes of a file. Whoever
//! reads the file counts a record that is left out as filtered.
//!
//! ```text
//! Fields -> when? -> processor -> when? -> processor -> ... -> encode
//!                        `-> left out, counted; `rate_limit` and `dedupe` tell of it in records of their own
//! ```
//! A family: one file for each processor, with its configuration, its documentation and its tests. Beside the members,
//! `field` names the fields that can be changed, `view` lets KQL ask about a record that is not encoded yet, `keyed` and
//! `window` count by key, and `summary` words what was counted.

mod add_fields;
mod config;
mod dedupe;
mod drop;
mod field;
mod keyed;
mod rate_limit;
pub mod redact;
mod rename;
mod sample;
mod summary;
mod view;
mod window;

use event::{Fields, Origin, Timestamp};

pub use self::add_fields::AddFieldsConfig;
pub use self::config::{ProcessorConfig, When};
pub use self::dedupe::DedupeConfig;
pub use self::drop::DropConfig;
pub use self::field::FieldPath;
use self::keyed::Keyed;
pub use self::rate_limit::RateLimitConfig;
pub use self::redact::RedactConfig;
pub use self::rename::RenameConfig;
pub use self::sample::SampleConfig;
pub use self::summary::DATASET;
use self::summary::Summarizer;
use self::view::{Scratch, View};
use crate::batch::Batch;

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

/// A record that was left out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LeftOut {
    /// Where it begins in its stream.
    pub offset: u64,
    /// The processor, as it is written in the configuration.
    pub processor: &'static str,
}

/// What processors did since they began.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Counts {
    /// Records left out by `drop`.
    pub dropped: u64,
    /// Records left out by `rate_limit`.
    pub limited: u64,
    /// Records left out by `sample`.
    pub sampled_out: u64,
    /// Records left out by `dedupe`.
    pub repeated: u64,
    /// Records in which `redact` found something.
    pub redacted: u64,
    /// Keys of `rate_limit` that were forgotten before their windows ended, to make room.
    pub limit_keys_forgotten: u64,
    /// Keys of `dedupe` that were.
    pub dedupe_keys_forgotten: u64,
}

impl Counts {
    /// Adds those of another input.
    pub fn add(&mut self, other: &Counts) {
        self.dropped += other.dropped;
        self.limited += other.limited;
        self.sampled_out += other.sampled_out;
        self.repeated += other.repeated;
        self.redacted += other.redacted;
        self.limit_keys_forgotten += other.limit_keys_forgotten;
        self.dedupe_keys_forgotten += other.dedupe_keys_forgotten;
    }
}

/// One of the family.
#[derive(Debug)]
enum Processor {
    AddFields(add_fields::AddFields),
    Drop,
    Rename(rename::Rename),
    Redact(Box<redact::Redact>),
    RateLimit(Keyed),
    Sample(sample::Sample),
    Dedupe(Keyed),
}

impl Processor {
    fn new(config: &ProcessorConfig) -> Result<Self, String> {
        Ok(match config {
            ProcessorConfig::AddFields(config) => Processor::AddFields(add_fields::AddFields::new(config)),
            ProcessorConfig::Drop(_) => Processor::Drop,
            ProcessorConfig::Rename(config) => Processor::Rename(rename::Rename::new(config)),
            ProcessorConfig::Redact(config) => Processor::Redact(Box::new(redact::Redact::new(config)?)),
            ProcessorConfig::RateLimit(config) => Processor::RateLimit(config.keyed()),
            ProcessorConfig::Dedupe(config) => Processor::Dedupe(config.keyed()),
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

impl Stage {
    /// The name and the windows of one that has windows.
    fn keyed(&mut self) -> Option<(&'static str, &mut Keyed)> {
        match &mut self.processor {
            Processor::RateLimit(keyed) => Some(("rate_limit", keyed)),
            Processor::Dedupe(keyed) => Some(("dedupe", keyed)),
            _ => None,
        }
    }
}

/// The processors of one input, in the order in which they are written. A pure state machine.
#[derive(Debug)]
pub struct Processors {
    stages: Vec<Stage>,
    scratch: Scratch,
    counts: Counts,
    summarizer: Summarizer,
    /// Whether any has windows.
    has_windows: bool,
    /// What was left out, where somebody wants to hear of each record; a run does not.
    left_out: Option<Vec<LeftOut>>,
}

impl Processors {
    /// Makes them ready. `origin` is that of their summaries: a stream of its own, and what the input gives.
    ///
    /// # Errors
    /// A text that [`ProcessorConfig::check`] would have given: patterns that are too large together.
    pub fn new(configs: &[ProcessorConfig], origin: &Origin) -> Result<Self, String> {
        let stage = |config: &ProcessorConfig| {
            let processor = Processor::new(config)?;
            Ok::<_, String>(Stage { when: config.when().cloned(), processor })
        };
        let mut stages = configs.iter().map(stage).collect::<Result<Vec<_>, _>>()?;
        Ok(Processors {
            has_windows: stages.iter_mut().any(|stage| stage.keyed().is_some()),
            stages,
            scratch: Scratch::default(),
            counts: Counts::default(),
            summarizer: Summarizer::new(origin),
            left_out: None,
        })
    }

    /// What they did.
    #[must_use]
    pub fn counts(&self) -> Counts {
        let mut counts = self.counts;
        for stage in &self.stages {
            match &stage.processor {
                Processor::RateLimit(keyed) => counts.limit_keys_forgotten += keyed.windows.forgotten(),
                Processor::Dedupe(keyed) => counts.dedupe_keys_forgotten += keyed.windows.forgotten(),
                _ => {}
            }
        }
        counts
    }

    /// From now on [`Processors::take_left_out`] tells of each record. Without a bound: call it after each read.
    pub fn name_left_out(&mut self) {
        self.left_out = Some(Vec::new());
    }

    /// What was left out since the last call.
    pub fn take_left_out(&mut self) -> Vec<LeftOut> {
        self.left_out.as_mut().map(std::mem::take).unwrap_or_default()
    }

    /// Lets one processor after the other at a record, until one leaves it out.
    pub fn handle<'a>(&'a mut self, raw: &Raw<'_>, fields: &mut Fields<'a>) -> Verdict {
        let Processors { stages, scratch, counts, left_out, .. } = self;
        for Stage { when, processor } in stages {
            let view = View::new(raw, fields, scratch);
            if when.as_ref().is_some_and(|when| !when.0.matches(&view)) {
                continue;
            }
            let (is_kept, name, count) = match processor {
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
                Processor::Drop => (false, "drop", &mut counts.dropped),
                Processor::RateLimit(keyed) => {
                    (keyed.handle(&view, raw.created), "rate_limit", &mut counts.limited)
                }
                Processor::Sample(sample) => (sample.handle(&view), "sample", &mut counts.sampled_out),
                Processor::Dedupe(keyed) => {
                    (keyed.handle(&view, raw.created), "dedupe", &mut counts.repeated)
                }
            };
            if !is_kept {
                *count += 1;
                if let Some(left_out) = left_out {
                    left_out.push(LeftOut { offset: raw.offset, processor: name });
                }
                return Verdict::LeaveOut;
            }
        }
        Verdict::Keep
    }

    /// Ends the windows whose time has passed; [`Processors::summarize`] tells of them.
    pub fn tick(&mut self, now: Timestamp) {
        if self.has_windows {
            self.stages.iter_mut().filter_map(Stage::keyed).for_each(|(_, keyed)| keyed.windows.tick(now));
        }
    }

    /// When [`Processors::tick`] has something to do.
    #[must_use]
    pub fn deadline(&self) -> Option<Timestamp> {
        let deadline = |stage: &Stage| match &stage.processor {
            Processor::RateLimit(keyed) | Processor::Dedupe(keyed) => keyed.windows.deadline(),
            _ => None,
        };
        self.stages.iter().filter_map(deadline).min()
    }

    /// Ends all windows: nothing will be read any more.
    pub fn finish(&mut self) {
        self.stages.iter_mut().filter_map(Stage::keyed).for_each(|(_, keyed)| keyed.windows.finish());
    }

    /// Appends a record for each window that has ended since the last call and in which something was left out. What
    /// `redact` hides, a summary does not show, wherever in the list it stands.
    pub fn summarize(&mut self, now: Timestamp, batch: &mut Batch) {
        if !self.has_windows {
            return;
        }
        let Processors { stages, summarizer, .. } = self;
        for at in 0..stages.len() {
            let Some((name, keyed)) = stages.get_mut(at).and_then(Stage::keyed) else { continue };
            if !keyed.windows.has_ended() {
                continue;
            }
            let (field, all_ended) = (keyed.field.clone(), keyed.windows.take_ended());
            for mut ended in all_ended {
                for stage in stages.iter_mut() {
                    if let Processor::Redact(redact) = &mut stage.processor
                        && let Some(hidden) = redact.hide(&ended.key)
                    {
                        ended.key = hidden.to_owned();
                    }
                }
                summarizer.write(name, field.as_deref(), &ended, now, batch);
            }
        }
    }
}

#[cfg(test)]
mod test;
