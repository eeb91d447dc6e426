//! What passes between an input and an output: encoded records forwards, their fates backwards.
//!
//! Enters: records of one input, encoded one behind the other into one buffer. Leaves: the same buffer, by range.
//! Never: a record without a ticket. What an output does not settle, an input does not forget.

use event::StreamId;

use crate::route::{LaneId, LaneSet, Lanes};

/// Names one record among those that are in flight: the input's stream slot and a number that grows in it.
/// Packs into 64 bits, so that it travels through a producer as its opaque without an allocation.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Ticket(u64);

impl Ticket {
    /// Streams that one shipper can have open at the same time.
    pub const SLOTS_MAX: u32 = 1 << 24;

    /// Packs a slot (24 bits) and a sequence number (40 bits, wraps).
    #[must_use]
    pub const fn new(slot: u32, sequence: u64) -> Self {
        Ticket(((slot as u64) << 40) | (sequence & ((1 << 40) - 1)))
    }

    /// The stream's slot in its input.
    #[must_use]
    pub const fn slot(self) -> u32 {
        (self.0 >> 40) as u32
    }

    /// The record's number in the stream, modulo 2^40.
    #[must_use]
    pub const fn sequence(self) -> u64 {
        self.0 & ((1 << 40) - 1)
    }

    /// The packed form.
    #[must_use]
    pub const fn as_u64(self) -> u64 {
        self.0
    }

    /// From the packed form.
    #[must_use]
    pub const fn from_u64(bits: u64) -> Self {
        Ticket(bits)
    }
}

/// One record of a batch.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Entry {
    /// Its stream: the Kafka key.
    pub stream: StreamId,
    /// What to settle it by; `None` for records that nobody waits for, such as heartbeats.
    pub ticket: Option<Ticket>,
    /// Where its JSON starts in [`Batch::bytes`].
    pub start: u32,
    /// Where its JSON ends.
    pub end: u32,
    /// For [`event::Timestamp`]: milliseconds since 1970, the record's Kafka timestamp.
    pub timestamp_ms: i64,
}

/// Records on their way to an output.
#[derive(Debug, Clone, Default)]
pub struct Batch {
    /// Encoded JSON objects, one behind the other.
    pub bytes: Vec<u8>,
    /// The records, in the order of their streams.
    pub entries: Vec<Entry>,
    /// The way of all of them.
    pub lane: LaneId,
    /// One of them goes at once, and so do all.
    pub is_hasty: bool,
}

impl Batch {
    /// The JSON of one of this batch's entries.
    #[must_use]
    pub fn payload(&self, entry: &Entry) -> &[u8] {
        self.bytes.get(entry.start as usize..entry.end as usize).unwrap_or_default()
    }

    /// True when there is nothing to send.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// Forgets the records and keeps the buffers.
    pub fn clear(&mut self) {
        self.bytes.clear();
        self.entries.clear();
        self.is_hasty = false;
    }
}

/// The batches that a reader fills, one for each lane, and which of the lanes have room for them.
#[derive(Debug, Clone)]
pub struct Outbox {
    batches: Vec<Batch>,
    /// Lanes that take nothing now.
    pub closed: LaneSet,
}

impl Outbox {
    /// Empty batches for these lanes, all of them open.
    #[must_use]
    pub fn new(lanes: &Lanes) -> Self {
        let batches = lanes.iter().map(|(lane, _)| Batch { lane, ..Batch::default() }).collect();
        Outbox { batches, closed: LaneSet::NONE }
    }

    /// The lane's batch.
    pub fn batch(&mut self, lane: LaneId) -> Option<&mut Batch> {
        self.batches.get_mut(lane.index())
    }

    /// Every batch.
    pub fn batches(&mut self) -> impl Iterator<Item = &mut Batch> {
        self.batches.iter_mut()
    }

    /// Records in all batches.
    #[must_use]
    pub fn records(&self) -> usize {
        self.batches.iter().map(|batch| batch.entries.len()).sum()
    }

    /// True when one of the batches has so many bytes.
    #[must_use]
    pub fn is_full(&self, bytes_max: usize) -> bool {
        self.batches.iter().any(|batch| batch.bytes.len() >= bytes_max)
    }
}

/// What became of one record.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Settled {
    /// Which record.
    pub ticket: Ticket,
    /// Its fate.
    pub fate: Fate,
}

/// The end of a record's way.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fate {
    /// The broker, or the consumer of the queue, has it.
    Acked,
    /// Refused for good; it lies in the dead-letter file.
    DeadLettered,
}
