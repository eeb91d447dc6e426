//! DingTalk's custom robot: signed, and `200` for every error.
//!
//! Enters: a notification. Leaves: one markdown message. Source: DingTalk's "custom robot" documents; the codes and
//! limits stand in one table below.

use std::num::NonZeroU32;
use std::time::Duration;

use base64::Engine as _;
use daemon::config::Secret;
use event::Timestamp;
use hmac::{Hmac, Mac};
use sha2::Sha256;

use super::http::{self, Answer};
use super::{ChannelDeps, Outcome, SendOptions};
use crate::{Notification, Quota};

/// Bytes of text that a robot takes with room for the JSON around it; its limit is 20 000 for the body.
const TEXT_BYTES_MAX: usize = 16_000;

/// Where to cut when the vendor says that even that was too long.
const SHORT_BYTES_MAX: usize = 4_000;

/// How long a throttled robot stays throttled.
const THROTTLED: Duration = Duration::from_secs(600);

/// `dingtalk: { token: "${file:/etc/watchfire/dingtalk}", secret: "${DINGTALK_SECRET}" }`.
#[derive(Debug, Clone, serde::Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Config {
    /// The robot's `access_token`.
    pub token: Secret,
    /// The robot's signing secret (`SEC...`); without it the robot must allow by keyword or address.
    #[serde(default)]
    pub secret: Option<Secret>,
    /// Mobile numbers to mention.
    #[serde(default)]
    pub at_mobiles: Vec<String>,
    /// Mention everybody in the group when a P0 fires.
    #[serde(default)]
    pub at_all_for_p0: bool,
    /// Another address than the vendor's, such as a proxy's.
    #[serde(default = "default_url")]
    pub url: String,
    /// How much the robot accepts.
    #[serde(default = "default_quota")]
    pub quota: Quota,
}

fn default_url() -> String {
    "https://oapi.dingtalk.com/robot/send".to_owned()
}

fn default_quota() -> Quota {
    const MESSAGES: NonZeroU32 = NonZeroU32::new(20).unwrap();
    Quota::per_minute(MESSAGES)
}

/// A robot in one group.
#[derive(Debug)]
pub struct Dingtalk {
    config: Config,
    deps: ChannelDeps,
}

impl Dingtalk {
    /// Opens no connection.
    ///
    /// # Errors
    /// What is wrong with `url`.
    pub fn new(config: &Config, deps: &ChannelDeps) -> Result<Self, String> {
        http::check(deps.http.post(&config.url))?;
        Ok(Dingtalk { config: config.clone(), deps: deps.clone() })
    }

    /// How much the robot accepts.
    #[must_use]
    pub fn quota(&self) -> Quota {
        self.config.quota
    }

    /// Sends once, signed for `now`.
    pub async fn send(&self, notification: &Notification, options: SendOptions, now: Timestamp) -> Outcome {
        let mut query = vec![("access_token", self.config.token.reveal().to_owned())];
        if let Some(secret) = &self.config.secret {
            query.push(("timestamp", now.as_millis().to_string()));
            query.push(("sign", sign(secret.reveal(), now.as_millis())));
        }
        let body = body(&self.config, notification, options);
        let request = self.deps.http.post(&self.config.url).query(&query).json(&body);
        match http::ask(&self.deps, request, &notification.id).await {
            Ok(answer) => judge(&answer, options),
            Err(outcome) => outcome,
        }
    }
}

/// `base64(HMAC-SHA256(key = secret, "<ms>\n<secret>"))`; the URL encodes it.
fn sign(secret: &str, now_ms: i64) -> String {
    base64::engine::general_purpose::STANDARD.encode(hmac_sha256(secret, &format!("{now_ms}\n{secret}")))
}

fn hmac_sha256(key: &str, message: &str) -> Vec<u8> {
    // HMAC takes keys of every length, so this branch is never without one.
    let Ok(mut mac) = Hmac::<Sha256>::new_from_slice(key.as_bytes()) else { return Vec::new() };
    mac.update(message.as_bytes());
    mac.finalize().into_bytes().to_vec()
}

fn body(config: &Config, notification: &Notification, options: SendOptions) -> serde_json::Value {
    let at_all = config.at_all_for_p0 && notification.is_urgent();
    let mentions: String = config.at_mobiles.iter().map(|mobile| format!("\n@{mobile}")).collect();
    let room = options.bytes_max.unwrap_or(TEXT_BYTES_MAX).saturating_sub(mentions.len());
    // Markdown joins lines unless they end with two spaces.
    let text = notification.text(Some(room)).replace('\n', "  \n");
    serde_json::json!({
        "msgtype": "markdown",
        "markdown": { "title": notification.title(), "text": format!("### {text}{mentions}") },
        "at": { "atMobiles": config.at_mobiles, "isAtAll": at_all },
    })
}

