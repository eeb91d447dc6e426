//! What is found, and what is left alone.

use std::os::unix::fs::{PermissionsExt, symlink};
use std::process::Command;
use std::time::Duration;

use super::*;
use crate::input::file::{CLOSE_IDLE, IN_FLIGHT_BYTES_MAX};

#[test]
fn appended_lines_come_once_and_in_order() {
    let mut rig = Rig::new();
    rig.append("a.log", "one\ntwo\n");
    rig.expect(&["one", "two"]);
    rig.append("a.log", "three\n");
    rig.expect(&["three"]);
    rig.expect(&[]);
    rig.ack();
    let ledger = rig.ledger();
    assert_eq!((ledger.acked, ledger.pending), (14, 0));
}

#[test]
fn offsets_and_ids_name_the_bytes() {
    let mut rig = Rig::new();
    rig.append("a.log", "one\r\ntwo\n\nfour\n");
    rig.read();
    let offsets: Vec<_> = rig.got.iter().map(|got| (got.offset, got.message.as_str())).collect();
    assert_eq!(offsets, [(0, "one"), (5, "two"), (10, "four")]);
    assert_eq!(rig.got[0].path, rig.path("a.log").to_str().unwrap());
}

#[test]
fn a_glob_reaches_into_folders_that_come_later() {
    let mut rig =
        Rig::with("paths: ['{folder}/**/*.log', '{folder}/fixed/app.txt']\nexclude: ['*.skip.log']");
    rig.expect(&[]);
    for folder in ["deep/er", "fixed", ".hidden"] {
        fs::create_dir_all(rig.path(folder)).unwrap();
    }
    rig.append("deep/er/a.log", "deep\n");
    rig.append("deep/er/a.skip.log", "excluded\n");
    rig.append("fixed/app.txt", "fixed\n");
    rig.append(".hidden/a.log", "hidden\n");
    rig.read();
    let mut messages = rig.take();
    messages.sort();
    assert_eq!(messages, ["deep", "fixed"]);
}

#[test]
fn what_is_no_file_is_named_and_stops_nothing() {
    let mut rig = Rig::new();
    fs::create_dir(rig.path("folder.log")).unwrap();
    symlink(rig.path("nowhere"), rig.path("dangling.log")).unwrap();
    assert!(Command::new("mkfifo").arg(rig.path("pipe.log")).status().unwrap().success());
    rig.append("z.log", "still read\n");
    rig.expect(&["still read"]);
    let skipped = rig.input().status().skipped;
    let told: Vec<_> = skipped
        .iter()
        .map(|skipped| (skipped.path.file_name().unwrap().to_str().unwrap(), skipped.reason.as_str()))
        .collect();
    let mut told = told;
    told.sort_unstable();
    assert_eq!(
        told,
        [
            ("dangling.log", "a link to nothing"),
            ("folder.log", "a folder, not a file"),
            ("pipe.log", "a pipe, socket or device, not a file"),
        ]
    );
}

#[test]
fn an_unreadable_file_is_read_once_it_may_be() {
    if rustix::process::geteuid().is_root() {
        // Root may read everything.
        return;
    }
    let mut rig = Rig::new();
    rig.append("a.log", "secret\n");
    fs::set_permissions(rig.path("a.log"), fs::Permissions::from_mode(0o000)).unwrap();
    rig.append("b.log", "open\n");
    rig.expect(&["open"]);
    assert_eq!(rig.totals().failing, 1);
    fs::set_permissions(rig.path("a.log"), fs::Permissions::from_mode(0o600)).unwrap();
    rig.expect(&["secret"]);
    assert_eq!(rig.totals().failing, 0);
}

#[test]
fn a_link_to_a_file_that_matches_is_one_stream() {
    let mut rig = Rig::new();
    rig.append("z.log", "one\n");
    symlink(rig.path("z.log"), rig.path("a.log")).unwrap();
    fs::hard_link(rig.path("z.log"), rig.path("y.log")).unwrap();
    rig.expect(&["one"]);
    rig.append("z.log", "two\n");
    rig.expect(&["two"]);
    assert_eq!(rig.totals().streams, 1);
    assert!(rig.input().status().streams[0].path.ends_with("y.log"), "a name goes before a link");
}

#[test]
fn a_link_alone_is_followed_and_its_new_target_too() {
    let mut rig = Rig::with("paths: ['{folder}/current.log']");
    rig.append("1.txt", "one\n");
    rig.append("2.txt", "two\n");
    symlink(rig.path("1.txt"), rig.path("current.log")).unwrap();
    rig.expect(&["one"]);
    fs::remove_file(rig.path("current.log")).unwrap();
    symlink(rig.path("2.txt"), rig.path("current.log")).unwrap();
    rig.append("1.txt", "late\n");
    rig.read();
    let mut messages = rig.take();
    messages.sort();
    assert_eq!(messages, ["late", "two"]);
}

#[test]
fn a_hint_spares_the_wait_for_the_scan() {
    let mut rig = Rig::new();
    rig.append("a.log", "one\n");
    rig.expect(&["one"]);
    rig.append("a.log", "two\n");
    rig.append("b.log", "three\n");
    rig.append("b.txt", "never\n");
    while rig.read_once() {}
    assert_eq!(rig.take(), [""; 0], "no scan is due yet");
    let (paths, now) = (["a.log", "b.log", "b.txt", "gone.log"].map(|name| rig.path(name)), rig.now);
    rig.input().hint(paths, now);
    while rig.read_once() {}
    assert_eq!(rig.take(), ["two", "three"]);
}

