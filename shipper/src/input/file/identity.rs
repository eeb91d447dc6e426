//! Whether a file is one that is known, and what happened to it.
//!
//! Enters: what the file system says of a file, and what is remembered of the stream with the same device and inode.
//! Leaves: one [`Decision`]. Never: a guess by name; a path says where a file lies, not what it is.
//!
//! | device + inode | birth time      | size              | bytes that were read | path  | decision    |
//! |----------------|-----------------|-------------------|----------------------|-------|-------------|
//! | unknown        |                 |                   |                      |       | `New`       |
//! | known          | another         |                   |                      |       | `Replaced`  |
//! | known          | same or no word | below what was read |                    |       | `Truncated` |
//! | known          | same or no word | enough            | differ               |       | `Truncated` |
//! | known          | same or no word | enough            | same, or not compared | another | `Renamed` |
//! | known          | same or no word | enough            | same, or not compared | same  | `Known`     |
//!
//! The bytes are compared with two prints: the head of the file, which grows with it and has no least size, and the
//! bytes before the offset. Every read compares the latter again, because it starts a little before the offset.

use std::fs::Metadata;
use std::os::unix::fs::MetadataExt;
use std::time::SystemTime;

use event::StreamId;

/// What the file system says of a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Facts {
    pub device: u64,
    pub inode: u64,
    /// Nanoseconds since 1970.
    pub birth: Option<i64>,
    pub size: u64,
    /// Nanoseconds since 1970.
    pub modified: i64,
    /// How many names it has; zero after it was deleted.
    pub links: u64,
}

/// Device and inode.
pub(super) type Key = (u64, u64);

impl Facts {
    pub(super) fn of(metadata: &Metadata) -> Self {
        Facts {
            device: metadata.dev(),
            inode: metadata.ino(),
            birth: metadata.created().ok().map(nanos),
            size: metadata.len(),
            modified: metadata.modified().map(nanos).unwrap_or_default(),
            links: metadata.nlink(),
        }
    }

    pub(super) fn key(&self) -> Key {
        (self.device, self.inode)
    }

    /// The id of the stream that `generation` of this file is, on `host`.
    pub(super) fn stream(&self, host: &str, generation: u64) -> StreamId {
        let birth = self.birth.map(i64::to_le_bytes);
        StreamId::derive(&[
            b"file",
            host.as_bytes(),
            &self.device.to_le_bytes(),
            &self.inode.to_le_bytes(),
            birth.as_ref().map_or(&[][..], |bytes| &bytes[..]),
            &generation.to_le_bytes(),
        ])
    }
}

fn nanos(time: SystemTime) -> i64 {
    let since = time.duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
    i64::try_from(since.as_nanos()).unwrap_or(i64::MAX)
}

/// What is remembered of the stream with the same device and inode.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Remembered {
    /// Its birth time.
    pub birth: Option<i64>,
    /// The end of the bytes that were read and understood.
    pub read: u64,
    /// Whether the bytes before that are still the same.
    pub bytes: Comparison,
    /// Whether it lies where it lay.
    pub is_same_path: bool,
}

/// What comparing a file with its prints gave.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Comparison {
    /// Not compared now; the next read does it.
    NotCompared,
    /// The same bytes.
    Same,
    /// Other bytes.
    Differ,
}

/// What happened to a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Decision {
    /// Never seen: a new stream.
    New,
    /// Where and what it was.
    Known,
    /// The same stream under another name.
    Renamed,
    /// The same file with other content: the stream has ended, a new generation begins.
    Truncated,
    /// Another file under the same inode: the stream has ended, a new one begins.
    Replaced,
}

/// The table above.
pub(super) fn decide(remembered: Option<&Remembered>, facts: &Facts) -> Decision {
    let Some(remembered) = remembered else { return Decision::New };
    let is_same_birth = match (remembered.birth, facts.birth) {
        (Some(before), Some(now)) => before == now,
        _ => true,
    };
    let is_enough = facts.size >= remembered.read;
    match (is_same_birth, is_enough, remembered.bytes, remembered.is_same_path) {
        (false, _, _, _) => Decision::Replaced,
        (true, false, _, _) | (true, true, Comparison::Differ, _) => Decision::Truncated,
        (true, true, Comparison::Same | Comparison::NotCompared, false) => Decision::Renamed,
        (true, true, Comparison::Same | Comparison::NotCompared, true) => Decision::Known,
    }
}
