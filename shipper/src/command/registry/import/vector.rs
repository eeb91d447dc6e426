//! Vector's `checkpoints.json`.
//!
//! ```text
//! {"version":"1","checkpoints":[
//!   {"fingerprint":{"first_lines_checksum":1234},"position":4711,"modified":"..."},
//!   {"fingerprint":{"dev_inode":[2055,361]},"position":12,"modified":"..."}]}
//! ```
//! A checksum names no path: it is compared with every file that an input of ours reads. Vector takes CRC-64 (ECMA-182) of
//! the first lines with their ends; before 0.14 it was CRC-64 (XZ), and until 0.26 one of a buffer filled up with zeros.

use std::fs::File;
use std::io::Read;
use std::path::Path;

use anyhow::ensure;
use crc::{CRC_64_ECMA_182, CRC_64_XZ, Crc};
use serde::Deserialize;
use serde_json::Value;

use super::{Position, Who, read_text};

/// Bytes of its first lines that Vector looks at, at most: its `max_line_bytes`.
const LINES_BYTES_MAX: usize = 102_400;
/// Bytes of the older `checksum`.
const START_BYTES: usize = 256;
const ECMA: Crc<u64> = Crc::<u64>::new(&CRC_64_ECMA_182);
const XZ: Crc<u64> = Crc::<u64>::new(&CRC_64_XZ);

/// How Vector identifies a file by its start.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Checksum {
    /// Of the first lines.
    Lines(u64),
    /// Of the first [`START_BYTES`].
    Start(u64),
}

impl Checksum {
    pub fn value(self) -> u64 {
        match self {
            Checksum::Lines(value) | Checksum::Start(value) => value,
        }
    }
}

/// What Vector's configuration says of checksums.
#[derive(Debug, Clone, Copy)]
pub(super) struct Reading {
    pub lines: usize,
    pub skipped_bytes: u64,
}

#[derive(Debug, Deserialize)]
struct Checkpoints {
    version: String,
    checkpoints: Vec<Checkpoint>,
}

#[derive(Debug, Deserialize)]
struct Checkpoint {
    fingerprint: Value,
    position: u64,
}

pub(super) fn read(path: &Path) -> anyhow::Result<Vec<Position>> {
    let new = path.with_file_name("checkpoints.new.json");
    ensure!(
        !new.exists(),
        "{} lies beside it: Vector was killed while it wrote; start Vector once and stop it",
        new.display()
    );
    let file: Checkpoints = serde_json::from_str(&read_text(path)?)?;
    ensure!(file.version == "1", "version `{}` of checkpoints is not known here", file.version);
    Ok(file
        .checkpoints
        .iter()
        .map(|checkpoint| Position { who: who(&checkpoint.fingerprint), offset: checkpoint.position })
        .collect())
}

fn who(fingerprint: &Value) -> Who {
    let number = |name| fingerprint.get(name).and_then(Value::as_u64);
    let lines = number("first_lines_checksum").or_else(|| number("first_line_checksum"));
    let pair = fingerprint.get("dev_inode").and_then(Value::as_array).map(Vec::as_slice);
    match (lines, number("checksum"), pair) {
        (Some(value), _, _) => Who::Lines(Checksum::Lines(value)),
        (_, Some(value), _) => Who::Lines(Checksum::Start(value)),
        (_, _, Some([device, inode])) if device.is_u64() && inode.is_u64() => {
            Who::Inode { inode: inode.as_u64().unwrap_or_default(), device: device.as_u64(), path: None }
        }
        _ => Who::Unknown {
            what: fingerprint.to_string(),
            reason: "is a fingerprint that is not known here".to_owned(),
        },
    }
}

