//! What every Watchfire daemon needs, and nothing of what it is for.
//!
//! Enters: a configuration file, signals, a broker. Leaves: typed configuration, a clock, records, metrics, health.
//! Never: what a record means, what an alert is.

pub mod config;
pub mod glob;
pub mod clock;
pub mod shutdown;
pub mod reload;
pub mod systemd;
pub mod log;
pub mod metric;
pub mod readiness;
pub mod admin;
pub mod backoff;
pub mod snapshot;
pub mod dead_letter;
pub mod kafka;
pub mod source;

pub use crate::clock::Clock;
pub use crate::readiness::Readiness;
pub use crate::source::{Batch, Position, Record, Source, SourceError};
pub use tokio_util::sync::CancellationToken as Shutdown;
