//! What deleted files cost the user's disk, and where that ends.
//!
//! Enters: files that were deleted before they were shipped, and are held open. Leaves: their disk space, when they hold
//! more than the user allows: by a compressed copy in the registry's folder, or by giving the oldest up. Never: a byte
//! that is given up without being counted.
//!
//! Copies are read one after the other, because each costs a decoder; the next is begun as soon as one is read to its end.
//! A copy is made in small steps between reads. It begins where a restart would have to read again, and the stream goes on
//! in it as in any archive. What its writer adds to a deleted file after it was copied is seen by nobody.

use std::fs::{self, File};
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::time::Duration;

use event::Timestamp;
use schemars::JsonSchema;
use serde::Deserialize;
use yaml::ByteSize;

use super::FileInput;
use super::ack::Part;
use super::archive::Codec;
use super::content::Content;
use super::identity::Facts;
use super::stream::{HEAD_BYTES_MAX, Presence, Stream};

/// The folder of the copies, beside the registry.
const FOLDER: &str = "spool";
/// Bytes that one turn copies at most.
const STEP_BYTES: usize = 4 << 20;
/// Bytes that are read at once.
const PIECE_BYTES: usize = 256 << 10;
/// Between two turns of a copy.
pub(super) const STEP_EVERY: Duration = Duration::from_millis(20);
/// Fast, and a tenth of a log remains.
const LEVEL: i32 = 1;
/// Bytes of text that the compression looks back to, as a power of two. It costs as much memory here, and in the decoder
/// that reads the copy while the backlog of an outage fills everything else.
const WINDOW_LOG: u32 = 17;

/// `pinned:`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct PinnedConfig {
    /// Bytes of deleted files that are held until they are shipped. While the output is away and logs rotate, these are
    /// what the shipper costs the disk.
    pub bytes_max: ByteSize,
    /// What is done with the oldest ones beyond that.
    pub beyond: Beyond,
}

impl Default for PinnedConfig {
    fn default() -> Self {
        PinnedConfig { bytes_max: ByteSize(4 << 30), beyond: Beyond::Spool }
    }
}

/// What happens beyond the budget.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Beyond {
    /// They are compressed into the registry's folder, up to `bytes_max` again; then the oldest of these are dropped.
    Spool,
    /// They are given up: their bytes are lost, and counted as `over_budget`.
    DropOldest,
}

/// A copy that is being made.
pub(super) struct Spooling {
    slot: u32,
    path: PathBuf,
    encoder: zstd::stream::write::Encoder<'static, File>,
    /// Where the copy begins in the stream.
    base: u64,
    /// What is to be copied next.
    at: u64,
}

impl std::fmt::Debug for Spooling {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.debug_struct("Spooling").field("path", &self.path).field("at", &self.at).finish_non_exhaustive()
    }
}

/// Where the copy of a stream lies, by the folder of its registry.
pub(super) fn spool_path(registry: &Path, stream: event::StreamId) -> PathBuf {
    registry.with_file_name(FOLDER).join(format!("{stream}.zst"))
}

impl FileInput {
    /// Removes copies of which the registry knows nothing: a kill came before they were whole, or after they were read.
    pub(super) fn remove_stray_spools(&self) {
        let known: Vec<&Path> =
            self.slots.iter().flatten().filter(|s| s.base.is_some()).map(|s| &*s.path).collect();
        let folder = self.registry.path().with_file_name(FOLDER);
        let Ok(entries) = fs::read_dir(&folder) else { return };
        for path in entries.filter_map(Result::ok).map(|entry| entry.path()) {
            if !known.contains(&&*path) {
                let _ = fs::remove_file(&path);
            }
        }
    }

    /// After a scan: are deleted files within their budget?
    pub(super) fn keep_budget(&mut self, now: Timestamp) {
        let limit = self.pinned.bytes_max.0;
        if self.spooled_bytes() > limit
            && let Some(slot) = self.spooled.first().copied()
        {
            return self.give_up(slot, now);
        }
        self.read_next_spool(now);
        if self.spooling.is_some() || self.pinned_bytes() <= limit {
            return;
        }
        let Some(slot) = self.oldest_pinned() else { return };
        match self.pinned.beyond {
            Beyond::DropOldest => self.give_up(slot, now),
            Beyond::Spool => match self.begin_spool(slot) {
                Ok(spooling) => self.spooling = Some(Box::new(spooling)),
                Err(error) => self.spool_failed(&error),
            },
        }
    }

    /// A turn of the copy that is being made.
    pub(super) fn spool_step(&mut self, now: Timestamp) {
        let Some(mut spooling) = self.spooling.take() else { return };
        let Some(stream) = self.stream_mut(spooling.slot).filter(|stream| is_pinned(stream)) else {
            // It was read to its end meanwhile.
            let _ = fs::remove_file(&spooling.path);
            return;
        };
        match copy_some(stream, &mut spooling) {
            Ok(true) => self.spooling = Some(spooling),
            Ok(false) => {
                if let Err(error) = self.finish_spool(*spooling, now) {
                    self.spool_failed(&error);
                }
            }
            Err(error) => {
                let _ = fs::remove_file(&spooling.path);
                self.spool_failed(&error);
            }
        }
    }

