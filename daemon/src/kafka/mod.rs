//! How to reach Kafka, for producers and consumers alike.
//!
//! Enters: the operator's settings. Leaves: librdkafka's, checked before a thread is started; and what the client says
//! about its brokers as one part of [`crate::Readiness`]. Never: a topic or a record.

mod config;
mod events;

pub(crate) use config::default_client_id;
pub use config::{KafkaConfig, KafkaConfigError, Sasl, SaslMechanism, Tls};
pub use events::ClientEvents;
