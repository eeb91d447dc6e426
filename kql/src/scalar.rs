//! A value of a query as everything that its text can be read as.
//!
//! Enters: text. Leaves: a number, a moment, a network. Never: an allocation, so that event values are read alike.

use std::cmp::Ordering;
use std::net::IpAddr;

use event::Timestamp;

/// A number; whole ones keep all their digits.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Number {
    Int(i64),
    Float(f64),
}

impl Number {
    /// Reads `5`, `-5`, `0.5`, `.5`, `5e3`; not `inf`, `NaN` or hex digits.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        if !text.bytes().all(|b| b.is_ascii_digit() || matches!(b, b'.' | b'-' | b'+' | b'e' | b'E')) {
            return None;
        }
        let whole = text.parse().ok().map(Number::Int);
        whole.or_else(|| text.parse().ok().filter(|number: &f64| number.is_finite()).map(Number::Float))
    }

    /// How `self` compares to `other`; `None` beside a NaN.
    pub(crate) fn compare(self, other: Number) -> Option<Ordering> {
        match (self, other) {
            (Number::Int(left), Number::Int(right)) => Some(left.cmp(&right)),
            (left, right) => left.as_float().partial_cmp(&right.as_float()),
        }
    }

    #[expect(clippy::cast_precision_loss, reason = "only beside a fraction, where there is nothing better")]
    fn as_float(self) -> f64 {
        match self {
            Number::Int(number) => number as f64,
            Number::Float(number) => number,
        }
    }
}

/// A network: one address, or a range written `10.0.0.0/8`. IPv4 counts as the part of IPv6 that it is mapped to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Network {
    first: u128,
    last: u128,
}

impl Network {
    /// Reads an address with or without a prefix length.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        let (address, prefix) = match text.split_once('/') {
            Some((address, prefix)) => (address, Some(prefix.parse::<u32>().ok()?)),
            None => (text, None),
        };
        let address: IpAddr = address.parse().ok()?;
        let width = if address.is_ipv4() { 32 } else { 128 };
        let host_bits = width - prefix.unwrap_or(width).min(width);
        if prefix.is_some_and(|prefix| prefix > width) {
            return None;
        }
        let host_mask = 1_u128.checked_shl(host_bits).map_or(u128::MAX, |bit| bit - 1);
        let first = bits(address) & !host_mask;
        Some(Network { first, last: first | host_mask })
    }

    /// Is the address that `text` reads as inside?
    pub(crate) fn contains(self, text: &str) -> bool {
        text.parse().is_ok_and(|address| (self.first..=self.last).contains(&bits(address)))
    }

    /// How the address that `text` reads as compares to this network's first.
    pub(crate) fn compare(self, text: &str) -> Option<Ordering> {
        text.parse().ok().map(|address| bits(address).cmp(&self.first))
    }
}

fn bits(address: IpAddr) -> u128 {
    match address {
        IpAddr::V4(address) => address.to_ipv6_mapped().to_bits(),
        IpAddr::V6(address) => address.to_bits(),
    }
}

/// A moment, or the span that a shortened one stands for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Moment {
    pub(crate) first: Timestamp,
    pub(crate) last: Timestamp,
}

