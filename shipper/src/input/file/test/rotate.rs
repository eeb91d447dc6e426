//! Files that are renamed, deleted, truncated and rewritten.

use std::time::Duration;

use super::*;
use crate::input::file::{CLOSE_IDLE, DELETED_GRACE, MISSING_GRACE, Presence};
use crate::registry::Losses;

#[test]
fn rename_and_create_goes_on_with_both() {
    let mut rig = Rig::with("paths: ['{folder}/app.log*']");
    let mut writer = rig.append("app.log", "one\n");
    rig.expect(&["one"]);
    writer.write_all(b"two\n").unwrap();
    rig.rename("app.log", "app.log.1");
    writer.write_all(b"three\n").unwrap();
    rig.append("app.log", "four\n");
    rig.read();
    let mut got: Vec<_> = rig.got.iter().map(|got| (got.message.as_str(), got.path.clone())).collect();
    got.sort();
    let path = rig.path("app.log").to_str().unwrap().to_owned();
    let messages: Vec<_> = got.iter().map(|(message, _)| *message).collect();
    assert_eq!(messages, ["four", "three", "two"]);
    assert!(got.iter().all(|(_, told)| *told == path), "records keep the name they were written under");
    assert_eq!(rig.totals().streams, 2);
}

#[test]
fn renamed_out_of_the_pattern_it_is_read_to_its_end() {
    let mut rig = Rig::new();
    let mut writer = rig.append("app.log", "one\n");
    rig.expect(&["one"]);
    rig.rename("app.log", "app.log.1");
    writer.write_all(b"late\n").unwrap();
    rig.append("app.log", "new\n");
    rig.read();
    let mut messages = rig.take();
    messages.sort();
    assert_eq!(messages, ["late", "new"]);
    writer.write_all(b"later, and torn").unwrap();
    rig.expect(&[]);
    rig.wait(CLOSE_IDLE);
    rig.read();
    rig.expect(&["later, and torn"]);
    rig.ack();
    rig.read();
    assert_eq!((rig.totals().files_open, rig.ledger().pending), (1, 0));
}

#[test]
fn renamed_out_of_the_pattern_while_nobody_held_it() {
    let mut rig = Rig::new();
    rig.append("app.log", "one\n");
    rig.expect(&["one"]);
    rig.ack();
    rig.restart();
    let now = rig.now;
    rig.input().checkpoint(now).unwrap();
    rig.kill();
    rig.append("app.log", "while nobody looked\n");
    rig.rename("app.log", "app.log.1");
    rig.append("app.log", "new\n");
    rig.start();
    rig.read();
    let mut messages = rig.take();
    messages.sort();
    assert_eq!(messages, ["new", "while nobody looked"]);
}

#[test]
fn a_chain_of_renames_while_lagging() {
    let mut rig = Rig::with("paths: ['{folder}/app.log', '{folder}/app.log.[1-3]']");
    let block = |name: usize| -> String { (0..3_000).map(|line| format!("{name} {line:05}\n")).collect() };
    rig.append("app.log", block(0));
    rig.wait(Duration::from_secs(1));
    rig.read_once();
    for round in 1..=6 {
        for (from, to) in
            [("app.log.3", "kept-nowhere"), ("app.log.2", "app.log.3"), ("app.log.1", "app.log.2")]
        {
            if rig.path(from).exists() {
                rig.rename(from, to);
            }
        }
        rig.rename("app.log", "app.log.1");
        if rig.path("kept-nowhere").exists() {
            rig.remove("kept-nowhere");
        }
        rig.append("app.log", block(round));
        rig.wait(Duration::from_secs(1));
        let now = rig.now;
        // The output is slow: nothing is read, but what is there is held.
        rig.input().tick(now);
    }
    let messages = rig.drain();
    let expected: Vec<_> =
        (0..=6).flat_map(|name| (0..3_000).map(move |line| format!("{name} {line:05}"))).collect();
    assert_eq!(messages.len(), expected.len());
    assert_eq!(messages, expected);
}

#[test]
fn deleted_while_lagging_it_is_held_until_acked() {
    let mut rig = Rig::new();
    rig.append("a.log", "one\ntwo\nthe end is torn");
    rig.wait(Duration::from_secs(1));
    let now = rig.now;
    rig.input().tick(now);
    rig.remove("a.log");
    rig.expect(&["one", "two"]);
    assert_eq!(rig.input().status().streams[0].presence, Presence::Deleted);
    rig.wait(DELETED_GRACE);
    rig.read();
    rig.expect(&["the end is torn"]);
    rig.wait(DELETED_GRACE);
    rig.read();
    assert_eq!(rig.totals().files_open, 1, "held until acked");
    rig.ack();
    rig.wait(DELETED_GRACE);
    rig.read();
    assert_eq!((rig.totals().files_open, rig.totals().streams), (0, 0));
    let ledger = rig.ledger();
    assert_eq!((ledger.written, ledger.acked), (23, 23));
    rig.restart();
    assert_eq!(rig.totals().streams, 0, "the registry has forgotten it");
}

#[test]
fn a_truncated_file_is_a_new_stream_and_what_was_unread_is_counted() {
    let mut rig = Rig::new();
    rig.append("a.log", "one\ntwo\nunfinished");
    rig.expect(&["one", "two"]);
    fs::write(rig.path("a.log"), "three\n").unwrap();
    rig.read();
    let got = std::mem::take(&mut rig.got);
    assert_eq!((got[0].message.as_str(), got[0].offset), ("three", 0));
    rig.ack();
    let losses = rig.totals().losses;
    assert_eq!(losses, Losses { truncated: 10, ..Losses::default() });
    let ledger = rig.ledger();
    assert_eq!((ledger.written, ledger.acked, ledger.lost), (24, 14, 10));
    assert_eq!(rig.totals().streams, 1);
}

