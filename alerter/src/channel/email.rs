//! Email over SMTP.
//!
//! Enters: a notification and one address. Leaves: one plain-text message. Source: RFC 5321 for what reply codes mean.

use std::path::PathBuf;
use std::time::Duration;

use daemon::config::Secret;
use lettre::message::{Mailbox, header::ContentType};
use lettre::transport::smtp::authentication::Credentials;
use lettre::transport::smtp::client::{Certificate, Tls, TlsParameters};
use lettre::{AsyncSmtpTransport, AsyncTransport, Message, Tokio1Executor};

use super::{Outcome, SendOptions};
use crate::Notification;

/// The longest that the server may take for one command.
const TIMEOUT: Duration = Duration::from_secs(30);

/// Where to cut when the server says that a message was too large.
const SHORT_BYTES_MAX: usize = 8_000;

/// The line before a certificate in a PEM file.
const PEM_HEAD: &str = "-----BEGIN CERTIFICATE-----";

/// `email: { host: smtp.example.org, from: "watchfire@example.org", to: ["ops@example.org"] }`.
#[derive(Debug, Clone, serde::Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Config {
    /// The SMTP server; its certificate must be for this name.
    pub host: String,
    /// Its port; 587 with STARTTLS, 465 with TLS, 25 without.
    #[serde(default)]
    pub port: Option<u16>,
    /// How the connection is protected.
    #[serde(default)]
    pub security: Security,
    /// A PEM file with the authority that signed the server's certificate, beside the system's.
    #[serde(default)]
    pub ca: Option<PathBuf>,
    /// Who logs in; nobody without it.
    #[serde(default)]
    pub username: Option<String>,
    /// The password of `username`.
    #[serde(default)]
    pub password: Option<Secret>,
    /// The sender.
    pub from: String,
    /// The addresses; each is one message, with a delivery of its own.
    pub to: Vec<String>,
}

/// How the connection is protected.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, serde::Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Security {
    /// Plain at first, then STARTTLS; a server that does not offer it is refused.
    #[default]
    Starttls,
    /// TLS from the first byte.
    Tls,
    /// In the clear; for a relay on the same host.
    None,
}

/// One mail server and its addresses.
#[derive(Debug)]
pub struct Email {
    /// Host and port, for reasons.
    server: String,
    from: Mailbox,
    to: Vec<String>,
    transport: AsyncSmtpTransport<Tokio1Executor>,
}

impl Email {
    /// Opens no connection; reads the `ca` file.
    ///
    /// # Errors
    /// What is wrong with an address, the file or the credentials.
    pub fn new(config: &Config) -> Result<Self, String> {
        let from = address(&config.from)?;
        if config.to.is_empty() {
            return Err("`to` is empty; write addresses, such as [\"ops@example.org\"]".to_owned());
        }
        for to in &config.to {
            address(to)?;
        }
        let server = format!("{}:{}", config.host, port(config));
        Ok(Email { server, from, to: config.to.clone(), transport: transport(config)? })
    }

    /// The addresses.
    #[must_use]
    pub fn recipients(&self) -> &[String] {
        &self.to
    }

    /// Sends once.
    pub async fn send(&self, notification: &Notification, recipient: &str, options: SendOptions) -> Outcome {
        let message = match self.message(notification, recipient, options) {
            Ok(message) => message,
            Err(reason) => return Outcome::Permanent { reason },
        };
        match self.transport.send(message).await {
            Ok(response) => {
                Outcome::Delivered { reference: response.message().collect::<Vec<_>>().join(" ") }
            }
            Err(error) => judge(&self.server, &error, options),
        }
    }

    fn message(
        &self,
        notification: &Notification,
        to: &str,
        options: SendOptions,
    ) -> Result<Message, String> {
        // The same id for a repeated send, so that mail programs show one message.
        let id = format!("<{}@watchfire>", notification.id);
        let bytes_max = options.bytes_max.unwrap_or(usize::MAX);
        let message = Message::builder()
            .from(self.from.clone())
            .to(address(to)?)
            .subject(notification.title())
            .message_id(Some(id))
            .header(ContentType::TEXT_PLAIN);
        let body = crate::notification::truncate(&notification.body(), bytes_max).into_owned();
        message.body(body).map_err(|error| format!("the message cannot be written: {error}"))
    }
}

fn address(text: &str) -> Result<Mailbox, String> {
    text.parse().map_err(|error| format!("`{text}` is no mail address ({error}); write `name@example.org`"))
}

