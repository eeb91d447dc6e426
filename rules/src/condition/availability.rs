//! `availability`: no successful probe.
//!
//! Enters: the key's mapping. Leaves: an [`Availability`]. Never: a guess about a service that nobody probes.

use std::time::Duration;

use crate::kql::Query;

/// Holds while the newest probe result is not `up`, and also when no result at all came for `window`: a host that is
/// gone cannot vouch for its service.
#[derive(Debug, Clone, PartialEq)]
pub struct Availability {
    /// Picks the successful results among the events of the rule's `match`.
    pub up: Query,
    /// How long silence is tolerated before it counts as not available.
    pub window: Duration,
}
