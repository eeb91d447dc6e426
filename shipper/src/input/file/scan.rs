//! What lies where the globs point.
//!
//! Enters: the patterns of every input. Leaves: each file once, with what the file system says of it; the entries that
//! match and cannot be read, with the reason; the folders that were looked into. Never: an open file, a wait.

use std::collections::BTreeMap;
use std::ffi::OsStr;
use std::fs::FileType;
use std::io::ErrorKind;
use std::os::unix::fs::{DirEntryExt, MetadataExt};
use std::path::{Path, PathBuf};

use super::glob::{Excludes, GlobError, Part, PathPattern};
use super::identity::{Facts, Key};

/// Files that one scan finds at most.
pub const FILES_MAX: usize = 1 << 20;
/// Entries with a reason that are kept for the status; more are only counted.
pub const SKIPPED_MAX: usize = 1000;
/// Names that are looked at one by one between two listings: links, entries that are no files, files that are left alone.
pub(super) const NAMES_MAX: usize = 4096;

/// The patterns of one input.
#[derive(Debug, Clone)]
pub(super) struct Selection {
    paths: Vec<PathPattern>,
    exclude: Excludes,
}

impl Selection {
    pub(super) fn parse(paths: &[String], exclude: &[String]) -> Result<Self, GlobError> {
        Ok(Selection {
            paths: paths.iter().map(|pattern| PathPattern::parse(pattern)).collect::<Result<_, _>>()?,
            exclude: Excludes::parse(exclude)?,
        })
    }

    pub(super) fn is_match(&self, path: &Path) -> bool {
        self.paths.iter().any(|pattern| pattern.is_match(path)) && !self.exclude.is_match(path)
    }
}

/// A file that matches.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Found {
    pub path: PathBuf,
    /// The input whose pattern it matches.
    pub input: usize,
    /// Whether the path is a symbolic link.
    pub is_link: bool,
    pub facts: Facts,
}

/// An entry that matches and cannot be read.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Skipped {
    /// The entry.
    pub path: PathBuf,
    /// Why.
    pub reason: String,
}

/// What one walk gives.
#[derive(Debug, Default)]
pub(super) struct Sight {
    pub found: Vec<Found>,
    pub skipped: Vec<Skipped>,
    /// Skipped entries beyond [`SKIPPED_MAX`].
    pub skipped_more: u64,
    /// The folders that lead to names; `None` for one that is not there.
    pub folders: BTreeMap<PathBuf, Option<Stamp>>,
    /// Folders that cannot be read, at most [`SKIPPED_MAX`].
    pub unreadable: Vec<Skipped>,
    /// The names that were looked at one by one.
    pub names: Vec<Named>,
    /// Files, also those that were known by name.
    files: usize,
}

/// What the file system says of a folder: unchanged while the same names lead to the same inodes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Stamp {
    /// Device and inode.
    pub key: Key,
    modified: (i64, i64),
    changed: (i64, i64),
}

impl Stamp {
    /// Of a folder as it is now; `None` when it is not there, or cannot be reached.
    pub(super) fn of(folder: &Path) -> Option<Self> {
        let metadata = folder.metadata().ok()?;
        Some(Stamp {
            key: (metadata.dev(), metadata.ino()),
            modified: (metadata.mtime(), metadata.mtime_nsec()),
            changed: (metadata.ctime(), metadata.ctime_nsec()),
        })
    }
}

/// A name that matches.
#[derive(Debug, Clone)]
pub(super) struct Named {
    pub path: PathBuf,
    input: usize,
    is_link: bool,
}

/// Tells whether a name in a folder still leads to the inode of a file that is known under it.
pub(super) type IsKnown<'a> = dyn FnMut(&Path, &OsStr, Key) -> bool + 'a;

/// Walks along every pattern. A file that `is_known` knows is not looked at.
pub(super) fn scan(inputs: &[Selection], is_known: &mut IsKnown<'_>) -> Sight {
    let mut sight = Sight::default();
    for (input, selection) in inputs.iter().enumerate() {
        for pattern in &selection.paths {
            let mut walk = Walk { input, exclude: &selection.exclude, sight: &mut sight, is_known };
            walk.descend(Path::new("/"), &pattern.parts);
        }
    }
    sight.sort();
    sight
}

/// Looks again at names that an earlier walk has found.
pub(super) fn look_again(names: &[Named]) -> Sight {
    let mut sight = Sight::default();
    for named in names {
        sight.look(named);
    }
    sight.sort();
    sight
}

/// Looks at one path, as after a hint; `None` when it is not meant, not there or no file.
pub(super) fn look(inputs: &[Selection], path: &Path) -> Option<Found> {
    let input = inputs.iter().position(|selection| selection.is_match(path))?;
    let is_link = path.symlink_metadata().ok()?.is_symlink();
    let metadata = path.metadata().ok().filter(std::fs::Metadata::is_file)?;
    Some(Found { path: path.to_owned(), input, is_link, facts: Facts::of(&metadata) })
}

