//! Why a range of a file is no record in flight.
//!
//! Enters: nothing. Leaves: the reasons of the ledger. Never: bytes.

/// What becomes of a range of the file that is no record in flight.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Part {
    /// A record that lies in the dead-letter file.
    DeadLettered,
    /// Nothing to ship: an empty line, or what lies before the start position.
    Filtered,
    /// The end of a line that is too long.
    TooLong,
    /// Truncated or rewritten before it was read.
    Truncated,
    /// Deleted before it was read.
    Vanished,
    /// Deleted, and more than the user lets the shipper hold.
    OverBudget,
}
