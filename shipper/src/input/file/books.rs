//! What is to be told of the streams' ledgers.
//!
//! Enters: streams that move, streams that are done with. Leaves: those whose ledger has moved since it was last told, a
//! bounded number of them at a time, in turn. Never: a list that grows while nobody asks.

use std::collections::VecDeque;

use event::heartbeat::Ledger;

use super::FileInput;
use super::status::StreamStatus;
use super::stream::{Presence, Stream};
use crate::registry::Losses;

/// Streams that are done with and wait to be told of; the oldest give way.
const FAREWELLS_MAX: usize = 1000;

/// What streams that are done with have left, and how far telling has come.
#[derive(Debug, Default)]
pub(super) struct Books {
    /// Their sums.
    pub retired: Ledger,
    /// `retired.lost` by reason.
    pub retired_losses: Losses,
    /// Their last words, when somebody asks for them.
    farewells: VecDeque<StreamStatus>,
    /// The slot that telling goes on with.
    next_slot: usize,
    is_asked: bool,
}

impl FileInput {
    /// At most `count` streams whose ledger has moved since they were given here last, and those that were done with
    /// meanwhile, as `Ended`. What does not fit is given the next time.
    pub fn untold(&mut self, count: usize) -> Vec<StreamStatus> {
        self.books.is_asked = true;
        let farewells = self.books.farewells.len().min(count);
        let mut told: Vec<StreamStatus> = self.books.farewells.drain(..farewells).collect();
        let slots = self.slots.len();
        for _ in 0..slots {
            if told.len() >= count {
                break;
            }
            let slot = self.books.next_slot % slots;
            self.books.next_slot = slot + 1;
            let Some(stream) = self.slots.get_mut(slot).and_then(Option::as_deref_mut) else { continue };
            let state = sum(stream);
            if stream.told != state {
                stream.told = state;
                told.extend(
                    self.slots.get(slot).and_then(Option::as_deref).map(|stream| self.stream_status(stream)),
                );
            }
        }
        told
    }

    /// Notes the last words of a stream that is done with.
    pub(super) fn say_farewell(&mut self, stream: &Stream) {
        let (ledger, losses) = stream.ledger();
        self.books.retired = self.books.retired.plus(ledger);
        self.books.retired_losses.add(&losses);
        if !self.books.is_asked {
            return;
        }
        let status = StreamStatus { presence: Presence::Ended, ..self.stream_status(stream) };
        if self.books.farewells.len() >= FAREWELLS_MAX {
            self.books.farewells.pop_front();
        }
        self.books.farewells.push_back(status);
    }
}

impl Stream {
    /// The stream's bytes by what became of them. What a missing file still held counts as pending for a while.
    pub(super) fn ledger(&self) -> (Ledger, Losses) {
        let losses = *self.window.lost();
        let (offset, filtered, lost) = (self.window.offset(), self.window.filtered(), losses.sum());
        let ledger = Ledger {
            written: self.size.max(offset),
            acked: offset.saturating_sub(filtered + lost),
            filtered,
            lost,
            pending: self.size.saturating_sub(offset),
        };
        (ledger, losses)
    }
}

/// A number that differs when the ledger does: sizes and offsets only grow. Never zero, which is a stream that was not
/// told of.
fn sum(stream: &Stream) -> u64 {
    let (ledger, _) = stream.ledger();
    let offset = ledger.written - ledger.pending;
    ledger.written.wrapping_mul(0x9e37_79b9_7f4a_7c15).wrapping_add(offset) | (1 << 63)
}
