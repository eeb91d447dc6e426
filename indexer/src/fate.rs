//! What became of the documents of a request.
//!
//! Enters: Elasticsearch's answer. Leaves: a fate for each document, or a word on the request as a whole.
//! The tables below are the policy; nothing else decides whether a document is tried again.

use bytes::Bytes;
use serde::Deserialize;

/// An answer over HTTP.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Answer {
    /// The HTTP status.
    pub status: u16,
    /// The body.
    pub body: Bytes,
}

/// What became of one document.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Fate {
    /// It is new in the index.
    Indexed,
    /// It was there already, from an earlier try whose answer was lost.
    Duplicate,
    /// It may work later; the error's type.
    Retry(String),
    /// It never will; why, for the dead-letter file.
    Rejected(String),
}

/// What became of a request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Verdict {
    /// One fate for each document, in their order.
    Items(Vec<Fate>),
    /// Larger than it takes: send smaller requests. One document that is too large is rejected.
    TooLarge,
    /// One document spoils it for all, and why: send smaller parts until it stands alone.
    Spoiled(String),
    /// It has no room for so much at once; send less, later.
    Busy(String),
    /// Nothing was done; send it again later.
    Later(String),
}

/// Characters of a reason that are kept: Elasticsearch quotes documents in some.
const REASON_CHARS_MAX: usize = 500;

/// Errors with a status of 4xx that are the cluster's, not the document's: an operator mends them, and the document
/// is good then. (The last is what a cluster without room for another shard says.)
const MENDABLE: [&str; 5] = [
    "cluster_block_exception",
    "index_closed_exception",
    "index_not_found_exception",
    "security_exception",
    "validation_exception",
];

#[derive(Deserialize)]
struct Items {
    items: Vec<Item>,
}

#[derive(Deserialize)]
struct Item {
    create: Outcome,
}

#[derive(Deserialize)]
struct Outcome {
    status: u16,
    error: Option<Cause>,
}

#[derive(Deserialize)]
struct Cause {
    #[serde(rename = "type")]
    kind: String,
    #[serde(default)]
    reason: Option<String>,
    #[serde(default)]
    caused_by: Option<Box<Cause>>,
}

#[derive(Deserialize)]
struct Refusal {
    error: Cause,
}

/// Judges the answer to a request of `sent` documents.
#[must_use]
pub fn judge(answer: &Answer, sent: usize) -> Verdict {
    match answer.status {
        200..=299 => match serde_json::from_slice::<Items>(&answer.body) {
            Ok(answer) if answer.items.len() == sent => {
                Verdict::Items(answer.items.into_iter().map(|item| decide(item.create)).collect())
            }
            // Whatever was indexed is a duplicate the next time.
            Ok(_) | Err(_) => {
                Verdict::Later("its answer to _bulk is not one; is it Elasticsearch?".to_owned())
            }
        },
        413 => Verdict::TooLarge,
        400 => Verdict::Spoiled(refusal(answer)),
        429 => Verdict::Busy(refusal(answer)),
        401 | 403 => {
            Verdict::Later(format!("{}; check user, password, api_key and their rights", refusal(answer)))
        }
        _ => Verdict::Later(refusal(answer)),
    }
}

fn decide(outcome: Outcome) -> Fate {
    let status = outcome.status;
    let Some(error) = outcome.error else {
        return match status {
            200..=299 => Fate::Indexed,
            _ => Fate::Retry(format!("status {status}")),
        };
    };
    match status {
        409 => Fate::Duplicate,
        408 | 429 | 500.. => Fate::Retry(error.kind),
        _ if MENDABLE.contains(&error.kind.as_str()) => Fate::Retry(error.kind),
        _ => Fate::Rejected(error.text()),
    }
}

/// The error of a whole request. Its type alone, because reasons hold numbers that differ from try to try, and each
/// new reason would be a new line in the log.
fn refusal(answer: &Answer) -> String {
    let status = answer.status;
    match serde_json::from_slice::<Refusal>(&answer.body) {
        Ok(refusal) => format!("it answers {status} {}", refusal.error.kind),
        Err(_) => format!("it answers {status}"),
    }
}

