//! Where each stream's acks ended, on disk.
//!
//! Enters: groups of changes. Leaves: after a restart, however it came about, a state that was committed.
//! Never: a silent reset. A torn write at the end is cut off and reported; other damage is refused with the way out.
//!
//! One file holds both snapshot and log: it is rewritten whole, under another name and then renamed, when most of it
//! is out of date, and after every failed write, because nobody knows what such a write left behind.

mod doubt;
mod entry;
mod lock;
mod log;
mod mend;
mod repair;
mod sync;

use std::fs::{File, OpenOptions};
use std::io::{BufReader, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use event::Timestamp;

pub use self::doubt::Doubt;
pub(crate) use self::entry::stream_text;
pub use self::entry::{Anchor, Anchors, Change, Entry, Losses, Packed, Print};
pub use self::lock::Ending;
use self::lock::Lock;
pub use self::repair::Repaired;
use self::sync::Sync;

/// How often an owner of a registry says that it is alive while records are on their way.
pub const ALIVE_EVERY: Duration = Duration::from_secs(1);

/// Below this size a file is never rewritten for being out of date.
const REWRITE_BYTES_MIN: u64 = 1 << 20;
/// Changes that are one group however few streams there are.
const CHANGES_MAX: usize = 4096;
/// Changes in one line of a rewritten file.
const GROUP_ENTRIES_MAX: usize = 256;

/// Why there is no registry.
#[derive(Debug, thiserror::Error)]
pub enum RegistryError {
    /// Another process uses it.
    #[error(
        "{path}: another shipper uses this registry; stop it, or give this one a `registry.path` of its own"
    )]
    Locked {
        /// The directory.
        path: PathBuf,
    },
    /// Damage that no torn write explains.
    #[error(
        "{path}: damaged at byte {at}: a line is broken and sound ones follow, so this is no torn write; run `shipper \
         registry repair`, which puts right what has one explanation; else restore the file from a copy, or remove it to \
         ship every file from its start position again"
    )]
    Damaged {
        /// The file.
        path: PathBuf,
        /// Where the broken line starts.
        at: u64,
    },
    /// Another file, or another version's.
    #[error("{path}: {reason}")]
    Foreign {
        /// The file.
        path: PathBuf,
        /// What it is, and what to do.
        reason: String,
    },
    /// The disk, or a permission. The next commit may succeed.
    #[error(
        "{path}: {source}; nothing is lost, records after the last commit are sent again after a restart"
    )]
    Io {
        /// The file or directory.
        path: PathBuf,
        /// What the system says.
        source: std::io::Error,
    },
}

/// A registry that was opened, and what it remembers.
#[derive(Debug)]
pub struct Opened {
    /// To go on with.
    pub registry: Registry,
    /// Every stream.
    pub entries: Vec<Entry>,
    /// Where records may lie on the broker that `entries` do not cover.
    pub anchors: Anchors,
    /// Whether there may be such records.
    pub ending: Ending,
    /// Bytes of a torn write that were cut off the end of the file.
    pub repaired_bytes: u64,
    /// When the last group was committed; `None` for a new registry.
    pub committed_at: Option<Timestamp>,
}

/// What a registry says to a reader that changes nothing.
#[derive(Debug, Default)]
pub struct Peeked {
    /// Every stream.
    pub entries: Vec<Entry>,
    /// Where records may lie on the broker that `entries` do not cover.
    pub anchors: Anchors,
    /// When the last group was committed; `None` when there is no registry yet.
    pub committed_at: Option<Timestamp>,
}

/// An open registry; holds the lock of its directory.
#[derive(Debug)]
pub struct Registry {
    path: PathBuf,
    file: Option<Arc<File>>,
    sync: Sync,
    bytes: u64,
    bytes_rewritten: u64,
    lock: Lock,
}

