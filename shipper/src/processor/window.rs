//! How often each key came lately.
//!
//! Enters: a record's key and its own time, and the time. Leaves: whether the record is within what its key may have;
//! when a key's window ends, what was left out in it. Never: more than a fixed number of keys.
//!
//! A window begins with a record and lasts `span`, by the records' own times: a backlog is judged as it would have been
//! in its own time, not by the speed at which it is read. It ends with the first record of its key outside it, older ones
//! too (another file that lies further back), or when so much time has passed since it was opened, so that silence ends
//! it as well.

use std::collections::{HashMap, VecDeque};
use std::time::Duration;

use event::Timestamp;

/// Keys of one processor at the same time; beyond them the oldest is forgotten.
pub const KEYS_MAX: usize = 4096;

/// What was left out in a window.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Ended {
    /// The key, as a text to show.
    pub key: String,
    /// Records.
    pub left_out: u64,
    /// The time of the last of them.
    pub last: Timestamp,
}

/// The windows of one processor. A pure state machine.
#[derive(Debug)]
pub(super) struct Windows {
    span: Duration,
    /// Records that a key may have in one window.
    max: u64,
    keys_max: usize,
    open: HashMap<u128, Window>,
    /// Keys and numbers of windows in the order in which they were opened; some were ended since by their key.
    order: VecDeque<(u128, u64)>,
    opened: u64,
    /// Open windows in which something was left out.
    leaving_out: usize,
    ended: Vec<Ended>,
    forgotten: u64,
}

#[derive(Debug)]
struct Window {
    number: u64,
    opened_at: Timestamp,
    /// The time of its first record.
    since: Timestamp,
    last: Timestamp,
    kept: u64,
    left_out: u64,
    /// Empty until something is left out, so that a key that behaves costs no text.
    key: String,
}

impl Window {
    fn holds(&self, at: Timestamp, span: Duration) -> bool {
        at < self.since.plus(span) && self.since < at.plus(span)
    }

    /// A clock that was set back must not keep it open.
    fn is_due(&self, now: Timestamp, span: Duration) -> bool {
        now >= self.opened_at.plus(span) || now < self.opened_at
    }
}

impl Windows {
    pub(super) fn new(span: Duration, max: u64, keys_max: usize) -> Self {
        Windows {
            span,
            max,
            keys_max,
            open: HashMap::new(),
            order: VecDeque::new(),
            opened: 0,
            leaving_out: 0,
            ended: Vec::new(),
            forgotten: 0,
        }
    }

    /// Is a record of this key, that happened `at`, kept? `name` is asked for the key's text when it is needed.
    pub(super) fn handle(
        &mut self,
        key: u128,
        at: Timestamp,
        now: Timestamp,
        name: impl FnOnce() -> String,
    ) -> bool {
        let span = self.span;
        if let Some(window) = self.open.get_mut(&key)
            && window.holds(at, span)
            && !window.is_due(now, span)
        {
            if window.kept < self.max {
                window.kept += 1;
                return true;
            }
            if window.left_out == 0 {
                window.key = name();
                self.leaving_out += 1;
            }
            window.left_out += 1;
            window.last = window.last.max(at);
            return false;
        }
        self.end(key);
        if self.open.len() >= self.keys_max {
            self.forget_oldest();
        }
        self.opened += 1;
        let number = self.opened;
        let window =
            Window { number, opened_at: now, since: at, last: at, kept: 1, left_out: 0, key: String::new() };
        self.open.insert(key, window);
        self.order.push_back((key, number));
        if self.order.len() > 2 * self.keys_max {
            let Windows { order, open, .. } = self;
            order.retain(|(key, number)| open.get(key).is_some_and(|window| window.number == *number));
        }
        true
    }

    /// Ends windows whose time has passed.
    pub(super) fn tick(&mut self, now: Timestamp) {
        while let Some(&(key, number)) = self.order.front() {
            match self.open.get(&key).filter(|window| window.number == number) {
                Some(window) if !window.is_due(now, self.span) => return,
                Some(_) => self.end(key),
                None => {}
            }
            self.order.pop_front();
        }
    }

    /// When [`Windows::tick`] has something to tell of.
    pub(super) fn deadline(&self) -> Option<Timestamp> {
        if self.leaving_out == 0 {
            return None;
        }
        let live = |(key, number): &(u128, u64)| self.open.get(key).filter(|window| window.number == *number);
        self.order.iter().find_map(live).map(|window| window.opened_at.plus(self.span))
    }

    /// Ends all of them.
    pub(super) fn finish(&mut self) {
        while let Some((key, number)) = self.order.pop_front() {
            if self.open.get(&key).is_some_and(|window| window.number == number) {
                self.end(key);
            }
        }
    }

    /// What was left out in windows that have ended since the last call.
    pub(super) fn take_ended(&mut self) -> Vec<Ended> {
        std::mem::take(&mut self.ended)
    }

    /// True when [`Windows::take_ended`] has something.
    pub(super) fn has_ended(&self) -> bool {
        !self.ended.is_empty()
    }

    /// Keys that were forgotten before their windows ended.
    pub(super) fn forgotten(&self) -> u64 {
        self.forgotten
    }