impl Moment {
    /// Reads RFC 3339 or its beginning (`2026`, `2026-11`, `2026-11-23`, `2026-11-23T10:30`), or milliseconds since
    /// 1970 in five digits or more. A time without a zone is UTC.
    ///
    /// What is missing is filled as Elasticsearch does: month and day with 1, the time of day with its start for the
    /// first moment and its end for the last.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        let is_digits = text.len() > 4 && text.bytes().all(|byte| byte.is_ascii_digit());
        if is_digits {
            let moment = Timestamp::from_millis(text.parse().ok()?);
            return Some(Moment { first: moment, last: moment });
        }
        let mut reader = Reader { rest: text };
        let year = reader.digits(4)?;
        let month = reader.after(b'-', 2, 1)?;
        let day = reader.after(b'-', 2, 1)?;
        let is_timed = reader.take(b'T');
        let hour = if is_timed { Some(reader.digits(2)?) } else { None };
        let minute = if is_timed && reader.take(b':') { Some(reader.digits(2)?) } else { None };
        let second = if minute.is_some() && reader.take(b':') { Some(reader.digits(2)?) } else { None };
        let fraction = if second.is_some() && reader.take(b'.') { Some(reader.fraction()?) } else { None };
        let offset = if is_timed { reader.zone()? } else { 0 };
        let is_valid = (1..=12).contains(&month)
            && (1..=days_in(year, month)).contains(&day)
            && hour.unwrap_or(0) < 24
            && minute.unwrap_or(0) < 60
            && second.unwrap_or(0) < 61;
        if !reader.rest.is_empty() || !is_valid {
            return None;
        }
        let at = |hour: i64, minute: i64, second: i64, nanos: i64| {
            let seconds = ((days(year, month, day) * 24 + hour) * 60 + minute) * 60 + second - offset;
            seconds.checked_mul(1_000_000_000)?.checked_add(nanos).map(Timestamp::from_nanos)
        };
        let filled = |missing: [i64; 4]| {
            let [h, m, s, n] = missing;
            at(hour.unwrap_or(h), minute.unwrap_or(m), second.unwrap_or(s), fraction.unwrap_or(n))
        };
        let last_nanos = if second.is_some() { 0 } else { 999_999_999 };
        Some(Moment { first: filled([0; 4])?, last: filled([23, 59, 59, last_nanos])? })
    }
}

struct Reader<'a> {
    rest: &'a str,
}

impl Reader<'_> {
    fn take(&mut self, expected: u8) -> bool {
        let found = self.rest.as_bytes().first() == Some(&expected);
        if found {
            self.rest = self.rest.get(1..).unwrap_or_default();
        }
        found
    }

    fn digits(&mut self, count: usize) -> Option<i64> {
        let digits = self.rest.get(..count).filter(|text| text.bytes().all(|byte| byte.is_ascii_digit()))?;
        self.rest = self.rest.get(count..)?;
        digits.parse().ok()
    }

    /// Digits after `sign`, or `missing` when the sign is not there.
    fn after(&mut self, sign: u8, count: usize, missing: i64) -> Option<i64> {
        if self.take(sign) { self.digits(count) } else { Some(missing) }
    }

    /// Up to nine digits, as nanoseconds.
    fn fraction(&mut self) -> Option<i64> {
        let count = self.rest.bytes().take_while(u8::is_ascii_digit).count();
        if !(1..=9).contains(&count) {
            return None;
        }
        let scale = 10_i64.pow(u32::try_from(9 - count).ok()?);
        self.digits(count).map(|digits| digits * scale)
    }

    /// `Z`, `+08:00`, `+0800`, `+08` or nothing, as seconds east of Greenwich.
    fn zone(&mut self) -> Option<i64> {
        if self.rest.is_empty() || self.take(b'Z') {
            return Some(0);
        }
        let sign = if self.take(b'+') { 1 } else { self.take(b'-').then_some(-1)? };
        let hours = self.digits(2)?;
        let has_colon = self.take(b':');
        let minutes = if has_colon || !self.rest.is_empty() { self.digits(2)? } else { 0 };
        (hours < 24 && minutes < 60).then_some(sign * (hours * 60 + minutes) * 60)
    }
}

fn days_in(year: i64, month: i64) -> i64 {
    let is_leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
    match month {
        2 => 28 + i64::from(is_leap),
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    }
}

/// Days since 1970-01-01; counts years from March, so that the leap day comes last.
fn days(year: i64, month: i64, day: i64) -> i64 {
    let year = if month <= 2 { year - 1 } else { year };
    let month_from_march = (month + 9) % 12;
    let day_of_year = (153 * month_from_march + 2) / 5 + day - 1;
    year * 365 + year.div_euclid(4) - year.div_euclid(100) + year.div_euclid(400) + day_of_year - 719_468
}

#[cfg(test)]
mod test {
    use event::Timestamp;
    use proptest::prelude::*;

