//! Copies of known files: what copytruncate, compression and a move to another file system leave behind.
//!
//! Enters: a file that was never seen, or a known one whose bytes are gone. Leaves: a stream that goes on in the copy where
//! it stopped in the original. Never: a copy that is shipped again; never a file that is taken for a copy by its name
//! alone, or by its first lines alone.
//!
//! A file whose name says that it may be a copy (see [`kin`]) is compared with the original:
//!
//! | original                      | bytes of the new file                              | decision                        |
//! |-------------------------------|----------------------------------------------------|---------------------------------|
//! | there                         | are the original's, as far as they go              | set aside: the original is read |
//! | truncated or rewritten        | have both prints of what was read                  | the stream moves to the copy    |
//! | gone, but held open           | are the original's, as far as they go              | it moves when all of it is read |
//! | gone                          | have both prints                                   | the stream moves to the copy    |
//! | any                           | other                                              | a new stream                    |
//!
//! The prints are the head of what was read and the bytes before the offset. Of an archive only the head is compared
//! here; the bytes before the offset are, as always, when reading gets there.

use std::fs::File;
use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

use event::Timestamp;

use super::FileInput;
use super::ack::Part;
use super::archive::Codec;
use super::content::{Content, read_full};
use super::harvest;
use super::identity::{Facts, is_same_birth};
use super::kin;
use super::paths::hash;
use super::scan::Found;
use super::stream::{Presence, Stream};
use crate::registry::Print;

/// A copy beside its original that has not changed for so long stays one; what it holds is the original's to ship.
pub const COPY_GRACE: Duration = Duration::from_secs(60);
/// Bytes at the start, and at the end, of a file that are compared with its original's.
const COMPARED_BYTES: u64 = 4096;
/// Bytes of an archive that are unpacked at most to see that it holds as much as a file of which nothing was read.
const UNPACKED_BYTES_MAX: u64 = 1 << 20;

/// How it stands with the original of a copy.
enum Standing {
    /// It is there, and will be read to its end.
    Whole,
    /// No name leads to it, but it is held open.
    Held,
    /// Its bytes are other ones by now.
    Rewritten(Facts),
    /// It is not there any more.
    Gone,
}

impl FileInput {
    /// Meets a file without a stream now, or when all others of a listing were observed.
    pub(super) fn meet_in_turn(&mut self, found: Found, generation: Option<u64>, now: Timestamp) {
        match &mut self.unmet {
            Some(unmet) => unmet.push((found, generation)),
            None => self.meet(found, generation, now),
        }
    }

    /// A file without a stream: a copy of a known one, or new. `generation` is given when its inode had a stream.
    pub(super) fn meet(&mut self, found: Found, generation: Option<u64>, now: Timestamp) {
        self.unseen.meet(&found.path, &found.facts);
        if self.by_path.is_none() {
            self.by_path = Some(self.index_paths());
        }
        if let Some(slot) = self.mounted_again(&found) {
            return self.move_to(slot, found, now);
        }
        match self.original_of(&found) {
            None => self.begin(found, generation, now),
            Some((slot, Standing::Gone)) => self.move_to(slot, found, now),
            Some((slot, Standing::Rewritten(facts))) => {
                self.rewritten(slot, facts, now);
                if !self.is_known(&found.facts) {
                    self.begin(found, generation, now);
                }
            }
            Some((slot, standing)) => {
                let modified = Timestamp::from_nanos(found.facts.modified);
                let is_kept = matches!(standing, Standing::Whole) && now.since(modified) >= COPY_GRACE;
                if is_kept {
                    tracing::info!(path = %found.path.display(), "a copy of a file that is read itself; not shipped");
                    return self.create(found, generation, true, now);
                }
                let original = self.stream(slot).map(|stream| stream.path.display().to_string());
                let reason =
                    format!("so far a copy of {}, which is read itself", original.unwrap_or_default());
                self.skip(found.path.clone(), reason);
                self.heirs.insert(slot, found.clone());
                if let Some(generation) = generation {
                    self.set_aside(found, generation, now);
                }
            }
        }
    }

