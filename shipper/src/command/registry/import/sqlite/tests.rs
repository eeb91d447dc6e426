//! A real file of SQLite 3.40, with pages so small that the table has inner pages and rows that overflow; and damage.

use proptest::prelude::*;

use super::*;

/// `tail.db` of three hundred files: `/var/log/<number>.log`, every fiftieth with a name of 2000 letters; offset is the
/// number times 1000, inode the number and a hundred; an index and a second table beside it.
const FILE: &[u8] = include_bytes!("tail.db");

fn rows(bytes: &[u8]) -> Result<Vec<(String, i64, i64)>, SqliteError> {
    let database = Database::open(bytes)?;
    let Some((root, _)) = database.table("in_tail_files")? else { return Ok(Vec::new()) };
    let mut rows = Vec::new();
    database.rows(root, &mut |row| {
        if let [_, Value::Text(name), Value::Integer(offset), Value::Integer(inode), ..] = row {
            rows.push(((*name).to_owned(), *offset, *inode));
        }
    })?;
    Ok(rows)
}

#[test]
fn every_row_is_read() {
    let expected: Vec<_> = (0..300)
        .map(|number| {
            let name = if number % 50 == 0 { "n".repeat(2000) } else { String::new() };
            (format!("/var/log/{name}{number}.log"), number * 1000, number + 100)
        })
        .collect();
    assert_eq!(rows(FILE).unwrap(), expected);
    let database = Database::open(FILE).unwrap();
    assert_eq!(database.table("nothing").unwrap(), None);
    let (_, sql) = database.table("in_tail_files").unwrap().unwrap();
    assert!(sql.starts_with("CREATE TABLE in_tail_files ("), "{sql}");
}

#[test]
fn what_is_no_database_is_refused() {
    for bytes in [&b""[..], b"{}", &FILE[..99], &[0; 4096]] {
        assert_eq!(rows(bytes), Err(SqliteError::NoDatabase));
    }
    assert!(matches!(rows(&FILE[..FILE.len() / 2]), Err(SqliteError::Damaged(_))));
}

proptest! {
    /// Whatever is broken, it ends, and in an error or in rows.
    #[test]
    fn damage_ends_in_an_error(places in prop::collection::vec((0..FILE.len(), any::<u8>()), 1..40)) {
        let mut bytes = FILE.to_vec();
        for (at, value) in places {
            bytes[at] = value;
        }
        let _ = rows(&bytes);
    }
}
