//! What survives a crash, in one file.
//!
//! Enters: one [`Change`] at a time. Leaves: the [`Saved`] state of the last one that was written, whatever happened
//! since. Never: half a change; engine, positions, episodes and outbox go to disk in one transaction, or none does.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use daemon::Position;
use redb::{Database, DatabaseError, ReadableDatabase, ReadableTable, TableDefinition};
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::outbox::{Delivery, Row, RowId};
use crate::route::Episode;

/// The file's name in the directory of `state.path`.
pub const FILE: &str = "state.redb";
/// The layout of the values; a file of another one is refused.
pub const FORMAT: u64 = 1;
const CACHE_BYTES: usize = 8 << 20;

const META: TableDefinition<&str, &[u8]> = TableDefinition::new("meta");
const EPISODES: TableDefinition<u64, &[u8]> = TableDefinition::new("episodes");
const OUTBOX: TableDefinition<u64, &[u8]> = TableDefinition::new("outbox");
const HISTORY: TableDefinition<u64, &[u8]> = TableDefinition::new("history");

/// Why state cannot be read or written.
#[derive(Debug, thiserror::Error)]
pub enum StateError {
    /// The disk refuses; the next try may succeed.
    #[error("{}: {reason}", path.display())]
    Io {
        /// The file or its directory.
        path: PathBuf,
        /// What the system says.
        reason: String,
    },
    /// Another process has the file.
    #[error("{}: another process uses it; stop the other alerter, or give this one a `state.path` of its own", path.display())]
    Taken {
        /// The file.
        path: PathBuf,
    },
    /// The file is not what was written.
    #[error(
        "{}: {reason}; restore it from a backup, or move it away to start anew: then alerts that are firing fire \
         again, undelivered notifications are lost, and reading goes on at the group's committed offsets",
        path.display()
    )]
    Corrupt {
        /// The file.
        path: PathBuf,
        /// What does not fit.
        reason: String,
    },
}

