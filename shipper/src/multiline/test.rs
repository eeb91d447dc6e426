use std::path::{Path, PathBuf};
use std::time::Duration;

use event::Timestamp;
use proptest::prelude::*;

use super::{Joint, Multiline, MultilineConfig, Preset};

/// The records of `input`: what a caller makes of the joints.
fn join(multiline: &mut Multiline, input: &str) -> Vec<String> {
    let mut records = Vec::new();
    let mut collected: Option<String> = None;
    for line in input.strip_suffix('\n').unwrap_or(input).split('\n') {
        let joint = multiline.handle(line.as_bytes(), Timestamp::EPOCH);
        if joint == Joint::Starts {
            records.extend(collected.take());
        }
        collected = Some(match collected {
            Some(before) => format!("{before}\n{line}"),
            None => line.to_owned(),
        });
        if joint == Joint::Ends {
            records.extend(collected.take());
        }
    }
    assert_eq!(multiline.flush(), collected.is_some());
    records.extend(collected);
    records
}

fn preset(preset: Preset) -> Multiline {
    Multiline::new(&MultilineConfig::Preset(preset))
}

fn config(yaml: &str) -> MultilineConfig {
    yaml::parse("test.yml", yaml).unwrap()
}

fn check(language: Preset, records: &[&str]) {
    assert_eq!(join(&mut preset(language), &records.join("\n")), records);
}

#[test]
fn none() {
    check(Preset::None, &["one", "  two", "three"]);
}

#[test]
fn headers_make_records() {
    for language in [Preset::Java, Preset::Python, Preset::Go] {
        check(
            language,
            &[
                "2026-11-23 10:30:45,123 INFO one",
                "2026-11-23 10:30:45,124 INFO two",
                "2026-11-23 10:30:45,125 ERROR three\nany text\n\n  SELECT 1\n{\"dump\":1}\nERROR inside",
                "2026-11-23 10:30:45,126 INFO four",
                "[0.342s][info][gc] another program's line",
                "2026-11-23 10:30:45,127 INFO five",
            ],
        );
        check(language, &["{\"a\":1}", "{\"a\":2}", "level=info msg=x", "plain", "", "  indented"]);
    }
}

#[test]
fn java() {
    check(
        Preset::Java,
        &[
            "2026-11-23 10:30:45,123 ERROR failed\na.b.CException: no\n\tat a.B.c(B.java:1)\nCaused by: a.D: x\n\t... 1 more",
            "2026-11-23 10:30:45,124 INFO two",
        ],
    );
    check(
        Preset::Java,
        &[
            "started",
            "Exception in thread \"main\" a.B: no\n\tat a.B.c(B.java:1)\n\tSuppressed: x\n\t\tat a.B.c(B.java:1)",
            "java.lang.OutOfMemoryError: heap\n\tat a.B.c(B.java:1)",
            "stopped",
        ],
    );
    check(
        Preset::Java,
        &[
            "Jul 09, 2015 3:23:29 PM com.x.Y run\nSEVERE: one",
            "Jul 09, 2015 3:23:30 PM com.x.Y run\nINFO: two\nmore",
            "Jul 09, 2015 3:23:31 PM com.x.Y run\nINFO: three",
        ],
    );
}

#[test]
fn python() {
    let trace = "Traceback (most recent call last):\n  File \"a.py\", line 1\n    f()\nKeyError: 'a'";
    check(Preset::Python, &["one", trace, "two", trace, trace]);
    check(
        Preset::Python,
        &[
            &format!(
                "{trace}\n\nDuring handling of the above exception, another exception occurred:\n\n{trace}"
            ),
            "two",
        ],
    );
    check(Preset::Python, &[&format!("ERROR:root:failed\n{trace}"), "INFO:root:two"]);
    check(Preset::Python, &[&format!("ERROR {trace}"), "INFO two"]);
}

#[test]
fn go() {
    let dump = "goroutine 1 [running]:\nmain.(*T).f(0x1, {0x2, 0x3})\n\t/a/b.go:7 +0x1\ncreated by main.g in goroutine 2\n\t/a/b.go:8 +0x2";
    check(
        Preset::Go,
        &["one", &format!("panic: a [recovered]\n\tpanic: b\n\n{dump}\nexit status 2"), "two (x)"],
    );
    check(
        Preset::Go,
        &[
            "2026/11/23 10:30:45 one",
            "2026/11/23 10:30:45 two",
            &format!("panic: no\n\n{dump}"),
            "2026/11/23 10:30:46 three",
        ],
    );
    check(
        Preset::Go,
        &[
            &format!("2026/11/23 10:30:45 http: panic serving 1.2.3.4:5: no\n{dump}"),
            "2026/11/23 10:30:46 two",
        ],
    );
}

