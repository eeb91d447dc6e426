//! WeCom's group robot: no signature, limits in bytes, `200` for every error.
//!
//! Enters: a notification. Leaves: one markdown message. Source: WeCom's "group robot" documents; the codes and limits
//! stand below.

use std::num::NonZeroU32;
use std::time::Duration;

use daemon::config::Secret;

use super::http::{self, Answer};
use super::{ChannelDeps, Outcome, SendOptions};
use crate::{Notification, Quota};

/// Bytes of markdown that the robot takes; one Chinese character is three.
const TEXT_BYTES_MAX: usize = 4096;

/// Where to cut when the vendor says that even that was too long.
const SHORT_BYTES_MAX: usize = 2000;

/// `wecom: { key: "${WECOM_KEY}" }`.
#[derive(Debug, Clone, serde::Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Config {
    /// The robot's `key`.
    pub key: Secret,
    /// User ids to mention.
    #[serde(default)]
    pub mentioned: Vec<String>,
    /// Another address than the vendor's, such as a proxy's.
    #[serde(default = "default_url")]
    pub url: String,
    /// How much the robot accepts.
    #[serde(default = "default_quota")]
    pub quota: Quota,
}

fn default_url() -> String {
    "https://qyapi.weixin.qq.com/cgi-bin/webhook/send".to_owned()
}

fn default_quota() -> Quota {
    const MESSAGES: NonZeroU32 = NonZeroU32::new(20).unwrap();
    Quota::per_minute(MESSAGES)
}

/// A robot in one group.
#[derive(Debug)]
pub struct Wecom {
    config: Config,
    deps: ChannelDeps,
}

impl Wecom {
    /// Opens no connection.
    ///
    /// # Errors
    /// What is wrong with `url`.
    pub fn new(config: &Config, deps: &ChannelDeps) -> Result<Self, String> {
        http::check(deps.http.post(&config.url))?;
        Ok(Wecom { config: config.clone(), deps: deps.clone() })
    }

    /// How much the robot accepts.
    #[must_use]
    pub fn quota(&self) -> Quota {
        self.config.quota
    }

    /// Sends once.
    pub async fn send(&self, notification: &Notification, options: SendOptions) -> Outcome {
        let query = [("key", self.config.key.reveal())];
        let body = body(&self.config, notification, options);
        let request = self.deps.http.post(&self.config.url).query(&query).json(&body);
        match http::ask(&self.deps, request, &notification.id).await {
            Ok(answer) => judge(&answer, options),
            Err(outcome) => outcome,
        }
    }
}

fn body(config: &Config, notification: &Notification, options: SendOptions) -> serde_json::Value {
    let mentions: String = config.mentioned.iter().map(|user| format!("\n<@{user}>")).collect();
    let room = options.bytes_max.unwrap_or(TEXT_BYTES_MAX).saturating_sub(mentions.len());
    let content = format!("{}{mentions}", notification.text(Some(room)));
    serde_json::json!({ "msgtype": "markdown", "markdown": { "content": content } })
}

/// The vendor's codes, and what each asks for.
fn judge(answer: &Answer, options: SendOptions) -> Outcome {
    let (code, reason) = match answer.errcode() {
        Ok(answered) => answered,
        Err(outcome) => return outcome,
    };
    match code {
        0 => Outcome::Delivered { reference: String::new() },
        45_009 => Outcome::RetryAfter { delay: Some(Duration::from_secs(60)), reason },
        -1 => Outcome::RetryAfter { delay: None, reason },
        40_058 if options.bytes_max.is_none() => Outcome::Shrink { bytes_max: SHORT_BYTES_MAX, reason },
        93_000 => Outcome::Permanent {
            reason: format!("{reason} (the robot's key is wrong, or the robot was removed)"),
        },
        _ => Outcome::Permanent { reason },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(body: &str, options: SendOptions, expected: &str) {
        let answer = Answer { status: 200, retry_after: None, body: body.to_owned() };
        let outcome = format!("{:?}", judge(&answer, options));
        assert!(outcome.starts_with(expected), "{body} gave {outcome}");
    }

    #[test]
    fn every_code_has_its_outcome() {
        let first = SendOptions::default();
        let short = SendOptions { bytes_max: Some(2000), ..first };
        check(r#"{"errcode":0,"errmsg":"ok"}"#, first, "Delivered");
        check(
            r#"{"errcode":45009,"errmsg":"api freq out of limit"}"#,
            first,
            "RetryAfter { delay: Some(60s)",
        );
        check(r#"{"errcode":-1,"errmsg":"system busy"}"#, first, "RetryAfter { delay: None");
        check(r#"{"errcode":40058,"errmsg":"exceed max length 4096"}"#, first, "Shrink { bytes_max: 2000");
        check(r#"{"errcode":40058,"errmsg":"exceed max length 4096"}"#, short, "Permanent");
        check(r#"{"errcode":93000,"errmsg":"invalid webhook url"}"#, first, "Permanent");
        check(r#"{"errcode":40008,"errmsg":"invalid message type"}"#, first, "Permanent");
        check("ok", first, "RetryAfter");
    }
}
