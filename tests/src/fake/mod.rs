//! Stand-ins for paid vendors: DingTalk, WeCom, an SMS gateway and a webhook receiver on one loopback port.
//!
//! Enters: our requests. Leaves: the vendors' documented answers, errors included, and everything that arrived.
//! Never: trust. A DingTalk signature is computed again here, by its document, and a wrong one is refused as they do.

use std::collections::{HashMap, VecDeque};
use std::sync::{Arc, Mutex, PoisonError};

use axum::Router;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode, Uri};
use base64::Engine as _;
use daemon::Clock;
use event::Timestamp;
use hmac::{Hmac, Mac};
use sha2::Sha256;

use crate::scenario::Page;

/// One request as it arrived.
#[derive(Debug, Clone)]
pub struct Arrival {
    /// When it arrived, by the vendors' clock.
    pub at: Timestamp,
    /// The path: `/dingtalk`, `/wecom`, `/sms`, `/voice`, `/webhook`.
    pub path: String,
    /// What stands behind the `?`.
    pub query: String,
    /// Its headers.
    pub headers: HeaderMap,
    /// Its body as JSON, or as a JSON string when it is something else.
    pub body: serde_json::Value,
    /// `Idempotency-Key`: the notification's id.
    pub id: String,
    /// The answer that it got.
    pub answer: String,
}

impl Arrival {
    /// The text that a person would read, whichever vendor it went to.
    #[must_use]
    pub fn text(&self) -> String {
        let places = ["/markdown/text", "/markdown/content", "/content", "/alerts/0/annotations/text"];
        let found = places.iter().find_map(|place| self.body.pointer(place)?.as_str());
        found.unwrap_or_default().trim_start_matches("### ").to_owned()
    }

    /// The arrival as a page of a story that began at `start`. Its head reads `[P0] STILL FIRING rule ...`.
    #[must_use]
    pub fn page(&self, channel: &str, start: Timestamp) -> Page {
        let text = self.text();
        let (priority, rest) = text.trim_start_matches('[').split_once("] ").unwrap_or_default();
        let states = ["STILL FIRING", "FIRING", "RESOLVED", "TEST"];
        let state = states.into_iter().find(|state| rest.starts_with(state)).unwrap_or_default();
        Page {
            at: self.at.since(start),
            priority: priority.to_owned(),
            state: state.to_owned(),
            channel: channel.to_owned(),
            id: self.id.clone(),
            text,
        }
    }
}

/// What a vendor answers next.
#[derive(Debug, Clone)]
pub enum Answer {
    /// A status and a body.
    Say(u16, String),
    /// Nothing, until the sender gives up.
    Hang,
}

impl Answer {
    /// `200` with a robot's error code.
    #[must_use]
    pub fn errcode(code: i64, message: &str) -> Self {
        Answer::Say(200, serde_json::json!({ "errcode": code, "errmsg": message }).to_string())
    }
}

#[derive(Debug)]
struct Book {
    clock: Clock,
    arrivals: Vec<Arrival>,
    next: HashMap<String, VecDeque<Answer>>,
}

/// The vendors, on loopback. Serves from a thread of its own until it is dropped.
#[derive(Debug)]
pub struct Vendors {
    port: u16,
    book: Arc<Mutex<Book>>,
    stop: daemon::Shutdown,
}

/// The robot's secret that [`Vendors`] verifies with.
pub const SECRET: &str = "SEC-of-the-test-robot";

/// The robot's token, and WeCom's key.
pub const TOKEN: &str = "token-of-the-test-robot";

