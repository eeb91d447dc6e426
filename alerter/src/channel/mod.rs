//! Where notifications go: one file for each vendor's wire format.
//!
//! Enters: a [`Notification`], a recipient. Leaves: an [`Outcome`], decided from the HTTP status, the body's own code
//! and the status of that recipient together. Never: a retry, a queue, a pace; the outbox decides those.

use std::time::Duration;

use event::Timestamp;
use rules::rule::Priority;

use crate::{Notification, Quota};

pub mod console;
pub mod dingtalk;
pub mod email;
pub mod gateway;
pub mod http;
pub mod webhook;
pub mod wecom;

/// A channel as `alerter.yml` writes it: the kind is the key, as in `console: {}`.
#[derive(Debug, Clone, serde::Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum ChannelConfig {
    /// Standard output, for trying rules out.
    Console(console::Config),
    /// An HTTP receiver that reads Alertmanager's payload.
    Webhook(webhook::Config),
    /// A DingTalk robot.
    Dingtalk(dingtalk::Config),
    /// A WeCom robot.
    Wecom(wecom::Config),
    /// Text messages through an HTTP gateway.
    Sms(gateway::Config),
    /// Phone calls through an HTTP gateway.
    Voice(gateway::Config),
    /// Email.
    Email(email::Config),
}

impl ChannelConfig {
    /// The priorities that come here as long as `routes` says nothing else of them: P0 calls, texts and stands in the
    /// group, P1 texts and stands in the other group, P2 is mail; a webhook and the console see everything.
    #[must_use]
    pub const fn default_priorities(&self) -> &'static [Priority] {
        match self {
            ChannelConfig::Voice(_) | ChannelConfig::Dingtalk(_) => &[Priority::P0],
            ChannelConfig::Sms(_) => &[Priority::P0, Priority::P1],
            ChannelConfig::Wecom(_) => &[Priority::P1],
            ChannelConfig::Email(_) => &[Priority::P2, Priority::P3],
            ChannelConfig::Webhook(_) | ChannelConfig::Console(_) => {
                &[Priority::P0, Priority::P1, Priority::P2, Priority::P3]
            }
        }
    }
}

/// What the vendor did with one notification to one recipient.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    /// The vendor's own answer says that it took it.
    Delivered {
        /// The vendor's name for it, to ask them about; empty when they gave none.
        reference: String,
    },
    /// Not now. Also the answer to a time-out, when nobody knows.
    RetryAfter {
        /// The vendor's own delay; `None` leaves it to the back-off.
        delay: Option<Duration>,
        /// What the vendor, or the network, said.
        reason: String,
    },
    /// The signature was refused; sign anew (`SendOptions::resigned`) and send once more, at once.
    Resign {
        /// What the vendor said.
        reason: String,
    },
    /// Too long; send again with at most `bytes_max` bytes of text.
    Shrink {
        /// The size to cut to.
        bytes_max: usize,
        /// What the vendor said.
        reason: String,
    },
    /// It will never be taken as it is: a wrong token, a blocked number.
    Permanent {
        /// What the vendor said, and what to do.
        reason: String,
    },
}

impl Outcome {
    /// The word in metrics and logs.
    #[must_use]
    pub const fn as_str(&self) -> &'static str {
        match self {
            Outcome::Delivered { .. } => "delivered",
            Outcome::RetryAfter { .. } => "retry_after",
            Outcome::Resign { .. } => "resign",
            Outcome::Shrink { .. } => "shrink",
            Outcome::Permanent { .. } => "permanent",
        }
    }
}

/// How this attempt differs from a plain first one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct SendOptions {
    /// Cut the text to this many bytes of UTF-8.
    pub bytes_max: Option<usize>,
    /// True when this attempt answers [`Outcome::Resign`]: a second refusal is permanent.
    pub resigned: bool,
}

/// What channels share.
#[derive(Debug, Clone)]
pub struct ChannelDeps {
    /// One connection pool. It follows no redirect: a POST would arrive as a GET, without its body.
    pub http: reqwest::Client,
    /// The longest that a vendor may take for one request.
    pub timeout: Duration,
}

