//! `alerter run`: the daemon.
//!
//! Enters: a configuration. Leaves: an exit when a signal came and everything is saved.

use std::path::Path;

use daemon::metric::Metrics;
use daemon::source::kafka::KafkaSource;
use daemon::{Clock, Readiness, admin, log, shutdown, systemd};
use tokio::sync::mpsc;

use super::check::folder;
use super::{CommandError, reload};
use crate::api::Board;
use crate::channel::ChannelDeps;
use crate::config::{Config, SourceConfig};
use crate::run::RunError;
use crate::{Deps, Setup};

pub(super) async fn run(path: &Path, clock: Clock) -> Result<(), CommandError> {
    let config = Config::load(path)?;
    log::init(config.log.format, &config.log.level)?;
    let shutdown = shutdown::on_signals()?;
    let channel_deps = ChannelDeps::default();
    let setup = Setup::load(config.parts(), folder(path), &channel_deps)?;
    let (readiness, metrics, board) = (Readiness::default(), Metrics::new(), Board::default());
    let page = admin::serve(
        &config.admin.listen,
        readiness.clone(),
        metrics.clone(),
        board.router(),
        shutdown.clone(),
    )
    .await?;
    let SourceConfig::Kafka(kafka) = &config.source;
    let source = KafkaSource::new(kafka, &config.state.path, readiness.clone())
        .map_err(|error| RunError::Source(error.to_string()))?;
    let (requests, reloads) = mpsc::channel(1);
    tokio::spawn(reload::watch(path.to_owned(), config, channel_deps, requests));
    tokio::spawn(systemd::watchdog(shutdown.clone()));
    systemd::ready();
    let deps = Deps { clock, source, readiness, metrics, board, observer: None, reloads };
    let ended = crate::run(setup, deps, shutdown.clone()).await;
    systemd::stopping();
    shutdown.cancel();
    // The page answers what it has begun; a failure of its task changes nothing any more.
    let _ = page.task.await;
    Ok(ended?)
}
