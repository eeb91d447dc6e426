//! From what a scan sees to streams: begin, follow, end, forget.
//!
//! Enters: files that match, files that do not any more. Leaves: streams that wait for a turn, streams that have ended,
//! with their unread bytes in the ledger. Never: a read of more than the prints that tell two files apart.

use std::path::PathBuf;

use event::Timestamp;

use super::ack::{Part, Window};
use super::archive::Codec;
use super::identity::{Decision, Facts, Remembered, decide, is_same_birth};
use super::pinned;
use super::scan::{Found, SKIPPED_MAX, Sight, Skipped};
use super::stream::{Presence, Stream};
use super::{FileInput, SCAN_EVERY, Start};
use crate::registry::Entry;

/// Files found between two scans that the log names each; how many more there are is told as one.
const NAMED_MAX: usize = 20;
/// The numbers of two windows lie this far apart, so that none takes the other's fates.
const SEQUENCES_APART: u64 = 1 << 24;

impl FileInput {
    /// Takes over what the registry remembers.
    pub(super) fn resume(&mut self, mut entries: Vec<Entry>, now: Timestamp) {
        entries.sort_by_key(|entry| (entry.birth, entry.generation));
        let mut older = Vec::new();
        for entry in entries {
            let first = self.next_sequence();
            let mut stream = Stream::from_entry(entry, first, now);
            let input = self.selections.iter().position(|selection| selection.is_match(&stream.path));
            (stream.input, stream.is_unwanted) = (input.unwrap_or_default(), input.is_none());
            older.extend(self.by_key.get(&stream.key()));
            let is_copy = stream.base.is_some();
            if is_copy {
                stream.move_to(pinned::spool_path(self.registry.path(), stream.id));
            }
            let Some(slot) = self.insert(stream) else { continue };
            self.link(slot);
            if is_copy {
                self.spooled.push(slot);
            }
        }
        self.resumed = self.totals();
        // Of an older generation, everything that was not settled is gone with the bytes.
        for slot in older {
            self.end(slot, Part::Truncated, now);
        }
    }

    pub(super) fn scan(&mut self, now: Timestamp) {
        self.scans += 1;
        self.next_scan = now.plus(SCAN_EVERY);
        let is_quiet = self.survey.is_quiet(now);
        let sight = if is_quiet { self.survey.look_again() } else { Some(self.list(now)) };
        if let Some(mut sight) = sight {
            self.skipped = std::mem::take(&mut sight.skipped);
            self.skipped_more = sight.skipped_more;
            let mut found = self.one_path_each(sight.found);
            // The oldest first: after a standstill, records come in about the order of their time.
            // Of two of one moment, the shorter name: a copy's is longer than its original's.
            found.sort_by_key(|found| (found.facts.modified, found.path.as_os_str().len()));
            // New ones last, because each may be a copy of what was one of the others.
            self.unmet = Some(Vec::new());
            for found in found {
                self.observe(found, false, now);
            }
            let unmet = self.unmet.take().unwrap_or_default();
            if !unmet.is_empty() {
                self.count_followed();
            }
            for (found, generation) in unmet {
                // A stream may have moved to it meanwhile.
                if generation.is_none() || self.by_key.contains_key(&found.facts.key()) {
                    self.observe(found, false, now);
                } else {
                    self.meet(found, generation, now);
                }
            }
        }
        let more = std::mem::take(&mut self.found).saturating_sub(NAMED_MAX);
        if more > 0 {
            tracing::info!(files = more, "more files found; the log names each at level debug");
        }
        self.review_streams(!is_quiet, now);
        self.by_path = None;
        if self.scans == 1 {
            // A start position at the end has to hold from now on, also after a kill before the first ack.
            let _ = self.checkpoint(now);
        }
    }

    /// Lists every folder. A file that is there under its name is noted, and needs no look.
    fn list(&mut self, now: Timestamp) -> Sight {
        let listing = self.survey.begin_listing();
        let FileInput { survey, selections, slots, by_key, .. } = self;
        let sight = survey.list(selections, now, &mut |folder, name, key| {
            let slot = by_key.get(&key).and_then(|slot| slots.get_mut(*slot as usize));
            let stream = slot.and_then(Option::as_deref_mut);
            let known = stream.filter(|s| s.presence == Presence::Present && s.is_at(folder, name));
            known.map(|stream| stream.seen_in = listing).is_some()
        });
        let folders = survey.folders();
        if folders != self.folders {
            self.folders = folders;
            self.folders_changed += 1;
        }
        sight
    }

