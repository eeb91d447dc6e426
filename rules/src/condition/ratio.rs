//! `ratio`: a share of the events that match a second query.
//!
//! Enters: the key's mapping. Leaves: a [`Ratio`]. Never: an answer from fewer than `min_events` events.

use std::time::Duration;

use crate::kql::Query;

/// Holds while `events matching of / all events` over `window` is strictly above `above`.
#[derive(Debug, Clone, PartialEq)]
pub struct Ratio {
    /// Picks the events of the numerator among those of the rule's `match`.
    pub of: Query,
    /// The share that must be exceeded, as a fraction in 0..1; exactly this share is still fine.
    pub above: f64,
    /// The share at or below which a firing alert recovers; equals `above` unless the rule says otherwise.
    pub recover_below: f64,
    /// The length of the window.
    pub window: Duration,
    /// With fewer events than this in the window the condition does not hold.
    pub min_events: u64,
}
