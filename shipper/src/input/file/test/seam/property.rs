//! However the files rotate: every record is whole, once.

use std::collections::BTreeMap;

use proptest::prelude::*;

use super::*;

/// One step of a writer of records, its rotation, an output and a shipper.
#[derive(Debug, Clone)]
enum Act {
    /// So many lines of a record after its first.
    Record(u8),
    /// With or without lines before it that nobody has seen.
    Rotate(bool),
    Read,
    /// An event leads to the file, before any scan.
    Hint,
    /// Some of what is in flight, in any order.
    Settle(Vec<prop::sample::Index>),
    Commit,
    Kill,
}

fn act() -> impl Strategy<Value = Act> {
    prop_oneof![
        6 => (0u8..4).prop_map(Act::Record),
        3 => any::<bool>().prop_map(Act::Rotate),
        4 => Just(Act::Read),
        4 => Just(Act::Hint),
        3 => prop::collection::vec(any::<prop::sample::Index>(), 1..20).prop_map(Act::Settle),
        1 => Just(Act::Commit),
        1 => Just(Act::Kill),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, ..ProptestConfig::default() })]

    /// Files rotate between any two lines. Nothing is late, so every record is whole, once by its id.
    #[test]
    fn every_record_is_whole(acts in prop::collection::vec(act(), 1..60)) {
        let mut rig = Rig::with(&INDENTED.replace("after }", "after, timeout: 1h }"));
        let (mut rotations, mut records, mut rest, mut is_split) = (0, Vec::new(), 0, false);
        let line = |rig: &Rig, records: &mut Vec<String>, rest: &mut u8| {
            if *rest > 0 {
                *rest -= 1;
                let text = format!(" {rest}");
                rig.append("app.log", format!("{text}\n"));
                let last = records.last_mut().unwrap();
                *last = format!("{last}\n{text}");
            }
        };
        rig.append("app.log", "first\n");
        rig.read();
        for act in &acts {
            match act {
                Act::Record(lines) => {
                    while rest > 0 {
                        line(&rig, &mut records, &mut rest);
                    }
                    rig.append("app.log", format!("record {}\n", records.len()));
                    records.push(format!("record {}", records.len()));
                    (rest, is_split) = (*lines, false);
                    line(&rig, &mut records, &mut rest);
                }
                Act::Rotate(has_unseen) => {
                    // Only two files share a record.
                    while rest > 0 && is_split {
                        line(&rig, &mut records, &mut rest);
                    }
                    is_split = true;
                    // A file is seen under its first name, as it is where rotations are far apart.
                    rig.append("app.log", "");
                    rig.read();
                    if *has_unseen && rest > 1 {
                        line(&rig, &mut records, &mut rest);
                    }
                    rotations += 1;
                    rig.rename("app.log", &format!("app.log.{rotations}"));
                    line(&rig, &mut records, &mut rest);
                }
                Act::Read => {
                    rig.read();
                    line(&rig, &mut records, &mut rest);
                }
                Act::Hint => {
                    rig.hint("app.log");
                    line(&rig, &mut records, &mut rest);
                }
                Act::Settle(chosen) => {
                    for index in chosen {
                        if !rig.unsettled.is_empty() {
                            let ticket = index.index(rig.unsettled.len());
                            let ticket = rig.unsettled.swap_remove(ticket);
                            rig.settle(&[ticket]);
                        }
                    }
                }
                Act::Commit => {
                    let now = rig.now;
                    rig.input().checkpoint(now).unwrap();
                }
                Act::Kill => {
                    rig.kill();
                    rig.start();
                    rig.read();
                }
            }
            rig.ledger();
        }
        for _ in 0..3 {
            rig.read();
            let_pass(&mut rig, 3600);
            rig.ack();
        }
        let mut found: BTreeMap<(StreamId, u64), String> = BTreeMap::new();
        for got in &rig.got {
            let before = found.insert((got.stream, got.offset), got.message.clone());
            prop_assert!(before.is_none_or(|before| before == got.message), "one id has one record");
        }
        let mut found: Vec<String> = found.into_values().filter(|message| message != "first").collect();
        found.sort();
        records.sort();
        prop_assert_eq!(found, records);
        let ledger = rig.ledger();
        prop_assert_eq!((ledger.lost, ledger.pending, rig.input().in_flight_bytes()), (0, 0, 0));
    }
}
