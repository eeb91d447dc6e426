//! What may be written, and what is said of all else.

use std::time::Duration;

use super::*;
use crate::multiline::{Limits, Match, RuleConfig};

#[test]
fn names_and_maps() {
    assert_eq!(config("java"), Preset::Java.into());
    assert_eq!(config("auto"), Preset::Auto.into());
    assert_eq!(config("none"), MultilineConfig::default());
    let limits = Limits { lines_max: 7, bytes_max: 1024, timeout: Duration::from_secs(10) };
    let preset = config("{ preset: ruby, lines_max: 7, bytes_max: 1KiB, timeout: 10s }");
    assert_eq!(preset, MultilineConfig { limits, ..Preset::Ruby.into() });
    let written = config("{ pattern: '^ ', match: before, negate: true, flush_pattern: x }");
    assert_eq!(written.limits, Limits::default());
    let RuleConfig::Pattern(pattern) = written.rule else { panic!("a pattern") };
    assert_eq!((pattern.place, pattern.negate), (Match::Before, true));
    assert!(pattern.flush_pattern.is_some());
    assert!(matches!(config("count: { lines: 500 }").rule, RuleConfig::Count(count) if count.lines == 500));
    assert!(matches!(config("while: { pattern: x }").rule, RuleConfig::While(run) if !run.negate));
}

#[test]
fn mistakes_have_a_place_and_a_way_out() {
    for (wrong, expected) in [
        ("rubi", &["1:1", "did you mean `ruby`?"][..]),
        ("{ preset: jav }", &["1:11", "did you mean `java`?"]),
        ("{ pattern: '(', match: after }", &["1:12", "regular expression"]),
        ("{ pattern: x, match: after, negat: true }", &["1:29", "did you mean `negate`?"]),
        ("{ pattern: x, match: below }", &["1:22", "after"]),
        ("{ pattern: x }", &["1:1", "`match` is missing: write `match: after` or `match: before`"]),
        ("{ while: { pattern: x, match: after } }", &["1:24", "match"]),
        ("{ while: { pattrn: x } }", &["1:12", "did you mean `pattern`?"]),
        ("{ whle: { pattern: x } }", &["1:3", "did you mean `while`?"]),
        ("{ count: { line: 3 } }", &["1:12", "did you mean `lines`?"]),
        ("{ count: { lines: 0 } }", &["1:1", "`count.lines` must be between 1 and `lines_max`, 500"]),
        ("{ count: { lines: 8 }, lines_max: 7 }", &["1:1", "`lines_max`, 7"]),
        (
            "{ count: { lines: 8 }, preset: java }",
            &["1:1", "just one of `pattern`, `count`, `while` and `preset`"],
        ),
        ("{ count: { lines: 8 }, negate: true }", &["1:1", "`negate` goes with `pattern`"]),
        ("{ preset: java, lines_max: 0 }", &["1:1", "`lines_max` must be at least 1"]),
        ("{ timeout: 1s }", &["1:1", "just one of"]),
        ("7", &["1:1", "a map with `pattern`"]),
    ] {
        let error = yaml::parse::<MultilineConfig>("test.yml", wrong).unwrap_err().to_string();
        assert!(expected.iter().all(|part| error.contains(part)), "{wrong}: {error}");
    }
}

#[test]
fn the_schema_knows_all_of_it() {
    let schema = serde_json::to_string(&schemars::schema_for!(MultilineConfig)).unwrap();
    for word in ["lines_max", "java", "flush_pattern", "\"while\"", "\"match\"", "additionalProperties"] {
        assert!(schema.contains(word), "{word}: {schema}");
    }
}
