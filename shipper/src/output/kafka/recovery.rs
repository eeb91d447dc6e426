//! How a producer comes back after a refusal that its client cannot retry.
//!
//! Enters: refusals, acknowledgements, the end of a replay, the time. Leaves: when to connect anew, and how.
//! Never: a producer, a record.
//!
//! The client runs with `enable.gapless.guarantee`: the first refusal stops it, so nothing later of a stream can be
//! written before what was refused, and everything unsettled comes back to be sent again in order. One way back serves
//! every kind of refusal:
//!
//! ```text
//!            refusal of a record                    all sent and acked
//! Open(bulk) -------------------> Open(single) --------------------------> Open(bulk, smaller batches if none was bad)
//!      |  ^                          | a record alone in its request is refused: that one is a dead letter
//!      v  | back-off                 v
//!     Waiting  <---- refusal of a setting or a session
//! ```

use std::time::Duration;

use daemon::backoff::{Backoff, fraction};
use event::Timestamp;

use super::refusal::Kind;

const WAIT_FIRST: Duration = Duration::from_millis(500);
const WAIT_MAX: Duration = Duration::from_secs(30);
/// Batches are not made smaller than this; a broker that refuses them refuses most single records as well.
pub const BATCH_BYTES_MIN: u64 = 16 << 10;

/// How to connect.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Session {
    /// One record in each request, so that a refusal names one record.
    pub is_single: bool,
    /// Bytes in one request at most.
    pub batch_bytes: u64,
}

/// The pure part of the producer's life.
#[derive(Debug, Clone)]
pub struct Recovery {
    session: Session,
    backoff: Backoff,
    /// When to connect; `None` while connected.
    due: Option<Timestamp>,
    /// A record was found bad since the last bulk session.
    found_bad: bool,
}

impl Recovery {
    /// Connects at once.
    #[must_use]
    pub fn new(batch_bytes: u64, now: Timestamp) -> Self {
        let session = Session { is_single: false, batch_bytes: batch_bytes.max(BATCH_BYTES_MIN) };
        Recovery { session, backoff: Backoff::new(WAIT_FIRST, WAIT_MAX), due: Some(now), found_bad: false }
    }

    /// The session stopped; `kind` is the gravest refusal in it.
    pub fn handle(&mut self, kind: Kind, now: Timestamp) {
        match kind {
            Kind::Record => {
                self.found_bad |= self.session.is_single;
                self.session.is_single = true;
                self.due = Some(now);
            }
            Kind::Setting | Kind::Session | Kind::Bystander => {
                let seed = u64::try_from(now.as_nanos()).unwrap_or(0);
                self.due = Some(now.plus(self.backoff.next_delay(fraction(seed))));
            }
        }
    }

    /// The broker acknowledged something.
    pub fn acked(&mut self) {
        self.backoff.reset();
    }

    /// Everything that had come back is acknowledged. True when the session must be closed for one in bulk.
    pub fn replayed(&mut self, now: Timestamp) -> bool {
        if !self.session.is_single {
            return false;
        }
        // Each record passed alone, so it was their batch that was too large for the topic.
        if !std::mem::take(&mut self.found_bad) {
            self.session.batch_bytes = (self.session.batch_bytes / 2).max(BATCH_BYTES_MIN);
        }
        self.session.is_single = false;
        self.due = Some(now);
        true
    }

    /// How to connect, once it is time.
    pub fn tick(&mut self, now: Timestamp) -> Option<Session> {
        self.due.take_if(|due| *due <= now).map(|_| self.session)
    }

    /// When [`Recovery::tick`] has something to do; `None` while connected.
    #[must_use]
    pub fn deadline(&self) -> Option<Timestamp> {
        self.due
    }

    /// How the session is, or will be.
    #[must_use]
    pub fn session(&self) -> Session {
        self.session
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const BULK: u64 = 1 << 20;

    fn at(millis: i64) -> Timestamp {
        Timestamp::from_millis(millis)
    }

    fn connected() -> Recovery {
        let mut recovery = Recovery::new(BULK, at(0));
        assert_eq!(recovery.tick(at(0)), Some(Session { is_single: false, batch_bytes: BULK }));
        recovery
    }

    #[test]
    fn a_setting_is_tried_again_ever_more_slowly() {
        let mut recovery = connected();
        let mut now = at(0);
        let mut waits = Vec::new();
        for _ in 0..12 {
            recovery.handle(Kind::Setting, now);
            let due = recovery.deadline().unwrap();
            assert_eq!(recovery.tick(due.minus(Duration::from_nanos(1))), None);
            assert!(recovery.tick(due).is_some());
            waits.push(due.since(now));
            now = due;
        }
        assert!(waits[0] <= WAIT_FIRST && waits.iter().all(|wait| *wait <= WAIT_MAX), "{waits:?}");
        assert!(waits[11] >= WAIT_MAX / 2, "{waits:?}");
        recovery.acked();
        recovery.handle(Kind::Setting, now);
        assert!(recovery.deadline().unwrap().since(now) <= WAIT_FIRST);
    }

    #[test]
    fn a_bad_record_is_found_alone_and_batches_stay() {
        let mut recovery = connected();
        recovery.handle(Kind::Record, at(1));
        assert!(recovery.tick(at(1)).unwrap().is_single);
        recovery.handle(Kind::Record, at(2));
        assert!(recovery.tick(at(2)).unwrap().is_single);
        assert!(recovery.replayed(at(3)));
        assert_eq!(recovery.tick(at(3)), Some(Session { is_single: false, batch_bytes: BULK }));
    }

    #[test]
    fn a_batch_too_large_for_the_topic_shrinks() {
        let mut recovery = connected();
        let mut sizes = Vec::new();
        for step in 0..10 {
            recovery.handle(Kind::Record, at(step));
            recovery.tick(at(step)).unwrap();
            assert!(recovery.replayed(at(step)));
            sizes.push(recovery.tick(at(step)).unwrap().batch_bytes);
        }
        assert_eq!(sizes[..3], [BULK / 2, BULK / 4, BULK / 8]);
        assert_eq!(sizes[9], BATCH_BYTES_MIN);
    }

    #[test]
    fn a_session_in_bulk_goes_on_after_its_replay() {
        let mut recovery = connected();
        recovery.handle(Kind::Session, at(1));
        let due = recovery.deadline().unwrap();
        assert!(!recovery.tick(due).unwrap().is_single);
        assert!(!recovery.replayed(due));
        assert_eq!(recovery.deadline(), None);
    }
}