/// Every checksum by which Vector may know the file.
pub(super) fn checksums(path: &Path, reading: Reading) -> std::io::Result<Vec<Checksum>> {
    let mut file = File::open(path)?;
    std::io::Seek::seek(&mut file, std::io::SeekFrom::Start(reading.skipped_bytes))?;
    let mut start = Vec::new();
    file.take(LINES_BYTES_MAX as u64).read_to_end(&mut start)?;
    let mut found = Vec::new();
    if let Some(bytes) = start.get(..START_BYTES) {
        found.push(Checksum::Start(ECMA.checksum(bytes)));
    }
    let end = memchr::memchr_iter(b'\n', &start).nth(reading.lines.saturating_sub(1)).map(|end| end + 1);
    // A line that is not whole has no checksum, unless it is longer than what is looked at.
    let end = end.or_else(|| (start.len() == LINES_BYTES_MAX).then_some(LINES_BYTES_MAX));
    if let Some(lines) = end.and_then(|end| start.get(..end)) {
        found.push(Checksum::Lines(ECMA.checksum(lines)));
        let mut filled = lines.to_vec();
        filled.resize(LINES_BYTES_MAX, 0);
        found.push(Checksum::Lines(ECMA.checksum(&filled)));
        found.push(Checksum::Lines(XZ.checksum(&filled)));
    }
    Ok(found)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_fingerprint_is_read() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("checkpoints.json");
        let text = r#"{"version":"1","checkpoints":[
            {"fingerprint":{"first_lines_checksum":18446744073709551615},"position":1,"modified":"2024-01-01T00:00:00Z"},
            {"fingerprint":{"first_line_checksum":2},"position":2,"modified":"2024-01-01T00:00:00Z"},
            {"fingerprint":{"checksum":3},"position":3,"modified":"2024-01-01T00:00:00Z"},
            {"fingerprint":{"dev_inode":[2055,361]},"position":4,"modified":"2024-01-01T00:00:00Z"},
            {"fingerprint":{"unknown":5},"position":5,"modified":"2024-01-01T00:00:00Z"}]}"#;
        std::fs::write(&path, text).unwrap();
        let positions = read(&path).unwrap();
        let who: Vec<_> = positions.iter().map(|position| position.who.clone()).collect();
        assert_eq!(who[0], Who::Lines(Checksum::Lines(u64::MAX)));
        assert_eq!(who[1], Who::Lines(Checksum::Lines(2)));
        assert_eq!(who[2], Who::Lines(Checksum::Start(3)));
        assert_eq!(who[3], Who::Inode { inode: 361, device: Some(2055), path: None });
        assert!(matches!(who[4], Who::Unknown { .. }));
        assert_eq!(positions.iter().map(|position| position.offset).collect::<Vec<_>>(), [1, 2, 3, 4, 5]);
        std::fs::write(&path, text.replace("\"1\"", "\"2\"")).unwrap();
        assert!(read(&path).unwrap_err().to_string().contains("version `2`"));
        std::fs::write(folder.path().join("checkpoints.new.json"), text).unwrap();
        assert!(read(&path).unwrap_err().to_string().contains("start Vector once and stop it"));
    }

    #[test]
    fn a_checksum_is_of_whole_lines() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.log");
        let of = |text: &[u8], lines, skipped_bytes| {
            std::fs::write(&path, text).unwrap();
            checksums(&path, Reading { lines, skipped_bytes }).unwrap()
        };
        let one = of(b"hello world\n", 1, 0);
        assert_eq!(one.len(), 3);
        // CRC-64/ECMA-182 of nine digits is the published check value.
        assert_eq!(ECMA.checksum(b"123456789"), 0x6c40_df5f_0b49_7347);
        assert_eq!(one[0], Checksum::Lines(ECMA.checksum(b"hello world\n")));
        assert_eq!(of(b"hello world\nand more", 1, 0), one);
        assert_eq!(of(b"#headhello world\n", 1, 5), one);
        assert_ne!(of(b"hello world\nand more\n", 2, 0), one);
        assert_eq!(of(b"hello world\nand more", 2, 0), []);
        assert_eq!(of(b"hello world", 1, 0), []);
        assert_eq!(of(&vec![b'x'; LINES_BYTES_MAX], 1, 0).len(), 4);
    }
}
