//! A file that was read before, by somebody else.
//!
//! Enters: a file, and the offset up to which it is done. Leaves: the registry's entry for it, as if this shipper had read
//! it. Never: an offset inside a line, or beyond the end of the file; a file that is only believed to be the right one is the
//! caller's to refuse.

use std::fs::File;
use std::path::{Path, PathBuf};

use event::Timestamp;

use super::archive::Codec;
use super::content::read_full;
use super::identity::Facts;
use super::stream::{HEAD_BYTES_MAX, TAIL_BYTES_MAX};
use crate::registry::{Entry, Losses, Print};

/// How far the start of a line is looked for; as long as a line can be configured to be.
const LINE_BYTES_MAX: u64 = 16 << 20;
/// Bytes that one look for it reads.
const STEP_BYTES: u64 = 64 << 10;

/// Why a file cannot be taken over.
#[derive(Debug, thiserror::Error)]
pub enum AdoptError {
    /// It is shorter than what was read of it.
    #[error("the file has {size} bytes and {offset} were read: it is another file, or was truncated since")]
    TooShort {
        /// How long it is.
        size: u64,
        /// What was asked for.
        offset: u64,
    },
    /// The offset lies inside a line whose start is too far away.
    #[error("no line begins in the {LINE_BYTES_MAX} bytes before {0}: the offset is not one of this file")]
    NoLine(u64),
    /// Offsets of compressed files are counted in plain bytes here, and in others elsewhere.
    #[error("the file is compressed: no offset of it can be compared")]
    Packed,
    /// A folder, a pipe.
    #[error("this is no file")]
    NoFile,
    /// The disk, or a permission.
    #[error("{0}")]
    Io(#[from] std::io::Error),
}

/// A file that is taken over.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Adopted {
    /// What the registry keeps.
    pub entry: Entry,
    /// The offset as it was given, when it lay inside a line; that line is read again from its start.
    pub moved_from: Option<u64>,
}

/// What identifies a file here and in other programs' registries.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Identity {
    /// Where it lies.
    pub path: PathBuf,
    /// The device that it lies on.
    pub device: u64,
    /// Its inode.
    pub inode: u64,
    /// When it was made, where the file system knows it.
    pub birth: Option<Timestamp>,
    /// How long it is.
    pub size: u64,
}

impl Identity {
    /// Looks at `path`.
    ///
    /// # Errors
    /// What the system says.
    pub fn of(path: &Path) -> std::io::Result<Self> {
        let facts = Facts::of(&path.metadata()?);
        let Facts { device, inode, size, .. } = facts;
        Ok(Identity {
            path: path.to_owned(),
            device,
            inode,
            birth: facts.birth.map(Timestamp::from_nanos),
            size,
        })
    }
}

/// Takes over `path` on `host`, as read up to `offset`; `u64::MAX` stands for its end.
///
/// # Errors
/// [`AdoptError`]
pub fn adopt(path: &Path, offset: u64, host: &str, now: Timestamp) -> Result<Adopted, AdoptError> {
    let file = File::open(path)?;
    let metadata = file.metadata()?;
    if !metadata.is_file() {
        return Err(AdoptError::NoFile);
    }
    if Codec::of(path, &file)?.is_some() {
        return Err(AdoptError::Packed);
    }
    let facts = Facts::of(&metadata);
    let wanted = if offset == u64::MAX { facts.size } else { offset };
    if wanted > facts.size {
        return Err(AdoptError::TooShort { size: facts.size, offset: wanted });
    }
    let offset = line_start(&file, wanted)?;
    // As a stream begins: see `FileInput::begin`.
    let generation =
        if facts.birth.is_some() { 0 } else { u64::try_from(now.as_nanos()).unwrap_or_default() };
    let entry = Entry {
        stream: facts.stream(host, generation),
        path: path.to_string_lossy().into_owned(),
        device: facts.device,
        inode: facts.inode,
        birth: facts.birth,
        generation,
        offset,
        size: facts.size,
        packed: None,
        aside: false,
        head: print(&file, 0, offset.min(HEAD_BYTES_MAX as u64))?,
        tail: print(&file, offset.saturating_sub(TAIL_BYTES_MAX as u64), offset.min(TAIL_BYTES_MAX as u64))?,
        // Nothing of it was shipped by us.
        filtered: offset,
        lost: Losses::default(),
        seen: now,
    };
    Ok(Adopted { entry, moved_from: (offset != wanted).then_some(wanted) })
}

fn print(file: &File, start: u64, len: u64) -> Result<Print, AdoptError> {
    Ok(Print::of(start, &read(file, start, len)?))
}

fn read(file: &File, start: u64, len: u64) -> Result<Vec<u8>, AdoptError> {
    let mut bytes = vec![0; usize::try_from(len).unwrap_or_default()];
    if read_full(file, start, &mut bytes)? < bytes.len() {
        return Err(std::io::Error::from(std::io::ErrorKind::UnexpectedEof).into());
    }
    Ok(bytes)
}

/// The last place at or before `offset` where a line begins.
fn line_start(file: &File, offset: u64) -> Result<u64, AdoptError> {
    let mut end = offset;
    while end > 0 {
        if offset - end > LINE_BYTES_MAX {
            return Err(AdoptError::NoLine(offset));
        }
        let start = end.saturating_sub(STEP_BYTES);
        let bytes = read(file, start, end - start)?;
        if let Some(last) = memchr::memrchr(b'\n', &bytes) {
            return Ok(start + last as u64 + 1);
        }
        end = start;
    }
    Ok(0)
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    const HOST: &str = "host";

    fn check(text: &[u8], offset: u64, expected: Result<(u64, Option<u64>), &str>) {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.log");
        fs::write(&path, text).unwrap();
        let adopted = adopt(&path, offset, HOST, Timestamp::from_secs(5));
        let got = adopted.map(|adopted| (adopted.entry.offset, adopted.moved_from));
        match expected {
            Ok(expected) => assert_eq!(got.unwrap(), expected),
            Err(words) => assert!(got.unwrap_err().to_string().contains(words)),
        }
    }

    #[test]
    fn an_offset_is_that_of_a_line() {
        check(b"one\ntwo\n", 4, Ok((4, None)));
        check(b"one\ntwo\n", 8, Ok((8, None)));
        check(b"one\ntwo\n", 6, Ok((4, Some(6))));
        check(b"one\ntwo\nthr", u64::MAX, Ok((8, Some(11))));
        check(b"one", 3, Ok((0, Some(3))));
        check(b"", 0, Ok((0, None)));
        check(b"one\n", 5, Err("has 4 bytes and 5 were read"));
        let long = [b"x\n".to_vec(), vec![b'y'; 200_000]].concat();
        check(&long, 150_000, Ok((2, Some(150_000))));
        check(&vec![b'y'; 17 << 20], 17 << 20, Err("no line begins"));
    }
}