    fn end(&mut self, key: u128) {
        let Some(Window { key, left_out, last, .. }) = self.open.remove(&key) else { return };
        if left_out > 0 {
            self.leaving_out -= 1;
            self.ended.push(Ended { key, left_out, last });
        }
    }

    fn forget_oldest(&mut self) {
        while let Some((key, number)) = self.order.pop_front() {
            if self.open.get(&key).is_some_and(|window| window.number == number) {
                self.forgotten += 1;
                return self.end(key);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use proptest::prelude::*;

    use super::*;

    fn at(millis: i64) -> Timestamp {
        Timestamp::from_millis(millis)
    }

    /// Each record is a key and a time in milliseconds, which is also the clock; two are kept in each second.
    fn check(records: &[(u128, i64)], expected: &str, ended: &[(&str, u64)]) {
        let mut windows = Windows::new(Duration::from_secs(1), 2, 3);
        let mut verdicts = String::new();
        for &(key, millis) in records {
            windows.tick(at(millis));
            let is_kept = windows.handle(key, at(millis), at(millis), || key.to_string());
            verdicts.push(if is_kept { '+' } else { '-' });
        }
        windows.finish();
        let found = windows.take_ended();
        let found: Vec<_> = found.iter().map(|ended| (ended.key.as_str(), ended.left_out)).collect();
        assert_eq!((verdicts.as_str(), found.as_slice()), (expected, ended), "{records:?}");
        assert_eq!((windows.leaving_out, windows.open.len(), windows.order.len()), (0, 0, 0));
    }

    #[test]
    fn a_key_has_so_many_records_in_a_window() {
        check(&[(1, 0), (1, 1), (1, 2), (1, 999), (1, 1000)], "++--+", &[("1", 2)]);
        check(&[(1, 0), (2, 0), (1, 1), (2, 1), (1, 2), (2, 2)], "++++--", &[("1", 1), ("2", 1)]);
        check(&[(1, 0), (1, 1), (1, 2), (2, 5000)], "++-+", &[("1", 1)]);
    }

    #[test]
    fn the_oldest_key_makes_room() {
        check(&[(1, 0), (1, 0), (1, 0), (2, 1), (3, 1), (4, 1), (1, 2)], "++-++++", &[("1", 1)]);
    }

    #[test]
    fn a_backlog_is_judged_by_its_own_time() {
        let mut windows = Windows::new(Duration::from_secs(1), 1, 9);
        let now = at(1_000_000);
        let verdicts: Vec<bool> = [0, 500, 1000, 1500, 2000, 100, 200]
            .map(|millis| windows.handle(7, at(millis), now, String::new))
            .to_vec();
        assert_eq!(verdicts, [true, false, true, false, true, true, false]);
        assert_eq!(
            windows.take_ended().iter().map(|ended| ended.last).collect::<Vec<_>>(),
            [at(500), at(1500)]
        );
    }

    #[test]
    fn silence_ends_a_window() {
        let mut windows = Windows::new(Duration::from_secs(1), 1, 9);
        windows.handle(7, at(0), at(50), String::new);
        assert_eq!(windows.deadline(), None, "nothing was left out");
        windows.handle(7, at(1), at(60), String::new);
        assert_eq!(windows.deadline(), Some(at(1050)));
        windows.tick(at(1049));
        assert!(!windows.has_ended());
        windows.tick(at(1050));
        assert_eq!((windows.take_ended().len(), windows.deadline()), (1, None));
        windows.handle(7, at(1), at(2000), String::new);
        windows.handle(7, at(1), at(2000), String::new);
        windows.tick(at(1000));
        assert!(windows.has_ended(), "the clock was set back");
    }

    proptest! {
        /// What is not kept is told of, once; no key has more than its share in one window; the bounds hold.
        #[test]
        fn nothing_is_left_out_in_silence(
            records in prop::collection::vec((0u128..6, 0i64..3000, 0i64..300), 0..200),
            max in 1u64..4,
        ) {
            let mut windows = Windows::new(Duration::from_secs(1), max, 4);
            let (mut now, mut ended) = (0, Vec::new());
            let mut left_out: BTreeMap<String, u64> = BTreeMap::new();
            let mut runs: BTreeMap<u128, Vec<i64>> = BTreeMap::new();
            for (key, millis, pause) in records {
                now += pause;
                windows.tick(at(now));
                if windows.handle(key, at(millis), at(now), || key.to_string()) {
                    runs.entry(key).or_default().push(millis);
                } else {
                    *left_out.entry(key.to_string()).or_default() += 1;
                    let run = &runs[&key];
                    let kept = run[run.len() - max as usize..].iter();
                    prop_assert!(kept.clone().all(|kept| (kept - millis).abs() < 2000), "{:?} {}", run, millis);
                }
                prop_assert!(windows.open.len() <= 4 && windows.order.len() <= 8);
                ended.extend(windows.take_ended());
            }
            windows.finish();
            ended.extend(windows.take_ended());
            let mut told: BTreeMap<String, u64> = BTreeMap::new();
            for Ended { key, left_out, .. } in ended {
                *told.entry(key).or_default() += left_out;
            }
            prop_assert_eq!(told, left_out);
        }
    }
}
