//! One HTTP request and what its answer says before its body is understood.
//!
//! Enters: a request. Leaves: status, waiting time and a bounded body, or an outcome when there was no answer.
//! Never: a verdict on a 2xx; the vendors answer `200` to nearly everything, and their bodies decide.

use std::error::Error as _;
use std::time::Duration;

use super::{ChannelDeps, Outcome};

/// The longest that a vendor may take for one request, unless [`ChannelDeps`] says otherwise.
pub const TIMEOUT: Duration = Duration::from_secs(10);

/// The most that is read of an answer; no vendor's answer comes near it.
const ANSWER_BYTES_MAX: usize = 64 * 1024;

/// The most of an answer that a reason repeats.
const QUOTE_BYTES_MAX: usize = 300;

/// What came back.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Answer {
    /// The HTTP status.
    pub status: u16,
    /// `Retry-After`, when it is given in seconds.
    pub retry_after: Option<Duration>,
    /// The body, as far as it was read.
    pub body: String,
}

/// Sends `request`, marked with the notification's id so that a receiver can tell a copy.
///
/// # Errors
/// [`Outcome::RetryAfter`] when no answer came: refused, broken off, or timed out.
pub async fn ask(deps: &ChannelDeps, request: reqwest::RequestBuilder, id: &str) -> Result<Answer, Outcome> {
    let sent = request.timeout(deps.timeout).header("Idempotency-Key", id).send().await;
    let mut response = sent.map_err(|error| unanswered(&error))?;
    let status = response.status().as_u16();
    let header = response.headers().get("retry-after").and_then(|value| value.to_str().ok());
    let retry_after = header.and_then(|text| text.trim().parse().ok()).map(Duration::from_secs);
    let mut body = Vec::new();
    while body.len() < ANSWER_BYTES_MAX {
        match response.chunk().await {
            Ok(Some(chunk)) => body.extend_from_slice(&chunk),
            Ok(None) => break,
            Err(error) => return Err(unanswered(&error)),
        }
    }
    body.truncate(ANSWER_BYTES_MAX);
    Ok(Answer { status, retry_after, body: String::from_utf8_lossy(&body).into_owned() })
}

/// Refuses a request that could never be sent.
///
/// # Errors
/// What is wrong with the address or a header; without the address, which often holds a token.
pub fn check(request: reqwest::RequestBuilder) -> Result<(), String> {
    let way_out = "write `url: \"https://host/path\"`";
    let request = request
        .build()
        .map_err(|error| format!("url or headers cannot work: {}; {way_out}", innermost(&error)))?;
    match request.url().scheme() {
        "http" | "https" => Ok(()),
        scheme => Err(format!("url begins with `{scheme}:`; {way_out}")),
    }
}

impl Answer {
    /// The outcome when the status alone decides; `None` for 2xx, where the body does.
    #[must_use]
    pub fn refusal(&self) -> Option<Outcome> {
        let reason = || format!("http {}: {}", self.status, self.quote());
        match self.status {
            200..=299 => None,
            408 | 425 | 429 | 500..=599 => {
                Some(Outcome::RetryAfter { delay: self.retry_after, reason: reason() })
            }
            413 => Some(Outcome::Shrink { bytes_max: 1024, reason: reason() }),
            300..=399 => Some(Outcome::Permanent {
                reason: format!("{} (redirects are not followed; write the final address)", reason()),
            }),
            _ => Some(Outcome::Permanent { reason: reason() }),
        }
    }

    /// The body as JSON.
    ///
    /// # Errors
    /// [`Outcome::RetryAfter`] for anything else: a proxy's page in the vendor's place is no delivery.
    pub fn json(&self) -> Result<serde_json::Value, Outcome> {
        serde_json::from_str(&self.body).map_err(|_| Outcome::RetryAfter {
            delay: self.retry_after,
            reason: format!("http {} without a JSON answer: {}", self.status, self.quote()),
        })
    }

