//! Where a stream's bytes lie: in a plain file, or compressed in one.
//!
//! Enters: an open file. Leaves: the stream's bytes by offset. Never: a decision about what the file is.

use std::fs::{File, Metadata};
use std::io;
use std::os::unix::fs::FileExt;

use super::archive::{Archive, Codec};

/// An open file of a stream.
#[derive(Debug)]
pub(super) enum Content {
    /// Its bytes as they are.
    Plain(File),
    /// Its bytes, compressed.
    Packed(Box<Archive>),
}

impl Content {
    /// `base` is the stream's offset of the first byte in an archive that does not hold all of it.
    pub(super) fn new(file: File, codec: Option<Codec>, base: u64) -> io::Result<Self> {
        Ok(match codec {
            None => Content::Plain(file),
            Some(codec) => Content::Packed(Box::new(Archive::new(file, codec, base)?)),
        })
    }

    pub(super) fn metadata(&self) -> io::Result<Metadata> {
        match self {
            Content::Plain(file) => file.metadata(),
            Content::Packed(archive) => archive.file().metadata(),
        }
    }

    /// Goes to `start`; false when a long way is left, for a turn of its own.
    pub(super) fn seek(&mut self, start: u64) -> io::Result<bool> {
        match self {
            Content::Plain(_) => Ok(true),
            Content::Packed(archive) => archive.seek(start),
        }
    }

    /// The first bytes, as far as they were passed on the way to others; only of an archive.
    pub(super) fn first(&self) -> &[u8] {
        match self {
            Content::Plain(_) => &[],
            Content::Packed(archive) => archive.first(),
        }
    }

    /// True when the next read beyond what was given is an error for good.
    pub(super) fn is_damaged(&self) -> bool {
        matches!(self, Content::Packed(archive) if archive.is_damaged())
    }

    /// Reads until `bytes` is full or the content ends; gives how much was read.
    pub(super) fn read_full(&mut self, start: u64, bytes: &mut [u8]) -> io::Result<usize> {
        match self {
            Content::Plain(file) => read_full(file, start, bytes),
            Content::Packed(archive) => archive.read_full(start, bytes),
        }
    }
}

/// Reads until `bytes` is full or the file ends; gives how much was read.
pub(super) fn read_full(file: &File, start: u64, bytes: &mut [u8]) -> io::Result<usize> {
    let mut read = 0;
    while let Some(rest) = bytes.get_mut(read..).filter(|rest| !rest.is_empty()) {
        match file.read_at(rest, start + read as u64) {
            Ok(0) => break,
            Ok(more) => read += more,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    Ok(read)
}
