//! What is known of a path when the question is asked.
//!
//! Enters: a path, a configuration, the disk, the shipper's answer. Leaves: [`Facts`]. Never: a change; a conclusion, which
//! is [`super::decide`]'s.

use std::fs::{File, Metadata};
use std::io::{self, BufRead, BufReader, ErrorKind};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use event::{StreamId, Timestamp};

use super::lane::{Lane, Leveled};
use super::line::{self, Line};
use crate::config::Config;
use crate::input::InputConfig;
use crate::input::file::{FileConfig, GlobError, Meeting, meet};
use crate::status::{StatusPage, StreamRow};

/// Bytes at the end of a dead-letter file that are searched.
const LETTERS_BYTES_MAX: u64 = 128 << 20;

/// Everything that the decision needs.
#[derive(Debug, Clone)]
pub(super) struct Facts {
    /// The path, absolute.
    pub path: PathBuf,
    /// The configuration's file.
    pub config_name: String,
    pub now: Timestamp,
    pub lies: Lies,
    /// Each file input: its number among `inputs`, its configuration, and how it meets the path.
    pub inputs: Vec<(usize, FileConfig, Meeting)>,
    /// The ways that the file's records may take.
    pub lanes: Vec<Lane>,
    /// What the shipper says, or its registry.
    pub page: StatusPage,
    /// Why no shipper answers.
    pub nobody: Option<String>,
    /// The line that was asked for, or how many there are.
    pub line: Option<Result<Line, u64>>,
    /// What becomes of the line by its level.
    pub leveled: Option<Leveled>,
    /// Until when `shipper debug` is on, or was.
    pub debug_until: Option<Timestamp>,
    /// What the broker said of the line's record when it refused it, and the file it lies in.
    pub dead_letter: Option<(String, PathBuf)>,
}

/// What lies at the path.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Lies {
    /// Nothing; this is the first part of the path that is not there.
    Nothing(PathBuf),
    /// A folder on the way that this user may not look into.
    Hidden(PathBuf, String),
    /// A link to what is not there.
    Dangling(PathBuf),
    /// No file, but this.
    Other(&'static str),
    /// A file.
    File(FileFacts),
}

/// A file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct FileFacts {
    pub size: u64,
    pub modified: Timestamp,
    pub device: u64,
    pub inode: u64,
    /// Whether the path is a link to it.
    pub is_link: bool,
    /// Why this user cannot read it.
    pub unreadable: Option<String>,
    /// Whether its last byte is a line end.
    pub ends_whole: bool,
}

impl Facts {
    /// The first input that reads the path.
    pub(super) fn input(&self) -> Option<(usize, &FileConfig, &str)> {
        self.inputs.iter().find_map(|(number, config, meeting)| match meeting {
            Meeting::Reads(pattern) => Some((*number, config, pattern.as_str())),
            _ => None,
        })
    }

    /// The stream of the file that lies there now.
    pub(super) fn row(&self) -> Option<&StreamRow> {
        let Lies::File(file) = &self.lies else { return None };
        let is_same = |row: &&StreamRow| (row.device, row.inode) == (file.device, file.inode);
        // Of two generations of one file, the later is the one that is still there.
        let is_current = |row: &&StreamRow| row.presence != crate::status::PresenceName::Ended;
        let rows = || self.page.streams.iter().filter(is_same);
        rows().find(is_current).or_else(|| rows().next())
    }
}

/// How each file input of `config` meets `path`.
pub(super) fn meetings(config: &Config, path: &Path) -> Result<Vec<(usize, FileConfig, Meeting)>, GlobError> {
    let is_file = |input: &InputConfig| matches!(input, InputConfig::File(_));
    let numbers = (0..).zip(&config.inputs).filter(|(_, input)| is_file(input)).map(|(number, _)| number);
    let met = numbers.zip(config.files()).map(|(number, file)| {
        let meeting = meet(&file, path)?;
        Ok((number, file, meeting))
    });
    met.collect()
}

/// Looks at `path`.
pub(super) fn look(path: &Path) -> Lies {
    match path.metadata() {
        Ok(metadata) if metadata.is_file() => Lies::File(file_facts(path, &metadata)),
        Ok(metadata) if metadata.is_dir() => Lies::Other("a folder"),
        Ok(_) => Lies::Other("a pipe, socket or device"),
        Err(_) => why_not(path),
    }
}

fn file_facts(path: &Path, metadata: &Metadata) -> FileFacts {
    let modified = metadata.modified().ok().and_then(|time| time.duration_since(std::time::UNIX_EPOCH).ok());
    let size = metadata.len();
    let last = File::open(path).and_then(|file| {
        let mut byte = [0];
        if size > 0 {
            std::os::unix::fs::FileExt::read_at(&file, &mut byte, size - 1)?;
        }
        Ok(byte == *b"\n")
    });
    FileFacts {
        size,
        modified: modified.map_or(Timestamp::EPOCH, |since| Timestamp::EPOCH.plus(since)),
        device: metadata.dev(),
        inode: metadata.ino(),
        is_link: path.symlink_metadata().is_ok_and(|metadata| metadata.is_symlink()),
        unreadable: last.as_ref().err().map(io::Error::to_string),
        ends_whole: last.unwrap_or(true),
    }
}

/// The first component, from the root on, that cannot be passed.
fn why_not(path: &Path) -> Lies {
    let mut ancestors: Vec<&Path> = path.ancestors().collect();
    ancestors.reverse();
    for part in ancestors {
        match part.symlink_metadata() {
            Ok(metadata) if metadata.is_symlink() && !part.exists() => {
                return Lies::Dangling(std::fs::read_link(part).unwrap_or_else(|_| part.to_owned()));
            }
            Ok(_) => {}
            Err(error) if error.kind() == ErrorKind::PermissionDenied => {
                let folder = part.parent().unwrap_or(part).to_owned();
                return Lies::Hidden(folder, error.to_string());
            }
            Err(_) => return Lies::Nothing(part.to_owned()),
        }
    }
    Lies::Nothing(path.to_owned())
}

/// The newest dead letter of the record at `offset` of `stream`: what the broker said, and where it lies.
pub(super) fn dead_letter(folder: &Path, stream: StreamId, offset: u64) -> Option<(String, PathBuf)> {
    let key = stream.to_string();
    ["dead-letters.ndjson", "dead-letters.1.ndjson"].iter().find_map(|name| {
        let path = folder.join(name);
        let reason = search(&path, &key, offset)?;
        Some((reason, path))
    })
}

fn search(path: &Path, key: &str, offset: u64) -> Option<String> {
    let mut file = File::open(path).ok()?;
    let start = file.metadata().ok()?.len().saturating_sub(LETTERS_BYTES_MAX);
    io::Seek::seek(&mut file, io::SeekFrom::Start(start)).ok()?;
    let mut found = None;
    for text in BufReader::new(file).split(b'\n').map_while(Result::ok) {
        if memchr::memmem::find(&text, key.as_bytes()).is_none() {
            continue;
        }
        let Ok(letter) = serde_json::from_slice::<serde_json::Value>(&text) else { continue };
        let record = letter["record"].as_str().unwrap_or_default();
        if letter["key"] == key && line::offset(record.as_bytes()) == Some(offset) {
            found = letter["error"]["message"].as_str().map(str::to_owned);
        }
    }
    found
}
