//! Records as lines on the standard output.
//!
//! Enters: encoded records. Leaves: one JSON object in each line, settled once the lines are written.
//! Never: a heartbeat; nobody at a terminal waits for one.

use std::io::Write;

use schemars::JsonSchema;
use serde::Deserialize;

use super::OutputError;
use crate::batch::{Fate, Settled};
use crate::channel::Parcel;

/// `output.stdout:`; it has no keys: write `stdout: {}`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct StdoutConfig {}

/// Writes records to a stream of bytes.
pub struct Stdout {
    out: Box<dyn Write + Send>,
    lines: Vec<u8>,
    settled: Vec<Settled>,
}

impl Stdout {
    /// To the process's own standard output.
    #[must_use]
    pub fn new(_: &StdoutConfig) -> Self {
        Stdout::to(Box::new(std::io::stdout()))
    }

    /// To any stream.
    #[must_use]
    pub fn to(out: Box<dyn Write + Send>) -> Self {
        Stdout { out, lines: Vec::new(), settled: Vec::new() }
    }

    /// Writes all of the parcel's records.
    pub(super) fn handle(&mut self, parcel: &Parcel) -> Result<usize, OutputError> {
        let Parcel::Batch(batch) = parcel else { return Ok(1) };
        self.lines.clear();
        for entry in &batch.entries {
            self.lines.extend_from_slice(batch.payload(entry));
            self.lines.push(b'\n');
        }
        self.out.write_all(&self.lines).and_then(|()| self.out.flush()).map_err(OutputError::Stdout)?;
        let tickets = batch.entries.iter().filter_map(|entry| entry.ticket);
        self.settled.extend(tickets.map(|ticket| Settled { ticket, fate: Fate::Acked }));
        Ok(batch.entries.len())
    }

    pub(super) fn tick(&mut self, settled: &mut Vec<Settled>) {
        settled.append(&mut self.settled);
    }
}
