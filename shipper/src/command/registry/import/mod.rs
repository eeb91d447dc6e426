//! `shipper registry import`: another shipper's positions become ours.
//!
//! Enters: its file, our configuration. Leaves: an entry for each file that is provably the one that was read; for every
//! other one, why not. Never: a position that is only likely. A wrong one would leave lines out or send them twice, and a file
//! that is left is read from its start position, which the operator can set.
//!
//! A family: one file for each of the others, which reads its format into [`Position`]s.

mod filebeat;
mod fluent_bit;
mod promtail;
mod resolve;
mod sqlite;
mod vector;

use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use anyhow::Context;
use event::Timestamp;

use self::resolve::{Candidate, Outcome, resolve};
use super::Place;
use super::set::is_of;
use crate::config::Config;
use crate::input::InputConfig;
use crate::input::file::{self, Identity, adopt};
use crate::registry::{Change, Entry, Registry};

/// Bytes of another shipper's registry at most.
const FILE_BYTES_MAX: u64 = 1 << 30;

#[derive(Debug, clap::Args)]
pub(super) struct Flags {
    #[command(flatten)]
    place: Place,
    /// Whose positions they are
    #[arg(long, value_enum)]
    from: From,
    /// Its file: Filebeat's `registry/filebeat/log.json` or `data.json`, Vector's `checkpoints.json`, Fluent Bit's `DB`,
    /// Promtail's `positions.yaml`. Stop it before
    file: PathBuf,
    /// Say what would be taken over, and change nothing
    #[arg(long)]
    dry_run: bool,
    /// Vector: `fingerprint.lines` of its configuration
    #[arg(long, value_name = "LINES", default_value_t = 1)]
    fingerprint_lines: usize,
    /// Vector: `fingerprint.ignored_header_bytes` of its configuration
    #[arg(long, value_name = "BYTES", default_value_t = 0)]
    ignored_header_bytes: u64,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
enum From {
    Filebeat,
    Vector,
    FluentBit,
    Promtail,
}

/// How far another shipper has read one file.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Position {
    /// How it knows the file.
    who: Who,
    /// Everything before it is delivered.
    offset: u64,
}

/// What identifies a file.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Who {
    /// Inode, device where it is told, and the path under which it was seen.
    Inode { inode: u64, device: Option<u64>, path: Option<PathBuf> },
    /// The path alone.
    Path(PathBuf),
    /// A hash of the file's first bytes, as Vector makes it.
    Lines(vector::Checksum),
    /// SHA-256 of the first 1024 bytes, in hex, as Filebeat makes it.
    Start { sha256: String, path: Option<PathBuf> },
    /// Something that says nothing to us; the text is for the operator.
    Unknown { what: String, reason: String },
}

pub(super) fn run(flags: &Flags, now: Timestamp) -> anyhow::Result<()> {
    let config = flags.place.config.load()?;
    let name = flags.file.display().to_string();
    let positions = match flags.from {
        From::Filebeat => filebeat::read(&flags.file),
        From::Vector => vector::read(&flags.file),
        From::FluentBit => fluent_bit::read(&flags.file),
        From::Promtail => promtail::read(&flags.file),
    }
    .with_context(|| name.clone())?;
    let written_at = flags.file.metadata().and_then(|metadata| metadata.modified()).context(name)?;
    let since = written_at.duration_since(std::time::UNIX_EPOCH).unwrap_or_default();
    let written_at = Timestamp::EPOCH.plus(since);
    let reading =
        vector::Reading { lines: flags.fingerprint_lines, skipped_bytes: flags.ignored_header_bytes };
    let outcomes = resolve(&positions, &mut candidates(&config)?, reading, written_at);
    let directory = flags.place.directory()?;
    // A dry run has to work while a shipper runs, and must not make a folder.
    let mut opened = if flags.dry_run { None } else { Some(Registry::open(&directory)?) };
    let known = match &opened {
        Some(opened) => opened.entries.clone(),
        None => Registry::peek(&directory)?.entries,
    };
    let mut import = Import { known, taken: Vec::new(), left: 0, page: String::new() };
    for outcome in outcomes {
        import.take(outcome, &config.host(), now);
    }
    if let Some(opened) = &mut opened {
        if opened.registry.wants_rewrite() {
            let all = import.known.iter().chain(&import.taken).cloned();
            opened.registry.rewrite(all, &opened.anchors)?;
        } else {
            opened.registry.append(
                &import.taken.iter().cloned().map(|entry| Change::Put(entry.into())).collect::<Vec<_>>(),
            )?;
        }
    }
    Ok(super::print(&import.finish(flags.dry_run))?)
}

/// Every file that an input would read.
fn candidates(config: &Config) -> anyhow::Result<Vec<Candidate>> {
    let mut paths = std::collections::BTreeSet::new();
    for input in &config.inputs {
        if let InputConfig::File(input) = input {
            paths.extend(file::find(input)?.files);
        }
    }
    Ok(paths.iter().filter_map(|path| Identity::of(path).ok()).map(Candidate::new).collect())
}

struct Import {
    known: Vec<Entry>,
    taken: Vec<Entry>,
    left: usize,
    page: String,
}

impl Import {
    fn take(&mut self, outcome: Outcome, host: &str, now: Timestamp) {
        match outcome {
            Outcome::Left { what, reason } => self.leave(&what, &reason),
            Outcome::Found { file, offset } => {
                let name = file.path.display().to_string();
                if self.known.iter().any(|entry| is_of(entry, &file)) {
                    return self
                        .leave(&name, "the registry knows it already; change it by `shipper registry set`");
                }
                match adopt(&file.path, offset, host, now) {
                    Ok(adopted) => {
                        let Entry { offset, size, .. } = adopted.entry;
                        let _ = write!(self.page, "taken  {name}: byte {offset} of {size}");
                        if let Some(from) = adopted.moved_from {
                            let _ = write!(
                                self.page,
                                "; byte {from} lies inside a line, which is sent from its start"
                            );
                        }
                        self.page.push('\n');
                        self.taken.push(adopted.entry);
                    }
                    Err(error) => self.leave(&name, &error.to_string()),
                }
            }
        }
    }

    fn leave(&mut self, what: &str, reason: &str) {
        self.left += 1;
        let _ = writeln!(self.page, "left   {what}: {reason}");
    }

    fn finish(mut self, is_dry: bool) -> String {
        let (taken, left) = (self.taken.len(), self.left);
        let word = if is_dry { "would be taken over, and nothing was changed" } else { "taken over" };
        let _ = writeln!(self.page, "{taken} files {word}; {left} left");
        if left > 0 {
            self.page += "files that are left are read from their input's `start`; `shipper registry set` sets another place\n";
        }
        self.page
    }
}

/// The whole text of a file of another shipper.
fn read_text(path: &Path) -> anyhow::Result<String> {
    let size = path.metadata()?.len();
    anyhow::ensure!(size <= FILE_BYTES_MAX, "{size} bytes are too many for a registry");
    Ok(std::fs::read_to_string(path)?)
}
