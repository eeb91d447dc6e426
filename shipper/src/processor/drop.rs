//! `drop`: records that nobody wants.
//!
//! Enters: a record that the query matches. Leaves: nothing of it but its bytes in the ledger, as filtered.

use schemars::JsonSchema;
use serde::Deserialize;

use super::When;

/// Leaves out the records that match. Their bytes count as filtered in the ledger.
#[derive(Debug, Clone, PartialEq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct DropConfig {
    /// Which records, in KQL.
    pub when: When,
}
