//! From Kafka's records to documents in Elasticsearch.
//!
//! Enters: records of a [`daemon::Source`], in a consumer group of its own, so that a search outage delays no alert.
//! Leaves: documents of one data stream, each once: its `_id` is the event's id, and it is created, never replaced.
//! Never: a rule, a channel; a position that is committed before its document is safe.
//!
//! The way: [`document`] (a record becomes a document) -> [`core`] (what to send, when, and what became of it; with
//! [`bulk`] and [`fate`], all pure) -> [`run`] (the loop that does it) -> [`client`] (HTTP).

pub mod config;
pub mod run;
pub mod core;
pub mod document;
pub mod bulk;
pub mod client;
pub mod fate;
pub mod template;
pub mod metric;

pub use crate::config::{BulkConfig, Config, ElasticsearchConfig, Settings};
pub use crate::metric::IndexerMetrics;
pub use crate::run::{Deps, RunError, run};
