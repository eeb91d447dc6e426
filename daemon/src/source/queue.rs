//! The queue inside the process: Kafka's place on one machine.
//!
//! Enters: records of a producer. Leaves: the same records to each subscriber, and how far all of them are durable.
//! Never: more bytes than its bound, a record on disk. What a subscriber had not committed, the producer's file has.

use std::collections::{BTreeMap, VecDeque};
use std::hash::BuildHasher;
use std::pin::pin;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use bytes::Bytes;
use event::Timestamp;
use tokio::sync::{Notify, watch};
use tokio::time::{Instant, timeout_at};

use super::{BATCH_BYTES_MAX, BATCH_RECORDS_MAX, Batch, Position, Record, Source, SourceError};

/// Bytes that one record costs beside its key and payload.
const RECORD_OVERHEAD_BYTES: u64 = 96;

/// A record before it has an offset.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewRecord {
    /// When it happened, or was read.
    pub timestamp: Timestamp,
    /// The key: our shippers write the stream id.
    pub key: Option<Bytes>,
    /// The value.
    pub payload: Bytes,
}

/// The queue takes no further record, because the daemon ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the queue is closed")]
pub struct QueueClosed;

/// A queue; clones share it. It has one partition, number 0.
#[derive(Debug, Clone)]
pub struct Queue {
    shared: Arc<Shared>,
}

#[derive(Debug)]
struct Shared {
    topic: Arc<str>,
    bytes_max: u64,
    state: Mutex<State>,
    /// Wakes subscribers: records came.
    filled: Notify,
    /// Wakes producers: bytes were freed.
    freed: Notify,
    /// The same for producers that are threads.
    freed_threads: Condvar,
    acked: watch::Sender<i64>,
}

#[derive(Debug, Default)]
struct State {
    records: VecDeque<Record>,
    bytes: u64,
    /// The offset of the first record in `records`.
    base: i64,
    readers: BTreeMap<u64, Reader>,
    /// The lowest position of a subscriber that left before everything it was given was committed.
    held: Option<i64>,
    readers_made: u64,
    is_closed: bool,
}

#[derive(Debug, Clone, Copy)]
struct Reader {
    next: i64,
    committed: i64,
}

impl State {
    fn end(&self) -> i64 {
        self.base + self.records.len() as i64
    }

    /// Everything before this is durable in every subscriber.
    fn acked(&self) -> Option<i64> {
        self.readers.values().map(|reader| reader.committed).chain(self.held).min()
    }

    /// Drops what every subscriber has read. True when something was dropped.
    fn free(&mut self) -> bool {
        let Some(read) = self.readers.values().map(|reader| reader.next).min() else { return false };
        let before = self.base;
        while self.base < read {
            let Some(record) = self.records.pop_front() else { break };
            self.bytes -= cost(record.key.as_ref(), &record.payload);
            self.base += 1;
        }
        self.base > before
    }
}

impl Queue {
    /// An empty queue that holds `bytes_max` bytes at most; one record that is larger passes when it is alone.
    /// Its topic has a name of its own in each process, because its offsets start anew.
    #[must_use]
    pub fn new(bytes_max: u64) -> Self {
        // The hasher's keys are random: a name that no other process has, without a clock.
        let id = std::hash::RandomState::new().hash_one(std::process::id());
        let shared = Shared {
            topic: format!("queue-{id:016x}").into(),
            bytes_max,
            state: Mutex::default(),
            filled: Notify::new(),
            freed: Notify::new(),
            freed_threads: Condvar::new(),
            acked: watch::Sender::new(0),
        };
        Queue { shared: Arc::new(shared) }
    }

    /// A subscriber that sees every record from the first that is still held. Subscribe before the producers start,
    /// else the first records may be gone. A subscriber that leaves without having committed what it was given holds
    /// [`Queue::acked`] where it was.
    #[must_use]
    pub fn subscribe(&self) -> QueueSource {
        let mut state = self.shared.state();
        state.readers_made += 1;
        let (id, base) = (state.readers_made, state.base);
        state.readers.insert(id, Reader { next: base, committed: base });
        QueueSource { shared: Arc::clone(&self.shared), id }
    }

    /// Appends the records, waiting for room where the queue is full. Returns the offset behind the last: when
    /// [`Queue::acked`] shows it, all of them are durable. Not cancel safe: end a wait with [`Queue::close`].
    ///
    /// # Errors
    /// [`QueueClosed`]; records that had not found room are dropped, and their files still have them.
    pub async fn push(&self, records: Vec<NewRecord>) -> Result<i64, QueueClosed> {
        let mut records = VecDeque::from(records);
        loop {
            let mut freed = pin!(self.shared.freed.notified());
            freed.as_mut().enable();
            if let Some(next) = self.shared.admit(&mut self.shared.state(), &mut records)? {
                return Ok(next);
            }
            freed.await;
        }
    }

    /// As [`Queue::push`], for a thread outside the runtime.
    ///
    /// # Errors
    /// [`QueueClosed`]
    pub fn push_blocking(&self, records: Vec<NewRecord>) -> Result<i64, QueueClosed> {
        let mut records = VecDeque::from(records);
        let mut state = self.shared.state();
        loop {
            if let Some(next) = self.shared.admit(&mut state, &mut records)? {
                return Ok(next);
            }
            state = self.shared.freed_threads.wait(state).unwrap_or_else(PoisonError::into_inner);
        }
    }