    /// A copy that was written over a file with a stream: that it had one must not be forgotten, or the next stream of
    /// the inode would have the ids of an earlier one.
    fn set_aside(&mut self, found: Found, generation: u64, now: Timestamp) {
        self.create(Found { facts: Facts { size: 0, ..found.facts }, ..found }, Some(generation), false, now);
        let slot = self.by_key.get(&found.facts.key()).copied();
        if let Some(stream) = slot.and_then(|slot| self.stream_mut(slot)) {
            stream.is_aside = true;
        }
    }

    /// A file that was set aside is looked at again, as if it had no stream.
    pub(super) fn meet_again(&mut self, slot: u32, found: Found, now: Timestamp) {
        let modified = Timestamp::from_nanos(found.facts.modified);
        if let Some((original, Standing::Whole | Standing::Held)) = self.original_of(&found)
            && now.since(modified) < COPY_GRACE
        {
            self.heirs.insert(original, found);
            return;
        }
        let generation = self.stream(slot).map(|stream| stream.generation);
        self.retire(slot, now);
        self.meet(found, generation, now);
    }

    /// The stream's bytes are gone: it goes on in a copy of them, or ends.
    pub(super) fn end_or_move(&mut self, slot: u32, reason: Part, now: Timestamp) {
        match self.find_copy(slot) {
            Some(copy) => self.move_to(slot, copy, now),
            None => self.end(slot, reason, now),
        }
    }

    /// A copy of the stream's file beside the place where it lay, whether a pattern leads there or not.
    pub(super) fn find_copy(&self, slot: u32) -> Option<Found> {
        let stream = self.stream(slot).filter(|stream| stream.codec.is_none() && !stream.is_unwanted)?;
        let entries = std::fs::read_dir(stream.path.parent()?).ok()?;
        let mut copies: Vec<Found> = entries
            .filter_map(Result::ok)
            .map(|entry| entry.path())
            .filter(|path| is_of(stream, &kin::originals(path)))
            .filter_map(|path| {
                let metadata = path.symlink_metadata().ok().filter(std::fs::Metadata::is_file)?;
                let input = self.selections.iter().position(|selection| selection.is_match(&path));
                let facts = Facts::of(&metadata);
                Some(Found { path, input: input.unwrap_or(stream.input), is_link: false, facts })
            })
            .filter(|found| {
                // Without anything to compare, only a file without a stream may be the copy.
                let is_free = || stream.head.len > 0 && self.is_free(found).unwrap_or(false);
                found.facts.key() != stream.key() && (!self.is_known(&found.facts) || is_free())
            })
            .collect();
        // Where there are a plain and a compressed one, the plain one; the youngest of each.
        copies.sort_by_key(|found| {
            (Codec::of_name(&found.path).is_some(), std::cmp::Reverse(found.facts.modified))
        });
        copies.into_iter().find(|found| goes_on_in(stream, found).unwrap_or(false))
    }

    /// Whether nothing in the file is known as its own stream's: that had nothing, or its bytes are other ones by now.
    fn is_free(&self, found: &Found) -> io::Result<bool> {
        let known = self.by_key.get(&found.facts.key()).and_then(|slot| self.stream(*slot));
        let Some(known) = known else { return Ok(true) };
        if known.codec.is_some() || known.head.len == 0 {
            return Ok(known.head.len == 0);
        }
        Ok(known.is_cut_short(&found.facts) || !has_prints(known, &mut open(found)?)?)
    }

    /// The copy that the stream goes on in when its own file was read to its end, if it is still one.
    pub(super) fn heir(&mut self, slot: u32) -> Option<Found> {
        let copy = self.heirs.remove(&slot)?;
        let facts = Facts::of(&copy.path.metadata().ok()?);
        let is_it = facts.size > 0
            && facts.key() == copy.facts.key()
            && is_same_birth(facts.birth, copy.facts.birth)
            && !self.is_known(&facts);
        let copy = Found { facts, ..copy };
        let standing = self.standing(self.stream(slot)?, &copy).ok()?;
        (is_it && matches!(standing, Some(Standing::Held))).then_some(copy)
    }