impl Default for ChannelDeps {
    fn default() -> Self {
        let builder = reqwest::Client::builder().redirect(reqwest::redirect::Policy::none());
        // Only a broken TLS set-up fails here, and with that no client can be had at all.
        ChannelDeps { http: builder.build().unwrap_or_default(), timeout: http::TIMEOUT }
    }
}

/// Why a channel cannot be built from its configuration.
#[derive(Debug, thiserror::Error)]
#[error("channel `{channel}`: {reason}")]
pub struct ChannelError {
    /// The channel's name in `alerter.yml`.
    pub channel: String,
    /// What is wrong, and the way out.
    pub reason: String,
}

/// A channel that can send.
#[derive(Debug)]
pub struct Channel {
    name: String,
    member: Member,
}

#[derive(Debug)]
enum Member {
    Console(console::Console),
    Webhook(webhook::Webhook),
    Dingtalk(dingtalk::Dingtalk),
    Wecom(wecom::Wecom),
    Gateway(gateway::Gateway),
    Email(email::Email),
}

/// What a channel without names for its recipients has: one, without a name.
const UNNAMED: &[String] = &[String::new()];

impl Channel {
    /// Builds the channel called `name`. Opens no connection.
    ///
    /// # Errors
    /// [`ChannelError`] for a value that cannot work, such as an address that is none.
    pub fn build(name: &str, config: &ChannelConfig, deps: &ChannelDeps) -> Result<Self, ChannelError> {
        let wrong = |reason| ChannelError { channel: name.to_owned(), reason };
        let member = match config {
            ChannelConfig::Console(config) => Member::Console(console::Console::new(config)),
            ChannelConfig::Webhook(config) => {
                Member::Webhook(webhook::Webhook::new(name, config, deps).map_err(wrong)?)
            }
            ChannelConfig::Dingtalk(config) => {
                Member::Dingtalk(dingtalk::Dingtalk::new(config, deps).map_err(wrong)?)
            }
            ChannelConfig::Wecom(config) => Member::Wecom(wecom::Wecom::new(config, deps).map_err(wrong)?),
            ChannelConfig::Sms(config) | ChannelConfig::Voice(config) => {
                Member::Gateway(gateway::Gateway::new(config, deps).map_err(wrong)?)
            }
            ChannelConfig::Email(config) => Member::Email(email::Email::new(config).map_err(wrong)?),
        };
        Ok(Channel { name: name.to_owned(), member })
    }

    /// The name in `alerter.yml`.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Who is addressed, one send for each. A robot, a webhook and the console have one, with an empty name.
    #[must_use]
    pub fn recipients(&self) -> &[String] {
        match &self.member {
            Member::Gateway(gateway) => gateway.recipients(),
            Member::Email(email) => email.recipients(),
            Member::Console(_) | Member::Webhook(_) | Member::Dingtalk(_) | Member::Wecom(_) => UNNAMED,
        }
    }

    /// How much the vendor accepts; `None` for a channel without a limit of its own.
    #[must_use]
    pub fn quota(&self) -> Option<Quota> {
        match &self.member {
            Member::Dingtalk(robot) => Some(robot.quota()),
            Member::Wecom(robot) => Some(robot.quota()),
            Member::Gateway(gateway) => gateway.quota(),
            Member::Console(_) | Member::Webhook(_) | Member::Email(_) => None,
        }
    }

    /// Sends once. `now` is for signatures and the vendor's timestamps. Always comes back: a member limits its own
    /// waiting and answers [`Outcome::RetryAfter`].
    pub async fn send(
        &self,
        notification: &Notification,
        recipient: &str,
        options: SendOptions,
        now: Timestamp,
    ) -> Outcome {
        match &self.member {
            Member::Console(console) => console.send(notification, options).await,
            Member::Webhook(webhook) => webhook.send(notification, options).await,
            Member::Dingtalk(robot) => robot.send(notification, options, now).await,
            Member::Wecom(robot) => robot.send(notification, options).await,
            Member::Gateway(gateway) => gateway.send(notification, recipient, options).await,
            Member::Email(email) => email.send(notification, recipient, options).await,
        }
    }
}