#[test]
fn copytruncate_goes_on_with_the_same_file() {
    let mut rig = Rig::new();
    let mut writer = rig.append("a.log", "one\ntwo\n");
    rig.expect(&["one", "two"]);
    let first = rig.got.clone();
    fs::copy(rig.path("a.log"), rig.path("a.log.1")).unwrap();
    writer.set_len(0).unwrap();
    rig.expect(&[]);
    writer.write_all(b"three\n").unwrap();
    rig.expect(&["three"]);
    assert!(first.iter().all(|before| before.stream != rig.input().status().streams[0].stream));
    rig.ack();
    let ledger = rig.ledger();
    assert_eq!((ledger.acked, ledger.lost), (14, 0));
}

/// Truncated and written again before anybody looked: only the bytes tell.
#[test]
fn rewritten_with_the_same_head() {
    let head = "the same head in every generation\n".repeat(100);
    for tail in ["shorter\n", "of equal length.\n", "longer than the first generation was\n"] {
        for is_running in [true, false] {
            let mut rig = Rig::new();
            rig.append("a.log", format!("{head}of equal length!\n"));
            rig.read();
            rig.ack();
            rig.got.clear();
            if !is_running {
                let now = rig.now;
                rig.input().checkpoint(now).unwrap();
                rig.kill();
            }
            fs::write(rig.path("a.log"), format!("{head}{tail}")).unwrap();
            if !is_running {
                rig.start();
            }
            rig.read();
            let messages = rig.take();
            assert_eq!(messages.len(), 101, "{tail:?} {is_running}");
            assert_eq!(messages[100], tail.trim_end());
        }
    }
}

#[test]
fn a_file_of_a_few_bytes_that_is_rewritten() {
    let mut rig = Rig::new();
    rig.append("a.log", "a\n");
    rig.expect(&["a"]);
    fs::write(rig.path("a.log"), "b\n").unwrap();
    rig.expect(&["b"]);
    fs::write(rig.path("a.log"), "c\nd\n").unwrap();
    rig.expect(&["c", "d"]);
}

#[test]
fn files_with_identical_heads_are_different_streams() {
    let mut rig = Rig::new();
    for name in ["a.log", "b.log", "c.log"] {
        rig.append(name, "Started\n");
    }
    rig.expect(&["Started", "Started", "Started"]);
    assert_eq!(rig.totals().streams, 3);
}

#[test]
fn an_inode_that_is_used_again_is_another_stream() {
    let mut rig = Rig::new();
    rig.append("a.log", "one\n");
    rig.expect(&["one"]);
    rig.ack();
    rig.restart();
    rig.wait(Duration::from_secs(1));
    // Nobody holds the file, so the file system may give its inode to the next one.
    rig.remove("a.log");
    rig.append("a.log", "two\nthree\n");
    rig.expect(&["two", "three"]);
}

#[test]
fn unread_bytes_of_a_file_that_vanished_are_lost_and_counted() {
    let mut rig = Rig::new();
    rig.append("a.log", "one\n");
    rig.read();
    rig.ack();
    rig.append("a.log", "half a line");
    rig.read();
    rig.restart();
    rig.remove("a.log");
    rig.read();
    assert_eq!(rig.ledger().pending, 11);
    rig.wait(MISSING_GRACE);
    rig.read();
    assert_eq!(rig.totals().losses, Losses { vanished: 11, ..Losses::default() });
    assert_eq!((rig.ledger().pending, rig.totals().streams), (0, 0));
}

#[test]
fn what_is_written_late_to_a_file_that_was_renamed_out_of_the_pattern() {
    let mut rig = Rig::new();
    let mut writer = rig.append("app.log", "one\n");
    rig.expect(&["one"]);
    rig.rename("app.log", "app.log.1");
    rig.ack();
    for _ in 0..6 {
        rig.wait(CLOSE_IDLE);
        rig.read();
    }
    rig.ack();
    rig.read();
    assert_eq!(rig.totals().files_open, 0, "it was idle for long");
    writer.write_all(b"hours later\n").unwrap();
    rig.expect(&["hours later"]);
    assert_eq!(rig.ledger().written, 16);
}

#[test]
fn a_folder_that_cannot_be_read_for_a_while_loses_nothing() {
    let mut rig = Rig::with("paths: ['{folder}/logs/*.log']");
    std::fs::create_dir(rig.path("logs")).unwrap();
    rig.append("logs/app.log", "one\n");
    rig.expect(&["one"]);
    rig.ack();
    rig.wait(CLOSE_IDLE);
    rig.expect(&[]);
    // It is seen to have grown, and there is no descriptor for it.
    rig.input().files_open_max = 0;
    rig.append("logs/app.log", "two\n");
    rig.expect(&[]);
    assert_eq!(rig.ledger().pending, 4);
    // A link in a circle: what lies behind it is there, and nobody gets to it.
    rig.rename("logs", "away");
    std::os::unix::fs::symlink("logs", rig.path("logs")).unwrap();
    for _ in 0..4 {
        rig.wait(MISSING_GRACE);
        rig.expect(&[]);
    }
    assert_eq!(rig.ledger().lost, 0);
    rig.remove("logs");
    rig.rename("away", "logs");
    rig.input().files_open_max = 1;
    rig.wait(MISSING_GRACE);
    rig.expect(&["two"]);
}
