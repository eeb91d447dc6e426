//! Copies: what copytruncate leaves, and what only looks like a copy.

use std::io::Read;

use super::*;
use crate::input::file::DELETED_GRACE;
use crate::input::file::copy::COPY_GRACE;
use crate::input::file::identity::Facts;
use crate::input::file::scan::Found;
use crate::registry::Losses;

pub(super) const ALL: &str = "paths: ['{folder}/app.log*']";

pub(super) fn gzip(plain: &[u8]) -> Vec<u8> {
    let mut packed = Vec::new();
    flate2::read::GzEncoder::new(plain, flate2::Compression::fast()).read_to_end(&mut packed).unwrap();
    packed
}

pub(super) fn zstd(plain: &[u8]) -> Vec<u8> {
    ::zstd::encode_all(plain, 1).unwrap()
}

pub(super) fn lines(from: usize, to: usize) -> String {
    (from..to).map(|line| format!("line {line:06}\n")).collect()
}

fn copy(rig: &Rig, from: &str, to: &str) {
    fs::copy(rig.path(from), rig.path(to)).unwrap();
}

fn truncate(rig: &Rig, name: &str) {
    OpenOptions::new().write(true).open(rig.path(name)).unwrap().set_len(0).unwrap();
}

/// Commits, and is killed: what happens next, nobody sees.
pub(super) fn stop(rig: &mut Rig) {
    let now = rig.now;
    rig.input().checkpoint(now).unwrap();
    rig.kill();
}

pub(super) fn expect_lines(rig: &mut Rig, from: usize, to: usize) {
    let expected: Vec<_> = lines(from, to).lines().map(str::to_owned).collect();
    let found = rig.drain();
    assert!(found == expected, "{} of {}: {:?}", found.len(), expected.len(), found.first());
    assert_eq!(rig.totals().losses, Losses::default());
}

/// The lines between the last look and the truncation are nowhere but in the copy.
#[test]
fn copytruncate_loses_nothing_whether_the_copy_matches_or_not() {
    for yaml in [ALL, "paths: ['{folder}/app.log']"] {
        for is_running in [true, false] {
            let mut rig = Rig::with(yaml);
            rig.append("app.log", lines(0, 100));
            rig.read();
            rig.ack();
            if !is_running {
                stop(&mut rig);
            }
            rig.append("app.log", lines(100, 150));
            copy(&rig, "app.log", "app.log.1");
            truncate(&rig, "app.log");
            rig.append("app.log", lines(150, 152));
            if !is_running {
                rig.start();
            }
            expect_lines(&mut rig, 0, 152);
            rig.append("app.log", lines(152, 153));
            expect_lines(&mut rig, 152, 153);
        }
    }
}

#[test]
fn a_copy_that_is_being_made_is_not_shipped() {
    let mut rig = Rig::with(ALL);
    let text = lines(0, 1000);
    rig.append("app.log", &text);
    rig.append("app.log.1", &text[..5000]);
    expect_lines(&mut rig, 0, 1000);
    rig.append("app.log.1", &text[5000..]);
    expect_lines(&mut rig, 0, 0);
    let skipped = rig.input().status().skipped;
    assert!(skipped[0].reason.starts_with("so far a copy of "), "{skipped:?}");
    truncate(&rig, "app.log");
    rig.append("app.log", lines(1000, 1001));
    expect_lines(&mut rig, 1000, 1001);
    assert_eq!(rig.totals().streams, 2);
}

/// A file that begins as another one did is that other one only as long as all of it agrees.
#[test]
fn what_only_begins_like_the_original_is_read() {
    let mut rig = Rig::with(ALL);
    rig.append("app.log", "Started\n");
    rig.expect(&["Started"]);
    rig.append("app.log.1", "Started\nof yesterday\n");
    rig.append("app.log.old", "");
    rig.expect(&["Started", "of yesterday"]);
    rig.append("app.log.old", "Started\n");
    rig.expect(&[]);
    rig.append("app.log.old", "another way\n");
    rig.expect(&["Started", "another way"]);
}

#[test]
fn neighbours_with_the_same_text_are_no_copies() {
    let mut rig = Rig::with("paths: ['{folder}/*.log']");
    rig.append("worker-1.log", "Started\n");
    rig.expect(&["Started"]);
    rig.append("worker-2.log", "Started\n");
    rig.expect(&["Started"]);
}

#[test]
fn a_backup_stays_one_and_what_it_gets_of_its_own_is_shipped() {
    let mut rig = Rig::with(ALL);
    rig.append("app.log", "one\n");
    rig.expect(&["one"]);
    rig.append("app.log.bak", "one\n");
    let modified = fs::metadata(rig.path("app.log.bak")).unwrap().modified().unwrap();
    rig.now = Timestamp::EPOCH.plus(modified.duration_since(std::time::UNIX_EPOCH).unwrap()).plus(COPY_GRACE);
    rig.expect(&[]);
    rig.ack();
    assert_eq!(rig.ledger().filtered, 4);
    rig.restart();
    rig.append("app.log.bak", "of its own\n");
    rig.expect(&["of its own"]);
}

