//! Files that came and went while the shipper stood still.
//!
//! Enters: how long nothing was looked at, the files that events tell of, those that were met since. Leaves: how many
//! generations of which name nobody has seen. Never: a guess about a shipper that runs; then each file is seen within
//! milliseconds of its first byte.
//!
//! A stopped process, or one that gets no time, misses what lies under a name for a moment only. The system's queue of
//! file events still has it: each file that was made and written to. As each event is heard, the name is looked at.
//! Of several files that were made under one name, those that are gone leave others in their place, so that fewer files
//! are found than were made. Some of the rest lie under other names by then, as after a rotation; those are met by the
//! scans. What is made, and neither found nor met, was not seen.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::path::{Path, PathBuf};
use std::time::Duration;

use event::Timestamp;

use super::FileInput;
use super::identity::{Facts, Key};
use super::kin;
use super::stream::Presence;

/// Scans are a second apart; a longer pause is a standstill.
const STANDSTILL: Duration = Duration::from_millis(1500);
/// How long after it events and files are gathered: at least two scans.
const GATHER_FOR: Duration = Duration::from_millis(2500);
/// The same when one standstill follows the other.
const GATHER_MAX: Duration = Duration::from_secs(15);
/// Files that are gathered; of more, nothing is said.
const FILES_MAX: usize = 4096;

/// Device, inode and birth time.
pub(super) type Identity = (Key, Option<i64>);

/// A file that was made and written to, by the word of events.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Made {
    pub path: PathBuf,
    /// What lay there when the event was heard.
    pub found: Option<Identity>,
}

impl Made {
    /// Looks at the file.
    pub(super) fn look(path: &Path) -> Self {
        let found = path.symlink_metadata().ok().filter(std::fs::Metadata::is_file);
        Made { path: path.to_owned(), found: found.map(|metadata| identity(&Facts::of(&metadata))) }
    }
}

pub(super) fn identity(facts: &Facts) -> Identity {
    (facts.key(), facts.birth)
}

/// What is gathered after a standstill.
#[derive(Debug, Default)]
pub(super) struct Unseen {
    /// When it began and when it is reckoned; `None` while nothing is gathered.
    gathering: Option<(Timestamp, Timestamp)>,
    made: Vec<Made>,
    /// Files that were met, and their folders.
    met: HashMap<Identity, PathBuf>,
    /// Events were lost, or there were too many files.
    is_unsure: bool,
}

impl Unseen {
    /// Nothing was looked at for so long, until now.
    fn pause(&mut self, pause: Duration, now: Timestamp) {
        if pause >= STANDSTILL {
            let (since, _) = *self.gathering.get_or_insert((now, now));
            self.gathering = Some((since, now.plus(GATHER_FOR).min(since.plus(GATHER_MAX))));
        }
    }

    fn made(&mut self, made: Made) {
        self.is_unsure |= self.made.len() >= FILES_MAX;
        if self.gathering.is_some() && !self.is_unsure {
            self.made.push(made);
        }
    }

    /// A file without a stream was met.
    pub(super) fn meet(&mut self, path: &Path, facts: &Facts) {
        if self.gathering.is_none() || self.is_unsure {
            return;
        }
        self.is_unsure = self.met.len() >= FILES_MAX;
        self.met.insert(identity(facts), folder(path));
    }

    /// When there is something to reckon.
    pub(super) fn deadline(&self) -> Option<Timestamp> {
        self.gathering.map(|(_, due)| due)
    }

    /// The generations that nobody has seen, by name; `None` when that cannot be told.
    fn reckon(&mut self) -> Option<Vec<(PathBuf, u64)>> {
        let Unseen { made, met, is_unsure, .. } = std::mem::take(self);
        if is_unsure {
            return None;
        }
        let mut names: BTreeMap<PathBuf, (u64, HashSet<Identity>)> = BTreeMap::new();
        for Made { path, found } in made {
            let (count, finds) = names.entry(path).or_default();
            *count += 1;
            finds.extend(found);
        }
        // Those that were met under other names than they were made under.
        let mut elsewhere: HashMap<PathBuf, u64> = HashMap::new();
        let is_found = |file: &Identity| names.values().any(|(_, finds)| finds.contains(file));
        for (_, folder) in met.into_iter().filter(|(file, _)| !is_found(file)) {
            *elsewhere.entry(folder).or_default() += 1;
        }
        let mut unseen = Vec::new();
        for (path, (count, finds)) in names {
            let missing = count - finds.len() as u64;
            let others = elsewhere.entry(folder(&path)).or_default();
            let lost = missing.saturating_sub(*others);
            *others -= missing - lost;
            if lost > 0 {
                unseen.push((path, lost));
            }
        }
        Some(unseen)
    }
}

fn folder(path: &Path) -> PathBuf {
    path.parent().map_or_else(PathBuf::new, Path::to_owned)
}

