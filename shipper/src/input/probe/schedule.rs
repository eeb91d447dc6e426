//! When a probe runs.
//!
//! Enters: the time, and the end of a run. Leaves: starts of runs, numbered. Never: a connection, a clock.
//!
//! Runs lie on a grid of `every`, shifted by a share of it that follows from the probe's name, so that a hundred probes
//! do not start in one instant, and a probe keeps its place when the shipper restarts. A run that is still going when the
//! next one is due makes that one fall out: there is at most one run of a probe at a time, and it is counted.

use std::time::Duration;

use event::Timestamp;

/// What the shell has to do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Start {
    /// The run's number: the offset of its event. Grows across restarts, because the first is the time of the start.
    pub run: u64,
}

/// The schedule of one probe.
#[derive(Debug, Clone)]
pub struct Schedule {
    every: Duration,
    due: Timestamp,
    next_run: u64,
    is_running: bool,
    skipped: u64,
}

impl Schedule {
    /// The first run is due within `every` after `now`.
    #[must_use]
    pub fn new(name: &str, every: Duration, now: Timestamp) -> Self {
        let every = every.max(super::config::EVERY_MIN);
        let shift = xxhash_rust::xxh3::xxh3_64(name.as_bytes()) % nanos(every).max(1);
        let grid = now.floor(every).plus(Duration::from_nanos(shift));
        let due = if grid < now { grid.plus(every) } else { grid };
        let next_run = u64::try_from(now.as_millis()).unwrap_or(0);
        Schedule { every, due, next_run, is_running: false, skipped: 0 }
    }

    /// A run has ended.
    pub fn handle(&mut self) {
        self.is_running = false;
    }

    /// Starts a run when one is due. A run that fell out is not made up for.
    pub fn tick(&mut self, now: Timestamp) -> Option<Start> {
        if now < self.due {
            return None;
        }
        let missed = nanos(now.since(self.due)) / nanos(self.every).max(1);
        let step = self.every.saturating_mul(u32::try_from(missed + 1).unwrap_or(u32::MAX));
        self.due = self.due.plus(step);
        self.skipped = self.skipped.saturating_add(missed + u64::from(self.is_running));
        if self.is_running {
            return None;
        }
        self.is_running = true;
        let run = self.next_run;
        self.next_run += 1;
        Some(Start { run })
    }

    /// When [`Schedule::tick`] has something to do.
    #[must_use]
    pub fn deadline(&self) -> Option<Timestamp> {
        Some(self.due)
    }

    /// Runs that fell out since the last call, because one was still going or the machine slept.
    pub fn take_skipped(&mut self) -> u64 {
        std::mem::take(&mut self.skipped)
    }
}

fn nanos(span: Duration) -> u64 {
    u64::try_from(span.as_nanos()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    const EVERY: Duration = Duration::from_secs(10);

    fn at(secs: i64) -> Timestamp {
        Timestamp::from_secs(1_000_000 + secs)
    }

    /// Plays `ends` (seconds at which the going run ends) against a tick each second, and gives the starts.
    fn starts(ends: &[i64], seconds: i64) -> (Vec<i64>, u64) {
        let mut schedule = Schedule::new("checkout", EVERY, at(0));
        let mut started = Vec::new();
        for second in 0..seconds {
            if ends.contains(&second) {
                schedule.handle();
            }
            if schedule.tick(at(second)).is_some() {
                started.push(second);
            }
        }
        (started, schedule.take_skipped())
    }

    #[test]
    fn runs_start_every_so_often_and_never_twice_at_a_time() {
        let (all, skipped) = starts(&(0..100).collect::<Vec<_>>(), 100);
        assert_eq!((all.len(), skipped), (10, 0));
        assert!(all.windows(2).all(|pair| pair[1] - pair[0] == 10), "{all:?}");
        let (hanging, skipped) = starts(&[55], 100);
        assert_eq!((hanging.len(), skipped), (2, 8), "{hanging:?}");
    }

    #[test]
    fn numbers_grow_over_a_restart() {
        let mut before = Schedule::new("p", EVERY, at(0));
        let first = before.tick(at(10)).unwrap().run;
        before.handle();
        let second = before.tick(at(20)).unwrap().run;
        let third = Schedule::new("p", EVERY, at(21)).tick(at(31)).unwrap().run;
        assert!(first < second && second < third, "{first} {second} {third}");
    }

    #[test]
    fn a_probe_keeps_its_place_and_others_have_another() {
        let place = |name: &str, now| {
            let due = Schedule::new(name, EVERY, now).deadline().unwrap();
            due.since(due.floor(EVERY))
        };
        assert_eq!(place("a", at(0)), place("a", at(12_345)));
        let places: std::collections::BTreeSet<_> =
            (0..100).map(|number| place(&format!("probe-{number}"), at(0))).collect();
        assert!(places.len() > 95, "{} places", places.len());
    }

    #[test]
    fn a_machine_that_slept_runs_once() {
        let mut schedule = Schedule::new("p", EVERY, at(0));
        assert!(schedule.tick(at(3600)).is_some());
        schedule.handle();
        assert!(schedule.tick(at(3601)).is_none() || schedule.deadline().unwrap() > at(3601));
        assert!(schedule.take_skipped() >= 358);
    }
}
