//! Lines that are torn, long, broken or joined.

use std::time::Duration;

use super::*;
use crate::registry::Losses;

#[test]
fn a_torn_last_line_waits_for_its_end() {
    let mut rig = Rig::new();
    rig.append("a.log", "one\ntw");
    rig.expect(&["one"]);
    rig.wait(Duration::from_secs(3600));
    rig.expect(&[]);
    assert!(rig.totals().behind_since.is_some(), "`one` is not acked");
    assert_eq!(rig.totals().unread_since, None, "`one` is read");
    rig.ack();
    assert_eq!(rig.totals().behind_since, None, "a line without an end is no backlog");
    rig.append("a.log", "o\nthree\n");
    rig.expect(&["two", "three"]);
}

#[test]
fn an_over_long_line_is_cut_tagged_and_counted() {
    let mut rig = Rig::with("paths: ['{folder}/*.log']\nline_bytes_max: 64KiB");
    let length = 20 << 20;
    rig.append("a.log", format!("before\n{}\nafter\n", "x".repeat(length)));
    rig.read();
    let lengths: Vec<_> = rig.got.iter().map(|got| (got.message.len(), got.tags.clone())).collect();
    assert_eq!(lengths, [(6, vec![]), (65536, vec!["truncated".to_owned()]), (5, vec![])]);
    assert!(rig.input().buffer.len() < 1 << 20, "a long line needs no long buffer");
    rig.ack();
    assert_eq!(rig.originals, [None, Some(length as u64), None]);
    let lost = length as u64 - 65536 + 1;
    assert_eq!(rig.totals().losses, Losses { line_too_long: lost, ..Losses::default() });
    let ledger = rig.ledger();
    assert_eq!((ledger.pending, ledger.acked), (0, 7 + 65536 + 6));
}

#[test]
fn an_over_long_line_that_grows_in_pieces_is_cut_the_same() {
    let mut rig = Rig::with("paths: ['{folder}/*.log']\nline_bytes_max: 1KiB");
    for _ in 0..40 {
        rig.append("a.log", "é".repeat(50));
        rig.read();
    }
    rig.append("a.log", "\nnext\n");
    rig.read();
    let lengths: Vec<_> = rig.got.iter().map(|got| got.message.len()).collect();
    assert_eq!(lengths, [1024, 4]);
    rig.ack();
    assert_eq!(rig.ledger().lost, 4000 - 1024 + 1);
}

#[test]
fn an_over_long_line_waits_for_its_end_with_its_length() {
    let mut rig = Rig::with("paths: ['{folder}/*.log']\nline_bytes_max: 1KiB");
    for _ in 0..3 {
        rig.append("a.log", "x".repeat(1 << 20));
        rig.expect(&[]);
        assert!(rig.input().buffer.len() < 1 << 20);
    }
    rig.append("a.log", "\r\nnext\n");
    rig.read();
    assert_eq!(rig.originals, [Some(3 << 20), None]);
    rig.ack();
    assert_eq!(rig.ledger().lost, (3 << 20) - 1024 + 2);
}

#[test]
fn an_over_long_line_can_come_in_parts_of_which_none_is_lost() {
    let mut rig = Rig::with("paths: ['{folder}/*.log']\nline_bytes_max: 1KiB\ntoo_long: split");
    let long = "\u{e9}".repeat(1100);
    rig.append("a.log", &long);
    rig.read();
    rig.ack();
    rig.restart();
    rig.append("a.log", format!("{long}\nnext\n"));
    rig.read();
    assert_eq!(
        rig.got.iter().map(|got| got.tags.join(",")).collect::<Vec<_>>(),
        ["split"; 5].map(String::from).into_iter().chain([String::new()]).collect::<Vec<_>>()
    );
    let messages = rig.take();
    assert_eq!(messages[..5].concat(), long.repeat(2));
    assert_eq!(messages[5], "next");
    rig.ack();
    let ledger = rig.ledger();
    assert_eq!((ledger.lost, ledger.pending), (0, 0));
}

#[test]
fn holes_are_filtered_and_what_lies_behind_them_is_read() {
    let mut rig = Rig::with("paths: ['{folder}/*.log']\nline_bytes_max: 1KiB");
    let hole = vec![0; 3 << 20];
    rig.append("a.log", [&hole[..], b"one\ntorn", &hole[..], b"two\n"].concat());
    rig.expect(&["one", "torn", "two"]);
    assert!(rig.input().buffer.len() < 1 << 20, "a hole needs no long buffer");
    rig.ack();
    let ledger = rig.ledger();
    assert_eq!((ledger.filtered, ledger.lost, ledger.pending), (6 << 20, 0, 0));
    rig.restart();
    rig.append("a.log", &hole);
    rig.expect(&[]);
    rig.restart();
    rig.append("a.log", "three\n");
    rig.expect(&["three"]);
}

/// As a writer that maps its file does: its length is set before its bytes are.
#[test]
fn a_hole_at_the_end_waits_for_what_is_written_into_it() {
    use std::os::unix::fs::FileExt;
    let mut rig = Rig::new();
    rig.append("a.log", vec![0; 2 << 20]);
    rig.expect(&[]);
    let file = OpenOptions::new().write(true).open(rig.path("a.log")).unwrap();
    file.write_all_at(b"one\ntw", 0).unwrap();
    rig.expect(&["one"]);
    file.write_all_at(b"two\n", 4).unwrap();
    rig.expect(&["two"]);
    rig.rename("a.log", "a.1");
    rig.read();
    rig.wait(super::super::CLOSE_IDLE);
    rig.expect(&[]);
    rig.ack();
    let ledger = rig.ledger();
    assert_eq!((ledger.filtered, ledger.pending), ((2 << 20) - 8, 0));
}

