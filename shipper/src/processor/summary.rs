//! The record that tells what was left out.
//!
//! Enters: the count of a window that has ended. Leaves: a record of its own stream, without a ticket: no byte of a file
//! waits for it. Never: a log level; a summary is no line in an error rate.
//!
//! Its stream is the input's, not a file's, and its offsets are microseconds since 1970 that only grow, across restarts
//! too: the alerter counts each summary once, and takes none for a line of a file. Its time is that of the last record
//! that was left out, so that a summary of a backlog does not run ahead of the backlog.

use event::{Encoder, Fields, Origin, Record, Scalar, Text, Timestamp};

use super::window::Ended;
use crate::batch::{Batch, Entry};

/// `event.dataset` of summaries.
pub const DATASET: &str = "watchfire.processor";

/// Writes the summaries of one input.
#[derive(Debug)]
pub(super) struct Summarizer {
    encoder: Encoder,
    /// The offset of the last one.
    last: u64,
}

impl Summarizer {
    pub(super) fn new(origin: &Origin) -> Self {
        Summarizer { encoder: Encoder::new(origin), last: 0 }
    }

    /// Appends the summary of one window of `processor`, whose keys are values of `field`.
    pub(super) fn write(
        &mut self,
        processor: &'static str,
        field: Option<&str>,
        ended: &Ended,
        now: Timestamp,
        batch: &mut Batch,
    ) {
        let Ended { key, left_out, last } = ended;
        let of_key = field.map(|_| format!(" of `{key}`")).unwrap_or_default();
        let message = format!("{left_out} records{of_key} were left out by {processor}");
        let text = |text| Scalar::Text(Text::Plain(text));
        let mut fields = Fields { timestamp: Some(*last), ..Fields::default() };
        fields.more.push((Text::Plain("watchfire.processor.name"), text(processor)));
        if let Some(field) = field {
            fields.more.push((Text::Plain("watchfire.processor.field"), text(field)));
            fields.more.push((Text::Plain("watchfire.processor.key"), text(key)));
        }
        let count = i64::try_from(*left_out).unwrap_or(i64::MAX);
        fields.more.push((Text::Plain("watchfire.processor.left_out"), Scalar::Int(count)));
        if field == Some("service.name") {
            fields.service_name = Some(Text::Plain(key));
        }
        let micros = u64::try_from(now.as_nanos() / 1000).unwrap_or(0);
        self.last = micros.max(self.last + 1);
        let start = batch.bytes.len();
        let record = Record { offset: self.last, text: &message, created: now, fields: &fields };
        self.encoder.encode(&record, &mut batch.bytes);
        batch.entries.push(Entry {
            stream: self.encoder.origin().stream,
            ticket: None,
            start: u32::try_from(start).unwrap_or(u32::MAX),
            end: u32::try_from(batch.bytes.len()).unwrap_or(u32::MAX),
            timestamp_ms: last.as_millis(),
        });
    }
}
