//! What a scan did not find, and what has been idle.
//!
//! Enters: streams after a scan. Leaves: files that are held and read to their end although no pattern leads to them,
//! descriptors given back, streams that have ended. Never: a file that vanishes with unread bytes and without a word.

use std::io::ErrorKind;

use std::os::unix::fs::MetadataExt;
use std::time::Duration;

use event::Timestamp;

use super::ack::Part;
use super::content::Content;
use super::identity::Facts;
use super::pinned::is_read_out;
use super::scan::{self, Found};
use super::stream::{Presence, Stream};
use super::{CLOSE_IDLE, DELETED_GRACE, FORGET_AFTER, FileInput, MISSING_GRACE};

/// Idle files that each scan looks at; with more of them it takes several scans, up to [`REVIEW_SCANS_MAX`].
const REVIEWS_MIN: usize = 2000;
/// Scans until each idle file was looked at: the longest that a change may go unseen of which neither a folder nor a
/// file event told.
pub const REVIEW_SCANS_MAX: usize = 10;

impl FileInput {
    /// What a scan does for known streams: it looks at those that are being read, and at some of the others. After a listing
    /// it knows which names are gone.
    pub(super) fn review_streams(&mut self, is_listed: bool, now: Timestamp) {
        let is_hot = |slot: &u32| self.stream(*slot).is_some_and(|s| !self.is_seen(s) || s.is_hot(now));
        let hot: Vec<u32> = self.open_order.iter().copied().filter(is_hot).collect();
        for slot in hot {
            self.review(slot, now);
        }
        let slots = self.slots.len();
        if is_listed {
            for slot in 0..u32::try_from(slots).unwrap_or(u32::MAX) {
                let is_gone = self.stream(slot).is_some_and(|stream| {
                    !(self.is_seen(stream) || stream.is_sought || stream.presence == Presence::Ended)
                });
                if is_gone {
                    self.review(slot, now);
                }
            }
        }
        let next = self.next_review;
        let count = slots.min(REVIEWS_MIN.max(slots.div_ceil(REVIEW_SCANS_MAX)));
        for place in next..next + count {
            self.review(u32::try_from(place % slots).unwrap_or(u32::MAX), now);
        }
        self.next_review = (next + count) % slots.max(1);
    }

    /// Looks at one stream.
    fn review(&mut self, slot: u32, now: Timestamp) {
        let scans = self.scans;
        let Some(stream) = self.stream_mut(slot) else { return };
        let is_done = std::mem::replace(&mut stream.reviewed_in, scans) == scans;
        if is_done || stream.presence == Presence::Ended {
            return;
        }
        let too_long = stream.window.lost().line_too_long;
        if too_long > stream.told_too_long {
            let (path, lost_bytes) = (stream.path.display().to_string(), too_long - stream.told_too_long);
            tracing::warn!(path, lost_bytes, "lines longer than `line_bytes_max` were cut");
            stream.told_too_long = too_long;
        }
        let is_there =
            self.stream(slot).is_some_and(|stream| self.is_seen(stream)) && self.review_path(slot, now);
        let Some(stream) = self.stream_mut(slot).filter(|stream| stream.presence != Presence::Ended) else {
            return;
        };
        let is_quiet = stream.is_caught_up() && stream.timer.is_none() && !stream.is_queued;
        match (is_there, stream.file.is_some()) {
            (true, true) if is_quiet && now.since(stream.active_at) >= CLOSE_IDLE => {
                if stream.codec.is_some() && stream.read() < stream.size && !stream.is_finishing {
                    // Nobody appends to an archive: its last line needs no end.
                    stream.is_finishing = true;
                    self.queue(slot);
                } else {
                    self.close(slot);
                }
            }
            (true, _) => {}
            (false, true) => self.review_held(slot, now),
            (false, false) => self.review_missing(slot, now),
        }
    }

    /// Under its path: has it changed? False when it is not there any more.
    fn review_path(&mut self, slot: u32, now: Timestamp) -> bool {
        let Some(stream) = self.stream_mut(slot) else { return false };
        let Some(metadata) = stream.path.metadata().ok().filter(std::fs::Metadata::is_file) else {
            stream.seen_in = 0;
            self.survey.doubt();
            return false;
        };
        let facts = Facts::of(&metadata);
        let is_same = facts.key() == stream.key();
        if is_same && stream.is_unchanged(&facts) {
            stream.seen_at = now;
            return true;
        }
        let found = Found { path: stream.path.clone(), input: stream.input, is_link: false, facts };
        if !is_same {
            stream.seen_in = 0;
        }
        self.observe(found, false, now);
        is_same
    }

