//! Records that begin in one file and end in the next.

mod property;

use std::time::Duration;

use super::*;
use crate::registry::Losses;

const INDENTED: &str =
    "paths: ['{folder}/app.log*']\nmultiline: { pattern: '^ ', match: after }\nparse: plain";

/// `one` and the beginning of `two` in the older file, its end and `three` in the newer.
fn rotated(yaml: &str) -> Rig {
    let mut rig = Rig::with(yaml);
    rig.append("app.log", "one\ntwo\n a\n");
    rig.expect(&["one"]);
    rig.rename("app.log", "app.log.1");
    rig.append("app.log", " b\n c\nthree\n");
    rig
}

/// The offset of every stream, in the order of their files' ages.
fn offsets(rig: &mut Rig) -> Vec<u64> {
    let mut streams: Vec<_> = rig.input().slots.iter().flatten().collect();
    streams.sort_by_key(|stream| stream.facts.birth);
    streams.into_iter().map(|stream| stream.window.offset()).collect()
}

fn let_pass(rig: &mut Rig, seconds: u64) {
    rig.wait(Duration::from_secs(seconds));
    rig.read();
}

#[test]
fn it_is_one_record_of_the_older_stream() {
    for yaml in [INDENTED, &INDENTED.replace("log*", "log")] {
        let mut rig = rotated(yaml);
        let older = rig.input().status().streams[0].stream;
        rig.read();
        assert_eq!(rig.got.len(), 1);
        let got = rig.got[0].clone();
        assert_eq!((got.stream, got.offset, got.message.as_str()), (older, 4, "two\n a\n b\n c"));
        assert_eq!(offsets(&mut rig), [0, 0]);
        rig.ack();
        assert_eq!(offsets(&mut rig), [11, 6]);
        rig.got.clear();
        let_pass(&mut rig, 2);
        rig.ack();
        assert_eq!(rig.take(), ["three"]);
        assert_eq!(rig.input().in_flight_bytes(), 0);
        let ledger = rig.ledger();
        assert_eq!((ledger.acked, ledger.pending), (23, 0));
    }
}

#[test]
fn each_preset_goes_on() {
    let trace = "a.B: x\n\tat a.B.c(B.java:1)\nCaused by: a.D: x\n\t... 1 more\n";
    for preset in ["java", "auto"] {
        let mut rig = Rig::with(&INDENTED.replace("{ pattern: '^ ', match: after }", preset));
        let header = "2026-11-23 10:30:45,123 ERROR no\n";
        let (first, last) = trace.split_at(trace.find("Caused").unwrap());
        rig.append("app.log", format!("{header}{header}{header}any text\n{first}"));
        rig.read();
        rig.rename("app.log", "app.log.1");
        rig.append("app.log", format!("{last}more text\n{header}"));
        rig.read();
        assert_eq!(rig.got.len(), 3, "{preset}: {:?}", rig.got);
        rig.ack();
        let last_bytes = (last.len() + "more text\n".len()) as u64;
        assert_eq!(offsets(&mut rig)[1], last_bytes);
    }
}

#[test]
fn its_last_lines_may_come_late_but_not_too_late() {
    let mut rig = Rig::with(&INDENTED.replace("after }", "after, timeout: 5s }"));
    rig.append("app.log", "two\n a\n");
    rig.read();
    rig.rename("app.log", "app.log.1");
    rig.append("app.log", "");
    rig.read();
    rig.append("app.log", " b\n");
    rig.read();
    rig.append("app.log", " c\n");
    rig.expect(&[]);
    let_pass(&mut rig, 5);
    assert_eq!(rig.take(), ["two\n a\n b\n c"]);
    rig.append("app.log", " d\n");
    rig.read();
    let_pass(&mut rig, 5);
    assert_eq!(rig.take(), [" d"]);
    rig.ack();
    assert_eq!((offsets(&mut rig), rig.ledger().pending), (vec![7, 9], 0));
}

/// The event of the older file's last line leads to the newer file, which has its name by then.
#[test]
fn its_first_lines_may_be_unread_when_the_newer_file_is_found() {
    let mut rig = Rig::with(INDENTED);
    rig.append("app.log", "one\n");
    rig.read();
    rig.append("app.log", "two\n");
    rig.rename("app.log", "app.log.1");
    rig.append("app.log", " b\nthree\n");
    rig.hint("app.log");
    assert_eq!(rig.take(), ["one", "two\n b"]);
}

