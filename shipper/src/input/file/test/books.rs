//! What is told of ledgers, and that it is told once.

use std::collections::BTreeSet;

use super::*;
use crate::input::file::{DELETED_GRACE, Presence, StreamStatus};

/// Names of the files that are told of, with `offset/written`, and `ended` behind those that are done with.
fn told(rig: &mut Rig, count: usize) -> Vec<String> {
    let name = |status: &StreamStatus| status.path.file_name().unwrap().to_str().unwrap().to_owned();
    let line = |status: StreamStatus| {
        let end = if status.presence == Presence::Ended { " ended" } else { "" };
        format!("{} {}/{}{end}", name(&status), status.offset, status.ledger.written)
    };
    let mut lines: Vec<String> = rig.input().untold(count).into_iter().map(line).collect();
    lines.sort();
    lines
}

#[test]
fn a_ledger_is_told_once_for_each_change() {
    let mut rig = Rig::new();
    rig.append("a.log", "one\n");
    rig.append("b.log", "two two\n");
    rig.read();
    assert_eq!(told(&mut rig, 10), ["a.log 0/4", "b.log 0/8"]);
    assert_eq!(told(&mut rig, 10), [""; 0]);
    rig.ack();
    assert_eq!(told(&mut rig, 10), ["a.log 4/4", "b.log 8/8"]);
    rig.append("a.log", "three\n");
    rig.read();
    rig.ack();
    assert_eq!(told(&mut rig, 10), ["a.log 10/10"]);
}

#[test]
fn what_does_not_fit_has_its_turn_the_next_time() {
    let mut rig = Rig::new();
    for name in ["a.log", "b.log", "c.log"] {
        rig.append(name, "one\n");
    }
    rig.read();
    let mut all = told(&mut rig, 2);
    // One that moves again does not take the others' turn.
    rig.append("a.log", "two\n");
    rig.append("b.log", "two\n");
    rig.append("c.log", "two\n");
    rig.read();
    all.extend(told(&mut rig, 1));
    let names: BTreeSet<&str> = all.iter().filter_map(|line| line.split(' ').next()).collect();
    assert_eq!(names, BTreeSet::from(["a.log", "b.log", "c.log"]));
}

#[test]
fn a_stream_that_is_done_with_has_a_last_word() {
    let mut rig = Rig::new();
    rig.append("a.log", "one\n");
    rig.read();
    assert_eq!(told(&mut rig, 10), ["a.log 0/4"]);
    rig.ack();
    rig.remove("a.log");
    rig.read();
    rig.wait(DELETED_GRACE);
    rig.read();
    rig.read();
    assert_eq!(rig.totals().streams, 0);
    assert_eq!(told(&mut rig, 10), ["a.log 4/4 ended"]);
    assert_eq!(told(&mut rig, 10), [""; 0]);
}