    /// Takes the copy for the stream's file from now on.
    pub(super) fn move_to(&mut self, slot: u32, copy: Found, now: Timestamp) {
        let codec = File::open(&copy.path).and_then(|file| Codec::of(&copy.path, &file)).unwrap_or_default();
        let input = self.selections.iter().position(|selection| selection.is_match(&copy.path));
        let listing = self.survey.listings();
        if let Some(before) = self.by_key.get(&copy.facts.key()).copied().filter(|before| *before != slot) {
            // The copy has the inode of a file that is gone, was written over or set aside. Only what was compared is
            // known to have been that file's.
            if let Some(stream) = self.stream_mut(before) {
                stream.size = if stream.head.len == 0 { stream.read() } else { stream.own_size };
            }
            self.end(before, Part::Vanished, now);
        }
        self.close(slot);
        self.heirs.remove(&slot);
        let Some(stream) = self.stream_mut(slot) else { return };
        tracing::info!(from = %stream.path.display(), to = %copy.path.display(), stream = %stream.id,
            offset = stream.read(), "file goes on in its copy");
        let key = stream.key();
        stream.facts = copy.facts;
        stream.move_to(copy.path);
        stream.codec = codec;
        stream.read_end = None;
        stream.is_finishing = false;
        stream.is_sought = true;
        stream.error = None;
        stream.seen_at = now;
        stream.presence = Presence::Missing(now);
        if let Some(input) = input {
            stream.input = input;
            stream.presence = Presence::Present;
            stream.seen_in = listing;
        }
        stream.grow_on_disk(copy.facts.size, now);
        self.rekey(slot, key, copy.facts.key());
        self.touch(slot, now);
        self.hold(slot, now);
        self.queue(slot);
    }

    /// The stream of a file on a file system that came back under another device number, as network shares do.
    fn mounted_again(&self, found: &Found) -> Option<u32> {
        let by_path = self.by_path.as_ref()?;
        let slots = by_path.get(&hash(&found.path)).into_iter().flatten().copied();
        let mut known = slots.filter_map(|slot| Some((slot, self.stream(slot)?)));
        let is_it = |stream: &Stream| {
            !self.is_seen(stream)
                && stream.path == found.path
                && (stream.facts.inode, stream.file.is_none()) == (found.facts.inode, true)
                && stream.facts.device != found.facts.device
                && is_same_birth(stream.facts.birth, found.facts.birth)
                && stream.head.len > 0
                && goes_on_in(stream, found).unwrap_or(false)
        };
        known.find(|(_, stream)| is_it(stream)).map(|(slot, _)| slot)
    }

    /// The stream that the file is a copy of.
    fn original_of(&self, found: &Found) -> Option<(u32, Standing)> {
        let paths = kin::originals(&found.path);
        if paths.is_empty() || self.by_key.is_empty() {
            return None;
        }
        let by_path = self.by_path.as_ref()?;
        let slots = paths.iter().filter_map(|path| by_path.get(&hash(path))).flatten().copied();
        let originals = slots.filter_map(|slot| Some((slot, self.stream(slot)?)));
        let originals = originals.filter(|(_, stream)| {
            let is_read = !stream.is_aside && stream.presence != Presence::Ended;
            is_of(stream, &paths) && stream.codec.is_none() && is_read
        });
        // A file that cannot be compared now is compared again by the next scan, as a new one.
        originals.filter_map(|(slot, stream)| Some((slot, self.standing(stream, found).ok()??))).next()
    }

