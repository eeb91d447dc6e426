//! A point in time as RFC 3339 text.
//!
//! Enters: nanoseconds since 1970. Leaves: 24 bytes, or 30 when there is something below a millisecond.
//! Written by hand because each record has two of them: a third of what a plain line costs, and half as much again
//! with a general formatter (`benches/codec.rs` has both).

use crate::Timestamp;

/// Days from the first of March of year 0 to 1970.
const DAYS_BEFORE_1970: i64 = 719_468;

/// Appends `time` as RFC 3339 in UTC: milliseconds, or nanoseconds when there are any below a millisecond.
pub fn push_timestamp(out: &mut Vec<u8>, time: Timestamp) {
    let secs = time.as_secs();
    // From here on all is positive and small, and 32-bit divisions take half the time.
    let nanos = narrow(time.as_nanos().rem_euclid(1_000_000_000));
    let of_day = narrow(secs.rem_euclid(86_400));
    let (year, month, day) = civil_from_days(narrow(secs.div_euclid(86_400) + DAYS_BEFORE_1970));
    let mut text = *b"0000-00-00T00:00:00.000000000Z";
    write_digits(&mut text[..4], year);
    write_digits(&mut text[5..7], month);
    write_digits(&mut text[8..10], day);
    write_digits(&mut text[11..13], of_day / 3600);
    write_digits(&mut text[14..16], of_day / 60 % 60);
    write_digits(&mut text[17..19], of_day % 60);
    if nanos.is_multiple_of(1_000_000) {
        write_digits(&mut text[20..23], nanos / 1_000_000);
        text[23] = b'Z';
        out.extend_from_slice(&text[..24]);
    } else {
        write_digits(&mut text[20..29], nanos);
        out.extend_from_slice(&text);
    }
}

/// The years 1677 to 2262 keep every number here inside 32 bits.
#[inline]
fn narrow(number: i64) -> u32 {
    u32::try_from(number).unwrap_or_default()
}

#[inline(always)]
fn write_digits(text: &mut [u8], mut number: u32) {
    for digit in text.iter_mut().rev() {
        *digit = b'0' + (number % 10) as u8;
        number /= 10;
    }
}

/// Year, month and day of a count of days (Howard Hinnant, "chrono-Compatible Low-Level Date Algorithms",
/// `civil_from_days`). Years start in March there, so that the leap day comes last.
const fn civil_from_days(days: u32) -> (u32, u32, u32) {
    let era = days / 146_097;
    let day_of_era = days % 146_097;
    let year_of_era = (day_of_era - day_of_era / 1460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let from_march = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * from_march + 2) / 5 + 1;
    let month = if from_march < 10 { from_march + 3 } else { from_march - 9 };
    let year = year_of_era + era * 400 + if month <= 2 { 1 } else { 0 };
    (year, month, day)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn write(nanos: i64) -> String {
        let mut out = Vec::new();
        push_timestamp(&mut out, Timestamp::from_nanos(nanos));
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn writes_milliseconds_or_nanoseconds() {
        assert_eq!(write(0), "1970-01-01T00:00:00.000Z");
        assert_eq!(write(1_795_429_845_123_000_000), "2026-11-23T10:30:45.123Z");
        assert_eq!(write(1_795_429_845_123_456_000), "2026-11-23T10:30:45.123456000Z");
        assert_eq!(write(951_782_400_000_000_000), "2000-02-29T00:00:00.000Z");
        assert_eq!(write(-1), "1969-12-31T23:59:59.999999999Z");
        assert_eq!(write(i64::MIN), "1677-09-21T00:12:43.145224192Z");
        assert_eq!(write(i64::MAX), "2262-04-11T23:47:16.854775807Z");
    }

    proptest! {
        #[test]
        fn writes_what_jiff_writes(nanos in any::<i64>(), unit in prop::sample::select(vec![1, 1_000_000, 1_000_000_000])) {
            let nanos = nanos / unit * unit;
            let peer = jiff::Timestamp::from_nanosecond(i128::from(nanos)).unwrap();
            let expected = if nanos % 1_000_000 == 0 { format!("{peer:.3}") } else { format!("{peer:.9}") };
            prop_assert_eq!(write(nanos), expected);
        }
    }
}
