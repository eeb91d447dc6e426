//! SMS and voice through any HTTP gateway: the user writes the request once, and what its answer means.
//!
//! Enters: a notification and one phone number. Leaves: one request. Never: text pasted into JSON; placeholders stand in
//! values that are encoded after they are filled, so a quote in a log line cannot break the request.

use std::collections::BTreeMap;
use std::fmt;

use daemon::config::Secret;
use serde_json::Value;

use super::http::{self, Answer};
use super::{ChannelDeps, Outcome, SendOptions};
use crate::{Notification, Quota};

/// Bytes of text in one message unless `text_bytes_max` says otherwise: 70 Chinese characters, one SMS.
const TEXT_BYTES_MAX: usize = 210;

/// `sms: { url: "...", recipients: ["+8613800000000"], json: { to: "{recipient}", content: "{text}" }, success: {...} }`.
///
/// In `url`, `json`, `form` and `headers`, `{recipient}`, `{text}`, `{title}`, `{id}`, `{rule}`, `{priority}` and `{state}` are
/// filled in.
#[derive(Debug, Clone, serde::Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Config {
    /// Where to POST to.
    pub url: Secret,
    /// Phone numbers; each is one request, with a delivery of its own.
    pub recipients: Vec<String>,
    /// Headers, such as `Authorization`.
    #[serde(default)]
    pub headers: BTreeMap<String, Secret>,
    /// The body as JSON, in YAML's clothes.
    #[serde(default)]
    #[schemars(with = "Option<Value>")]
    pub json: Option<Template>,
    /// The body as a form.
    #[serde(default)]
    #[schemars(with = "Option<BTreeMap<String, String>>")]
    pub form: Option<BTreeMap<String, Secret>>,
    /// What the answer means beyond its status.
    #[serde(default)]
    pub success: Option<Success>,
    /// Cut the text to this many bytes of UTF-8.
    #[serde(default = "default_text_bytes_max")]
    pub text_bytes_max: usize,
    /// How much the gateway accepts.
    #[serde(default)]
    pub quota: Option<Quota>,
}

/// JSON with placeholders. It never prints: many gateways want their key in the body.
#[derive(Clone, serde::Deserialize)]
#[serde(transparent)]
pub struct Template(Value);

impl fmt::Debug for Template {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("***")
    }
}

fn default_text_bytes_max() -> usize {
    TEXT_BYTES_MAX
}

/// How a gateway says in its body that it took a message. `200` alone says nothing with most of them.
#[derive(Debug, Clone, serde::Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Success {
    /// A JSON pointer to the answer's code, such as `/Code` or `/Response/SendStatusSet/0/Code`.
    pub code: String,
    /// The codes that mean that it was taken, such as `OK`.
    pub equals: Vec<String>,
    /// Codes after which another try is useless: a blocked number, a wrong signature. Other codes are tried again.
    #[serde(default)]
    pub permanent: Vec<String>,
    /// A JSON pointer to the gateway's name for the message.
    #[serde(default)]
    pub reference: Option<String>,
}

/// One gateway.
#[derive(Debug)]
pub struct Gateway {
    config: Config,
    deps: ChannelDeps,
}

impl Gateway {
    /// Opens no connection.
    ///
    /// # Errors
    /// What is wrong with the recipients, the body or the success rule.
    pub fn new(config: &Config, deps: &ChannelDeps) -> Result<Self, String> {
        if config.recipients.is_empty() {
            return Err("`recipients` is empty; write phone numbers, such as [\"+8613800000000\"]".to_owned());
        }
        if config.json.is_some() == config.form.is_some() {
            return Err("write either `json` or `form`, the body of the gateway's request".to_owned());
        }
        let pointers =
            config.success.iter().flat_map(|success| [Some(&success.code), success.reference.as_ref()]);
        for pointer in pointers.flatten() {
            if !pointer.starts_with('/') {
                return Err(format!("`{pointer}` is no JSON pointer; write `/{pointer}`"));
            }
        }
        let gateway = Gateway { config: config.clone(), deps: deps.clone() };
        http::check(gateway.request(&Words::sample()))?;
        Ok(gateway)
    }

