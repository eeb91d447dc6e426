//! A file that is either whole or known to be broken.
//!
//! Enters: bytes, and the format they are in. Leaves: the same bytes after any crash, or which of three things is
//! wrong: no file, a torn one, one of another version. Never: a reset. What to do about a torn file is the caller's.
//!
//! Layout, little endian: magic (8 bytes), version (u32), length of the payload (u64), CRC-32 (u32) of the twenty
//! bytes before it and the payload, payload.

use std::fs::{self, File};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

const HEADER_BYTES: usize = 24;

/// What a file holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Format {
    /// Eight bytes that say what the file is, such as `WFREGIST`.
    pub magic: [u8; 8],
    /// The version of the payload; grows when its meaning changes.
    pub version: u32,
}

/// Why a snapshot cannot be read or written.
#[derive(Debug, thiserror::Error)]
pub enum SnapshotError {
    /// There is no file: the first start.
    #[error("{}: no snapshot yet", path.display())]
    Absent {
        /// Where it was looked for.
        path: PathBuf,
    },
    /// The file is not what was written: cut, changed, or another file.
    #[error("{}: {what}; restore it from a backup, or move it away to start anew", path.display())]
    Torn {
        /// The file.
        path: PathBuf,
        /// What does not fit.
        what: &'static str,
    },
    /// The file is whole, and of a version that this program does not read.
    #[error("{}: version {found}, this program reads version {known}; run the program that wrote it, or move it away to start anew", path.display())]
    OtherVersion {
        /// The file.
        path: PathBuf,
        /// Its version.
        found: u32,
        /// Ours.
        known: u32,
    },
    /// The system refuses.
    #[error("{}: {error}", path.display())]
    Io {
        /// The file.
        path: PathBuf,
        /// What the system says.
        error: io::Error,
    },
}

/// Replaces the file at `path` in one step: a reader, and a start after a crash, sees the old file or the new one.
/// The parent directory must exist.
///
/// # Errors
/// [`SnapshotError::Io`]; the old file is then untouched.
pub fn write(path: &Path, format: Format, payload: &[u8]) -> Result<(), SnapshotError> {
    let failed = |error| SnapshotError::Io { path: path.to_owned(), error };
    let temporary = temporary_of(path);
    let mut file = File::create(&temporary).map_err(failed)?;
    file.write_all(&header(format, payload)).map_err(failed)?;
    file.write_all(payload).map_err(failed)?;
    file.sync_all().map_err(failed)?;
    fs::rename(&temporary, path).map_err(failed)?;
    sync_parent(path).map_err(failed)
}

/// The payload that the last [`write`] to `path` left.
///
/// # Errors
/// [`SnapshotError`], one variant for each thing that can be wrong.
pub fn read(path: &Path, format: Format) -> Result<Vec<u8>, SnapshotError> {
    let mut bytes = fs::read(path).map_err(|error| match error.kind() {
        io::ErrorKind::NotFound => SnapshotError::Absent { path: path.to_owned() },
        _ => SnapshotError::Io { path: path.to_owned(), error },
    })?;
    let found = verify(&bytes, format).map_err(|what| SnapshotError::Torn { path: path.to_owned(), what })?;
    if found != format.version {
        return Err(SnapshotError::OtherVersion { path: path.to_owned(), found, known: format.version });
    }
    bytes.drain(..HEADER_BYTES);
    Ok(bytes)
}

fn header(format: Format, payload: &[u8]) -> [u8; HEADER_BYTES] {
    let mut header = [0; HEADER_BYTES];
    header[..8].copy_from_slice(&format.magic);
    header[8..12].copy_from_slice(&format.version.to_le_bytes());
    header[12..20].copy_from_slice(&(payload.len() as u64).to_le_bytes());
    let sum = checksum(&header[..20], payload);
    header[20..].copy_from_slice(&sum.to_le_bytes());
    header
}

