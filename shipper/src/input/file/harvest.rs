//! Reading one file a step further.
//!
//! Enters: a stream and an open file. Leaves: what the step read, through the stream's pipe. Never: a byte of another
//! file: each step begins a little before the read offset and compares those bytes with the ones that were read there.

use std::fs::OpenOptions;
use std::io;
use std::os::unix::fs::OpenOptionsExt;

use super::CHUNK_BYTES;
use super::carry::Carry;
use super::content::Content;
use super::identity::Facts;
use super::pipe::{Chunk, Fed, Pipe};
use super::sink::Sink;
use super::stream::{HEAD_BYTES_MAX, Stream, TAIL_BYTES_MAX};
use crate::registry::Print;
use crate::route::{LaneId, Route};

/// Chunks that one step looks ahead at most.
const AHEAD_CHUNKS_MAX: usize = 32;

/// Why a file cannot be read further.
#[derive(Debug, thiserror::Error)]
pub(super) enum HarvestError {
    /// Its bytes are not those that were read before.
    #[error("the file was truncated or rewritten")]
    Rewritten,
    /// Under the path lies another file by now; the next scan sorts it out.
    #[error("the file was replaced while it was opened")]
    Moved,
    /// The disk, or a permission.
    #[error("{0}")]
    Io(#[from] io::Error),
}

impl From<HarvestError> for io::Error {
    fn from(error: HarvestError) -> Self {
        match error {
            HarvestError::Io(error) => error,
            error => io::Error::other(error.to_string()),
        }
    }
}

/// What a step came to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Step {
    /// There is more to read.
    More,
    /// Everything there is was read.
    CaughtUp,
    /// What there is next may have to wait until this lane has room.
    Blocked(LaneId),
}

/// What a stream needs while it is read.
#[derive(Debug)]
pub(super) struct Work {
    pub pipe: Pipe,
    /// The ways of the records, also when the file has come to another input since: what follows must not overtake them.
    pub route: Route,
    /// The first bytes of the file, while there are fewer than [`HEAD_BYTES_MAX`].
    pub head: Vec<u8>,
    /// The bytes before the read offset.
    pub tail: Vec<u8>,
    /// What was looked at behind the read offset, and is not complete yet.
    pub seen: Print,
}

/// Opens the stream's file, and makes sure that it is the stream's.
pub(super) fn open(stream: &Stream) -> Result<Content, HarvestError> {
    let nonblock = i32::try_from(rustix::fs::OFlags::NONBLOCK.bits()).unwrap_or_default();
    // Without blocking, because a pipe could have taken the file's place.
    let file = OpenOptions::new().read(true).custom_flags(nonblock).open(&stream.path)?;
    let metadata = file.metadata()?;
    let facts = Facts::of(&metadata);
    if !metadata.is_file() || facts.key() != stream.key() || facts.birth != stream.facts.birth {
        return Err(HarvestError::Moved);
    }
    Ok(Content::new(file, stream.codec, stream.base.unwrap_or(0))?)
}

/// Goes to where the next read begins; false when that takes a further turn. Only an archive has a way to go.
pub(super) fn approach(stream: &Stream, file: &mut Content) -> Result<bool, HarvestError> {
    let start = match &stream.work {
        Some(work) => work.pipe.read() - work.tail.len() as u64,
        None if is_deep(stream) => stream.tail.start,
        None => 0,
    };
    Ok(file.seek(start)?)
}

/// An archive is read forwards: where its head lies far back, the bytes before the offset have to tell enough.
fn is_deep(stream: &Stream) -> bool {
    stream.codec.is_some() && stream.tail.start > HEAD_BYTES_MAX as u64
}