#[test]
fn two_copytruncates_while_nobody_looked() {
    let mut rig = Rig::with(ALL);
    rig.append("app.log", lines(0, 100));
    rig.read();
    rig.ack();
    stop(&mut rig);
    rig.append("app.log", lines(100, 200));
    copy(&rig, "app.log", "app.log.1");
    truncate(&rig, "app.log");
    rig.append("app.log", lines(200, 300));
    rig.rename("app.log.1", "app.log.2");
    copy(&rig, "app.log", "app.log.1");
    truncate(&rig, "app.log");
    rig.append("app.log", lines(300, 400));
    rig.start();
    expect_lines(&mut rig, 0, 400);
}

#[test]
fn copied_to_another_file_and_removed() {
    for is_running in [true, false] {
        let mut rig = Rig::with(ALL);
        rig.append("app.log", lines(0, 100));
        rig.read();
        rig.ack();
        if !is_running {
            stop(&mut rig);
        }
        rig.append("app.log", lines(100, 200));
        copy(&rig, "app.log", "app.log.1");
        rig.remove("app.log");
        if !is_running {
            rig.start();
        }
        expect_lines(&mut rig, 0, 200);
        rig.wait(DELETED_GRACE);
        expect_lines(&mut rig, 0, 0);
    }
}

/// Half read, the plain file is gone, and only its compressed copy is there.
/// The name says gzip, the bytes do not.
#[test]
fn a_copy_of_what_is_in_flight() {
    let mut rig = Rig::with(ALL);
    rig.append("app.log", lines(0, 1));
    rig.read();
    copy(&rig, "app.log", "app.log.1");
    truncate(&rig, "app.log");
    rig.append("app.log", lines(1, 4));
    expect_lines(&mut rig, 0, 4);
}

/// Two rotations and a compression between two looks.
/// A network share that is mounted again may have another device number.
#[test]
fn a_file_system_that_comes_back_under_another_number_is_the_same() {
    let mut rig = Rig::with(ALL);
    rig.append("app.log", lines(0, 100));
    expect_lines(&mut rig, 0, 100);
    rig.restart();
    let input = rig.input();
    let slot = *input.by_key.values().next().unwrap();
    let stream = input.stream_mut(slot).unwrap();
    stream.facts.device += 1;
    let key = stream.key();
    input.by_key = std::collections::HashMap::from([(key, slot)]);
    rig.append("app.log", lines(100, 110));
    expect_lines(&mut rig, 100, 110);
    assert_eq!(rig.totals().streams, 1);
}

/// `cp app.log app.log.1`, into the same file each time, and then the cut.
#[test]
fn copies_over_an_earlier_copy() {
    let mut rig = Rig::with(ALL);
    for round in 0..6 {
        let (from, to) = (round * 100, round * 100 + 100);
        rig.append("app.log", lines(from, to));
        if round % 2 == 0 {
            rig.read();
        }
        copy(&rig, "app.log", "app.log.1");
        match round {
            // The copy is seen before the cut, or a restart comes between.
            2 => rig.read(),
            3 => stop(&mut rig),
            _ => {}
        }
        if round == 4 {
            rig.read();
            rig.restart();
            rig.read();
        }
        truncate(&rig, "app.log");
        if round == 3 {
            rig.start();
        }
        rig.read();
        rig.ack();
    }
    let ids: std::collections::BTreeSet<_> = rig.got.iter().map(|got| (got.stream, got.offset)).collect();
    assert_eq!(ids.len(), rig.got.len(), "no two lines have one id");
    expect_lines(&mut rig, 0, 600);
}

/// An empty file was copied first, and that copy written over later.
#[test]
fn a_copy_over_an_empty_copy() {
    let mut rig = Rig::with(ALL);
    rig.append("app.log", "");
    copy(&rig, "app.log", "app.log.1");
    rig.read();
    rig.append("app.log", lines(0, 1));
    rig.read();
    rig.ack();
    copy(&rig, "app.log", "app.log.1");
    truncate(&rig, "app.log");
    rig.append("app.log", lines(1, 4));
    expect_lines(&mut rig, 0, 4);
}

/// Nothing of it was a record yet, and the new content is as long as what was seen of the old.
#[test]
fn half_a_line_that_is_copied_and_cut() {
    let mut rig = Rig::with(ALL);
    rig.append("app.log", "half a line of 23 bytes");
    rig.expect(&[]);
    rig.append("app.log", "\n");
    copy(&rig, "app.log", "app.log.1");
    truncate(&rig, "app.log");
    rig.append("app.log", "another\nand a third..\n");
    rig.read();
    let mut messages = rig.take();
    messages.sort();
    assert_eq!(messages, ["and a third..", "another", "half a line of 23 bytes"]);
    rig.ack();
    assert_eq!(rig.ledger().lost, 0);
}

/// Between the look at the copy and the comparison, the copy is finished and the original cut.
#[test]
fn a_copy_that_was_found_while_it_was_written_is_compared_as_it_is() {
    let mut rig = Rig::with("paths: ['{folder}/app.log*']\nparse: plain");
    rig.append("app.log", "one\ntwo\n");
    rig.expect(&["one", "two"]);
    fs::copy(rig.path("app.log"), rig.path("app.log.1")).unwrap();
    let facts = Facts::of(&fs::metadata(rig.path("app.log.1")).unwrap());
    let found =
        Found { path: rig.path("app.log.1"), input: 0, is_link: false, facts: Facts { size: 3, ..facts } };
    fs::write(rig.path("app.log"), "").unwrap();
    let now = rig.now;
    rig.input().meet(found, None, now);
    while rig.read_once() {}
    rig.append("app.log", "three\n");
    rig.expect(&["three"]);
}
