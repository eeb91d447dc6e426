//! Files that grow.
//!
//! Enters: bytes of files whose paths match. Leaves: batches of encoded records. Never: an offset that moves before
//! its record is settled; never a wait: the machine reads what is there and says when it wants to look again.
//!
//! ```text
//! scan, hints -> identity -> streams -> harvest -> frame -> join, parse, encode -> Batch
//!                registry <- ack    <----------------------------- Settled <--------'
//! ```
//! [`FileInput`] is the state machine, for all file inputs of a shipper: time is an argument, and one thread drives it
//! ([`spawn`]). The scan is the truth; file events only make it look sooner.

mod ack;
mod adopt;
mod anchor;
mod archive;
mod books;
mod carry;
mod commit;
mod config;
mod container;
mod content;
mod copy;
mod encoding;
mod end;
mod frame;
mod glob;
mod harvest;
mod hint;
mod identity;
mod in_flight;
mod kin;
mod line_end;
mod meet;
pub mod metric;
mod open;
mod part;
mod paths;
mod pinned;
mod pipe;
mod plain;
mod preview;
mod process;
mod queue;
mod read;
mod recipe;
mod resume;
mod review;
mod run;
mod scan;
mod seam;
mod sink;
mod status;
mod strand;
mod strands;
mod stream;
mod survey;
mod track;
mod unseen;
mod watch;

use std::collections::{BTreeMap, BTreeSet, HashMap, VecDeque};
use std::path::PathBuf;
use std::time::Duration;

use daemon::Readiness;
use event::{StreamId, Timestamp};

pub use self::adopt::{AdoptError, Adopted, Identity, adopt};
use self::anchor::Anchoring;
pub use self::archive::Codec;
use self::books::Books;
pub use self::config::{FileConfig, Start, TooLong};
pub use self::container::Container;
pub use self::encoding::Encoding;
pub use self::glob::GlobError;
use self::identity::Key;
use self::in_flight::InFlight;
pub use self::meet::{Meeting, meet};
pub use self::metric::{FileMetrics, TABLE};
pub use self::open::{Deps, OpenError};
pub use self::pinned::{Beyond, PinnedConfig};
pub use self::preview::{Plain, PreviewError, Previewed, Sighting, find, matches, plain, preview};
use self::queue::Queue;
use self::recipe::Recipe;
pub use self::run::{Handle, Inbox, RunDeps, spawn};
use self::scan::Selection;
pub use self::scan::Skipped;
use self::seam::Seams;
use self::sink::Scratch;
pub use self::status::{FileStatus, FileTotals, Order, Query, StreamStatus, Waiting};
pub use self::stream::Presence;
use self::stream::Stream;
use self::survey::Survey;
use self::unseen::Unseen;
use crate::batch::{Outbox, Ticket};
use crate::registry::{Doubt, Registry};
use crate::route::{Lanes, Switch};

/// Bytes that one step reads of one file.
pub const CHUNK_BYTES: usize = 256 << 10;
/// A batch takes no further record when it has so many bytes.
pub const BATCH_BYTES: usize = 512 << 10;
/// Bytes of encoded records without a fate at which reading stops; lanes have equal shares.
pub const IN_FLIGHT_BYTES_MAX: u64 = 12 << 20;
/// Time between two scans.
pub const SCAN_EVERY: Duration = Duration::from_secs(1);
/// Time from an ack to the group commit that makes it durable; the disk is waited for beside the reader.
pub const COMMIT_EVERY: Duration = Duration::from_secs(1);
/// How long a file keeps its descriptor after it last gave something.
pub const CLOSE_IDLE: Duration = Duration::from_secs(60);
/// How long a deleted file that was read to its end is held, for a writer that has not noticed yet.
pub const DELETED_GRACE: Duration = Duration::from_secs(5);
/// How long a file may be missing before its unread bytes count as lost and it stops to count as a backlog.
pub const MISSING_GRACE: Duration = Duration::from_secs(60);
/// How long a missing file is remembered; when it comes back later, it is a new one.
pub const FORGET_AFTER: Duration = Duration::from_secs(24 * 3600);

/// What to do after [`FileInput::poll`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Poll {
    /// The batch is full, and there is more: send it and call again.
    More,
    /// Nothing to read until [`FileInput::deadline`] or a hint.
    Idle,
    /// What there is to read is for lanes that are closed, or have their share of [`IN_FLIGHT_BYTES_MAX`] in flight:
    /// open them, settle some, or wait for [`FileInput::deadline`].
    Blocked,
}

/// All file inputs of one shipper.
#[derive(Debug)]
pub struct FileInput {
    host: String,
    inputs: Vec<Recipe>,
    selections: Vec<Selection>,
    lanes: Lanes,
    readiness: Readiness,
    registry: Registry,
    /// A file that was born before and is not known was there before its input: it begins at the start position.
    known_until: Timestamp,

    slots: Vec<Option<Box<Stream>>>,
    free: VecDeque<u32>,
    by_key: HashMap<Key, u32>,
    /// Streams with something to read, in the order of their turns.
    ready: Queue,
    /// When joined lines become records by themselves.
    timers: BTreeSet<(Timestamp, u32)>,
    streams_begun: u64,
    files_open: usize,
    /// Streams whose file is open, in the order of opening.
    open_order: VecDeque<u32>,
    files_open_max: usize,
    /// Streams by path, to find the original of a copy; made when a new file asks for it.
    by_path: Option<paths::Paths>,
    /// By stream: the copy that it goes on in when its own file is gone and was read to its end.
    heirs: HashMap<u32, scan::Found>,
    /// Files that were found since the log last told of how many.
    found: usize,
    /// Files that each input follows, as counted by the last scan that met new ones.
    followed: Vec<u32>,
    /// While a listing is observed: its files without a stream, with the generation that each begins.
    unmet: Option<Vec<(scan::Found, Option<u64>)>>,
    pinned: PinnedConfig,
    spooling: Option<Box<pinned::Spooling>>,
    /// Streams that go on in a copy, the oldest first.
    spooled: Vec<u32>,

