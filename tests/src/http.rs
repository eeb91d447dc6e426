//! One request at a time, for tests that wait on what a page says.
//!
//! Enters: a URL. Leaves: the status and the body, or nothing while nobody answers.

use serde_json::Value;

/// `GET`; `None` when nobody answers.
#[must_use]
pub fn get(url: &str) -> Option<(u16, String)> {
    send(&reqwest::Client::new().get(url))
}

/// `POST` of a JSON body, which may be null for none.
#[must_use]
pub fn post(url: &str, body: &Value) -> Option<(u16, String)> {
    let request = reqwest::Client::new().post(url);
    send(&if body.is_null() { request } else { request.json(body) })
}

fn send(request: &reqwest::RequestBuilder) -> Option<(u16, String)> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let answer = request.try_clone().unwrap().send().await.ok()?;
        Some((answer.status().as_u16(), answer.text().await.ok()?))
    })
}
