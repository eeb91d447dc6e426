//! Bytes in files, and probes, become acknowledged records.
//!
//! Enters: redirected logs, probed services. Leaves: ECS records on Kafka, each once in order in its stream.
//! Never: a rule, an alert.
//!
//! In the order in which data flows: an [`input`] finds lines, [`multiline`] joins them, a [`parser`] reads them, a
//! [`processor`] changes them or leaves them out, a [`route`] leads them, they travel as a [`batch`] through the
//! [`channel`] to the [`output`], and their fates move the [`registry`].

pub mod config;
pub mod command;
pub mod run;
pub mod input;
pub mod multiline;
pub mod parser;
pub mod processor;
pub mod route;
pub mod batch;
pub mod channel;
pub mod output;
pub mod registry;
pub mod heartbeat;
pub mod ledger;
pub mod status;
pub mod metric;
