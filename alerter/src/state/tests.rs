//! The state file across crashes, torn writes and damage.

use std::fs;

use event::Timestamp;
use proptest::prelude::*;
use rules::rule::Priority;

use super::*;
use crate::outbox::Verdict;
use crate::{Kind, sample};

const PAGE: usize = 4096;

fn row(number: u64) -> Row {
    let at = Timestamp::from_secs(i64::try_from(number).unwrap());
    Row::new("ops", "", sample::notification(&number.to_string(), Priority::P1, Kind::Firing, at), at)
}

/// Step `number` adds a row, ends the one three steps before, and moves the source on.
fn step(store: &mut Store, number: u64) -> Result<usize, StateError> {
    let added = row(number);
    let delivery = Delivery::of(&added, Verdict::Delivered, "ok".to_owned(), added.queued_at);
    let snapshot = rules::Engine::new(Vec::new(), rules::Settings::default()).snapshot();
    let next = i64::try_from(number).unwrap() + 1;
    let positions = [Position { topic: "logs".to_owned(), partition: 0, next }];
    let mut rows = vec![(RowId(number), Some(&added))];
    if let Some(over) = number.checked_sub(3) {
        rows.push((RowId(over), None));
    }
    store.write(&Change {
        engine: Some((&snapshot, &positions)),
        rows,
        history: vec![(number, &delivery)],
        history_first: number.saturating_sub(5),
        ..Change::default()
    })
}

/// What the file must hold after `steps` steps.
fn check(saved: &Saved, steps: u64) {
    let rows: Vec<u64> = (steps.saturating_sub(3)..steps).collect();
    assert_eq!(saved.rows.keys().map(|id| id.0).collect::<Vec<_>>(), rows, "after {steps}");
    assert!(saved.rows.iter().all(|(id, found)| *found == row(id.0)));
    assert_eq!(saved.positions.first().map_or(0, |position| position.next), i64::try_from(steps).unwrap());
    assert_eq!(saved.engine.is_some(), steps > 0);
    let history: Vec<u64> = (steps.saturating_sub(6)..steps).collect();
    assert_eq!(saved.history.iter().map(|(number, _)| *number).collect::<Vec<_>>(), history);
}

/// The file's bytes after each step, taken while it was open: what `kill -9` leaves.
fn versions(steps: u64) -> Vec<Vec<u8>> {
    let folder = tempfile::tempdir().unwrap();
    let (mut store, saved) = Store::open(folder.path()).unwrap();
    check(&saved, 0);
    (0..steps)
        .map(|number| {
            step(&mut store, number).unwrap();
            fs::read(store.path()).unwrap()
        })
        .collect()
}

fn open(bytes: &[u8]) -> Result<Saved, StateError> {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join(FILE), bytes).unwrap();
    Store::open(folder.path()).map(|(_, saved)| saved)
}

#[test]
fn a_kill_after_any_write_loses_nothing() {
    for (number, bytes) in versions(12).iter().enumerate() {
        check(&open(bytes).unwrap(), number as u64 + 1);
    }
}

#[test]
fn it_goes_on_after_a_clean_end_and_after_a_kill() {
    let folder = tempfile::tempdir().unwrap();
    for number in 0..6 {
        let (mut store, saved) = Store::open(folder.path()).unwrap();
        check(&saved, number);
        step(&mut store, number).unwrap();
    }
}

#[test]
fn two_processes_do_not_share_it() {
    let folder = tempfile::tempdir().unwrap();
    let (_store, _) = Store::open(folder.path()).unwrap();
    let error = Store::open(folder.path()).unwrap_err();
    assert!(matches!(error, StateError::Taken { .. }), "{error}");
    assert!(error.to_string().contains("stop the other alerter"), "{error}");
}

#[test]
fn another_file_is_refused_and_stays_as_it_is() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join(FILE), "my holiday pictures").unwrap();
    let error = Store::open(folder.path()).unwrap_err();
    assert!(matches!(error, StateError::Corrupt { .. }), "{error}");
    assert!(error.to_string().contains("move it away to start anew"), "{error}");
    assert_eq!(fs::read(folder.path().join(FILE)).unwrap(), b"my holiday pictures");
}

#[test]
fn another_format_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let (store, _) = Store::open(folder.path()).unwrap();
    let database = store.database.unwrap();
    let transaction = database.begin_write().unwrap();
    transaction.open_table(META).unwrap().insert("format", 7u64.to_le_bytes().as_slice()).unwrap();
    transaction.commit().unwrap();
    drop(database);
    let error = Store::open(folder.path()).unwrap_err().to_string();
    assert!(error.contains("format 7, this program reads format 1"), "{error}");
}

#[test]
fn a_folder_that_cannot_be_made_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("file");
    fs::write(&file, "").unwrap();
    let error = Store::open(&file.join("state")).unwrap_err();
    assert!(matches!(error, StateError::Io { .. }), "{error}");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]
    /// The disk has written some pages of a transaction and not others when the power goes.
    #[test]
    fn a_torn_write_is_the_old_state_or_the_new(before in 0usize..9, pages in prop::collection::vec(any::<bool>(), 1..64)) {
        let versions = versions(10);
        let (old, new) = (&versions[before], &versions[before + 1]);
        let mut torn = old.clone();
        torn.resize(new.len().max(old.len()), 0);
        let is_page_written = |page: usize| pages[page % pages.len()];
        for (page, bytes) in new.chunks(PAGE).enumerate().filter(|(page, _)| is_page_written(*page)) {
            torn[page * PAGE..page * PAGE + bytes.len()].copy_from_slice(bytes);
        }
        let saved = open(&torn).unwrap();
        let steps = u64::try_from(saved.positions[0].next).unwrap();
        prop_assert!(steps == before as u64 + 1 || steps == before as u64 + 2);
        check(&saved, steps);
    }

    /// Damage is refused with a clear word, or lies where nothing is.
    #[test]
    fn damage_is_never_read(at in any::<prop::sample::Index>(), flip in 1u8..=255) {
        let mut bytes = versions(6).pop().unwrap();
        let at = at.index(bytes.len());
        bytes[at] ^= flip;
        match open(&bytes) {
            Ok(saved) => check(&saved, u64::try_from(saved.positions[0].next).unwrap()),
            Err(error) => prop_assert!(error.to_string().contains("state.redb"), "{error}"),
        }
    }
}
