//! What the end-to-end tests are made of: real parts, vendors' stand-ins, an oracle, and a script of moments.
//!
//! Enters: a scenario. Leaves: what reached the other end. Never: a mock of our own components.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "test support fails by panicking")]

pub mod dice;
pub mod fake;
pub mod http;
pub mod oracle;
pub mod part;
pub mod post;
pub mod publish;
pub mod scenario;
pub mod torture;
pub mod wait;
