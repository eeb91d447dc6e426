//! What a Kafka client says about its brokers, as one part of the daemon's readiness.
//!
//! Enters: librdkafka's errors, logs and statistics. Leaves: up or down with a reason, told once for each change.
//! Never: one line for each retry.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};

use rdkafka::Statistics;
use rdkafka::client::ClientContext;
use rdkafka::config::RDKafkaLogLevel;
use rdkafka::error::KafkaError;
use rdkafka::types::RDKafkaErrorCode as Code;

use crate::Readiness;

/// The client context of a producer or a consumer. A context with callbacks of its own holds one and hands
/// `log`, `error` and `stats` on to it.
#[derive(Debug)]
pub struct ClientEvents {
    readiness: Readiness,
    part: String,
    is_connected: AtomicBool,
    reconnects: AtomicU64,
    fatal: Mutex<Option<String>>,
}

impl ClientEvents {
    /// Reports as `part`, for example `kafka`. The part is down until a broker answers.
    #[must_use]
    pub fn new(readiness: Readiness, part: impl Into<String>) -> Self {
        let part = part.into();
        ClientEvents {
            readiness,
            part,
            is_connected: AtomicBool::new(false),
            reconnects: AtomicU64::new(0),
            fatal: Mutex::new(None),
        }
    }

    /// True while at least one broker is connected.
    #[must_use]
    pub fn is_connected(&self) -> bool {
        self.is_connected.load(Ordering::Acquire)
    }

    /// How often the connection came (back), the first time included.
    #[must_use]
    pub fn connects(&self) -> u64 {
        self.reconnects.load(Ordering::Acquire)
    }

    /// What will not pass without a change of the configuration: the user is refused, the certificate does not fit.
    #[must_use]
    pub fn fatal(&self) -> Option<String> {
        self.fatal.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// A broker answered.
    pub fn up(&self) {
        if !self.is_connected.swap(true, Ordering::AcqRel) {
            self.reconnects.fetch_add(1, Ordering::AcqRel);
        }
        *self.fatal.lock().unwrap_or_else(PoisonError::into_inner) = None;
        self.readiness.up(&self.part);
    }

    fn down(&self, reason: String) {
        self.is_connected.store(false, Ordering::Release);
        self.readiness.down(&self.part, reason);
    }
}

impl ClientContext for ClientEvents {
    fn log(&self, level: RDKafkaLogLevel, facility: &str, message: &str) {
        // Errors come a second time through `error`, where they are told once; here they are for debugging.
        tracing::debug!(target: "librdkafka", ?level, facility, message);
    }

    fn error(&self, error: KafkaError, reason: &str) {
        let code = error.rdkafka_error_code();
        match code {
            Some(Code::Authentication | Code::SaslAuthenticationFailed | Code::SSL) => {
                let text = format!("{reason}; check `sasl`, `tls` and the broker's users");
                *self.fatal.lock().unwrap_or_else(PoisonError::into_inner) = Some(text.clone());
                self.down(text);
            }
            // A message of its own for each broker comes before; only when all are away nothing can be done.
            Some(Code::AllBrokersDown) => self.down("no broker answers; still trying".to_owned()),
            _ => tracing::debug!(target: "librdkafka", part = %self.part, ?code, reason),
        }
    }

    fn stats(&self, statistics: Statistics) {
        // Bootstrap brokers have no id until one of them tells the cluster's.
        if statistics.brokers.values().any(|broker| broker.nodeid >= 0 && broker.state == "UP") {
            self.up();
        }
    }
}