#[test]
fn a_record_at_its_limit_is_cut_and_the_guess_is_made_again() {
    let mut multiline = preset(Preset::Java);
    let header = "2026-11-23 10:30:45,123 INFO x\n2026-11-23 10:30:45,123 INFO y\n";
    let records = join(&mut multiline, &format!("{header}{}", "text\n".repeat(1000)));
    assert_eq!(records[1].lines().count(), 500);
    assert!(records[2..].iter().all(|record| record == "text"));
    assert_eq!(multiline.cuts(), 1);
}

#[test]
fn limits_cut_and_lose_nothing() {
    let after = "{ pattern: '^ ', match: after, lines_max: 2 }";
    let mut multiline = Multiline::new(&config(after));
    assert_eq!(join(&mut multiline, "a\n b\n c\n d\n e\nf"), ["a\n b", " c\n d", " e", "f"]);
    assert_eq!(multiline.cuts(), 2);

    let before = r"{ pattern: '\\$', match: before, bytes_max: 5 }";
    let mut multiline = Multiline::new(&config(before));
    assert_eq!(join(&mut multiline, "a\\\nb\\\nccc\nd\ne\\\nf"), ["a\\\nb\\", "ccc", "d", "e\\\nf"]);
    assert_eq!(multiline.cuts(), 1);
}

#[test]
fn an_unfinished_record_waits_for_its_time_out() {
    let mut multiline = Multiline::new(&config("{ pattern: '^ ', match: after, timeout: 3s }"));
    let at = |seconds: i64| Timestamp::from_secs(seconds);
    assert_eq!(multiline.deadline(), None);
    assert_eq!(multiline.handle(b"a", at(10)), Joint::Starts);
    assert_eq!(multiline.handle(b" b", at(12)), Joint::Continues);
    assert_eq!(multiline.deadline(), Some(at(15)));
    assert!(!multiline.tick(at(14)));
    assert!(multiline.tick(at(15)));
    assert_eq!(multiline.deadline(), None);
    assert!(!multiline.tick(at(99)));
    assert_eq!(multiline.handle(b" c", at(100)), Joint::Starts);
    assert_eq!(preset(Preset::None).handle(b"a", at(0)), Joint::Ends);
}

#[test]
fn configurations() {
    assert_eq!(config("java"), MultilineConfig::Preset(Preset::Java));
    assert_eq!(config("none"), MultilineConfig::default());
    let MultilineConfig::Pattern(pattern) =
        config("{ pattern: '^ ', match: before, negate: true, lines_max: 7, bytes_max: 1KiB, timeout: 10s }")
    else {
        panic!("a map is a pattern");
    };
    let limits = pattern.limits();
    assert_eq!((limits.lines_max, limits.bytes_max, limits.timeout), (7, 1024, Duration::from_secs(10)));
    for (wrong, expected) in [
        ("ruby", "java"),
        ("{ pattern: '(', match: after }", "regular expression"),
        ("{ pattern: x, match: after, negat: true }", "negate"),
        ("{ pattern: x }", "match"),
        ("7", "a map with `pattern`"),
    ] {
        let error = yaml::parse::<MultilineConfig>("test.yml", wrong).unwrap_err().to_string();
        assert!(error.contains(expected), "{wrong}: {error}");
    }
    let schema = serde_json::to_string(&schemars::schema_for!(MultilineConfig)).unwrap();
    assert!(schema.contains("lines_max") && schema.contains("java"), "{schema}");
}

fn data(name: &str) -> Option<PathBuf> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../shared/data").join(name);
    if !path.exists() {
        println!("skipped: {} is not there", path.display());
        return None;
    }
    Some(path)
}