#[test]
fn what_does_not_go_on_is_two_records() {
    let mut rig = Rig::with(INDENTED);
    rig.append("app.log", "two\n a\n");
    rig.read();
    rig.rename("app.log", "app.log.1");
    rig.append("app.log", "three\n d\nfour\n");
    rig.expect(&["two\n a", "three\n d"]);
    rig.ack();
    assert_eq!(offsets(&mut rig), [7, 9]);

    let mut rig = Rig::with(INDENTED);
    rig.append("app.log", "two\n a\n");
    rig.read();
    rig.rename("app.log", "app.log.1");
    rig.append("app.log", "");
    let_pass(&mut rig, 2);
    assert_eq!(rig.take(), ["two\n a"]);
    rig.append("app.log", " b\nthree\n");
    rig.expect(&[" b"]);
}

#[test]
fn a_line_without_its_end_does_not_go_on() {
    let mut rig = Rig::with(INDENTED);
    rig.append("app.log", "two\n a");
    rig.read();
    rig.rename("app.log", "app.log.1");
    rig.append("app.log", " b\nthree\n");
    rig.expect(&[" b"]);
}

#[test]
fn a_kill_at_any_moment_neither_loses_nor_doubles_a_line() {
    // Rotated while nobody looked.
    let mut rig = Rig::with(INDENTED);
    rig.append("app.log", "one\ntwo\n a\n");
    rig.expect(&["one"]);
    rig.ack();
    rig.restart();
    rig.rename("app.log", "app.log.1");
    rig.append("app.log", " b\n c\nthree\n");
    rig.expect(&["two\n a\n b\n c"]);

    // Sent, and not settled; settled, and not committed; committed.
    for (is_settled, is_committed) in [(false, false), (true, false), (true, true)] {
        let mut rig = rotated(INDENTED);
        rig.ack();
        rig.read();
        let got = rig.got.clone();
        if is_settled {
            rig.ack();
        }
        let now = rig.now;
        if is_committed || !is_settled {
            rig.input().checkpoint(now).unwrap();
        }
        rig.kill();
        rig.got.clear();
        rig.start();
        rig.read();
        let again: Vec<_> = rig.got.iter().map(|got| (got.stream, got.offset, got.message.clone())).collect();
        if is_committed {
            assert_eq!(again, []);
        } else {
            assert_eq!(again, [(got[0].stream, got[0].offset, got[0].message.clone())]);
        }
        rig.ack();
        assert_eq!(offsets(&mut rig), [11, 6]);
        rig.got.clear();
        let_pass(&mut rig, 2);
        assert_eq!(rig.take(), ["three"]);
    }
}

#[test]
fn an_earlier_record_without_a_fate_holds_both_offsets() {
    let mut rig = rotated(INDENTED);
    rig.read();
    let [first, second] = rig.unsettled[..] else { panic!("{:?}", rig.unsettled) };
    rig.settle(&[second]);
    assert_eq!(offsets(&mut rig), [0, 0]);
    rig.settle(&[first]);
    assert_eq!(offsets(&mut rig), [11, 6]);
}

#[test]
fn a_dead_letter_counts_in_both_files() {
    let mut rig = rotated(INDENTED);
    rig.ack();
    rig.read();
    let now = rig.now;
    let settled = Settled { ticket: rig.unsettled[0], fate: Fate::DeadLettered };
    rig.input().settle(&[settled], now);
    assert_eq!(rig.totals().losses, Losses { dead_lettered: 7 + 6, ..Losses::default() });
    rig.ledger();
}

#[test]
fn what_a_processor_leaves_out_is_filtered_in_both_files() {
    let mut rig = rotated(&format!("{INDENTED}\nprocessors: [{{ drop: {{ when: 'message: two*' }} }}]"));
    let [first] = rig.unsettled[..] else { panic!("{:?}", rig.unsettled) };
    rig.expect(&[]);
    assert_eq!(offsets(&mut rig), [0, 0]);
    rig.settle(&[first]);
    assert_eq!(offsets(&mut rig), [11, 6]);
    let ledger = rig.ledger();
    assert_eq!((ledger.acked, ledger.filtered), (4, 7 + 6));
    assert_eq!(rig.input().in_flight_bytes(), 0);
}

/// What copytruncate cuts in two meets in the copy and in the file.
#[test]
fn a_truncation_behind_a_copy_is_a_rotation_too() {
    let mut rig = Rig::with(INDENTED);
    let mut writer = rig.append("app.log", "one\ntwo\n a\n");
    rig.expect(&["one"]);
    fs::copy(rig.path("app.log"), rig.path("app.log.1")).unwrap();
    writer.set_len(0).unwrap();
    writer.write_all(b" b\n c\nthree\n").unwrap();
    rig.expect(&["two\n a\n b\n c"]);
    rig.ack();
    assert_eq!(rig.ledger().lost, 0);
}

