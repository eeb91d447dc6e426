//! What a refusal by the broker means.
//!
//! Enters: an error code of librdkafka. Leaves: who can mend it, and a sentence for the operator. Never: a retry.
//! Errors that pass by themselves never come here: librdkafka retries them for ever.

use rdkafka::types::RDKafkaErrorCode as Code;

/// Who can mend it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Kind {
    /// Nobody has to: the record only shared the fate of another one, and is sent again.
    Bystander,
    /// The producer: a new session sends what is unsettled again.
    Session,
    /// The record itself, or a batch that it was in.
    Record,
    /// The operator: an access rule, a topic, a password. Everything waits until it is mended.
    Setting,
}

impl Kind {
    /// The label value in metrics.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Kind::Bystander | Kind::Session => "session",
            Kind::Record => "record",
            Kind::Setting => "setting",
        }
    }

    /// Sorts a code.
    #[must_use]
    pub fn of(code: Code) -> Kind {
        match code {
            Code::PurgeQueue | Code::PurgeInflight => Kind::Bystander,
            Code::MessageSizeTooLarge
            | Code::MessageBatchTooLarge
            | Code::InvalidMessageSize
            | Code::InvalidRecord
            | Code::InvalidMessage
            | Code::InvalidDifferentRecord
            | Code::BadMessage => Kind::Record,
            Code::TopicAuthorizationFailed
            | Code::ClusterAuthorizationFailed
            | Code::SaslAuthenticationFailed
            | Code::Authentication
            | Code::UnknownTopic
            | Code::UnknownTopicOrPartition
            | Code::UnknownPartition
            | Code::InvalidTopic
            | Code::InvalidTimestamp
            | Code::InvalidRequiredAcks
            | Code::InvalidConfig
            | Code::PolicyViolation
            | Code::UnsupportedCompressionType
            | Code::UnsupportedForMessageFormat
            | Code::UnsupportedVersion
            | Code::UnsupportedFeature
            | Code::SecurityDisabled => Kind::Setting,
            _ => Kind::Session,
        }
    }
}

/// What the broker said of a record, for a dead letter.
#[must_use]
pub fn name(code: Code) -> &'static str {
    match code {
        Code::MessageSizeTooLarge | Code::MessageBatchTooLarge | Code::InvalidMessageSize => {
            "the record is larger than the topic's max.message.bytes"
        }
        Code::InvalidRecord | Code::InvalidDifferentRecord => "the broker found the record invalid",
        _ => "the broker refused the record",
    }
}

/// Says what the operator can do about `code` on `topic`.
#[must_use]
pub fn advice(code: Code, topic: &str) -> String {
    match code {
        Code::TopicAuthorizationFailed => {
            format!("topic `{topic}`: access denied; allow this user to Write and Describe it")
        }
        Code::ClusterAuthorizationFailed => {
            format!(
                "topic `{topic}`: idempotent writing denied; allow this user IdempotentWrite on the cluster"
            )
        }
        Code::SaslAuthenticationFailed | Code::Authentication => {
            "log-in refused; check user and password in `output.kafka`".to_owned()
        }
        Code::UnknownTopic | Code::UnknownTopicOrPartition | Code::UnknownPartition => {
            format!("topic `{topic}` is not there; create it, or let the broker create topics")
        }
        Code::InvalidTopic => {
            format!("topic `{topic}` is no name that the broker accepts; change `output.kafka.topic`")
        }
        Code::InvalidTimestamp => {
            format!(
                "topic `{topic}`: the broker's clock and this host's differ too much; set this host's clock"
            )
        }
        Code::UnsupportedCompressionType => {
            format!(
                "topic `{topic}`: the broker does not know this compression; change `output.kafka.compression`"
            )
        }
        other => format!("topic `{topic}`: {other}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_code_has_one_who_can_mend_it() {
        for (code, kind) in [
            (Code::PurgeQueue, Kind::Bystander),
            (Code::PurgeInflight, Kind::Bystander),
            (Code::MessageSizeTooLarge, Kind::Record),
            (Code::InvalidRecord, Kind::Record),
            (Code::TopicAuthorizationFailed, Kind::Setting),
            (Code::UnknownTopic, Kind::Setting),
            (Code::UnknownTopicOrPartition, Kind::Setting),
            (Code::InvalidTimestamp, Kind::Setting),
            (Code::GaplessGuarantee, Kind::Session),
            (Code::OutOfOrderSequenceNumber, Kind::Session),
            (Code::UnknownProducerId, Kind::Session),
            (Code::Fatal, Kind::Session),
        ] {
            assert_eq!(Kind::of(code), kind, "{code:?}");
        }
    }

    #[test]
    fn what_an_operator_can_mend_says_how() {
        for code in [
            Code::TopicAuthorizationFailed,
            Code::ClusterAuthorizationFailed,
            Code::SaslAuthenticationFailed,
            Code::UnknownTopic,
            Code::InvalidTopic,
            Code::InvalidTimestamp,
        ] {
            let text = advice(code, "logs");
            assert!(text.contains("; ") && !text.ends_with('.'), "{text}");
        }
    }
}
