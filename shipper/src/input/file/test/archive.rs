//! Compressed rotations: read on where their original stopped, and read once.

use std::time::Duration;

use super::copy::{ALL, expect_lines, gzip, lines, stop, zstd};
use super::*;
use crate::input::file::CLOSE_IDLE;

#[test]
fn a_half_read_file_goes_on_in_its_archive() {
    for (ending, pack) in [("gz", gzip as fn(&[u8]) -> Vec<u8>), ("zst", zstd)] {
        for yaml in [ALL, "paths: ['{folder}/app.log']"] {
            let mut rig = Rig::with(yaml);
            rig.append("app.log", lines(0, 60_000));
            rig.wait(Duration::from_secs(1));
            rig.read_once();
            assert!(rig.got.len() < 60_000);
            rig.ack();
            stop(&mut rig);
            let (first, second) = (lines(0, 60_000), lines(60_000, 60_010));
            rig.append(
                &format!("app.log.{ending}"),
                [pack(first.as_bytes()), pack(second.as_bytes())].concat(),
            );
            rig.remove("app.log");
            rig.start();
            expect_lines(&mut rig, 0, 60_010);
            // Once more from its middle, and once more when all is done.
            rig.restart();
            expect_lines(&mut rig, 0, 0);
        }
    }
}

#[test]
fn an_archive_goes_on_in_its_middle_after_a_kill() {
    let mut rig = Rig::with(ALL);
    rig.append("app.log.gz", gzip(lines(0, 60_000).as_bytes()));
    rig.wait(Duration::from_secs(1));
    rig.read_once();
    rig.ack();
    stop(&mut rig);
    let before = rig.got.len();
    assert!(before > 0 && before < 60_000);
    rig.start();
    expect_lines(&mut rig, 0, 60_000);
}

#[test]
fn an_archive_of_a_file_that_was_read_is_not_shipped_again() {
    let mut rig = Rig::with(ALL);
    rig.append("app.log.1", lines(0, 1000));
    expect_lines(&mut rig, 0, 1000);
    let packed = gzip(lines(0, 1000).as_bytes());
    // It grows beside its original, which then goes.
    rig.append("app.log.1.gz", &packed[..packed.len() / 2]);
    expect_lines(&mut rig, 0, 0);
    rig.append("app.log.1.gz", &packed[packed.len() / 2..]);
    rig.remove("app.log.1");
    for _ in 0..3 {
        expect_lines(&mut rig, 0, 0);
        rig.wait(CLOSE_IDLE);
    }
    rig.rename("app.log.1.gz", "app.log.2.gz");
    expect_lines(&mut rig, 0, 0);
    rig.restart();
    expect_lines(&mut rig, 0, 0);
    assert_eq!(rig.totals().streams, 1);
}

#[test]
fn a_new_archive_is_read_as_it_comes_and_its_last_line_needs_no_end() {
    let mut rig = Rig::with(ALL);
    let packed = gzip(b"one\ntwo\nthree");
    rig.append("app.log.gz", &packed[..packed.len() - 12]);
    rig.read();
    rig.append("app.log.gz", &packed[packed.len() - 12..]);
    rig.read();
    rig.wait(CLOSE_IDLE);
    rig.read();
    assert_eq!(rig.drain(), ["one", "three", "two"]);
    assert_eq!((rig.ledger().acked, rig.ledger().pending), (13, 0));
    rig.restart();
    assert_eq!(rig.drain(), [""; 0]);
}

#[test]
fn archives_of_the_past_are_left_alone_by_a_start_at_the_end() {
    let mut rig = Rig::with("paths: ['{folder}/app.log*']\nstart: end");
    rig.append("app.log.1.gz", gzip(b"old\n"));
    rig.append("app.log", "old\n");
    rig.expect(&[]);
    rig.append("app.log", "new\n");
    rig.expect(&["new"]);
    rig.ack();
    rig.restart();
    rig.expect(&[]);
}

#[test]
fn a_text_under_the_name_of_an_archive_is_a_text() {
    let mut rig = Rig::with(ALL);
    rig.append("app.log.gz", "plain\n");
    rig.expect(&["plain"]);
}

#[test]
fn a_damaged_archive_gives_what_is_sound_and_says_so() {
    let mut rig = Rig::with(ALL);
    rig.append(
        "app.log.gz",
        [gzip(lines(0, 1000).as_bytes()), b"this is no member of an archive".to_vec()].concat(),
    );
    expect_lines(&mut rig, 0, 1000);
    let error = rig.input().status().streams[0].error.clone().unwrap();
    assert!(error.starts_with("the archive is damaged behind byte "), "{error}");
}

#[test]
fn an_archive_that_was_in_flight_is_read_again_after_a_kill() {
    let mut rig = Rig::with(ALL);
    rig.append("app.log.gz", gzip(lines(0, 1).as_bytes()));
    rig.read();
    rig.kill();
    rig.start();
    rig.read();
    expect_lines(&mut rig, 0, 1);
}

#[test]
fn a_chain_that_ends_in_an_archive() {
    let mut rig = Rig::with(ALL);
    rig.append("app.log", lines(0, 1));
    rig.read();
    rig.rename("app.log", "app.log.1");
    rig.append("app.log", lines(1, 2));
    rig.rename("app.log.1", "app.log.2");
    rig.rename("app.log", "app.log.1");
    rig.append("app.log.2.gz", gzip(lines(0, 1).as_bytes()));
    rig.remove("app.log.2");
    rig.append("app.log", lines(2, 3));
    expect_lines(&mut rig, 0, 3);
}
