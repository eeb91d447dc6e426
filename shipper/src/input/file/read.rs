//! One stream's turn: open, read a step, note what came of it.
//!
//! Enters: a slot. Leaves: records in the batch, and the stream's place in the line for its next turn.
//! Never: a refused file that stops the others; what is wrong stands in the stream's status.

use event::Timestamp;

use super::FileInput;
use super::content::Content;
use super::harvest::{self, HarvestError, Step, Work};
use super::identity::Facts;
use super::sink::Sink;
use super::stream::{Presence, Stream};
use crate::batch::Outbox;
use crate::registry::Print;

/// What a stream's turn works with.
pub(super) struct Turn<'a> {
    pub file: Option<&'a mut Content>,
    pub work: Option<&'a mut Work>,
    pub buffer: &'a mut Vec<u8>,
    pub is_finishing: bool,
    pub sink: Sink<'a>,
}

impl FileInput {
    /// Reads one step of the stream, and gives it another turn when there is more.
    pub(super) fn read_step(&mut self, slot: u32, now: Timestamp, out: &mut Outbox) {
        let Some(stream) = self.stream_mut(slot) else { return };
        stream.is_queued = false;
        self.ship_stray(slot, now, out);
        let Some(stream) = self.stream(slot).filter(|stream| stream.presence != Presence::Ended) else {
            return;
        };
        if stream.file.is_none() && stream.base.is_some() && self.next_spool() != Some(slot) {
            // Copies are read one after the other.
            return self.part(slot);
        }
        if stream.file.is_none() && self.files_open >= self.files_open_max {
            self.close_oldest();
        }
        if !self.hold(slot, now) {
            return self.part(slot);
        }
        if !self.may_read(slot, now, out) {
            return;
        }
        let result = self.read_held(slot, now, out);
        let is_refused = result.is_err();
        let work = self.stream_mut(slot).and_then(|stream| stream.work.as_mut());
        if let Some(sewn) = work.and_then(|work| work.pipe.take_sewn()) {
            self.sew(slot, sewn, now);
        }
        match result {
            Ok(Step::More) => self.queue(slot),
            Ok(Step::CaughtUp) => self.leave_spool(slot, now),
            Ok(Step::Blocked(lane)) => self.park(slot, lane),
            Err(error) => self.failed(slot, &error, now),
        }
        if is_refused {
            self.part(slot);
        } else {
            self.wake_newer(slot);
        }
        self.set_timer(slot);
    }

    /// Before the first record of a stream is sent, the registry has to know it.
    pub(super) fn name(&mut self, slot: u32, now: Timestamp) {
        let Some(stream) = self.stream_mut(slot) else { return };
        if !std::mem::replace(&mut stream.is_named, true) {
            self.has_unnamed = true;
            self.touch(slot, now);
        }
    }

    fn read_held(&mut self, slot: u32, now: Timestamp, out: &mut Outbox) -> Result<Step, HarvestError> {
        if !self.begin_reading(slot)? {
            return Ok(Step::More);
        }
        if self.stream(slot).is_none_or(|stream| stream.file.is_none() || stream.work.is_none()) {
            return Ok(Step::CaughtUp);
        }
        let records = out.records();
        let carry = self.seams.take(slot);
        let Some(turn) = self.turn(slot, now, out) else { return Ok(Step::CaughtUp) };
        let Turn { file: Some(file), work: Some(work), buffer, is_finishing, mut sink } = turn else {
            return Ok(Step::CaughtUp);
        };
        if let Some(carry) = carry {
            work.pipe.take_over(carry);
        }
        let before = (work.pipe.read(), sink.window.offset());
        let (step, end) = harvest::step(work, file, buffer, is_finishing, &mut sink)?;
        let has_records = out.records() > records;
        let FileInput { slots, books, .. } = self;
        let Some(stream) = slots.get_mut(slot as usize).and_then(Option::as_deref_mut) else {
            return Ok(Step::CaughtUp);
        };
        note(stream, before.0, step, end, now);
        if step == Step::CaughtUp && end < stream.size {
            let lost_bytes = stream.size - std::mem::replace(&mut stream.size, end);
            tracing::warn!(path = %stream.path.display(), lost_bytes, "file became shorter before it was read");
            books.retired.written += lost_bytes;
            books.retired.lost += lost_bytes;
            books.retired_losses.truncated += lost_bytes;
        }
        if stream.window.offset() > before.1 {
            self.touch(slot, now);
        }
        if has_records {
            self.name(slot, now);
        }
        Ok(step)
    }

