//! The way from the inputs to the output: bounded in bytes, with buffers that are used again.
//!
//! Enters: batches of an input, and single records of probes and heartbeats. Leaves: the same, in the order in which
//! each sender gave them to a lane. Never: more than [`BYTES_MAX`] and one batch for each lane of a reader's bytes; a
//! lane that is slow has no room, which stops reading what is meant for it and nothing else. Never: a sender that waits.

use std::collections::VecDeque;
use std::fmt;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use crate::batch::Batch;
use crate::route::{LANES_MAX, LaneId, LaneSet, Lanes};

/// Bytes of waiting parcels beyond which a reader has no room for a further batch; lanes have equal shares.
pub const BYTES_MAX: usize = 2 << 20;
/// Further bytes for those that do not wait: probes and heartbeats; lanes have equal shares.
pub const RESERVE_BYTES: usize = 256 << 10;
/// Empty buffers that are kept for the next batch.
const SPARE_MAX: usize = 4;

/// What goes to the output.
#[derive(Debug, Clone)]
pub enum Parcel {
    /// Records, each to the partition of its stream.
    Batch(Batch),
    /// One record for every partition of a lane's topic: a heartbeat.
    Broadcast(LaneId, Vec<u8>),
}

impl Parcel {
    fn bytes(&self) -> usize {
        match self {
            Parcel::Batch(batch) => batch.bytes.len(),
            Parcel::Broadcast(_, record) => record.len(),
        }
    }

    fn is_hasty(&self) -> bool {
        matches!(self, Parcel::Batch(batch) if batch.is_hasty)
    }

    /// The way that it goes.
    #[must_use]
    pub fn lane(&self) -> LaneId {
        match self {
            Parcel::Batch(batch) => batch.lane,
            Parcel::Broadcast(lane, _) => *lane,
        }
    }
}

/// The output has ended, or the shipper ends: whatever is not sent is read again after the next start.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the output takes no more records")]
pub struct Closed;

/// Why an offered parcel was not taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Refused {
    /// The output is behind.
    #[error("the output is behind by more than it can hold")]
    Full,
    /// See [`Closed`].
    #[error("the output takes no more records")]
    Closed,
}

/// What waits on one lane.
#[derive(Debug, Default)]
struct Queue {
    parcels: VecDeque<Parcel>,
    bytes: usize,
    /// Parcels among them whose records go at once.
    hasty: usize,
}

/// Called when a lane has room again.
type Waker = Box<dyn Fn() + Send>;

#[derive(Default)]
struct State {
    lanes: Vec<Queue>,
    waiting: LaneSet,
    spare: Vec<Batch>,
    /// Lanes in which the reader found no room.
    awaited: LaneSet,
    waker: Option<Waker>,
    is_closed: bool,
}

impl fmt::Debug for State {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.debug_struct("State").field("lanes", &self.lanes).finish_non_exhaustive()
    }
}

impl State {
    fn bytes(&self, lane: LaneId) -> usize {
        self.lanes.get(lane.index()).map_or(0, |queue| queue.bytes)
    }

    /// Lanes that have something which goes at once, or half of what they may have.
    fn pressing(&self) -> LaneSet {
        let enough = BYTES_MAX / self.lanes.len().max(1) / 2;
        let mut pressing = LaneSet::NONE;
        for (lane, queue) in (0..LANES_MAX).filter_map(LaneId::at).zip(&self.lanes) {
            if queue.hasty > 0 || queue.bytes >= enough {
                pressing.insert(lane);
            }
        }
        pressing
    }

    fn push(&mut self, parcel: Parcel) {
        let lane = parcel.lane();
        if let Some(queue) = self.lanes.get_mut(lane.index()) {
            queue.bytes += parcel.bytes();
            queue.hasty += usize::from(parcel.is_hasty());
            queue.parcels.push_back(parcel);
            self.waiting.insert(lane);
        }
    }
}

#[derive(Debug, Default)]
struct Shared {
    state: Mutex<State>,
    /// Rings when something was queued, or when the channel closed.
    filled: Condvar,
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The inputs' end; clones share the channel.
#[derive(Debug, Clone)]
pub struct Sender(Arc<Shared>);

/// The output's end.
#[derive(Debug)]
pub struct Receiver(Arc<Shared>);

/// Makes the two ends.
#[must_use]
pub fn channel(lanes: &Lanes) -> (Sender, Receiver) {
    let queues = lanes.iter().map(|_| Queue::default()).collect();
    let state = State { lanes: queues, ..State::default() };
    let shared = Arc::new(Shared { state: Mutex::new(state), filled: Condvar::new() });
    (Sender(Arc::clone(&shared)), Receiver(shared))
}

impl Sender {
    /// An empty batch, with the memory of one that was sent before where there is one.
    #[must_use]
    pub fn buffer(&self, lane: LaneId) -> Batch {
        let spare = self.0.lock().spare.pop().unwrap_or_default();
        Batch { lane, ..spare }
    }

