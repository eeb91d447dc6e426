//! Bytes in files, and probes, become acknowledged records.
//!
//! Enters: redirected logs, probed services. Leaves: ECS records on Kafka, each once in order in its stream.
//! Never: a rule, an alert.

pub mod batch;
pub mod multiline;
pub mod parser;
