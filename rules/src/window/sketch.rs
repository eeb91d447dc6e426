//! Quantiles of many numbers in little room.
//!
//! Enters: finite numbers. Leaves: a quantile: exact for up to [`EXACT_MAX`] numbers, within 1 % of the value beyond.
//! Never: a dependence on the order of insertion or of merging.
//! Source: Masson, Rim, Lee, "DDSketch" (VLDB 2019): buckets whose bounds grow by a constant factor.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

/// Up to this many numbers are kept as they are.
pub const EXACT_MAX: usize = 512;

/// A bin's upper bound is this many times its lower one: the relative error is (GROWTH - 1) / (GROWTH + 1).
const GROWTH: f64 = 1.02;

/// Numbers nearer to zero than this count as zero.
const ZERO_BELOW: f64 = 1e-9;

/// A mergeable summary of numbers.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct Sketch {
    /// The bits of the numbers, while they are few: JSON would round floats.
    exact: Vec<u64>,
    /// Counts by signed bin number once they are many; zero is the number zero.
    bins: BTreeMap<i32, u64>,
}

impl Sketch {
    /// Adds one number; NaN and infinities are ignored.
    pub fn insert(&mut self, value: f64) {
        if !value.is_finite() {
            return;
        }
        if self.bins.is_empty() && self.exact.len() < EXACT_MAX {
            self.exact.push(value.to_bits());
            return;
        }
        self.spill();
        *self.bins.entry(bin(value)).or_default() += 1;
    }

    /// Adds all numbers of `other`.
    pub fn merge(&mut self, other: &Sketch) {
        if self.bins.is_empty() && other.bins.is_empty() && self.exact.len() + other.exact.len() <= EXACT_MAX
        {
            self.exact.extend_from_slice(&other.exact);
            return;
        }
        self.spill();
        for &bits in &other.exact {
            *self.bins.entry(bin(f64::from_bits(bits))).or_default() += 1;
        }
        for (&at, &count) in &other.bins {
            *self.bins.entry(at).or_default() += count;
        }
    }

    /// The smallest number that at least `percent` of a hundred of all numbers do not exceed (nearest rank);
    /// `None` when there are no numbers.
    #[must_use]
    pub fn percentile(&self, percent: f64) -> Option<f64> {
        let total = self.exact.len() as u64 + self.bins.values().sum::<u64>();
        if total == 0 {
            return None;
        }
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            clippy::cast_precision_loss,
            reason = "a rank lies between 1 and the count of numbers in a window, far below 2^53"
        )]
        let rank = ((percent / 100.0 * total as f64).ceil() as u64).clamp(1, total);
        if self.bins.is_empty() {
            let mut numbers: Vec<f64> = self.exact.iter().map(|&bits| f64::from_bits(bits)).collect();
            numbers.sort_by(f64::total_cmp);
            return numbers.get(usize::try_from(rank - 1).unwrap_or(usize::MAX)).copied();
        }
        let mut passed = 0;
        self.bins.iter().find_map(|(&at, &count)| {
            passed += count;
            (passed >= rank).then(|| middle(at))
        })
    }

    fn spill(&mut self) {
        for bits in std::mem::take(&mut self.exact) {
            *self.bins.entry(bin(f64::from_bits(bits))).or_default() += 1;
        }
    }
}

/// Bins are numbered outwards from zero, negative numbers downwards. The shift keeps the numbers of a sign
/// apart from zero: `ln(1e-9) / ln(1.02)` is about -1047, `ln(f64::MAX) / ln(1.02)` about 35 844.
fn bin(value: f64) -> i32 {
    const SHIFT: i32 = 1100;
    let size = value.abs();
    if size < ZERO_BELOW {
        return 0;
    }
    #[expect(clippy::cast_possible_truncation, reason = "a logarithm of a finite number fits by far")]
    let at = (size.ln() / GROWTH.ln()).ceil() as i32 + SHIFT;
    if value < 0.0 { -at } else { at }
}

fn middle(at: i32) -> f64 {
    const SHIFT: i32 = 1100;
    if at == 0 {
        return 0.0;
    }
    let size = 2.0 * GROWTH.powi(at.abs() - SHIFT) / (GROWTH + 1.0);
    if at < 0 { -size } else { size }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn nearest_rank(numbers: &[f64], percent: f64) -> Option<f64> {
        let mut sorted = numbers.to_vec();
        sorted.sort_by(f64::total_cmp);
        let rank = ((percent / 100.0 * sorted.len() as f64).ceil() as usize).clamp(1, sorted.len().max(1));
        sorted.get(rank - 1).copied()
    }

    fn of(numbers: &[f64]) -> Sketch {
        let mut sketch = Sketch::default();
        numbers.iter().for_each(|&number| sketch.insert(number));
        sketch
    }

    #[test]
    fn few_numbers_are_exact() {
        let check = |numbers: &[f64], percent: f64, expected: Option<f64>| {
            assert_eq!(of(numbers).percentile(percent), expected, "p{percent} of {numbers:?}");
        };
        check(&[], 50.0, None);
        check(&[f64::NAN, f64::INFINITY], 50.0, None);
        check(&[7.0], 99.0, Some(7.0));
        check(&[3.0, 1.0, 2.0], 50.0, Some(2.0));
        check(&[4.0, 3.0, 2.0, 1.0], 50.0, Some(2.0));
        check(&[4.0, 3.0, 2.0, 1.0], 100.0, Some(4.0));
        check(&[-5.0, 0.0, 5.0], 0.0, Some(-5.0));
    }

    proptest! {
        #[test]
        fn many_numbers_are_within_one_percent(
            numbers in prop::collection::vec(-1e6..1e6f64, 1..2000),
            cut in 0..2000usize,
            percent in 0.0..100.0f64,
        ) {
            let cut = cut.min(numbers.len());
            let mut merged = of(&numbers[..cut]);
            merged.merge(&of(&numbers[cut..]));
            let expected = nearest_rank(&numbers, percent).unwrap();
            let found = merged.percentile(percent).unwrap();
            prop_assert!((found - expected).abs() <= expected.abs() * 0.0101 + ZERO_BELOW, "{found} for {expected}");
            prop_assert_eq!(merged.percentile(percent), of(&numbers).percentile(percent));
        }
    }
}
