//! The lines of one output of a container.
//!
//! Enters: the texts of one output in order, whole lines and parts of them, and the time. Leaves: records, each with its
//! place in the file. Never: a line of another output; never more of a line than the limit allows.

use std::time::Duration;

use event::Timestamp;

use super::encoding::Encoding;
use super::frame::{Flaw, Limit};
use super::sink::Shape;
use crate::multiline::{Joint, Multiline};

/// How long a line waits for its next part. Runtimes part a line at 16 KiB and write the parts at once.
const PART_TIMEOUT: Duration = Duration::from_secs(5);

/// A record or a line that is being put together, or is complete.
#[derive(Debug, Clone, Default)]
pub(super) struct Built {
    pub text: String,
    pub shape: Shape,
    /// Bytes of the file that were cut off it.
    pub lost_bytes: u64,
    /// Bytes that its text had before it was cut.
    original_bytes: u64,
}

/// Joins what one output writes. A pure state machine: the time is an argument.
#[derive(Debug)]
pub(super) struct Strand {
    joiner: Multiline,
    limit: Limit,
    line: Option<Built>,
    line_due: Option<Timestamp>,
    record: Option<Built>,
}

impl Strand {
    pub(super) fn new(joiner: Multiline, limit: Limit) -> Self {
        Strand { joiner, limit, line: None, line_due: None, record: None }
    }

    /// Before the first line: one that lies before it.
    pub(super) fn learn(&mut self, line: &str) {
        self.joiner.learn(line.as_bytes());
    }

    /// The first byte of what is not complete.
    pub(super) fn start(&self) -> Option<u64> {
        self.record.as_ref().or(self.line.as_ref()).map(|built| built.shape.start)
    }

    /// When [`Strand::tick`] has something to do.
    pub(super) fn deadline(&self) -> Option<Timestamp> {
        [self.line_due, self.joiner.deadline()].into_iter().flatten().min()
    }

    /// Takes a text that lies where `shape` says; records that are complete by it go to `out`.
    pub(super) fn handle(
        &mut self,
        text: &str,
        shape: Shape,
        is_partial: bool,
        now: Timestamp,
        out: &mut Vec<Built>,
    ) {
        let is_split = self.limit.is_split
            && self.line.as_ref().is_some_and(|line| line.text.len() + text.len() > self.limit.bytes_max);
        if is_split && let Some(line) = &mut self.line {
            line.shape.flaw = Flaw::Part;
            self.end_line(now, out);
        }
        let bytes_max = if self.limit.is_split { usize::MAX } else { self.limit.bytes_max };
        let flaw = if is_split { Flaw::Part } else { shape.flaw };
        let line = self
            .line
            .get_or_insert_with(|| Built { shape: Shape { bytes: 0, flaw, ..shape }, ..Built::default() });
        line.go_on(text, shape, bytes_max);
        if is_partial {
            self.line_due = Some(now.plus(PART_TIMEOUT));
        } else {
            self.end_line(now, out);
        }
    }

    /// Ends what has waited long enough.
    pub(super) fn tick(&mut self, now: Timestamp, out: &mut Vec<Built>) {
        if self.line_due.is_some_and(|due| due <= now) {
            self.end_line(now, out);
        }
        if self.joiner.tick(now) {
            self.end_record(false, out);
        }
    }

    /// Ends everything; `is_cut` when it may go on.
    pub(super) fn flush(&mut self, is_cut: bool, now: Timestamp, out: &mut Vec<Built>) {
        if is_cut && let Some(line) = &mut self.line {
            line.shape.flaw = Flaw::Part;
        }
        self.end_line(now, out);
        self.joiner.flush();
        self.end_record(is_cut, out);
    }

    fn end_line(&mut self, now: Timestamp, out: &mut Vec<Built>) {
        self.line_due = None;
        let Some(line) = self.line.take() else { return };
        let joint = self.joiner.handle(line.text.as_bytes(), now);
        if matches!(joint, Joint::Starts | Joint::Alone) {
            self.end_record(self.joiner.has_cut(), out);
        }
        let is_last = matches!(joint, Joint::Ends | Joint::Alone) || line.shape.flaw != Flaw::None;
        match &mut self.record {
            Some(record) => record.join(&line),
            None => self.record = Some(line),
        }
        if is_last {
            self.joiner.flush();
            self.end_record(false, out);
        }
    }

    fn end_record(&mut self, has_cut: bool, out: &mut Vec<Built>) {
        if let Some(mut record) = self.record.take() {
            record.shape.has_cut = has_cut;
            out.push(record);
        }
    }
}

impl Built {
    /// A part of the same line. Where lines are split, that is between parts, because a record is named by the line of
    /// the file that it begins with.
    fn go_on(&mut self, text: &str, shape: Shape, bytes_max: usize) {
        let room = bytes_max.saturating_sub(self.text.len());
        let taken = if text.len() <= room { text.len() } else { floor(text, room) };
        self.text.push_str(text.get(..taken).unwrap_or_default());
        self.original_bytes += text.len() as u64;
        if taken < text.len() {
            self.shape.flaw = Flaw::Cut { text_end: Some(self.shape.start + self.original_bytes) };
        }
        if taken == 0 && !text.is_empty() {
            self.lost_bytes += shape.bytes;
        } else {
            self.shape.bytes += shape.bytes;
        }
        self.shape.end = shape.end;
        self.shape.is_repaired |= shape.is_repaired;
    }

    /// A further line of the same record.
    fn join(&mut self, line: &Built) {
        let before = self.text.len() as u64 + 1;
        self.text.push('\n');
        self.text.push_str(&line.text);
        self.shape.end = line.shape.end;
        self.shape.bytes += line.shape.bytes;
        self.shape.is_repaired |= line.shape.is_repaired;
        self.lost_bytes += line.lost_bytes;
        self.original_bytes = before + line.original_bytes;
        self.shape.flaw = match line.shape.flaw {
            Flaw::Cut { .. } => Flaw::Cut { text_end: Some(self.shape.start + self.original_bytes) },
            flaw => flaw,
        };
    }
}

/// The largest place between two characters that is not behind `at`.
fn floor(text: &str, at: usize) -> usize {
    if at == 0 { 0 } else { Encoding::default().boundary(0, text.as_bytes(), at) }
}
