//! What the registry says of records on the broker, beside the offsets that they are settled by.
//!
//! Enters: the output's word that it begins, and how far the broker has acknowledged. Leaves: anchors in the group of the
//! offsets that cover them, and the mark of whether anything is in doubt. Never: a record that is handed out unmarked.

use event::Timestamp;

use super::FileInput;
use super::anchor::Standing;
use crate::registry::{ALIVE_EVERY, Anchors, Change, Doubt};

impl FileInput {
    /// What the last owner of the registry left in doubt, once.
    pub fn take_doubt(&mut self) -> Option<Doubt> {
        self.doubt.take()
    }

    /// The output is about to send records, and they will lie from `anchors` on: after a kill they are looked for there.
    pub fn anchor(&mut self, anchors: Anchors, now: Timestamp) {
        self.anchoring.begin(anchors);
        if self.in_flight.sum() > 0 {
            self.open_doubt(now);
        }
        // A failure is told by the readiness part. Delivery does not wait for a disk: without the anchors, a kill makes
        // records be sent twice.
        let _ = self.checkpoint(now);
    }

    /// The broker has acknowledged everything that went to these partitions up to here; the fates are told already.
    pub fn reach(&mut self, reached: Anchors, now: Timestamp) {
        self.anchoring.reach(reached);
        if !self.registry.is_settled() {
            self.commit_soon(now);
        }
    }

    /// Records are about to be handed to the output.
    pub(super) fn hand_out(&mut self, now: Timestamp) {
        if self.anchoring.is_begun() && self.registry.is_settled() {
            self.open_doubt(now);
            // The next commit brings them too; this one is for a kill before it, after a long silence. It does not wait for
            // the disk, not even for what that has to say of the commit before.
            if !self.registry.wants_rewrite() && !self.registry.awaits_disk() {
                self.take_stock();
                let anchors = self.anchoring.changes().into_iter().map(Change::Anchor);
                if self.registry.note(&anchors.collect::<Vec<_>>()).is_ok() {
                    self.anchoring.committed();
                }
            }
        }
    }

    fn open_doubt(&mut self, now: Timestamp) {
        self.touched = None;
        if let Err(error) = self.registry.unsettle() {
            tracing::warn!(%error, "a kill before the next commit would make records be sent twice");
        }
        self.touch_registry(now);
    }

    /// Says that records may be on their way until now.
    pub(super) fn touch_registry(&mut self, now: Timestamp) {
        let is_due = self.touched.is_none_or(|at| now < at || now.since(at) >= ALIVE_EVERY);
        if self.anchoring.is_begun() && !self.registry.is_settled() && is_due {
            self.touched = Some(now);
            // It would have to fail for a minute to make a difference, and then the disk has been told of by a commit.
            let _ = self.registry.touch(now);
        }
    }

    /// Before a commit: how far the anchors may move with the offsets as they are.
    pub(super) fn take_stock(&mut self) {
        let slots = &self.slots;
        self.anchoring.take_stock(|slot| {
            let stream = slots.get(slot as usize)?.as_deref()?;
            let (offset, waiting_end) = (stream.window.offset(), stream.window.waiting_end());
            Some(Standing { stream: stream.id, offset, waiting_end })
        });
    }

    /// After a commit: is anything in doubt?
    pub(super) fn settle_registry(&mut self) {
        self.anchoring.committed();
        let is_done = self.in_flight.sum() == 0 && self.anchoring.is_past_doubt();
        if is_done && !self.registry.is_settled() {
            // What is not said to be settled is looked at after the next start.
            let _ = self.registry.settle(false);
        }
    }

    /// The last word: no record will be handed out any more.
    ///
    /// # Errors
    /// As [`FileInput::checkpoint`].
    pub fn finish(&mut self, now: Timestamp) -> Result<(), crate::registry::RegistryError> {
        self.checkpoint(now)?;
        if self.registry.is_settled() { self.registry.settle(true) } else { Ok(()) }
    }
}
