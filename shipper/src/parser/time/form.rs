//! The shapes of time that are not ISO: of web servers, of Go, of syslog, of java.util.logging, and numbers.
//!
//! Enters: the start of some text; the time of reading, where the text has no year or no date. Leaves: a moment and
//! the bytes it took. Never: a moment more than a day after the time of reading for a text without a year.

use event::Timestamp;

use super::{Civil, Clock, digits, fraction, offset};

/// How far a time without a year or a date may lie after the time of reading before it is taken for the last
/// one.
const AHEAD_SECS: i64 = 86_400;

const MONTHS: [&[u8; 3]; 12] =
    [b"Jan", b"Feb", b"Mar", b"Apr", b"May", b"Jun", b"Jul", b"Aug", b"Sep", b"Oct", b"Nov", b"Dec"];

impl Clock {
    /// gin: `2026/11/23 - 10:30:45`.
    pub(in crate::parser) fn gin(&mut self, text: &[u8]) -> Option<(Timestamp, usize)> {
        let whole = text.first_chunk::<21>()?;
        let mut second = [b' '; 19];
        second[..10].copy_from_slice(&whole[..10]);
        second[11..].copy_from_slice(&whole[13..]);
        let is_shape = whole[4] == b'/' && &whole[10..13] == b" - ";
        let (time, _) = if is_shape { self.iso(&second)? } else { return None };
        Some((time, whole.len()))
    }

    /// Common log format: `25/Oct/2016:14:49:33 +0200`.
    pub(in crate::parser) fn common(&mut self, text: &[u8]) -> Option<(Timestamp, usize)> {
        let is_shape = text.len() >= 20 && text[2] == b'/' && text[6] == b'/' && text[11] == b':';
        if !is_shape {
            return None;
        }
        let civil = Civil {
            year: digits(text, 7, 4)?,
            month: month(&text[3..])?,
            day: digits(text, 0, 2)?,
            ..time_of_day(text, 12)?
        };
        let (zone, taken) = offset(text, 20);
        Some((self.moment(civil.seconds()?, zone, 0)?, taken))
    }

    /// Apache's error log: `Mon Dec 26 16:22:08.103522 2016`.
    pub(in crate::parser) fn asctime(&mut self, text: &[u8]) -> Option<(Timestamp, usize)> {
        let civil = Civil {
            month: month(text.get(4..)?)?,
            day: digits(text, 8, 2).or_else(|| digits(text, 9, 1))?,
            ..time_of_day(text, 11)?
        };
        let (nanos, at) = fraction(text, 19);
        let year = digits(text, at + 1, 4)?;
        Some((self.moment(Civil { year, ..civil }.seconds()?, None, nanos)?, at + 5))
    }

    /// `java.util.logging`: `Jul 09, 2015 3:23:29 PM`.
    pub(in crate::parser) fn java_util(&mut self, text: &[u8]) -> Option<(Timestamp, usize)> {
        let month = month(text)?;
        if text.get(6..8)? != b", " || text.get(12)? != &b' ' {
            return None;
        }
        let at = if text.get(14)? == &b':' { 12 } else { 13 };
        let hour = digits(text, 13, at - 11)?;
        let (minute, second) = (digits(text, at + 3, 2)?, digits(text, at + 6, 2)?);
        let hour = match text.get(at + 8..at + 11)? {
            b" AM" => hour % 12,
            b" PM" => hour % 12 + 12,
            _ => return None,
        };
        let civil =
            Civil { year: digits(text, 8, 4)?, month, day: digits(text, 4, 2)?, hour, minute, second };
        Some((self.moment(civil.seconds()?, None, 0)?, at + 11))
    }

    /// syslog: `Nov 23 10:30:45`, in the year that brings it closest to `read_at`.
    pub(in crate::parser) fn syslog(
        &mut self,
        text: &[u8],
        read_at: Timestamp,
    ) -> Option<(Timestamp, usize)> {
        let month = month(text)?;
        let day = digits(text, 4, 2).or_else(|| digits(text, 5, 1).filter(|_| text[4] == b' '))?;
        if text.get(6)? != &b' ' {
            return None;
        }
        let civil = Civil { month, day, ..time_of_day(text, 7)? };
        let (nanos, at) = fraction(text, 15);
        Some((self.without_year(civil, nanos, read_at)?, at))
    }

