//! The connection's settings.
//!
//! Enters: YAML. Leaves: a librdkafka configuration, or the word on what this build cannot do.
//! Never: a secret in an error.

use std::collections::BTreeMap;
use std::path::PathBuf;

use rdkafka::ClientConfig;
use schemars::JsonSchema;
use serde::Deserialize;

use crate::config::Secret;

/// How to reach Kafka.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct KafkaConfig {
    /// Brokers to ask for the others, as `host:port`. One that answers is enough; name two or three.
    pub brokers: Vec<String>,
    /// The name that the brokers' logs and quotas know this client by.
    #[serde(default = "default_client_id")]
    pub client_id: String,
    /// Speak TLS.
    #[serde(default)]
    pub tls: Option<Tls>,
    /// Log in.
    #[serde(default)]
    pub sasl: Option<Sasl>,
    /// Further librdkafka properties, such as `socket.timeout.ms: 10000`.
    #[serde(default)]
    pub options: BTreeMap<String, String>,
}

pub(crate) fn default_client_id() -> String {
    "watchfire".to_owned()
}

/// TLS to the brokers.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Tls {
    /// The authorities that sign the brokers' certificates, as a PEM file; the system's when it is not set.
    #[serde(default)]
    pub ca: Option<PathBuf>,
    /// Our certificate, as a PEM file, where brokers ask for one.
    #[serde(default)]
    pub cert: Option<PathBuf>,
    /// The key of our certificate, as a PEM file.
    #[serde(default)]
    pub key: Option<PathBuf>,
    /// Check the brokers' certificates and names. Switch it off in experiments alone.
    #[serde(default = "default_verify")]
    pub verify: bool,
}

impl Tls {
    fn set(&self, client: &mut ClientConfig) -> Result<(), KafkaConfigError> {
        if self.cert.is_some() != self.key.is_some() {
            return Err(KafkaConfigError::HalfCertificate);
        }
        let files = [
            ("ca", "ssl.ca.location", &self.ca),
            ("cert", "ssl.certificate.location", &self.cert),
            ("key", "ssl.key.location", &self.key),
        ];
        for (key, property, path) in files {
            let Some(path) = path else { continue };
            std::fs::read(path).map_err(|error| KafkaConfigError::File {
                key,
                path: path.display().to_string(),
                reason: error.to_string(),
            })?;
            client.set(property, path.to_string_lossy());
        }
        client.set("enable.ssl.certificate.verification", if self.verify { "true" } else { "false" });
        Ok(())
    }
}

/// Properties that have a key of their own in [`KafkaConfig`].
const OWN: &[(&str, &str)] = &[
    ("bootstrap.servers", "brokers"),
    ("metadata.broker.list", "brokers"),
    ("client.id", "client_id"),
    ("security.protocol", "tls"),
    ("sasl.username", "sasl.username"),
    ("sasl.password", "sasl.password"),
    ("sasl.mechanism", "sasl.mechanism"),
    ("sasl.mechanisms", "sasl.mechanism"),
];

fn default_verify() -> bool {
    true
}

/// A user of the brokers.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Sasl {
    /// How to prove it.
    pub mechanism: SaslMechanism,
    /// The user.
    pub username: String,
    /// The password; write `${file:/path}` or `${VARIABLE}`.
    pub password: Secret,
}

/// How a user proves who it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, JsonSchema)]
pub enum SaslMechanism {
    /// The password as it is; only over TLS, or on loopback.
    #[serde(rename = "PLAIN")]
    Plain,
    /// Salted challenge with SHA-256.
    #[serde(rename = "SCRAM-SHA-256")]
    ScramSha256,
    /// Salted challenge with SHA-512.
    #[serde(rename = "SCRAM-SHA-512")]
    ScramSha512,
}

impl SaslMechanism {
    const fn name(self) -> &'static str {
        match self {
            SaslMechanism::Plain => "PLAIN",
            SaslMechanism::ScramSha256 => "SCRAM-SHA-256",
            SaslMechanism::ScramSha512 => "SCRAM-SHA-512",
        }
    }
}