    fn standing(&self, stream: &Stream, found: &Found) -> io::Result<Option<Standing>> {
        if self.is_seen(stream) {
            // Gone since the scan has seen it: the next one knows more.
            let Ok(original) = File::open(&stream.path) else { return Ok(Some(Standing::Whole)) };
            let facts = Facts::of(&original.metadata()?);
            if facts.key() != stream.key() {
                return Ok(Some(Standing::Whole));
            }
            if is_copy(found, &original)? {
                return Ok(Some(Standing::Whole));
            }
            let is_whole = !stream.is_cut_short(&facts)
                && (!is_comparable(stream) || has_prints(stream, &mut Content::Plain(original))?);
            let is_rewritten = !is_whole && goes_on_in(stream, found)?;
            return Ok(is_rewritten.then_some(Standing::Rewritten(facts)));
        }
        match &stream.file {
            Some(Content::Plain(held)) => Ok(is_copy(found, held)?.then_some(Standing::Held)),
            _ => Ok(goes_on_in(stream, found)?.then_some(Standing::Gone)),
        }
    }
}

/// Whether the stream has, or had when it was first seen, one of these paths.
fn is_of(stream: &Stream, paths: &[PathBuf]) -> bool {
    let origin = stream.origin_path();
    paths.iter().any(|path| *path == stream.path || path == Path::new(&*origin))
}

fn open(found: &Found) -> io::Result<Content> {
    let file = File::open(&found.path)?;
    let codec = Codec::of(&found.path, &file)?;
    Content::new(file, codec, 0)
}

/// Whether the stream can go on in this file at the place where it stopped.
fn goes_on_in(stream: &Stream, found: &Found) -> io::Result<bool> {
    let mut copy = open(found)?;
    let is_plain = matches!(copy, Content::Plain(_));
    // As it is now: it may have grown since it was found, and the original have been cut.
    let copied = copy.metadata()?.len();
    if !is_comparable(stream) {
        // Nothing was read that could be compared, and nothing that could be sent again.
        let has_all = match stream.own_size {
            0 => false,
            size if is_plain => copied >= size,
            size => copy.read_full(size.min(UNPACKED_BYTES_MAX) - 1, &mut [0])? > 0,
        };
        return Ok(has_all && found.facts.birth >= stream.facts.birth);
    }
    Ok((!is_plain || copied >= stream.understood()) && has_prints(stream, &mut copy)?)
}

/// Whether the content has what was read of the stream. The bytes before the offset of an archive may lie far ahead;
/// those are compared when reading gets there.
fn has_prints(stream: &Stream, content: &mut Content) -> io::Result<bool> {
    let has = |content: &mut Content, print: Print| -> io::Result<bool> {
        let mut bytes = vec![0; print.len as usize];
        let read = content.read_full(print.start, &mut bytes)?;
        Ok(print.len == 0 || (read == bytes.len() && Print::of(print.start, &bytes) == print))
    };
    let tail = stream.work.as_ref().map_or(stream.tail, |work| harvest::tail_print(work));
    let is_near = |print: Print| print.start <= COMPARED_BYTES;
    let is_plain = matches!(content, Content::Plain(_));
    for print in [stream.head, tail, seen(stream)] {
        if (is_plain || is_near(print)) && !has(content, print)? {
            return Ok(false);
        }
    }
    Ok(is_comparable(stream))
}

/// What was looked at of the stream and is no record yet.
fn seen(stream: &Stream) -> Print {
    stream.work.as_ref().map_or(Print::default(), |work| work.seen)
}

/// Whether anything of the stream is known that a copy would have.
fn is_comparable(stream: &Stream) -> bool {
    stream.head.len > 0 || seen(stream).len > 0
}

/// Whether the file is a copy of `original`, as far as it goes.
fn is_copy(found: &Found, original: &File) -> io::Result<bool> {
    let mut copy = open(found)?;
    let last = found.facts.size.saturating_sub(COMPARED_BYTES);
    let starts = if matches!(copy, Content::Plain(_)) { vec![0, last] } else { vec![0] };
    for start in starts {
        let (mut ours, mut theirs) = ([0; COMPARED_BYTES as usize], [0; COMPARED_BYTES as usize]);
        let read = copy.read_full(start, &mut ours)?;
        let theirs = theirs.get_mut(..read).unwrap_or_default();
        if read_full(original, start, theirs)? < read || ours.get(..read) != Some(theirs) {
            return Ok(false);
        }
    }
    Ok(true)
}