    /// Of several names of one file, the one it is known by, else the first.
    fn one_path_each(&self, found: Vec<Found>) -> Vec<Found> {
        let mut chosen: Vec<Found> = Vec::with_capacity(found.len());
        let mut is_known = false;
        for found in found {
            let slot = self.by_key.get(&found.facts.key());
            let known = slot.and_then(|slot| self.stream(*slot));
            let is_its_name = known.is_some_and(|stream| stream.path == found.path);
            match chosen.last_mut().filter(|last| last.facts.key() == found.facts.key()) {
                Some(last) if is_its_name && !is_known => *last = found,
                Some(_) => continue,
                // Its own name needed no look.
                None if !is_its_name && known.is_some_and(|stream| self.is_seen(stream)) => continue,
                None => chosen.push(found),
            }
            is_known = is_its_name;
        }
        chosen
    }

    /// True when the file has a stream: not only its inode, which another file may have had.
    pub(super) fn is_known(&self, facts: &Facts) -> bool {
        let known = self.by_key.get(&facts.key()).and_then(|slot| self.stream(*slot));
        known.is_some_and(|stream| !stream.is_aside && is_same_birth(stream.facts.birth, facts.birth))
    }

    /// True when the stream's name is there by the last listing.
    pub(super) fn is_seen(&self, stream: &Stream) -> bool {
        stream.presence == Presence::Present && stream.seen_in == self.survey.listings()
    }

    /// The decision table, carried out.
    pub(super) fn observe(&mut self, found: Found, is_different: bool, now: Timestamp) {
        let slot = self.by_key.get(&found.facts.key()).copied();
        if let Some(slot) = slot.filter(|slot| self.stream(*slot).is_some_and(|stream| stream.is_aside)) {
            return match &mut self.unmet {
                Some(unmet) => unmet.push((found, None)),
                None => self.meet_again(slot, found, now),
            };
        }
        let stream = slot.and_then(|slot| self.stream(slot));
        let remembered = stream.map(|stream| Remembered {
            birth: stream.facts.birth,
            read: stream.floor(),
            is_different,
            is_same_path: stream.path == found.path,
        });
        let generation = stream.map_or(0, |stream| stream.generation + 1);
        let decision = decide(remembered.as_ref(), &found.facts);
        match (slot, decision) {
            (None, _) | (_, Decision::New) => self.meet_in_turn(found, None, now),
            (Some(slot), Decision::Known) => self.follow(slot, &found, now),
            (Some(slot), Decision::Renamed) => {
                self.rename(slot, &found);
                self.follow(slot, &found, now);
            }
            (Some(slot), Decision::Truncated) => {
                self.end_or_move(slot, Part::Truncated, now);
                self.meet_in_turn(found, Some(generation), now);
            }
            (Some(slot), Decision::Replaced) => {
                self.end_or_move(slot, Part::Vanished, now);
                self.meet_in_turn(found, None, now);
            }
        }
    }

    /// What is held open is seen to have other bytes than were read: the same table, met by a read.
    pub(super) fn rewritten(&mut self, slot: u32, facts: Facts, now: Timestamp) {
        let Some(stream) = self.stream_mut(slot) else { return };
        if stream.presence != Presence::Present {
            // Nothing leads to the file any more, so that nothing new begins.
            return self.end(slot, Part::Truncated, now);
        }
        // Only what was compared is known to have been this stream's.
        stream.size = stream.own_size;
        let facts = Facts { birth: stream.facts.birth, ..facts };
        let found = Found { path: stream.path.clone(), input: stream.input, is_link: false, facts };
        self.observe(found, true, now);
    }

    /// A new stream. `generation` is given when the file is known and its content is not.
    pub(super) fn begin(&mut self, found: Found, generation: Option<u64>, now: Timestamp) {
        let Some(input) = self.inputs.get(found.input) else { return };
        let is_rewritten = generation.is_some();
        let age = now.since(Timestamp::from_nanos(found.facts.modified));
        if let Some(limit) = input.config.ignore_older
            && !is_rewritten
            && age > limit.0
        {
            let reason = "not changed for longer than `ignore_older`".to_owned();
            return self.skip(found.path, reason);
        }
        let followed = self.followed.get(found.input).copied().unwrap_or_default();
        if let Some(limit) = input.config.files_max
            && !is_rewritten
            && followed >= limit.get()
        {
            let reason = format!("`files_max` is {limit}, and as many are followed");
            return self.skip(found.path, reason);
        }
        let was_there =
            Timestamp::from_nanos(found.facts.birth.unwrap_or(found.facts.modified)) < self.known_until;
        let is_from_end = input.config.start == Start::End && self.scans <= 1 && was_there && !is_rewritten;
        self.create(found, generation, is_from_end, now);
    }

