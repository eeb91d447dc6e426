//! A probe that sends a GET.
//!
//! Enters: a URL. Leaves: up when status and body are the expected ones. Never: more than [`BODY_BYTES_MAX`] of an
//! answer; a redirect that is followed.

use std::error::Error;

use super::{Expect, Outcome};

/// Bytes of an answer that are looked into.
const BODY_BYTES_MAX: usize = 64 << 10;

/// Asks, and compares.
pub(super) async fn ask(client: &reqwest::Client, url: &str, expect: &Expect) -> Outcome {
    let response = match client.get(url).send().await {
        Ok(response) => response,
        Err(error) => return Outcome::down(reason(&error)),
    };
    let status = response.status().as_u16();
    let failed = |reason: String| Outcome { failure: Some(reason), status: Some(status) };
    match expect.status {
        Some(wanted) if wanted != status => return failed(format!("status {status} instead of {wanted}")),
        None if status >= 400 => return failed(format!("status {status}")),
        _ => {}
    }
    let Some(wanted) = &expect.body else { return Outcome::up(Some(status)) };
    match body(response).await {
        Ok(text) if text.contains(wanted.as_str()) => Outcome::up(Some(status)),
        Ok(_) => failed(format!("`{wanted}` is not in the answer")),
        Err(error) => failed(reason(&error)),
    }
}

async fn body(mut response: reqwest::Response) -> Result<String, reqwest::Error> {
    let mut bytes = Vec::new();
    while bytes.len() < BODY_BYTES_MAX
        && let Some(chunk) = response.chunk().await?
    {
        bytes.extend_from_slice(&chunk);
    }
    bytes.truncate(BODY_BYTES_MAX);
    Ok(String::from_utf8_lossy(&bytes).into_owned())
}

/// The innermost cause says what happened; the outer ones repeat the URL.
fn reason(error: &reqwest::Error) -> String {
    let mut cause: &dyn Error = error;
    while let Some(inner) = cause.source() {
        cause = inner;
    }
    cause.to_string()
}
