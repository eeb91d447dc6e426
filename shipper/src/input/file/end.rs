//! The end of a stream.
//!
//! Enters: a stream whose bytes are gone, or of which nothing is left to do. Leaves: its unread bytes in the ledger, by
//! reason; its sums among those of the streams that were. Never: a stream that is forgotten while a record of it flies.

use event::{StreamId, Timestamp};

use super::FileInput;
use super::ack::Part;
use super::stream::Presence;

impl FileInput {
    /// The stream's bytes are gone; what was not read is counted.
    pub(super) fn end(&mut self, slot: u32, reason: Part, now: Timestamp) {
        self.unsew(slot);
        self.part(slot);
        self.close(slot);
        let Some(stream) = self.stream_mut(slot) else { return };
        let (key, size) = (stream.key(), stream.size);
        stream.presence = Presence::Ended;
        if let Some(mut work) = stream.work.take() {
            work.pipe.give_up(&mut stream.window);
        }
        let lost_bytes = size.saturating_sub(stream.window.position());
        if lost_bytes > 0 {
            stream.window.skip(size, reason);
        }
        let reason = match reason {
            Part::Truncated => "truncated",
            Part::OverBudget => "over budget",
            _ => "vanished",
        };
        let path = stream.path.display().to_string();
        if lost_bytes > 0 {
            tracing::warn!(path, stream = %stream.id, reason, lost_bytes, "file ended before it was read");
        } else {
            tracing::info!(path, stream = %stream.id, reason, "file ended");
        }
        let is_over = stream.window.is_empty();
        let timer = stream.timer.take();
        if let Some(due) = timer {
            self.timers.remove(&(due, slot));
        }
        if self.by_key.get(&key) == Some(&slot) {
            self.by_key.remove(&key);
        }
        if is_over {
            self.retire(slot, now);
        }
    }

    /// Forgets a stream of which nothing is left to do; its sums stay in the ledger.
    pub(super) fn retire(&mut self, slot: u32, now: Timestamp) {
        self.part(slot);
        self.close(slot);
        self.heirs.remove(&slot);
        let Some(stream) = self.slots.get_mut(slot as usize).and_then(Option::take) else { return };
        self.seams.forget(slot, &stream);
        if self.by_key.get(&stream.key()) == Some(&slot) {
            self.by_key.remove(&stream.key());
        }
        if let Some(due) = stream.timer {
            self.timers.remove(&(due, slot));
        }
        if stream.base.is_some() {
            self.spooled.retain(|spooled| *spooled != slot);
            // Our own copy has served. One that cannot be removed now is removed by the next start.
            let _ = std::fs::remove_file(&stream.path);
        }
        self.say_farewell(&stream);
        self.forget(stream.id, now);
        self.free.push_back(slot);
    }

    fn forget(&mut self, id: StreamId, now: Timestamp) {
        self.removed.push(id);
        self.commit_soon(now);
    }
}
