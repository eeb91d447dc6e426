//! One generation of one file.
//!
//! Enters: what the scan sees of it, what reads and acks change. Leaves: its ledger and its registry entry.
//! Never: a decision about other streams. A stream that was read to its end and is idle is only these few words: no
//! descriptor, no buffer.

use std::borrow::Cow;
use std::collections::VecDeque;
use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};
use std::time::Duration;

use event::{StreamId, Timestamp};

use super::SCAN_EVERY;
use super::ack::Window;
use super::archive::Codec;
use super::content::Content;
use super::harvest::Work;
use super::identity::{Facts, Key};
use crate::registry::{Entry, Packed, Print};
use crate::route::LaneId;

/// Bytes at the start of a file that its head print covers at most.
pub(super) const HEAD_BYTES_MAX: usize = 1024;
/// Bytes before an offset that a tail print covers at most, and that each read compares again.
pub(super) const TAIL_BYTES_MAX: usize = 256;
/// Tail prints of one stream that wait for acks; more are merged into the last.
const MARKS_MAX: usize = 64;
/// Sizes at which a stream was seen to grow and that wait for acks; more become half as many; the last keeps its time.
const GROWTHS_MAX: usize = 64;
/// How long after it last gave something each scan looks at a file.
const HOT_FOR: Duration = Duration::from_secs(10);

/// Whether a stream's file is there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Presence {
    /// Under its path.
    Present,
    /// Under no path that matches, since then.
    Missing(Timestamp),
    /// Under no path at all.
    Deleted,
    /// Its bytes are gone: truncated, rewritten, or its inode used again. It waits for the last acks.
    Ended,
}

/// One stream.
#[derive(Debug)]
pub(super) struct Stream {
    pub id: StreamId,
    /// The input it belongs to.
    pub input: usize,
    /// Where it lies now.
    pub path: PathBuf,
    /// Where it lay when it was first seen, unless it still lies there: `log.file.path`.
    origin_path: Option<Box<str>>,
    pub facts: Facts,
    /// How the file is compressed. Offsets and sizes of the stream are those of the plain bytes, and only
    /// [`Facts::size`] is what the file takes on the disk.
    pub codec: Option<Codec>,
    /// Set when the file is our own copy of one that was deleted: the offset of the first byte that it holds.
    pub base: Option<u64>,
    /// What the registry has of an archive's size: see [`Packed::size`].
    pub settled_on_disk: u64,
    pub generation: u64,
    pub presence: Presence,
    /// How long the file is, by the last look or read.
    pub size: u64,
    /// How long it was when its bytes were last compared with those that were read before.
    pub own_size: u64,
    /// Where the last read found its end; `None` while it was not read.
    pub read_end: Option<u64>,
    pub window: Window,
    pub head: Print,
    /// Ends at or before the settled offset.
    pub tail: Print,
    /// Tail prints that wait for the offset to pass them.
    pub marks: VecDeque<Print>,
    pub growths: VecDeque<(u64, Timestamp)>,
    pub file: Option<Content>,
    pub work: Option<Box<Work>>,
    /// The number of the listing that last found its name.
    pub seen_in: u64,
    /// The number of the scan that last looked at it.
    pub reviewed_in: u64,
    pub seen_at: Timestamp,
    /// When a read last gave something new.
    pub active_at: Timestamp,
    /// When its timer is set to; it is in the input's set then.
    pub timer: Option<Timestamp>,
    pub is_queued: bool,
    /// The lane that has no room for what comes next in it.
    pub waits_for: Option<LaneId>,
    pub is_dirty: bool,
    /// What was told of its ledger last, as one number.
    pub told: u64,
    /// The registry knows how its bytes begin.
    pub is_named: bool,
    /// A copy was written over the file: it is not read, as long as it stays one.
    pub is_aside: bool,
    /// Nothing is left to be read after a grace: what has no line end yet is a record.
    pub is_finishing: bool,
    /// Whether its folder was searched for it since it went missing.
    pub is_sought: bool,
    /// The file is there and no pattern leads to it.
    pub is_unwanted: bool,
    /// Bytes of too long lines that the log has told of.
    pub told_too_long: u64,
    pub error: Option<String>,
}

