//! Reads the files again when one of them changes, or at SIGHUP.
//!
//! Enters: SIGHUP, changes of the configuration and the rules. Leaves: what the shipper and the alerter go on with.
//! Never: half a configuration; what cannot be used changes nothing, and the alerter says so.

use std::path::{Path, PathBuf};

use alerter::Setup;
use alerter::channel::ChannelDeps;
use alerter::setup::{SetupError, watcher};
use tokio::sync::mpsc;

use crate::config::Config;
use crate::up::folder;

/// Where new configurations go to.
#[derive(Debug)]
pub struct Requests {
    shipper: mpsc::Sender<shipper::config::Config>,
    alerter: mpsc::Sender<Result<Setup, SetupError>>,
}

/// Where they come from.
#[derive(Debug)]
pub struct Reloads {
    /// For the shipper, when its part has changed.
    pub shipper: mpsc::Receiver<shipper::config::Config>,
    /// For the alerter, each time; a refused one too.
    pub alerter: mpsc::Receiver<Result<Setup, SetupError>>,
}

/// Both ends; each request waits until the one before it was taken.
#[must_use]
pub fn channel() -> (Requests, Reloads) {
    let (ship, shipper) = mpsc::channel(1);
    let (alert, alerter) = mpsc::channel(1);
    (Requests { shipper: ship, alerter: alert }, Reloads { shipper, alerter })
}

/// Runs until nobody takes configurations any more.
pub async fn watch(path: PathBuf, started: Config, deps: ChannelDeps, requests: Requests) {
    let mut running = started.clone();
    while let Some(mut reload) = watcher(&path, &running.rules) {
        // The same watcher as long as it watches the right files: a new one would not know of changes before it.
        let watched = running.rules.clone();
        while running.rules == watched {
            let change = reload.changed().await;
            tracing::info!(?change, "reading the configuration again");
            let setup = match load(&path, &deps) {
                Ok((config, setup)) => {
                    warn_of_restart(&started, &config);
                    // A shipper restarts its inputs for a new configuration; rules alone are none of its business.
                    let is_shippers = config.shipper() != running.shipper();
                    if is_shippers && requests.shipper.send(config.shipper()).await.is_err() {
                        return;
                    }
                    running = config;
                    Ok(setup)
                }
                Err(error) => Err(error),
            };
            if requests.alerter.send(setup).await.is_err() {
                return;
            }
        }
    }
}

fn load(path: &Path, deps: &ChannelDeps) -> Result<(Config, Setup), SetupError> {
    let config = Config::load(path).map_err(|error| SetupError { problems: vec![error.to_string()] })?;
    let state = config.alerter_state();
    let setup = Setup::load(config.alerter(&state), folder(path), deps)?;
    Ok((config, setup))
}

fn warn_of_restart(started: &Config, config: &Config) {
    let keys = [
        ("queue", started.queue != config.queue),
        ("elasticsearch", started.elasticsearch != config.elasticsearch),
        ("engine", started.engine != config.engine),
        ("state", started.state != config.state),
        ("admin", started.admin != config.admin),
        ("log", started.log != config.log),
    ];
    for (key, _) in keys.into_iter().filter(|(_, has_changed)| *has_changed) {
        tracing::warn!(key, "this key is read at the start only, restart to use it");
    }
}