impl FileInput {
    /// File events: these files were made and written to, in this order. `is_cut`: the system has kept no more events.
    pub(super) fn hint_made(&mut self, made: impl IntoIterator<Item = Made>, is_cut: bool, now: Timestamp) {
        self.notice_pause(now);
        for made in made {
            if self.selections.iter().any(|selection| selection.is_match(&made.path)) {
                self.unseen.made(made);
            }
        }
        self.unseen.is_unsure |= is_cut && self.unseen.gathering.is_some();
    }

    /// Notes how long nothing was looked at.
    pub(super) fn notice_pause(&mut self, now: Timestamp) {
        // What came before this pause is not mixed with what comes of it.
        self.reckon_unseen(now);
        if self.ticked_at > Timestamp::MIN {
            self.unseen.pause(now.since(self.ticked_at), now);
        }
    }

    /// Counts what came and went unseen, when it is time.
    pub(super) fn reckon_unseen(&mut self, now: Timestamp) {
        if self.unseen.deadline().is_none_or(|due| now < due) {
            return;
        }
        let Some(unseen) = self.unseen.reckon() else {
            tracing::warn!(
                "the shipper stood still, and the system kept no more file events: whether files came and went unseen \
                 cannot be told; give the shipper time on the processor"
            );
            return;
        };
        for (path, files) in unseen {
            let lost_bytes = files * self.usual_bytes(&path);
            self.books.retired.written += lost_bytes;
            self.books.retired.lost += lost_bytes;
            self.books.retired_losses.unseen += lost_bytes;
            tracing::warn!(
                path = %path.display(), files, lost_bytes,
                "files came and went while the shipper stood still; their bytes are those that others of the name have: \
                 keep more rotated files, or give the shipper time on the processor"
            );
        }
    }

    /// How many bytes a file of this name has when it is rotated away, by those that were.
    fn usual_bytes(&self, name: &Path) -> u64 {
        let sizes = self.slots.iter().flatten().filter_map(|stream| {
            let is_whole = stream.path != name || stream.presence != Presence::Present;
            let is_kin = Path::new(&*stream.origin_path()) == name
                || kin::originals(&stream.path).iter().any(|path| path == name);
            (is_whole && is_kin && stream.size > 0).then_some(stream.size)
        });
        let (count, sum) = sizes.fold((0, 0), |(count, sum), size| (count + 1, sum + size));
        sum.checked_div(count).unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NAME: &str = "/logs/app.log";

    fn file(number: u64) -> Identity {
        ((1, number), Some(number as i64))
    }

    /// Files that were made under one name, with what lay there when each was heard of; files that were met.
    fn check(made: &[Option<u64>], met: &[u64], expected: u64) {
        let now = Timestamp::from_secs(10);
        let mut unseen = Unseen::default();
        unseen.pause(STANDSTILL, now);
        for found in made {
            unseen.made(Made { path: PathBuf::from(NAME), found: found.map(file) });
        }
        for number in met {
            let facts = Facts {
                device: 1,
                inode: *number,
                birth: Some(*number as i64),
                size: 9,
                modified: 9,
                links: 1,
            };
            unseen.meet(Path::new("/logs/app.log.1"), &facts);
        }
        let expected = if expected == 0 { vec![] } else { vec![(PathBuf::from(NAME), expected)] };
        assert_eq!(unseen.reckon(), Some(expected), "{made:?} {met:?}");
        assert_eq!(unseen.deadline(), None);
    }

    #[test]
    fn what_was_made_and_neither_found_nor_met_was_not_seen() {
        check(&[], &[], 0);
        check(&[Some(1)], &[1], 0);
        check(&[Some(1), Some(2)], &[1, 2], 0);
        // Three rotations, one file kept: the first is gone, the second lies under another name.
        check(&[Some(3), Some(3), Some(3)], &[2, 3], 1);
        check(&[Some(3), Some(3), Some(3)], &[3], 2);
        check(&[None, None], &[2], 1);
        // A file that was there before, and was met late, hides one; none is made up.
        check(&[Some(2)], &[1, 2], 0);
        check(&[], &[1, 2], 0);
    }

    #[test]
    fn a_shipper_that_runs_gathers_nothing() {
        let now = Timestamp::from_secs(10);
        let mut unseen = Unseen::default();
        unseen.pause(Duration::from_millis(1400), now);
        unseen.made(Made { path: PathBuf::from(NAME), found: None });
        assert_eq!((unseen.deadline(), unseen.made.len()), (None, 0));
    }

    #[test]
    fn standstills_that_follow_each_other_are_reckoned_in_the_end() {
        let mut unseen = Unseen::default();
        for second in 10..60 {
            unseen.pause(STANDSTILL, Timestamp::from_secs(second));
        }
        assert_eq!(unseen.deadline(), Some(Timestamp::from_secs(25)));
    }

    #[test]
    fn of_too_many_nothing_is_said() {
        let mut unseen = Unseen::default();
        unseen.pause(STANDSTILL, Timestamp::from_secs(10));
        for _ in 0..=FILES_MAX {
            unseen.made(Made { path: PathBuf::from(NAME), found: None });
        }
        assert_eq!(unseen.reckon(), None);
    }
}
