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

#[cfg(test)]
mod tests {
    use std::io;

    use super::*;
    use crate::batch::{Batch, Entry, Ticket};
    use crate::route::LaneId;

    fn parcel() -> Parcel {
        let entry = |ticket, start, end| Entry {
            stream: event::StreamId::from_u128(1),
            ticket,
            start,
            end,
            timestamp_ms: 0,
        };
        let entries = vec![entry(Some(Ticket::new(1, 2)), 0, 2), entry(None, 2, 9)];
        Parcel::Batch(Batch { bytes: b"{}{\"a\":1}".to_vec(), entries, ..Batch::default() })
    }

    #[test]
    fn a_record_is_a_line_and_settled_once_it_is_out() {
        let (mut reader, writer) = io::pipe().unwrap();
        let mut stdout = Stdout::to(Box::new(writer));
        assert_eq!(stdout.handle(&parcel()).unwrap(), 2);
        assert_eq!(stdout.handle(&Parcel::Broadcast(LaneId::MAIN, b"beat".to_vec())).unwrap(), 1);
        let mut settled = Vec::new();
        stdout.tick(&mut settled);
        assert_eq!(settled, [Settled { ticket: Ticket::new(1, 2), fate: Fate::Acked }]);
        drop(stdout);
        let mut text = String::new();
        io::Read::read_to_string(&mut reader, &mut text).unwrap();
        assert_eq!(text, "{}\n{\"a\":1}\n");
    }

    #[test]
    fn a_reader_that_is_gone_settles_nothing() {
        let (reader, writer) = io::pipe().unwrap();
        drop(reader);
        let mut stdout = Stdout::to(Box::new(writer));
        let error = stdout.handle(&parcel()).unwrap_err().to_string();
        assert!(error.starts_with("cannot write to the standard output: "), "{error}");
        let mut settled = Vec::new();
        stdout.tick(&mut settled);
        assert_eq!(settled, []);
    }
}
