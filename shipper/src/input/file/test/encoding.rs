//! Files that are not UTF-8: real ones with their expected records, and what tears or mixes them.

use std::path::{Path, PathBuf};
use std::time::Duration;

use super::*;

/// A file of the data that lies next to the project, where it does.
fn data(name: &str) -> Option<PathBuf> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../shared/data").join(name);
    path.exists().then_some(path)
}

fn lines(path: &Path) -> Vec<serde_json::Value> {
    let text = fs::read_to_string(path).unwrap();
    text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

/// Reads `bytes` in pieces of `step` bytes, and gives what came of them, flushed at the end by time.
fn read_in_steps(yaml: &str, bytes: &[u8], step: usize) -> Vec<(u64, String)> {
    // No text here is what that parser reads, so that each message is a whole text.
    let mut rig = Rig::with(&format!("paths: ['{{folder}}/*.log']\nparse: gin\n{yaml}"));
    for piece in bytes.chunks(step) {
        rig.append("a.log", piece);
        rig.read();
        rig.ack();
    }
    rig.wait(Duration::from_secs(60));
    rig.read();
    rig.ack();
    assert_eq!(rig.ledger().pending, 0);
    rig.got.iter().map(|got| (got.offset, got.message.clone())).collect()
}

#[test]
fn real_logs_give_the_records_that_they_should() {
    for (name, encoding) in [
        ("app-gbk.log", "gbk"),
        ("app-gb18030.log", "gb18030"),
        ("app-utf16le-bom.log", "utf-16le"),
        ("app-utf8-bom.log", "utf-8"),
    ] {
        let Some(path) = data(&format!("encodings/{name}")) else { continue };
        let bytes = fs::read(&path).unwrap();
        let mark = if name.contains("bom") { if encoding == "utf-8" { 3 } else { 2 } } else { 0 };
        let expected: Vec<(u64, String)> = lines(&path.with_extension("log.records.jsonl"))
            .iter()
            .map(|record| {
                // The mark belongs to the first record.
                let start = record["start"].as_u64().unwrap();
                (if start == mark { 0 } else { start }, record["message"].as_str().unwrap().to_owned())
            })
            .collect();
        let joined = "multiline: { pattern: '^\\d{4}-', negate: true, match: after, timeout: 30s }";
        // A mark goes before whatever is configured.
        let encodings = if mark > 0 { vec![encoding, "latin1", "utf-8"] } else { vec![encoding] };
        for encoding in encodings {
            for step in [4099, bytes.len()] {
                let found = read_in_steps(&format!("encoding: {encoding}\n{joined}"), &bytes, step);
                assert_eq!(found, expected, "{name} {encoding} {step}");
            }
        }
    }
}

#[test]
fn the_encodings_that_filebeat_knows_are_read() {
    let Some(path) = data("encodings/filebeat_encodings.jsonl") else { return };
    for case in lines(&path) {
        let name = case["encoding"].as_str().unwrap();
        let name = match name.strip_prefix("windows") {
            Some(page) => format!("windows-{page}"),
            None => name.replace("plain", "utf-8").replace("koi8r", "koi8-r"),
        };
        let hex = case["hex"].as_str().unwrap().as_bytes();
        let bytes: Vec<u8> = hex
            .chunks(2)
            .map(|digits| u8::from_str_radix(std::str::from_utf8(digits).unwrap(), 16).unwrap())
            .collect();
        let expected: Vec<&str> =
            case["expected"].as_array().unwrap().iter().map(|line| line.as_str().unwrap()).collect();
        let found = read_in_steps(&format!("encoding: {name}"), &bytes, 7);
        assert_eq!(found.iter().map(|(_, line)| line.as_str()).collect::<Vec<_>>(), expected, "{name}");
    }
}

#[test]
fn the_encodings_that_fluent_bit_converts_are_read() {
    for (name, encoding) in [("big5", "big5"), ("gbk", "gbk"), ("sjis", "shift_jis"), ("win1252", "latin1")] {
        let Some(path) = data(&format!("encodings/fluent-bit/generic_enc_{name}.log")) else { return };
        let expected: Vec<String> = lines(&path.with_extension("out"))
            .iter()
            .map(|record| record["log"].as_str().unwrap().to_owned())
            .collect();
        let found = read_in_steps(
            &format!("encoding: {encoding}\npartial_line_timeout: 1s"),
            &fs::read(&path).unwrap(),
            5000,
        );
        // It does not convert a last line without an end.
        let found: Vec<_> = found.into_iter().map(|(_, line)| line).take(expected.len()).collect();
        assert_eq!(found, expected, "{name}");
    }
}

#[test]
fn a_character_that_is_torn_at_a_line_end_takes_nothing_of_the_next_line() {
    for (encoding, bytes, expected) in [
        ("gbk", &b"a\xc4\nb\xc4\xe3\n"[..], ["a\u{fffd}", "b\u{4f60}"]),
        ("shift_jis", b"a\x83\nb\n", ["a\u{fffd}", "b"]),
        ("utf-8", b"a\xe4\xbd\nb\n", ["a\u{fffd}", "b"]),
        ("utf-16le", b"a\0\x3d\xd8\n\0b\0\n\0", ["a\u{fffd}", "b"]),
        ("utf-16be", b"\0a\xd8\x3d\0\n\0b\0\n", ["a\u{fffd}", "b"]),
    ] {
        let mut rig = Rig::with(&format!("paths: ['{{folder}}/*.log']\nencoding: {encoding}"));
        rig.append("a.log", bytes);
        rig.read();
        assert_eq!(rig.got[0].tags, ["invalid_utf8"], "{encoding}");
        assert_eq!(rig.got[1].tags.len(), 0, "{encoding}");
        assert_eq!(rig.take(), expected, "{encoding}");
    }
}

#[test]
fn a_restart_in_the_middle_remembers_the_mark_of_the_file() {
    let utf_16 = |text: &str| text.encode_utf16().flat_map(u16::to_be_bytes).collect::<Vec<u8>>();
    let mut rig = Rig::with("paths: ['{folder}/*.log']\nline_end: \"|\"");
    rig.append("a.log", b"\xfe");
    rig.expect(&[]);
    rig.append("a.log", b"\xff");
    rig.append("a.log", utf_16("\u{4e0a}|one|tw"));
    rig.expect(&["\u{4e0a}", "one"]);
    rig.ack();
    rig.restart();
    rig.append("a.log", utf_16("o|"));
    rig.expect(&["two"]);
    rig.ack();
    assert_eq!(rig.ledger().pending, 0);
}

#[test]
fn streams_of_two_encodings_do_not_mix() {
    let mut rig = Rig::with("paths: ['{folder}/*.log']\nencoding: gbk");
    let wide = |text: &str| text.encode_utf16().flat_map(u16::to_le_bytes).collect::<Vec<u8>>();
    rig.append("a.log", b"\xc4");
    rig.append("b.log", [b"\xff\xfe".to_vec(), wide("\u{4e0a}")].concat());
    rig.expect(&[]);
    rig.append("a.log", b"\xe3\n");
    rig.append("b.log", wide("\u{4e0d}\r\n"));
    rig.read();
    let mut messages = rig.take();
    messages.sort();
    assert_eq!(messages, ["\u{4e0a}\u{4e0d}", "\u{4f60}"]);
}
