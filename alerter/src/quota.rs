//! How much a vendor accepts, as configuration.
//!
//! Enters: the `quota` key of a channel. Leaves: a [`Quota`] that the dispatcher paces by.

use std::num::NonZeroU32;
use std::time::Duration;

use daemon::config::Span;

/// At most `messages` in any span of `per`; the last `reserved` of them are kept for P0.
///
/// What is over the quota waits in the outbox, P0 first. Nothing is dropped for it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Quota {
    /// Messages that the vendor accepts in one span.
    pub messages: NonZeroU32,
    /// The span, such as `1m`.
    #[schemars(with = "String")]
    pub per: Span,
    /// How many of them only P0 may use; less than `messages`.
    #[serde(default)]
    pub reserved: u32,
}

impl Quota {
    /// `messages` a minute, a quarter of them reserved for P0.
    #[must_use]
    pub const fn per_minute(messages: NonZeroU32) -> Self {
        Quota { messages, per: Span(Duration::from_secs(60)), reserved: messages.get() / 4 }
    }
}
