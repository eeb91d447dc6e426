//! `shipper registry repair`: the file side.
//!
//! Enters: a folder whose registry is not in use. Leaves: a registry that opens, and a copy of what it was beside it.
//! Never: a change without the copy; a repair of what has two explanations.

use std::fs::{self, File};
use std::io::Write;
use std::path::{Path, PathBuf};

use event::Timestamp;

use super::lock::Lock;
use super::mend::mend;
use super::{Registry, RegistryError, refuse};

/// What a repair came to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Repaired {
    /// The registry.
    pub path: PathBuf,
    /// The file as it was; `None` when there was nothing to do.
    pub copy: Option<PathBuf>,
    /// Bytes in which one bit was flipped.
    pub flips: Vec<usize>,
    /// Bytes of a torn write that were cut off the end.
    pub torn_bytes: usize,
    /// Streams that it knows now.
    pub streams: usize,
}

impl Registry {
    /// Puts the registry in `directory` right where there is one way to do so.
    ///
    /// # Errors
    /// [`RegistryError`]: it is in use, cannot be read or written, or is damaged in a way that has more than one
    /// explanation. The file is as it was then.
    pub fn repair(directory: &Path, now: Timestamp) -> Result<Repaired, RegistryError> {
        let path = directory.join("registry.log");
        let io = |path: &Path, source| RegistryError::Io { path: path.to_owned(), source };
        let bytes = fs::read(&path).map_err(|source| io(&path, source))?;
        let (_lock, _) = Lock::take(directory)?;
        let mended = mend(&bytes).map_err(|damage| refuse(path.clone(), &damage))?;
        let mut repaired = Repaired {
            path: path.clone(),
            copy: None,
            flips: mended.flips,
            torn_bytes: mended.torn_bytes,
            streams: mended.content.entries.len(),
        };
        if repaired.flips.is_empty() && repaired.torn_bytes == 0 {
            return Ok(repaired);
        }
        let copy = directory.join(format!("registry.log.damaged-{}", now.as_millis()));
        let new = path.with_extension("new");
        write(&copy, &bytes).map_err(|source| io(&copy, source))?;
        write(&new, &mended.bytes).map_err(|source| io(&new, source))?;
        fs::rename(&new, &path).map_err(|source| io(&path, source))?;
        File::open(directory).and_then(|folder| folder.sync_all()).map_err(|source| io(directory, source))?;
        repaired.copy = Some(copy);
        Ok(repaired)
    }
}

fn write(path: &Path, bytes: &[u8]) -> std::io::Result<()> {
    let mut file = File::create(path)?;
    file.write_all(bytes)?;
    file.sync_all()
}