    use super::{Moment, Network, Number};

    #[test]
    fn moments() {
        let cases = [
            ("2026-11-23T10:30:45.123Z", "2026-11-23T10:30:45.123Z", "2026-11-23T10:30:45.123Z"),
            ("2026-11-23T10:30:45+08:00", "2026-11-23T02:30:45Z", "2026-11-23T02:30:45Z"),
            ("2026-11-23T10:30:45-0330", "2026-11-23T14:00:45Z", "2026-11-23T14:00:45Z"),
            ("2026-11-23T10:30", "2026-11-23T10:30:00Z", "2026-11-23T10:30:59.999999999Z"),
            ("2026-11-23T10", "2026-11-23T10:00:00Z", "2026-11-23T10:59:59.999999999Z"),
            ("2026-11-23", "2026-11-23T00:00:00Z", "2026-11-23T23:59:59.999999999Z"),
            ("2026-11", "2026-11-01T00:00:00Z", "2026-11-01T23:59:59.999999999Z"),
            ("2026", "2026-01-01T00:00:00Z", "2026-01-01T23:59:59.999999999Z"),
            ("1700000000000", "2023-11-14T22:13:20Z", "2023-11-14T22:13:20Z"),
            ("2024-02-29", "2024-02-29T00:00:00Z", "2024-02-29T23:59:59.999999999Z"),
        ];
        for (text, first, last) in cases {
            let expected =
                Moment { first: Timestamp::parse(first).unwrap(), last: Timestamp::parse(last).unwrap() };
            assert_eq!(Moment::parse(text), Some(expected), "{text}");
        }
        for text in [
            "",
            "now",
            "2025-02-29",
            "2026-13-01",
            "2026-11-23 10:30",
            "2026-11-23T",
            "2026-11-23T25:00",
            "x",
        ] {
            assert_eq!(Moment::parse(text), None, "{text}");
        }
    }

    #[test]
    fn networks() {
        let cases = [
            ("10.0.0.0/8", "10.200.3.4", true),
            ("10.0.0.0/8", "11.0.0.0", false),
            ("10.1.2.3/8", "10.9.9.9", true),
            ("0.0.0.0/0", "255.255.255.255", true),
            ("0.0.0.0/0", "2001:db8::1", false),
            ("192.168.1.7", "192.168.1.7", true),
            ("192.168.1.7", "::ffff:192.168.1.7", true),
            ("2001:db8::/32", "2001:db8:1::5", true),
            ("2001:db8::/32", "2001:db9::5", false),
            ("::/0", "10.0.0.1", true),
            ("10.0.0.0/8", "no address", false),
        ];
        for (network, address, expected) in cases {
            assert_eq!(Network::parse(network).unwrap().contains(address), expected, "{network} {address}");
        }
        for text in ["10.0.0.0/33", "10.0.0/8", "10.0.0.0/x", "::/129", "host"] {
            assert_eq!(Network::parse(text), None, "{text}");
        }
    }

    #[test]
    fn numbers() {
        for (text, expected) in [
            ("500", Number::Int(500)),
            ("-7", Number::Int(-7)),
            (".5", Number::Float(0.5)),
            ("5e2", Number::Float(500.0)),
        ] {
            assert_eq!(Number::parse(text), Some(expected), "{text}");
        }
        for text in ["", "-", ".", "e", "inf", "NaN", "0x10", "1 2", "5%"] {
            assert_eq!(Number::parse(text), None, "{text}");
        }
    }

    proptest! {
        #[test]
        fn every_moment_reads_as_the_same_moment(nanos in any::<i64>()) {
            let moment = Timestamp::from_nanos(nanos);
            let read = Moment::parse(&moment.to_string());
            prop_assert_eq!(read, Some(Moment { first: moment, last: moment }));
        }

        #[test]
        fn reading_never_panics(text in "\\PC{0,30}", digits in "[0-9T:+Z.-]{0,30}") {
            for text in [text, digits] {
                let _ = (Moment::parse(&text), Network::parse(&text), Number::parse(&text));
            }
        }
    }
}
