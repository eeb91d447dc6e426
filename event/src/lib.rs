//! The record that every room of Watchfire speaks: one ECS-shaped JSON object for each Kafka record.
//!
//! Enters: parsed pieces of a line ([`Fields`]) or the bytes of somebody's record.
//! Leaves: the bytes of a record ([`Encoder`]) or an [`Event`].
//! Never: a clock, a file, the network. Time and bytes are arguments.
//!
//! The two directions are two types, because their costs differ: a shipper writes each line once and never
//! looks back ([`Fields`], borrowed, no allocation per field); an alerter asks any record for any path
//! ([`Event`], owned, flat).

pub mod civil;
pub mod time;
pub mod id;
pub mod level;
pub mod tag;
pub mod utf8;
mod unescape;
pub mod origin;
pub mod fields;
pub mod encode;
pub mod event;
pub mod decode;
pub mod document;
pub mod heartbeat;

pub use crate::encode::{Encoder, Imprint, Record};
pub use crate::event::{Event, Value};
pub use crate::fields::{Fields, Scalar, Text};
pub use crate::heartbeat::Heartbeat;
pub use crate::id::{EventId, StreamId};
pub use crate::level::Level;
pub use crate::origin::Origin;
pub use crate::time::Timestamp;