/// Why the settings cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum KafkaConfigError {
    /// There is no broker to ask.
    #[error("kafka.brokers is empty; name at least one broker as host:port, such as 127.0.0.1:9092")]
    NoBrokers,
    /// A broker is not `host:port`.
    #[error("kafka.brokers: `{0}` is not host:port, such as 127.0.0.1:9092")]
    Broker(String),
    /// This build has no OpenSSL.
    #[error(
        "kafka.{0} needs OpenSSL, which this build leaves out; use the release image, or build with `--features kafka-tls`"
    )]
    NotBuilt(&'static str),
    /// A file that cannot be read; librdkafka would not say which.
    #[error("kafka.tls.{key}: {path}: {reason}; correct the path, or let this user read it")]
    File {
        /// The key of the settings.
        key: &'static str,
        /// The file.
        path: String,
        /// What the system says.
        reason: String,
    },
    /// A certificate without its key, or a key without its certificate.
    #[error("kafka.tls: `cert` and `key` belong together; set both or neither")]
    HalfCertificate,
    /// A property that is not the operator's.
    #[error("kafka.options: `{0}` is not free; leave it out, Watchfire sets it itself")]
    Fixed(String),
    /// librdkafka does not know the property, or refuses the value.
    #[error("kafka.options: librdkafka refuses `{property}`: {reason}")]
    Option {
        /// The property.
        property: String,
        /// What librdkafka says.
        reason: String,
    },
}

impl KafkaConfig {
    /// A connection to `brokers` with nothing else set.
    #[must_use]
    pub fn new(brokers: Vec<String>) -> Self {
        KafkaConfig {
            brokers,
            client_id: default_client_id(),
            tls: None,
            sasl: None,
            options: BTreeMap::new(),
        }
    }

    /// librdkafka's configuration of this connection. `defaults` are the caller's properties that the operator's
    /// `options` may change, such as `linger.ms`; `fixed` are those that its contract stands on, such as `acks`.
    ///
    /// # Errors
    /// [`KafkaConfigError`]; nothing was connected yet.
    pub fn client(
        &self,
        defaults: &[(&str, &str)],
        fixed: &[(&str, &str)],
    ) -> Result<ClientConfig, KafkaConfigError> {
        let mut client = ClientConfig::new();
        self.check_brokers()?;
        self.secure(&mut client)?;
        // `ClientEvents` hears of broken connections, and says so once.
        client.set("log.connection.close", "false");
        // The statistics are how a broker that is back is noticed when there is nothing to read or write.
        client.set("statistics.interval.ms", "1000");
        // The library's ten seconds are long for a broker that restarts in five.
        client.set("reconnect.backoff.max.ms", "2000");
        for (property, value) in defaults {
            client.set(*property, *value);
        }
        for (property, value) in &self.options {
            if fixed.iter().chain(OWN).any(|(own, _)| own == property) {
                return Err(KafkaConfigError::Fixed(property.clone()));
            }
            client.set(property, value);
        }
        client.set("bootstrap.servers", self.brokers.join(",")).set("client.id", &self.client_id);
        for (property, value) in fixed {
            client.set(*property, *value);
        }
        self.check_properties(&client)?;
        Ok(client)
    }

    fn check_brokers(&self) -> Result<(), KafkaConfigError> {
        if self.brokers.is_empty() {
            return Err(KafkaConfigError::NoBrokers);
        }
        let is_address = |broker: &str| {
            broker
                .rsplit_once(':')
                .is_some_and(|(host, port)| !host.is_empty() && port.parse::<u16>().is_ok())
        };
        match self.brokers.iter().find(|broker| !is_address(broker)) {
            Some(broker) => Err(KafkaConfigError::Broker(broker.clone())),
            None => Ok(()),
        }
    }

    fn secure(&self, client: &mut ClientConfig) -> Result<(), KafkaConfigError> {
        let is_built = cfg!(feature = "kafka-tls");
        if self.tls.is_some() && !is_built {
            return Err(KafkaConfigError::NotBuilt("tls"));
        }
        // PLAIN needs no cryptography; on loopback and in closed networks it is used without TLS.
        let is_plain = |sasl: &Sasl| sasl.mechanism == SaslMechanism::Plain;
        if self.sasl.as_ref().is_some_and(|sasl| !is_plain(sasl)) && !is_built {
            return Err(KafkaConfigError::NotBuilt("sasl.mechanism"));
        }
        let protocol = match (&self.tls, &self.sasl) {
            (None, None) => "plaintext",
            (Some(_), None) => "ssl",
            (None, Some(_)) => "sasl_plaintext",
            (Some(_), Some(_)) => "sasl_ssl",
        };
        client.set("security.protocol", protocol);
        if let Some(tls) = &self.tls {
            tls.set(client)?;
        }
        if let Some(sasl) = &self.sasl {
            client.set("sasl.mechanism", sasl.mechanism.name());
            client.set("sasl.username", &sasl.username).set("sasl.password", sasl.password.reveal());
        }
        Ok(())
    }