    /// The lanes that have no room for a batch of about `bytes`. The one reader asks before it reads: what it has read,
    /// it has to send. [`Sender::wake_by`] tells when to ask again.
    #[must_use]
    pub fn without_room(&self, bytes: usize) -> LaneSet {
        let mut state = self.0.lock();
        let share = BYTES_MAX / state.lanes.len().max(1);
        let mut full = LaneSet::NONE;
        for (lane, queue) in (0..LANES_MAX).filter_map(LaneId::at).zip(&state.lanes) {
            if queue.bytes > 0 && queue.bytes + bytes > share {
                full.insert(lane);
            }
        }
        state.awaited = full;
        full
    }

    /// Has `waker` called, on the receiver's thread, each time that something leaves a lane which had no room.
    pub fn wake_by(&self, waker: impl Fn() + Send + 'static) {
        self.0.lock().waker = Some(Box::new(waker));
    }

    /// Queues a batch, without waiting and however large: a batch that [`Sender::has_room`] was asked for ends with the
    /// record that makes it larger.
    ///
    /// # Errors
    /// [`Closed`]; the batch's records stay unsettled.
    pub fn send(&self, batch: Batch) -> Result<(), Closed> {
        let state = self.0.lock();
        if state.is_closed {
            return Err(Closed);
        }
        self.push(state, Parcel::Batch(batch));
        Ok(())
    }

    /// Queues a parcel without waiting; it may use [`RESERVE_BYTES`] beyond what readers may use.
    ///
    /// # Errors
    /// [`Refused`]; the caller counts what it drops.
    pub fn offer(&self, parcel: Parcel) -> Result<(), Refused> {
        let state = self.0.lock();
        if state.is_closed {
            return Err(Refused::Closed);
        }
        let share = (BYTES_MAX + RESERVE_BYTES) / state.lanes.len().max(1);
        if state.bytes(parcel.lane()) + parcel.bytes() > share {
            return Err(Refused::Full);
        }
        self.push(state, parcel);
        Ok(())
    }

    /// Lets the receiver take what is queued, and then see the end; senders are refused from now on.
    pub fn close(&self) {
        self.0.lock().is_closed = true;
        self.0.filled.notify_all();
    }

    fn push(&self, mut state: MutexGuard<'_, State>, parcel: Parcel) {
        state.push(parcel);
        drop(state);
        self.0.filled.notify_one();
    }
}

impl Receiver {
    /// Waits until something is queued on a lane that is not `full`, or presses on one that is `held`, or the channel
    /// closes, but at most `wait`; gives the lanes on which something waits, and those of them on which it presses.
    #[must_use]
    pub fn wait(&self, full: LaneSet, held: LaneSet, wait: Duration) -> (LaneSet, LaneSet) {
        let state = self.0.lock();
        let is_idle = |state: &mut State| {
            let open = state.waiting.without(full);
            let has_news = !open.without(held).is_empty() || !state.pressing().and(open).is_empty();
            !has_news && !state.is_closed
        };
        let (state, _) =
            self.0.filled.wait_timeout_while(state, wait, is_idle).unwrap_or_else(PoisonError::into_inner);
        (state.waiting, state.pressing())
    }

    /// Bytes of what waits on the lane.
    #[must_use]
    pub fn waiting_bytes(&self, lane: LaneId) -> usize {
        self.0.lock().bytes(lane)
    }

    /// The lane's next parcel.
    #[must_use]
    pub fn take(&self, lane: LaneId) -> Option<Parcel> {
        let mut state = self.0.lock();
        let queue = state.lanes.get_mut(lane.index())?;
        let parcel = queue.parcels.pop_front()?;
        queue.bytes -= parcel.bytes();
        queue.hasty -= usize::from(parcel.is_hasty());
        if queue.parcels.is_empty() {
            state.waiting.remove(lane);
        }
        if state.awaited.has(lane) {
            state.awaited.remove(lane);
            if let Some(wake) = &state.waker {
                wake();
            }
        }
        Some(parcel)
    }

    /// True when the channel is closed: what has no room in the output by now is read again after the next start.
    #[must_use]
    pub fn is_closed(&self) -> bool {
        self.0.lock().is_closed
    }

