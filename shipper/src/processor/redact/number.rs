//! Numbers that belong to a person: phones, identity cards, bank cards.
//!
//! Enters: text. Leaves: where the next such number stands. Never: a number inside another one, inside a word, or in a
//! decimal fraction; those are ids and measurements.
//!
//! A number is written in one piece or in the usual groups, with one blank or hyphen between them:
//! - phone: 1, 3 to 9, and nine more digits (ITU-T E.164, China), alone or 3-4-4, with or without 86 or 0086 before it;
//! - identity card: 18 characters with a date of birth and a checksum (GB 11643-1999), alone or 6-8-4;
//! - bank card: 13 to 19 digits with a checksum (ISO/IEC 7812-1), alone, in fours, or 4-6-5 and 4-6-4. Its first digit is
//!   2 to 6 or 9, as those of cards are: this leaves out milliseconds since 1970.

use std::ops::Range;

/// Which kinds are looked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct Kinds {
    pub phone: bool,
    pub id_card: bool,
    pub bank_card: bool,
}

/// A number's kind.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Phone,
    IdCard,
    BankCard,
}

impl Kind {
    /// What stands in its place.
    pub(super) const fn mark(self) -> &'static str {
        match self {
            Kind::Phone => "[phone]",
            Kind::IdCard => "[id_card]",
            Kind::BankCard => "[bank_card]",
        }
    }
}

/// Groups in one number at most.
const GROUPS_MAX: usize = 5;
/// Digits in one number at most.
const DIGITS_MAX: usize = 19;

/// The first number in `text` that begins at `from` or later.
pub(super) fn find(text: &str, from: usize, kinds: Kinds) -> Option<(Range<usize>, Kind)> {
    let bytes = text.as_bytes();
    let mut at = from;
    loop {
        at += bytes.get(at..)?.iter().position(u8::is_ascii_digit)?;
        let first = run(bytes, at);
        if can_begin(bytes, &first)
            && is_start(bytes, at)
            && let Some(found) = Groups::read(bytes, first.clone()).find(bytes, kinds)
        {
            return Some(found);
        }
        at = first.end;
    }
}

/// By the lengths of its first two groups. Dates, times and counts are most of the digits in a log, and end here.
fn can_begin(bytes: &[u8], first: &Range<usize>) -> bool {
    let second = || match bytes.get(first.end) {
        Some(b' ' | b'-') => run(bytes, first.end + 1).len(),
        _ => 0,
    };
    match first.len() {
        2 => matches!(second(), 3 | 11),
        3 => second() == 4,
        4 => matches!(second(), 3 | 4 | 6 | 11),
        6 => second() == 8,
        length => length >= 11,
    }
}

/// Digits from `at` on.
fn run(bytes: &[u8], at: usize) -> Range<usize> {
    let rest = bytes.get(at..).unwrap_or_default();
    at..at + rest.iter().position(|byte| !byte.is_ascii_digit()).unwrap_or(rest.len())
}

/// Neither inside a word, nor behind a decimal point.
fn is_start(bytes: &[u8], at: usize) -> bool {
    let before = |back: usize| at.checked_sub(back).and_then(|at| bytes.get(at));
    match before(1) {
        Some(b'.') => !before(2).is_some_and(u8::is_ascii_digit),
        Some(byte) => !is_word(*byte),
        None => true,
    }
}

/// Neither inside a word, nor before a decimal point.
fn is_end(bytes: &[u8], at: usize) -> bool {
    match bytes.get(at) {
        Some(b'.') => !bytes.get(at + 1).is_some_and(u8::is_ascii_digit),
        Some(byte) => !is_word(*byte),
        None => true,
    }
}

/// Chinese text stands beside numbers without a blank, so only ASCII makes words here.
fn is_word(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || byte == b'_'
}

/// Runs of digits with one blank or hyphen between them.
struct Groups {
    ranges: [Range<usize>; GROUPS_MAX],
    count: usize,
}

impl Groups {
    fn read(bytes: &[u8], first: Range<usize>) -> Self {
        let mut groups = Groups { ranges: Default::default(), count: 0 };
        let mut next = first;
        for range in &mut groups.ranges {
            let end = next.end;
            *range = next;
            groups.count += 1;
            if !matches!(bytes.get(end), Some(b' ' | b'-')) {
                break;
            }
            next = run(bytes, end + 1);
            if next.is_empty() {
                break;
            }
        }
        groups
    }

