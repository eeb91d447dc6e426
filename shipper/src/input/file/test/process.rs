//! Processors between lines and the ledger.

use std::time::Duration;

use super::*;

#[test]
fn what_a_processor_leaves_out_is_filtered() {
    let mut rig = Rig::with(
        "paths: ['{folder}/*.log']\nprocessors:\n- drop: { when: 'log.level: debug' }\n- add_fields: { tags: [seen] }",
    );
    rig.append("a.log", "DEBUG first\nERROR second\nDEBUG third\nDEBUG fourth\nERROR fifth\n");
    rig.read();
    let got: Vec<_> = rig.got.iter().map(|got| (got.message.as_str(), got.offset)).collect();
    assert_eq!(got, [("second", 12), ("fifth", 50)]);
    assert_eq!(rig.got[0].tags, ["seen"]);
    let ledger = rig.ledger();
    assert_eq!((ledger.filtered, ledger.pending), (12, 50), "nothing passes the line that has no fate");
    rig.ack();
    let ledger = rig.ledger();
    assert_eq!((ledger.acked, ledger.filtered, ledger.pending), (25, 37, 0));
    assert_eq!(rig.totals().processed.dropped, 3);
    rig.take();
    rig.restart();
    rig.wait(Duration::from_secs(60));
    rig.expect(&[]);
    assert_eq!(rig.ledger().filtered, 37);
}

#[test]
fn a_file_of_which_nothing_is_kept_is_read_to_its_end() {
    let mut rig = Rig::with("paths: ['{folder}/*.log']\nprocessors: [drop: { when: '*' }]");
    rig.append("a.log", "x".repeat(200).as_str().to_owned() + "\n");
    for _ in 0..20 {
        rig.append("a.log", format!("{}\n", "y".repeat(99)).repeat(1000));
    }
    rig.read();
    assert!(rig.got.is_empty());
    let ledger = rig.ledger();
    assert_eq!((ledger.filtered, ledger.pending), (2_000_201, 0));
    assert_eq!(rig.totals().behind_since, None);
}
