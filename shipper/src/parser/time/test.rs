use event::Timestamp;
use jiff::tz::TimeZone;
use proptest::prelude::*;

use super::Clock;
use super::form::epoch;

type Read = fn(&mut Clock, &[u8], Timestamp) -> Option<(Timestamp, usize)>;

fn check(zone: &str, read: Read, text: &str, expected: &str) {
    let mut clock = Clock::new(TimeZone::get(zone).unwrap());
    let read_at = Timestamp::parse("2026-11-23T10:00:00Z").unwrap();
    let found = read(&mut clock, text.as_bytes(), read_at);
    let shown = found.map_or("none".to_owned(), |(time, taken)| format!("{time} {:?}", &text[taken..]));
    assert_eq!(shown, expected, "{text:?} in {zone}");
}

#[test]
fn iso_times() {
    let iso: Read = |clock, text, _| clock.iso(text);
    for (text, expected) in [
        ("2026-11-23T10:30:45Z x", r#"2026-11-23T10:30:45.000Z " x""#),
        ("2026-11-23T10:30:45.123Z", r#"2026-11-23T10:30:45.123Z """#),
        ("2026-11-23 10:30:45,123 INFO", r#"2026-11-23T02:30:45.123Z " INFO""#),
        ("2026/11/23 10:30:45 [error]", r#"2026-11-23T02:30:45.000Z " [error]""#),
        ("2026-11-23T10:30:45.123456789+01:00|", r#"2026-11-23T09:30:45.123456789Z "|""#),
        ("2026-11-23T10:30:45.123-0330", r#"2026-11-23T14:00:45.123Z """#),
        ("2026-11-23 10:30:45 +0200 x", r#"2026-11-23T08:30:45.000Z " x""#),
        ("2026-11-23 10:30:45 UTC x", r#"2026-11-23T10:30:45.000Z " x""#),
        ("2026-11-23 10:30:45. x", r#"2026-11-23T02:30:45.000Z ". x""#),
        ("2024-02-29 00:00:00 x", r#"2024-02-28T16:00:00.000Z " x""#),
        ("2026-02-29 00:00:00", "none"),
        ("2026-13-01 00:00:00", "none"),
        ("2026-11-23 24:00:00", "none"),
        ("2026-11/23 10:00:00", "none"),
        ("2026-11-23 10:00", "none"),
        ("20261123 10:00:00 and more", "none"),
    ] {
        check("Asia/Shanghai", iso, text, expected);
    }
}

#[test]
fn a_gap_and_a_fold_of_summer_time_take_the_offset_before() {
    let iso: Read = |clock, text, _| clock.iso(text);
    check("Europe/Berlin", iso, "2026-03-29 02:30:00", r#"2026-03-29T01:30:00.000Z """#);
    check("Europe/Berlin", iso, "2026-10-25 02:30:00", r#"2026-10-25T00:30:00.000Z """#);
}

#[test]
fn other_times() {
    let cases: [(Read, &str, &str); 16] = [
        (
            |clock, text, _| clock.gin(text),
            "2026/11/23 - 10:30:45 | 200",
            r#"2026-11-23T10:30:45.000Z " | 200""#,
        ),
        (|clock, text, _| clock.gin(text), "2026/11/23 10:30:45 | 200", "none"),
        (
            |clock, text, _| clock.common(text),
            "25/Oct/2016:14:49:33 +0200]",
            r#"2016-10-25T12:49:33.000Z "]""#,
        ),
        (|clock, text, _| clock.common(text), "25/Okt/2016:14:49:33 +0200]", "none"),
        (
            |clock, text, _| clock.asctime(text),
            "Mon Dec 26 16:22:08 2016]",
            r#"2016-12-26T16:22:08.000Z "]""#,
        ),
        (
            |clock, text, _| clock.asctime(text),
            "Fri Sep  9 10:42:29.902022 2011]",
            r#"2011-09-09T10:42:29.902022000Z "]""#,
        ),
        (
            |clock, text, _| clock.java_util(text),
            "Jul 09, 2015 3:23:29 PM com.X",
            r#"2015-07-09T15:23:29.000Z " com.X""#,
        ),
        (
            |clock, text, _| clock.java_util(text),
            "Jul 09, 2015 12:23:29 AM com.X",
            r#"2015-07-09T00:23:29.000Z " com.X""#,
        ),
        (
            |clock, text, now| clock.syslog(text, now),
            "Nov 23 09:30:45 host",
            r#"2026-11-23T09:30:45.000Z " host""#,
        ),
        (
            |clock, text, now| clock.syslog(text, now),
            "Dec  1 09:30:45 host",
            r#"2025-12-01T09:30:45.000Z " host""#,
        ),
        (
            |clock, text, now| clock.syslog(text, now),
            "Feb 29 09:30:45 host",
            r#"2024-02-29T09:30:45.000Z " host""#,
        ),
        (
            |clock, text, now| clock.klog(text, now),
            "1123 09:30:45.123456   7 a.go",
            r#"2026-11-23T09:30:45.123456000Z "   7 a.go""#,
        ),
        (|clock, text, now| clock.klog(text, now), "1123 09:30:45 7", "none"),
        (
            |clock, text, now| clock.time_of_day(text, now),
            "09:30:45.123 [main]",
            r#"2026-11-23T09:30:45.123Z " [main]""#,
        ),
        (
            |clock, text, now| clock.time_of_day(text, now),
            "23:59:59.999 [main]",
            r#"2026-11-22T23:59:59.999Z " [main]""#,
        ),
        (|clock, text, now| clock.time_of_day(text, now), "9:30:45", "none"),
    ];
    for (read, text, expected) in cases {
        check("UTC", read, text, expected);
    }
}

#[test]
fn numbers() {
    for (number, expected) in [
        ("1700000000", "2023-11-14T22:13:20.000Z"),
        ("1700000000.25", "2023-11-14T22:13:20.250Z"),
        ("1700000000123", "2023-11-14T22:13:20.123Z"),
        ("1700000000123456", "2023-11-14T22:13:20.123456000Z"),
        ("1700000000123456789", "2023-11-14T22:13:20.123456789Z"),
        ("42", "none"),
        ("-1700000000", "none"),
        ("1e9", "none"),
        ("99999999999999999999", "none"),
    ] {
        assert_eq!(epoch(number).map_or("none".to_owned(), |time| time.to_string()), expected, "{number}");
    }
}

proptest! {
    #[test]
    fn every_second_reads_as_jiff_reads_it(second in -2_000_000_000i64..4_000_000_000, zone in 0usize..3) {
        let zone = TimeZone::get(["Asia/Shanghai", "America/New_York", "UTC"][zone]).unwrap();
        let moment = jiff::Timestamp::from_second(second).unwrap();
        let civil = zone.to_datetime(moment);
        let expected = zone.to_ambiguous_timestamp(civil).compatible().unwrap().as_second();
        let text = civil.strftime("%Y-%m-%d %H:%M:%S").to_string();
        let (time, taken) = Clock::new(zone).iso(text.as_bytes()).unwrap();
        prop_assert_eq!((time.as_secs(), taken), (expected, 19));
    }

    #[test]
    fn no_text_makes_a_clock_panic(text in "\\PC{0,40}", digits in "[0-9:/ .,TZ+-]{0,32}") {
        let mut clock = Clock::new(TimeZone::UTC);
        for text in [text.as_bytes(), digits.as_bytes()] {
            for found in [
                clock.iso(text),
                clock.gin(text),
                clock.common(text),
                clock.asctime(text),
                clock.java_util(text),
                clock.syslog(text, Timestamp::EPOCH),
                clock.klog(text, Timestamp::EPOCH),
                clock.time_of_day(text, Timestamp::MAX),
            ] {
                prop_assert!(found.is_none_or(|(_, taken)| taken <= text.len()));
            }
        }
        let _ = epoch(&digits);
    }
}
