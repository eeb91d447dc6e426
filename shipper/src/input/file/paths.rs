//! Streams by the paths that they have and had.
//!
//! Enters: streams that are new or have moved. Leaves: their slots by path, for whoever looks for the original of a copy.
//! Never: an index while nobody looks; many thousand files lie idle.

use std::collections::HashMap;
use std::path::Path;

use smallvec::SmallVec;

use super::FileInput;
use super::identity::Key;
use super::stream::Stream;

/// Streams by the hash of their path.
pub(super) type Paths = HashMap<u64, SmallVec<[u32; 2]>>;

impl FileInput {
    /// Another file is the stream's from now on, and it may have another path.
    pub(super) fn rekey(&mut self, slot: u32, before: Key, now: Key) {
        if self.by_key.get(&before) == Some(&slot) {
            self.by_key.remove(&before);
        }
        self.by_key.insert(now, slot);
        self.index(slot);
    }

    pub(super) fn index_paths(&self) -> Paths {
        let mut paths = Paths::new();
        for (slot, stream) in (0..).zip(&self.slots) {
            if let Some(stream) = stream {
                add_paths(&mut paths, slot, stream);
            }
        }
        paths
    }

    /// Adds the paths of a stream that is new or has moved to the index, if there is one: to make it anew for each of many
    /// new files would take time for each pair of them.
    pub(super) fn index(&mut self, slot: u32) {
        if let Some(mut paths) = self.by_path.take() {
            if let Some(stream) = self.stream(slot) {
                add_paths(&mut paths, slot, stream);
            }
            self.by_path = Some(paths);
        }
    }
}

/// What was there before stays: whoever asks compares the stream's paths as they are now.
fn add_paths(paths: &mut Paths, slot: u32, stream: &Stream) {
    paths.entry(hash(&stream.path)).or_default().push(slot);
    let origin = stream.origin_path();
    if stream.path != Path::new(&*origin) {
        paths.entry(hash(Path::new(&*origin))).or_default().push(slot);
    }
}

pub(super) fn hash(path: &Path) -> u64 {
    xxhash_rust::xxh3::xxh3_64(path.as_os_str().as_encoded_bytes())
}
