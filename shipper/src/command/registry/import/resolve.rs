//! Which of our files a position is of.
//!
//! Enters: positions, the files that inputs match, when the positions were written. Leaves: for each position a file, or why
//! none. Never: one of two that may be meant.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::Read;
use std::path::Path;

use event::Timestamp;
use sha2::{Digest, Sha256};

use super::vector::{self, Reading};
use super::{Position, Who};
use crate::input::file::Identity;

/// Bytes that Filebeat's fingerprint covers unless it is told otherwise.
const START_BYTES: usize = 1024;

/// A file that an input would read.
#[derive(Debug)]
pub(super) struct Candidate {
    pub identity: Identity,
    /// Hashes of its start, once they were asked for.
    lines: Option<Vec<vector::Checksum>>,
    start: Option<Option<String>>,
}

impl Candidate {
    pub fn new(identity: Identity) -> Self {
        Candidate { identity, lines: None, start: None }
    }

    fn has_lines(&mut self, wanted: &vector::Checksum, reading: Reading) -> bool {
        let path = &self.identity.path;
        self.lines
            .get_or_insert_with(|| vector::checksums(path, reading).unwrap_or_default())
            .contains(wanted)
    }

    fn has_start(&mut self, wanted: &str) -> bool {
        let path = &self.identity.path;
        let start = self.start.get_or_insert_with(|| start_hash(path));
        start.as_deref().is_some_and(|start| start.eq_ignore_ascii_case(wanted))
    }
}

fn start_hash(path: &Path) -> Option<String> {
    let mut start = vec![0; START_BYTES];
    File::open(path).ok()?.read_exact(&mut start).ok()?;
    Some(Sha256::digest(&start).iter().map(|byte| format!("{byte:02x}")).collect())
}

/// What became of a position.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Outcome {
    Found { file: Identity, offset: u64 },
    Left { what: String, reason: String },
}

/// Finds the file of each position. `written_at` is when the positions were last written.
pub(super) fn resolve(
    positions: &[Position],
    candidates: &mut [Candidate],
    reading: Reading,
    written_at: Timestamp,
) -> Vec<Outcome> {
    let mut outcomes = Vec::new();
    let mut by_file: BTreeMap<(u64, u64), (Identity, Vec<u64>)> = BTreeMap::new();
    for position in positions {
        match find(&position.who, candidates, reading) {
            Ok(file) => {
                let entry = by_file.entry((file.device, file.inode)).or_insert_with(|| (file, Vec::new()));
                if !entry.1.contains(&position.offset) {
                    entry.1.push(position.offset);
                }
            }
            Err(reason) => outcomes.push(Outcome::Left { what: describe(position), reason }),
        }
    }
    outcomes.extend(by_file.into_values().map(|(file, offsets)| {
        let what = file.path.display().to_string();
        match offsets[..] {
            // An inode, or a path, that was used again: the position is of the file before it.
            _ if file.birth.is_some_and(|birth| birth > written_at) => Outcome::Left {
                what,
                reason: "the file was made after these positions were written, so they are not of it"
                    .to_owned(),
            },
            [offset] => Outcome::Found { file, offset },
            _ => Outcome::Left {
                what,
                reason: format!(
                    "{} positions of it differ: {offsets:?}; several inputs read it",
                    offsets.len()
                ),
            },
        }
    }));
    outcomes
}

fn describe(position: &Position) -> String {
    let offset = position.offset;
    match &position.who {
        Who::Inode { path: Some(path), .. } | Who::Start { path: Some(path), .. } | Who::Path(path) => {
            format!("{} at byte {offset}", path.display())
        }
        Who::Inode { inode, .. } => format!("inode {inode} at byte {offset}"),
        Who::Lines(checksum) => format!("the file with checksum {} at byte {offset}", checksum.value()),
        Who::Start { sha256, .. } => format!("the file with fingerprint {sha256} at byte {offset}"),
        Who::Unknown { what, .. } => what.clone(),
    }
}

const NOBODY: &str = "no input of the configuration reads such a file now";

