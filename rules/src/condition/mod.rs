//! The conditions that a rule can have, as a closed set; each member's file has its config, documents and tests.
//!
//! Enters: the mapping under a rule's `condition` key. Leaves: a [`Condition`] whose numbers have been checked.
//! Never: an event that the rule's `match` did not pick.

pub mod availability;
pub mod count;
pub mod ratio;
pub mod threshold;

pub use availability::Availability;
pub use count::{Bound, Count};
pub use ratio::Ratio;
pub use threshold::{Direction, Take, Threshold};

use std::time::Duration;

/// The longest window that a condition may look back over.
pub const WINDOW_MAX: Duration = Duration::from_hours(24);

/// What a rule judges; one member for each key that may stand under `condition`.
#[derive(Debug, Clone, PartialEq)]
pub enum Condition {
    /// No successful probe.
    Availability(Availability),
    /// A share of the events that match a second query.
    Ratio(Ratio),
    /// A field's value, or its average, percentile and so on.
    Threshold(Threshold),
    /// A number of events.
    Count(Count),
}
