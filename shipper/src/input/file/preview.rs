//! What an input would do, without doing it.
//!
//! Enters: a configuration, a file. Leaves: the files it matches now; the records it would make. Never: a registry, an
//! output, a change on the disk.

use std::fs::File;
use std::path::{Path, PathBuf};

use event::{StreamId, Timestamp};

use super::ack::Window;
use super::archive::Codec;
use super::content::Content;
use super::encoding::Mark;
use super::harvest::{self, Step, Work};
use super::in_flight::InFlight;
use super::recipe::Recipe;
use super::scan::{self, Selection, Skipped};
use super::sink::{Scratch, Sink};
use super::{Encoding, FileConfig, OpenError};
use crate::batch::{Fate, Outbox};
use crate::processor::LeftOut;
use crate::registry::Print;
use crate::route::{LaneId, Lanes, Route};

/// What an input matches.
#[derive(Debug, Default)]
pub struct Sighting {
    /// Files, each once, by path.
    pub files: Vec<PathBuf>,
    /// Entries that match and cannot be read.
    pub skipped: Vec<Skipped>,
}

/// What reading a file gives.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Previewed<'p> {
    /// The JSON of a record that would be sent.
    Record(&'p [u8]),
    /// A record that a processor would leave out; told of before the records that were read with it.
    LeftOut(LeftOut),
}

/// Why a file gives no records.
#[derive(Debug, thiserror::Error)]
pub enum PreviewError {
    /// The input.
    #[error(transparent)]
    Open(#[from] OpenError),
    /// The file, or what takes the records.
    #[error("{path}: {error}")]
    Io {
        /// The file.
        path: PathBuf,
        /// What the system says.
        error: std::io::Error,
    },
}

/// Looks where `config` points.
///
/// # Errors
/// [`OpenError`] for a pattern or a zone that is none.
pub fn find(config: &FileConfig) -> Result<Sighting, OpenError> {
    let selection = Selection::parse(&config.paths, &config.exclude)?;
    Recipe::new(config.clone(), &Lanes::single(), "", 0)?;
    let sight = scan::scan(&[selection], &mut |_, _, _| false);
    let mut files: Vec<PathBuf> = sight.found.into_iter().map(|found| found.path).collect();
    files.sort_unstable();
    files.dedup();
    Ok(Sighting { files, skipped: [sight.skipped, sight.unreadable].concat() })
}

/// True when `config` would read `path`, which is absolute.
///
/// # Errors
/// [`OpenError`] for a pattern that is none.
pub fn matches(config: &FileConfig, path: &Path) -> Result<bool, OpenError> {
    Ok(Selection::parse(&config.paths, &config.exclude)?.is_match(path))
}

/// The bytes of a file, of a compressed one as they were before.
#[derive(Debug)]
pub struct Plain {
    content: Content,
    at: u64,
}

/// Opens the file at `path` to read its [`Plain`] bytes.
///
/// # Errors
/// What the system says.
pub fn plain(path: &Path) -> std::io::Result<Plain> {
    let file = File::open(path)?;
    let codec = Codec::of(path, &file)?;
    Ok(Plain { content: Content::new(file, codec, 0)?, at: 0 })
}

impl Plain {
    /// How the file writes a line feed: in the encoding that it begins with a mark of, else in `encoding`.
    ///
    /// # Errors
    /// What the system says.
    pub fn line_feed(&mut self, encoding: Encoding) -> std::io::Result<Vec<u8>> {
        let mut head = [0; 3];
        let read = self.content.read_full(0, &mut head)?;
        let encoding = match Mark::of(head.get(..read).unwrap_or_default()) {
            Mark::Found(encoding) => encoding,
            Mark::Absent | Mark::Open => encoding,
        };
        Ok(encoding.encode("\n").unwrap_or_else(|| b"\n".to_vec()))
    }
}

impl std::io::Read for Plain {
    fn read(&mut self, bytes: &mut [u8]) -> std::io::Result<usize> {
        let read = self.content.read_full(self.at, bytes)?;
        self.at += read as u64;
        Ok(read)
    }
}

/// Reads `path` from its first byte to its end, and gives `take` each record. The records are those of a run but for
/// `event.id`: its stream follows from the path, not from the file's generation, so that `sample` may choose others.
///
/// # Errors
/// [`PreviewError`]; what `take` returns ends the reading.
pub fn preview(
    config: &FileConfig,
    host: &str,
    path: &Path,
    now: Timestamp,
    take: &mut dyn FnMut(Previewed<'_>) -> std::io::Result<()>,
) -> Result<(), PreviewError> {
    let failed = |error| PreviewError::Io { path: path.to_owned(), error };
    let file = File::open(path).map_err(failed)?;
    let codec = Codec::of(path, &file).map_err(failed)?;
    let mut file = Content::new(file, codec, 0).map_err(failed)?;
    let name = path.to_string_lossy();
    let stream = StreamId::derive(&[b"preview", host.as_bytes(), name.as_bytes()]);
    let mut recipe = Recipe::new(config.clone(), &Lanes::single(), host, 0)?;
    recipe.processors.name_left_out();
    let pipe = recipe.pipe(stream, host, &name, 0);
    let mut work =
        Work { pipe, route: recipe.route, head: Vec::new(), tail: Vec::new(), seen: Print::default() };
    let (mut out, mut scratch, mut window, mut in_flight) =
        (Outbox::new(&Lanes::single()), Scratch::default(), Window::default(), InFlight::new(1));
    let (mut multiline_cuts, mut switched_off) = (0, 0);
    let mut buffer = Vec::new();
    loop {
        let mut sink = Sink {
            slot: 0,
            window: &mut window,
            out: &mut out,
            route: Route::default(),
            is_switched_on: true,
            switched_off: &mut switched_off,
            stop: None,
            scratch: &mut scratch,
            processors: &mut recipe.processors,
            in_flight: &mut in_flight,
            multiline_cuts: &mut multiline_cuts,
            now,
        };
        let (step, _) = harvest::step(&mut work, &mut file, &mut buffer, true, &mut sink)
            .map_err(|error| failed(error.into()))?;
        let Some(batch) = out.batch(LaneId::MAIN) else { return Ok(()) };
        if step == Step::CaughtUp {
            recipe.processors.finish();
            recipe.processors.summarize(now, batch);
        }
        for left_out in recipe.processors.take_left_out() {
            take(Previewed::LeftOut(left_out)).map_err(failed)?;
        }
        for entry in &batch.entries {
            take(Previewed::Record(batch.payload(entry))).map_err(failed)?;
            if let Some((lane, bytes)) =
                entry.ticket.and_then(|ticket| window.settle(ticket.sequence(), Fate::Acked))
            {
                in_flight.sub(lane, bytes);
            }
        }
        batch.clear();
        if step == Step::CaughtUp {
            return Ok(());
        }
    }
}