#[test]
fn a_torn_last_line_is_a_record_after_the_time_that_is_configured() {
    let mut rig = Rig::with("paths: ['{folder}/*.log']\npartial_line_timeout: 5s");
    rig.append("a.log", "one\ntw");
    rig.expect(&["one"]);
    rig.wait(Duration::from_secs(3));
    rig.append("a.log", "o \u{e4}");
    rig.expect(&[]);
    let deadline = rig.input().deadline().unwrap();
    assert!(deadline <= rig.now.plus(Duration::from_secs(5)));
    rig.wait(Duration::from_secs(5));
    rig.expect(&["two \u{e4}"]);
    rig.append("a.log", "three\n");
    rig.expect(&["three"]);
}

#[test]
fn a_line_end_of_the_users_own_ends_lines_and_nothing_else_does() {
    let mut rig = Rig::with(
        "paths: ['{folder}/*.log']\nline_end: \"|\\n\"\nmultiline: { pattern: '^ ', match: after }",
    );
    rig.append("a.log", "one\r\nline|\n two|\nthree|");
    rig.expect(&[]);
    rig.append("a.log", "\nfour|\n");
    rig.expect(&["one\r\nline\n two", "three"]);
    let mut rig = Rig::with("paths: ['{folder}/*.log']\nline_end: \"\\0\"");
    rig.append("a.log", "one\n\0\0two\0");
    rig.expect(&["one\n", "two"]);
}

#[test]
fn bytes_that_are_no_utf_8_are_repaired_and_tagged() {
    let mut rig = Rig::new();
    rig.append("a.log", b"caf\xe9 \xff\nplain\n\xef\xbb\xbf\n");
    rig.read();
    assert_eq!(rig.got[0].message, "caf\u{fffd} \u{fffd}");
    assert_eq!(rig.got[0].tags, ["invalid_utf8"]);
    assert_eq!((rig.got[1].message.as_str(), rig.got[1].tags.len()), ("plain", 0));
    rig.ack();
    assert_eq!(rig.ledger().pending, 0);
}

#[test]
fn a_byte_order_mark_is_no_part_of_the_first_line() {
    let mut rig = Rig::new();
    rig.append("a.log", b"\xef\xbb\xbffirst\r\n\r\nsecond\r\n");
    rig.expect(&["first", "second"]);
    rig.ack();
    let ledger = rig.ledger();
    assert_eq!((ledger.acked, ledger.filtered, ledger.pending), (18, 2, 0));
}

const JOINED: &str =
    "paths: ['{folder}/*.log']\nmultiline: { pattern: '^\\S', negate: true, match: after }\nparse: plain";

#[test]
fn joined_lines_are_one_record() {
    let mut rig = Rig::with(JOINED);
    rig.append("a.log", "head one\r\n  at a\r\n  at b\r\nhead two\n");
    rig.expect(&["head one\n  at a\n  at b"]);
    rig.append("a.log", "  at c\n");
    rig.expect(&[]);
    rig.wait(Duration::from_secs(2));
    rig.expect(&["head two\n  at c"]);
    rig.ack();
    assert_eq!(rig.ledger().pending, 0);
}

#[test]
fn a_joined_record_ends_by_itself_at_its_deadline() {
    let mut rig = Rig::with(JOINED);
    rig.append("a.log", "head one\n  at a\n");
    rig.expect(&[]);
    let deadline = rig.input().deadline().unwrap();
    assert!(deadline <= rig.now.plus(Duration::from_secs(2)));
    rig.wait(Duration::from_secs(2));
    rig.expect(&["head one\n  at a"]);
    rig.append("a.log", "  at b\nhead two\nhead three\n");
    rig.expect(&["  at b", "head two"]);
}

#[test]
fn a_record_that_is_not_complete_is_read_again_after_a_restart() {
    let mut rig = Rig::with(JOINED);
    rig.append("a.log", "head zero\nhead one\n  at a\n");
    rig.expect(&["head zero"]);
    rig.ack();
    rig.restart();
    rig.append("a.log", "  at b\nhead two\n");
    rig.expect(&["head one\n  at a\n  at b"]);
}

#[test]
fn a_record_larger_than_a_chunk_lies_in_one_piece() {
    let mut rig = Rig::with(
        "paths: ['{folder}/*.log']\nline_bytes_max: 2MiB\nmultiline: { pattern: '^\\S', negate: true, match: after }",
    );
    let long = format!("head {}", "y".repeat(1 << 20));
    rig.append("a.log", format!("head one\n{long}\nhead two\n"));
    rig.read();
    let messages = rig.take();
    assert_eq!(messages.len(), 2);
    assert_eq!(messages[1], long);
}

#[test]
fn the_read_buffer_does_not_stay_large() {
    let mut rig = Rig::with("paths: ['{folder}/*.log']\nline_bytes_max: 8MiB");
    rig.append("a.log", format!("{}\n", "z".repeat(8 << 20)));
    rig.read();
    assert_eq!(rig.take()[0].len(), 8 << 20);
    rig.append("a.log", "short\n");
    rig.expect(&["short"]);
    assert!(rig.input().buffer.len() < 1 << 20);
}