#[test]
fn the_newer_file_is_rewritten_before_the_record_is_complete() {
    let mut rig = Rig::with(INDENTED);
    let mut writer = rig.append("app.log", "two\n a\n");
    rig.read();
    rig.rename("app.log", "app.log.1");
    rig.append("app.log", " b\n c\n");
    rig.expect(&[]);
    // What the older file gets meanwhile comes behind the record.
    writer.write_all(b"late\n").unwrap();
    rig.expect(&[]);
    fs::write(rig.path("app.log"), "x\n").unwrap();
    rig.read();
    let_pass(&mut rig, 2);
    assert_eq!(rig.take(), ["two\n a", "late", "x"]);
    rig.ack();
    let ledger = rig.ledger();
    assert_eq!((ledger.acked, ledger.lost, ledger.pending), (7 + 5 + 2, 6, 0));
    assert_eq!(rig.input().in_flight_bytes(), 0);
}

#[test]
fn lines_of_other_encodings_go_on_too() {
    for (encoding, mark) in [("utf-16le", "\u{feff}"), ("utf-16le", ""), ("gbk", "")] {
        let mut rig = Rig::with(&format!("{INDENTED}\nencoding: {encoding}"));
        let bytes = |text: &str| match encoding {
            "gbk" => encoding_rs::GBK.encode(text).0.into_owned(),
            _ => text.encode_utf16().flat_map(u16::to_le_bytes).collect::<Vec<u8>>(),
        };
        rig.append("app.log", bytes(&format!("{mark}one\n上\n a\n")));
        rig.expect(&["one"]);
        rig.rename("app.log", "app.log.1");
        rig.append("app.log", bytes(&format!("{mark} 下\n c\nthree\n")));
        rig.expect(&["上\n a\n 下\n c"]);
        rig.ack();
        let_pass(&mut rig, 2);
        rig.ack();
        assert_eq!(rig.take(), ["three"]);
        let ledger = rig.ledger();
        assert_eq!((ledger.lost, ledger.pending, rig.input().in_flight_bytes()), (0, 0, 0), "{encoding}");
    }
}

/// Two rotations while nobody looked, each within a record.
#[test]
fn a_chain_of_files_is_joined_at_each_seam() {
    let mut rig = Rig::with(INDENTED);
    rig.append("app.log", "one\n");
    rig.read();
    rig.append("app.log", "two\n a\n");
    rig.rename("app.log", "app.log.1");
    rig.append("app.log", " b\nthree\n c\n");
    rig.read();
    rig.rename("app.log.1", "app.log.2");
    rig.rename("app.log", "app.log.1");
    rig.append("app.log", " d\nfour\n");
    rig.read();
    let_pass(&mut rig, 2);
    assert_eq!(rig.take(), ["one", "two\n a\n b", "three\n c\n d", "four"]);
    rig.ack();
    let ledger = rig.ledger();
    assert_eq!((ledger.lost, ledger.pending, rig.input().in_flight_bytes()), (0, 0, 0));
}

/// The first start finds files that were rotated before, some of them of one moment.
#[test]
fn files_that_were_rotated_before_anybody_looked_are_joined_by_their_numbers() {
    let rig = &mut Rig::with(INDENTED);
    rig.append("app.log.2", "one\n a\n");
    rig.append("app.log.1", " b\ntwo\n c\n");
    rig.append("app.log", " d\nthree\n");
    rig.read();
    let_pass(rig, 2);
    assert_eq!(rig.take(), ["one\n a\n b", "two\n c\n d", "three"]);
    rig.ack();
    assert_eq!((rig.ledger().pending, rig.input().in_flight_bytes()), (0, 0));
}

/// Its outputs are joined each by itself, and end with the file.
#[test]
fn logs_of_containers_do_not_wait_for_each_other() {
    let mut rig = Rig::with(&format!("{INDENTED}\ncontainer: cri"));
    let line = |text: &str| format!("2026-11-23T10:30:45.123456789Z stdout F {text}\n");
    rig.append("app.log", line("two") + &line(" a"));
    rig.read();
    rig.rename("app.log", "app.log.1");
    rig.append("app.log", line(" b") + &line("three"));
    rig.read();
    let_pass(&mut rig, 2);
    assert_eq!(rig.take().iter().filter(|message| message.contains(" b")).count(), 1);
    rig.ack();
    assert_eq!(rig.ledger().pending, 0);
}

#[test]
fn a_backlog_of_rotated_files_is_read_in_its_order() {
    let mut rig = Rig::with(INDENTED);
    rig.append("app.log", "one\n");
    rig.read();
    rig.append("app.log", format!("{}two\n a\n", "one\n".repeat(49_999)));
    rig.rename("app.log", "app.log.1");
    rig.append("app.log", " b\nthree\n");
    rig.read();
    while !rig.unsettled.is_empty() {
        rig.ack();
        let_pass(&mut rig, 2);
    }
    let messages = rig.take();
    assert_eq!(messages[50_000..], ["two\n a\n b", "three"]);
}