    /// Gives a sent batch's memory back to the senders.
    pub fn give_back(&self, mut batch: Batch) {
        batch.clear();
        let mut state = self.0.lock();
        if state.spare.len() < SPARE_MAX {
            state.spare.push(batch);
        }
    }
}

impl Drop for Receiver {
    fn drop(&mut self) {
        Sender(Arc::clone(&self.0)).close();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::route::Wish;

    fn batch(bytes: usize) -> Batch {
        Batch { bytes: vec![b'x'; bytes], ..Batch::default() }
    }

    fn beat(bytes: usize) -> Parcel {
        Parcel::Broadcast(LaneId::MAIN, vec![0; bytes])
    }

    fn has_room(sender: &Sender, bytes: usize) -> bool {
        !sender.without_room(bytes).has(LaneId::MAIN)
    }

    fn size(receiver: &Receiver) -> Option<usize> {
        receiver.take(LaneId::MAIN).map(|parcel| parcel.bytes())
    }

    #[test]
    fn a_full_channel_has_no_room_for_a_reader_and_some_for_heartbeats() {
        let (sender, receiver) = channel(&Lanes::single());
        sender.send(batch(BYTES_MAX - 10)).unwrap();
        assert!(has_room(&sender, 10) && !has_room(&sender, 11));
        sender.offer(beat(100)).unwrap();
        assert_eq!(sender.offer(beat(RESERVE_BYTES)), Err(Refused::Full));
        // What was read has to go.
        sender.send(batch(20)).unwrap();
        let sizes = [size(&receiver), size(&receiver), size(&receiver), size(&receiver)];
        assert_eq!(sizes, [Some(BYTES_MAX - 10), Some(100), Some(20), None]);
    }

    #[test]
    fn an_empty_channel_has_room_for_a_batch_larger_than_everything() {
        let (sender, receiver) = channel(&Lanes::single());
        assert!(has_room(&sender, BYTES_MAX * 2));
        sender.send(batch(BYTES_MAX * 2)).unwrap();
        assert!(!has_room(&sender, 0));
        assert_eq!(size(&receiver), Some(BYTES_MAX * 2));
        assert!(has_room(&sender, BYTES_MAX * 2));
    }

    #[test]
    fn a_full_lane_leaves_the_others_their_room_and_tells_when_it_has_some() {
        let wish = Wish { topic: Some("audit".to_owned()), ..Wish::default() };
        let lanes = Lanes::new("logs", [wish.clone()]).unwrap();
        let (sender, receiver) = channel(&lanes);
        let (rung, audit) = (Arc::new(Mutex::new(0)), lanes.find(&wish));
        let bell = Arc::clone(&rung);
        sender.wake_by(move || *bell.lock().unwrap() += 1);
        sender.send(Batch { lane: audit, ..batch(BYTES_MAX / 2) }).unwrap();
        let full = sender.without_room(1);
        assert!(full.has(audit) && !full.has(LaneId::MAIN));
        let (full, pressing) = receiver.wait(LaneSet::NONE, LaneSet::NONE, Duration::ZERO);
        assert!(full.has(audit) && pressing.has(audit) && !full.has(LaneId::MAIN));
        sender.send(batch(1)).unwrap();
        assert!(receiver.wait(full, LaneSet::NONE, Duration::MAX).0.has(LaneId::MAIN));
        assert_eq!((size(&receiver), *rung.lock().unwrap()), (Some(1), 0));
        assert_eq!(receiver.take(audit).map(|parcel| parcel.bytes()), Some(BYTES_MAX / 2));
        assert_eq!(*rung.lock().unwrap(), 1);
    }

    #[test]
    fn a_record_that_goes_at_once_ends_the_wait_of_a_lane() {
        let (sender, receiver) = channel(&Lanes::single());
        sender.send(batch(1)).unwrap();
        let (held, pressing) = receiver.wait(LaneSet::NONE, LaneSet::NONE, Duration::MAX);
        assert!(held.has(LaneId::MAIN) && pressing.is_empty());
        assert!(receiver.wait(LaneSet::NONE, held, Duration::ZERO).1.is_empty());
        sender.send(Batch { is_hasty: true, ..batch(1) }).unwrap();
        assert!(receiver.wait(LaneSet::NONE, held, Duration::MAX).1.has(LaneId::MAIN));
        let _ = (receiver.take(LaneId::MAIN), receiver.take(LaneId::MAIN));
        assert!(receiver.wait(LaneSet::NONE, held, Duration::ZERO).1.is_empty());
    }

    #[test]
    fn a_closed_channel_gives_what_it_has_and_takes_nothing() {
        let (sender, receiver) = channel(&Lanes::single());
        sender.send(batch(1)).unwrap();
        sender.close();
        assert_eq!(sender.send(batch(2)), Err(Closed));
        assert_eq!(sender.offer(beat(0)), Err(Refused::Closed));
        assert!(receiver.is_closed());
        assert_eq!((size(&receiver), size(&receiver)), (Some(1), None));
        assert!(receiver.wait(LaneSet::NONE, LaneSet::NONE, Duration::MAX).0.is_empty());
    }

    #[test]
    fn an_output_that_is_gone_takes_nothing() {
        let (sender, receiver) = channel(&Lanes::single());
        drop(receiver);
        assert_eq!(sender.send(batch(1)), Err(Closed));
    }

    #[test]
    fn memory_goes_round() {
        let (sender, receiver) = channel(&Lanes::single());
        receiver.give_back(batch(1000));
        let again = sender.buffer(LaneId::MAIN);
        assert!(again.bytes.capacity() >= 1000 && again.bytes.is_empty());
        assert_eq!(sender.buffer(LaneId::MAIN).bytes.capacity(), 0);
    }
}
