//! The service of a drill: it writes lines, and its file is rotated.
//!
//! Enters: how many lines are due, what is to be done to the file. Leaves: a log file and its rotations. Never: a line that
//! is written twice.

use std::fs::{File, OpenOptions};
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;

use event::Timestamp;

use super::judge;
use super::plan::Act;

/// How long a rotator takes to copy a file of some size; what is written meanwhile would be lost to everybody.
const COPY: Duration = Duration::from_millis(100);

/// One scenario's file.
#[derive(Debug)]
pub(super) struct Writer {
    run: String,
    name: &'static str,
    path: PathBuf,
    file: Option<File>,
    written: u64,
}

impl Writer {
    /// Writes to `NAME.log` in `folder`.
    pub(super) fn new(folder: &Path, run: &str, name: &'static str) -> Self {
        let path = folder.join(format!("{name}.log"));
        Writer { run: run.to_owned(), name, path, file: None, written: 0 }
    }

    /// Lines so far.
    pub(super) fn written(&self) -> u64 {
        self.written
    }

    /// Appends further lines.
    pub(super) fn write(&mut self, lines: u64, now: Timestamp) -> io::Result<()> {
        if lines == 0 {
            return Ok(());
        }
        let mut text = String::new();
        for sequence in self.written..self.written + lines {
            text.push_str(&judge::line(&self.run, self.name, sequence, now));
        }
        let mut file = match self.file.take() {
            Some(file) => file,
            None => OpenOptions::new().create(true).append(true).open(&self.path)?,
        };
        file.write_all(text.as_bytes())?;
        self.written += lines;
        self.file = Some(file);
        Ok(())
    }

    /// Does what happens to the file; what happens to others is not its own.
    pub(super) fn act(&mut self, act: Act) -> io::Result<()> {
        let older = self.path.with_extension("log.1");
        match act {
            Act::Rename => self.rename(&older),
            Act::CopyTruncate => {
                std::fs::copy(&self.path, &older)?;
                std::thread::sleep(COPY);
                // Through another descriptor, as a rotator does it: the writer appends on.
                OpenOptions::new().write(true).truncate(true).open(&self.path).map(drop)
            }
            Act::Compress => {
                self.rename(&older)?;
                let gzip = Command::new("gzip").arg("-f").arg(&older).stderr(Stdio::null()).status()?;
                if gzip.success() { Ok(()) } else { Err(io::Error::other("gzip failed")) }
            }
            Act::Kill | Act::Shut | Act::Open => Ok(()),
        }
    }

    fn rename(&mut self, older: &Path) -> io::Result<()> {
        self.file = None;
        std::fs::rename(&self.path, older)
    }
}

/// Whether files can be compressed here.
pub(super) fn has_gzip() -> bool {
    let mut command = Command::new("gzip");
    command.arg("--version").stdout(Stdio::null()).stderr(Stdio::null());
    command.status().is_ok_and(|status| status.success())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_line_is_in_exactly_one_file() {
        let folder = tempfile::tempdir().unwrap();
        let lines = |name: &str| {
            std::fs::read_to_string(folder.path().join(name)).map_or(0, |text| text.lines().count())
        };
        let mut writer = Writer::new(folder.path(), "r", "a");
        writer.write(3, Timestamp::EPOCH).unwrap();
        writer.act(Act::Rename).unwrap();
        writer.write(2, Timestamp::EPOCH).unwrap();
        assert_eq!((lines("a.log.1"), lines("a.log"), writer.written()), (3, 2, 5));
        writer.write(1, Timestamp::EPOCH).unwrap();
        let last = std::fs::read_to_string(folder.path().join("a.log")).unwrap();
        assert!(last.ends_with(" 0 a 5.\n"), "{last}");
    }
}