fn find(who: &Who, candidates: &mut [Candidate], reading: Reading) -> Result<Identity, String> {
    let matching: Vec<Identity> = candidates
        .iter_mut()
        .filter_map(|candidate| {
            let is_it = match who {
                Who::Inode { inode, device, .. } => {
                    candidate.identity.inode == *inode
                        && device.is_none_or(|device| candidate.identity.device == device)
                }
                Who::Path(path) => candidate.identity.path == *path,
                Who::Lines(checksum) => candidate.has_lines(checksum, reading),
                Who::Start { sha256, .. } => candidate.has_start(sha256),
                Who::Unknown { .. } => false,
            };
            is_it.then(|| candidate.identity.clone())
        })
        .collect();
    if let Who::Unknown { reason, .. } = who {
        return Err(reason.clone());
    }
    let Some(first) = matching.first() else { return Err(NOBODY.to_owned()) };
    // Several names of one file are one file.
    if matching.iter().all(|file| (file.device, file.inode) == (first.device, first.inode)) {
        return Ok(first.clone());
    }
    let named = match who {
        // The same inode on two devices.
        Who::Inode { path: Some(path), .. } => matching.iter().find(|file| file.path == *path),
        _ => None,
    };
    named.cloned().ok_or_else(|| {
        let names: Vec<String> =
            matching.iter().take(3).map(|file| file.path.display().to_string()).collect();
        format!("{} files may be meant, such as {}", matching.len(), names.join(" and "))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const READING: Reading = Reading { lines: 1, skipped_bytes: 0 };

    fn file(path: &str, device: u64, inode: u64) -> Candidate {
        let birth = Some(Timestamp::from_secs(100));
        Candidate::new(Identity { path: path.into(), device, inode, birth, size: 50 })
    }

    /// Resolves one position, or several of one file, among three files; gives the path, or the reason.
    fn check(positions: &[(Who, u64)], written_secs: i64, expected: Result<(&str, u64), &str>) {
        let mut files = [file("/a.log", 1, 7), file("/b.log", 2, 7), file("/c.log", 1, 9)];
        let positions: Vec<Position> =
            positions.iter().cloned().map(|(who, offset)| Position { who, offset }).collect();
        let outcomes = resolve(&positions, &mut files, READING, Timestamp::from_secs(written_secs));
        assert_eq!(outcomes.len(), 1, "{outcomes:?}");
        match (&outcomes[0], expected) {
            (Outcome::Found { file, offset }, Ok((path, at))) => {
                assert_eq!((file.path.to_str().unwrap(), *offset), (path, at));
            }
            (Outcome::Left { reason, .. }, Err(words)) => assert!(reason.contains(words), "{reason}"),
            (outcome, expected) => panic!("{outcome:?} is not {expected:?}"),
        }
    }

    fn inode(inode: u64, device: Option<u64>, path: Option<&str>) -> Who {
        Who::Inode { inode, device, path: path.map(Into::into) }
    }

    #[test]
    fn a_position_is_of_one_file_or_of_none() {
        check(&[(inode(7, Some(2), Some("/a.log")), 5)], 200, Ok(("/b.log", 5)));
        check(&[(inode(9, None, Some("/old-name.log")), 5)], 200, Ok(("/c.log", 5)));
        check(&[(inode(7, None, Some("/b.log")), 5)], 200, Ok(("/b.log", 5)));
        check(&[(inode(7, None, None), 5)], 200, Err("2 files may be meant, such as /a.log and /b.log"));
        check(&[(inode(8, None, None), 5)], 200, Err("no input of the configuration reads such a file"));
        check(&[(Who::Path("/c.log".into()), 5)], 200, Ok(("/c.log", 5)));
        check(&[(Who::Path("/c.log".into()), 5)], 99, Err("was made after these positions were written"));
        check(&[(Who::Path("/d.log".into()), 5)], 200, Err("no input of the configuration"));
        check(&[(inode(9, None, None), 5), (Who::Path("/c.log".into()), 5)], 200, Ok(("/c.log", 5)));
        check(
            &[(inode(9, None, None), 5), (Who::Path("/c.log".into()), 6)],
            200,
            Err("2 positions of it differ"),
        );
    }
}