    scans: u64,
    ticked_at: Timestamp,
    next_scan: Timestamp,
    skipped: Vec<Skipped>,
    skipped_more: u64,
    survey: Survey,
    folders: BTreeMap<PathBuf, Key>,
    /// How often they have changed.
    folders_changed: u64,
    /// Where a look at a path that was written to led; see `hint`.
    written: HashMap<PathBuf, u32>,
    /// Where the next scan goes on with closed files.
    next_review: usize,

    dirty: Vec<u32>,
    removed: Vec<StreamId>,
    next_commit: Option<Timestamp>,
    /// The batch at hand has the first record of a stream that the registry does not know yet.
    has_unnamed: bool,
    anchoring: Anchoring,
    /// What the last owner of the registry left in doubt, until the output takes it.
    doubt: Option<Doubt>,
    /// When the registry was last told that records are on their way.
    touched: Option<Timestamp>,

    books: Books,
    unseen: Unseen,
    /// The sums as the registry had them.
    resumed: FileTotals,
    in_flight: InFlight,
    switch: Switch,
    switched_off: u64,
    multiline_cuts: u64,
    /// Where a record goes on from one stream to the next.
    seams: Seams,
    buffer: Vec<u8>,
    scratch: Scratch,
}

impl FileInput {
    /// Does what is due, reads a fair share of every file that has something, and adds the records to the batches of
    /// their lanes. What is meant for a lane that is closed, or has its share in flight, stays unread.
    pub fn poll(&mut self, now: Timestamp, out: &mut Outbox) -> Poll {
        self.tick(now);
        let poll = self.read_turns(now, out);
        if std::mem::take(&mut self.has_unnamed) {
            // How a stream begins is durable before a record of it is sent. Else a file that is rewritten before the
            // first commit would, after a kill, give other lines the ids of those that were sent. A disk that refuses
            // does not stop the logs; the readiness part tells of it.
            let _ = self.checkpoint(now);
        }
        poll
    }

    fn read_turns(&mut self, now: Timestamp, out: &mut Outbox) -> Poll {
        self.unpark(out);
        self.summarize(now, out);
        while !out.is_full(BATCH_BYTES) {
            let Some(slot) = self.ready.pop() else {
                return if self.ready.parked().is_empty() { Poll::Idle } else { Poll::Blocked };
            };
            match self.closed_lane(slot, out) {
                None => self.read_step(slot, now, out),
                Some(lane) => self.park(slot, lane),
            }
        }
        Poll::More
    }

    /// Does what is due without reading: scans, ends waits, commits. [`FileInput::poll`] does it too; a caller that may
    /// not read now calls this, so that rotated files are still held before they go.
    pub fn tick(&mut self, now: Timestamp) {
        self.notice_pause(now);
        self.ticked_at = now;
        self.switch.tick(now);
        // A clock that was set back must not put the next look off.
        if self.next_scan <= now || self.next_scan.since(now) > SCAN_EVERY {
            self.scan(now);
            self.keep_budget(now);
        }
        self.spool_step(now);
        while let Some(&(due, slot)) = self.timers.first().filter(|(due, _)| *due <= now) {
            self.timers.remove(&(due, slot));
            if let Some(stream) = self.stream_mut(slot) {
                stream.timer = None;
            }
            self.queue(slot);
        }
        self.tick_processors(now);
        if self.next_commit.is_some_and(|due| due <= now || due.since(now) > COMMIT_EVERY) {
            self.commit_behind(now);
        }
        self.touch_registry(now);
    }

    /// When [`FileInput::poll`] has something to do although no fate and no hint came.
    #[must_use]
    pub fn deadline(&self) -> Option<Timestamp> {
        let timer = self.timers.first().map(|(due, _)| *due);
        let spool = self.spooling.as_ref().map(|_| self.ticked_at.plus(pinned::STEP_EVERY));
        let summary = self.processors_deadline();
        [Some(self.next_scan), timer, self.next_commit, spool, summary].into_iter().flatten().min()
    }

    /// The folders that lead to files: what to watch for file events; and how often they have changed.
    pub(super) fn folders(&self) -> (&BTreeMap<PathBuf, Key>, u64) {
        (&self.folders, self.folders_changed)
    }

    /// Bytes of encoded records without a fate.
    #[must_use]
    pub fn in_flight_bytes(&self) -> u64 {
        self.in_flight.sum()
    }

    fn stream(&self, slot: u32) -> Option<&Stream> {
        self.slots.get(slot as usize)?.as_deref()
    }

    fn stream_mut(&mut self, slot: u32) -> Option<&mut Stream> {
        self.slots.get_mut(slot as usize)?.as_deref_mut()
    }

    /// A slot for a further stream; `None` when there are too many.
    fn free_slot(&mut self) -> Option<u32> {
        if let Some(slot) = self.free.pop_front() {
            return Some(slot);
        }
        let slot = u32::try_from(self.slots.len()).ok().filter(|slot| *slot < Ticket::SLOTS_MAX)?;
        self.slots.push(None);
        Some(slot)
    }
}

#[cfg(test)]
mod test;