    /// klog, after its level letter: `1123 10:30:45.123456`.
    pub(in crate::parser) fn klog(&mut self, text: &[u8], read_at: Timestamp) -> Option<(Timestamp, usize)> {
        let (month, day) = (digits(text, 0, 2)?, digits(text, 2, 2)?);
        if text.get(4)? != &b' ' || text.get(13)? != &b'.' {
            return None;
        }
        let civil = Civil { month, day, ..time_of_day(text, 5)? };
        let (nanos, at) = fraction(text, 13);
        Some((self.without_year(civil, nanos, read_at)?, at))
    }

    /// `10:30:45.123`, on the day that brings it closest before `read_at`.
    pub(in crate::parser) fn time_of_day(
        &mut self,
        text: &[u8],
        read_at: Timestamp,
    ) -> Option<(Timestamp, usize)> {
        let civil = time_of_day(text, 0)?;
        let in_day = Civil { year: 1970, month: 1, day: 1, ..civil }.seconds()?;
        let (nanos, at) = fraction(text, 8);
        let now = self.local(read_at)?;
        let today = now.div_euclid(86_400) * 86_400 + in_day;
        // A clock that runs half a day ahead is less likely than a file that was read after midnight.
        let local = if today > now + AHEAD_SECS / 2 { today - 86_400 } else { today };
        Some((self.moment(local, None, nanos)?, at))
    }

    fn without_year(&mut self, civil: Civil, nanos: i64, read_at: Timestamp) -> Option<Timestamp> {
        let now = self.local(read_at)?;
        let year =
            i64::from(jiff::Timestamp::from_second(now).ok()?.to_zoned(jiff::tz::TimeZone::UTC).year());
        // The 29th of February exists in one year of four; the years around cover a file read in January.
        let local = [year + 1, year, year - 1, year - 2, year - 3]
            .into_iter()
            .filter_map(|year| Civil { year, ..civil }.seconds())
            .find(|local| *local <= now + AHEAD_SECS)?;
        self.moment(local, None, nanos)
    }
}

/// A number that stands for a moment: seconds, milliseconds, microseconds or nanoseconds since 1970, told
/// apart by size; seconds may have a fraction. Between 1973 and 2262 the four ranges do not touch.
pub(in crate::parser) fn epoch(number: &str) -> Option<Timestamp> {
    let (whole, part) = number.split_once('.').unwrap_or((number, ""));
    if whole.is_empty()
        || whole.len() > 19
        || !whole.bytes().chain(part.bytes()).all(|byte| byte.is_ascii_digit())
    {
        return None;
    }
    let value: i64 = whole.parse().ok()?;
    let unit = match whole.len() {
        9..=11 => 1_000_000_000,
        12..=14 => 1_000_000,
        15..=17 => 1000,
        18..=19 => 1,
        _ => return None,
    };
    let mut nanos = 0;
    let mut scale = unit / 10;
    for digit in part.bytes() {
        nanos += i64::from(digit - b'0') * scale;
        scale /= 10;
    }
    value.checked_mul(unit)?.checked_add(nanos).map(Timestamp::from_nanos)
}

/// `10:30:45` at `at`; the date is left open.
fn time_of_day(text: &[u8], at: usize) -> Option<Civil> {
    let is_shape = text.get(at + 2)? == &b':' && text.get(at + 5)? == &b':';
    let (hour, minute, second) = (digits(text, at, 2)?, digits(text, at + 3, 2)?, digits(text, at + 6, 2)?);
    (is_shape && hour < 24 && minute < 60 && second <= 60).then_some(Civil {
        year: 0,
        month: 0,
        day: 0,
        hour,
        minute,
        second,
    })
}

fn month(text: &[u8]) -> Option<i64> {
    let name = text.first_chunk::<3>()?;
    (1..).zip(MONTHS).find(|(_, known)| *known == name).map(|(number, _)| number)
}