/// The vendor's codes, and what each asks for.
fn judge(answer: &Answer, options: SendOptions) -> Outcome {
    let (code, reason) = match answer.errcode() {
        Ok(answered) => answered,
        Err(outcome) => return outcome,
    };
    match code {
        0 => Outcome::Delivered { reference: String::new() },
        310_000 if reason.contains("timestamp") && !options.resigned => Outcome::Resign { reason },
        130_101 | 410_100 => Outcome::RetryAfter { delay: Some(THROTTLED), reason },
        -1 => Outcome::RetryAfter { delay: None, reason },
        460_101 | 101_002 if options.bytes_max.is_none() => {
            Outcome::Shrink { bytes_max: SHORT_BYTES_MAX, reason }
        }
        310_000 => Outcome::Permanent {
            reason: format!("{reason} (check keyword, secret and address list of the robot)"),
        },
        90_030 => Outcome::Permanent { reason: format!("{reason} (the robot's monthly quota is used up)") },
        _ => Outcome::Permanent { reason },
    }
}

#[cfg(test)]
mod tests {
    use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};

    use super::*;

    /// The first vector is published in the tests of elastalert2, the others were computed with another HMAC.
    #[test]
    fn signatures_equal_the_known_vectors() {
        let check = |secret: &str, now_ms: i64, expected: &str| {
            let sign = sign(secret, now_ms);
            assert_eq!(utf8_percent_encode(&sign, NON_ALPHANUMERIC).to_string(), expected);
        };
        check("xxx", 1_720_063_700_033_000, "p7C%2BjdCVtGt77XXVBqP6I9ZzC8T0X9tv%2BWOduuQ53ZM%3D");
        check("xxx", 1_720_063_700_033, "IHDTBKzS3wZ2L1jwzs7iZM2suWC89V%2BVfuN1kTnAMSE%3D");
        check("SECtest", 1_700_000_000_000, "aZLLrriXgn05YbwaGR7knYsLeJADjr9NwLaNNKpxh4g%3D");
        check("this is secret", 1_672_531_200_000, "GHKOZf5eLkHHbu50Tf96dFh%2BHq6tF90b9SzfEawjAuY%3D");
    }

    fn check(body: &str, options: SendOptions, expected: &str) {
        let answer = Answer { status: 200, retry_after: None, body: body.to_owned() };
        let outcome = format!("{:?}", judge(&answer, options));
        assert!(outcome.starts_with(expected), "{body} gave {outcome}");
    }

    #[test]
    fn every_code_has_its_outcome() {
        let first = SendOptions::default();
        let resigned = SendOptions { resigned: true, ..first };
        let short = SendOptions { bytes_max: Some(4000), ..first };
        check(r#"{"errcode":0,"errmsg":"ok"}"#, first, "Delivered");
        check(r#"{"errcode":310000,"errmsg":"invalid timestamp"}"#, first, "Resign");
        check(r#"{"errcode":310000,"errmsg":"invalid timestamp"}"#, resigned, "Permanent");
        check(r#"{"errcode":310000,"errmsg":"sign not match"}"#, first, "Permanent");
        check(r#"{"errcode":130101,"errmsg":"send too fast"}"#, first, "RetryAfter { delay: Some(600s)");
        check(r#"{"errcode":410100,"errmsg":"limited"}"#, first, "RetryAfter { delay: Some(600s)");
        check(r#"{"errcode":-1,"errmsg":"system busy"}"#, first, "RetryAfter { delay: None");
        check(r#"{"errcode":460101,"errmsg":"too big"}"#, first, "Shrink { bytes_max: 4000");
        check(r#"{"errcode":460101,"errmsg":"too big"}"#, short, "Permanent");
        check(r#"{"errcode":300001,"errmsg":"token is not exist"}"#, first, "Permanent");
        check(r#"{"errcode":90030,"errmsg":"quota"}"#, first, "Permanent");
        check(r#"{"errcode":430101,"errmsg":"content"}"#, first, "Permanent");
        check("<html>proxy</html>", first, "RetryAfter");
        check("{}", first, "RetryAfter");
    }
}
