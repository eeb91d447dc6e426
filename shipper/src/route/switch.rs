//! The switch of `shipper debug`.
//!
//! Enters: a time in a file of the registry's folder, which the command writes and the running shipper looks at. Leaves:
//! whether records go that wait for it. Never: a switch that stays on; it ends at its time, also across a restart.
//!
//! A file, because whoever may write there may switch, and nobody else: the page of the shipper may be open to a network.

use std::fs;
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::time::Duration;

use event::Timestamp;

/// Time between two looks at the file.
const LOOK_EVERY: Duration = Duration::from_secs(1);
/// The file.
const NAME: &str = "debug-until";

/// What the running shipper knows of the switch.
#[derive(Debug)]
pub struct Switch {
    folder: PathBuf,
    until: Option<Timestamp>,
    next_look: Option<Timestamp>,
    was_on: bool,
}

impl Switch {
    /// The switch in this folder, off until the first look.
    #[must_use]
    pub fn new(folder: &Path) -> Self {
        Switch { folder: folder.to_owned(), until: None, next_look: None, was_on: false }
    }

    /// Looks at the file when it is time.
    pub fn tick(&mut self, now: Timestamp) {
        // A clock that was set back must not put the next look off.
        if self.next_look.is_none_or(|due| due <= now || due.since(now) > LOOK_EVERY) {
            self.next_look = Some(now.plus(LOOK_EVERY));
            // A file that cannot be read is no reason to send what nobody asked for.
            self.until = read(&self.folder).unwrap_or(None);
        }
        let is_on = self.is_on(now);
        if std::mem::replace(&mut self.was_on, is_on) != is_on {
            let until = self.until.filter(|_| is_on).map(|until| until.to_string());
            tracing::info!(is_on, until, "`shipper debug`");
        }
    }

    /// Whether records go that wait for it.
    #[must_use]
    pub fn is_on(&self, now: Timestamp) -> bool {
        self.until.is_some_and(|until| now < until)
    }
}

/// Until when the switch of this folder is on; that time may be over.
///
/// # Errors
/// What the system says, or that the file holds no time.
pub fn read(folder: &Path) -> io::Result<Option<Timestamp>> {
    match fs::read_to_string(folder.join(NAME)) {
        Ok(text) => Timestamp::parse(text.trim()).map(Some).map_err(io::Error::other),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error),
    }
}

/// Switches on until a time, or off; durable when it returns.
///
/// # Errors
/// What the system says.
pub fn write(folder: &Path, until: Option<Timestamp>) -> io::Result<()> {
    let path = folder.join(NAME);
    match until {
        Some(until) => {
            let fresh = folder.join("debug-until.new");
            let mut file = fs::File::create(&fresh)?;
            writeln!(file, "{until}")?;
            file.sync_all()?;
            fs::rename(&fresh, &path)?;
        }
        None => match fs::remove_file(&path) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
            _ => {}
        },
    }
    fs::File::open(folder)?.sync_all()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(secs: i64) -> Timestamp {
        Timestamp::from_secs(1_000_000 + secs)
    }

    #[test]
    fn it_ends_by_itself_and_survives_a_restart_until_then() {
        let folder = tempfile::tempdir().unwrap();
        let mut switch = Switch::new(folder.path());
        let mut is_on = |secs| {
            switch.tick(at(secs));
            switch.is_on(at(secs))
        };
        assert!(!is_on(0));
        write(folder.path(), Some(at(100))).unwrap();
        assert!(is_on(1) && is_on(99) && !is_on(100));
        // A clock that was set back.
        assert!(is_on(50));
        let mut again = Switch::new(folder.path());
        again.tick(at(60));
        assert!(again.is_on(at(60)));
        write(folder.path(), None).unwrap();
        assert!(!is_on(51) && read(folder.path()).unwrap().is_none());
        write(folder.path(), None).unwrap();
    }

    #[test]
    fn a_file_that_holds_no_time_switches_nothing_on() {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join(NAME), "tomorrow").unwrap();
        let mut switch = Switch::new(folder.path());
        switch.tick(at(0));
        assert!(!switch.is_on(at(0)) && read(folder.path()).is_err());
    }
}
