//! What a query says, before it is compiled.
//!
//! Enters: what the parser read. Leaves: a tree that prints as the canonical text. Never: anything about events.

/// One operator or predicate.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Node {
    /// Matches every event: an empty query.
    All,
}