    /// The longest number that begins with the first group.
    fn find(&self, bytes: &[u8], kinds: Kinds) -> Option<(Range<usize>, Kind)> {
        (1..=self.count).rev().find_map(|count| {
            let ranges = self.ranges.get(..count)?;
            let (first, last) = (ranges.first()?, ranges.last()?);
            let lengths = ranges.iter().map(Range::len).collect::<smallvec::SmallVec<[usize; GROUPS_MAX]>>();
            let digits = Digits::read(bytes, ranges)?;
            let is_x = matches!(bytes.get(last.end), Some(b'X' | b'x'));
            if is_x && kinds.id_card && is_end(bytes, last.end + 1) && digits.is_id_card(&lengths, true) {
                return Some((first.start..last.end + 1, Kind::IdCard));
            }
            if !is_end(bytes, last.end) {
                return None;
            }
            let kind = digits.kind(&lengths, kinds)?;
            Some((first.start..last.end, kind))
        })
    }
}

/// The digits of all groups.
struct Digits {
    values: [u8; DIGITS_MAX],
    count: usize,
}

impl Digits {
    /// `None` when there are too many.
    fn read(bytes: &[u8], ranges: &[Range<usize>]) -> Option<Self> {
        let mut digits = Digits { values: [0; DIGITS_MAX], count: 0 };
        for digit in ranges.iter().flat_map(|range| bytes.get(range.clone()).unwrap_or_default()) {
            *digits.values.get_mut(digits.count)? = digit - b'0';
            digits.count += 1;
        }
        Some(digits)
    }

    fn as_slice(&self) -> &[u8] {
        self.values.get(..self.count).unwrap_or_default()
    }

    fn kind(&self, lengths: &[usize], kinds: Kinds) -> Option<Kind> {
        if kinds.phone && self.is_phone(lengths) {
            Some(Kind::Phone)
        } else if kinds.id_card && self.is_id_card(lengths, false) {
            Some(Kind::IdCard)
        } else if kinds.bank_card && self.is_bank_card(lengths) {
            Some(Kind::BankCard)
        } else {
            None
        }
    }

    fn is_phone(&self, lengths: &[usize]) -> bool {
        let code: &[u8] = match lengths {
            [11] | [3, 4, 4] => &[],
            [13] | [2, 11] | [2, 3, 4, 4] => &[8, 6],
            [15] | [4, 11] | [4, 3, 4, 4] => &[0, 0, 8, 6],
            _ => return false,
        };
        matches!(self.as_slice().strip_prefix(code), Some([1, 3..=9, ..]))
    }

    /// With `is_x`, an X follows the digits: ten, as a checksum.
    fn is_id_card(&self, lengths: &[usize], is_x: bool) -> bool {
        const WEIGHTS: [u32; 17] = [7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2];
        let is_shape =
            if is_x { matches!(lengths, [17] | [6, 8, 3]) } else { matches!(lengths, [18] | [6, 8, 4]) };
        let Some((number, check)) = self.as_slice().split_at_checked(17).filter(|_| is_shape) else {
            return false;
        };
        let [region, .., c1, c2, _, _, m1, m2, d1, d2, _, _, _] = number else { return false };
        let (century, month, day) = (c1 * 10 + c2, m1 * 10 + m2, d1 * 10 + d2);
        let is_date = (18..=20).contains(&century) && (1..=12).contains(&month) && (1..=31).contains(&day);
        let sum: u32 = number.iter().zip(WEIGHTS).map(|(digit, weight)| u32::from(*digit) * weight).sum();
        let expected = (12 - sum % 11) % 11;
        let check = check.first().map_or(10, |check| u32::from(*check));
        *region > 0 && is_date && check == expected
    }

    fn is_bank_card(&self, lengths: &[usize]) -> bool {
        let is_shape = match lengths {
            [length] => (13..=DIGITS_MAX).contains(length),
            [4, 6, 4 | 5] => true,
            [4, 4, 4, last] => (1..=4).contains(last),
            [4, 4, 4, 4, last] => (1..=3).contains(last),
            _ => false,
        };
        is_shape && matches!(self.as_slice().first(), Some(2..=6 | 9)) && luhn(self.as_slice())
    }
}

/// The checksum of ISO/IEC 7812-1, annex B.
fn luhn(digits: &[u8]) -> bool {
    let doubled = |digit: u8| if digit > 4 { 2 * digit - 9 } else { 2 * digit };
    let value = |(at, digit): (usize, &u8)| u32::from(if at % 2 == 1 { doubled(*digit) } else { *digit });
    digits.iter().rev().enumerate().map(value).sum::<u32>() % 10 == 0
}
