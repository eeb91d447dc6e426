//! What file events say.
//!
//! Enters: paths of which something was heard. Leaves: their streams looked at, or read, sooner than by the next scan.
//! Never: the truth; what no event tells of is found by the scan.

use std::path::{Path, PathBuf};

use event::Timestamp;

use super::FileInput;
use super::identity::Facts;
use super::scan;
use super::stream::Presence;

/// Paths of which it is remembered which stream a file event for them means.
const WRITTEN_MAX: usize = 4096;

impl FileInput {
    /// File events: these paths are looked at now, instead of by the next scan.
    pub fn hint<P: AsRef<Path>>(&mut self, paths: impl IntoIterator<Item = P>, now: Timestamp) {
        for path in paths {
            self.look(path.as_ref(), now);
        }
    }

    /// File events: these files were written to. Of one that is held open nothing has to be asked before it is read.
    pub(super) fn hint_written(&mut self, paths: impl IntoIterator<Item = PathBuf>, now: Timestamp) {
        for path in paths {
            let held = self.written.get(&path).copied().filter(|slot| {
                let stream = self.stream(*slot);
                stream.is_some_and(|s| s.file.is_some() && s.presence == Presence::Present && s.path == path)
            });
            match held {
                Some(slot) => self.queue(slot),
                None => self.look(&path, now),
            }
        }
    }

    /// File events were lost, or a folder changed: the next [`FileInput::poll`] scans.
    pub fn hint_all(&mut self, now: Timestamp) {
        self.survey.doubt();
        self.next_scan = self.next_scan.min(now);
    }

    /// Looks at one path.
    fn look(&mut self, path: &Path, now: Timestamp) {
        // A copy can be told from a new file once its original was looked at, which the first scan does.
        if self.scans == 0 {
            return;
        }
        let Some(found) = scan::look(&self.selections, path) else { return };
        let known = self.by_key.get(&found.facts.key()).and_then(|slot| self.stream(*slot));
        // A second name of a known file says nothing new; the scan chooses between them.
        let is_second_name = known.is_some_and(|stream| {
            stream.presence == Presence::Present
                && stream.path != found.path
                && stream
                    .path
                    .metadata()
                    .is_ok_and(|metadata| Facts::of(&metadata).key() == found.facts.key())
        });
        if is_second_name {
            return;
        }
        let key = found.facts.key();
        self.observe(found, false, now);
        if let Some(slot) = self.by_key.get(&key) {
            if self.written.len() >= WRITTEN_MAX {
                self.written.clear();
            }
            self.written.insert(path.to_owned(), *slot);
        }
    }
}