    /// Makes what reading needs, and goes to where the next read begins; false when that takes a further turn.
    fn begin_reading(&mut self, slot: u32) -> Result<bool, HarvestError> {
        let FileInput { slots, inputs, host, .. } = self;
        let Some(stream) = slots.get_mut(slot as usize).and_then(Option::as_deref_mut) else {
            return Ok(true);
        };
        let (Some(mut file), Some(input)) = (stream.file.take(), inputs.get(stream.input)) else {
            return Ok(true);
        };
        let is_near = harvest::approach(stream, &mut file);
        if stream.work.is_none() && matches!(is_near, Ok(true)) {
            let pipe = input.pipe(stream.id, host, &stream.origin_path(), stream.window.offset());
            let begun = harvest::begin(stream, &mut file, input.route, pipe);
            stream.file = Some(file);
            stream.work = Some(begun?);
        } else {
            stream.file = Some(file);
        }
        is_near
    }

    /// What a stream's turn works with.
    pub(super) fn turn<'a>(&'a mut self, slot: u32, now: Timestamp, out: &'a mut Outbox) -> Option<Turn<'a>> {
        let route = self.route(slot);
        let FileInput {
            slots, inputs, buffer, scratch, in_flight, multiline_cuts, switched_off, switch, ..
        } = self;
        let stream = slots.get_mut(slot as usize).and_then(Option::as_deref_mut)?;
        let sink = Sink {
            slot,
            window: &mut stream.window,
            out,
            route,
            is_switched_on: switch.is_on(now),
            switched_off,
            stop: None,
            scratch,
            processors: &mut inputs.get_mut(stream.input)?.processors,
            in_flight,
            multiline_cuts,
            now,
        };
        let (file, work) = (stream.file.as_mut(), stream.work.as_deref_mut());
        Some(Turn { file, work, buffer, is_finishing: stream.is_finishing, sink })
    }

    /// Opens the stream's file unless it is open, or there is no room for another. True when it is open.
    pub(super) fn hold(&mut self, slot: u32, now: Timestamp) -> bool {
        let has_room = self.files_open < self.files_open_max;
        let Some(stream) = self.stream_mut(slot) else { return false };
        if stream.file.is_some() {
            return true;
        }
        if !has_room || matches!(stream.presence, Presence::Deleted | Presence::Ended) {
            return false;
        }
        match harvest::open(stream) {
            Ok(file) => {
                stream.file = Some(file);
                stream.active_at = now;
                self.files_open += 1;
                self.open_order.push_back(slot);
                true
            }
            Err(error) => {
                self.failed(slot, &error, now);
                false
            }
        }
    }

    pub(super) fn close(&mut self, slot: u32) {
        if let Some(stream) = self.stream_mut(slot)
            && stream.file.take().is_some()
        {
            stream.rest();
            self.files_open -= 1;
            self.open_order.retain(|open| *open != slot);
        }
    }

    /// Closes the file that was opened first among those that can be opened again.
    fn close_oldest(&mut self) {
        let can_reopen = |slot: &u32| self.stream(*slot).is_some_and(|s| s.presence == Presence::Present);
        if let Some(slot) = self.open_order.iter().copied().find(can_reopen) {
            self.close(slot);
        }
    }

    /// An error stands in the stream's status and once in the log; the next scan tries again.
    fn failed(&mut self, slot: u32, error: &HarvestError, now: Timestamp) {
        self.unsew(slot);
        let Some(stream) = self.stream_mut(slot) else { return };
        stream.read_end = None;
        if matches!(error, HarvestError::Rewritten) {
            if let Some(Ok(metadata)) = stream.file.as_ref().map(Content::metadata) {
                self.rewritten(slot, Facts::of(&metadata), now);
            }
            return;
        }
        let text = error.to_string();
        if stream.error.as_ref() != Some(&text) {
            tracing::warn!(path = %stream.path.display(), error = text, "file cannot be read; trying again");
        }
        stream.error = Some(text);
    }

    /// Keeps the set of timers in step with the stream's joiner.
    pub(super) fn set_timer(&mut self, slot: u32) {
        let Some(stream) = self.stream_mut(slot) else { return };
        let due = stream.work.as_ref().and_then(|work| work.pipe.deadline());
        let before = std::mem::replace(&mut stream.timer, due);
        if before != due {
            if let Some(before) = before {
                self.timers.remove(&(before, slot));
            }
            if let Some(due) = due {
                self.timers.insert((due, slot));
            }
        }
    }
}

/// Takes the step's outcome into the stream.
pub(super) fn note(stream: &mut Stream, read_before: u64, step: Step, end: u64, now: Timestamp) {
    let Some(work) = &stream.work else { return };
    let has_moved = work.pipe.read() > read_before;
    let is_head_longer = work.head.len() > stream.head.len as usize;
    let head = is_head_longer.then(|| Print::of(0, &work.head));
    let tail = has_moved.then(|| harvest::tail_print(work));
    stream.head = head.unwrap_or(stream.head);
    if has_moved || stream.read_end.is_none_or(|before| end > before) {
        stream.active_at = now;
    }
    stream.read_end = (step == Step::CaughtUp).then_some(end);
    stream.grow(end, now);
    stream.own_size = stream.size;
    if let Some(tail) = tail {
        stream.mark(tail);
        stream.settled();
    }
    if stream.error.take().is_some() {
        tracing::info!(path = %stream.path.display(), "file can be read again");
    }
}