impl Cause {
    fn text(&self) -> String {
        let mut text = self.kind.clone();
        let mut cause = Some(self);
        while let Some(Cause { reason, caused_by, .. }) = cause {
            if let Some(reason) = reason {
                text.push_str(": ");
                text.push_str(reason);
            }
            cause = caused_by.as_deref();
        }
        text.chars().take(REASON_CHARS_MAX).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn answer(status: u16, body: &str) -> Answer {
        Answer { status, body: Bytes::copy_from_slice(body.as_bytes()) }
    }

    fn check_item(item: &str, expected: Fate) {
        let body = format!(r#"{{"took":1,"errors":true,"items":[{{"create":{item}}}]}}"#);
        assert_eq!(judge(&answer(200, &body), 1), Verdict::Items(vec![expected]), "{item}");
    }

    #[test]
    fn each_document_has_its_own_fate() {
        let error = |status: u16, kind: &str| {
            format!(r#"{{"_id":"x","status":{status},"error":{{"type":"{kind}","reason":"r"}}}}"#)
        };
        let retry = |kind: &str| Fate::Retry(kind.to_owned());
        let rejected = |kind: &str| Fate::Rejected(format!("{kind}: r"));
        check_item(r#"{"_id":"x","status":201,"result":"created"}"#, Fate::Indexed);
        check_item(&error(409, "version_conflict_engine_exception"), Fate::Duplicate);
        check_item(&error(429, "es_rejected_execution_exception"), retry("es_rejected_execution_exception"));
        check_item(&error(429, "cluster_block_exception"), retry("cluster_block_exception"));
        check_item(&error(503, "unavailable_shards_exception"), retry("unavailable_shards_exception"));
        check_item(&error(500, "anything"), retry("anything"));
        check_item(&error(403, "cluster_block_exception"), retry("cluster_block_exception"));
        check_item(&error(404, "index_not_found_exception"), retry("index_not_found_exception"));
        check_item(&error(400, "index_closed_exception"), retry("index_closed_exception"));
        check_item(&error(400, "validation_exception"), retry("validation_exception"));
        check_item(&error(403, "security_exception"), retry("security_exception"));
        check_item(&error(400, "document_parsing_exception"), rejected("document_parsing_exception"));
        check_item(&error(400, "mapper_parsing_exception"), rejected("mapper_parsing_exception"));
        check_item(&error(400, "illegal_argument_exception"), rejected("illegal_argument_exception"));
        check_item(&error(404, "something_new"), rejected("something_new"));
        check_item(r#"{"status":503}"#, retry("status 503"));
    }

    #[test]
    fn a_reason_names_every_cause_and_has_a_bound() {
        let causes = r#"{"type":"a","reason":"outer","caused_by":{"type":"b","reason":"inner"}}"#;
        check_item(
            &format!(r#"{{"status":400,"error":{causes}}}"#),
            Fate::Rejected("a: outer: inner".to_owned()),
        );
        let long = format!(r#"{{"status":400,"error":{{"type":"a","reason":"{}"}}}}"#, "é".repeat(1000));
        check_item(&long, Fate::Rejected(format!("a: {}", "é".repeat(REASON_CHARS_MAX - 3))));
    }

    fn check_request(status: u16, body: &str, expected: &Verdict) {
        assert_eq!(&judge(&answer(status, body), 1), expected, "{status} {body}");
    }

    #[test]
    fn a_request_can_fail_as_a_whole() {
        let later = |text: &str| Verdict::Later(text.to_owned());
        let error = r#"{"error":{"type":"kind","reason":"bytes=123"},"status":0}"#;
        check_request(413, "", &Verdict::TooLarge);
        check_request(400, error, &Verdict::Spoiled("it answers 400 kind".to_owned()));
        check_request(429, error, &Verdict::Busy("it answers 429 kind".to_owned()));
        check_request(503, "<html>", &later("it answers 503"));
        check_request(404, "not found", &later("it answers 404"));
        let rights = "check user, password, api_key and their rights";
        check_request(401, error, &later(&format!("it answers 401 kind; {rights}")));
        check_request(403, "", &later(&format!("it answers 403; {rights}")));
        let strange = later("its answer to _bulk is not one; is it Elasticsearch?");
        check_request(200, "hello", &strange);
        check_request(200, r#"{"items":[]}"#, &strange);
    }
}
