//! Sliding windows as rings of small buckets.
//!
//! Enters: measured events with their event time. Leaves: one [`Partial`] for any run of buckets.
//! Never: the events themselves. A partial is mergeable, so a window costs its buckets, not its events.

mod partial;
mod ring;
mod sketch;

pub use partial::{Measured, Partial, Point};
pub(crate) use partial::{bits, nanos};
pub use ring::{BUCKETS_PER_WINDOW, Ring};
pub use sketch::Sketch;

use std::time::Duration;

/// The narrowest bucket: no window decides finer than this.
pub const STEP_MIN: Duration = Duration::from_secs(1);

/// The width of the buckets of a `window`: a whole number of seconds that divides it evenly where one does, so
/// that a window has at most [`BUCKETS_PER_WINDOW`] buckets and its edges fall on bucket edges.
#[must_use]
pub fn step(window: Duration) -> Duration {
    let seconds = window.as_secs();
    let least = seconds.div_ceil(BUCKETS_PER_WINDOW).max(STEP_MIN.as_secs());
    let even = (least..=least.saturating_mul(2)).find(|width| seconds.is_multiple_of(*width));
    Duration::from_secs(even.unwrap_or(least))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_window_divides_into_whole_buckets() {
        let check = |window: u64, width: u64| {
            assert_eq!(step(Duration::from_secs(window)), Duration::from_secs(width), "window {window} s");
        };
        check(0, 1);
        check(1, 1);
        check(60, 1);
        check(61, 2);
        check(90, 2);
        check(300, 5);
        check(3600, 60);
        check(86_400, 1440);
    }
}
