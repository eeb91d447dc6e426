//! Deleted files that were not shipped yet, and what they may cost.

use super::copy::lines;
use super::*;
use crate::input::file::pinned::{Beyond, spool_path};
use crate::registry::Losses;
use yaml::ByteSize;

/// A rig that may hold so many bytes of deleted files, and nothing in it yet.
fn rig(bytes_max: u64, beyond: Beyond) -> Rig {
    let mut rig = Rig::with("paths: ['{folder}/app.log*']\nparse: plain");
    rig.pinned = PinnedConfig { bytes_max: ByteSize(bytes_max), beyond };
    rig.kill();
    rig.start();
    rig
}

/// Lets the input hold a file, which is deleted then.
fn delete_while_held(rig: &mut Rig, name: &str, from: usize, to: usize) {
    rig.append(name, lines(from, to));
    tick(rig);
    rig.remove(name);
    tick(rig);
}

/// A second passes, in which the output has no room.
fn tick(rig: &mut Rig) {
    rig.wait(Duration::from_secs(1));
    let now = rig.now;
    rig.input().tick(now);
}

fn spools(rig: &Rig) -> usize {
    fs::read_dir(rig.state.path().join("spool")).map_or(0, Iterator::count)
}

fn expected(from: usize, to: usize) -> Vec<String> {
    lines(from, to).lines().map(str::to_owned).collect()
}

#[test]
fn within_the_budget_everything_is_held() {
    let mut rig = rig(1 << 20, Beyond::DropOldest);
    delete_while_held(&mut rig, "app.log.1", 0, 1000);
    assert_eq!((rig.totals().pinned_bytes, rig.totals().spooled_bytes), (12_000, 0));
    assert_eq!(rig.drain(), expected(0, 1000));
}

#[test]
fn beyond_it_the_oldest_is_given_up_and_counted() {
    let mut rig = rig(13_000, Beyond::DropOldest);
    delete_while_held(&mut rig, "app.log.1", 0, 1000);
    delete_while_held(&mut rig, "app.log.2", 1000, 2000);
    tick(&mut rig);
    assert_eq!(rig.totals().losses, Losses { over_budget: 12_000, ..Losses::default() });
    assert_eq!(rig.drain(), expected(1000, 2000));
    let ledger = rig.ledger();
    assert_eq!((ledger.acked, ledger.lost, ledger.pending), (12_000, 12_000, 0));
}

#[test]
fn beyond_it_the_oldest_goes_on_in_a_compressed_copy() {
    let mut rig = rig(13_000, Beyond::Spool);
    delete_while_held(&mut rig, "app.log.1", 0, 1000);
    delete_while_held(&mut rig, "app.log.2", 1000, 2000);
    for _ in 0..3 {
        tick(&mut rig);
    }
    let totals = rig.totals();
    assert_eq!(totals.pinned_bytes, 12_000);
    assert!((1..4000).contains(&totals.spooled_bytes), "{}", totals.spooled_bytes);
    assert_eq!(spools(&rig), 1);
    assert_eq!(rig.drain(), expected(0, 2000));
    for _ in 0..3 {
        tick(&mut rig);
    }
    assert_eq!(rig.drain(), [""; 0]);
    assert_eq!((spools(&rig), rig.totals().losses), (0, Losses::default()));
    assert_eq!((rig.ledger().acked, rig.ledger().pending), (24_000, 0));
}

/// Each costs a decoder, so they are read one after the other.
#[test]
fn many_copies_are_read_one_by_one() {
    let mut rig = rig(13_000, Beyond::Spool);
    for file in 0..6 {
        delete_while_held(&mut rig, &format!("app.log.{file}"), file * 1000, file * 1000 + 1000);
        tick(&mut rig);
        tick(&mut rig);
    }
    assert_eq!((spools(&rig), rig.totals().files_open), (5, 2), "the last file, and one copy");
    let mut messages = Vec::new();
    for _ in 0..20 {
        messages.extend(rig.drain());
        assert!(rig.totals().files_open <= 2);
    }
    messages.sort();
    assert!(messages == expected(0, 6000), "{}", messages.len());
    assert_eq!((spools(&rig), rig.totals().losses), (0, Losses::default()));
}

#[test]
fn the_next_copy_is_begun_when_one_is_read_to_its_end() {
    let mut rig = rig(13_000, Beyond::Spool);
    for file in 0..6 {
        delete_while_held(&mut rig, &format!("app.log.{file}"), file * 1000, file * 1000 + 1000);
        tick(&mut rig);
        tick(&mut rig);
    }
    assert_eq!(spools(&rig), 5);
    // No second passes.
    for _ in 0..20 {
        rig.read_once();
        assert!(rig.totals().files_open <= 2);
    }
    assert_eq!(rig.unsettled.len(), 6000);
    rig.ack();
    tick(&mut rig);
    let mut messages: Vec<String> = rig.got.iter().map(|got| got.message.clone()).collect();
    messages.sort();
    assert!(messages == expected(0, 6000), "{}", messages.len());
    assert_eq!((spools(&rig), rig.ledger().acked, rig.ledger().pending), (0, 72_000, 0));
}

/// Half of it was acknowledged before it was deleted; a kill follows when the copy is made, and another one later.
#[test]
fn a_copy_outlives_kills() {
    let mut rig = rig(400_000, Beyond::Spool);
    rig.append("app.log.1", lines(0, 60_000));
    rig.wait(Duration::from_secs(1));
    rig.read_once();
    let acked = rig.unsettled.len();
    assert!(acked < 60_000);
    rig.ack();
    rig.remove("app.log.1");
    for _ in 0..5 {
        tick(&mut rig);
    }
    assert_eq!(spools(&rig), 1);
    for _ in 0..2 {
        let now = rig.now;
        rig.input().checkpoint(now).unwrap();
        rig.kill();
        rig.start();
        rig.wait(Duration::from_secs(1));
        rig.read_once();
        rig.ack();
    }
    assert!(rig.drain() == expected(0, 60_000));
    for _ in 0..3 {
        tick(&mut rig);
    }
    assert_eq!((rig.ledger().acked, rig.ledger().pending, rig.ledger().lost), (720_000, 0, 0));
    assert_eq!(spools(&rig), 0);
}

#[test]
fn what_a_kill_left_half_copied_is_removed() {
    let mut rig = rig(1000, Beyond::Spool);
    let stray = spool_path(&rig.state.path().join("registry.log"), StreamId::from_u128(7));
    fs::create_dir_all(stray.parent().unwrap()).unwrap();
    fs::write(&stray, "half").unwrap();
    rig.restart();
    assert!(!stray.exists());
}
