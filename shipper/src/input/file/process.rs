//! When processors tell of what they left out.
//!
//! Enters: the time. Leaves: summaries, in the batch of their input's lane. Never: one for a lane without room; it waits,
//! and while it does nothing is read that could add another.

use event::Timestamp;

use super::FileInput;
use crate::batch::Outbox;

impl FileInput {
    /// Ends the windows whose time has passed.
    pub(super) fn tick_processors(&mut self, now: Timestamp) {
        self.inputs.iter_mut().for_each(|input| input.processors.tick(now));
    }

    /// When [`FileInput::tick_processors`] has something to do.
    pub(super) fn processors_deadline(&self) -> Option<Timestamp> {
        self.inputs.iter().filter_map(|input| input.processors.deadline()).min()
    }

    /// Appends what there is to tell.
    pub(super) fn summarize(&mut self, now: Timestamp, out: &mut Outbox) {
        for at in 0..self.inputs.len() {
            let is_open = self.inputs.get(at).is_some_and(|input| self.is_open(input.route.lane(), out));
            if let Some(input) = self.inputs.get_mut(at).filter(|_| is_open)
                && let Some(batch) = out.batch(input.route.lane())
            {
                input.processors.summarize(now, batch);
            }
        }
    }

    /// Nothing will be read any more: ends all windows, and tells of them where there is room.
    pub(super) fn end_windows(&mut self, now: Timestamp, out: &mut Outbox) {
        self.inputs.iter_mut().for_each(|input| input.processors.finish());
        self.summarize(now, out);
    }
}