    fn begin_spool(&self, slot: u32) -> io::Result<Spooling> {
        let stream = self.stream(slot).ok_or(io::ErrorKind::NotFound)?;
        let path = spool_path(self.registry.path(), stream.id);
        fs::create_dir_all(self.registry.path().with_file_name(FOLDER))?;
        let mut encoder = zstd::stream::write::Encoder::new(File::create(&path)?, LEVEL)?;
        encoder.window_log(WINDOW_LOG)?;
        // The bytes before the settled offset are what a restart knows the stream by.
        let is_deep = stream.tail.start > HEAD_BYTES_MAX as u64;
        let base = if is_deep { stream.tail.start } else { 0 };
        tracing::info!(path = %stream.path.display(), to = %path.display(), "deleted files hold too much; copying");
        Ok(Spooling { slot, path, encoder, base, at: base })
    }

    /// The copy is whole: the stream goes on in it, and the deleted file's space is free.
    fn finish_spool(&mut self, spooling: Spooling, now: Timestamp) -> io::Result<()> {
        let Spooling { slot, path, encoder, base, .. } = spooling;
        encoder.finish()?.sync_all()?;
        let facts = Facts::of(&fs::metadata(&path)?);
        self.close(slot);
        let Some(stream) = self.stream_mut(slot) else { return Ok(()) };
        let key = stream.key();
        stream.move_to(path);
        stream.facts = facts;
        stream.codec = Some(Codec::Zstd);
        stream.base = Some(base);
        stream.read_end = None;
        stream.presence = Presence::Missing(now);
        self.rekey(slot, key, facts.key());
        self.touch(slot, now);
        self.spooled.push(slot);
        self.read_next_spool(now);
        Ok(())
    }

    /// Opens the oldest copy, unless one is open.
    pub(super) fn read_next_spool(&mut self, now: Timestamp) {
        let is_open = |slot: &u32| self.stream(*slot).is_some_and(|stream| stream.file.is_some());
        if let Some(slot) = self.next_spool().filter(|_| !self.spooled.iter().any(is_open))
            && self.hold(slot, now)
        {
            self.queue(slot);
        }
    }

    /// The oldest copy that is not read to its end.
    pub(super) fn next_spool(&self) -> Option<u32> {
        let has_more = |slot: &u32| self.stream(*slot).is_some_and(|stream| !is_read_out(stream));
        self.spooled.iter().copied().find(has_more)
    }

    /// A stream was read to its end. When that is a copy of ours, to which nobody writes, nothing is waited for.
    pub(super) fn leave_spool(&mut self, slot: u32, now: Timestamp) {
        let goes_on = self.heirs.contains_key(&slot);
        let Some(stream) = self.stream_mut(slot).filter(|stream| stream.base.is_some() && !goes_on) else {
            return;
        };
        if !std::mem::replace(&mut stream.is_finishing, true) {
            // Once more, for a last line without an end.
            return self.queue(slot);
        }
        let is_over = stream.window.is_empty();
        self.close(slot);
        if is_over {
            self.retire(slot, now);
        }
        self.read_next_spool(now);
    }

    fn spool_failed(&self, error: &io::Error) {
        let folder = self.registry.path().with_file_name(FOLDER);
        let folder = folder.display();
        tracing::warn!(%folder, %error, "deleted files hold more than `pinned.bytes_max`, and cannot be copied; trying again");
    }

    fn give_up(&mut self, slot: u32, now: Timestamp) {
        if let Some(stream) = self.stream(slot) {
            let lost_bytes = stream.size.saturating_sub(stream.read());
            tracing::warn!(path = %stream.path.display(), lost_bytes, "deleted files hold more than `pinned.bytes_max`; the oldest is given up");
        }
        self.end(slot, Part::OverBudget, now);
    }

    /// Bytes of deleted files that are held open.
    pub(super) fn pinned_bytes(&self) -> u64 {
        self.pinned_streams().map(|(_, stream)| stream.facts.size).sum()
    }

    /// Bytes that the copies take.
    pub(super) fn spooled_bytes(&self) -> u64 {
        self.spooled.iter().filter_map(|slot| self.stream(*slot)).map(|stream| stream.facts.size).sum()
    }

    fn oldest_pinned(&self) -> Option<u32> {
        let key = |(_, stream): &(u32, &Stream)| (stream.active_at, stream.facts.modified);
        self.pinned_streams().min_by_key(key).map(|(slot, _)| slot)
    }

    fn pinned_streams(&self) -> impl Iterator<Item = (u32, &Stream)> {
        let open = self.open_order.iter().filter_map(|slot| Some((*slot, self.stream(*slot)?)));
        open.filter(|(_, stream)| is_pinned(stream))
    }
}

/// A copy of ours of which everything was read, and which was closed.
pub(super) fn is_read_out(stream: &Stream) -> bool {
    stream.base.is_some() && stream.is_finishing && stream.is_caught_up() && stream.file.is_none()
}

/// Deleted, and its space is only held by the shipper.
fn is_pinned(stream: &Stream) -> bool {
    stream.presence == Presence::Deleted && matches!(stream.file, Some(Content::Plain(_)))
}

/// False when all is copied.
fn copy_some(stream: &mut Stream, spooling: &mut Spooling) -> io::Result<bool> {
    let Some(file) = &mut stream.file else { return Ok(false) };
    let mut piece = vec![0; PIECE_BYTES];
    for _ in 0..STEP_BYTES / PIECE_BYTES {
        let read = file.read_full(spooling.at, &mut piece)?;
        spooling.encoder.write_all(piece.get(..read).unwrap_or_default())?;
        spooling.at += read as u64;
        if read < piece.len() {
            return Ok(false);
        }
    }
    Ok(true)
}