impl Registry {
    /// Opens the registry in `directory`, which is made when it is missing.
    ///
    /// # Errors
    /// [`RegistryError`]: the way out is in its text. The file is left as it is.
    pub fn open(directory: &Path) -> Result<Opened, RegistryError> {
        let io = |source| RegistryError::Io { path: directory.to_owned(), source };
        std::fs::create_dir_all(directory).map_err(io)?;
        let (lock, ending) = Lock::take(directory)?;
        let path = directory.join("registry.log");
        let mut registry =
            Registry { path, file: None, sync: Sync::default(), bytes: 0, bytes_rewritten: 0, lock };
        match OpenOptions::new().read(true).append(true).open(&registry.path) {
            Ok(file) => registry.load(file, ending),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
                registry.rewrite(std::iter::empty(), &Anchors::new())?;
                let (entries, anchors) = (Vec::new(), Anchors::new());
                Ok(Opened { registry, entries, anchors, ending, repaired_bytes: 0, committed_at: None })
            }
            Err(source) => Err(RegistryError::Io { path: registry.path, source }),
        }
    }

    /// What the registry in `directory` says: without its lock, also while a shipper writes it, and without a change to
    /// it. A write that is not whole yet is left out.
    ///
    /// # Errors
    /// [`RegistryError`] for a file that cannot be read or trusted; none at all is empty.
    pub fn peek(directory: &Path) -> Result<Peeked, RegistryError> {
        let path = directory.join("registry.log");
        let file = match File::open(&path) {
            Ok(file) => file,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(Peeked::default()),
            Err(source) => return Err(RegistryError::Io { path, source }),
        };
        let content = match log::read(BufReader::new(&file)) {
            Ok(content) => content.map_err(|damage| refuse(path, &damage))?,
            Err(source) => return Err(RegistryError::Io { path, source }),
        };
        let committed_at = file.metadata().and_then(|metadata| metadata.modified()).ok().map(timestamp);
        let (entries, anchors) = (content.entries.into_values().collect(), content.anchors);
        Ok(Peeked { entries, anchors, committed_at })
    }

    fn load(mut self, file: File, ending: Ending) -> Result<Opened, RegistryError> {
        let path = self.path.clone();
        let io = |source| RegistryError::Io { path: path.clone(), source };
        let content = log::read(BufReader::new(&file)).map_err(io)?;
        let content = content.map_err(|damage| refuse(path.clone(), &damage))?;
        let repaired_bytes = file.metadata().map_err(io)?.len().saturating_sub(content.sound_bytes);
        if repaired_bytes > 0 {
            file.set_len(content.sound_bytes).map_err(io)?;
            file.sync_all().map_err(io)?;
        }
        let committed_at = file.metadata().and_then(|metadata| metadata.modified()).ok().map(timestamp);
        self.file = (!content.is_old).then(|| Arc::new(file));
        self.bytes = content.sound_bytes;
        let (entries, anchors) = (content.entries.into_values().collect(), content.anchors);
        Ok(Opened { registry: self, entries, anchors, ending, repaired_bytes, committed_at })
    }

    /// The file.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// True when the next commit should be [`Registry::rewrite`]: after a failed write, or when most of the file is
    /// out of date.
    #[must_use]
    pub fn wants_rewrite(&self) -> bool {
        self.file.is_none() || self.bytes > REWRITE_BYTES_MIN.max(self.bytes_rewritten.saturating_mul(4))
    }

    /// True when so many changes had better be a [`Registry::rewrite`]: one group of them would take memory for each.
    #[must_use]
    pub fn is_large(changes: usize, entries: usize) -> bool {
        changes > CHANGES_MAX.max(entries / 4)
    }

    /// Commits: all of `changes` are on disk when it returns; a crash before leaves all of them or none.
    ///
    /// # Errors
    /// [`RegistryError::Io`]: nothing counts as committed, and the next commit has to be [`Registry::rewrite`].
    pub fn append(&mut self, changes: &[Change]) -> Result<(), RegistryError> {
        self.write(changes, |_, file| file.sync_data())
    }

    /// The same without the wait for the disk, which goes on beside the caller: it holds after a kill at once, and is whole
    /// or missing after a power cut. What the disk says comes with the next call, which waits for it.
    ///
    /// # Errors
    /// As [`Registry::append`], also for what was appended before.
    pub fn append_behind(&mut self, changes: &[Change]) -> Result<(), RegistryError> {
        self.write(changes, Sync::begin)
    }

    /// True when the disk's word on [`Registry::append_behind`] was not taken yet.
    #[must_use]
    pub fn awaits_disk(&self) -> bool {
        self.sync.is_begun()
    }

    /// The same without any word to the disk.
    ///
    /// # Errors
    /// As [`Registry::append`].
    pub fn note(&mut self, changes: &[Change]) -> Result<(), RegistryError> {
        self.write(changes, |_, _| Ok(()))
    }

    fn write(
        &mut self,
        changes: &[Change],
        sync: impl FnOnce(&mut Sync, &Arc<File>) -> std::io::Result<()>,
    ) -> Result<(), RegistryError> {
        if let Err(error) = self.sync.end() {
            self.file = None;
            return Err(self.io(error));
        }
        if changes.is_empty() {
            return Ok(());
        }
        let Some(file) = self.file.take() else {
            return Err(
                self.io(std::io::Error::other("the last write failed, so the file has to be rewritten"))
            );
        };
        let mut bytes = Vec::new();
        // One line, however long: nothing sound may follow it when the disk has torn it in its middle.
        log::push_group(&mut bytes, changes).map_err(|error| self.io(error.into()))?;
        let written = (&*file).write_all(&bytes).and_then(|()| sync(&mut self.sync, &file));
        written.map_err(|error| self.io(error))?;
        self.bytes += bytes.len() as u64;
        self.file = Some(file);
        Ok(())
    }

    /// Replaces the file by one that holds `entries` and `anchors` alone, atomically.
    ///
    /// # Errors
    /// [`RegistryError::Io`]: the file is the old one, and the next commit has to be another rewrite.
    pub fn rewrite(
        &mut self,
        entries: impl Iterator<Item = Entry>,
        anchors: &Anchors,
    ) -> Result<(), RegistryError> {
        // Whatever the disk says of the old file.
        (self.file, self.sync) = (None, Sync::default());
        let (file, bytes) = self.replace(entries, anchors).map_err(|error| self.io(error))?;
        self.file = Some(Arc::new(file));
        self.bytes = bytes;
        self.bytes_rewritten = bytes;
        Ok(())
    }

    /// Writes group by group, so that memory does not grow with the number of streams.
    fn replace(
        &self,
        entries: impl Iterator<Item = Entry>,
        anchors: &Anchors,
    ) -> std::io::Result<(File, u64)> {
        let new = self.path.with_extension("new");
        let mut file = OpenOptions::new().create(true).write(true).truncate(true).open(&new)?;
        let anchors = anchors.iter().map(|(topic, offsets)| Change::Anchor(Anchor::new(topic, offsets)));
        let mut changes = entries.map(|entry| Change::Put(entry.into())).chain(anchors);
        let (mut bytes, mut written) = (log::header(), 0);
        while !bytes.is_empty() {
            file.write_all(&bytes)?;
            written += bytes.len() as u64;
            bytes.clear();
            let group: Vec<Change> = changes.by_ref().take(GROUP_ENTRIES_MAX).collect();
            if !group.is_empty() {
                log::push_group(&mut bytes, &group)?;
            }
        }
        file.sync_all()?;
        std::fs::rename(&new, &self.path)?;
        if let Some(directory) = self.path.parent() {
            File::open(directory)?.sync_all()?;
        }
        let file = OpenOptions::new().read(true).append(true).open(&self.path)?;
        Ok((file, written))
    }

    /// True while every record that was handed out is known to be covered by a committed offset.
    #[must_use]
    pub fn is_settled(&self) -> bool {
        self.lock.is_settled()
    }

    /// Records are about to be handed out: whoever opens the registry next sees [`Ending::Open`]. Needs no room on the disk.
    ///
    /// # Errors
    /// What the system says.
    pub fn unsettle(&mut self) -> Result<(), RegistryError> {
        self.lock.open().map_err(|error| self.io(error))
    }

    /// Every record that was handed out is covered by what was committed; `is_end` when none will follow.
    ///
    /// # Errors
    /// What the system says; whoever opens the registry next sees [`Ending::Open`].
    pub fn settle(&mut self, is_end: bool) -> Result<(), RegistryError> {
        let done = if is_end { self.lock.end() } else { self.lock.settle() };
        done.map_err(|error| self.io(error))
    }

    /// The owner is alive at `now`; call it every [`ALIVE_EVERY`] while records are on their way. Needs no room on the disk.
    ///
    /// # Errors
    /// What the system says.
    pub fn touch(&self, now: Timestamp) -> Result<(), RegistryError> {
        self.lock.touch(now).map_err(|error| self.io(error))
    }

    fn io(&self, source: std::io::Error) -> RegistryError {
        RegistryError::Io { path: self.path.clone(), source }
    }
}

fn refuse(path: PathBuf, damage: &log::Damage) -> RegistryError {
    match damage {
        log::Damage::Broken { at } => RegistryError::Damaged { path, at: *at },
        log::Damage::NoRegistry => RegistryError::Foreign {
            path,
            reason: "the first line is not that of a registry; run `shipper registry repair`, which puts right what has \
                     one explanation; else restore the file from a copy, or remove it to ship \
                     every file from its start position again"
                .to_owned(),
        },
        log::Damage::OtherVersion(version) => RegistryError::Foreign {
            path,
            reason: format!(
                "written in format version {version}, which this program does not know; use a newer one"
            ),
        },
    }
}

fn timestamp(time: SystemTime) -> Timestamp {
    let since = time.duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
    Timestamp::EPOCH.plus(since)
}

#[cfg(test)]
mod test;