/// Where the file with these facts lies now, if it is still in the folder of `path`.
pub(super) fn find_inode(path: &Path, facts: &Facts) -> Option<PathBuf> {
    let entries = std::fs::read_dir(path.parent()?).ok()?;
    let same = entries.filter_map(Result::ok).filter(|entry| entry.ino() == facts.inode);
    same.map(|entry| entry.path()).find(|path| {
        path.symlink_metadata().is_ok_and(|metadata| {
            let found = Facts::of(&metadata);
            metadata.is_file() && found.key() == facts.key() && found.birth == facts.birth
        })
    })
}

struct Walk<'a, 'b> {
    input: usize,
    exclude: &'a Excludes,
    sight: &'a mut Sight,
    is_known: &'a mut IsKnown<'b>,
}

impl Walk<'_, '_> {
    fn descend(&mut self, folder: &Path, parts: &[Part]) {
        match parts {
            [] => {}
            [Part::Name(name)] => {
                self.enter(folder);
                let path = folder.join(name);
                // Not there yet, or not any more: nothing to report.
                if let Ok(metadata) = path.symlink_metadata() {
                    self.consider(path, metadata.file_type());
                }
            }
            [Part::Name(name), rest @ ..] => self.descend(&folder.join(name), rest),
            [Part::AnyDepth, rest @ ..] => {
                if !rest.is_empty() {
                    self.descend(folder, rest);
                }
                // Links to folders are not followed here: they may lead in a circle.
                for deeper in self.list(folder, &Part::AnyDepth, rest.is_empty(), FileType::is_dir) {
                    self.descend(&deeper, parts);
                }
            }
            [part, rest @ ..] => {
                let is_folder = |kind: &FileType| !rest.is_empty() && (kind.is_dir() || kind.is_symlink());
                for deeper in self.list(folder, part, rest.is_empty(), is_folder) {
                    self.descend(&deeper, rest);
                }
            }
        }
    }

    /// Notes the folder; `None` when it is not there.
    fn enter(&mut self, folder: &Path) -> Option<Stamp> {
        // Before it is listed: what changes meanwhile makes the stamp another one.
        let stamp = Stamp::of(folder);
        *self.sight.folders.entry(folder.to_owned()).or_insert(stamp)
    }

    /// Considers the names of `folder` that match, when they end the pattern; gives those that lead further down.
    fn list(
        &mut self,
        folder: &Path,
        part: &Part,
        is_last: bool,
        is_folder: impl Fn(&FileType) -> bool,
    ) -> Vec<PathBuf> {
        let mut folders = Vec::new();
        let Some(stamp) = self.enter(folder) else { return folders };
        let entries = match std::fs::read_dir(folder) {
            Ok(entries) => entries,
            Err(error) => {
                if !matches!(error.kind(), ErrorKind::NotFound | ErrorKind::NotADirectory)
                    && self.sight.unreadable.len() < SKIPPED_MAX
                {
                    let reason = format!("the folder cannot be read: {error}");
                    self.sight.unreadable.push(Skipped { path: folder.to_owned(), reason });
                }
                return folders;
            }
        };
        for entry in entries.filter_map(Result::ok) {
            let name = entry.file_name();
            let Some(kind) = part.is_match(&name).then(|| entry.file_type().ok()).flatten() else { continue };
            if is_folder(&kind) {
                folders.push(entry.path());
            } else if is_last {
                // The inode of a name costs nothing, a look at each of many thousand files does.
                if kind.is_file() && (self.is_known)(folder, &name, (stamp.key.0, entry.ino())) {
                    self.sight.files += 1;
                } else {
                    self.consider(entry.path(), kind);
                }
            }
        }
        folders
    }

    fn consider(&mut self, path: PathBuf, kind: FileType) {
        if self.exclude.is_match(&path) {
            return;
        }
        let named = Named { path, input: self.input, is_link: kind.is_symlink() };
        self.sight.look(&named);
        // One more than are kept says that they are too many.
        if self.sight.names.len() <= NAMES_MAX {
            self.sight.names.push(named);
        }
    }
}

impl Sight {
    fn look(&mut self, named: &Named) {
        let path = named.path.clone();
        let metadata = match path.metadata() {
            Ok(metadata) => metadata,
            Err(error) if error.kind() == ErrorKind::NotFound => {
                if named.is_link {
                    self.skip(path, "a link to nothing".to_owned());
                }
                return;
            }
            Err(error) => return self.skip(path, error.to_string()),
        };
        if !metadata.is_file() {
            let what = if metadata.is_dir() { "a folder" } else { "a pipe, socket or device" };
            return self.skip(path, format!("{what}, not a file"));
        }
        if self.files >= FILES_MAX {
            return self.skip(path, format!("more than {FILES_MAX} files match; narrow the pattern"));
        }
        self.files += 1;
        let facts = Facts::of(&metadata);
        self.found.push(Found { path, input: named.input, is_link: named.is_link, facts });
    }

    /// One file is one stream, however many names lead to it: the first input's, and a name rather than a link.
    fn sort(&mut self) {
        self.found.sort_by(|a, b| {
            (a.facts.key(), a.input, a.is_link, &a.path).cmp(&(b.facts.key(), b.input, b.is_link, &b.path))
        });
    }

    fn skip(&mut self, path: PathBuf, reason: String) {
        if self.skipped.len() < SKIPPED_MAX {
            self.skipped.push(Skipped { path, reason });
        } else {
            self.skipped_more += 1;
        }
    }
}
