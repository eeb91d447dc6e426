//! Where the tail of a partition ends.
//!
//! Enters: the records of one partition behind its anchor, each with its Kafka timestamp and whether it is ours. Leaves: the
//! word that no record of ours can follow that was sent before we died. Never: a day of other hosts' records.
//!
//! A record is stamped with a time that is not after its sending ([`super::super::replay::timestamp_ms`]), or with the time at
//! which the broker took it. So a record of ours is not stamped later than our death, give or take [`SKEW`] for
//! clocks that differ and for requests that were still in a socket. Others stamp their records with their own
//! clocks, and one later stamp may come of one wrong clock; a long run of later stamps is written by time itself. When
//! that is wrong, because a host whose clock is ahead fills the partition alone, records are sent twice and none is lost.

use std::time::Duration;

use event::Timestamp;

/// By how much clocks may differ, and how long a request may lie in a socket, at most.
pub const SKEW: Duration = Duration::from_secs(60);
/// Records of others in a row that are all stamped later than a record of ours can be.
pub const RUN_RECORDS: u32 = 10_000;

/// The decision for one partition.
#[derive(Debug, Clone, Copy)]
pub struct End {
    latest: Timestamp,
    run: u32,
}

impl End {
    /// For records that were sent before `alive` was over.
    pub fn new(alive: Timestamp) -> Self {
        End { latest: alive.plus(SKEW), run: 0 }
    }

    /// Takes the next record; true when the tail has ended before it.
    pub fn handle(&mut self, is_ours: bool, stamp: Timestamp) -> bool {
        let is_later = !is_ours && stamp > self.latest;
        self.run = if is_later { self.run + 1 } else { 0 };
        self.run >= RUN_RECORDS
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(secs: i64) -> Timestamp {
        Timestamp::from_secs(secs)
    }

    #[test]
    fn only_a_run_of_later_records_of_others_ends_it() {
        let mut end = End::new(at(1000));
        for _ in 0..RUN_RECORDS * 3 {
            assert!(!end.handle(false, at(1060)), "from about the time of our death");
            // One host whose clock is a day ahead.
            assert!(!end.handle(false, at(90_000)));
        }
        for _ in 0..RUN_RECORDS - 2 {
            assert!(!end.handle(false, at(1061)));
        }
        assert!(!end.handle(true, at(999)), "ours");
        let ends = (1..).find(|_| end.handle(false, at(2000)));
        assert_eq!(ends, Some(RUN_RECORDS));
    }
}
