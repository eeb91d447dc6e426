//! Logs of containers: parts that are joined, outputs that never mix, offsets from which reading gives the same.

use std::collections::BTreeMap;
use std::path::Path;
use std::time::Duration;

use proptest::prelude::*;

use super::*;
use crate::input::file::ack::{Part, Window};
use crate::registry::Losses;

const TIME: &str = "2026-11-23T10:30:45.5Z";

fn cri(output: &str, tag: &str, text: &str) -> String {
    format!("{TIME} {output} {tag} {text}\n")
}

fn docker(output: &str, text: &str) -> String {
    let text = serde_json::to_string(text).unwrap();
    format!("{{\"log\":{text},\"stream\":\"{output}\",\"time\":\"{TIME}\"}}\n")
}

#[test]
fn parts_are_joined_and_outputs_never_mix() {
    let mut rig = Rig::with("paths: ['{folder}/*.log']\ncontainer: auto\nparse: gin");
    for line in [
        docker("stdout", "one\n"),
        docker("stdout", "two "),
        docker("stderr", "bad "),
        docker("stdout", "goes on\n"),
        docker("stderr", "thing\n"),
        cri("stdout", "P", "three "),
        cri("stderr", "F", "worse"),
        cri("stdout", "F", "ends"),
        "neither\n".to_owned(),
    ] {
        rig.append("a.log", line);
    }
    rig.expect(&["one", "two goes on", "bad thing", "three ends", "worse", "neither"]);
    rig.ack();
    assert_eq!(rig.ledger().pending, 0);
}

#[test]
fn a_record_names_its_output_and_its_time() {
    let mut rig = Rig::with("paths: ['{folder}/*.log']\ncontainer: cri");
    rig.append("a.log", cri("stderr", "F", "plain text"));
    rig.append("a.log", cri("stdout", "F", "2026-11-23T11:00:00Z ERROR its own time"));
    rig.append("a.log", "torn\n");
    let (now, mut out) = (rig.now, Outbox::new(&Lanes::single()));
    rig.input().poll(now, &mut out);
    let batch = out.batch(LaneId::MAIN).unwrap();
    let json = |at: usize| -> serde_json::Value {
        serde_json::from_slice(batch.payload(&batch.entries[at])).unwrap()
    };
    assert_eq!(
        (&json(0)["stream"], &json(0)["@timestamp"]),
        (&"stderr".into(), &"2026-11-23T10:30:45.500Z".into())
    );
    assert_eq!(
        (&json(1)["stream"], &json(1)["@timestamp"]),
        (&"stdout".into(), &"2026-11-23T11:00:00.000Z".into())
    );
    assert_eq!(
        (&json(2)["tags"][0], &json(2)["stream"]),
        (&"not_container".into(), &serde_json::Value::Null)
    );
}

#[test]
fn a_trace_on_one_output_is_joined_across_lines_of_the_other() {
    let mut rig = Rig::with("paths: ['{folder}/*.log']\ncontainer: cri\nmultiline: java\nparse: gin");
    for (output, text) in [
        ("stderr", "2026-11-23 10:30:45 ERROR boom"),
        ("stdout", "2026-11-23 10:30:45 INFO GET /"),
        ("stderr", "java.lang.IllegalStateException: no stock"),
        ("stdout", "2026-11-23 10:30:46 INFO GET /"),
        ("stderr", "\tat Shop.buy(Shop.java:7)"),
        ("stderr", "2026-11-23 10:30:46 INFO next"),
        ("stdout", "2026-11-23 10:30:47 INFO GET /"),
    ] {
        rig.append("a.log", cri(output, "F", text));
    }
    rig.read();
    rig.wait(Duration::from_secs(3));
    rig.read();
    let offsets: Vec<_> = rig.got.iter().map(|got| got.offset).collect();
    assert!(offsets.is_sorted(), "{offsets:?}");
    assert_eq!(rig.take().len(), 5, "four records of one line, and the trace");
    rig.ack();
    assert_eq!(rig.ledger().pending, 0);
}

