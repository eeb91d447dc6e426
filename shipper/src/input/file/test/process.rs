//! Processors between lines and the ledger.

use std::collections::BTreeSet;
use std::time::Duration;

use proptest::prelude::*;

use super::super::{Previewed, preview};
use super::*;
use crate::processor::LeftOut;

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

const LIMITED: &str = "paths: ['{folder}/*.log']\nservice: shop\nparse: json\nprocessors:\n\
    - rate_limit: { key: service.name, max: 2, per: 10s }\n- redact: {}";

#[test]
fn a_summary_tells_of_what_was_left_out() {
    let mut rig = Rig::with(LIMITED);
    rig.append("a.log", "{\"msg\":\"1\"}\n{\"msg\":\"2\"}\n{\"msg\":\"3\"}\n{\"msg\":\"4\"}\n");
    rig.append("bb.log", "{\"msg\":\"5\"}\n{\"msg\":\"6\",\"service\":\"a@b.cn\"}\n");
    rig.expect(&["1", "2", "6"]);
    rig.ack();
    let ledger = rig.ledger();
    assert_eq!((ledger.filtered, ledger.pending, rig.totals().processed.limited), (36, 0, 3));
    assert!(rig.summaries.is_empty());
    let due = rig.now.plus(Duration::from_secs(10));
    assert!(rig.input().deadline().unwrap() <= due);
    rig.now = due;
    while rig.read_once() {}
    let [summary] = rig.summaries.as_slice() else { panic!("{:?}", rig.summaries) };
    assert_eq!(summary["message"], "3 records of `shop` were left out by rate_limit");
    assert_eq!(summary["watchfire.processor.left_out"], 3);
    assert_eq!((&summary["service"]["name"], &summary["log"]), (&"shop".into(), &serde_json::Value::Null));
    assert_eq!(summary["event"]["dataset"], crate::processor::DATASET);
    assert_eq!(rig.ledger().written, ledger.written, "a summary is no byte of a file");
}

#[test]
fn summaries_have_ids_that_grow_over_restarts() {
    let mut rig = Rig::with(LIMITED);
    for _ in 0..3 {
        for _ in 0..2 {
            rig.append("a.log", "{\"msg\":\"x\"}\n".repeat(4));
            rig.read();
            rig.wait(Duration::from_secs(10));
            rig.read();
        }
        rig.ack();
        rig.restart();
    }
    let ids: Vec<EventId> = rig
        .summaries
        .iter()
        .map(|summary| summary["event"]["id"].as_str().unwrap().parse().unwrap())
        .collect();
    assert_eq!(ids.len(), 6);
    assert!(ids.is_sorted_by(|a, b| a.stream == b.stream && a.offset < b.offset), "{ids:?}");
}

#[test]
fn a_preview_ends_its_windows() {
    let rig = Rig::with(LIMITED);
    rig.append("a.log", "{\"msg\":\"x\"}\n".repeat(5));
    let config: FileConfig = yaml::parse("test.yml", &rig.yaml).unwrap();
    let mut messages = Vec::new();
    let mut take = |previewed: Previewed<'_>| {
        messages.push(match previewed {
            Previewed::Record(bytes) => {
                let json: serde_json::Value = serde_json::from_slice(bytes)?;
                json["message"].as_str().unwrap_or_default().to_owned()
            }
            Previewed::LeftOut(LeftOut { offset, processor }) => format!("{processor} at {offset}"),
        });
        Ok(())
    };
    preview(&config, "host", &rig.path("a.log"), rig.now, &mut take).unwrap();
    let left_out = ["rate_limit at 24", "rate_limit at 36", "rate_limit at 48"];
    assert_eq!(messages[..3], left_out);
    assert_eq!(messages[3..], ["x", "x", "3 records of `shop` were left out by rate_limit"]);
}

/// One step of a writer, the output and the shipper.
#[derive(Debug, Clone)]
enum Act {
    Append(u8),
    Read,
    Settle(Vec<prop::sample::Index>),
    Wait(u8),
    Kill,
    Restart,
}

fn act() -> impl Strategy<Value = Act> {
    prop_oneof![
        4 => (1u8..30).prop_map(Act::Append),
        3 => Just(Act::Read),
        3 => prop::collection::vec(any::<prop::sample::Index>(), 1..20).prop_map(Act::Settle),
        2 => (1u8..20).prop_map(Act::Wait),
        1 => Just(Act::Kill),
        1 => Just(Act::Restart),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    /// Whatever happens in whatever order, every byte is acked, filtered or pending, and no line that is to be kept is
    /// missing in the end.
    #[test]
    fn the_ledger_balances_over_every_processor(acts in prop::collection::vec(act(), 1..40)) {
        let mut rig = Rig::with(
            "paths: ['{folder}/*.log']\nparse: plain\nprocessors:\n- drop: { when: 'message: dropped' }\n\
             - rate_limit: { max: 20, per: 2s, when: 'message: limited' }\n\
             - dedupe: { key: log.file.path, when: 'message: repeated', window: 2s }\n\
             - sample: { rate: 50%, when: 'message: sampled' }\n- add_fields: { fields: { labels.a: b } }",
        );
        let kinds = ["kept", "dropped", "limited", "repeated", "sampled"];
        let mut lines = BTreeSet::new();
        for act in acts {
            match act {
                Act::Append(count) => {
                    for _ in 0..count {
                        let number = lines.len();
                        let line = format!("{} {number}", kinds[number % kinds.len()]);
                        rig.append("a.log", format!("{line}\n"));
                        lines.insert(line);
                    }
                }
                Act::Read => rig.read(),
                Act::Settle(chosen) => {
                    for index in chosen {
                        if !rig.unsettled.is_empty() {
                            let at = index.index(rig.unsettled.len());
                            let ticket = rig.unsettled.swap_remove(at);
                            rig.settle(&[ticket]);
                        }
                    }
                }
                Act::Wait(secs) => rig.wait(Duration::from_secs(u64::from(secs))),
                Act::Kill => {
                    rig.kill();
                    rig.start();
                }
                Act::Restart => rig.restart(),
            }
            rig.ledger();
        }
        rig.read();
        rig.ack();
        let ledger = rig.ledger();
        prop_assert_eq!((ledger.pending, ledger.lost), (0, 0));
        let got: BTreeSet<String> = rig.got.iter().map(|got| got.message.clone()).collect();
        prop_assert!(got.is_subset(&lines));
        let is_missing = |line: &&String| line.starts_with("kept") && !got.contains(*line);
        prop_assert_eq!(lines.iter().find(is_missing), None);
        prop_assert!(!got.iter().any(|line| line.starts_with("dropped")));
    }
}
