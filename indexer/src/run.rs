//! The loop that does what the core says.
//!
//! Enters: settings, a source, a clock. Leaves: documents in Elasticsearch, committed positions, dead letters.
//! Never: a decision. The source has a task of its own, because its wait must not hold up answers, and its read must
//! not be cancelled in the middle.

use std::future::Future;
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use daemon::dead_letter::{DeadLetter, DeadLetters};
use daemon::metric::Metrics;
use daemon::{Batch, Clock, Position, Readiness, Shutdown, Source, SourceError};
use event::{Event, Timestamp};
use tokio::sync::mpsc;

use crate::bulk::Bounds;
use crate::client::{Client, ClientError};
use crate::config::{BulkConfig, Settings};
use crate::core::{Core, Input, Limits, Output, Part};
use crate::document::{self, Document};
use crate::metric::IndexerMetrics;

/// How long one read of the source waits; commits are made between reads, so it is also how late they are.
const READ_WAIT: Duration = Duration::from_millis(200);
/// How long a shutdown waits for answers; what is not settled by then is read again at the next start.
const DRAIN_MAX: Duration = Duration::from_secs(10);
/// Commits that wait for the end of a read; a later one replaces an earlier one in effect.
const COMMITS_MAX: usize = 64;

/// What the daemon gives: edges that a test or the all-in-one binary replaces.
#[derive(Debug)]
pub struct Deps<S> {
    /// The time.
    pub clock: Clock,
    /// Where records come from.
    pub source: S,
    /// Where `elasticsearch`, `dead_letters` and `source` say whether they work.
    pub readiness: Readiness,
    /// Where the indexer's metrics are registered.
    pub metrics: Metrics,
}

/// Why the indexer ended before it was asked to.
#[derive(Debug, thiserror::Error)]
pub enum RunError {
    /// The configuration names no Elasticsearch that can be spoken to.
    #[error("{0}")]
    Client(#[from] ClientError),
    /// The source will give nothing more.
    #[error("{0}")]
    Source(SourceError),
}

/// What takes a while, and ends in the core's next input.
type Work = Pin<Box<dyn Future<Output = Input> + Send>>;

/// Runs until `shutdown`, then sends what is there and commits it.
///
/// # Errors
/// [`RunError`] when it cannot start, or the source is gone for good. Elasticsearch that is away is none.
pub async fn run<S: Source + 'static>(
    settings: Settings,
    deps: Deps<S>,
    shutdown: Shutdown,
) -> Result<(), RunError> {
    let client = Client::new(&settings.elasticsearch)?;
    let shell = Shell {
        client,
        clock: deps.clock,
        readiness: deps.readiness,
        metrics: IndexerMetrics::new(&deps.metrics),
        dead_letters: Arc::new(Mutex::new(DeadLetters::new(&settings.state))),
    };
    shell.metrics.bulk_bytes_max.set(settings.bulk.bytes.0 as f64);
    let (batches_in, batches) = mpsc::channel(1);
    let (commits, commits_out) = mpsc::channel(COMMITS_MAX);
    // The loop ends the reader by dropping its ends of the channels, after the last commit.
    let reader = tokio::spawn(read(deps.source, batches_in, commits_out));
    let result = shell.run(Core::new(limits(&settings.bulk)), batches, commits, shutdown).await;
    if let Err(error) = reader.await {
        tracing::error!(%error, "the reader did not end cleanly");
    }
    result
}

fn limits(bulk: &BulkConfig) -> Limits {
    let bytes = usize::try_from(bulk.bytes.0).unwrap_or(usize::MAX);
    Limits {
        bounds: Bounds { bytes, documents: bulk.documents },
        linger: bulk.linger.0,
        retry_first: bulk.retry_first.0,
        retry_max: bulk.retry_max.0,
    }
}

/// Reads while there is room for a batch, and commits in between.
async fn read<S: Source>(
    mut source: S,
    batches: mpsc::Sender<Result<Batch, SourceError>>,
    mut commits: mpsc::Receiver<Vec<Position>>,
) {
    loop {
        tokio::select! {
            biased;
            positions = commits.recv() => match positions {
                Some(positions) => commit(&mut source, &positions).await,
                None => return,
            },
            permit = batches.reserve() => match permit {
                Ok(permit) => permit.send(source.next(READ_WAIT).await),
                // No further batch is wanted; the last commits may still come.
                Err(_) => {
                    while let Some(positions) = commits.recv().await {
                        commit(&mut source, &positions).await;
                    }
                    return;
                }
            },
        }
    }
}

async fn commit<S: Source>(source: &mut S, positions: &[Position]) {
    if let Err(error) = source.commit(positions).await {
        tracing::warn!(%error, "positions not committed; records may be read again and are then duplicates");
    }
}

struct Shell {
    client: Client,
    clock: Clock,
    readiness: Readiness,
    metrics: IndexerMetrics,
    dead_letters: Arc<Mutex<DeadLetters>>,
}