#[test]
fn an_unfinished_line_ends_by_time_and_what_waits_for_it_is_bounded() {
    let mut rig = Rig::with("paths: ['{folder}/*.log']\ncontainer: docker\nparse: gin");
    rig.append("a.log", docker("stderr", "no end"));
    rig.append("a.log", docker("stdout", "held\n"));
    rig.expect(&[]);
    assert!(rig.input().deadline().is_some());
    rig.wait(Duration::from_secs(5));
    rig.expect(&["no end", "held"]);
    rig.append("a.log", docker("stderr", "again no end"));
    for _ in 0..200 {
        rig.append("a.log", docker("stdout", &format!("{}\n", "x".repeat(4000))));
    }
    rig.read();
    assert_eq!(rig.got[0].tags, ["split"]);
    assert_eq!(rig.take().len(), 201);
    rig.ack();
    assert_eq!(rig.ledger().pending, 0);
}

#[test]
fn a_long_line_of_parts_is_cut_or_split_by_its_text() {
    for (too_long, lengths, lost) in [("cut", vec![1024], true), ("split", vec![800, 800, 1000], false)] {
        let mut rig = Rig::with(&format!(
            "paths: ['{{folder}}/*.log']\ncontainer: cri\nline_bytes_max: 1KiB\ntoo_long: {too_long}"
        ));
        for (tag, len) in [("P", 800), ("P", 800), ("F", 1000)] {
            rig.append("a.log", cri("stdout", tag, &"é".repeat(len / 2)));
        }
        rig.read();
        assert_eq!(rig.got.iter().map(|got| got.message.len()).collect::<Vec<_>>(), lengths);
        let tag = if lost { "truncated" } else { "split" };
        assert!(rig.got.iter().all(|got| got.tags == [tag]));
        rig.ack();
        let ledger = rig.ledger();
        assert_eq!((ledger.lost > 0, ledger.pending), (lost, 0));
    }
}

#[test]
fn what_a_truncation_took_is_counted_with_what_waited() {
    let mut rig = Rig::with("paths: ['{folder}/*.log']\ncontainer: cri");
    rig.append("a.log", cri("stdout", "P", "waits "));
    rig.append("a.log", cri("stderr", "F", "held"));
    rig.expect(&[]);
    let written = rig.ledger().written;
    fs::write(rig.path("a.log"), "").unwrap();
    rig.expect(&[]);
    assert_eq!(rig.ledger().lost, written);
}

#[test]
fn the_logs_of_filebeats_own_tests_are_read() {
    let data = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../shared/data");
    for (name, container, records, first) in [
        ("filebeat-input/docker.log", "docker", 21, "Fetching main repository github.com/elastic/beats..."),
        (
            "filebeat-input/cri.log",
            "cri",
            1,
            "2017-09-12 22:32:21.212 [INFO][88] table.go 710: Invalidating dataplane cache",
        ),
        ("multiline/docker/dockermode.log", "auto", 3, "Single log"),
        ("multiline/docker/dockermode_splitted_line.log", "docker", 2, "2020-03-24 Single line"),
    ] {
        let Ok(bytes) = fs::read(data.join(name)) else { continue };
        let mut rig = Rig::with(&format!(
            "paths: ['{{folder}}/*.log']\nparse: gin\npartial_line_timeout: 1s\ncontainer: {container}"
        ));
        rig.append("a.log", bytes);
        rig.read();
        rig.wait(Duration::from_secs(9));
        rig.read();
        let messages = rig.take();
        assert_eq!((messages.len(), messages[0].as_str()), (records, first), "{name}");
    }
}

#[test]
fn records_that_overlap_settle_together() {
    const MAIN: LaneId = LaneId::MAIN;
    let mut window = Window::resume(0, 100, 0, Losses::default());
    let before = window.push(110, MAIN, 1);
    let (one, two) = (window.push_shared(20, MAIN, 2), window.push_shared(10, LaneId::at(1).unwrap(), 3));
    window.skip(115, Part::Filtered);
    window.pass(145);
    let behind = window.push_shared(5, MAIN, 4);
    for (sequence, fate, offset, filtered, dead) in [
        (two, Fate::DeadLettered, 100, 0, 0),
        (before, Fate::Acked, 110, 0, 0),
        (one, Fate::Acked, 145, 5, 10),
        (behind, Fate::Acked, 145, 5, 10),
    ] {
        window.settle(sequence, fate).unwrap();
        let lost = window.lost().dead_lettered;
        assert_eq!((window.offset(), window.filtered(), lost), (offset, filtered, dead), "{sequence}");
    }
    assert_eq!(window.position(), 145, "the place behind the last record was not told");
    window.pass(150);
    assert_eq!(window.offset(), 150);
}

