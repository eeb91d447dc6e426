//! Keeps a channel within its vendor's quota.
//!
//! Enters: the times of attempts. Leaves: when the next one may go. The last part of the quota is P0's alone, so that
//! a flood of minor alerts cannot use up the minute in which a major one comes.

use std::collections::VecDeque;

use event::Timestamp;
use rules::rule::Priority;

use crate::Quota;

/// The attempts of one channel within one span of its quota; holds at most `quota.messages` times.
#[derive(Debug, Clone)]
pub struct Pacer {
    quota: Quota,
    sent: VecDeque<Timestamp>,
}

impl Pacer {
    /// A pacer that has seen nothing.
    #[must_use]
    pub fn new(quota: Quota) -> Self {
        Pacer { quota, sent: VecDeque::new() }
    }

    /// The earliest time at which an attempt for an alert of this priority is within the quota.
    #[must_use]
    pub fn free_at(&self, priority: Priority) -> Timestamp {
        let messages = self.quota.messages.get();
        let budget = match priority {
            Priority::P0 => messages,
            _ => messages.saturating_sub(self.quota.reserved).max(1),
        };
        // The attempt that has to leave the span before the budget has room again.
        self.sent
            .len()
            .checked_sub(budget as usize)
            .and_then(|at| self.sent.get(at))
            .map_or(Timestamp::MIN, |sent| sent.plus(self.quota.per.0))
    }

    /// Counts an attempt.
    pub fn record(&mut self, now: Timestamp) {
        while self.sent.front().is_some_and(|sent| sent.plus(self.quota.per.0) <= now)
            || self.sent.len() >= self.quota.messages.get() as usize
        {
            self.sent.pop_front();
        }
        self.sent.push_back(now);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Sends as many as possible of `priority` in each second; `expected` are the seconds in which one went.
    fn check(messages: u32, reserved: u32, priority: Priority, before: &[i64], expected: &[i64]) {
        let quota = Quota {
            messages: messages.try_into().unwrap(),
            per: daemon::config::Span(std::time::Duration::from_secs(10)),
            reserved,
        };
        let mut pacer = Pacer::new(quota);
        before.iter().for_each(|second| pacer.record(Timestamp::from_secs(*second)));
        let mut sent = Vec::new();
        for second in 5..20 {
            while pacer.free_at(priority) <= Timestamp::from_secs(second) {
                pacer.record(Timestamp::from_secs(second));
                sent.push(second);
            }
        }
        assert_eq!(sent, expected, "{messages} messages, {reserved} reserved, {priority:?} after {before:?}");
    }

    #[test]
    fn paces() {
        check(2, 0, Priority::P1, &[], &[5, 5, 15, 15]);
        check(2, 0, Priority::P1, &[0], &[5, 10, 15]);
        check(3, 1, Priority::P1, &[], &[5, 5, 15, 15]);
        check(3, 1, Priority::P0, &[], &[5, 5, 5, 15, 15, 15]);
        check(3, 1, Priority::P0, &[4, 4], &[5, 14, 14, 15]);
        check(3, 1, Priority::P2, &[4, 4], &[14, 14]);
        // A reserve as large as the quota still lets one through.
        check(1, 1, Priority::P3, &[], &[5, 15]);
    }
}
