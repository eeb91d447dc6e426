//! Rules: events and a clock in, alert transitions out.
//!
//! Enters: rule files as text, events, and the time as an argument.
//! Leaves: alert transitions, each with a named reason and the text to send.
//! Never: a clock, a file, the environment, a runtime, the network, a channel.
//!
//! In the order data flows: a rule file becomes [`rule::Rule`]s; a rule's [`kql::Query`] picks events; its
//! [`condition::Condition`] judges them over a [`window`]; a [`state::Alert`] makes transitions of the judgements;
//! [`template`] words the outcome. [`engine::Engine`] is all of this in one value.

pub mod rule;
pub mod condition;
pub mod template;
pub mod settings;
pub mod dedup;
pub mod source;
pub mod window;
pub mod state;
pub mod engine;
pub mod transition;
pub mod stats;
pub mod testing;

pub use engine::{AlertView, Engine, Input, Snapshot};
pub use rule::{Priority, Rule};
pub use settings::Settings;
pub use stats::Stats;
pub use transition::{AlertState, Reason, Transition};
