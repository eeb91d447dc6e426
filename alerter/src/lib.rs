//! The alerter: records of events in, notifications out.
//!
//! Enters: batches of a [`daemon::Source`], rule files, outcomes of deliveries. Leaves: sends to channels.
//! Never: a tailed file, Elasticsearch.
//!
//! In flow order: a record is judged by [`rules`], a transition becomes notifications by its route, a
//! notification becomes rows of the outbox, a row leaves it by the vendor's own answer.

pub mod config;
pub mod setup;
pub mod command;
pub mod run;
pub mod core;
pub mod state;
pub mod route;
pub mod notification;
pub mod quota;
pub mod outbox;
pub mod channel;
pub mod api;
pub mod metric;
#[cfg(test)]
mod sample;

pub use crate::channel::{Channel, ChannelConfig, Outcome, SendOptions};
pub use crate::core::{Core, Observed, Plan};
pub use crate::notification::{Kind, Notification};
pub use crate::quota::Quota;
pub use crate::run::{Deps, RunError, run};
pub use crate::setup::Setup;