    /// Appends as many of the records as there is room for, without waiting, and takes those out of `records`. Returns
    /// the offset behind the last record that is in the queue.
    ///
    /// # Errors
    /// [`QueueClosed`]; `records` are as they were.
    pub fn offer(&self, records: &mut VecDeque<NewRecord>) -> Result<i64, QueueClosed> {
        let mut state = self.shared.state();
        self.shared.admit(&mut state, records).map(|_| state.end())
    }

    /// The offset before which every subscriber has committed everything; starts at 0 and only grows.
    #[must_use]
    pub fn acked(&self) -> watch::Receiver<i64> {
        self.shared.acked.subscribe()
    }

    /// Takes no further record; producers that wait return. Subscribers still get what is there.
    pub fn close(&self) {
        self.shared.state().is_closed = true;
        self.shared.wake_producers();
    }

    /// Bytes that are held now.
    #[must_use]
    pub fn bytes(&self) -> u64 {
        self.shared.state().bytes
    }
}

impl Shared {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn wake_producers(&self) {
        self.freed.notify_waiters();
        self.freed_threads.notify_all();
    }

    /// Moves what there is room for from `records` into the queue. The offset behind the last when all are in.
    fn admit(
        &self,
        state: &mut State,
        records: &mut VecDeque<NewRecord>,
    ) -> Result<Option<i64>, QueueClosed> {
        if state.is_closed {
            return Err(QueueClosed);
        }
        let before = state.end();
        while let Some(record) = records.front() {
            let bytes = cost(record.key.as_ref(), &record.payload);
            if state.bytes + bytes > self.bytes_max && !state.records.is_empty() {
                break;
            }
            if let Some(NewRecord { timestamp, key, payload }) = records.pop_front() {
                let (topic, offset) = (Arc::clone(&self.topic), state.end());
                state.records.push_back(Record { topic, partition: 0, offset, timestamp, key, payload });
                state.bytes += bytes;
            }
        }
        if state.end() > before {
            self.filled.notify_waiters();
        }
        Ok(records.is_empty().then(|| state.end()))
    }

    fn publish(&self, state: &State) {
        let Some(acked) = state.acked() else { return };
        self.acked.send_if_modified(|last| {
            let has_grown = acked > *last;
            *last = acked.max(*last);
            has_grown
        });
    }
}

/// One subscriber of a [`Queue`].
#[derive(Debug)]
pub struct QueueSource {
    shared: Arc<Shared>,
    id: u64,
}

impl QueueSource {
    /// What is there now.
    fn take(&self) -> Batch {
        let mut state = self.shared.state();
        let (base, end) = (state.base, state.end());
        let mut batch = Batch::default();
        let Some(mut reader) = state.readers.get(&self.id).copied() else { return batch };
        let mut bytes = 0;
        let unread = usize::try_from(reader.next - base).unwrap_or(usize::MAX);
        for record in state.records.iter().skip(unread).take(BATCH_RECORDS_MAX) {
            if bytes >= BATCH_BYTES_MAX {
                break;
            }
            bytes += record.payload.len() + record.key.as_ref().map_or(0, Bytes::len);
            batch.records.push(record.clone());
        }
        reader.next += batch.records.len() as i64;
        batch.is_caught_up = reader.next == end;
        state.readers.insert(self.id, reader);
        if state.free() {
            self.shared.wake_producers();
        }
        batch
    }

    fn ours<'p>(&self, positions: &'p [Position]) -> Option<&'p Position> {
        positions.iter().find(|position| position.topic == *self.shared.topic && position.partition == 0)
    }

    fn change(&self, change: impl FnOnce(&mut Reader, &State)) {
        let mut state = self.shared.state();
        if let Some(mut reader) = state.readers.get(&self.id).copied() {
            change(&mut reader, &state);
            state.readers.insert(self.id, reader);
            self.shared.publish(&state);
        }
    }
}

impl Source for QueueSource {
    async fn next(&mut self, wait: Duration) -> Result<Batch, SourceError> {
        let deadline = Instant::now() + wait;
        loop {
            let mut filled = pin!(self.shared.filled.notified());
            filled.as_mut().enable();
            let batch = self.take();
            if !batch.records.is_empty() || timeout_at(deadline, filled).await.is_err() {
                return Ok(batch);
            }
        }
    }

    /// Positions of another process's queue are of another topic, and ignored. Within this one, records that every
    /// subscriber has read are gone: an earlier position goes on at the first that is there.
    fn seek(&mut self, positions: &[Position]) {
        if let Some(position) = self.ours(positions) {
            self.change(|reader, state| reader.next = position.next.clamp(state.base, state.end()));
        }
    }

    async fn commit(&mut self, positions: &[Position]) -> Result<(), SourceError> {
        if let Some(position) = self.ours(positions) {
            self.change(|reader, _| reader.committed = position.next.min(reader.next).max(reader.committed));
        }
        Ok(())
    }
}

impl Drop for QueueSource {
    fn drop(&mut self) {
        let mut state = self.shared.state();
        if let Some(reader) = state.readers.remove(&self.id) {
            if reader.committed < reader.next {
                state.held = Some(state.held.map_or(reader.committed, |held| held.min(reader.committed)));
            }
            state.free();
            self.shared.publish(&state);
            self.shared.wake_producers();
        }
    }
}

fn cost(key: Option<&Bytes>, payload: &Bytes) -> u64 {
    (payload.len() + key.map_or(0, Bytes::len)) as u64 + RECORD_OVERHEAD_BYTES
}

#[cfg(test)]
mod tests;