impl Shell {
    async fn run(
        &self,
        mut core: Core,
        batches: mpsc::Receiver<Result<Batch, SourceError>>,
        commits: mpsc::Sender<Vec<Position>>,
        shutdown: Shutdown,
    ) -> Result<(), RunError> {
        let mut batches = Some(batches);
        let mut work: Option<Work> = None;
        let mut out = Vec::new();
        let mut event = Event::default();
        let mut give_up_at = None;
        core.tick(self.clock.now(), &mut out);
        loop {
            for output in out.drain(..) {
                if let Some(started) = self.perform(output, &commits).await {
                    work = Some(started);
                }
            }
            self.gauge(&core);
            let is_draining = batches.is_none();
            if is_draining && (core.is_drained() || core.is_failing()) {
                return Ok(());
            }
            let input = tokio::select! {
                () = shutdown.cancelled(), if !is_draining => {
                    batches = None;
                    give_up_at = Some(self.clock.now().plus(DRAIN_MAX));
                    Some(Input::Drain)
                }
                input = async { match &mut work { Some(work) => work.await, None => std::future::pending().await } } => {
                    work = None;
                    Some(input)
                }
                batch = next(&mut batches), if core.wants_documents() => {
                    self.take(batch, &mut event)?
                }
                () = self.clock.sleep_until_some(core.deadline()) => None,
                () = self.clock.sleep_until_some(give_up_at) => {
                    let (documents, _) = core.load();
                    tracing::warn!(documents, "stopped before all were settled; they are read again at the next start");
                    return Ok(());
                }
            };
            let now = self.clock.now();
            match input {
                Some(input) => core.handle(input, now, &mut out),
                None => core.tick(now, &mut out),
            }
        }
    }

    /// A batch as documents; `None` when the source has none for now.
    fn take(
        &self,
        batch: Option<Result<Batch, SourceError>>,
        event: &mut Event,
    ) -> Result<Option<Input>, RunError> {
        match batch {
            None => Err(RunError::Source(SourceError::Permanent("the source's task ended".to_owned()))),
            Some(Ok(batch)) => {
                self.readiness.up("source");
                let documents = batch.records.iter().map(|record| document::make(record, event)).collect();
                Ok(Some(Input::Documents(documents)))
            }
            Some(Err(SourceError::Transient(reason))) => {
                self.readiness.down("source", reason);
                Ok(None)
            }
            Some(Err(error)) => Err(RunError::Source(error)),
        }
    }

    /// Does what is quick, and starts what takes a while.
    async fn perform(&self, output: Output, commits: &mpsc::Sender<Vec<Position>>) -> Option<Work> {
        match output {
            Output::Prepare => {
                let client = self.client.clone();
                return Some(Box::pin(async move { Input::Checked(client.prepare().await) }));
            }
            Output::Probe => {
                let client = self.client.clone();
                return Some(Box::pin(async move { Input::Checked(client.probe().await) }));
            }
            Output::Send(body) => return Some(self.send(body)),
            Output::Bury(letters) => return Some(self.bury(letters)),
            Output::Commit(positions) => {
                // The reader lives as long as this end of the channel.
                let _ = commits.send(positions).await;
            }
            Output::Settled(tally) => self.metrics.settled(tally),
            Output::Up(part) => self.readiness.up(name(part)),
            Output::Down(part, reason) => self.readiness.down(name(part), reason),
            Output::Shrunk(bytes) => {
                tracing::warn!(
                    bytes,
                    "elasticsearch takes no larger request; raise its http.max_content_length or lower bulk.bytes"
                );
                self.metrics.bulk_bytes_max.set(bytes as f64);
            }
        }
        None
    }

    fn send(&self, body: bytes::Bytes) -> Work {
        let (client, clock, metrics) = (self.client.clone(), self.clock.clone(), self.metrics.clone());
        Box::pin(async move {
            let (bytes, started) = (body.len(), clock.now());
            let answer = client.bulk(body).await;
            metrics.requested(bytes, answer.is_ok(), clock.now().since(started));
            Input::Answered(answer)
        })
    }

    fn bury(&self, letters: Vec<(Document, String)>) -> Work {
        let (dead_letters, at) = (Arc::clone(&self.dead_letters), self.clock.now());
        Box::pin(async move {
            let written = tokio::task::spawn_blocking(move || bury(&dead_letters, &letters, at)).await;
            Input::Buried(written.unwrap_or_else(|error| Err(error.to_string())))
        })
    }

    #[expect(clippy::cast_precision_loss, reason = "gauges are doubles")]
    fn gauge(&self, core: &Core) {
        let (documents, bytes) = core.load();
        self.metrics.pending.set(documents as f64);
        self.metrics.pending_bytes.set(bytes as f64);
        let lag = core.oldest().map_or(Duration::ZERO, |oldest| self.clock.now().since(oldest));
        self.metrics.lag.set(lag.as_secs_f64());
    }
}

/// The next batch; never when none is wanted any more.
async fn next(
    batches: &mut Option<mpsc::Receiver<Result<Batch, SourceError>>>,
) -> Option<Result<Batch, SourceError>> {
    match batches {
        Some(batches) => batches.recv().await,
        None => std::future::pending().await,
    }
}

fn bury(
    dead_letters: &Mutex<DeadLetters>,
    letters: &[(Document, String)],
    at: Timestamp,
) -> Result<(), String> {
    let mut file = dead_letters.lock().unwrap_or_else(PoisonError::into_inner);
    for (document, reason) in letters {
        tracing::warn!(id = %document.id, reason, path = %file.path().display(), "document refused for good, kept as a dead letter");
    }
    let ids: Vec<String> = letters.iter().map(|(document, _)| document.id.to_string()).collect();
    let letters = letters.iter().zip(&ids).map(|((document, reason), id)| DeadLetter {
        at,
        reason,
        topic: None,
        key: id,
        payload: &document.source,
    });
    file.append(letters).map_err(|error| format!("{}: {error}", file.path().display()))
}

fn name(part: Part) -> &'static str {
    match part {
        Part::Elasticsearch => "elasticsearch",
        Part::DeadLetters => "dead_letters",
    }
}
