//! What an owner of a registry that was killed leaves to be found out.
//!
//! Enters: what the registry holds. Leaves: where to look on the broker, and for what. Never: an answer; the broker has it.

use std::collections::HashMap;

use event::{StreamId, Timestamp};

use super::{Anchors, Ending, Opened};

/// Records that may have arrived and that no committed offset covers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Doubt {
    /// `host.name` of the records: a stream that was not committed even once is known by it.
    pub host: String,
    /// When their sender was last seen alive.
    pub alive: Timestamp,
    /// They lie from here on.
    pub anchors: Anchors,
    /// What is covered of each stream: records that begin before are in no doubt.
    pub covered: HashMap<StreamId, u64>,
}

impl Opened {
    /// What is in doubt of the records of `host`; `None` when nothing is.
    #[must_use]
    pub fn doubt(&self, host: &str) -> Option<Doubt> {
        let Ending::Open { alive } = self.ending else { return None };
        (!self.anchors.is_empty()).then(|| Doubt {
            host: host.to_owned(),
            alive,
            anchors: self.anchors.clone(),
            covered: self.entries.iter().map(|entry| (entry.stream, entry.offset)).collect(),
        })
    }
}
