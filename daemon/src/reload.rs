//! When to read the configuration again.
//!
//! Enters: SIGHUP, and changes of the files that the configuration is made of. Leaves: one request for each change that
//! is over. Never: the reading itself; a file that does not parse keeps the old configuration, and that is the caller's.

use std::collections::BTreeMap;
use std::io;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use notify::{RecommendedWatcher, RecursiveMode, Watcher};
use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::sync::Notify;

use crate::glob::Glob;

/// How long files must stand still before they count as changed: editors and `kubectl` write in several steps.
const SETTLE: Duration = Duration::from_millis(200);
/// How often files are looked at without a hint: network file systems give none.
const SCAN: Duration = Duration::from_secs(10);
/// Bytes of a file that are hashed; a configuration is far smaller.
const HASH_BYTES_MAX: u64 = 16 << 20;

/// Why the configuration should be read again.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Change {
    /// The operator sent SIGHUP.
    Signal,
    /// These files came, went or have other content.
    Files(Vec<PathBuf>),
}

/// A stream of reload requests.
pub struct Reload {
    hangup: Signal,
    globs: Vec<Glob>,
    seen: BTreeMap<PathBuf, Print>,
    hint: std::sync::Arc<Notify>,
    _watcher: Option<RecommendedWatcher>,
}

/// What tells a file's content from another: cheap to take, exact by its hash.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Print {
    length: u64,
    modified: Option<SystemTime>,
    hash: u32,
}

impl std::fmt::Debug for Reload {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.debug_struct("Reload")
            .field("globs", &self.globs)
            .field("seen", &self.seen)
            .finish_non_exhaustive()
    }
}

impl Reload {
    /// Watches SIGHUP and the files that `globs` match, now or later. Call it inside the runtime.
    ///
    /// # Errors
    /// When the signal handler cannot be installed. Without file events (a limit of the system, a network file system)
    /// the files are looked at every ten seconds.
    pub fn new(globs: Vec<Glob>) -> io::Result<Self> {
        let hangup = signal(SignalKind::hangup())?;
        let hint = std::sync::Arc::new(Notify::new());
        let watcher = watch(&globs, &hint);
        let seen = look(&globs, &BTreeMap::new());
        Ok(Reload { hangup, globs, seen, hint, _watcher: watcher })
    }

    /// Waits for the next request. Cancel safe: a change that was not returned is found by the next call.
    pub async fn changed(&mut self) -> Change {
        loop {
            tokio::select! {
                _ = self.hangup.recv() => {
                    self.seen = look(&self.globs, &self.seen);
                    return Change::Signal;
                }
                () = self.hint.notified() => {}
                () = tokio::time::sleep(SCAN) => {}
            }
            let mut found = look(&self.globs, &self.seen);
            while found != self.seen {
                tokio::time::sleep(SETTLE).await;
                let again = look(&self.globs, &found);
                if again == found {
                    let files = difference(&self.seen, &found);
                    self.seen = found;
                    if !files.is_empty() {
                        return Change::Files(files);
                    }
                    break;
                }
                found = again;
            }
        }
    }
}

/// A watcher that only says "look": which file it was is found by looking, because events are lost and merged.
fn watch(globs: &[Glob], hint: &std::sync::Arc<Notify>) -> Option<RecommendedWatcher> {
    let hint = std::sync::Arc::clone(hint);
    let tell = move |event: notify::Result<notify::Event>| {
        if event.is_ok_and(|event| !event.kind.is_access()) {
            hint.notify_one();
        }
    };
    let mut watcher = notify::recommended_watcher(tell)
        .inspect_err(|error| tracing::warn!(%error, "no file events, looking every ten seconds"))
        .ok()?;
    for glob in globs {
        let mode = if glob.is_deep() { RecursiveMode::Recursive } else { RecursiveMode::NonRecursive };
        let root = if glob.root().as_os_str().is_empty() { Path::new(".") } else { glob.root() };
        if let Err(error) = watcher.watch(root, mode) {
            tracing::debug!(folder = %root.display(), %error, "no file events, looking every ten seconds");
        }
    }
    Some(watcher)
}

fn look(globs: &[Glob], before: &BTreeMap<PathBuf, Print>) -> BTreeMap<PathBuf, Print> {
    let paths = globs.iter().flat_map(Glob::expand);
    paths
        .filter_map(|path| Some((print(&path, before.get(&path))?, path)))
        .map(|(print, path)| (path, print))
        .collect()
}

/// The hash is taken again when length or time are others. `None` for what is not a readable file.
fn print(path: &Path, before: Option<&Print>) -> Option<Print> {
    let data = std::fs::metadata(path).ok().filter(std::fs::Metadata::is_file)?;
    let (length, modified) = (data.len(), data.modified().ok());
    if let Some(before) = before.filter(|before| before.length == length && before.modified == modified) {
        return Some(*before);
    }
    let hash = if length > HASH_BYTES_MAX { 0 } else { crc32fast::hash(&std::fs::read(path).ok()?) };
    Some(Print { length, modified, hash })
}

/// Files whose content differs; a new time on the same content (`touch`) is none.
fn difference(before: &BTreeMap<PathBuf, Print>, after: &BTreeMap<PathBuf, Print>) -> Vec<PathBuf> {
    let content = |print: &Print| (print.length, print.hash);
    let mut files: Vec<PathBuf> = after
        .iter()
        .filter(|(path, print)| before.get(*path).map(content) != Some(content(print)))
        .map(|(path, _)| path.clone())
        .collect();
    files.extend(before.keys().filter(|path| !after.contains_key(*path)).cloned());
    files.sort();
    files
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    fn rules() -> (tempfile::TempDir, Reload) {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join("a.yml"), "one").unwrap();
        let reload = Reload::new(vec![Glob::new("*.yml", folder.path()).unwrap()]).unwrap();
        (folder, reload)
    }

    #[tokio::test]
    async fn tells_which_files_changed() {
        let (folder, mut reload) = rules();
        let path = |name: &str| folder.path().join(name);
        fs::write(path("a.yml"), "two").unwrap();
        assert_eq!(reload.changed().await, Change::Files(vec![path("a.yml")]));
        fs::write(path("b.txt"), "not a rule").unwrap();
        fs::write(path("b.yml"), "new").unwrap();
        fs::remove_file(path("a.yml")).unwrap();
        assert_eq!(reload.changed().await, Change::Files(vec![path("a.yml"), path("b.yml")]));
    }

    #[tokio::test]
    async fn an_editor_that_renames_is_one_change() {
        let (folder, mut reload) = rules();
        fs::write(folder.path().join("a.tmp"), "two").unwrap();
        fs::rename(folder.path().join("a.tmp"), folder.path().join("a.yml")).unwrap();
        assert_eq!(reload.changed().await, Change::Files(vec![folder.path().join("a.yml")]));
    }

    #[test]
    fn the_same_content_is_no_change() {
        let folder = tempfile::tempdir().unwrap();
        let globs = [Glob::new("*.yml", folder.path()).unwrap()];
        let path = folder.path().join("a.yml");
        fs::write(&path, "one").unwrap();
        let before = look(&globs, &BTreeMap::new());
        let file = fs::File::options().write(true).open(&path).unwrap();
        file.set_modified(SystemTime::UNIX_EPOCH).unwrap();
        let after = look(&globs, &before);
        assert_ne!(before, after);
        assert_eq!(difference(&before, &after), Vec::<PathBuf>::new());
    }
}
