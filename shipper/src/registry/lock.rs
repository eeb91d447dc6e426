//! One owner of a registry, and how the one before it ended.
//!
//! Enters: the folder; the moments at which records go out, and at which all of them are covered. Leaves: whether the last
//! owner left anything in doubt, and until when it lived. Never: a write that needs room on the disk to say *in doubt*.
//!
//! The lock's file says `settled` while every record that was handed out is covered by a committed offset, and is empty
//! otherwise. Emptying it and setting its time take no room, so a full disk can make a start look further than it has to,
//! and never less far. Only the end of an owner waits for the disk: while it runs, the word holds for this boot of the
//! machine alone, because after a power cut nobody knows which of two writes the disk has seen.

use std::fs::{File, FileTimes, OpenOptions, TryLockError};
use std::io::{self, Read};
use std::os::unix::fs::FileExt;
use std::path::Path;
use std::time::{Duration, SystemTime};

use event::Timestamp;

use super::{RegistryError, timestamp};

/// How the last owner ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ending {
    /// Every record that it handed out is covered by a committed offset.
    Settled,
    /// Records may have arrived that no committed offset covers.
    Open {
        /// When it was last seen alive, at most [`super::ALIVE_EVERY`] before its end.
        alive: Timestamp,
    },
}

/// A held lock.
#[derive(Debug)]
pub(super) struct Lock {
    file: File,
    is_settled: bool,
    /// The disk has not seen yet that this owner leaves something in doubt.
    is_first: bool,
    boot: String,
}

impl Lock {
    /// Takes the lock of `directory`.
    pub fn take(directory: &Path) -> Result<(Self, Ending), RegistryError> {
        let path = directory.join("lock");
        let io = |source| RegistryError::Io { path: path.clone(), source };
        let mut file =
            OpenOptions::new().create(true).truncate(false).read(true).write(true).open(&path).map_err(io)?;
        match file.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => {
                return Err(RegistryError::Locked { path: directory.to_owned() });
            }
            Err(TryLockError::Error(source)) => return Err(io(source)),
        }
        let boot = boot();
        let mut word = String::new();
        // What is no text is no word of ours.
        let is_text = file.read_to_string(&mut word).is_ok();
        let is_settled = is_text && (word == ENDED || word == settled(&boot));
        let alive = file.metadata().and_then(|metadata| metadata.modified()).map_err(io)?;
        let ending = if is_settled { Ending::Settled } else { Ending::Open { alive: timestamp(alive) } };
        Ok((Lock { file, is_settled, is_first: true, boot }, ending))
    }

    pub fn is_settled(&self) -> bool {
        self.is_settled
    }

    /// From now on records may arrive that no committed offset covers. Call it before the first of them is handed out.
    pub fn open(&mut self) -> io::Result<()> {
        self.is_settled = false;
        self.file.set_len(0)?;
        if std::mem::take(&mut self.is_first) {
            self.file.sync_all()?;
        }
        Ok(())
    }

    /// Everything that was handed out is covered by what was committed.
    pub fn settle(&mut self) -> io::Result<()> {
        let word = settled(&self.boot);
        self.file.set_len(0)?;
        self.file.write_all_at(word.as_bytes(), 0)?;
        self.is_settled = true;
        Ok(())
    }

    /// The same at the end of the owner: it holds for later boots too.
    pub fn end(&mut self) -> io::Result<()> {
        self.file.set_len(0)?;
        self.file.write_all_at(ENDED.as_bytes(), 0)?;
        self.file.sync_all()?;
        self.is_settled = true;
        Ok(())
    }

    /// The owner is alive at `now`.
    pub fn touch(&self, now: Timestamp) -> io::Result<()> {
        let since = Duration::from_nanos(u64::try_from(now.as_nanos()).unwrap_or(0));
        self.file.set_times(FileTimes::new().set_modified(SystemTime::UNIX_EPOCH + since))
    }
}

const ENDED: &str = "settled\n";

fn settled(boot: &str) -> String {
    format!("settled {boot}\n")
}

/// Names this boot of the machine; nothing where the system does not tell.
fn boot() -> String {
    let text = std::fs::read_to_string("/proc/sys/kernel/random/boot_id").unwrap_or_default();
    text.trim_ascii().to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn take(folder: &tempfile::TempDir) -> (Lock, Ending) {
        Lock::take(folder.path()).unwrap()
    }

    #[test]
    fn only_what_was_said_to_be_settled_is() {
        let folder = tempfile::tempdir().unwrap();
        let now = Timestamp::from_secs(1_600_000_000);
        let (mut lock, ending) = take(&folder);
        assert!(matches!(ending, Ending::Open { .. }), "nobody said a word");
        lock.open().unwrap();
        lock.touch(now).unwrap();
        assert!(!lock.is_settled());
        drop(lock);
        let (mut lock, ending) = take(&folder);
        assert_eq!(ending, Ending::Open { alive: now }, "killed while records were on their way");
        lock.settle().unwrap();
        drop(lock);
        let (mut lock, ending) = take(&folder);
        assert_eq!(ending, Ending::Settled, "killed while there was nothing to do");
        lock.open().unwrap();
        lock.end().unwrap();
        drop(lock);
        let (mut lock, ending) = take(&folder);
        assert_eq!(ending, Ending::Settled, "ended");
        lock.open().unwrap();
        drop(lock);
        assert!(matches!(take(&folder).1, Ending::Open { .. }));
    }

    #[test]
    fn what_a_power_cut_may_have_left_is_not_believed() {
        for (word, is_settled) in [
            ("settled\n", true),
            ("settled 00000000-0000-0000-0000-000000000000\n", false),
            ("settled", false),
            ("", false),
            ("\0\0\0\0\0\0\0\0", false),
        ] {
            let folder = tempfile::tempdir().unwrap();
            std::fs::write(folder.path().join("lock"), word).unwrap();
            assert_eq!(take(&folder).1 == Ending::Settled, is_settled, "{word:?}");
        }
    }
}
