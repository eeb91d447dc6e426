//! Rules: events and a clock in, alert transitions out.
//!
//! Enters: rule files as text, events, and the time as an argument.
//! Leaves: alert transitions, each with a named reason and the text to send.
//! Never: a clock, a file, the environment, a runtime, the network, a channel.
//!
//! In the order data flows: a rule file becomes [`rule::Rule`]s; a rule's [`kql::Query`] picks events; its
//! [`condition::Condition`] judges them; [`template`] words the outcome.

pub mod condition;
pub mod kql;
pub mod rule;
pub mod template;