#[test]
fn an_idle_file_keeps_no_descriptor_and_loses_nothing() {
    let mut rig = Rig::new();
    rig.append("a.log", "one\ntwo\n");
    rig.expect(&["one", "two"]);
    assert_eq!(rig.totals().files_open, 1);
    rig.wait(CLOSE_IDLE);
    rig.expect(&[]);
    assert_eq!(rig.totals().files_open, 0);
    rig.ack();
    assert_eq!(rig.ledger().acked, 8, "acks of a closed file count");
    rig.append("a.log", "three\n");
    rig.expect(&["three"]);
}

#[test]
fn an_idle_file_keeps_no_buffer() {
    let at_work = |rig: &mut Rig| rig.input().slots.iter().flatten().filter(|s| s.work.is_some()).count();
    let mut rig = Rig::new();
    rig.append("a.log", "one\nhalf");
    rig.append("b.log", "two\n");
    rig.read();
    rig.wait(CLOSE_IDLE);
    rig.read();
    assert_eq!((rig.totals().files_open, at_work(&mut rig)), (0, 2), "not acknowledged");
    rig.ack();
    assert_eq!(at_work(&mut rig), 0);
    assert_eq!(rig.ledger().pending, 4);
    rig.append("a.log", " a line\n");
    rig.append("b.log", "three\n");
    rig.read();
    let mut messages: Vec<_> = rig.got.split_off(2).into_iter().map(|got| got.message).collect();
    messages.sort();
    assert_eq!(messages, ["half a line", "three"], "files of one moment come in any order");
}

#[test]
fn more_files_than_descriptors() {
    let mut rig = Rig::new();
    rig.input().files_open_max = 3;
    for round in 0..3 {
        for file in 0..20 {
            rig.append(&format!("{file}.log"), format!("{file} {round}\n"));
        }
        rig.read();
        assert!(rig.totals().files_open <= 3);
        let mut messages = rig.take();
        messages.sort();
        let mut expected: Vec<_> = (0..20).map(|file| format!("{file} {round}")).collect();
        expected.sort();
        assert_eq!(messages, expected);
    }
}

#[test]
fn a_slow_output_stops_reading_and_bounds_what_is_held() {
    let mut rig = Rig::new();
    let line = format!("{}\n", "x".repeat(1000));
    let lines = 2 * IN_FLIGHT_BYTES_MAX / 1000;
    rig.append("a.log", line.repeat(usize::try_from(lines).unwrap()));
    rig.read();
    let first = rig.got.len() as u64;
    assert!(first < lines);
    let in_flight = rig.input().in_flight_bytes();
    assert!((IN_FLIGHT_BYTES_MAX..IN_FLIGHT_BYTES_MAX + (1 << 20)).contains(&in_flight), "{in_flight}");
    rig.read();
    assert_eq!(rig.got.len() as u64, first, "nothing more without acks");
    assert!(rig.totals().unread_since.is_some(), "the rest of the file");
    while rig.got.len() as u64 != lines {
        rig.ack();
        rig.read();
    }
    assert_eq!(rig.totals().unread_since, None);
    rig.ack();
    assert_eq!((rig.input().in_flight_bytes(), rig.ledger().acked), (0, lines * 1001));
}

#[test]
fn a_large_file_does_not_starve_a_small_one() {
    let mut rig = Rig::new();
    rig.append("large.log", "x\n".repeat(1 << 20));
    rig.append("small.log", "small\n");
    rig.wait(Duration::from_secs(1));
    for _ in 0..4 {
        rig.read_once();
    }
    assert!(rig.got.iter().any(|got| got.message == "small"));
}

#[test]
fn the_start_position_is_for_what_was_there() {
    let yaml = "paths: ['{folder}/*.log']\nstart: end";
    let mut rig = Rig::with(yaml);
    rig.append("old.log", "before\n");
    rig.expect(&[]);
    rig.append("old.log", "after\n");
    rig.append("new.log", "from its beginning\n");
    rig.read();
    let mut messages = rig.take();
    messages.sort();
    assert_eq!(messages, ["after", "from its beginning"]);
    rig.ack();
    assert_eq!(rig.ledger().filtered, 7);
    rig.restart();
    rig.append("new.log", "while nobody looked\n");
    rig.append("newer.log", "came meanwhile\n");
    rig.read();
    let mut messages = rig.take();
    messages.sort();
    assert_eq!(messages, ["came meanwhile", "while nobody looked"]);
}

#[test]
fn an_old_file_is_left_alone_until_it_changes() {
    let mut rig = Rig::with("paths: ['{folder}/*.log']\nignore_older: 1h");
    rig.append("a.log", "old\n");
    let modified = fs::metadata(rig.path("a.log")).unwrap().modified().unwrap();
    let modified = modified.duration_since(std::time::UNIX_EPOCH).unwrap();
    rig.now = Timestamp::EPOCH.plus(modified).plus(Duration::from_secs(7200));
    rig.expect(&[]);
    assert_eq!(rig.input().status().skipped.len(), 1);
    rig.now = Timestamp::EPOCH.plus(modified).plus(Duration::from_secs(60));
    rig.input().hint_all(Timestamp::EPOCH);
    rig.expect(&["old"]);
}