    /// The phone numbers.
    #[must_use]
    pub fn recipients(&self) -> &[String] {
        &self.config.recipients
    }

    /// How much the gateway accepts.
    #[must_use]
    pub fn quota(&self) -> Option<Quota> {
        self.config.quota
    }

    /// Sends once.
    pub async fn send(&self, notification: &Notification, recipient: &str, options: SendOptions) -> Outcome {
        let bytes_max = options.bytes_max.unwrap_or(self.config.text_bytes_max);
        let words = Words::new(notification, recipient, bytes_max);
        match http::ask(&self.deps, self.request(&words), &notification.id).await {
            Ok(answer) => judge(self.config.success.as_ref(), &answer),
            Err(outcome) => outcome,
        }
    }

    fn request(&self, words: &Words) -> reqwest::RequestBuilder {
        let mut request = self.deps.http.post(words.fill_encoded(self.config.url.reveal()));
        for (name, value) in &self.config.headers {
            request = request.header(name, words.fill_line(value.reveal()));
        }
        match (&self.config.json, &self.config.form) {
            (Some(Template(json)), _) => request.json(&words.fill_json(json)),
            (None, Some(form)) => {
                let form: BTreeMap<_, _> =
                    form.iter().map(|(name, value)| (name, words.fill(value.reveal()))).collect();
                request.form(&form)
            }
            (None, None) => request,
        }
    }
}

