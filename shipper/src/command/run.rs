//! `shipper run`.
//!
//! Enters: a configuration, signals. Leaves: everything running until SIGTERM; a new configuration while it runs.
//! Never: an end because of a configuration that was edited badly; the one before it stays.

use std::path::{Path, PathBuf};

use anyhow::Context;
use daemon::glob::Glob;
use daemon::metric::Metrics;
use daemon::reload::{Change, Reload};
use daemon::{Clock, Readiness, Shutdown};
use tokio::sync::mpsc;

use super::ConfigFlag;
use crate::config::Config;
use crate::run::CONFIG;

#[derive(Debug, clap::Args)]
pub(super) struct Flags {
    #[command(flatten)]
    config: ConfigFlag,
    /// Rehearse: a clock that runs faster, as SPEED@SINCE
    #[arg(long, value_name = "LAPSE", hide = true)]
    time_lapse: Option<Clock>,
}

pub(super) fn run(flags: &Flags) -> anyhow::Result<()> {
    let config = flags.config.load()?;
    daemon::log::init(config.log.format, &config.log.level)?;
    // One provider for every TLS connection; a second installation is refused and changes nothing.
    let _ = rustls::crypto::ring::default_provider().install_default();
    // Two workers: probes, heartbeat and the admin page. Reading and sending have threads of their own.
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
        .context("cannot start the runtime")?;
    let clock = flags.time_lapse.clone().unwrap_or(Clock::System);
    runtime.block_on(serve(&flags.config.config, config, clock))
}

async fn serve(path: &Path, config: Config, clock: Clock) -> anyhow::Result<()> {
    let shutdown = daemon::shutdown::on_signals().context("cannot listen to signals")?;
    let (readiness, metrics) = (Readiness::default(), Metrics::new());
    let board = crate::status::Board::default();
    let admin = daemon::admin::serve(
        &config.admin.listen,
        readiness.clone(),
        metrics.clone(),
        crate::status::router(board.clone(), readiness.clone(), clock.clone()),
        shutdown.clone(),
    )
    .await?;
    let (sender, reloads) = mpsc::channel(1);
    let watcher =
        tokio::spawn(watch(path.to_owned(), config.clone(), readiness.clone(), sender, shutdown.clone()));
    let watchdog = tokio::spawn(daemon::systemd::watchdog(shutdown.clone()));
    daemon::systemd::ready();
    let deps = crate::run::Deps { clock, readiness, metrics, queue: None, board, reloads: Some(reloads) };
    let result = crate::run::run(config, deps, shutdown.clone()).await;
    daemon::systemd::stopping();
    shutdown.cancel();
    for task in [watcher, watchdog, admin.task] {
        task.await.context("a task of the shipper panicked")?;
    }
    Ok(result?)
}

/// Loads the file again when it changes or a signal asks for it, and sends what can be used.
async fn watch(
    path: PathBuf,
    mut config: Config,
    readiness: Readiness,
    reloads: mpsc::Sender<Config>,
    shutdown: Shutdown,
) {
    let name = path.to_string_lossy().into_owned();
    let mut reload = match Glob::new(&name, Path::new(""))
        .map_err(std::io::Error::other)
        .and_then(|glob| Reload::new(vec![glob]))
    {
        Ok(reload) => reload,
        Err(error) => {
            readiness
                .down(CONFIG, format!("changes of {name} are not seen: {error}; restart to load it again"));
            return;
        }
    };
    loop {
        let change = tokio::select! {
            () = shutdown.cancelled() => return,
            change = reload.changed() => change,
        };
        match super::load(&path) {
            Ok(new) => {
                readiness.up(CONFIG);
                if new.admin != config.admin || new.log != config.log {
                    tracing::warn!(path = name, "`admin` and `log` change with a restart alone");
                }
                if change == Change::Signal || new != config {
                    tracing::info!(path = name, "configuration loaded again");
                    config = new.clone();
                    if reloads.send(new).await.is_err() {
                        return;
                    }
                }
            }
            Err(error) => readiness.down(CONFIG, format!("{error}; the configuration before it stays")),
        }
    }
}
