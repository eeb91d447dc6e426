//! `dedupe`: the same thing said again and again is said once.
//!
//! Enters: records, by the value of a field. Leaves: the first of each window; one record that tells how often it was
//! repeated.

use std::time::Duration;

use schemars::JsonSchema;
use serde::Deserialize;
use yaml::Span;

use super::When;
use super::keyed::{self, Keyed};

/// The shortest and the longest window.
const WINDOW: std::ops::RangeInclusive<Duration> = Duration::from_millis(100)..=Duration::from_secs(3600);

/// Keeps the first of several records that have the same value, by the records' own times, and leaves out the others.
/// When a window ends in which some were left out, one record more tells how many, as that of `rate_limit` does. After a
/// restart, windows begin anew.
#[derive(Debug, Clone, PartialEq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct DedupeConfig {
    /// The field whose values are compared; records without it are kept. 4096 values are known at the same time, for
    /// more the oldest is forgotten.
    #[serde(default = "default_key")]
    pub key: String,
    /// For how long the first record stands for the others, from 100ms to 1h.
    #[serde(default = "default_window")]
    pub window: Span,
    /// Which records are compared, in KQL; all when it is left out.
    pub when: Option<When>,
}

fn default_key() -> String {
    "message".to_owned()
}

fn default_window() -> Span {
    Span(Duration::from_secs(10))
}

impl DedupeConfig {
    pub(super) fn check(&self) -> Result<(), String> {
        if !WINDOW.contains(&self.window.0) {
            return Err("`window` must be between 100ms and 1h".to_owned());
        }
        keyed::check(&self.key)
    }

    pub(super) fn keyed(&self) -> Keyed {
        Keyed::new(Some(self.key.clone()), self.window.0, 1)
    }
}
