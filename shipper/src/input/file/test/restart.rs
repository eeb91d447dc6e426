//! What a restart remembers, and what it does when it cannot.

use std::time::Duration;

use super::*;
use crate::registry::RegistryError;

#[test]
fn only_settled_records_are_not_sent_again() {
    let mut rig = Rig::new();
    rig.append("a.log", "one\ntwo\nthree\nfour\n");
    rig.expect(&["one", "two", "three", "four"]);
    let tickets = rig.unsettled.clone();
    rig.settle(&[tickets[0], tickets[2], tickets[3]]);
    rig.restart();
    rig.expect(&["two", "three", "four"]);
}

#[test]
fn a_kill_forgets_no_commit() {
    let mut rig = Rig::new();
    rig.append("a.log", "one\ntwo\n");
    rig.expect(&["one", "two"]);
    rig.ack();
    rig.wait(Duration::from_secs(1));
    let now = rig.now;
    rig.input().tick(now);
    rig.append("a.log", "three\n");
    rig.expect(&["three"]);
    rig.ack();
    rig.kill();
    rig.start();
    rig.expect(&["three"]);
    assert_eq!(rig.ledger().written, 14);
}

#[test]
fn ids_stay_the_same_even_when_the_registry_is_gone() {
    let mut rig = Rig::new();
    rig.append("a.log", "one\n");
    rig.read();
    rig.ack();
    rig.kill();
    rig.state = state_folder();
    rig.start();
    rig.read();
    assert_eq!((rig.got[0].stream, rig.got[0].offset), (rig.got[1].stream, rig.got[1].offset));
}

#[test]
fn the_ledger_goes_on_after_a_restart() {
    let mut rig = Rig::with("paths: ['{folder}/*.log']\nline_bytes_max: 4KiB");
    rig.append("a.log", format!("one\n\n{}\n", "x".repeat(5000)));
    rig.read();
    rig.ack();
    let before = rig.ledger();
    assert_eq!((before.acked, before.filtered, before.lost), (4 + 4096, 1, 905));
    rig.restart();
    assert_eq!(rig.ledger(), before);
    rig.append("a.log", "two\n");
    rig.got.clear();
    rig.expect(&["two"]);
}

#[test]
fn a_truncation_while_nobody_looked_counts_what_was_unread() {
    let mut rig = Rig::new();
    rig.append("a.log", "one\ntwo\n");
    rig.expect(&["one", "two"]);
    let first = rig.unsettled[0];
    rig.settle(&[first]);
    rig.restart();
    fs::write(rig.path("a.log"), "x\n").unwrap();
    rig.expect(&["x"]);
    assert_eq!(rig.ledger().lost, 4);
}

#[test]
fn a_settled_file_that_has_not_changed_is_not_opened() {
    let mut rig = Rig::new();
    rig.now = Timestamp::from_secs(4_000_000_000);
    rig.append("a.log", "one\n");
    rig.expect(&["one"]);
    rig.ack();
    rig.restart();
    rig.expect(&[]);
    assert_eq!(rig.totals().files_open, 0);
    rig.append("a.log", "two\n");
    rig.expect(&["two"]);
}

#[test]
fn two_shippers_do_not_share_a_registry() {
    let rig = Rig::new();
    let refused = rig.open().unwrap_err();
    assert!(matches!(refused, OpenError::Registry(RegistryError::Locked { .. })), "{refused}");
    assert!(refused.to_string().contains("another shipper uses this registry"));
}

#[test]
fn a_disk_that_refuses_stops_the_offset_and_nothing_else() {
    let mut rig = Rig::new();
    rig.append("a.log", "one\n");
    rig.expect(&["one"]);
    rig.ack();
    rig.input().registry.fill_disk();
    let now = rig.now;
    rig.input().checkpoint(now).unwrap_err();
    assert!(!rig.readiness.is_ready());
    rig.input().checkpoint(now).unwrap_err();
    rig.append("a.log", "two\n");
    rig.expect(&["two"]);
    rig.input().registry.free_disk();
    rig.ack();
    rig.read();
    assert!(rig.readiness.is_ready());
    rig.kill();
    rig.start();
    rig.expect(&[]);
}

