//! Times as logs write them.
//!
//! Enters: the start of some text, the stream's zone, and for times without a year or a date the time of
//! reading. Leaves: a moment, and how many bytes it took. Never: the current time, an allocation.
//!
//! Fixed shapes are read by hand, digit by digit. Most lines of a busy stream share their second with the
//! line before, so the last second is remembered by its bytes, and the zone's offset by the quarter of an
//! hour.

mod form;

pub(super) use form::epoch;

use event::Timestamp;
use event::civil::{days_in_month, days_since_1970};
use jiff::civil::DateTime;
use jiff::tz::TimeZone;

/// Bytes of `2026-11-23T10:30:45`.
const SECOND_BYTES: usize = 19;

/// A zone's offset is asked for once in a quarter of an hour of local time: no zone changes at other moments.
const OFFSET_BUCKET_SECS: i64 = 900;

/// Reads the times of one stream.
#[derive(Debug, Clone)]
pub(super) struct Clock {
    zone: TimeZone,
    /// The zone's offset in seconds in the last quarter of an hour that was asked for, by local time.
    offset: Option<(i64, i64)>,
    /// The last second that [`Clock::iso`] read; at first bytes that no text has.
    second: [u8; SECOND_BYTES],
    /// Its local seconds since 1970.
    second_value: i64,
}

/// A date and a time of day without a zone.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Civil {
    year: i64,
    month: i64,
    day: i64,
    hour: i64,
    minute: i64,
    second: i64,
}

impl Civil {
    /// Seconds since 1970 as if the zone were UTC; `None` when a part is outside its range. A leap second is
    /// the second after it.
    fn seconds(self) -> Option<i64> {
        let is_valid = (1..=12).contains(&self.month)
            && (1..=days_in_month(self.year, self.month)).contains(&self.day)
            && self.hour < 24
            && self.minute < 60
            && self.second <= 60;
        let day = days_since_1970(self.year, self.month, self.day);
        is_valid.then_some(day * 86_400 + self.hour * 3600 + self.minute * 60 + self.second)
    }
}

impl Clock {
    pub(super) fn new(zone: TimeZone) -> Self {
        Clock { zone, offset: None, second: [0xFF; SECOND_BYTES], second_value: 0 }
    }

    /// `2026-11-23T10:30:45`, with a space for the `T`, with `/` in the date, with a fraction after `.` or
    /// `,`, with `Z`, `+08:00`, `+0800` or ` +0800` behind; in the stream's zone without one.
    pub(super) fn iso(&mut self, text: &[u8]) -> Option<(Timestamp, usize)> {
        let second = text.first_chunk::<SECOND_BYTES>()?;
        if *second != self.second {
            self.second_value = iso_second(second)?;
            self.second = *second;
        }
        let (nanos, taken) = fraction(text, SECOND_BYTES);
        let (zone, taken) = offset(text, taken);
        Some((self.moment(self.second_value, zone, nanos)?, taken))
    }

    /// A local second as a moment: in the zone that the text names, or in the stream's.
    fn moment(&mut self, local: i64, zone: Option<i64>, nanos: i64) -> Option<Timestamp> {
        let offset = match zone {
            Some(offset) => offset,
            None => self.offset_at(local)?,
        };
        (local - offset).checked_mul(1_000_000_000)?.checked_add(nanos).map(Timestamp::from_nanos)
    }

    fn offset_at(&mut self, local: i64) -> Option<i64> {
        let bucket = local.div_euclid(OFFSET_BUCKET_SECS);
        if let Some((known, offset)) = self.offset
            && known == bucket
        {
            return Some(offset);
        }
        let moment = jiff::Timestamp::from_second(local).ok()?;
        let civil: DateTime = TimeZone::UTC.to_datetime(moment);
        let zoned = self.zone.to_ambiguous_timestamp(civil).compatible().ok()?;
        let offset = local - zoned.as_second();
        self.offset = Some((bucket, offset));
        Some(offset)
    }

    /// The local date and time of a moment, as seconds.
    fn local(&self, moment: Timestamp) -> Option<i64> {
        let moment = jiff::Timestamp::from_second(moment.as_secs()).ok()?;
        Some(moment.as_second() + i64::from(self.zone.to_offset(moment).seconds()))
    }
}

/// Reads the 19 bytes of a date and a time of day.
fn iso_second(text: &[u8; SECOND_BYTES]) -> Option<i64> {
    let is_shape = text[4] == text[7]
        && matches!(text[4], b'-' | b'/')
        && matches!(text[10], b' ' | b'T')
        && text[13] == b':'
        && text[16] == b':';
    if !is_shape {
        return None;
    }
    let civil = Civil {
        year: digits(text, 0, 4)?,
        month: digits(text, 5, 2)?,
        day: digits(text, 8, 2)?,
        hour: digits(text, 11, 2)?,
        minute: digits(text, 14, 2)?,
        second: digits(text, 17, 2)?,
    };
    civil.seconds()
}

/// Exactly `count` digits at `at`.
fn digits(text: &[u8], at: usize, count: usize) -> Option<i64> {
    let mut value = 0;
    for byte in text.get(at..at + count)? {
        let digit = byte.wrapping_sub(b'0');
        if digit > 9 {
            return None;
        }
        value = value * 10 + i64::from(digit);
    }
    Some(value)
}

/// `.123` or `,123456789` at `at`: nanoseconds, and where the text goes on. Digits beyond the ninth are
/// passed over.
fn fraction(text: &[u8], at: usize) -> (i64, usize) {
    if !matches!(text.get(at), Some(b'.' | b',')) {
        return (0, at);
    }
    let mut nanos = 0;
    let mut unit = 100_000_000;
    let mut end = at + 1;
    while let Some(byte) = text.get(end)
        && byte.is_ascii_digit()
    {
        nanos += i64::from(byte - b'0') * unit;
        unit /= 10;
        end += 1;
    }
    if end == at + 1 { (0, at) } else { (nanos, end) }
}

/// `Z`, `+08:00`, `+0800`, `+08`, or the same after a space, at `at`: seconds east of UTC.
fn offset(text: &[u8], at: usize) -> (Option<i64>, usize) {
    let sign = match text.get(at) {
        Some(b'Z') => return (Some(0), at + 1),
        Some(b' ') if matches!(text.get(at + 1), Some(b'+' | b'-')) && digits(text, at + 2, 4).is_some() => {
            at + 1
        }
        Some(b' ') if text[at + 1..].starts_with(b"UTC") => return (Some(0), at + 4),
        Some(b'+' | b'-') => at,
        _ => return (None, at),
    };
    let Some(hours) = digits(text, sign + 1, 2) else { return (None, at) };
    let (minutes, end) = match text.get(sign + 3) {
        Some(b':') => (digits(text, sign + 4, 2), sign + 6),
        _ => (digits(text, sign + 3, 2), sign + 5),
    };
    let (minutes, end) = minutes.map_or((0, sign + 3), |minutes| (minutes, end));
    let seconds = hours * 3600 + minutes * 60;
    (Some(if text[sign] == b'-' { -seconds } else { seconds }), end)
}

#[cfg(test)]
mod test;
