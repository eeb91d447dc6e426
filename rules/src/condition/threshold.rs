//! `threshold`: a field's value, or one number made of its values in a window.
//!
//! Enters: the key's mapping. Leaves: a [`Threshold`]. Never: a value that is not a number.

use std::time::Duration;

use crate::rule::Quantity;

/// Holds while the number that `take` makes of `field` over `window` is strictly beyond `limit`.
#[derive(Debug, Clone, PartialEq)]
pub struct Threshold {
    /// The ECS path of the number.
    pub field: String,
    /// What is made of the values.
    pub take: Take,
    /// Which side of `limit` is bad.
    pub direction: Direction,
    /// The limit; exactly this value is still fine.
    pub limit: Quantity,
    /// The value that a firing alert must reach to recover: below it for [`Direction::Above`], above it for
    /// [`Direction::Below`]. `None`: not beyond `limit` is enough.
    pub recover: Option<f64>,
    /// The length of the window; for [`Take::Last`], how long a value counts as current.
    pub window: Duration,
}

/// How the values of a window become one number.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Take {
    /// The newest value.
    Last,
    /// The arithmetic mean.
    Avg,
    /// The smallest value.
    Min,
    /// The largest value.
    Max,
    /// The sum.
    Sum,
    /// The value that this fraction (0..1) of the values does not exceed; written `p95`, `p99.9`.
    Percentile(f64),
}

/// Which side of a limit is bad.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Direction {
    /// Larger values are bad.
    Above,
    /// Smaller values are bad.
    Below,
}
