//! File events, as hints.
//!
//! Enters: the folders that the last scan looked into. Leaves: paths that have changed, each once until it was taken.
//! Never: the truth. Events are lost, coalesced and missing on network file systems; the scan is what counts.

use std::collections::{BTreeSet, HashSet};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use notify::{Event, EventKind, RecommendedWatcher, RecursiveMode, Watcher};

/// Paths that wait to be looked at; when there are more, a scan looks at all of them.
const HINTS_MAX: usize = 4096;
/// Folders that are watched; files in others are found by the scan.
const FOLDERS_MAX: usize = 8192;

/// What has changed.
#[derive(Debug, Default)]
pub(super) struct Hints {
    pub paths: HashSet<PathBuf>,
    /// Some were not kept: everything has to be looked at.
    pub is_all: bool,
}

/// Watches folders.
pub(super) struct Watch {
    watcher: Option<RecommendedWatcher>,
    watched: BTreeSet<PathBuf>,
    hints: Arc<Mutex<Hints>>,
}

impl Watch {
    /// Starts watching nothing; `wake` is called when the first hint after [`Watch::take`] comes.
    pub(super) fn new(wake: impl Fn() + Send + 'static) -> Self {
        let hints = Arc::new(Mutex::new(Hints::default()));
        let sink = Arc::clone(&hints);
        let watcher = notify::recommended_watcher(move |event| {
            if note(&mut lock(&sink), event) {
                wake();
            }
        });
        let watcher = watcher.inspect_err(|error| report(Path::new("/"), error)).ok();
        Watch { watcher, watched: BTreeSet::new(), hints }
    }

    /// Watches these folders and no others.
    pub(super) fn follow(&mut self, folders: &BTreeSet<PathBuf>) {
        let Some(watcher) = &mut self.watcher else { return };
        if *folders == self.watched {
            return;
        }
        for folder in self.watched.difference(folders) {
            // A folder that is gone has lost its watch by itself.
            let _ = watcher.unwatch(folder);
        }
        let mut watched: BTreeSet<PathBuf> = self.watched.intersection(folders).cloned().collect();
        for folder in folders.difference(&self.watched) {
            if watched.len() >= FOLDERS_MAX {
                break;
            }
            match watcher.watch(folder, RecursiveMode::NonRecursive) {
                Ok(()) => drop(watched.insert(folder.clone())),
                // Not there yet: the scan finds it when it comes.
                Err(notify::Error { kind: notify::ErrorKind::PathNotFound, .. }) => {}
                Err(error) => {
                    report(folder, &error);
                    // Tried again when the set of folders changes, not at each scan.
                    watched.insert(folder.clone());
                }
            }
        }
        self.watched = watched;
    }

    /// What has changed since the last call.
    pub(super) fn take(&self) -> Hints {
        std::mem::take(&mut lock(&self.hints))
    }
}

fn lock(hints: &Mutex<Hints>) -> MutexGuard<'_, Hints> {
    hints.lock().unwrap_or_else(PoisonError::into_inner)
}

fn report(folder: &Path, error: &notify::Error) {
    tracing::warn!(folder = %folder.display(), %error, "no file events; the scan finds changes within its interval");
}

/// Keeps the event's paths; true when there were no hints before.
fn note(hints: &mut Hints, event: notify::Result<Event>) -> bool {
    let was_empty = hints.paths.is_empty() && !hints.is_all;
    match event {
        // Opening and closing change nothing, and the shipper itself does both.
        Ok(Event { kind: EventKind::Access(_), .. }) => return false,
        Ok(event) if event.need_rescan() => hints.is_all = true,
        Ok(event) if hints.paths.len() < HINTS_MAX => hints.paths.extend(event.paths),
        Ok(_) | Err(_) => hints.is_all = true,
    }
    was_empty && (hints.is_all || !hints.paths.is_empty())
}