/// Makes what a stream needs to be read from its offset on, and compares the file with both of its prints.
pub(super) fn begin(
    stream: &Stream,
    file: &mut Content,
    route: Route,
    mut pipe: Pipe,
) -> Result<Box<Work>, HarvestError> {
    let offset = pipe.read();
    let mut head = Vec::new();
    if !is_deep(stream) {
        has_print(file, stream.head)?;
        head = read_range(file, 0, usize::try_from(offset).unwrap_or(usize::MAX).min(HEAD_BYTES_MAX))?;
    }
    has_print(file, stream.tail)?;
    let cut_bytes_min = pipe.cut_bytes_min();
    let tail_start = offset.saturating_sub(TAIL_BYTES_MAX as u64);
    let tail = read_range(file, tail_start, usize::try_from(offset - tail_start).unwrap_or_default())?;
    let first = if head.is_empty() { file.first().to_vec() } else { head.clone() };
    pipe.begin_behind(&first, &tail, || {
        let start = offset.saturating_sub(cut_bytes_min as u64);
        read_range(file, start, usize::try_from(offset - start).unwrap_or_default())
    })?;
    let learned = pipe.learns_bytes();
    if learned > 0 {
        pipe.learn(&read_range(file, offset - learned, usize::try_from(learned).unwrap_or_default())?);
    }
    Ok(Box::new(Work { pipe, route, head, tail, seen: Print::default() }))
}

fn has_print(file: &mut Content, print: Print) -> Result<(), HarvestError> {
    let is_same = print.len == 0
        || Print::of(print.start, &read_range(file, print.start, print.len as usize)?) == print;
    if is_same { Ok(()) } else { Err(HarvestError::Rewritten) }
}

fn read_range(file: &mut Content, start: u64, len: usize) -> Result<Vec<u8>, HarvestError> {
    let mut bytes = vec![0; len];
    let read = file.read_full(start, &mut bytes)?;
    if read < len { Err(HarvestError::Rewritten) } else { Ok(bytes) }
}

/// Reads once into `buffer`, and feeds what is new.
pub(super) fn step(
    work: &mut Work,
    file: &mut Content,
    buffer: &mut Vec<u8>,
    is_last: bool,
    sink: &mut Sink<'_>,
) -> Result<(Step, u64), HarvestError> {
    let read = work.pipe.read();
    // What was looked at already and is not complete is read again, so that a record lies in one piece.
    let wanted = usize::try_from(work.pipe.seen_bytes()).unwrap_or_default() + CHUNK_BYTES;
    let bytes = read_on(work, file, buffer, wanted)?;
    let chunk = Chunk { base: read, bytes };
    work.pipe.clamp(chunk.end());
    let (mut fed, mut end) = (work.pipe.feed(chunk, sink), chunk.end());
    // Behind what is sound of a damaged archive lies its error, for the next step.
    let mut is_at_end = fed == Fed::Hungry && bytes.len() < wanted && !file.is_damaged();
    if fed == Fed::Hungry && !is_at_end && work.pipe.ahead().is_some() {
        let (looked, found) = look_ahead(&mut work.pipe, file, &mut sink.scratch.ahead)?;
        end = end.max(looked);
        match found {
            Ahead::Decided => fed = work.pipe.feed(chunk, sink),
            Ahead::Ended => is_at_end = true,
            Ahead::Open => {}
        }
    }
    if is_at_end {
        if is_last {
            fed = work.pipe.finish(chunk, end, sink);
        } else {
            work.pipe.wait(chunk, end, sink);
        }
    }
    remember(work, file, chunk)?;
    let done = usize::try_from(work.pipe.read() - read).unwrap_or_default();
    let seen = done + usize::try_from(work.pipe.seen_bytes()).unwrap_or_default();
    work.seen = Print::of(work.pipe.read(), bytes.get(done..seen).unwrap_or_default());
    let step = match fed {
        Fed::Blocked(lane) => Step::Blocked(lane),
        Fed::Hungry if is_at_end => Step::CaughtUp,
        Fed::Hungry | Fed::Full => Step::More,
    };
    Ok((step, end))
}

/// Takes the record at hand out of a stream that was read to its end, for the stream in which it goes on.
pub(super) fn hand_over(
    work: &mut Work,
    file: &mut Content,
    buffer: &mut Vec<u8>,
    sink: &mut Sink<'_>,
) -> Result<Option<Carry>, HarvestError> {
    let read = work.pipe.read();
    let wanted = usize::try_from(work.pipe.position() - read).unwrap_or_default();
    let bytes = read_on(work, file, buffer, wanted)?;
    let chunk = Chunk { base: read, bytes };
    let carry = work.pipe.hand_over(chunk, sink);
    remember(work, file, chunk)?;
    work.seen = Print::default();
    Ok(carry)
}

