//! What lies where the globs point.
//!
//! Enters: the patterns of every input. Leaves: each file once, with what the file system says of it; the entries that
//! match and cannot be read, with the reason; the folders that were looked into. Never: an open file, a wait.

use std::collections::BTreeSet;
use std::fs::FileType;
use std::io::ErrorKind;
use std::os::unix::fs::DirEntryExt;
use std::path::{Path, PathBuf};

use super::glob::{Excludes, GlobError, Part, PathPattern};
use super::identity::Facts;

/// Files that one scan finds at most.
pub const FILES_MAX: usize = 1 << 20;
/// Entries with a reason that are kept for the status; more are only counted.
pub const SKIPPED_MAX: usize = 1000;

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

/// What one scan gives.
#[derive(Debug, Default)]
pub(super) struct Sight {
    pub found: Vec<Found>,
    pub skipped: Vec<Skipped>,
    /// Skipped entries beyond [`SKIPPED_MAX`].
    pub skipped_more: u64,
    pub folders: BTreeSet<PathBuf>,
}

/// Walks along every pattern.
pub(super) fn scan(inputs: &[Selection]) -> Sight {
    let mut sight = Sight::default();
    for (input, selection) in inputs.iter().enumerate() {
        for pattern in &selection.paths {
            let mut walk = Walk { input, exclude: &selection.exclude, sight: &mut sight };
            walk.descend(Path::new("/"), &pattern.parts);
        }
    }
    // One file is one stream, however many names lead to it: the first input's, and a name rather than a link.
    sight.found.sort_by(|a, b| {
        (a.facts.key(), a.input, a.is_link, &a.path).cmp(&(b.facts.key(), b.input, b.is_link, &b.path))
    });
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

struct Walk<'a> {
    input: usize,
    exclude: &'a Excludes,
    sight: &'a mut Sight,
}

impl Walk<'_> {
    fn descend(&mut self, folder: &Path, parts: &[Part]) {
        match parts {
            [] => {}
            [Part::Name(name)] => {
                self.sight.folders.insert(folder.to_owned());
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
                for (path, kind) in self.entries(folder) {
                    // Links to folders are not followed here: they may lead in a circle.
                    if !path.file_name().is_some_and(|name| Part::AnyDepth.is_match(name)) {
                        continue;
                    }
                    if kind.is_dir() {
                        self.descend(&path, parts);
                    } else if rest.is_empty() {
                        self.consider(path, kind);
                    }
                }
            }
            [part, rest @ ..] => {
                for (path, kind) in self.entries(folder) {
                    if !path.file_name().is_some_and(|name| part.is_match(name)) {
                        continue;
                    }
                    if rest.is_empty() {
                        self.consider(path, kind);
                    } else if kind.is_dir() || kind.is_symlink() {
                        self.descend(&path, rest);
                    }
                }
            }
        }
    }

    fn entries(&mut self, folder: &Path) -> Vec<(PathBuf, FileType)> {
        let entries = match std::fs::read_dir(folder) {
            Ok(entries) => entries,
            Err(error) if matches!(error.kind(), ErrorKind::NotFound | ErrorKind::NotADirectory) => {
                return Vec::new();
            }
            Err(error) => {
                self.skip(folder.to_owned(), format!("the folder cannot be read: {error}"));
                return Vec::new();
            }
        };
        self.sight.folders.insert(folder.to_owned());
        let entries = entries.filter_map(Result::ok);
        entries.filter_map(|entry| Some((entry.path(), entry.file_type().ok()?))).collect()
    }

    fn consider(&mut self, path: PathBuf, kind: FileType) {
        if self.exclude.is_match(&path) {
            return;
        }
        let metadata = match path.metadata() {
            Ok(metadata) => metadata,
            Err(error) if error.kind() == ErrorKind::NotFound => {
                if kind.is_symlink() {
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
        if self.sight.found.len() >= FILES_MAX {
            return self.skip(path, format!("more than {FILES_MAX} files match; narrow the pattern"));
        }
        let facts = Facts::of(&metadata);
        self.sight.found.push(Found { path, input: self.input, is_link: kind.is_symlink(), facts });
    }

    fn skip(&mut self, path: PathBuf, reason: String) {
        if self.sight.skipped.len() < SKIPPED_MAX {
            self.sight.skipped.push(Skipped { path, reason });
        } else {
            self.sight.skipped_more += 1;
        }
    }
}
