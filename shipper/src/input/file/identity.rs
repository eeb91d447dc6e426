//! Whether a file is one that is known, and what happened to it.
//!
//! Enters: what the file system says of a file, and what is remembered of the stream with the same device and inode.
//! Leaves: one [`Decision`]. Never: a guess by name; a path says where a file lies, not what it is.
//!
//! | device + inode | birth time      | size               | bytes read before | path    | decision    |
//! |----------------|-----------------|--------------------|-------------------|---------|-------------|
//! | unknown        |                 |                    |                   |         | `New`       |
//! | known          | another         |                    |                   |         | `Replaced`  |
//! | known          | same or no word | below what was read |                  |         | `Truncated` |
//! | known          | same or no word | enough             | differ            |         | `Truncated` |
//! | known          | same or no word | enough             | are not seen to differ | another | `Renamed` |
//! | known          | same or no word | enough             | are not seen to differ | same | `Known`   |
//!
//! The bytes are compared with two prints: the head of the file, which grows with it and has no least size, and the
//! bytes before the offset. A scan compares nothing. Every read does, because it starts a little before its offset; what
//! it finds goes through the same table. `New`, `Truncated` and `Replaced` may still be a matter of copies: see
//! [`copy`](super::copy).

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
    /// The end of the bytes that were read and understood; of an archive, its size on the disk when it was last seen.
    pub read: u64,
    /// Whether the bytes before that were seen to differ from those that were read.
    pub is_different: bool,
    /// Whether it lies where it lay.
    pub is_same_path: bool,
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

/// False when both birth times are known, and are two.
pub(super) fn is_same_birth(before: Option<i64>, now: Option<i64>) -> bool {
    before.is_none() || now.is_none() || before == now
}

/// The table above.
pub(super) fn decide(remembered: Option<&Remembered>, facts: &Facts) -> Decision {
    let Some(remembered) = remembered else { return Decision::New };
    let is_same_birth = is_same_birth(remembered.birth, facts.birth);
    let is_enough = facts.size >= remembered.read;
    let is_continued = is_enough && !remembered.is_different;
    match (is_same_birth, is_continued, remembered.is_same_path) {
        (false, _, _) => Decision::Replaced,
        (true, false, _) => Decision::Truncated,
        (true, true, false) => Decision::Renamed,
        (true, true, true) => Decision::Known,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Clone, Copy)]
    struct Row {
        birth: (Option<i64>, Option<i64>),
        read: u64,
        size: u64,
        is_different: bool,
        is_same_path: bool,
    }

    const SAME: Row =
        Row { birth: (Some(1), Some(1)), read: 100, size: 100, is_different: false, is_same_path: true };

    fn check(row: Row, expected: Decision) {
        let remembered = Remembered {
            birth: row.birth.0,
            read: row.read,
            is_different: row.is_different,
            is_same_path: row.is_same_path,
        };
        let facts = Facts { device: 1, inode: 2, birth: row.birth.1, size: row.size, modified: 3, links: 1 };
        assert_eq!(decide(Some(&remembered), &facts), expected);
    }

    #[test]
    fn every_row_of_the_table() {
        let facts = Facts { device: 1, inode: 2, birth: None, size: 0, modified: 0, links: 1 };
        assert_eq!(decide(None, &facts), Decision::New);
        check(SAME, Decision::Known);
        check(Row { size: 4000, ..SAME }, Decision::Known);
        check(Row { birth: (None, Some(1)), ..SAME }, Decision::Known);
        check(Row { birth: (Some(1), None), ..SAME }, Decision::Known);
        check(Row { is_same_path: false, ..SAME }, Decision::Renamed);
        check(Row { is_same_path: false, size: 4000, ..SAME }, Decision::Renamed);
        check(Row { size: 99, ..SAME }, Decision::Truncated);
        check(Row { size: 0, is_same_path: false, ..SAME }, Decision::Truncated);
        check(Row { is_different: true, ..SAME }, Decision::Truncated);
        check(Row { is_different: true, size: 4000, is_same_path: false, ..SAME }, Decision::Truncated);
        check(Row { birth: (Some(1), Some(2)), ..SAME }, Decision::Replaced);
        check(Row { birth: (Some(1), Some(2)), size: 0, is_same_path: false, ..SAME }, Decision::Replaced);
        check(Row { birth: (Some(1), Some(2)), is_different: true, ..SAME }, Decision::Replaced);
    }

    #[test]
    fn an_id_follows_from_what_stays() {
        let facts = Facts { device: 1, inode: 2, birth: Some(3), size: 4, modified: 5, links: 1 };
        let grown = Facts { size: 40, modified: 50, links: 2, ..facts };
        assert_eq!(facts.stream("a", 0), grown.stream("a", 0));
        let others = [
            facts.stream("b", 0),
            facts.stream("a", 1),
            Facts { device: 9, ..facts }.stream("a", 0),
            Facts { inode: 9, ..facts }.stream("a", 0),
            Facts { birth: Some(9), ..facts }.stream("a", 0),
            Facts { birth: None, ..facts }.stream("a", 0),
        ];
        assert!(!others.contains(&facts.stream("a", 0)));
    }
}
