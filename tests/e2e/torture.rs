//! The scenarios of `tests::torture` at small scale: what was written is on the topic, once, or is said to be lost.
//!
//! Enters: a scenario's name. Leaves: no fault. `bench/torture` plays the same at full scale, and with other shippers.

use tests::dice::Dice;
use tests::torture::{self, Peer, Scale};

fn check(name: &str) {
    let scenario = torture::scenario::named(name).unwrap();
    let mut dice = Dice::new();
    match scenario.play(Peer::Shipper, Scale::Small, &mut dice) {
        Err(why) => println!("{name} is not played here: {why}"),
        Ok(outcome) => {
            println!("{}\n{}", torture::Outcome::head(), outcome.row(name));
            let faults = outcome.faults(&scenario.expect);
            assert!(faults.is_empty(), "{faults:#?}\n{:#?}\n{}", outcome.examples, outcome.log);
        }
    }
}

#[test]
fn every_scenario_has_a_test() {
    let tests = include_str!("torture.rs");
    for scenario in torture::all() {
        let has_one = tests.contains(&format!("check(\"{}\")", scenario.name));
        assert!(has_one, "{} has no test", scenario.name);
    }
}

#[test]
fn rename() {
    check("rename");
}

#[test]
fn rename_chain_lagging() {
    check("rename-chain-lagging");
}

#[test]
fn rename_chain_down() {
    check("rename-chain-down");
}

#[test]
fn rename_out() {
    check("rename-out");
}

#[test]
fn rotate_fast() {
    check("rotate-fast");
}

#[test]
fn freeze() {
    check("freeze");
}

#[test]
fn copytruncate_away() {
    check("copytruncate-away");
}

#[test]
fn rewrite_shorter() {
    check("rewrite-shorter");
}

#[test]
fn rewrite_equal() {
    check("rewrite-equal");
}

#[test]
fn rewrite_longer() {
    check("rewrite-longer");
}

#[test]
fn inode_reuse() {
    check("inode-reuse");
}

#[test]
fn identical_heads() {
    check("identical-heads");
}

#[test]
fn ten_bytes() {
    check("ten-bytes");
}

#[test]
fn symlink_retarget() {
    check("symlink-retarget");
}

#[test]
fn linked_twice() {
    check("linked-twice");
}

#[test]
fn bind_mount() {
    check("bind-mount");
}

#[test]
fn share_blinks() {
    check("share-blinks");
}

#[test]
fn multiline_rotation() {
    check("multiline-rotation");
}

#[test]
fn over_long_line() {
    check("over-long-line");
}

#[test]
fn giant_line() {
    check("giant-line");
}

#[test]
fn broker_gone() {
    check("broker-gone");
}

#[test]
fn denied() {
    check("denied");
}

#[test]
fn state_full() {
    check("state-full");
}

#[test]
fn few_descriptors() {
    check("few-descriptors");
}

#[test]
fn gzip() {
    check("gzip");
}

#[test]
fn zstd() {
    check("zstd");
}

#[test]
fn copytruncate() {
    check("copytruncate");
}

#[test]
fn copytruncate_down() {
    check("copytruncate-down");
}

#[test]
fn copytruncate_over() {
    check("copytruncate-over");
}

#[test]
fn gzip_kills() {
    check("gzip-kills");
}

#[test]
fn half_line() {
    check("half-line");
}

#[test]
fn kills() {
    check("kills");
}

#[test]
fn state_full_kill() {
    check("state-full-kill");
}

#[test]
fn utf16() {
    check("utf16");
}

#[test]
fn budget_drop() {
    check("budget-drop");
}

#[test]
fn budget_spool() {
    check("budget-spool");
}
