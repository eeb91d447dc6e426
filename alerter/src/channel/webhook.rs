//! A webhook in the words of Prometheus Alertmanager, so that what reads its webhooks reads ours.
//!
//! Enters: a notification. Leaves: one POST of payload version 4. Source: Alertmanager's webhook receiver documents.

use std::collections::BTreeMap;

use daemon::config::Secret;

use super::http;
use super::{ChannelDeps, Outcome, SendOptions};
use crate::{Kind, Notification};

/// What Alertmanager writes for an alert that is not over: Go's zero time. Its receivers parse a time here.
const NOT_ENDED: &str = "0001-01-01T00:00:00Z";

/// `webhook: { url: "https://example.org/hook" }`.
#[derive(Debug, Clone, serde::Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Config {
    /// Where to POST to; often holds a token, so it never prints.
    pub url: Secret,
    /// Further headers, such as `Authorization`.
    #[serde(default)]
    pub headers: BTreeMap<String, Secret>,
}

/// An HTTP receiver. Any 2xx is a delivery; 408, 429 and 5xx are tried again; the rest is permanent.
#[derive(Debug)]
pub struct Webhook {
    name: String,
    config: Config,
    deps: ChannelDeps,
}

impl Webhook {
    /// Opens no connection. `name` becomes the payload's `receiver`.
    ///
    /// # Errors
    /// What is wrong with the URL or a header.
    pub fn new(name: &str, config: &Config, deps: &ChannelDeps) -> Result<Self, String> {
        let webhook = Webhook { name: name.to_owned(), config: config.clone(), deps: deps.clone() };
        http::check(webhook.request())?;
        Ok(webhook)
    }

    fn request(&self) -> reqwest::RequestBuilder {
        let request = self.deps.http.post(self.config.url.reveal());
        self.config
            .headers
            .iter()
            .fold(request, |request, (name, value)| request.header(name, value.reveal()))
    }

    /// Sends once.
    pub async fn send(&self, notification: &Notification, options: SendOptions) -> Outcome {
        let request = self.request().json(&payload(&self.name, notification, options));
        match http::ask(&self.deps, request, &notification.id).await {
            Ok(answer) => answer.refusal().unwrap_or(Outcome::Delivered { reference: String::new() }),
            Err(outcome) => outcome,
        }
    }
}

/// Alertmanager's payload, version 4, with one alert.
fn payload(receiver: &str, notification: &Notification, options: SendOptions) -> serde_json::Value {
    let transition = &notification.transition;
    let status = if notification.kind == Kind::Resolved { "resolved" } else { "firing" };
    let mut labels = BTreeMap::from([
        ("alertname".to_owned(), transition.rule.clone()),
        ("priority".to_owned(), transition.priority.to_string()),
    ]);
    // A label's name has no dots in Prometheus.
    let group = transition.group.iter().map(|(name, value)| (name.replace(['.', '-'], "_"), value.clone()));
    labels.extend(group);
    labels.extend(transition.labels.iter().map(|(name, value)| (name.clone(), value.clone())));
    let text = notification.text(options.bytes_max);
    let mut annotations = BTreeMap::from([
        ("summary".to_owned(), transition.summary.clone()),
        ("text".to_owned(), text),
        ("reason".to_owned(), transition.reason.to_string()),
    ]);
    annotations.extend(transition.annotations.iter().map(|(name, value)| (name.clone(), value.clone())));
    let ends_at = notification.ended_at.map_or_else(|| NOT_ENDED.to_owned(), |at| at.to_string());
    let fingerprint = format!("{:016x}", transition.fingerprint);
    serde_json::json!({
        "version": "4",
        "groupKey": format!("{}:{fingerprint}", transition.rule),
        "truncatedAlerts": 0,
        "status": status,
        "receiver": receiver,
        "groupLabels": labels,
        "commonLabels": labels,
        "commonAnnotations": annotations,
        "externalURL": "",
        "notificationId": notification.id,
        "alerts": [{
            "status": status,
            "labels": labels,
            "annotations": annotations,
            "startsAt": notification.started_at,
            "endsAt": ends_at,
            "generatorURL": "",
            "fingerprint": fingerprint,
        }],
    })
}