    /// The `errcode` that Chinese robots answer with, and a reason made of it and `errmsg`.
    ///
    /// # Errors
    /// The outcome when there is no code to decide by.
    pub fn errcode(&self) -> Result<(i64, String), Outcome> {
        if let Some(refusal) = self.refusal() {
            return Err(refusal);
        }
        let body = self.json()?;
        let Some(code) = body.get("errcode").and_then(serde_json::Value::as_i64) else {
            let reason = format!("no errcode in the answer: {}", self.quote());
            return Err(Outcome::RetryAfter { delay: None, reason });
        };
        let message = body.get("errmsg").and_then(serde_json::Value::as_str).unwrap_or_default();
        Ok((code, format!("errcode {code}: {message}")))
    }

    /// The beginning of the body, for a reason.
    #[must_use]
    pub fn quote(&self) -> String {
        crate::notification::truncate(self.body.trim(), QUOTE_BYTES_MAX).into_owned()
    }
}

/// A request's error names its URL, and robots' URLs hold their tokens: it is printed without.
fn unanswered(error: &reqwest::Error) -> Outcome {
    let what = match error {
        error if error.is_timeout() => "timed out",
        error if error.is_connect() => "cannot connect",
        _ => "no answer",
    };
    let detail = error.source().map_or(String::new(), |_| format!(": {}", innermost(error)));
    let reason = format!("{what}{detail}");
    // Not a matter of time: the same request cannot be made again either.
    if error.is_builder() {
        Outcome::Permanent { reason }
    } else {
        Outcome::RetryAfter { delay: None, reason }
    }
}

/// The cause of all causes: it names no URL.
fn innermost(error: &reqwest::Error) -> String {
    let mut cause = error.source();
    while let Some(inner) = cause.and_then(std::error::Error::source) {
        cause = Some(inner);
    }
    cause.map_or_else(|| "it cannot be made into a request".to_owned(), ToString::to_string)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(status: u16, retry_after: Option<u64>, expected: &str) {
        let retry_after = retry_after.map(Duration::from_secs);
        let answer = Answer { status, retry_after, body: "why".to_owned() };
        let outcome = answer.refusal().map_or("body decides".to_owned(), |outcome| format!("{outcome:?}"));
        assert_eq!(outcome, expected);
    }

    #[test]
    fn a_status_decides_only_when_it_refuses() {
        check(200, None, "body decides");
        check(201, None, "body decides");
        check(429, Some(7), "RetryAfter { delay: Some(7s), reason: \"http 429: why\" }");
        check(503, None, "RetryAfter { delay: None, reason: \"http 503: why\" }");
        check(408, None, "RetryAfter { delay: None, reason: \"http 408: why\" }");
        check(413, None, "Shrink { bytes_max: 1024, reason: \"http 413: why\" }");
        check(404, None, "Permanent { reason: \"http 404: why\" }");
        let way_out = "(redirects are not followed; write the final address)";
        check(302, None, &format!("Permanent {{ reason: \"http 302: why {way_out}\" }}"));
    }

    #[test]
    fn a_request_that_cannot_be_sent_is_refused_without_its_address() {
        let check = |url: &str, expected: &str| {
            let checked = super::check(reqwest::Client::new().post(url)).err().unwrap_or_default();
            assert!(checked.starts_with(expected), "{url}: {checked}");
            assert!(!checked.contains("hidden"), "{checked}");
        };
        check("https://host/hidden", "");
        check("host/hidden", "url or headers cannot work: relative URL without a base; write `url:");
        check("http://:80/hidden", "url or headers cannot work: empty host; write `url:");
        check("ftp://host/hidden", "url begins with `ftp:`; write `url: ");
    }

    #[tokio::test]
    async fn a_refused_connection_does_not_print_the_token() {
        let deps = ChannelDeps::default();
        let request = deps.http.post("http://127.0.0.1:1/robot?access_token=hidden");
        let Err(Outcome::RetryAfter { delay: None, reason }) = ask(&deps, request, "id").await else {
            panic!("an answer came from port 1");
        };
        assert!(reason.starts_with("cannot connect"), "{reason}");
        assert!(!reason.contains("hidden"), "{reason}");
    }
}
