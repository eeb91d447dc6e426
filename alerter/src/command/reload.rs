//! Reads the configuration again, when asked to.
//!
//! Enters: SIGHUP, changed files. Leaves: a new [`Setup`], or why there is none. Never: half a configuration.

use std::path::{Path, PathBuf};

use tokio::sync::mpsc;

use super::check::folder;
use crate::Setup;
use crate::channel::ChannelDeps;
use crate::config::Config;
use crate::setup::{SetupError, watcher};

/// Runs until nobody takes configurations any more.
pub(super) async fn watch(
    path: PathBuf,
    started: Config,
    deps: ChannelDeps,
    requests: mpsc::Sender<Result<Setup, SetupError>>,
) {
    let mut rules = started.rules.clone();
    while let Some(mut reload) = watcher(&path, &rules) {
        // The same watcher as long as it watches the right files.
        loop {
            let change = tokio::select! {
                change = reload.changed() => change,
                () = requests.closed() => return,
            };
            tracing::info!(?change, "reading the configuration again");
            let loaded = load(&path, &deps);
            let wanted = loaded.as_ref().map_or_else(|_| rules.clone(), |(config, _)| config.rules.clone());
            if let Ok((config, _)) = &loaded {
                warn_of_restart(&started, config);
            }
            if requests.send(loaded.map(|(_, setup)| setup)).await.is_err() {
                return;
            }
            if wanted != rules {
                rules = wanted;
                break;
            }
        }
    }
}

fn load(path: &Path, deps: &ChannelDeps) -> Result<(Config, Setup), SetupError> {
    let config = Config::load(path).map_err(|error| SetupError { problems: vec![error.to_string()] })?;
    let setup = Setup::load(config.parts(), folder(path), deps)?;
    Ok((config, setup))
}

fn warn_of_restart(started: &Config, config: &Config) {
    let keys = [
        ("source", started.source != config.source),
        ("state", started.state != config.state),
        ("engine", started.engine != config.engine),
        ("admin", started.admin != config.admin),
        ("log", started.log != config.log),
    ];
    for (key, _) in keys.into_iter().filter(|(_, has_changed)| *has_changed) {
        tracing::warn!(key, "this key is read at the start only, restart to use it");
    }
}