/// One line of a container: its output, whether it goes on, whether it continues a record, its text.
type Written = (bool, bool, bool, u8);

fn text(number: usize, (_, _, continues, length): Written) -> String {
    format!("{}{number} {}", if continues { " " } else { "" }, "x".repeat(usize::from(length)))
}

/// The records, each output for itself: the first byte and the text.
fn naive(lines: &[Written], starts: &[u64]) -> BTreeMap<u64, String> {
    let mut records = BTreeMap::new();
    for output in [false, true] {
        let mut line: Option<(u64, String)> = None;
        let mut record = None::<(u64, String)>;
        for (number, written) in lines.iter().enumerate().filter(|(_, written)| written.0 == output) {
            let (_, text) = line.get_or_insert((starts[number], String::new()));
            text.push_str(&self::text(number, *written));
            if written.1 {
                continue;
            }
            let (start, text) = line.take().unwrap();
            match &mut record {
                Some((_, before)) if text.starts_with(' ') => *before = format!("{before}\n{text}"),
                _ => records.extend(record.replace((start, text))),
            }
        }
        // The last line may have no last part.
        match (record, line) {
            (Some((start, before)), Some((_, text))) if text.starts_with(' ') => {
                records.insert(start, format!("{before}\n{text}"));
            }
            (record, line) => records.extend(record.into_iter().chain(line)),
        }
    }
    records
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, ..ProptestConfig::default() })]

    #[test]
    fn every_settled_offset_is_a_place_to_go_on_from(
        lines in prop::collection::vec((any::<bool>(), prop::bool::weighted(0.3), prop::bool::weighted(0.4), 0u8..30), 1..40),
        chunks in prop::collection::vec(1usize..300, 1..12),
        settles in prop::collection::vec(any::<prop::sample::Index>(), 0..30),
        is_docker: bool,
    ) {
        let (mut bytes, mut starts) = (String::new(), Vec::new());
        for (number, written) in lines.iter().enumerate() {
            starts.push(bytes.len() as u64);
            let (output, text) = (if written.0 { "stdout" } else { "stderr" }, text(number, *written));
            bytes += &if is_docker {
                docker(output, &(text + if written.1 { "" } else { "\n" }))
            } else {
                cri(output, if written.1 { "P" } else { "F" }, &text)
            };
        }
        let expected = naive(&lines, &starts);
        let mut rig = Rig::with(
            "paths: ['{folder}/*.log']\ncontainer: auto\nparse: gin\nmultiline: { pattern: '^ ', match: after, timeout: 1h }",
        );
        let (mut at, mut settles) = (0, settles.into_iter());
        for chunk in chunks.iter().chain([&bytes.len()]) {
            let end = (at + chunk).min(bytes.len());
            // No time passes between two parts, so that none ends before its line does.
            rig.append("a.log", &bytes.as_bytes()[at..end]);
            at = end;
            let now = rig.now;
            rig.input().hint_all(now);
            while rig.read_once() {}
            prop_assert!(rig.got[rig.got_before..].is_sorted_by_key(|got| got.offset));
            if let Some(index) = settles.next()
                && !rig.unsettled.is_empty()
            {
                let ticket = rig.unsettled.swap_remove(index.index(rig.unsettled.len()));
                rig.settle(&[ticket]);
                rig.ledger();
                // A new reading from the settled offset: what was in flight, and what was open, comes again.
                if chunk % 2 == 0 {
                    rig.restart();
                }
            }
        }
        rig.rename("a.log", "gone");
        for _ in 0..4 {
            rig.wait(Duration::from_secs(70));
            while rig.read_once() {}
        }
        let mut found = BTreeMap::new();
        for got in &rig.got {
            let message = found.entry(got.offset).or_insert_with(|| got.message.clone());
            prop_assert_eq!(&*message, &got.message, "one place has one record");
        }
        prop_assert_eq!(found, expected);
        rig.ack();
        let ledger = rig.ledger();
        prop_assert_eq!((ledger.lost, ledger.filtered, ledger.pending), (0, 0, 0));
    }
}
