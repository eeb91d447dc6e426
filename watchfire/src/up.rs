//! The rooms, wired: one shipper, one queue, one alerter, and an indexer when it is asked for.
//!
//! Enters: a configuration, a clock. Leaves: everything running until shutdown; the shipper stops first, its readers after
//! they have taken what is in the queue. Never: a decision of its own.

use std::path::Path;

use alerter::Setup;
use alerter::api::Board;
use alerter::channel::ChannelDeps;
use alerter::core::Observed;
use alerter::setup::SetupError;
use anyhow::Context;
use daemon::metric::Metrics;
use daemon::source::queue::Queue;
use daemon::{Clock, Readiness, Shutdown};
use tokio::sync::mpsc;
use tokio::task::{JoinError, JoinSet};

use crate::config::Config;
use crate::reload;

/// What a run is given beside its configuration.
#[derive(Debug)]
pub struct Deps {
    /// The time; the demo's runs faster.
    pub clock: Clock,
    /// Where everything counts.
    pub metrics: Metrics,
    /// Who watches transitions and deliveries.
    pub observer: Option<mpsc::Sender<Observed>>,
}

/// Runs what the file at `path` says until `shutdown`.
///
/// # Errors
/// What keeps it from starting, or the first part that ended by itself.
pub async fn run(path: &Path, config: Config, deps: Deps, shutdown: Shutdown) -> anyhow::Result<()> {
    let channel_deps = ChannelDeps::default();
    let state = config.alerter_state();
    let setup = Setup::load(config.alerter(&state), folder(path), &channel_deps)?;
    let board = Board::default();
    let rooms = Rooms {
        clock: deps.clock,
        readiness: Readiness::default(),
        metrics: deps.metrics,
        queue: Queue::new(config.queue.bytes.0),
        files: shipper::status::Board::default(),
    };
    let admin = daemon::admin::serve(
        &config.admin.listen,
        rooms.readiness.clone(),
        rooms.metrics.clone(),
        board.router().merge(shipper::status::router(
            rooms.files.clone(),
            rooms.readiness.clone(),
            rooms.clock.clone(),
        )),
        shutdown.clone(),
    )
    .await?;
    let (requests, reloads) = reload::channel();
    let watcher = tokio::spawn(reload::watch(path.to_owned(), config.clone(), channel_deps, requests));

    // The readers subscribe here, before anything is pushed, so that nobody misses the first record.
    let (readers, stop_reading) = (&mut JoinSet::new(), Shutdown::new());
    readers.spawn(rooms.alerter(setup, board, deps.observer, reloads.alerter, stop_reading.clone()));
    if let Some(settings) = config.indexer() {
        readers.spawn(rooms.indexer(settings, stop_reading.clone())?);
    }
    let shipper = rooms.shipper(config.shipper(), reloads.shipper, shutdown.clone());
    daemon::systemd::ready();
    tokio::pin!(shipper);
    let ended = tokio::select! {
        ended = &mut shipper => ended,
        Some(ended) = readers.join_next() => {
            // Nothing is shipped into a queue that a reader has left: its file would never learn that it was read.
            shutdown.cancel();
            shipper.await.and(read(ended))
        }
    };
    daemon::systemd::stopping();
    shutdown.cancel();
    stop_reading.cancel();
    let mut result = ended;
    while let Some(ended) = readers.join_next().await {
        result = result.and(read(ended));
    }
    watcher.abort();
    admin.task.await.context("the admin page panicked")?;
    result
}

fn read(ended: Result<anyhow::Result<()>, JoinError>) -> anyhow::Result<()> {
    ended.context("a reader of the queue panicked")?
}

/// What the rooms share.
struct Rooms {
    clock: Clock,
    readiness: Readiness,
    metrics: Metrics,
    queue: Queue,
    /// Where the shipper can be asked how it is.
    files: shipper::status::Board,
}

impl Rooms {
    fn shipper(
        &self,
        config: shipper::config::Config,
        reloads: mpsc::Receiver<shipper::config::Config>,
        shutdown: Shutdown,
    ) -> impl Future<Output = anyhow::Result<()>> + use<> {
        let deps = shipper::run::Deps {
            clock: self.clock.clone(),
            readiness: self.readiness.clone(),
            metrics: self.metrics.clone(),
            queue: Some(self.queue.clone()),
            board: self.files.clone(),
            reloads: Some(reloads),
        };
        async move { shipper::run::run(config, deps, shutdown).await.context("shipper") }
    }

    fn alerter(
        &self,
        setup: Setup,
        board: Board,
        observer: Option<mpsc::Sender<Observed>>,
        reloads: mpsc::Receiver<Result<Setup, SetupError>>,
        shutdown: Shutdown,
    ) -> impl Future<Output = anyhow::Result<()>> + use<> {
        let deps = alerter::Deps {
            clock: self.clock.clone(),
            source: self.queue.subscribe(),
            readiness: self.readiness.clone(),
            metrics: self.metrics.clone(),
            board,
            observer,
            reloads,
        };
        async move { alerter::run(setup, deps, shutdown).await.context("alerter") }
    }

    /// Makes the folder of its dead letters, as nobody else does before the first one comes.
    fn indexer(
        &self,
        settings: indexer::Settings,
        shutdown: Shutdown,
    ) -> anyhow::Result<impl Future<Output = anyhow::Result<()>> + use<>> {
        let folder = &settings.state;
        std::fs::create_dir_all(folder).with_context(|| format!("cannot make {}", folder.display()))?;
        let deps = indexer::Deps {
            clock: self.clock.clone(),
            source: self.queue.subscribe(),
            readiness: self.readiness.clone(),
            metrics: self.metrics.clone(),
        };
        Ok(async move { indexer::run(settings, deps, shutdown).await.context("indexer") })
    }
}

/// Where relative paths of a configuration start.
pub fn folder(path: &Path) -> &Path {
    path.parent().unwrap_or(Path::new(""))
}
