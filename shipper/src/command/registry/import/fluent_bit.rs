//! Fluent Bit's `DB`: a SQLite file with the table `in_tail_files (id, name, offset, inode, created, rotated, ...)`.
//!
//! The device is not told; an inode that two of our files have is decided by the name, or not at all.

use std::path::{Path, PathBuf};

use anyhow::{Context, ensure};

use super::sqlite::{Database, Value};
use super::{FILE_BYTES_MAX, Position, Who};

const TABLE: &str = "in_tail_files";
/// The columns that are used, by their place.
const COLUMNS: [(usize, &str); 3] = [(1, "name"), (2, "offset"), (3, "inode")];

pub(super) fn read(path: &Path) -> anyhow::Result<Vec<Position>> {
    let mut wal = path.as_os_str().to_owned();
    wal.push("-wal");
    let wal = PathBuf::from(wal);
    ensure!(
        wal.metadata().map_or(0, |metadata| metadata.len()) == 0,
        "its newest changes lie in {}; stop Fluent Bit, and if the file stays, run: sqlite3 {} 'PRAGMA wal_checkpoint(TRUNCATE)'",
        wal.display(),
        path.display()
    );
    let size = path.metadata()?.len();
    ensure!(size <= FILE_BYTES_MAX, "{size} bytes are too many for a registry");
    let bytes = std::fs::read(path)?;
    let database = Database::open(&bytes)?;
    let (root, sql) =
        database.table(TABLE)?.with_context(|| format!("has no table `{TABLE}`: no DB of the tail input"))?;
    let names = column_names(&sql);
    for (place, name) in COLUMNS {
        ensure!(
            names.get(place).is_some_and(|found| found == name),
            "column {place} of `{TABLE}` is not `{name}`: another version of Fluent Bit than is known here"
        );
    }
    let mut positions = Vec::new();
    database.rows(root, &mut |row| positions.extend(position(row)))?;
    Ok(positions)
}

/// The first word of each part of `CREATE TABLE ... (...)`.
fn column_names(sql: &str) -> Vec<String> {
    let inside = sql.split_once('(').map_or("", |(_, inside)| inside);
    let first = |part: &str| part.split_whitespace().next().unwrap_or_default().to_owned();
    inside.split(',').map(first).collect()
}

fn position(row: &[Value<'_>]) -> Option<Position> {
    let [_, Value::Text(name), Value::Integer(offset), Value::Integer(inode), ..] = row else { return None };
    let path = Some(PathBuf::from(name)).filter(|path| path.is_absolute());
    let inode = u64::try_from(*inode).ok()?;
    Some(Position { who: Who::Inode { inode, device: None, path }, offset: u64::try_from(*offset).ok()? })
}
