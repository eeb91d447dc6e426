//! Where the shipper that runs can be asked.
//!
//! Enters: `GET /api/status?under=PATH&order=worst&rows=20`, also by `device=` and `inode=`. Leaves: a [`StatusPage`], or
//! 503 with a word when there is nobody to ask. Never: more than one question at a time for the reader.

use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use axum::extract::{Query as Parameters, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use axum::{Json, Router};
use daemon::{Clock, Readiness};
use serde::{Deserialize, Serialize};
use tokio::sync::Semaphore;

use super::{ROWS_DEFAULT, ROWS_MAX, StatusPage, Totals, page_of};
use crate::input::file::{FileStatus, Inbox, Order, Query};

/// How long the reader may take to answer: a disk that hangs holds it up.
const ANSWER_MAX: Duration = Duration::from_secs(10);

/// What can be asked for.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Ask {
    /// Streams under this path alone: a file, or a folder with all below it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub under: Option<PathBuf>,
    /// With `inode`: also, or only, the stream of this file.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub device: Option<u64>,
    /// See `device`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub inode: Option<u64>,
    /// Which streams come first.
    #[serde(default)]
    pub order: Order,
    /// So many streams at most; [`ROWS_DEFAULT`] unless said, and never more than [`ROWS_MAX`].
    #[serde(skip_serializing_if = "Option::is_none")]
    pub rows: Option<usize>,
}

impl Ask {
    /// How many rows the answer has at most.
    #[must_use]
    pub fn rows(&self) -> usize {
        self.rows.unwrap_or(ROWS_DEFAULT).min(ROWS_MAX)
    }

    /// The same, for the reader.
    #[must_use]
    pub fn query(&self) -> Query {
        let rows_max = Some(self.rows());
        Query { under: self.under.clone(), key: self.device.zip(self.inode), order: self.order, rows_max }
    }
}

/// Who can be asked now; clones share it. Empty until a configuration runs.
#[derive(Debug, Clone, Default)]
pub struct Board {
    place: Arc<Mutex<Option<Place>>>,
}

/// The shipper of one configuration.
#[derive(Debug, Clone)]
struct Place {
    host: String,
    /// `None` when it reads no file.
    inbox: Option<Inbox>,
}

impl Board {
    /// From now on, this shipper answers.
    pub fn set(&self, host: String, inbox: Option<Inbox>) {
        *self.place.lock().unwrap_or_else(PoisonError::into_inner) = Some(Place { host, inbox });
    }

    fn place(&self) -> Option<Place> {
        self.place.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

#[derive(Debug, Clone)]
struct Desk {
    board: Board,
    readiness: Readiness,
    clock: Clock,
    /// One question at a time.
    turn: Arc<Semaphore>,
}

/// The route, for the admin page.
pub fn router(board: Board, readiness: Readiness, clock: Clock) -> Router {
    let turn = Arc::new(Semaphore::new(1));
    Router::new().route("/api/status", get(answer)).with_state(Desk { board, readiness, clock, turn })
}

async fn answer(State(desk): State<Desk>, Parameters(ask): Parameters<Ask>) -> Response {
    match tokio::time::timeout(ANSWER_MAX, desk.page(&ask)).await {
        Ok(Some(page)) => Json(page).into_response(),
        Ok(None) => refuse("the shipper is starting, or ends; ask again in a moment\n"),
        Err(_) => refuse("the reader of files does not answer; a disk may hang: see the log\n"),
    }
}

fn refuse(why: &'static str) -> Response {
    (StatusCode::SERVICE_UNAVAILABLE, why).into_response()
}

impl Desk {
    async fn page(&self, ask: &Ask) -> Option<StatusPage> {
        let _turn = self.turn.acquire().await.ok()?;
        let place = self.board.place()?;
        let files = match &place.inbox {
            Some(inbox) => inbox.look(ask.query()).await?,
            None => FileStatus::default(),
        };
        let parts = self.readiness.parts();
        let is_ready = parts.values().all(Result::is_ok);
        let words = |state: Result<(), String>| state.err().unwrap_or_else(|| "ok".to_owned());
        let frame = StatusPage {
            at: Some(self.clock.now()),
            is_running: true,
            version: env!("CARGO_PKG_VERSION").to_owned(),
            host: place.host,
            is_ready,
            parts: parts.into_iter().map(|(name, state)| (name, words(state))).collect(),
            totals: Totals::default(),
            streams: Vec::new(),
            streams_more: 0,
            skipped: Vec::new(),
            skipped_more: 0,
        };
        Some(page_of(files, frame))
    }
}
