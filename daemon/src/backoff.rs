//! How long to wait before the next try.
//!
//! Enters: that a try failed, and a random fraction. Leaves: a delay. Never: a clock, a sleep, randomness of its own.

use std::time::Duration;

/// Exponential back-off: each failure doubles the delay up to a bound, a success starts it anew.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Backoff {
    first: Duration,
    max: Duration,
    failures: u32,
}

impl Backoff {
    /// Delays from `first` on, never above `max`.
    #[must_use]
    pub fn new(first: Duration, max: Duration) -> Self {
        Backoff { first: first.min(max), max, failures: 0 }
    }

    /// The delay after one more failure. `fraction` is random in `0.0..1.0` and spreads the delay over the upper half
    /// of its step, so that many hosts which failed together do not come back together.
    pub fn next_delay(&mut self, fraction: f64) -> Duration {
        let doublings = 2u32.saturating_pow(self.failures);
        self.failures = self.failures.saturating_add(1);
        let step = self.first.saturating_mul(doublings).min(self.max);
        let spread = if fraction.is_finite() { fraction.clamp(0.0, 1.0) } else { 1.0 };
        step.mul_f64(0.5 + spread / 2.0)
    }

    /// Says that a try succeeded: the next delay is the first again.
    pub fn reset(&mut self) {
        self.failures = 0;
    }

    /// Failures since the last success.
    #[must_use]
    pub fn failures(&self) -> u32 {
        self.failures
    }
}

/// A fraction in `0.0..1.0` out of any seed (a counter, an id, a time): the SplitMix64 mix, not for secrets.
#[must_use]
pub fn fraction(seed: u64) -> f64 {
    let mut mixed = seed.wrapping_add(0x9E37_79B9_7F4A_7C15);
    mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    mixed ^= mixed >> 31;
    // 53 bits are what an f64 holds exactly.
    (mixed >> 11) as f64 / (1u64 << 53) as f64
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn doubles_to_the_bound_and_starts_anew() {
        let mut backoff = Backoff::new(Duration::from_millis(100), Duration::from_secs(1));
        let delays: Vec<u128> = (0..6).map(|_| backoff.next_delay(1.0).as_millis()).collect();
        assert_eq!(delays, [100, 200, 400, 800, 1000, 1000]);
        backoff.reset();
        assert_eq!(backoff.next_delay(0.0), Duration::from_millis(50));
    }

    proptest! {
        #[test]
        fn stays_in_its_bounds(first in 1u64..10_000, max in 1u64..100_000, seeds in prop::collection::vec(any::<u64>(), 1..80)) {
            let (first, max) = (Duration::from_millis(first), Duration::from_millis(max));
            let mut backoff = Backoff::new(first, max);
            for seed in seeds {
                let delay = backoff.next_delay(fraction(seed));
                prop_assert!(delay <= max);
                prop_assert!(delay >= first.min(max) / 2);
            }
        }

        #[test]
        fn a_fraction_is_one(seed in any::<u64>()) {
            prop_assert!((0.0..1.0).contains(&fraction(seed)));
        }
    }
}
