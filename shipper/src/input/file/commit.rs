//! From settled offsets to the registry, in groups.
//!
//! Enters: fates, streams whose offset moved. Leaves: one durable group for all of them. Never: a crash when the disk is full;
//! offsets on disk then stay where they are, and records after them are sent again after a restart.

use event::Timestamp;

use super::stream::Presence;
use super::{COMMIT_EVERY, FileInput};
use crate::batch::{Fate, Settled, Ticket};
use crate::registry::{Change, Registry, RegistryError};

impl FileInput {
    /// Takes fates back; offsets move over contiguous runs of them.
    pub fn settle(&mut self, settled: &[Settled], now: Timestamp) {
        for settled in settled {
            self.seams.note(settled);
            self.settle_one(settled.ticket, Some(settled.fate), now);
        }
    }

    /// One of [`FileInput::settle`]; without a fate, the record was left out after it was counted as in flight.
    pub(super) fn settle_one(&mut self, ticket: Ticket, fate: Option<Fate>, now: Timestamp) {
        let slot = ticket.slot();
        let Some(stream) = self.slots.get_mut(slot as usize).and_then(Option::as_deref_mut) else { return };
        let before = stream.window.offset();
        let freed = match fate {
            Some(fate) => stream.window.settle(ticket.sequence(), fate),
            None => stream.window.leave_out(ticket.sequence()),
        };
        if let Some((lane, freed)) = freed {
            self.in_flight.sub(lane, freed);
        }
        let offset = stream.window.offset();
        if offset == before {
            return self.anchoring.gap(slot);
        }
        stream.settled();
        stream.rest();
        let is_over = stream.presence == Presence::Ended && stream.window.is_empty();
        self.touch(slot, now);
        self.settle_seam(slot, offset, now);
        if is_over {
            self.retire(slot, now);
        }
    }

    /// Notes that the registry's entry of this stream is out of date.
    pub(super) fn touch(&mut self, slot: u32, now: Timestamp) {
        if let Some(stream) = self.stream_mut(slot)
            && !stream.is_dirty
        {
            stream.is_dirty = true;
            self.dirty.push(slot);
        }
        self.commit_soon(now);
    }

    pub(super) fn commit_soon(&mut self, now: Timestamp) {
        self.next_commit.get_or_insert(now.plus(COMMIT_EVERY));
    }

    /// Makes everything durable that was settled until now. A caller that ends does it once more.
    ///
    /// # Errors
    /// [`RegistryError::Io`]: the state on disk is the one before, and the next call tries again.
    pub fn checkpoint(&mut self, now: Timestamp) -> Result<(), RegistryError> {
        self.commit(now, Registry::append)
    }

    /// The same without a wait for the disk, in time.
    pub(super) fn commit_behind(&mut self, now: Timestamp) {
        // A failure is told by the readiness part, and tried again at the next time.
        let _ = self.commit(now, Registry::append_behind);
        if self.registry.awaits_disk() {
            // The next commit, be it of nothing, takes the disk's word.
            self.commit_soon(now);
        }
    }

    fn commit(
        &mut self,
        now: Timestamp,
        append: impl FnOnce(&mut Registry, &[Change]) -> Result<(), RegistryError>,
    ) -> Result<(), RegistryError> {
        self.take_stock();
        let is_large = Registry::is_large(self.dirty.len() + self.removed.len(), self.by_key.len());
        let result = if is_large || self.registry.wants_rewrite() {
            let entries = self.slots.iter().flatten().map(|stream| stream.entry());
            self.registry.rewrite(entries, self.anchoring.all())
        } else {
            let removed = self.removed.iter().map(|id| Change::Remove(*id));
            let dirty = self.dirty.iter().filter_map(|slot| self.stream(*slot));
            let anchors = self.anchoring.changes().into_iter().map(Change::Anchor);
            let changes: Vec<Change> = removed
                .chain(dirty.map(|stream| Change::Put(stream.entry().into())))
                .chain(anchors)
                .collect();
            append(&mut self.registry, &changes)
        };
        if let Err(error) = result {
            self.readiness.down("registry", error.to_string());
            self.next_commit = Some(now.plus(COMMIT_EVERY));
            return Err(error);
        }
        self.readiness.up("registry");
        for slot in std::mem::take(&mut self.dirty) {
            if let Some(stream) = self.stream_mut(slot) {
                stream.is_dirty = false;
            }
        }
        self.removed.clear();
        self.next_commit = None;
        self.settle_registry();
        Ok(())
    }
}
