//! All of Watchfire in one process: shipper, alerter and indexer around one queue in memory.
//!
//! Enters: `watchfire.yml`, or nothing for the demo. Leaves: what the rooms do. Never: logic of its own; it wires.

pub mod command;
pub mod config;
pub mod up;
pub mod reload;
pub mod init;
pub mod demo;
pub mod sample;