/// Everything that a transaction changes.
#[derive(Debug, Default)]
pub struct Change<'a> {
    /// The engine's snapshot with the positions that belong to it; `None` leaves both as they are.
    pub engine: Option<(&'a rules::Snapshot, &'a [Position])>,
    /// Episodes to write, or to remove.
    pub episodes: Vec<(u64, Option<&'a Episode>)>,
    /// Rows to write, or to remove.
    pub rows: Vec<(RowId, Option<&'a Row>)>,
    /// Deliveries to add.
    pub history: Vec<(u64, &'a Delivery)>,
    /// Deliveries with smaller numbers go.
    pub history_first: u64,
}

/// What the last transaction left.
#[derive(Debug, Default)]
pub struct Saved {
    /// The engine, when it was ever written.
    pub engine: Option<rules::Snapshot>,
    /// Where the source goes on.
    pub positions: Vec<Position>,
    /// Alerts that are firing.
    pub episodes: BTreeMap<u64, Episode>,
    /// Rows that are not delivered.
    pub rows: BTreeMap<RowId, Row>,
    /// The last deliveries, by number.
    pub history: Vec<(u64, Delivery)>,
}

/// The state file.
#[derive(Debug)]
pub struct Store {
    path: PathBuf,
    /// `None` after a failed write: the library wants the file opened anew.
    database: Option<Database>,
}

impl Store {
    /// Opens the file in `directory`, which is made when there is none, and checks every page of it.
    ///
    /// # Errors
    /// [`StateError`]
    pub fn open(directory: &Path) -> Result<(Self, Saved), StateError> {
        let path = directory.join(FILE);
        std::fs::create_dir_all(directory)
            .map_err(|error| StateError::Io { path: directory.to_owned(), reason: error.to_string() })?;
        let database = open(&path)?;
        let saved = read(&database, &path)?;
        Ok((Store { path, database: Some(database) }, saved))
    }

    /// Writes a change and waits until the disk has it. Answers how large the engine's snapshot was, in bytes.
    ///
    /// # Errors
    /// [`StateError`]; then nothing of the change is written, and the same call can be made again.
    pub fn write(&mut self, change: &Change<'_>) -> Result<usize, StateError> {
        let database = match self.database.take() {
            Some(database) => database,
            None => open(&self.path)?,
        };
        let bytes = write(&database, change).map_err(|error| wrong(&self.path, error))?;
        self.database = Some(database);
        Ok(bytes)
    }

    /// Lets go of the file, as a failed write does.
    #[cfg(test)]
    pub(crate) fn let_go(&mut self) {
        self.database = None;
    }

    /// The file.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }
}

fn open(path: &Path) -> Result<Database, StateError> {
    Database::builder().set_cache_size(CACHE_BYTES).set_check_integrity_on_open(true).create(path).map_err(
        |error| match error {
            DatabaseError::DatabaseAlreadyOpen => StateError::Taken { path: path.to_owned() },
            other => wrong(path, other),
        },
    )
}

fn write(database: &Database, change: &Change<'_>) -> Result<usize, redb::Error> {
    let mut bytes = 0;
    let transaction = database.begin_write()?;
    {
        let mut meta = transaction.open_table(META)?;
        meta.insert("format", FORMAT.to_le_bytes().as_slice())?;
        if let Some((snapshot, positions)) = change.engine {
            let snapshot = json(snapshot)?;
            bytes = snapshot.len();
            meta.insert("engine", snapshot.as_slice())?;
            meta.insert("positions", json(&positions)?.as_slice())?;
        }
        let mut episodes = transaction.open_table(EPISODES)?;
        for (fingerprint, episode) in &change.episodes {
            put(&mut episodes, *fingerprint, *episode)?;
        }
        let mut outbox = transaction.open_table(OUTBOX)?;
        for (id, row) in &change.rows {
            put(&mut outbox, id.0, *row)?;
        }
        let mut history = transaction.open_table(HISTORY)?;
        for (number, delivery) in &change.history {
            put(&mut history, *number, Some(*delivery))?;
        }
        history.retain_in(..change.history_first, |_, _| false)?;
    }
    transaction.commit()?;
    Ok(bytes)
}

fn put<T: Serialize>(
    table: &mut redb::Table<'_, u64, &[u8]>,
    key: u64,
    value: Option<&T>,
) -> Result<(), redb::Error> {
    match value {
        Some(value) => table.insert(key, json(value)?.as_slice())?,
        None => table.remove(key)?,
    };
    Ok(())
}

fn read(database: &Database, path: &Path) -> Result<Saved, StateError> {
    let mut saved = Saved::default();
    let failed = |error: redb::Error| wrong(path, error);
    let transaction = database.begin_read().map_err(|error| failed(error.into()))?;
    let meta = match transaction.open_table(META) {
        Ok(meta) => meta,
        // A file that was made and never written.
        Err(redb::TableError::TableDoesNotExist(_)) => return Ok(saved),
        Err(error) => return Err(failed(error.into())),
    };
    let value = |key: &str| {
        let value = meta.get(key).map_err(|error| failed(error.into()))?;
        Ok::<_, StateError>(value.map(|value| value.value().to_vec()))
    };
    let format = value("format")?.and_then(|bytes| bytes.try_into().ok()).map_or(0, u64::from_le_bytes);
    if format != FORMAT {
        let reason = format!("it has format {format}, this program reads format {FORMAT}");
        return Err(StateError::Corrupt { path: path.to_owned(), reason });
    }
    if let Some(bytes) = value("engine")? {
        saved.engine = Some(typed(path, "the engine's snapshot", &bytes)?);
    }
    if let Some(bytes) = value("positions")? {
        saved.positions = typed(path, "the positions", &bytes)?;
    }
    saved.episodes = entries(&transaction, EPISODES, path)?.into_iter().collect();
    let rows: Vec<(u64, Row)> = entries(&transaction, OUTBOX, path)?;
    saved.rows = rows.into_iter().map(|(id, row)| (RowId(id), row)).collect();
    saved.history = entries(&transaction, HISTORY, path)?;
    Ok(saved)
}

fn entries<T: DeserializeOwned>(
    transaction: &redb::ReadTransaction,
    table: TableDefinition<'static, u64, &'static [u8]>,
    path: &Path,
) -> Result<Vec<(u64, T)>, StateError> {
    let table = transaction.open_table(table).map_err(|error| wrong(path, error))?;
    let mut entries = Vec::new();
    for entry in table.iter().map_err(|error| wrong(path, error))? {
        let (key, value) = entry.map_err(|error| wrong(path, error))?;
        entries.push((key.value(), typed(path, "an entry", value.value())?));
    }
    Ok(entries)
}

fn json<T: Serialize>(value: &T) -> Result<Vec<u8>, redb::Error> {
    serde_json::to_vec(value).map_err(|error| redb::Error::Io(std::io::Error::other(error)))
}

fn typed<T: DeserializeOwned>(path: &Path, what: &str, bytes: &[u8]) -> Result<T, StateError> {
    serde_json::from_slice(bytes).map_err(|error| StateError::Corrupt {
        path: path.to_owned(),
        reason: format!(
            "{what} cannot be read ({error}), another version of the program may have written it"
        ),
    })
}

/// Tells a file that is broken from a disk that refuses.
fn wrong(path: &Path, error: impl Into<redb::Error>) -> StateError {
    let path = path.to_owned();
    match error.into() {
        redb::Error::Io(error) if error.kind() == std::io::ErrorKind::InvalidData => {
            StateError::Corrupt { path, reason: format!("it is not a state file ({error})") }
        }
        error @ (redb::Error::Io(_) | redb::Error::PreviousIo) => {
            StateError::Io { path, reason: error.to_string() }
        }
        error => StateError::Corrupt { path, reason: error.to_string() },
    }
}

#[cfg(test)]
mod tests;
