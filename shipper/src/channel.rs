//! The way from the inputs to the output: bounded in bytes, with buffers that are used again.
//!
//! Enters: batches of an input, and single records of probes and heartbeats. Leaves: the same, in the order in which
//! each sender gave them. Never: more than [`BYTES_MAX`] and one batch of a reader's bytes; a slow output leaves no room,
//! which stops reading files and nothing else. Never: a sender that waits.

use std::collections::VecDeque;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use crate::batch::Batch;

/// Bytes of waiting parcels beyond which a reader has no room for a further batch.
pub const BYTES_MAX: usize = 2 << 20;
/// Further bytes for those that do not wait: probes and heartbeats.
pub const RESERVE_BYTES: usize = 256 << 10;
/// Empty buffers that are kept for the next batch.
const SPARE_MAX: usize = 4;

/// What goes to the output.
#[derive(Debug, Clone)]
pub enum Parcel {
    /// Records, each to the partition of its stream.
    Batch(Batch),
    /// One record for every partition of the output: a heartbeat.
    Broadcast(Vec<u8>),
}

impl Parcel {
    fn bytes(&self) -> usize {
        match self {
            Parcel::Batch(batch) => batch.bytes.len(),
            Parcel::Broadcast(record) => record.len(),
        }
    }
}

/// What a receiver gets.
#[derive(Debug)]
pub enum Received {
    /// The next parcel.
    Parcel(Parcel),
    /// Nothing came in time.
    Nothing,
    /// Nothing will come any more.
    Closed,
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

#[derive(Debug, Default)]
struct State {
    queue: VecDeque<Parcel>,
    queued_bytes: usize,
    spare: Vec<Batch>,
    is_closed: bool,
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
pub fn channel() -> (Sender, Receiver) {
    let shared = Arc::new(Shared::default());
    (Sender(Arc::clone(&shared)), Receiver(shared))
}

impl Sender {
    /// An empty batch, with the memory of one that was sent before where there is one.
    #[must_use]
    pub fn buffer(&self) -> Batch {
        self.0.lock().spare.pop().unwrap_or_default()
    }

    /// True when there is room for a batch of about `bytes`. The one reader asks before it reads: what it has read, it
    /// has to send.
    #[must_use]
    pub fn has_room(&self, bytes: usize) -> bool {
        let state = self.0.lock();
        state.queued_bytes == 0 || state.queued_bytes + bytes <= BYTES_MAX
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
        if state.queued_bytes + parcel.bytes() > BYTES_MAX + RESERVE_BYTES {
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
        state.queued_bytes += parcel.bytes();
        state.queue.push_back(parcel);
        drop(state);
        self.0.filled.notify_one();
    }
}

impl Receiver {
    /// The next parcel; waits for one at most `wait`.
    #[must_use]
    pub fn receive(&self, wait: Duration) -> Received {
        let state = self.0.lock();
        let is_idle = |state: &mut State| state.queue.is_empty() && !state.is_closed;
        let (mut state, _) =
            self.0.filled.wait_timeout_while(state, wait, is_idle).unwrap_or_else(PoisonError::into_inner);
        match state.queue.pop_front() {
            Some(parcel) => {
                state.queued_bytes -= parcel.bytes();
                Received::Parcel(parcel)
            }
            None if state.is_closed => Received::Closed,
            None => Received::Nothing,
        }
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

    fn batch(bytes: usize) -> Batch {
        Batch { bytes: vec![b'x'; bytes], ..Batch::default() }
    }

    fn size(received: &Received) -> Option<usize> {
        match received {
            Received::Parcel(parcel) => Some(parcel.bytes()),
            Received::Nothing | Received::Closed => None,
        }
    }

    #[test]
    fn a_full_channel_has_no_room_for_a_reader_and_some_for_heartbeats() {
        let (sender, receiver) = channel();
        sender.send(batch(BYTES_MAX - 10)).unwrap();
        assert!(!sender.has_room(11) && sender.has_room(10));
        sender.offer(Parcel::Broadcast(vec![0; 100])).unwrap();
        assert_eq!(sender.offer(Parcel::Broadcast(vec![0; RESERVE_BYTES])), Err(Refused::Full));
        // What was read has to go.
        sender.send(batch(20)).unwrap();
        let sizes: Vec<_> = (0..3).map(|_| size(&receiver.receive(Duration::ZERO))).collect();
        assert_eq!(sizes, [Some(BYTES_MAX - 10), Some(100), Some(20)]);
    }

    #[test]
    fn an_empty_channel_has_room_for_a_batch_larger_than_everything() {
        let (sender, receiver) = channel();
        assert!(sender.has_room(BYTES_MAX * 2));
        sender.send(batch(BYTES_MAX * 2)).unwrap();
        assert!(!sender.has_room(0));
        assert_eq!(size(&receiver.receive(Duration::ZERO)), Some(BYTES_MAX * 2));
        assert!(sender.has_room(BYTES_MAX * 2));
    }

    #[test]
    fn a_closed_channel_gives_what_it_has_and_takes_nothing() {
        let (sender, receiver) = channel();
        sender.send(batch(1)).unwrap();
        sender.close();
        assert_eq!(sender.send(batch(2)), Err(Closed));
        assert_eq!(sender.offer(Parcel::Broadcast(Vec::new())), Err(Refused::Closed));
        assert_eq!(size(&receiver.receive(Duration::ZERO)), Some(1));
        assert!(matches!(receiver.receive(Duration::ZERO), Received::Closed));
    }

    #[test]
    fn an_output_that_is_gone_takes_nothing() {
        let (sender, receiver) = channel();
        drop(receiver);
        assert_eq!(sender.send(batch(1)), Err(Closed));
    }

    #[test]
    fn memory_goes_round() {
        let (sender, receiver) = channel();
        receiver.give_back(batch(1000));
        let again = sender.buffer();
        assert!(again.bytes.capacity() >= 1000 && again.bytes.is_empty());
        assert_eq!(sender.buffer().bytes.capacity(), 0);
    }
}
