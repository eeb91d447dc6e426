//! Which names there are, at the price of what has changed.
//!
//! Enters: the patterns; which files are known by name. Leaves: files to be looked at, and whether the names were
//! counted anew. Never: trust in a folder that has just changed, or trust for ever.
//!
//! A folder whose inode, modification and change time stand still has the names that it had, so a scan lists nothing
//! while all folders are like that. A file system's clock is coarse: a change right after a listing can leave the time
//! as it was, so a time counts only when it was old at the listing. Some file systems do not keep such times at all, for
//! them everything is listed every [`LIST_EVERY`] anyway.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::time::{Duration, Instant};

use event::Timestamp;

use super::identity::Key;
use super::scan::{self, IsKnown, NAMES_MAX, Named, SKIPPED_MAX, Selection, Sight, Skipped, Stamp};

/// Time between two listings of every folder when none of them tells of a change.
pub const LIST_EVERY: Duration = Duration::from_secs(10);
/// How long a folder's times have to stand still before they are believed. The coarsest in use count two seconds.
const SETTLED_AFTER: Duration = Duration::from_millis(2100);

/// A folder as it was listed.
#[derive(Debug, Clone, Copy)]
struct Folder {
    stamp: Option<Stamp>,
    /// When it was first seen with this stamp.
    since: Instant,
}

/// What the last listing found.
#[derive(Debug)]
pub(super) struct Survey {
    folders: BTreeMap<PathBuf, Folder>,
    listed_at: Option<Instant>,
    next_listing: Timestamp,
    /// Names that have to be looked at each time; `None` when they are too many.
    names: Option<Vec<Named>>,
    unreadable: Vec<Skipped>,
    /// The number of the last listing.
    listings: u64,
    settled_after: Duration,
}

impl Survey {
    pub(super) fn new() -> Self {
        Survey {
            folders: BTreeMap::new(),
            listed_at: None,
            next_listing: Timestamp::MIN,
            names: None,
            unreadable: Vec::new(),
            listings: 0,
            settled_after: SETTLED_AFTER,
        }
    }

    /// The number of the last listing; a name that it did not find is not there.
    pub(super) fn listings(&self) -> u64 {
        self.listings
    }

    /// The next scan lists everything.
    pub(super) fn doubt(&mut self) {
        self.listed_at = None;
    }

    /// Folders believed whatever the time, to test what a scan does then.
    #[cfg(test)]
    pub(super) fn trust_at_once(&mut self) {
        self.settled_after = Duration::ZERO;
    }

    /// Whether every folder has the names that the last listing found.
    pub(super) fn is_quiet(&self, now: Timestamp) -> bool {
        let Some(listed_at) = self.listed_at else { return false };
        // A clock that was set back must not put the next listing off.
        let is_due = self.next_listing <= now || self.next_listing.since(now) > LIST_EVERY;
        !is_due
            && self.folders.iter().all(|(path, folder)| {
                folder.since + self.settled_after <= listed_at && folder.stamp == Stamp::of(path)
            })
    }

    /// Looks again at the names that need it; `None` when they are too many, and wait for the next listing.
    pub(super) fn look_again(&self) -> Option<Sight> {
        let mut sight = scan::look_again(self.names.as_deref()?);
        self.name_unreadable(&mut sight);
        Some(sight)
    }

    /// Lists every folder. The number of the listing is the one that `is_known` notes its files under.
    pub(super) fn list(
        &mut self,
        selections: &[Selection],
        now: Timestamp,
        is_known: &mut IsKnown<'_>,
    ) -> Sight {
        let at = Instant::now();
        let mut sight = scan::scan(selections, is_known);
        let before = std::mem::take(&mut self.folders);
        let since = |path: &PathBuf, stamp| {
            before.get(path).filter(|folder| folder.stamp == stamp).map_or(at, |folder| folder.since)
        };
        self.folders = std::mem::take(&mut sight.folders)
            .into_iter()
            .map(|(path, stamp)| (path.clone(), Folder { stamp, since: since(&path, stamp) }))
            .collect();
        self.listed_at = Some(at);
        self.next_listing = now.plus(LIST_EVERY);
        let names = std::mem::take(&mut sight.names);
        self.names = (names.len() <= NAMES_MAX).then_some(names);
        self.unreadable = std::mem::take(&mut sight.unreadable);
        self.name_unreadable(&mut sight);
        sight
    }

    /// Counts a listing that begins.
    pub(super) fn begin_listing(&mut self) -> u64 {
        self.listings += 1;
        self.listings
    }

    /// The folders that are there, and what they are.
    pub(super) fn folders(&self) -> BTreeMap<PathBuf, Key> {
        let there = self.folders.iter().filter_map(|(path, folder)| Some((path.clone(), folder.stamp?.key)));
        there.collect()
    }

    fn name_unreadable(&self, sight: &mut Sight) {
        let room = SKIPPED_MAX.saturating_sub(sight.skipped.len());
        sight.skipped.extend(self.unreadable.iter().take(room).cloned());
        sight.skipped_more += self.unreadable.len().saturating_sub(room) as u64;
    }
}
