//! What is remembered of one stream, so that a restart goes on where the acks ended.
//!
//! Enters: a stream's identity, its acked offset and its sums. Leaves: the same after a restart.
//! Never: what is in flight; it is read again.

use std::collections::BTreeMap;

use event::{StreamId, Timestamp};
use serde::{Deserialize, Serialize};

use crate::input::file::Codec;

/// A hash of one range of a file's bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Print {
    /// Where the range starts.
    pub start: u64,
    /// How long it is; zero says nothing of the file.
    pub len: u32,
    /// XXH3 of the bytes.
    pub hash: u64,
}

impl Print {
    /// The print of `bytes`, which lie at `start`.
    #[must_use]
    pub fn of(start: u64, bytes: &[u8]) -> Self {
        let len = u32::try_from(bytes.len()).unwrap_or(u32::MAX);
        Print { start, len, hash: xxhash_rust::xxh3::xxh3_64(bytes) }
    }

    /// Where the range ends.
    #[must_use]
    pub fn end(&self) -> u64 {
        self.start + u64::from(self.len)
    }
}

/// Bytes of one stream that are gone, by reason.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Losses {
    /// The end of lines that were longer than `line_bytes_max`.
    pub line_too_long: u64,
    /// Not read yet when the file was truncated or rewritten.
    pub truncated: u64,
    /// Not read yet when the file vanished while nobody held it open.
    pub vanished: u64,
    /// Refused by the broker for good; they lie in the dead-letter file.
    pub dead_lettered: u64,
    /// Deleted files that held more than `pinned.bytes_max`.
    pub over_budget: u64,
    /// Of files that came and went while the shipper stood still; an estimate.
    pub unseen: u64,
}

impl Losses {
    /// All reasons together.
    #[must_use]
    pub fn sum(&self) -> u64 {
        self.line_too_long
            + self.truncated
            + self.vanished
            + self.dead_lettered
            + self.over_budget
            + self.unseen
    }

    /// Each reason with its bytes.
    #[must_use]
    pub fn entries(&self) -> [(&'static str, u64); 6] {
        [
            ("line_too_long", self.line_too_long),
            ("truncated", self.truncated),
            ("vanished", self.vanished),
            ("dead_lettered", self.dead_lettered),
            ("over_budget", self.over_budget),
            ("unseen", self.unseen),
        ]
    }

    /// Adds the other's bytes, reason by reason.
    pub fn add(&mut self, other: &Losses) {
        self.line_too_long += other.line_too_long;
        self.truncated += other.truncated;
        self.vanished += other.vanished;
        self.dead_lettered += other.dead_lettered;
        self.over_budget += other.over_budget;
        self.unseen += other.unseen;
    }
}

/// What is remembered of a stream whose file is compressed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Packed {
    /// How.
    pub codec: Codec,
    /// Bytes on the disk when all of its text was settled; zero before.
    pub size: u64,
    /// Set when it is the shipper's own copy of a deleted file: the offset of the first byte that it holds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub base: Option<u64>,
}

/// One stream. `offset = acked + filtered + lost`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Entry {
    /// The stream.
    #[serde(with = "stream_text")]
    pub stream: StreamId,
    /// Where the file was last seen; says nothing of its identity.
    pub path: String,
    /// The device that the file lies on.
    pub device: u64,
    /// Its inode.
    pub inode: u64,
    /// Its birth time in nanoseconds since 1970, where the file system knows one.
    pub birth: Option<i64>,
    /// Grows when the file is truncated or rewritten.
    pub generation: u64,
    /// Everything before it is settled.
    pub offset: u64,
    /// How long the file was when it was last seen, in plain bytes.
    pub size: u64,
    /// Set when the file is compressed; `offset` and `size` are those of the plain bytes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub packed: Option<Packed>,
    /// The file is a copy of another one, which is read itself.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub aside: bool,
    /// The first bytes of the file.
    pub head: Print,
    /// Bytes that end at `offset`, or shortly before it.
    pub tail: Print,
    /// Bytes that the user's own filters dropped.
    pub filtered: u64,
    /// Bytes before `offset` that are gone.
    pub lost: Losses,
    /// When the file was last seen.
    pub seen: Timestamp,
}

/// By topic and partition: the offset on the broker from which on a record of ours may lie that the streams' offsets do
/// not cover yet. What lies before it is covered. A partition that is missing under its topic begins at zero: it was added later.
pub type Anchors = BTreeMap<String, BTreeMap<i32, i64>>;

/// The anchors of one topic.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Anchor {
    /// The topic.
    pub topic: String,
    /// By partition; none at all forgets the topic.
    pub offsets: BTreeMap<i32, i64>,
}

impl Anchor {
    /// Those of `topic`.
    #[must_use]
    pub fn new(topic: &str, offsets: &BTreeMap<i32, i64>) -> Self {
        Anchor { topic: topic.to_owned(), offsets: offsets.clone() }
    }
}

/// One step of the registry.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Change {
    /// The stream is now so.
    Put(Box<Entry>),
    /// The stream has ended and all of it is settled.
    Remove(#[serde(with = "stream_text")] StreamId),
    /// The topic's anchors are now so.
    Anchor(Anchor),
}

/// A stream id as its 32 hex digits.
pub(crate) mod stream_text {
    use event::StreamId;
    use serde::{Deserialize, Deserializer, Serializer, de::Error};

    pub fn serialize<S: Serializer>(id: &StreamId, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(id)
    }

    pub fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<StreamId, D::Error> {
        let text = std::borrow::Cow::<'de, str>::deserialize(deserializer)?;
        text.parse().map_err(D::Error::custom)
    }
}
