//! What a Kafka client says about its brokers, as one part of the daemon's readiness.
//!
//! Enters: librdkafka's errors, logs and statistics. Leaves: up or down with a reason, told once for each change.
//! Never: one line for each retry.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

use rdkafka::Statistics;
use rdkafka::client::ClientContext;
use rdkafka::config::RDKafkaLogLevel;
use rdkafka::error::KafkaError;
use rdkafka::types::RDKafkaErrorCode as Code;

use crate::Readiness;

/// A connection that is closed as soon as it is made has no error of its own. A broker does so while it ends, and to a
/// client that speaks another protocol than the listener.
const NO_CAUSE: &str =
    "no broker answers; still trying; if this lasts, `tls` and `sasl` do not suit the listener at `brokers`";

/// The client context of a producer or a consumer. A context with callbacks of its own holds one and hands
/// `log`, `error` and `stats` on to it.
#[derive(Debug)]
pub struct ClientEvents {
    readiness: Readiness,
    part: String,
    is_connected: AtomicBool,
    reconnects: AtomicU64,
    outage: Mutex<Outage>,
}

/// Why no broker serves us. The client tries again and again, each broker in its own words; the first word of an outage
/// stays, so that it is told once.
#[derive(Debug, Default)]
struct Outage {
    /// The user or the certificate is refused: the code, and what to do.
    refusal: Option<(Code, String)>,
    /// What broke the first connection.
    cause: Option<String>,
}

impl Outage {
    /// What to tell of this error, if it is news.
    fn handle(&mut self, code: Code, reason: &str) -> Option<String> {
        match code {
            Code::Authentication | Code::SaslAuthenticationFailed | Code::SSL => {
                if self.refusal.as_ref().is_some_and(|(before, _)| *before == code) {
                    return None;
                }
                let text = format!("{}; check `sasl`, `tls` and the broker's users", lasting(reason));
                self.refusal = Some((code, text.clone()));
                Some(text)
            }
            Code::BrokerTransportFailure | Code::Resolve => {
                self.cause.get_or_insert_with(|| lasting(reason).to_owned());
                None
            }
            // A message of its own for each broker comes before; only when all are away nothing can be done.
            Code::AllBrokersDown if self.refusal.is_none() => Some(match &self.cause {
                Some(cause) => format!("no broker answers: {cause}; still trying"),
                None => NO_CAUSE.to_owned(),
            }),
            _ => None,
        }
    }
}

/// What librdkafka says, without the duration and the count of repetitions behind it, which differ each time.
fn lasting(reason: &str) -> &str {
    reason.rfind(" (after ").map_or(reason, |end| &reason[..end])
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
            outage: Mutex::default(),
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

    /// Why brokers that are there do not serve us: the user is refused, or the certificate does not fit.
    #[must_use]
    pub fn refusal(&self) -> Option<String> {
        self.outage().refusal.as_ref().map(|(_, text)| text.clone())
    }

    fn outage(&self) -> MutexGuard<'_, Outage> {
        self.outage.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A broker answered.
    pub fn up(&self) {
        if !self.is_connected.swap(true, Ordering::AcqRel) {
            self.reconnects.fetch_add(1, Ordering::AcqRel);
        }
        *self.outage() = Outage::default();
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
        let code = error.rdkafka_error_code().unwrap_or(Code::Unknown);
        tracing::debug!(target: "librdkafka", part = %self.part, ?code, reason);
        let news = self.outage().handle(code, reason);
        if let Some(text) = news {
            self.down(text);
        }
    }

    fn stats(&self, statistics: Statistics) {
        // Bootstrap brokers have no id until one of them tells the cluster's.
        if statistics.brokers.values().any(|broker| broker.nodeid >= 0 && broker.state == "UP") {
            self.up();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What each of these errors in a row gives to tell; `-` is nothing.
    fn check(errors: &[(Code, &str)], expected: &[&str]) {
        let mut outage = Outage::default();
        let told = errors.iter().map(|(code, reason)| outage.handle(*code, reason));
        let told: Vec<String> = told.map(|text| text.unwrap_or_else(|| "-".to_owned())).collect();
        assert_eq!(told, expected, "{errors:?}");
    }

    #[test]
    fn a_refusal_is_told_once_and_is_not_hidden_behind_brokers_that_are_down() {
        let refused =
            "b:1: SASL authentication error: no such user; check `sasl`, `tls` and the broker's users";
        let first = "b:1: SASL authentication error: no such user (after 437ms in state AUTH_REQ)";
        let again = "c:1: SASL authentication error: no such user (after 9ms in state AUTH_REQ, 1 identical error(s) suppressed)";
        let down = (Code::AllBrokersDown, "1/1 brokers are down");
        check(
            &[(Code::Authentication, first), down, (Code::Authentication, again), down],
            &[refused, "-", "-", "-"],
        );
        check(
            &[(Code::SSL, "no certificate"), (Code::Authentication, first)],
            &["no certificate; check `sasl`, `tls` and the broker's users", refused],
        );
    }

    #[test]
    fn brokers_that_are_away_are_told_with_what_broke_the_first_connection() {
        let down = (Code::AllBrokersDown, "1/1 brokers are down");
        let refused = "b:1: Connect failed: Connection refused (after 0ms in state CONNECT)";
        let told = "no broker answers: b:1: Connect failed: Connection refused; still trying";
        check(&[down], &[NO_CAUSE]);
        check(
            &[(Code::BrokerTransportFailure, refused), down, (Code::Resolve, "c:1: Failed to resolve"), down],
            &["-", told, "-", told],
        );
    }

    #[test]
    fn a_broker_that_answers_ends_the_outage() {
        let readiness = Readiness::default();
        let events = ClientEvents::new(readiness.clone(), "kafka");
        events.error(KafkaError::Global(Code::Authentication), "no such user");
        assert!(readiness.parts()["kafka"].as_ref().is_err_and(|reason| reason.starts_with("no such user;")));
        assert_eq!(events.refusal(), readiness.parts()["kafka"].clone().err());
        events.up();
        assert_eq!((readiness.parts()["kafka"].clone(), events.refusal()), (Ok(()), None));
        events.error(KafkaError::Global(Code::AllBrokersDown), "");
        assert_eq!(readiness.parts()["kafka"], Err(NO_CAUSE.to_owned()));
    }
}
