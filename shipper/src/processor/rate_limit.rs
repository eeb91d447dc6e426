//! `rate_limit`: a key may have so many records in so much time.
//!
//! Enters: records, by the value of a field. Leaves: the first `max` of each window; one record that tells how many
//! more there were.

use std::time::Duration;

use schemars::JsonSchema;
use serde::Deserialize;
use yaml::Span;

use super::When;
use super::keyed::{self, Keyed};

/// The shortest and the longest window.
const PER: std::ops::RangeInclusive<Duration> = Duration::from_millis(100)..=Duration::from_secs(3600);

/// Keeps at most so many records of each key in so much time, by the records' own times, and leaves out the others. When
/// a window ends in which some were left out, one record more tells how many: `event.dataset` is `watchfire.processor`,
/// `watchfire.processor.left_out` the count. It has no `log.level`, so that it is no line in an error rate. After a
/// restart, windows begin anew.
#[derive(Debug, Clone, PartialEq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RateLimitConfig {
    /// The field whose values are keys, such as `service.name`; records without it are kept. When it is left out, all
    /// records of the input have one key. 4096 keys are known at the same time, for more the oldest is forgotten.
    pub key: Option<String>,
    /// How many records a key may have in a window.
    pub max: u64,
    /// How long a window lasts, from 100ms to 1h.
    #[serde(default = "default_per")]
    pub per: Span,
    /// Which records are limited, in KQL; all when it is left out.
    pub when: Option<When>,
}

fn default_per() -> Span {
    Span(Duration::from_secs(1))
}

impl RateLimitConfig {
    pub(super) fn check(&self) -> Result<(), String> {
        if self.max == 0 {
            return Err("`max` is 0: to leave out all, write `drop`".to_owned());
        }
        if !PER.contains(&self.per.0) {
            return Err("`per` must be between 100ms and 1h".to_owned());
        }
        self.key.as_deref().map_or(Ok(()), keyed::check)
    }

    pub(super) fn keyed(&self) -> Keyed {
        Keyed::new(self.key.clone(), self.per.0, self.max)
    }
}
