//! Whatever the lines are.

use proptest::prelude::*;

use super::*;

proptest! {
    #[test]
    fn records_are_the_lines_in_order(lines in proptest::collection::vec("(2026-11-23 10:30:45 |ERROR:|\tat |Traceback \\(most recent call last\\):|panic: |goroutine 1 \\[x\\]:|\\{\"|Jul 09, 2015 |info: |[a-z ()]{0,6}|a.rb:1:in '|': | \\{|#1 |\\^|a.js:1|Error: |[\\x00-\u{ff}]){0,3}", 0..40), which in 0usize..12) {
        let input = lines.join("\n");
        let mut multiline = match which {
            0..7 => preset(LANGUAGES[which]),
            7 => preset(Preset::Auto),
            8 => preset(Preset::None),
            9 => Multiline::new(&config("while: { pattern: 'a' }")),
            10 => Multiline::new(&config("{ pattern: 'a', match: after, flush_pattern: 'b' }")),
            _ => Multiline::new(&config("{ pattern: 'a', match: before, lines_max: 3, bytes_max: 20 }")),
        };
        let records = join(&mut multiline, &input);
        prop_assert_eq!(records.join("\n"), input.strip_suffix('\n').unwrap_or(&input));
        if which == 11 {
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

    #[test]
    fn a_count_joins_as_a_naive_reader_would(lines in proptest::collection::vec("[ab]{0,2}", 1..20), count in 1u32..6) {
        let input = lines.join("\n");
        let all: Vec<&str> = input.strip_suffix('\n').unwrap_or(&input).split('\n').collect();
        let expected: Vec<String> = all.chunks(count as usize).map(|record| record.join("\n")).collect();
        prop_assert_eq!(join(&mut Multiline::new(&config(&format!("count: {{ lines: {count} }}"))), &input), expected);
    }

    #[test]
    fn a_run_joins_as_a_naive_reader_would(lines in proptest::collection::vec("[ab]{0,2}", 1..20), negate: bool) {
        let input = lines.join("\n");
        let is_match = |line: &&str| line.contains('a') != negate;
        let all: Vec<&str> = input.strip_suffix('\n').unwrap_or(&input).split('\n').collect();
        let expected: Vec<String> =
            all.chunk_by(|line, next| is_match(line) && is_match(next)).map(|record| record.join("\n")).collect();
        let mut multiline = Multiline::new(&config(&format!("while: {{ pattern: 'a', negate: {negate} }}")));
        prop_assert_eq!(join(&mut multiline, &input), expected);
    }

    /// Records one behind the other, with an ordinary line between two of the same language.
    #[test]
    fn auto_joins_what_each_language_joins(chosen in proptest::collection::vec((0usize..7, any::<bool>()), 1..12)) {
        let mut records: Vec<&str> = vec!["started"];
        for (language, is_parted) in &chosen {
            // Ruby writes the cause of an error as it writes a second error.
            if *is_parted || records.last() == Some(&TRACES[*language]) {
                records.push("an ordinary line: 7 (of 9)");
            }
            records.push(TRACES[*language]);
        }
        let input = records.join("\n");
        prop_assert_eq!(&join(&mut preset(Preset::Auto), &input), &records);
        // Each language makes the same of its own, where the others' are ordinary lines.
        for (language, trace) in LANGUAGES.into_iter().zip(TRACES) {
            let is_other = |record: &str| record != trace && TRACES.contains(&record);
            let own: Vec<_> = records.iter().map(|record| if is_other(record) { "another line" } else { record }).collect();
            prop_assert_eq!(&join(&mut preset(language), &own.join("\n")), &own);
        }
    }
}

/// One trace of each language, in the order of [`LANGUAGES`].
const TRACES: [&str; 7] = [
    "java.lang.IllegalStateException: no\n\tat a.B.c(B.java:1)\nCaused by: a.D: x\n\t... 1 more",
    "Traceback (most recent call last):\n  File \"a.py\", line 1\n    f()\nKeyError: 'a'",
    "panic: no\n\ngoroutine 1 [running]:\nmain.main()\n\t/a/b.go:7 +0x1",
    "System.Exception: no\n ---> System.Exception: x\n   --- End of inner exception stack trace ---\n   at A.B() in /a.cs:line 7",
    "TypeError: x\n    at f (/a.js:1:2) {\n  [cause]: Error: y\n      at g (/a.js:3:4)\n}",
    "shop.rb:7:in 'buy': no stock (RuntimeError)\n\tfrom shop.rb:14:in '<main>'",
    "PHP Fatal error:  Uncaught Error: x in /a.php:5\nStack trace:\n#0 {main}\n  thrown in /a.php on line 5",
];