impl Vendors {
    /// Starts them; `clock` says when something arrived.
    ///
    /// # Panics
    /// When no port can be had.
    #[must_use]
    pub fn start(clock: Clock) -> Self {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        listener.set_nonblocking(true).unwrap();
        let port = listener.local_addr().unwrap().port();
        let book = Book { clock, arrivals: Vec::new(), next: HashMap::new() };
        let vendors = Vendors { port, book: Arc::new(Mutex::new(book)), stop: daemon::Shutdown::new() };
        let (book, stop) = (Arc::clone(&vendors.book), vendors.stop.clone());
        std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
            runtime.block_on(async {
                let listener = tokio::net::TcpListener::from_std(listener).unwrap();
                let router = Router::new().fallback(receive).with_state(book);
                let serving =
                    axum::serve(listener, router).with_graceful_shutdown(stop.clone().cancelled_owned());
                tokio::select! {
                    _ = serving => {}
                    () = stop.cancelled() => {}
                }
            });
        });
        vendors
    }

    /// The URL of one vendor, such as `dingtalk`.
    #[must_use]
    pub fn url(&self, vendor: &str) -> String {
        format!("http://127.0.0.1:{}/{vendor}", self.port)
    }

    /// Queues an answer for the next request to `vendor`; without one it answers that all is well.
    pub fn answer(&self, vendor: &str, answer: Answer) {
        self.book().next.entry(format!("/{vendor}")).or_default().push_back(answer);
    }

    /// What has arrived at `vendor`, in order.
    #[must_use]
    pub fn arrivals(&self, vendor: &str) -> Vec<Arrival> {
        let path = format!("/{vendor}");
        self.book().arrivals.iter().filter(|arrival| arrival.path == path).cloned().collect()
    }

    fn book(&self) -> std::sync::MutexGuard<'_, Book> {
        self.book.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Vendors {
    fn drop(&mut self) {
        self.stop.cancel();
    }
}

async fn receive(
    State(book): State<Arc<Mutex<Book>>>,
    uri: Uri,
    headers: HeaderMap,
    body: Bytes,
) -> (StatusCode, String) {
    let path = uri.path().to_owned();
    let text = String::from_utf8_lossy(&body).into_owned();
    let id = headers.get("idempotency-key").and_then(|id| id.to_str().ok()).unwrap_or_default().to_owned();
    let answer = {
        let mut book = book.lock().unwrap_or_else(PoisonError::into_inner);
        let scripted = book.next.get_mut(&path).and_then(VecDeque::pop_front);
        let answer = scripted.unwrap_or_else(|| usual(&path, uri.query().unwrap_or_default()));
        let body = serde_json::from_str(&text).unwrap_or(serde_json::Value::String(text));
        let said = format!("{answer:?}");
        let (at, query) = (book.clock.now(), uri.query().unwrap_or_default().to_owned());
        book.arrivals.push(Arrival { at, path, query, headers, body, id, answer: said });
        answer
    };
    match answer {
        Answer::Say(status, body) => (StatusCode::from_u16(status).unwrap(), body),
        Answer::Hang => std::future::pending().await,
    }
}

fn usual(path: &str, query: &str) -> Answer {
    match path {
        "/dingtalk" if parameter(query, "access_token") != TOKEN => {
            Answer::errcode(300_001, "token is not exist")
        }
        "/dingtalk" => verify(query),
        "/wecom" if parameter(query, "key") != TOKEN => Answer::errcode(93_000, "invalid webhook url"),
        "/wecom" => Answer::errcode(0, "ok"),
        "/sms" | "/voice" => Answer::Say(200, r#"{"Code":"OK","BizId":"biz-1"}"#.to_owned()),
        "/webhook" => Answer::Say(200, String::new()),
        _ => Answer::Say(404, "no such vendor".to_owned()),
    }
}

/// DingTalk's check, from its document: base64(HMAC-SHA256(secret, "<ms>\n<secret>")).
fn verify(query: &str) -> Answer {
    let timestamp = parameter(query, "timestamp");
    let mut mac = Hmac::<Sha256>::new_from_slice(SECRET.as_bytes()).unwrap();
    mac.update(format!("{timestamp}\n{SECRET}").as_bytes());
    let expected = base64::engine::general_purpose::STANDARD.encode(mac.finalize().into_bytes());
    if parameter(query, "sign") == expected {
        Answer::errcode(0, "ok")
    } else {
        Answer::errcode(310_000, "sign not match")
    }
}

fn parameter(query: &str, name: &str) -> String {
    let pairs = query.split('&').filter_map(|pair| pair.split_once('='));
    let value = pairs.filter(|(key, _)| *key == name).map(|(_, value)| value.replace('+', " ")).next();
    let value = value.unwrap_or_default();
    percent_encoding::percent_decode_str(&value).decode_utf8_lossy().into_owned()
}
