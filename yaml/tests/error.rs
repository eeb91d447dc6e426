//! What an operator reads when a file is wrong: one case for each mistake.

use std::collections::{BTreeMap, HashMap};

use insta::assert_snapshot;
use serde::Deserialize;
use yaml::{ByteSize, Percent, Place, Span, Spanned, YamlError};

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
#[expect(dead_code, reason = "typed, not read")]
struct Shipper {
    inputs: Vec<Input>,
    #[serde(default)]
    output: Option<Output>,
    #[serde(default)]
    limits: Option<Limits>,
    #[serde(default)]
    level: Option<Level>,
    #[serde(default)]
    routes: BTreeMap<String, Output>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "snake_case")]
#[expect(dead_code, reason = "typed, not read")]
enum Input {
    File(File),
    Probe { url: String, every: Span },
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
#[expect(dead_code, reason = "typed, not read")]
struct File {
    paths: Vec<String>,
    #[serde(default)]
    service: Option<String>,
    #[serde(default)]
    line_bytes_max: Option<ByteSize>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
#[expect(dead_code, reason = "typed, not read")]
struct Output {
    topic: String,
    #[serde(default)]
    password: Option<String>,
    #[serde(default)]
    port: Option<u16>,
    #[serde(default)]
    every: Option<Span>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
#[expect(dead_code, reason = "typed, not read")]
struct Limits {
    share: Option<Percent>,
    size: Option<ByteSize>,
    is_on: Option<bool>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Level {
    Debug,
    Info,
}

fn look_up(name: &str) -> Result<Option<String>, String> {
    let values =
        HashMap::from([("SECRET", "hunter2-secret"), ("PORT", "9092"), ("SHORT", "z"), ("TRUE", "true")]);
    match name.strip_prefix("file:") {
        Some(path) => Err(format!("cannot read {path}: no such file")),
        None => Ok(values.get(name).map(|value| (*value).to_owned())),
    }
}

#[expect(clippy::unwrap_used, reason = "a text without a mistake fails the test")]
fn wrong(text: &str) -> String {
    let YamlError(report) = yaml::parse_with::<Shipper>("shipper.yml", text, &mut look_up).unwrap_err();
    assert!(!report.contains("hunter2"), "a secret is shown: {report}");
    report
}

/// One test for each mistake, named for it; the report stands in `snapshots/`.
macro_rules! mistakes {
    ($($name:ident: $text:expr;)*) => {
        $(#[test]
        fn $name() {
            let text: &str = $text;
            assert_snapshot!(format!("{text}---\n{}", wrong(text)));
        })*
    };
}

mistakes! {
    an_unknown_key_at_the_top: "input: []\n";
    an_unknown_key_in_a_list: "inputs:\n  - file:\n      pathes: [\"/var/log/app/*.log\"]\n";
    an_unknown_key_in_one_line: "inputs:\n  - file: { paths: [a], servcie: checkout }\n";
    an_unknown_key_like_no_other: "inputs: []\nbananas: 3\n";
    an_unknown_key_with_a_dash: "inputs:\n  - file: { paths: [a], line-bytes-max: 3 }\n";
    an_unknown_key_beside_a_secret: "inputs: []\noutput:\n  topic: logs\n  password: ${SECRET}\n  prot: 1\n";
    an_unknown_kind: "inputs:\n  - fiel: { paths: [a] }\n";
    an_unknown_value: "inputs: []\nlevel: inof\n";
    a_kind_without_its_keys: "inputs:\n  - file\n";
    a_kind_without_its_keys_before_another: "inputs:\n  - file\n  - file: { paths: [a] }\n";
    a_kind_with_a_neighbour: "inputs:\n  - file: { paths: [a] }\n    service: checkout\n";
    a_list_where_a_mapping_belongs: "inputs: []\noutput: [logs]\n";
    a_value_where_a_list_belongs: "inputs: none\n";
    a_mapping_where_a_text_belongs: "inputs: []\noutput: { topic: { name: logs } }\n";
    a_word_where_a_number_belongs: "inputs: []\noutput: { topic: logs, port: kafka }\n";
    a_number_out_of_range: "inputs: []\noutput: { topic: logs, port: 70000 }\n";
    a_word_where_a_truth_belongs: "inputs: []\nlimits: { is_on: maybe }\n";
    no_value: "inputs: []\noutput: { topic: }\n";
    a_missing_key: "inputs: []\noutput:\n  port: 9092\n";
    a_missing_key_deep_down: "inputs:\n  - file: { paths: [a] }\n  - file: { service: checkout }\n";
    a_missing_key_at_the_top: "level: info\n";
    an_empty_file: "";
    a_file_of_comments: "# nothing yet\n";
    a_tab: "inputs:\n\t- file: { paths: [a] }\n";
    a_key_twice: "inputs: []\nlevel: info\ninputs: []\n";
    a_quote_that_stays_open: "inputs: []\nlevel: 'info\n";
    a_bracket_that_stays_open: "inputs: [\n  - file\n";
    a_second_document: "inputs: []\n---\ninputs: []\n";
    a_span_without_a_unit: "inputs:\n  - probe: { url: x, every: 10 }\n";
    a_span_that_is_none: "inputs:\n  - probe: { url: x, every: soon }\n";
    a_list_where_a_span_belongs: "inputs:\n  - probe: { url: x, every: [1] }\n";
    a_share_above_the_whole: "inputs: []\nlimits: { share: 5 }\n";
    a_size_that_is_none: "inputs: []\nlimits:\n  size: 5 apples\n";
    a_size_that_is_a_list: "inputs: []\nlimits:\n  size: [1]\n";
    a_variable_that_is_not_set: "inputs: []\noutput:\n  topic: logs\n  password: \"user:${KAFKA_PASSWORD}\"\n";
    a_file_that_is_not_there: "inputs: []\noutput: { topic: logs, password: \"${file:/run/secrets/kafka}\" }\n";
    a_reference_that_is_none: "inputs: []\noutput: { topic: logs, password: \"${KAFKA PASSWORD}\" }\n";
    a_reference_without_quotes: "inputs: []\noutput: { topic: logs, password: ${SECRET} }\n";
    a_secret_where_a_number_belongs: "inputs: []\noutput: { topic: logs, port: \"${SECRET}\" }\n";
    a_secret_where_a_span_belongs: "inputs: []\noutput: { topic: logs, every: \"${SECRET}\" }\n";
    a_secret_where_a_name_belongs: "inputs: []\nlevel: ${SECRET}\n";
    a_secret_where_a_mapping_belongs: "inputs: []\noutput: ${SECRET}\n";
    a_secret_where_a_size_belongs: "inputs: []\nlimits: { size: \"${SECRET}\" }\n";
    a_short_secret_where_a_size_belongs: "inputs: []\nlimits: { size: \"${SHORT}\" }\n";
    a_bad_span_beside_a_secret: "inputs: []\noutput: { topic: \"${SECRET}\", every: soon }\n";
    a_bad_span_beside_a_number: "inputs: []\noutput: { topic: logs, port: \"${PORT}\", every: soon }\n";
    a_bad_name_beside_a_secret: "inputs: []\noutput: { topic: \"${SECRET}\" }\nlevel: inof\n";
}

#[test]
fn references_are_typed_like_any_value() {
    let text = "inputs: []\noutput: { topic: \"${SECRET}\", port: \"${PORT}\", every: \"${NONE:-10s}\", password: \"${TRUE}\" }\n";
    let shipper: Shipper = yaml::parse_with("shipper.yml", text, &mut look_up).unwrap();
    assert_eq!(
        format!("{:?}", shipper.output.unwrap()),
        r#"Output { topic: "hunter2-secret", password: Some("true"), port: Some(9092), every: Some(Span(10s)) }"#
    );
}

#[test]
fn references_work_in_every_style() {
    for (written, expected) in [
        ("${SECRET}", "hunter2-secret"),
        ("'${SECRET}'", "hunter2-secret"),
        ("\"\\u00e9 ${SECRET}\\n\"", "é hunter2-secret\n"),
        ("|\n    one ${SHORT}\n    two\n", "one z\ntwo\n"),
        (">-\n    one\n    ${SHORT}\n", "one z"),
        ("'one\n    ${SHORT}'", "one z"),
        ("a $b $$c ^d$", "a $b $$c ^d$"),
        ("$${SHORT}", "${SHORT}"),
        ("${NONE:-}", ""),
        ("${NONE:-null}", "null"),
        ("${NONE:-~}", "~"),
        ("\"a: b, # c ${SHORT}\"", "a: b, # c z"),
    ] {
        let text = format!("inputs: []\noutput:\n  topic: {written}\n  port: 1\n");
        let shipper: Shipper = yaml::parse_with("shipper.yml", &text, &mut look_up).unwrap();
        let found = format!("{:?}", shipper.output.unwrap());
        assert!(found.starts_with(&format!("Output {{ topic: {expected:?}, ")), "{written}: {found}");
    }
}

#[test]
fn without_a_lookup_a_reference_is_text() {
    let text = "inputs: []\noutput:\n  topic: ${X} $y\n";
    let shipper: Shipper = yaml::parse("shipper.yml", text).unwrap();
    assert!(format!("{shipper:?}").contains(r#"topic: "${X} $y""#));
}

#[test]
fn the_callers_own_errors_look_the_same() {
    #[derive(Deserialize)]
    struct Rule {
        query: Spanned<String>,
    }
    let text = "name: x\nquery: 'level: (error or'\n";
    let rule: Rule = yaml::parse("rules.yml", text).unwrap();
    let place = Place::inside(text, &rule.query, rule.query.value.len());
    assert_snapshot!(YamlError::at("rules.yml", text, place, "expected `)`, found the end of the query"));
}

proptest::proptest! {
    /// Whatever a file is made of: no panic, and no secret in what is said of it.
    #[test]
    fn no_report_shows_a_secret(pieces in proptest::collection::vec(proptest::sample::select(PIECES), 0..14)) {
        let text = pieces.concat();
        if let Err(YamlError(report)) = yaml::parse_with::<Shipper>("shipper.yml", &text, &mut look_up) {
            proptest::prop_assert!(!report.contains("hunter2"), "{text}---\n{report}");
        }
    }
}

const PIECES: &[&str] = &[
    "inputs:",
    "inputs: []\n",
    "output:",
    "limits:",
    "level:",
    "routes:",
    "topic:",
    "password:",
    "port:",
    "every:",
    "size:",
    "share:",
    "a:",
    "- ",
    "  ",
    "\n",
    "\n  ",
    "\n    ",
    " ",
    "{",
    "}",
    "[",
    "]",
    ", ",
    "'",
    "\"",
    "|\n",
    ">-\n",
    "# ",
    "&x ",
    "*x",
    "file:",
    "probe:",
    "${SECRET}",
    "'${SECRET}'",
    "\"a ${SECRET}\"",
    "${SECRET",
    "$${",
    "${PORT}",
    "$r0",
    "$",
    "é",
    "10s",
];
