//! The time formats that shippers write into records.
//!
//! Enters: text or a number. Leaves: a moment, or `None`. Never: a guess about a missing year or zone beyond UTC.

use crate::Timestamp;
use crate::civil::{days_in_month, days_since_1970};

/// The smallest number that is read as seconds since 1970: March 1973. Below it a number is more likely a
/// duration or a counter, such as nginx's request time under the name `time`.
const SECONDS_MIN: f64 = 1e8;

/// A moment as text: RFC 3339 and ISO 8601 in their usual spellings (a blank or `T`, a comma or a point, no zone
/// meaning UTC), the Apache log's `23/Nov/2026:10:30:45 +0800`, RFC 2822, or digits as [`from_number`] reads them.
#[must_use]
pub fn from_text(text: &str) -> Option<Timestamp> {
    let text = text.trim_ascii();
    if text.bytes().all(|byte| byte.is_ascii_digit()) {
        return text.parse().ok().and_then(from_int);
    }
    if text.bytes().all(|byte| byte.is_ascii_digit() || byte == b'.') {
        return text.parse().ok().and_then(from_number);
    }
    from_iso(text).or_else(|| from_named_month(text))
}

/// A whole number since 1970; its size tells seconds, milliseconds, microseconds and nanoseconds apart (each
/// range ends in the year 5138).
#[must_use]
pub fn from_int(number: i64) -> Option<Timestamp> {
    match number {
        ..100_000_000 => None,
        100_000_000..100_000_000_000 => Some(Timestamp::from_secs(number)),
        100_000_000_000..100_000_000_000_000 => Some(Timestamp::from_millis(number)),
        100_000_000_000_000..100_000_000_000_000_000 => {
            Some(Timestamp::from_nanos(number.saturating_mul(1000)))
        }
        _ => Some(Timestamp::from_nanos(number)),
    }
}

/// As [`from_int`], with a fraction; a double holds microseconds of today's seconds, so finer digits are noise.
#[must_use]
pub fn from_number(number: f64) -> Option<Timestamp> {
    let micros = match number {
        ..SECONDS_MIN => return None,
        ..1e11 => number * 1e6,
        ..1e14 => number * 1e3,
        ..1e17 => number,
        1e17..1e19 => number / 1e3,
        _ => return None,
    };
    #[expect(clippy::cast_possible_truncation, reason = "the ranges above end below 1e17")]
    let micros = micros.round() as i64;
    Some(Timestamp::from_nanos(micros.saturating_mul(1000)))
}

/// `2026-11-23T10:30:45[.,fraction][Z|±hh[:]mm]`; written by hand because each record brings one or two.
fn from_iso(text: &str) -> Option<Timestamp> {
    let bytes = text.as_bytes();
    let (head, rest) = bytes.split_first_chunk::<19>()?;
    let [_, _, _, _, b'-', _, _, b'-', _, _, b'T' | b't' | b' ', _, _, b':', _, _, b':', _, _] = head else {
        return None;
    };
    let (fraction, zone) = read_fraction(rest)?;
    let offset = read_zone(zone)?;
    let (year, month, day) = (digits(&head[..4])?, digits(&head[5..7])?, digits(&head[8..10])?);
    let (hour, minute, second) = (digits(&head[11..13])?, digits(&head[14..16])?, digits(&head[17..])?);
    if !(1..=12).contains(&month) || hour > 23 || minute > 59 || second > 60 {
        return None;
    }
    if day < 1 || day > days_in_month(year, month) {
        return None;
    }
    // A leap second is read as the second before it, as everywhere in Unix time.
    let of_day = hour * 3600 + minute * 60 + second.min(59);
    let secs = days_since_1970(year, month, day) * 86_400 + of_day - offset;
    secs.checked_mul(1_000_000_000)?.checked_add(fraction).map(Timestamp::from_nanos)
}

/// Nanoseconds of `.123…` or `,123…` (none is zero, digits below a nanosecond are dropped), and what follows.
fn read_fraction(bytes: &[u8]) -> Option<(i64, &[u8])> {
    let Some((b'.' | b',', rest)) = bytes.split_first() else { return Some((0, bytes)) };
    let len = rest.iter().position(|byte| !byte.is_ascii_digit()).unwrap_or(rest.len());
    let (fraction, zone) = rest.split_at(len);
    let kept = fraction.get(..9).unwrap_or(fraction);
    let scale = 10_i64.checked_pow(u32::try_from(9 - kept.len()).ok()?)?;
    if kept.is_empty() { None } else { Some((digits(kept)? * scale, zone)) }
}

/// Seconds east of UTC; no zone is UTC.
fn read_zone(zone: &[u8]) -> Option<i64> {
    let zone = zone.trim_ascii_start();
    let (sign, hours, minutes) = match zone {
        b"" | b"Z" | b"z" | b"UTC" => return Some(0),
        [sign, h0, h1, b':', m0, m1] | [sign, h0, h1, m0, m1] => {
            (*sign, digits(&[*h0, *h1])?, digits(&[*m0, *m1])?)
        }
        [sign, h0, h1] => (*sign, digits(&[*h0, *h1])?, 0),
        _ => return None,
    };
    let seconds = hours * 3600 + minutes * 60;
    match sign {
        _ if hours > 23 || minutes > 59 => None,
        b'+' => Some(seconds),
        b'-' => Some(-seconds),
        _ => None,
    }
}