/// What placeholders stand for.
#[derive(Debug)]
struct Words([(&'static str, String); 7]);

impl Words {
    fn new(notification: &Notification, recipient: &str, bytes_max: usize) -> Self {
        let transition = &notification.transition;
        Words([
            ("{recipient}", recipient.to_owned()),
            ("{text}", notification.short_text(bytes_max)),
            ("{title}", notification.title()),
            ("{id}", notification.id.clone()),
            ("{rule}", transition.rule.clone()),
            ("{priority}", transition.priority.to_string()),
            ("{state}", notification.state_word().to_owned()),
        ])
    }

    /// Words that fit everywhere, to try a request with.
    fn sample() -> Self {
        Words(
            ["{recipient}", "{text}", "{title}", "{id}", "{rule}", "{priority}", "{state}"]
                .map(|name| (name, "0".to_owned())),
        )
    }

    /// [`Words::fill`] for a header, whose value is one line.
    fn fill_line(&self, template: &str) -> String {
        self.fill_with(template, |word| word.replace(char::is_control, " "))
    }

    /// One pass from left to right, so that what a log line says is never taken for a placeholder.
    fn fill(&self, template: &str) -> String {
        self.fill_with(template, str::to_owned)
    }

    fn fill_encoded(&self, template: &str) -> String {
        let encode = |word: &str| {
            percent_encoding::utf8_percent_encode(word, percent_encoding::NON_ALPHANUMERIC).to_string()
        };
        self.fill_with(template, encode)
    }

    fn fill_with(&self, template: &str, encode: impl Fn(&str) -> String) -> String {
        let mut filled = String::with_capacity(template.len());
        let mut rest = template;
        while let Some(start) = rest.find('{') {
            filled.push_str(&rest[..start]);
            rest = &rest[start..];
            if let Some((name, word)) = self.0.iter().find(|(name, _)| rest.starts_with(name)) {
                filled.push_str(&encode(word));
                rest = &rest[name.len()..];
            } else {
                filled.push('{');
                rest = &rest[1..];
            }
        }
        filled.push_str(rest);
        filled
    }

    fn fill_json(&self, template: &Value) -> Value {
        match template {
            Value::String(text) => Value::String(self.fill(text)),
            Value::Array(items) => Value::Array(items.iter().map(|item| self.fill_json(item)).collect()),
            Value::Object(members) => Value::Object(
                members.iter().map(|(name, value)| (name.clone(), self.fill_json(value))).collect(),
            ),
            other => other.clone(),
        }
    }
}

fn judge(success: Option<&Success>, answer: &Answer) -> Outcome {
    if let Some(refusal) = answer.refusal() {
        return refusal;
    }
    let Some(success) = success else { return Outcome::Delivered { reference: String::new() } };
    let body = match answer.json() {
        Ok(body) => body,
        Err(outcome) => return outcome,
    };
    let Some(code) = body.pointer(&success.code).map(text_of) else {
        let reason = format!("no `{}` in the answer: {}", success.code, answer.quote());
        return Outcome::RetryAfter { delay: answer.retry_after, reason };
    };
    if success.equals.contains(&code) {
        let reference = success.reference.as_ref().and_then(|pointer| body.pointer(pointer)).map(text_of);
        return Outcome::Delivered { reference: reference.unwrap_or_default() };
    }
    let reason = format!("code {code}: {}", answer.quote());
    if success.permanent.contains(&code) {
        Outcome::Permanent { reason }
    } else {
        Outcome::RetryAfter { delay: answer.retry_after, reason }
    }
}

fn text_of(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        other => other.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_request_that_cannot_be_made_is_refused_at_the_start() {
        let check = |text: &str, expected: &str| {
            let config: Config = daemon::config::parse("sms", text).unwrap();
            let built = Gateway::new(&config, &ChannelDeps::default()).err().unwrap_or_default();
            assert!(built.starts_with(expected), "{text}: {built}");
        };
        let rest = "recipients: ['1'], json: { to: '{recipient}' }";
        check(&format!("{{ url: 'https://sms/{{recipient}}', {rest} }}"), "");
        check(&format!("{{ url: 'sms/send', {rest} }}"), "url or headers cannot work: relative URL");
        check(&format!("{{ url: 'https://sms', headers: {{ 'a b': x }}, {rest} }}"), "url or headers cannot");
        check("{ url: 'https://sms', recipients: [], json: {} }", "`recipients` is empty");
        check("{ url: 'https://sms', recipients: ['1'] }", "write either `json` or `form`");
    }

    fn check(body: &str, expected: &str) {
        let success = Success {
            code: "/Code".to_owned(),
            equals: vec!["OK".to_owned(), "0".to_owned()],
            permanent: vec!["isv.MOBILE_NUMBER_ILLEGAL".to_owned()],
            reference: Some("/BizId".to_owned()),
        };
        let answer = Answer { status: 200, retry_after: None, body: body.to_owned() };
        let outcome = format!("{:?}", judge(Some(&success), &answer));
        assert!(outcome.starts_with(expected), "{body} gave {outcome}");
    }

    #[test]
    fn the_body_decides() {
        check(r#"{"Code":"OK","BizId":"b-1"}"#, r#"Delivered { reference: "b-1" }"#);
        check(r#"{"Code":0}"#, r#"Delivered { reference: "" }"#);
        check(r#"{"Code":"isv.BUSINESS_LIMIT_CONTROL"}"#, "RetryAfter");
        check(r#"{"Code":"isv.MOBILE_NUMBER_ILLEGAL"}"#, "Permanent");
        check(r#"{"message":"hm"}"#, "RetryAfter");
        check("<html>", "RetryAfter");
    }

    #[test]
    fn words_fill_values_and_not_each_other() {
        let words = Words([
            ("{recipient}", "+86".to_owned()),
            ("{text}", r#"a "quoted" {recipient}"#.to_owned()),
            ("{title}", "two\nlines".to_owned()),
            ("{id}", String::new()),
            ("{rule}", String::new()),
            ("{priority}", "P0".to_owned()),
            ("{state}", String::new()),
        ]);
        let check = |template: &str, expected: &str| assert_eq!(words.fill(template), expected);
        check("to {recipient}: {text}", r#"to +86: a "quoted" {recipient}"#);
        check("{unknown} {", "{unknown} {");
        check("中{priority}文", "中P0文");
        assert_eq!(words.fill_encoded("https://x/?to={recipient}"), "https://x/?to=%2B86");
        assert_eq!(words.fill_line("X {title}"), "X two lines");
        let json =
            words.fill_json(&serde_json::json!({ "to": ["{recipient}"], "n": 1, "content": "{text}" }));
        assert_eq!(json.to_string(), r#"{"content":"a \"quoted\" {recipient}","n":1,"to":["+86"]}"#);
    }
}