/// The disk is not waited for, and its word is not lost.
#[test]
fn what_a_disk_refuses_later_is_told_and_written_anew() {
    let mut rig = Rig::new();
    rig.append("a.log", "one\n");
    rig.expect(&["one"]);
    rig.input().registry.break_disk();
    rig.ack();
    rig.read();
    assert!(rig.readiness.is_ready(), "nobody knows yet");
    rig.read();
    assert!(!rig.readiness.is_ready());
    rig.read();
    assert!(rig.readiness.is_ready());
    rig.kill();
    rig.start();
    rig.expect(&[]);
}

#[test]
fn a_start_at_the_end_holds_from_the_first_scan_on() {
    let mut rig = Rig::with("paths: ['{folder}/*.log']\nstart: end");
    rig.append("a.log", "before\n");
    rig.expect(&[]);
    rig.kill();
    rig.append("a.log", "after\n");
    rig.start();
    rig.expect(&["after"]);
}

#[test]
fn a_clock_that_is_set_back_stops_nothing() {
    let mut rig = Rig::new();
    rig.append("a.log", "one\n");
    rig.expect(&["one"]);
    rig.ack();
    rig.now = rig.now.minus(Duration::from_secs(86_400));
    rig.append("a.log", "two\n");
    rig.expect(&["two"]);
    rig.kill();
    rig.start();
    rig.expect(&["two"]);
}

/// Whatever of the line was there before the end, its rest is no record afterwards.
#[test]
fn the_rest_of_a_cut_line_is_no_record_after_a_restart() {
    for there in [1024, 1100, 5000, 600_000] {
        let mut rig = Rig::with("paths: ['{folder}/*.log']\nline_bytes_max: 1KiB");
        rig.append("a.log", format!("one\n{}{}", "é".repeat(512), "x".repeat(there - 1024)));
        rig.read();
        rig.ack();
        rig.restart();
        rig.append("a.log", "and its end\nnext\n");
        rig.read();
        let messages: Vec<_> = rig.take().into_iter().map(|message| message.len()).collect();
        assert_eq!(messages, [3, 1024, 4], "{there}");
        rig.ack();
        assert_eq!(rig.ledger().lost, (there - 1024) as u64 + 12, "{there}");
    }
}

/// A rotated file was written as a record without a line end; what its writer adds later is another.
#[test]
fn a_last_line_without_an_end_goes_on_as_a_record_of_its_own() {
    let mut rig = Rig::with("paths: ['{folder}/*.log']\nline_bytes_max: 1KiB");
    rig.append("a.log", "torn");
    rig.read();
    rig.rename("a.log", "a.log.1");
    rig.read();
    rig.wait(super::super::CLOSE_IDLE);
    rig.expect(&["torn"]);
    rig.ack();
    rig.restart();
    rig.append("a.log.1", "late\n");
    rig.rename("a.log.1", "a.log");
    rig.expect(&["late"]);
}

#[test]
fn a_file_that_was_rotated_while_nobody_looked_keeps_its_input() {
    let folder = TempDir::new().unwrap();
    let config = |name: &str| -> FileConfig {
        let text = format!("paths: ['{}/{name}.log']\nservice: {name}", folder.path().display());
        yaml::parse("test.yml", &text).unwrap()
    };
    let state = state_folder();
    let now = Timestamp::from_secs(1_600_000_000);
    let open = || {
        let deps = Deps {
            pinned: PinnedConfig::default(),
            host: "host".to_owned(),
            registry: state.path().to_owned(),
            readiness: Readiness::default(),
            lanes: Lanes::single(),
        };
        FileInput::open(vec![config("cart"), config("shop")], deps, now).unwrap()
    };
    fs::write(folder.path().join("shop.log"), "one\n").unwrap();
    let mut input = open();
    input.poll(now, &mut Outbox::new(&Lanes::single()));
    input.checkpoint(now).unwrap();
    drop(input);
    fs::rename(folder.path().join("shop.log"), folder.path().join("shop.log.1")).unwrap();
    let mut out = Outbox::new(&Lanes::single());
    open().poll(now, &mut out);
    let batch = out.batch(LaneId::MAIN).unwrap();
    let record: serde_json::Value = serde_json::from_slice(batch.payload(&batch.entries[0])).unwrap();
    assert_eq!((&record["message"], &record["service"]["name"]), (&"one".into(), &"shop".into()));
}