/// Reads up to `wanted` bytes from the read offset on, when those before it, and those that were looked at already, are what
/// they were.
fn read_on<'b>(
    work: &Work,
    file: &mut Content,
    buffer: &'b mut Vec<u8>,
    wanted: usize,
) -> Result<&'b [u8], HarvestError> {
    let (read, before) = (work.pipe.read(), work.tail.len());
    resize(buffer, before + wanted);
    let buffer = buffer.get_mut(..before + wanted).unwrap_or_default();
    let count = file.read_full(read - before as u64, buffer)?;
    let (compared, bytes) =
        buffer.get(..count).unwrap_or_default().split_at_checked(before).unwrap_or((&[], &[]));
    if compared != work.tail || read + (bytes.len() as u64) < work.pipe.position() {
        return Err(HarvestError::Rewritten);
    }
    // A line without an end was looked at already; a rewritten file of the same length has another one.
    let seen = bytes.get(..work.seen.len as usize).filter(|_| work.seen.len > 0);
    if seen.is_some_and(|seen| Print::of(read, seen) != work.seen) {
        return Err(HarvestError::Rewritten);
    }
    Ok(bytes)
}

/// What a look ahead came to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Ahead {
    /// The pipe knows what it wanted to know.
    Decided,
    /// The file ends first.
    Ended,
    /// There is more to look at in the next step.
    Open,
}

/// Lets the pipe look further ahead than what is kept, for a fair share of a step; gives how far it looked.
fn look_ahead(pipe: &mut Pipe, file: &mut Content, buffer: &mut Vec<u8>) -> io::Result<(u64, Ahead)> {
    buffer.resize(CHUNK_BYTES, 0);
    let mut looked = 0;
    for _ in 0..AHEAD_CHUNKS_MAX {
        let Some(start) = pipe.ahead() else { return Ok((looked, Ahead::Decided)) };
        let count = file.read_full(start, buffer)?;
        if count == 0 && matches!(file, Content::Plain(file) if file.metadata()?.len() < start) {
            pipe.look_again();
            return Ok((0, Ahead::Ended));
        }
        looked = start + count as u64;
        if pipe.look(buffer.get(..count).unwrap_or_default()) {
            return Ok((looked, Ahead::Decided));
        }
        if count < CHUNK_BYTES {
            return Ok((looked, Ahead::Ended));
        }
    }
    Ok((looked, Ahead::Open))
}

/// Makes the buffer long enough, and gives back what one long record made it grow to.
fn resize(buffer: &mut Vec<u8>, wanted: usize) {
    if buffer.len() < wanted {
        buffer.resize(wanted, 0);
    } else if wanted <= 2 * CHUNK_BYTES && buffer.len() > 2 * CHUNK_BYTES {
        buffer.truncate(2 * CHUNK_BYTES);
        buffer.shrink_to_fit();
    }
}

/// Keeps the ends of what became records, for the prints.
fn remember(work: &mut Work, file: &mut Content, chunk: Chunk<'_>) -> Result<(), HarvestError> {
    let read = work.pipe.read();
    if read > chunk.end() {
        // The rest of a long line, or a hole, was skipped without a look.
        let len = |most: usize| usize::try_from(read).unwrap_or(usize::MAX).min(most);
        if work.head.len() < HEAD_BYTES_MAX && chunk.base == work.head.len() as u64 {
            work.head = read_range(file, 0, len(HEAD_BYTES_MAX))?;
        }
        let tail_bytes = len(TAIL_BYTES_MAX);
        work.tail = read_range(file, read - tail_bytes as u64, tail_bytes)?;
        return Ok(());
    }
    let done = usize::try_from(read - chunk.base).unwrap_or_default();
    let bytes = chunk.bytes.get(..done).unwrap_or_default();
    if work.head.len() < HEAD_BYTES_MAX && chunk.base == work.head.len() as u64 {
        let more = bytes.len().min(HEAD_BYTES_MAX - work.head.len());
        work.head.extend_from_slice(bytes.get(..more).unwrap_or_default());
    }
    let keep = TAIL_BYTES_MAX.saturating_sub(bytes.len()).min(work.tail.len());
    work.tail.drain(..work.tail.len() - keep);
    let from = bytes.len().saturating_sub(TAIL_BYTES_MAX);
    work.tail.extend_from_slice(bytes.get(from..).unwrap_or_default());
    Ok(())
}

/// The print of the bytes before the read offset.
pub(super) fn tail_print(work: &Work) -> Print {
    Print::of(work.pipe.read() - work.tail.len() as u64, &work.tail)
}