/// The version of a whole file, or what is wrong with it.
fn verify(bytes: &[u8], format: Format) -> Result<u32, &'static str> {
    let Some((header, payload)) = bytes.split_first_chunk::<HEADER_BYTES>() else {
        return Err("the file is shorter than a snapshot's header");
    };
    if header[..8] != format.magic {
        return Err("the file is not such a snapshot: it starts with other bytes");
    }
    let [.., v0, v1, v2, v3, l0, l1, l2, l3, l4, l5, l6, l7, c0, c1, c2, c3] = *header;
    if u64::from_le_bytes([l0, l1, l2, l3, l4, l5, l6, l7]) != payload.len() as u64 {
        return Err("the file is cut, or longer than its header says");
    }
    if u32::from_le_bytes([c0, c1, c2, c3]) != checksum(&header[..20], payload) {
        return Err("the checksum does not fit the content");
    }
    Ok(u32::from_le_bytes([v0, v1, v2, v3]))
}

fn checksum(header: &[u8], payload: &[u8]) -> u32 {
    let mut hasher = crc32fast::Hasher::new();
    hasher.update(header);
    hasher.update(payload);
    hasher.finalize()
}

fn temporary_of(path: &Path) -> PathBuf {
    let mut name = path.file_name().unwrap_or_default().to_owned();
    name.push(".tmp");
    path.with_file_name(name)
}

/// A rename is durable only when the directory is.
fn sync_parent(path: &Path) -> io::Result<()> {
    let parent = match path.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent,
        _ => Path::new("."),
    };
    File::open(parent)?.sync_all()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const FORMAT: Format = Format { magic: *b"WFTESTED", version: 3 };

    fn file_of(bytes: &[u8]) -> (tempfile::TempDir, PathBuf) {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("state");
        fs::write(&path, bytes).unwrap();
        (folder, path)
    }

    fn written(payload: &[u8]) -> Vec<u8> {
        let (_folder, path) = file_of(b"");
        write(&path, FORMAT, payload).unwrap();
        assert!(!temporary_of(&path).exists());
        fs::read(path).unwrap()
    }

    #[test]
    fn no_file_is_absent() {
        let folder = tempfile::tempdir().unwrap();
        let error = read(&folder.path().join("state"), FORMAT).unwrap_err();
        assert!(matches!(error, SnapshotError::Absent { .. }), "{error}");
    }

    #[test]
    fn cut_anywhere_is_torn() {
        let whole = written(b"some state");
        for length in 0..whole.len() {
            let (_folder, path) = file_of(&whole[..length]);
            assert!(matches!(read(&path, FORMAT), Err(SnapshotError::Torn { .. })), "cut at {length}");
        }
    }

    #[test]
    fn changed_anywhere_is_torn() {
        let whole = written(b"some state");
        for at in 0..whole.len() {
            for bit in 0..8 {
                let mut changed = whole.clone();
                changed[at] ^= 1 << bit;
                let (_folder, path) = file_of(&changed);
                assert!(
                    matches!(read(&path, FORMAT), Err(SnapshotError::Torn { .. })),
                    "bit {bit} of byte {at}"
                );
            }
        }
    }

    #[test]
    fn longer_is_torn() {
        let mut longer = written(b"some state");
        longer.push(0);
        let (_folder, path) = file_of(&longer);
        assert!(matches!(read(&path, FORMAT), Err(SnapshotError::Torn { .. })));
    }

    #[test]
    fn another_version_is_named() {
        let (_folder, path) = file_of(b"");
        write(&path, Format { version: 4, ..FORMAT }, b"newer").unwrap();
        let text = read(&path, FORMAT).unwrap_err().to_string();
        assert!(text.contains("version 4, this program reads version 3"), "{text}");
    }

    #[test]
    fn a_write_that_fails_leaves_the_old_file() {
        let (_folder, path) = file_of(b"");
        write(&path, FORMAT, b"old").unwrap();
        fs::create_dir(temporary_of(&path)).unwrap();
        assert!(matches!(write(&path, FORMAT, b"new"), Err(SnapshotError::Io { .. })));
        assert_eq!(read(&path, FORMAT).unwrap(), b"old");
    }

    proptest! {
        #[test]
        fn what_is_written_is_read(first in prop::collection::vec(any::<u8>(), 0..200), second in prop::collection::vec(any::<u8>(), 0..200)) {
            let (_folder, path) = file_of(b"");
            write(&path, FORMAT, &first).unwrap();
            write(&path, FORMAT, &second).unwrap();
            prop_assert_eq!(read(&path, FORMAT).unwrap(), second);
        }
    }
}
