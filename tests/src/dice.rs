//! Numbers that look random, from a seed that a failing test prints.
//!
//! Enters: a seed. Leaves: the same numbers for the same seed. Never: a number that cannot be had again.

use std::hash::BuildHasher;

/// A small generator; not for secrets.
#[derive(Debug, Clone)]
pub struct Dice(u64);

impl Dice {
    /// With a seed of its own, which it prints.
    #[must_use]
    #[expect(clippy::print_stdout, reason = "a failing test shows it, and can be run again with it")]
    pub fn new() -> Self {
        let dice = Dice(std::hash::RandomState::new().hash_one(0) | 1);
        println!("seed {}", dice.0);
        dice
    }

    /// From a seed that was printed.
    #[must_use]
    pub fn from_seed(seed: u64) -> Self {
        Dice(seed.max(1))
    }

    /// What [`Dice::from_seed`] takes to roll the same numbers from here on.
    #[must_use]
    pub fn seed(&self) -> u64 {
        self.0
    }

    /// From 1 to `most`.
    pub fn roll(&mut self, most: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0 % most + 1
    }
}

impl Default for Dice {
    fn default() -> Self {
        Dice::new()
    }
}