fn digits(bytes: &[u8]) -> Option<i64> {
    bytes.iter().try_fold(0, |sum, byte| byte.is_ascii_digit().then(|| sum * 10 + i64::from(byte - b'0')))
}

/// Forms with the month's name; rare enough for a library's pace.
fn from_named_month(text: &str) -> Option<Timestamp> {
    let apache = || jiff::fmt::strtime::parse("%d/%b/%Y:%H:%M:%S %z", text).ok()?.to_timestamp().ok();
    let parsed = apache().or_else(|| jiff::fmt::rfc2822::parse(text).ok().map(|zoned| zoned.timestamp()))?;
    i64::try_from(parsed.as_nanosecond()).ok().map(Timestamp::from_nanos)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn check(text: &str, expected: Option<&str>) {
        assert_eq!(from_text(text).map(|time| time.to_string()).as_deref(), expected, "{text}");
    }

    #[test]
    fn reads_what_shippers_write() {
        check("2026-11-23T10:30:45.123Z", Some("2026-11-23T10:30:45.123Z"));
        check("2026-11-23T10:30:45Z", Some("2026-11-23T10:30:45.000Z"));
        check("2026-11-23T18:30:45.123456+08:00", Some("2026-11-23T10:30:45.123456000Z"));
        check("2026-11-23T18:30:45.123+0800", Some("2026-11-23T10:30:45.123Z"));
        check("2026-11-23 10:30:45,123", Some("2026-11-23T10:30:45.123Z"));
        check("2026-11-23 10:30:45.123 +0000", Some("2026-11-23T10:30:45.123Z"));
        check("2026-11-23T10:30:45.1234567899Z", Some("2026-11-23T10:30:45.123456789Z"));
        check("2026-11-23T05:30:45-05", Some("2026-11-23T10:30:45.000Z"));
        check("1998-12-31T23:59:60Z", Some("1998-12-31T23:59:59.000Z"));
        check("23/Nov/2026:18:30:45 +0800", Some("2026-11-23T10:30:45.000Z"));
        check("Mon, 23 Nov 2026 10:30:45 +0000", Some("2026-11-23T10:30:45.000Z"));
        check("1795429845", Some("2026-11-23T10:30:45.000Z"));
        check("1795429845.123", Some("2026-11-23T10:30:45.123Z"));
        check("1795429845123", Some("2026-11-23T10:30:45.123Z"));
        check("1795429845123456", Some("2026-11-23T10:30:45.123456000Z"));
        check("1795429845123456789", Some("2026-11-23T10:30:45.123456789Z"));
    }

    #[test]
    fn refuses_what_is_no_moment() {
        for text in ["", "now", "0.123", "42", "10:30:45", "2026-11-23", "Nov 23 10:30:45", "12.3.4"] {
            check(text, None);
        }
        for text in
            ["2026-02-29T00:00:00Z", "2026-13-01T00:00:00Z", "2026-11-23T24:00:00Z", "2026-00-01T00:00:00Z"]
        {
            check(text, None);
        }
        for text in [
            "2026-11-23T10:30:45.Z",
            "2026-11-23T10:30:45+8",
            "2026-11-23T10:30:45 GMT+8",
            "9999-01-01T00:00:00Z",
        ] {
            check(text, None);
        }
    }

    #[test]
    fn reads_numbers_by_their_size() {
        let seconds = [1_795_429_845.0, 1_795_429_845_000.0, 1_795_429_845_000_000.0, 1.795_429_845e18];
        for number in seconds {
            assert_eq!(from_number(number), Some(Timestamp::from_secs(1_795_429_845)), "{number}");
        }
        assert_eq!(
            from_number(1_795_429_845.123_456).map(Timestamp::as_nanos),
            Some(1_795_429_845_123_456_000)
        );
        for number in [0.0, 0.25, -1.0, 9.9e7, 1e300, f64::NAN, f64::INFINITY] {
            assert_eq!(from_number(number), None, "{number}");
        }
    }

    proptest! {
        #[test]
        fn reads_what_jiff_reads(nanos in any::<i64>()) {
            let text = jiff::Timestamp::from_nanosecond(i128::from(nanos)).unwrap().to_string();
            prop_assert_eq!(from_iso(&text), Some(Timestamp::from_nanos(nanos)));
        }

        #[test]
        fn agrees_with_jiff_on_near_misses(text in "[12][0-9]{3}-[01][0-9]-[0-3][0-9]T[0-2][0-9]:[0-6][0-9]:[0-6][0-9](\\.[0-9]{1,9})?(Z|[+-]([01][0-9]|2[0-3]):[0-5][0-9])") {
            prop_assert_eq!(from_iso(&text), Timestamp::parse(&text).ok());
        }

        #[test]
        fn takes_any_text(text in any::<String>()) {
            let _ = from_text(&text);
        }
    }
}
