//! Lines whose level has a way of its own.

use super::super::lane::leveled;
use super::*;
use crate::input::file::Waiting;

/// A line of the file with this level, of which 800 bytes are read and 500 settled.
fn of_level(level: &str, start: u64, end: u64) -> Facts {
    let input = "paths: ['/var/log/*.log'], \
                 levels: { error: { topic: errors }, debug: { topic: dbg, when: switched_on } }";
    let mut facts = known(input, "/var/log/a.log", 800, 500);
    (facts.page.streams[0].ledger.acked, facts.page.streams[0].ledger.filtered) = (400, 100);
    let level = event::Level::parse(level).unwrap();
    facts.leveled = leveled(&config(input), facts.input().unwrap().1, level);
    facts.line = Some(Ok(Line {
        number: 7,
        start,
        end,
        is_whole: true,
        is_empty: false,
        record: Some(start),
        left_out: None,
        level: Some(level),
    }));
    facts
}

#[test]
fn a_line_is_left_out_while_its_level_is_switched_off() {
    let off = "level debug is shipped only while `shipper debug` is on, and it is off: ";
    for (start, end, fate) in [
        (100, 200, "unless it was on when the line was read, the line is left out"),
        (600, 700, "unless it was on when the line was read, the line is left out"),
        (900, 990, "the line will be left out"),
    ] {
        let mut facts = of_level("debug", start, end);
        check(&facts, &format!("{off}{fate}"), "-> `shipper debug on --for 10m` ships such lines");
        facts.debug_until = Some(Timestamp::from_secs(NOW));
        check(&facts, off, "->");
        facts.debug_until = Some(Timestamp::from_secs(NOW + 1));
        let answer = if end <= 500 { "nothing keeps it" } else { "B are " };
        check(&facts, answer, "");
    }
    let mut on = of_level("debug", 100, 200);
    on.debug_until = Some(Timestamp::from_secs(NOW + 1));
    check(&on, "nothing keeps it", "a line that was read since it is on has event.id: 0000");
    let mut whole = of_level("debug", 100, 200);
    whole.page.streams[0].ledger.filtered = 0;
    check(&whole, "nothing keeps it", "it is shipped; look for event.id");
    check(&of_level("error", 100, 200), "nothing keeps it", "it is shipped; look for event.id");
}

#[test]
fn a_topic_that_is_refused_is_named_for_what_goes_there() {
    let refused = |mut facts: Facts| {
        facts.page.parts.insert("output.errors".to_owned(), "topic `errors` is not there".to_owned());
        facts
    };
    let answer = "topic errors takes nothing (output.errors): topic `errors` is not there";
    check(&refused(of_level("error", 600, 700)), answer, "nothing is lost");
    let whole = Facts { line: None, leveled: None, ..of_level("info", 600, 700) };
    check(&refused(whole), answer, "300 B are on their way");
    // Its own topic takes it.
    check(
        &refused(of_level("info", 600, 700)),
        "nothing keeps it",
        "when what lies before it for topic errors is, which is refused",
    );
    let mut next = refused(of_level("info", 900, 990));
    check(&next, "190 B are not read yet", "");
    let waiting = Waiting { topic: "errors".to_owned(), part: "output.errors".to_owned() };
    next.page.streams[0].waits_for = Some(waiting);
    check(&next, "it waits for topic errors, which is refused and has no room for what comes next", "");
}