    fn count_followed(&mut self) {
        let mut followed = vec![0; self.inputs.len()];
        for stream in self.slots.iter().flatten().filter(|stream| self.is_seen(stream)) {
            if let Some(count) = followed.get_mut(stream.input) {
                *count += 1;
            }
        }
        self.followed = followed;
    }

    /// A new stream, read from its beginning or from the end that it has now.
    pub(super) fn create(
        &mut self,
        found: Found,
        generation: Option<u64>,
        is_from_end: bool,
        now: Timestamp,
    ) {
        // Without a birth time an inode that is used again looks the same, so the moment stands for it.
        let first = if found.facts.birth.is_some() { 0 } else { u64::try_from(now.as_nanos()).unwrap_or(0) };
        let generation = generation.unwrap_or(first);
        let codec =
            std::fs::File::open(&found.path).and_then(|file| Codec::of(&found.path, &file)).ok().flatten();
        let size = if codec.is_some() { 0 } else { found.facts.size };
        let start = if is_from_end { size } else { 0 };
        let id = found.facts.stream(&self.host, generation);
        let sequence = self.next_sequence();
        let mut stream = Stream::new(id, found.path, found.facts, generation, now);
        stream.codec = codec;
        (stream.size, stream.own_size) = (size, size);
        // Of an archive nobody knows where it ends; it stands as read, until it changes.
        stream.read_end = is_from_end.then_some(start);
        stream.input = found.input;
        stream.seen_in = self.survey.listings();
        stream.window = Window::resume(sequence, start, start, crate::registry::Losses::default());
        let path = stream.path.display().to_string();
        self.found += 1;
        if self.found > NAMED_MAX {
            tracing::debug!(path, stream = %id, generation, "file found");
        } else {
            tracing::info!(path, stream = %id, generation, "file found");
        }
        if let Some(count) = self.followed.get_mut(stream.input) {
            *count += 1;
        }
        let Some(slot) = self.insert(stream) else { return };
        self.touch(slot, now);
        if self.link(slot) {
            // Before anything of it is sent: after a kill, its name is what tells where it belongs.
            self.next_commit = Some(now);
        }
        if found.facts.size > start && !is_from_end {
            if let Some(stream) = self.stream_mut(slot) {
                stream.grow_on_disk(found.facts.size, now);
            }
            self.hold(slot, now);
            self.queue(slot);
        }
    }

    fn insert(&mut self, stream: Stream) -> Option<u32> {
        let Some(slot) = self.free_slot() else {
            let reason = "too many files; narrow the pattern".to_owned();
            self.skip(stream.path, reason);
            return None;
        };
        self.by_key.insert(stream.key(), slot);
        if let Some(place) = self.slots.get_mut(slot as usize) {
            *place = Some(Box::new(stream));
        }
        self.index(slot);
        Some(slot)
    }

    fn rename(&mut self, slot: u32, found: &Found) {
        let Some(stream) = self.stream_mut(slot) else { return };
        let from = stream.move_to(found.path.clone());
        tracing::info!(from = %from.display(), to = %found.path.display(), stream = %stream.id, "file renamed");
        self.index(slot);
    }

    /// A known file is there: has it changed?
    fn follow(&mut self, slot: u32, found: &Found, now: Timestamp) {
        let listing = self.survey.listings();
        let Some(stream) = self.stream_mut(slot) else { return };
        let is_settled = stream.is_known_settled(&found.facts);
        let is_changed = stream.has_changed(&found.facts);
        stream.presence = Presence::Present;
        stream.input = found.input;
        stream.is_finishing = false;
        stream.is_sought = false;
        stream.is_unwanted = false;
        stream.seen_in = listing;
        stream.seen_at = now;
        stream.facts = Facts { birth: found.facts.birth.or(stream.facts.birth), ..found.facts };
        if is_settled {
            stream.read_end = Some(stream.window.offset());
        } else if is_changed {
            stream.grow_on_disk(found.facts.size, now);
            if stream.codec.is_some() {
                stream.read_end = None;
            }
            self.hold(slot, now);
            self.queue(slot);
        }
    }

    fn next_sequence(&mut self) -> u64 {
        self.streams_begun += 1;
        self.streams_begun.wrapping_mul(SEQUENCES_APART)
    }

    /// Names an entry that is not read; more than [`SKIPPED_MAX`] are only counted.
    pub(super) fn skip(&mut self, path: PathBuf, reason: String) {
        if self.skipped.len() < SKIPPED_MAX {
            self.skipped.push(Skipped { path, reason });
        } else {
            self.skipped_more += 1;
        }
    }
}