    /// Under no path that matches, but held open: it is read to its end, and a while beyond.
    fn review_held(&mut self, slot: u32, now: Timestamp) {
        let Some(stream) = self.stream_mut(slot) else { return };
        let Some(Ok(metadata)) = stream.file.as_ref().map(Content::metadata) else { return };
        let facts = Facts::of(&metadata);
        let (is_changed, is_cut_short) = (stream.has_changed(&facts), stream.is_cut_short(&facts));
        stream.facts = Facts { birth: stream.facts.birth, ..facts };
        stream.presence = if facts.links == 0 {
            Presence::Deleted
        } else {
            match stream.presence {
                Presence::Missing(since) => Presence::Missing(since),
                _ => Presence::Missing(now),
            }
        };
        let grace = match stream.base {
            // Nobody writes to our own copy.
            Some(_) => Duration::ZERO,
            None if facts.links == 0 => DELETED_GRACE,
            None => CLOSE_IDLE,
        };
        let is_over = stream.is_caught_up() && !is_changed && now.since(stream.active_at) >= grace;
        if is_cut_short {
            self.rewritten(slot, facts, now);
        } else if is_changed {
            stream.grow_on_disk(facts.size, now);
            stream.is_finishing = false;
            self.queue(slot);
        } else if is_over && !stream.is_finishing {
            stream.is_finishing = true;
            self.queue(slot);
        } else if is_over && stream.window.is_empty() {
            let is_deleted = stream.presence == Presence::Deleted || stream.base.is_some();
            if let Some(copy) = self.heir(slot) {
                self.move_to(slot, copy, now);
            } else if is_deleted {
                self.retire(slot, now);
            } else {
                self.close(slot);
            }
        }
    }

    fn review_missing(&mut self, slot: u32, now: Timestamp) {
        if let Some(stream) = self.stream(slot).filter(|stream| stream.base.is_some()) {
            // A copy waits for its turn, or for its last acknowledgements, unless somebody has removed it.
            let (is_over, is_read_out) = (stream.window.is_empty(), is_read_out(stream));
            if is_read_out && is_over {
                self.retire(slot, now);
            } else if !is_read_out && is_gone(stream) {
                self.end(slot, Part::Vanished, now);
            }
            return;
        }
        let Some(stream) = self.stream_mut(slot) else { return };
        let since = match stream.presence {
            Presence::Missing(since) if stream.is_sought => since,
            _ => {
                stream.is_sought = true;
                stream.presence = Presence::Missing(now);
                return self.seek_stray(slot, now);
            }
        };
        if self.has_grown_astray(slot) && self.hold(slot, now) {
            return self.queue(slot);
        }
        let Some(stream) = self.stream(slot) else { return };
        let missing = now.since(since);
        let has_unread = stream.size > stream.read() && !stream.is_unwanted && missing >= MISSING_GRACE;
        if (has_unread && is_gone(stream)) || missing >= FORGET_AFTER {
            self.end(slot, Part::Vanished, now);
        }
    }

    /// A rotation that renames out of the pattern mostly stays in the folder: there the file is held, and read to its end.
    fn seek_stray(&mut self, slot: u32, now: Timestamp) {
        let Some(stream) = self.stream(slot).filter(|stream| !stream.is_unwanted) else { return };
        let Some(path) = scan::find_inode(&stream.path, &stream.facts) else {
            if let Some(copy) = self.find_copy(slot) {
                self.move_to(slot, copy, now);
            }
            return;
        };
        if let Some(stream) = self.stream_mut(slot) {
            if path == stream.path {
                // It is where it was: no pattern is meant for it any more.
                stream.is_unwanted = true;
                return;
            }
            let from = stream.move_to(path);
            tracing::info!(from = %from.display(), to = %stream.path.display(), stream = %stream.id, "file renamed");
        }
        if self.hold(slot, now) {
            self.queue(slot);
        }
    }

    /// Whether a file that was renamed out of the pattern, and closed when it was idle, is written to again.
    fn has_grown_astray(&mut self, slot: u32) -> bool {
        let Some(stream) = self.stream_mut(slot).filter(|stream| !stream.is_unwanted) else { return false };
        let Ok(facts) = stream.path.metadata().map(|metadata| Facts::of(&metadata)) else { return false };
        let is_same = facts.key() == stream.key() && facts.birth == stream.facts.birth;
        let is_longer = stream.codec.is_none() && facts.size > stream.read_end.unwrap_or(stream.read());
        let has_grown = is_same && is_longer;
        stream.is_finishing &= !has_grown;
        has_grown
    }
}

/// Whether the file is known not to be under its path. A folder that cannot be read says nothing of what lies in it, and
/// a file system that is not mounted now says nothing of its files.
fn is_gone(stream: &Stream) -> bool {
    match stream.path.metadata() {
        Ok(metadata) => Facts::of(&metadata).key() != stream.key(),
        Err(error) => {
            let is_missing = matches!(error.kind(), ErrorKind::NotFound | ErrorKind::NotADirectory);
            let folder = stream.path.ancestors().skip(1).find_map(|folder| folder.metadata().ok());
            is_missing && folder.is_none_or(|folder| folder.dev() == stream.facts.device)
        }
    }
}