impl Stream {
    /// A file that was never seen; what lies before `start` is not shipped.
    pub(super) fn new(id: StreamId, path: PathBuf, facts: Facts, generation: u64, now: Timestamp) -> Self {
        Stream {
            id,
            input: 0,
            origin_path: None,
            path,
            facts,
            codec: None,
            base: None,
            settled_on_disk: 0,
            generation,
            presence: Presence::Present,
            size: facts.size,
            own_size: facts.size,
            read_end: None,
            window: Window::default(),
            head: Print::default(),
            tail: Print::default(),
            marks: VecDeque::new(),
            growths: VecDeque::new(),
            file: None,
            work: None,
            seen_in: 0,
            reviewed_in: 0,
            seen_at: now,
            active_at: now,
            timer: None,
            is_queued: false,
            waits_for: None,
            is_dirty: false,
            told: 0,
            is_named: false,
            is_aside: false,
            is_finishing: false,
            is_sought: false,
            is_unwanted: false,
            told_too_long: 0,
            error: None,
        }
    }

    /// A file that the registry knows and no scan has seen yet.
    pub(super) fn from_entry(entry: Entry, first_sequence: u64, now: Timestamp) -> Self {
        let facts = Facts {
            device: entry.device,
            inode: entry.inode,
            birth: entry.birth,
            size: entry.packed.map_or(entry.size, |packed| packed.size),
            modified: 0,
            links: 1,
        };
        let path = PathBuf::from(entry.path);
        let mut stream = Stream::new(entry.stream, path, facts, entry.generation, now);
        stream.window = Window::resume(first_sequence, entry.offset, entry.filtered, entry.lost);
        stream.presence = Presence::Missing(now);
        stream.codec = entry.packed.map(|packed| packed.codec);
        stream.base = entry.packed.and_then(|packed| packed.base);
        stream.settled_on_disk = entry.packed.map_or(0, |packed| packed.size);
        stream.size = entry.size;
        stream.own_size = entry.size;
        stream.head = entry.head;
        stream.is_aside = entry.aside;
        stream.is_named = entry.head.len > 0;
        stream.tail = entry.tail;
        stream.seen_at = entry.seen;
        stream.told_too_long = entry.lost.line_too_long;
        stream
    }

    /// What the registry keeps.
    pub(super) fn entry(&self) -> Entry {
        Entry {
            stream: self.id,
            path: self.origin_path().into_owned(),
            device: self.facts.device,
            inode: self.facts.inode,
            birth: self.facts.birth,
            generation: self.generation,
            offset: self.window.offset(),
            size: self.size,
            packed: self.codec.map(|codec| Packed { codec, size: self.settled_size(), base: self.base }),
            aside: self.is_aside,
            head: self.head,
            tail: self.tail,
            filtered: self.window.filtered(),
            lost: *self.window.lost(),
            seen: self.seen_at,
        }
    }

    pub(super) fn key(&self) -> Key {
        self.facts.key()
    }