fn json_lines(path: &Path) -> Vec<serde_json::Value> {
    std::fs::read_to_string(path).unwrap().lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

fn strings(value: &serde_json::Value) -> Vec<String> {
    let text = |value: &serde_json::Value| value.as_str().unwrap().trim_end_matches('\n').to_owned();
    value.as_array().unwrap().iter().map(text).collect()
}

#[test]
fn cases_of_other_shippers() {
    let Some(path) = data("multiline/cases.jsonl") else { return };
    let mut count = 0;
    for case in json_lines(&path) {
        let id = case["id"].as_str().unwrap();
        let presets = match id {
            "detect-exceptions/java_exc"
            | "fluent-bit/java"
            | "detect-exceptions/node_js_exc"
            | "detect-exceptions/csharp_exc" => vec![Preset::Java],
            "detect-exceptions/python_exc" | "fluent-bit/python" => vec![Preset::Python],
            "detect-exceptions/go_exc" => vec![Preset::Go],
            "detect-exceptions/arbitrary_text" => {
                vec![Preset::Java, Preset::Python, Preset::Go, Preset::None]
            }
            _ => continue,
        };
        let input =
            case["input"].as_str().map_or_else(|| strings(&case["input_lines"]).join("\n"), str::to_owned);
        for language in presets {
            assert_eq!(
                join(&mut preset(language), &input),
                strings(&case["expected"]),
                "{id} with {language:?}"
            );
            count += 1;
        }
    }
    assert_eq!(count, 11);
}

#[test]
fn cases_of_filebeat() {
    let Some(path) = data("multiline/filebeat_cases.jsonl") else { return };
    for case in json_lines(&path) {
        let id = case["id"].as_str().unwrap();
        let is_limited = case.get("max_lines").is_some() || case.get("max_bytes").is_some();
        // A second pattern that ends a record is not offered; what Filebeat drops beyond a limit is kept
        // here.
        if case.get("flush_pattern").is_some() || is_limited && case.get("file").is_some() {
            continue;
        }
        let text = |key: &str| case[key].as_str().unwrap();
        let pattern = text("pattern").replace('\'', "''");
        let mut multiline = Multiline::new(&config(&format!(
            "{{ pattern: '{pattern}', negate: {}, match: {} }}",
            case["negate"],
            text("match")
        )));
        let input = match case.get("file") {
            Some(file) => {
                std::fs::read_to_string(path.parent().unwrap().join(file.as_str().unwrap())).unwrap()
            }
            None => text("input").to_owned(),
        };
        let records = join(&mut multiline, &input);
        assert_eq!(records.len() as u64, case["records"].as_u64().unwrap(), "{id}: {records:?}");
        let expected = strings(&case["expected"]);
        assert!(expected.is_empty() || records == expected, "{id}: {records:?}");
    }
}

#[test]
fn logs_of_services() {
    let logs = [
        ("multiline/app/java-small.log", Preset::Java),
        ("multiline/app/mixed.log", Preset::Java),
        ("multiline/app/mixed.log", Preset::Python),
        ("filebeat-modules/elasticsearch/server/elasticsearch.624.log", Preset::Java),
        ("filebeat-modules/elasticsearch/deprecation/elasticsearch_deprecation.log", Preset::Java),
    ];
    for (name, language) in logs {
        let Some(path) = data(name) else { continue };
        let text = std::fs::read_to_string(&path).unwrap();
        let records = join(&mut preset(language), &text);
        let expected: Vec<(u64, u64)> = json_lines(&data(&format!("{name}.records.jsonl")).unwrap())
            .iter()
            .map(|record| (record["offset"].as_u64().unwrap(), record["lines"].as_u64().unwrap()))
            .collect();
        let mut offset = 0;
        let found: Vec<(u64, u64)> = records
            .iter()
            .map(|record| {
                let start = offset;
                offset += record.len() as u64 + 1;
                (start, record.split('\n').count() as u64)
            })
            .collect();
        assert_eq!(found, expected, "{name} with {language:?}");
    }
}

#[test]
fn the_traces_of_elasticsearch() {
    let Some(path) = data("filebeat-input/elasticsearch-multiline-log.log") else { return };
    let text = std::fs::read_to_string(path).unwrap();
    assert_eq!(join(&mut preset(Preset::Java), &text).len(), 20);
}

proptest! {
    #[test]
    fn records_are_the_lines_in_order(lines in proptest::collection::vec("(2026-11-23 10:30:45 |ERROR:|\tat |Traceback \\(most recent call last\\):|panic: |goroutine 1 \\[x\\]:|\\{\"|Jul 09, 2015 |[a-z ()]{0,6}){0,2}", 0..40), which in 0usize..5) {
        let input = lines.join("\n");
        let mut multiline = match which {
            0 => preset(Preset::Java),
            1 => preset(Preset::Python),
            2 => preset(Preset::Go),
            3 => preset(Preset::None),
            _ => Multiline::new(&config("{ pattern: 'a', match: before, lines_max: 3, bytes_max: 20 }")),
        };
        let records = join(&mut multiline, &input);
        prop_assert_eq!(records.join("\n"), input.strip_suffix('\n').unwrap_or(&input));
        if which == 4 {
            let is_small = |record: &String| record.split('\n').count() <= 3 && (record.len() <= 20 || !record.contains('\n'));
            prop_assert!(records.iter().all(is_small), "{:?}", records);
        }
    }

    #[test]
    fn a_pattern_joins_as_a_naive_reader_would(lines in proptest::collection::vec("[ab]{0,2}", 1..20), negate: bool) {
        let input = lines.join("\n");
        let is_match = |line: &&str| line.contains('a') != negate;
        let all: Vec<&str> = input.strip_suffix('\n').unwrap_or(&input).split('\n').collect();
        // After: a cut before each line that does not match. Before: a cut behind each line that does not
        // match.
        let after: Vec<String> = all.chunk_by(|_, next| is_match(next)).map(|record| record.join("\n")).collect();
        let before: Vec<String> = all.chunk_by(|line, _| is_match(line)).map(|record| record.join("\n")).collect();
        for (place, expected) in [("after", after), ("before", before)] {
            let mut multiline = Multiline::new(&config(&format!("{{ pattern: 'a', negate: {negate}, match: {place} }}")));
            prop_assert_eq!(join(&mut multiline, &input), expected);
        }
    }
}
