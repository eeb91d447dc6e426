//! Records that reach a limit, and those that wait.

use super::*;

#[test]
fn a_record_at_its_limit_is_cut_and_the_guess_is_made_again() {
    let mut multiline = preset(Preset::Java);
    let header = "2026-11-23 10:30:45,123 INFO x\n2026-11-23 10:30:45,123 INFO y\n";
    let records = join(&mut multiline, &format!("{header}{}", "text\n".repeat(1000)));
    assert_eq!(records[1].lines().count(), 500);
    assert!(records[2..].iter().all(|record| record == "text"));
}

#[test]
fn limits_cut_and_lose_nothing() {
    let after = "{ pattern: '^ ', match: after, lines_max: 2 }";
    let mut multiline = Multiline::new(&config(after));
    assert_eq!(join(&mut multiline, "a\n b\n c\n d\n e\nf"), ["a\n b", " c\n d", " e", "f"]);

    let before = r"{ pattern: '\\$', match: before, bytes_max: 5 }";
    let mut multiline = Multiline::new(&config(before));
    assert_eq!(join(&mut multiline, "a\\\nb\\\nccc\nd\ne\\\nf"), ["a\\\nb\\", "ccc", "d", "e\\\nf"]);
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
    assert_eq!(preset(Preset::None).handle(b"a", at(0)), Joint::Alone);
}

#[test]
fn a_cut_is_told() {
    let mut multiline =
        Multiline::new(&config("{ pattern: '^ ', match: after, lines_max: 2, flush_pattern: 'e$' }"));
    for (line, joint, has_cut) in [
        ("a", Joint::Starts, false),
        (" b", Joint::Continues, false),
        (" c", Joint::Starts, true),
        (" d", Joint::Continues, false),
        (" e", Joint::Alone, true),
        (" f", Joint::Starts, false),
        ("g", Joint::Starts, false),
        (" e", Joint::Ends, false),
        ("h", Joint::Starts, false),
    ] {
        assert_eq!(
            (multiline.handle(line.as_bytes(), Timestamp::EPOCH), multiline.has_cut()),
            (joint, has_cut),
            "{line}"
        );
    }
}

#[test]
fn a_flush_pattern_ends_a_record() {
    let input = "EventStart\nEventId: 1\nEventEnd\nbetween\nEventStart, EventEnd\nEventStart\nx";
    let yaml = "{ pattern: EventStart, negate: true, match: after, flush_pattern: EventEnd }";
    let records = ["EventStart\nEventId: 1\nEventEnd", "between", "EventStart, EventEnd", "EventStart\nx"];
    assert_eq!(join(&mut Multiline::new(&config(yaml)), input), records);
    let yaml = r"{ pattern: '\\$', match: before, flush_pattern: end }";
    assert_eq!(join(&mut Multiline::new(&config(yaml)), "a\\\nend\\\nb"), ["a\\\nend\\", "b"]);
}

#[test]
fn a_count_of_lines() {
    let joined = |yaml: &str| join(&mut Multiline::new(&config(yaml)), "a\n\nb\n c\nd");
    assert_eq!(joined("count: { lines: 2 }"), ["a\n", "b\n c", "d"]);
    assert_eq!(joined("count: { lines: 1 }"), ["a", "", "b", " c", "d"]);
    assert_eq!(joined("{ count: { lines: 3 }, bytes_max: 2 }"), ["a\n", "b", " c", "d"]);
}

#[test]
fn a_run_of_lines() {
    let joined = |yaml: &str| join(&mut Multiline::new(&config(yaml)), "{a\n{b\nc\n{d\ne\nf\n{g");
    assert_eq!(joined(r"while: { pattern: '^\{' }"), ["{a\n{b", "c", "{d", "e", "f", "{g"]);
    assert_eq!(joined(r"while: { pattern: '^\{', negate: true }"), ["{a", "{b", "c", "{d", "e\nf", "{g"]);
    assert_eq!(joined("{ while: { pattern: '' }, lines_max: 3 }"), ["{a\n{b\nc", "{d\ne\nf", "{g"]);
}