    /// Where it lay when it was first seen: `log.file.path`.
    pub(super) fn origin_path(&self) -> Cow<'_, str> {
        self.origin_path.as_deref().map_or_else(|| self.path.to_string_lossy(), Cow::Borrowed)
    }

    /// Notes where it lies now; gives where it lay.
    pub(super) fn move_to(&mut self, path: PathBuf) -> PathBuf {
        if self.origin_path.is_none() {
            self.origin_path = Some(self.path.to_string_lossy().into());
        }
        std::mem::replace(&mut self.path, path)
    }

    /// Gives back what only reading needs, when the file is closed and nothing is half read or in flight. Many thousand
    /// files may lie idle; each of them then is what the registry has of it, and little more.
    pub(super) fn rest(&mut self) {
        let is_whole = self.work.as_ref().is_none_or(|work| {
            let read = work.pipe.read();
            work.pipe.position() == read && self.window.offset() == read
        });
        if is_whole
            && self.file.is_none()
            && self.window.is_empty()
            && self.timer.is_none()
            && !self.is_queued
        {
            self.work = None;
            self.window.shrink();
            self.marks.shrink_to_fit();
            self.growths.shrink_to_fit();
        }
    }

    /// Whether its path is `name` in `folder`.
    pub(super) fn is_at(&self, folder: &Path, name: &OsStr) -> bool {
        let path = self.path.as_os_str().as_bytes().strip_prefix(folder.as_os_str().as_bytes());
        let rest = path.and_then(|rest| rest.strip_suffix(name.as_bytes()));
        // The root folder ends with the slash that others lack.
        matches!(rest, Some(b"/")) || (rest == Some(b"") && folder == Path::new("/"))
    }

    /// True when the file with these facts, at the same inode, cannot hold what was read of it.
    pub(super) fn is_cut_short(&self, facts: &Facts) -> bool {
        facts.size < self.floor()
    }

    /// The least size that the file may have without having lost something: what was read, or of an archive what it had.
    pub(super) fn floor(&self) -> u64 {
        match self.codec {
            Some(_) => self.facts.size,
            // Nothing was read that a read could compare.
            None if self.head.len == 0 => self.size,
            None => self.understood().max(u64::from(self.head.len)),
        }
    }

    /// True when a look at the file shows something new since its last read.
    pub(super) fn has_changed(&self, facts: &Facts) -> bool {
        let is_read = match self.codec {
            None => self.read_end == Some(facts.size),
            Some(_) => self.read_end.is_some() && self.facts.size == facts.size,
        };
        !is_read || self.facts.modified != facts.modified || self.error.is_some()
    }

    /// True for a file of the registry that has not changed since it was last seen, and needs no look inside.
    pub(super) fn is_known_settled(&self, facts: &Facts) -> bool {
        let is_settled = match self.codec {
            None => {
                self.window.offset() == facts.size
                    && Timestamp::from_nanos(facts.modified).plus(SCAN_EVERY) < self.seen_at
            }
            // A whole archive is not written again.
            Some(_) => facts.size > 0 && self.settled_on_disk == facts.size,
        };
        self.read_end.is_none() && is_settled
    }

    /// What the registry keeps of an archive's size: zero until all of it is settled.
    fn settled_size(&self) -> u64 {
        let is_settled = self.is_caught_up() && self.window.is_empty() && self.window.offset() == self.size;
        if is_settled { self.facts.size } else { 0 }
    }

    /// Where the next read starts.
    pub(super) fn read(&self) -> u64 {
        self.work.as_ref().map_or(self.window.offset(), |work| work.pipe.read())
    }

    /// The end of the bytes that were read and understood.
    pub(super) fn understood(&self) -> u64 {
        self.work.as_ref().map_or(self.window.offset(), |work| work.pipe.position())
    }

    /// True when everything there is was read; what is left has no line end yet, or waits for its next line.
    pub(super) fn is_caught_up(&self) -> bool {
        self.read_end.is_some_and(|end| end >= self.size)
    }

    /// True when a look at it found what the last read found.
    pub(super) fn is_unchanged(&self, facts: &Facts) -> bool {
        let is_read = match self.codec {
            None => self.read_end == Some(facts.size),
            Some(_) => self.read_end.is_some(),
        };
        is_read
            && self.error.is_none()
            && Facts { birth: facts.birth.or(self.facts.birth), links: self.facts.links, ..*facts }
                == self.facts
    }

    /// True while it is being read: it has more, or has had something not long ago.
    pub(super) fn is_hot(&self, now: Timestamp) -> bool {
        !self.is_caught_up() || now.since(self.active_at) < HOT_FOR
    }

    /// Notes the size at `now`.
    pub(super) fn grow(&mut self, size: u64, now: Timestamp) {
        let has_grown = size > self.size || (self.growths.is_empty() && size > self.window.offset());
        self.size = self.size.max(size);
        if !has_grown {
            return;
        }
        if self.growths.len() >= GROWTHS_MAX {
            let pairs = self.growths.make_contiguous().chunks(2);
            self.growths = pairs.filter_map(|pair| Some((pair.last()?.0, pair.first()?.1))).collect();
        }
        self.growths.push_back((self.size, now));
    }

    /// Notes the file's size on the disk at `now`; how much text an archive holds shows only when it is read.
    pub(super) fn grow_on_disk(&mut self, size: u64, now: Timestamp) {
        if self.codec.is_none() {
            self.grow(size, now);
        }
    }

    /// Notes that the bytes before the read offset are those that `tail` prints.
    pub(super) fn mark(&mut self, tail: Print) {
        let is_full = self.marks.len() >= MARKS_MAX;
        match self.marks.back_mut() {
            Some(last) if is_full || last.end() == tail.end() => *last = tail,
            _ => self.marks.push_back(tail),
        }
    }

    /// Takes over what the settled offset has passed.
    pub(super) fn settled(&mut self) {
        let offset = self.window.offset();
        while let Some(mark) = self.marks.pop_front_if(|mark| mark.end() <= offset) {
            self.tail = mark;
        }
        while self.growths.pop_front_if(|(end, _)| *end <= offset).is_some() {}
    }

    /// Since when there has been something to ship; `None` when everything that is complete is settled.
    pub(super) fn behind_since(&self) -> Option<Timestamp> {
        let is_waiting = self.is_caught_up() && self.window.is_empty();
        let is_gone = matches!(self.presence, Presence::Missing(_)) && self.file.is_none();
        if is_waiting || is_gone { None } else { self.growths.front().map(|(_, since)| *since) }
    }

    /// Since when there has been something to read; what was read may still be on its way.
    pub(super) fn unread_since(&self) -> Option<Timestamp> {
        let behind = self.behind_since()?;
        let read = self.read();
        let unread = self.growths.iter().find(|(end, _)| *end > read);
        (!self.is_caught_up()).then(|| unread.map_or(behind, |(_, since)| *since))
    }
}