fn port(config: &Config) -> u16 {
    config.port.unwrap_or(match config.security {
        Security::Starttls => 587,
        Security::Tls => 465,
        Security::None => 25,
    })
}

fn transport(config: &Config) -> Result<AsyncSmtpTransport<Tokio1Executor>, String> {
    let tls = match config.security {
        Security::Starttls => Tls::Required(tls(config)?),
        Security::Tls => Tls::Wrapper(tls(config)?),
        Security::None => Tls::None,
    };
    let builder = AsyncSmtpTransport::<Tokio1Executor>::builder_dangerous(&config.host)
        .port(port(config))
        .tls(tls)
        .timeout(Some(TIMEOUT));
    match (&config.username, &config.password) {
        (Some(username), Some(password)) => {
            let credentials = Credentials::new(username.clone(), password.reveal().to_owned());
            Ok(builder.credentials(credentials).build())
        }
        (None, None) => Ok(builder.build()),
        _ => Err("`username` and `password` go together; write both, or none".to_owned()),
    }
}

fn tls(config: &Config) -> Result<TlsParameters, String> {
    let mut builder = TlsParameters::builder(config.host.clone());
    if let Some(path) = &config.ca {
        let unusable = |error: String| format!("`ca` {}: {error}", path.display());
        let pem = std::fs::read(path).map_err(|error| unusable(error.to_string()))?;
        // The library takes a file without any for an empty list.
        if !String::from_utf8_lossy(&pem).contains(PEM_HEAD) {
            return Err(unusable(format!("there is no certificate in it; it needs a `{PEM_HEAD}`")));
        }
        let certificate = Certificate::from_pem(&pem).map_err(|error| unusable(error.to_string()))?;
        builder = builder.add_root_certificate(certificate);
    }
    builder.build_rustls().map_err(|error| format!("tls cannot be set up: {error}"))
}

fn judge(server: &str, error: &lettre::transport::smtp::Error, options: SendOptions) -> Outcome {
    let reason = format!("{server}: {}", reason(error));
    let code = error.status().map(u16::from);
    match code {
        Some(552) if options.bytes_max.is_none() => Outcome::Shrink { bytes_max: SHORT_BYTES_MAX, reason },
        // The server's own no: unknown mailbox, refused sender, wrong password.
        Some(500..) => Outcome::Permanent { reason },
        _ => Outcome::RetryAfter { delay: None, reason },
    }
}

fn reason(error: &lettre::transport::smtp::Error) -> String {
    let mut text = error.to_string();
    let mut cause = std::error::Error::source(error);
    while let Some(inner) = cause {
        let inner_text = inner.to_string();
        if !text.contains(&inner_text) {
            text = format!("{text}: {inner_text}");
        }
        cause = inner.source();
    }
    if text.contains("UnknownIssuer") || text.contains("BadSignature") {
        text.push_str(" (write the file of the authority that signed it as `ca`)");
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    // Built without a runtime, as `check` does.
    fn check(text: &str, expected: &str) {
        let config: Config = daemon::config::parse("email", text).unwrap();
        let refused = Email::new(&config).err().unwrap_or_default();
        assert!(refused.starts_with(expected), "{text}: {refused}");
        assert_eq!(refused.is_empty(), expected.is_empty(), "{text}: {refused}");
    }

    #[test]
    fn what_cannot_work_is_refused_at_the_start() {
        let folder = tempfile::tempdir().unwrap();
        let empty = folder.path().join("empty.pem");
        std::fs::write(&empty, "no certificate\n").unwrap();
        let ca = format!("{{ host: h, from: a@b.c, to: [a@b.c], ca: '{}' }}", empty.display());
        check("{ host: h, from: a@b.c, to: [a@b.c] }", "");
        check("{ host: h, from: 'Ops <a@b.c>', to: [a@b.c], security: none }", "");
        check("{ host: h, from: ab.c, to: [a@b.c] }", "`ab.c` is no mail address (");
        check("{ host: h, from: a@b.c, to: [] }", "`to` is empty");
        check("{ host: h, from: a@b.c, to: [a@b.c], username: u }", "`username` and `password` go together");
        check("{ host: h, from: a@b.c, to: [a@b.c], ca: /none.pem }", "`ca` /none.pem: No such file");
        check(&ca, &format!("`ca` {}: there is no certificate in it", empty.display()));
    }
}
