//! File events, as hints.
//!
//! Enters: the folders that the last scan looked into. Leaves: paths that have changed, each once until it was taken.
//! Never: the truth. Events are lost, coalesced and missing on network file systems; the scan is what counts.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use notify::event::{CreateKind, ModifyKind, RenameMode};
use notify::{Event, EventKind, RecommendedWatcher, RecursiveMode, Watcher};

use super::identity::Key;
use super::unseen::Made;

/// Paths that wait to be looked at; when there are more, a scan looks at all of them.
const HINTS_MAX: usize = 4096;
/// Folders that are watched; files in others are found by the scan.
const FOLDERS_MAX: usize = 8192;
/// How long events gather before they are taken: a part of the time between two looks at them.
const GATHER: Duration = Duration::from_millis(4);
/// How long events are taken as they come, after that.
const AWAKE_FOR: Duration = Duration::from_micros(300);

/// What has changed.
#[derive(Debug, Default)]
pub(super) struct Hints {
    /// Names that came, went or lead elsewhere, and files whose attributes changed.
    pub names: HashSet<PathBuf>,
    /// Files that were written to.
    pub written: HashSet<PathBuf>,
    /// Files that were made and written to since, in this order.
    pub made: Vec<Made>,
    /// Some were not kept: everything has to be looked at.
    pub is_all: bool,
    /// The system itself has kept no more of them.
    pub is_cut: bool,
    /// Files that were made and not written to yet; stays when the others are taken.
    fresh: HashMap<PathBuf, Made>,
}

/// Watches folders.
pub(super) struct Watch {
    watcher: Option<RecommendedWatcher>,
    /// The folders that are watched, and what they were; a folder that was replaced has lost its watch.
    watched: BTreeMap<PathBuf, Key>,
    /// The state of the folders that was followed last.
    changed: Option<u64>,
    hints: Arc<Mutex<Hints>>,
}

impl Watch {
    /// Starts watching nothing; `wake` is called when the first hint after [`Watch::take`] comes.
    pub(super) fn new(wake: impl Fn() + Send + 'static) -> Self {
        let hints = Arc::new(Mutex::new(Hints::default()));
        let sink = Arc::clone(&hints);
        let mut rested_at = Instant::now();
        let watcher = notify::recommended_watcher(move |event| {
            if note(&mut lock(&sink), event) {
                wake();
            }
            // Under a steady stream of events this thread is woken for each of them, unless it sleeps while they gather.
            if rested_at.elapsed() >= AWAKE_FOR {
                std::thread::sleep(GATHER);
                rested_at = Instant::now();
            }
        });
        let watcher = watcher.inspect_err(|error| report(Path::new("/"), error)).ok();
        Watch { watcher, watched: BTreeMap::new(), changed: None, hints }
    }

    /// Watches these folders and no others. `changed` is another number for other folders.
    pub(super) fn follow(&mut self, folders: &BTreeMap<PathBuf, Key>, changed: u64) {
        let Some(watcher) = &mut self.watcher else { return };
        if self.changed.replace(changed) == Some(changed) {
            return;
        }
        self.watched.retain(|folder, key| {
            let is_same = folders.get(folder) == Some(key);
            if !is_same {
                // A folder that is gone has lost its watch by itself.
                let _ = watcher.unwatch(folder);
            }
            is_same
        });
        for (folder, key) in folders {
            if self.watched.len() >= FOLDERS_MAX {
                break;
            }
            if self.watched.contains_key(folder) {
                continue;
            }
            match watcher.watch(folder, RecursiveMode::NonRecursive) {
                Ok(()) => drop(self.watched.insert(folder.clone(), *key)),
                // Gone already: the next listing says so.
                Err(notify::Error { kind: notify::ErrorKind::PathNotFound, .. }) => {}
                Err(error) => {
                    report(folder, &error);
                    // Tried again when the set of folders changes, not at each scan.
                    self.watched.insert(folder.clone(), *key);
                }
            }
        }
    }

    /// What has changed since the last call.
    pub(super) fn take(&self) -> Hints {
        let mut hints = lock(&self.hints);
        let fresh = std::mem::take(&mut hints.fresh);
        let taken = std::mem::take(&mut *hints);
        hints.fresh = fresh;
        taken
    }
}

fn lock(hints: &Mutex<Hints>) -> MutexGuard<'_, Hints> {
    hints.lock().unwrap_or_else(PoisonError::into_inner)
}

fn report(folder: &Path, error: &notify::Error) {
    tracing::warn!(folder = %folder.display(), %error, "no file events; the scan finds changes within its interval");
}

impl Hints {
    /// Notes files that are made, and are written to under the name that they were made under.
    fn follow(&mut self, event: &Event) {
        match event.kind {
            EventKind::Create(CreateKind::File) if self.fresh.len() < HINTS_MAX => {
                self.fresh.extend(event.paths.iter().map(|path| (path.clone(), Made::look(path))));
            }
            _ if self.fresh.is_empty() => {}
            EventKind::Modify(ModifyKind::Data(_)) => {
                self.made.extend(event.paths.iter().filter_map(|path| self.fresh.remove(path)));
            }
            EventKind::Remove(_) | EventKind::Modify(ModifyKind::Name(RenameMode::From)) => {
                event.paths.iter().for_each(|path| drop(self.fresh.remove(path)));
            }
            _ => {}
        }
    }

    fn is_empty(&self) -> bool {
        self.names.is_empty() && self.written.is_empty() && !self.is_all
    }
}

/// Keeps the event's paths; true when there were no hints before.
fn note(hints: &mut Hints, event: notify::Result<Event>) -> bool {
    let was_empty = hints.is_empty();
    match event {
        // Opening and closing change nothing, and the shipper itself does both.
        Ok(Event { kind: EventKind::Access(_), .. }) => return false,
        Ok(event) if event.need_rescan() => (hints.is_all, hints.is_cut) = (true, true),
        Ok(event) if hints.names.len() + hints.written.len() < HINTS_MAX => {
            let is_written = matches!(event.kind, EventKind::Modify(ModifyKind::Data(_)));
            hints.follow(&event);
            if is_written { &mut hints.written } else { &mut hints.names }.extend(event.paths);
        }
        Ok(_) | Err(_) => hints.is_all = true,
    }
    was_empty && !hints.is_empty()
}