    /// librdkafka checks each property when it is set. The password may stand in what it says of its own property, so
    /// only the operator's options are quoted.
    fn check_properties(&self, client: &ClientConfig) -> Result<(), KafkaConfigError> {
        let Err(error) = client.create_native_config() else { return Ok(()) };
        let (property, reason) = match error {
            rdkafka::error::KafkaError::ClientConfig(_, reason, property, _) => (property, reason),
            other => ("?".to_owned(), other.to_string()),
        };
        let reason =
            if self.options.contains_key(&property) { reason } else { "the value is refused".to_owned() };
        Err(KafkaConfigError::Option { property, reason })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const BROKER: &str = "brokers: ['127.0.0.1:9092']\n";

    fn client(text: &str) -> Result<ClientConfig, String> {
        let config: KafkaConfig =
            crate::config::parse("kafka.yml", text).map_err(|error| error.to_string())?;
        config.client(&[("linger.ms", "5")], &[("acks", "all")]).map_err(|error| error.to_string())
    }

    #[test]
    fn the_operators_options_win_over_defaults() {
        let built = client(&format!("{BROKER}options: {{ linger.ms: '20' }}\n")).unwrap();
        assert_eq!(built.get("linger.ms"), Some("20"));
        assert_eq!(built.get("acks"), Some("all"));
        assert_eq!(built.get("bootstrap.servers"), Some("127.0.0.1:9092"));
        assert_eq!(built.get("client.id"), Some("watchfire"));
        assert_eq!(client(BROKER).unwrap().get("linger.ms"), Some("5"));
    }

    #[test]
    fn says_what_cannot_be_used() {
        for (text, expected) in [
            (
                "brokers: []\n",
                "kafka.brokers is empty; name at least one broker as host:port, such as 127.0.0.1:9092",
            ),
            ("brokers: [kafka]\n", "kafka.brokers: `kafka` is not host:port, such as 127.0.0.1:9092"),
            (
                "brokers: ['k:1']\noptions: { acks: '1' }\n",
                "kafka.options: `acks` is not free; leave it out, Watchfire sets it itself",
            ),
            (
                "brokers: ['k:1']\noptions: { client.id: me }\n",
                "kafka.options: `client.id` is not free; leave it out, Watchfire sets it itself",
            ),
            (
                "brokers: ['k:1']\noptions: { lingre.ms: '1' }\n",
                "kafka.options: librdkafka refuses `lingre.ms`: No such configuration property: \"lingre.ms\"",
            ),
        ] {
            assert_eq!(client(text).unwrap_err(), expected);
        }
    }

    #[test]
    fn a_password_as_it_is_needs_no_tls() {
        let text = "sasl: { mechanism: PLAIN, username: ann, password: secret }\n";
        let built = client(&format!("{BROKER}{text}")).unwrap();
        assert_eq!(built.get("security.protocol"), Some("sasl_plaintext"));
        assert_eq!(built.get("sasl.mechanism"), Some("PLAIN"));
    }

    #[cfg(not(feature = "kafka-tls"))]
    #[test]
    fn a_build_without_tls_says_which_has_it() {
        for (text, key) in [
            ("tls: {}\n", "tls"),
            ("sasl: { mechanism: SCRAM-SHA-512, username: a, password: b }\n", "sasl.mechanism"),
            ("tls: {}\nsasl: { mechanism: PLAIN, username: a, password: b }\n", "tls"),
        ] {
            assert_eq!(
                client(&format!("{BROKER}{text}")).unwrap_err(),
                format!(
                    "kafka.{key} needs OpenSSL, which this build leaves out; use the release image, or build with \
                     `--features kafka-tls`"
                )
            );
        }
    }

    #[cfg(feature = "kafka-tls")]
    #[test]
    fn tls_and_login_are_set() {
        let text =
            "tls: { verify: false }\nsasl: { mechanism: SCRAM-SHA-512, username: ann, password: secret }\n";
        let built = client(&format!("{BROKER}{text}")).unwrap();
        assert_eq!(built.get("security.protocol"), Some("sasl_ssl"));
        assert_eq!(built.get("sasl.mechanism"), Some("SCRAM-SHA-512"));
        assert_eq!(built.get("sasl.password"), Some("secret"));
        assert_eq!(built.get("enable.ssl.certificate.verification"), Some("false"));
        let half = client(&format!("{BROKER}tls: {{ cert: /etc/cert.pem }}\n")).unwrap_err();
        assert_eq!(half, "kafka.tls: `cert` and `key` belong together; set both or neither");
        let missing = client(&format!("{BROKER}tls: {{ ca: /nowhere/ca.pem }}\n")).unwrap_err();
        assert!(missing.starts_with("kafka.tls.ca: /nowhere/ca.pem: No such file"), "{missing}");
    }
}
