//! The place of records that the other side refuses for good.
//!
//! Enters: records, each with the reason. Leaves: lines of JSON in a file, on the disk before the call returns.
//! Never: more than [`FILE_BYTES_MAX`] in each of two files; what the older one held is logged when it is overwritten.

use std::fs::{File, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};

use event::Timestamp;

/// Bytes of one file at most; a full one becomes `dead-letters.1.ndjson`, and the one of that name before it goes.
pub const FILE_BYTES_MAX: u64 = 64 << 20;
/// Bytes of one record's text that are kept at most; larger than every limit of a broker or a cluster in use.
const RECORD_BYTES_MAX: usize = 16 << 20;

/// One refused record.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct DeadLetter<'a> {
    /// When it was refused.
    pub at: Timestamp,
    /// What the other side said.
    pub reason: &'a str,
    /// The topic that it was meant for; `None` when it was meant for no topic.
    pub topic: Option<&'a str>,
    /// What the record is known by there: its Kafka key, or its document's id.
    pub key: &'a str,
    /// The record as it was sent.
    pub payload: &'a [u8],
}

/// Appends dead letters; opened when the first one comes.
#[derive(Debug)]
pub struct DeadLetters {
    path: PathBuf,
    file: Option<(File, u64)>,
    bytes_max: u64,
}

impl DeadLetters {
    /// Dead letters in `folder`, which must exist when the first one comes.
    #[must_use]
    pub fn new(folder: &Path) -> Self {
        DeadLetters { path: folder.join("dead-letters.ndjson"), file: None, bytes_max: FILE_BYTES_MAX }
    }

    /// The file that is written to.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Writes the letters and waits once until the disk has them.
    ///
    /// # Errors
    /// What the system says; then the records have no safe place and must not be settled. Some may be in the file
    /// nevertheless, and will be twice when they come again.
    pub fn append<'l>(&mut self, letters: impl IntoIterator<Item = DeadLetter<'l>>) -> io::Result<()> {
        let (mut file, mut size) = match self.file.take() {
            Some(open) => open,
            None => self.open()?,
        };
        for letter in letters {
            let line = line(&letter)?;
            file.write_all(&line)?;
            size += line.len() as u64;
        }
        file.sync_data()?;
        if size < self.bytes_max {
            self.file = Some((file, size));
            return Ok(());
        }
        drop(file);
        self.rotate()
    }

    fn open(&self) -> io::Result<(File, u64)> {
        let mut file = OpenOptions::new().create(true).append(true).read(true).open(&self.path)?;
        let mut size = file.metadata()?.len();
        // A line that a full disk cut short must not swallow the next one.
        if size > 0 && !ends_line(&file, size)? {
            file.write_all(b"\n")?;
            size += 1;
        }
        // The name must survive a crash too, not only the bytes.
        sync_folder(&self.path)?;
        Ok((file, size))
    }

    fn rotate(&self) -> io::Result<()> {
        let older = self.path.with_file_name("dead-letters.1.ndjson");
        if let Ok(before) = older.metadata() {
            tracing::warn!(path = %older.display(), bytes = before.len(), "older dead letters are overwritten");
        }
        std::fs::rename(&self.path, &older)?;
        sync_folder(&self.path)
    }
}

fn ends_line(file: &File, size: u64) -> io::Result<bool> {
    let mut last = [0];
    file.read_exact_at(&mut last, size - 1)?;
    Ok(last == *b"\n")
}

fn line(letter: &DeadLetter<'_>) -> io::Result<Vec<u8>> {
    let kept = letter.payload.get(..RECORD_BYTES_MAX).unwrap_or(letter.payload);
    let mut told = serde_json::json!({
        "@timestamp": letter.at,
        "error": { "message": letter.reason },
        "key": letter.key,
        "size_bytes": letter.payload.len(),
        "record": String::from_utf8_lossy(kept),
    });
    if let (Some(topic), Some(told)) = (letter.topic, told.as_object_mut()) {
        told.insert("topic".to_owned(), topic.into());
    }
    let mut line = serde_json::to_vec(&told)?;
    line.push(b'\n');
    Ok(line)
}

fn sync_folder(path: &Path) -> io::Result<()> {
    path.parent().map_or(Ok(()), |folder| File::open(folder)?.sync_all())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn letter(payload: &[u8]) -> DeadLetter<'_> {
        DeadLetter { at: Timestamp::from_secs(1), reason: "too large", topic: None, key: "k", payload }
    }

    fn lines(path: &Path) -> Vec<serde_json::Value> {
        let text = std::fs::read_to_string(path).unwrap_or_default();
        text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
    }

    #[test]
    fn a_letter_says_what_and_why() {
        let folder = tempfile::tempdir().unwrap();
        let mut letters = DeadLetters::new(folder.path());
        letters.append([letter(b"{\"message\":\"a\"}")]).unwrap();
        let mut again = DeadLetters::new(folder.path());
        again.append([letter(b"torn \xff"), DeadLetter { topic: Some("logs"), ..letter(b"") }]).unwrap();
        let found = lines(letters.path());
        assert_eq!(found.len(), 3);
        assert_eq!(found[0]["error"]["message"], "too large");
        assert_eq!(found[0]["key"], "k");
        assert_eq!(found[0]["record"], "{\"message\":\"a\"}");
        assert_eq!(found[1]["record"], "torn \u{fffd}");
        assert_eq!(found[1]["size_bytes"], 6);
        assert_eq!((found[1].get("topic"), &found[2]["topic"]), (None, &"logs".into()));
    }

    #[test]
    fn a_torn_line_takes_no_other_with_it() {
        let folder = tempfile::tempdir().unwrap();
        let mut letters = DeadLetters::new(folder.path());
        std::fs::write(letters.path(), "{\"record\": \"to").unwrap();
        letters.append([letter(b"whole")]).unwrap();
        let text = std::fs::read_to_string(letters.path()).unwrap();
        let found: Vec<serde_json::Value> =
            text.lines().filter_map(|line| serde_json::from_str(line).ok()).collect();
        assert_eq!(found.len(), 1, "{text}");
        assert_eq!(found[0]["record"], "whole");
    }

    #[test]
    fn two_files_are_the_bound() {
        let folder = tempfile::tempdir().unwrap();
        let mut letters = DeadLetters::new(folder.path());
        letters.bytes_max = 1000;
        for _ in 0..50 {
            letters.append([letter(&[b'x'; 300])]).unwrap();
        }
        let sizes: Vec<u64> = std::fs::read_dir(folder.path())
            .unwrap()
            .map(|entry| entry.unwrap().metadata().unwrap().len())
            .collect();
        assert_eq!(sizes.len(), 2, "{sizes:?}");
        assert!(sizes.iter().all(|size| *size < 2000), "{sizes:?}");
    }

    #[test]
    fn a_folder_that_is_gone_is_an_error_and_not_a_loss() {
        let mut letters = DeadLetters::new(Path::new("/nonexistent/folder"));
        assert!(letters.append([letter(b"x")]).is_err());
    }
}
