//! Spans of time as logs write them.
//!
//! Enters: text. Leaves: nanoseconds. Never: a negative or a rounded-up span.

/// Go's `time.Duration`: `1.234567ms`, `12µs`, `1m2.5s`, `150ns`.
pub(super) fn go(text: &str) -> Option<u64> {
    let mut rest = text;
    let mut total: u64 = 0;
    while !rest.is_empty() {
        let digits = rest.bytes().take_while(|byte| byte.is_ascii_digit() || *byte == b'.').count();
        let (number, behind) = rest.split_at(digits);
        let (unit, length) = unit(behind)?;
        total = total.checked_add(decimal(number, unit)?)?;
        rest = &behind[length..];
    }
    (!text.is_empty()).then_some(total)
}

/// Seconds with a fraction, as nginx's `$request_time` is.
pub(super) fn seconds(text: &str) -> Option<u64> {
    decimal(text, 1_000_000_000)
}

/// The unit at the start of `text`: its nanoseconds and its length. Both the micro sign and the Greek letter
/// are in use.
fn unit(text: &str) -> Option<(u64, usize)> {
    Some(match text.as_bytes() {
        [b'n', b's', ..] => (1, 2),
        [b'u', b's', ..] => (1000, 2),
        [0xC2, 0xB5, b's', ..] | [0xCE, 0xBC, b's', ..] => (1000, 3),
        [b'm', b's', ..] => (1_000_000, 2),
        [b's', ..] => (1_000_000_000, 1),
        [b'm', ..] => (60_000_000_000, 1),
        [b'h', ..] => (3_600_000_000_000, 1),
        _ => return None,
    })
}

/// `12.345` units; digits below a nanosecond are cut.
fn decimal(number: &str, unit: u64) -> Option<u64> {
    let (whole, part) = number.split_once('.').unwrap_or((number, ""));
    let is_number = !whole.is_empty() && whole.bytes().chain(part.bytes()).all(|byte| byte.is_ascii_digit());
    if !is_number {
        return None;
    }
    let part = &part[..part.len().min(18)];
    let below = match part.parse::<u64>() {
        Err(_) => 0,
        // Up to seconds and nine digits the product fits; the wide division is ten times as slow.
        Ok(digits) if part.len() <= 9 && unit <= 1_000_000_000 => {
            digits * unit / 10_u64.pow(u32::try_from(part.len()).ok()?)
        }
        Ok(digits) => {
            let scale = 10_u128.pow(u32::try_from(part.len()).ok()?);
            u64::try_from(u128::from(digits) * u128::from(unit) / scale).ok()?
        }
    };
    whole.parse::<u64>().ok()?.checked_mul(unit)?.checked_add(below)
}

#[cfg(test)]
mod test {
    use super::*;

    #[test]
    fn spans() {
        for (text, expected) in [
            ("1.234567ms", Some(1_234_567)),
            ("12µs", Some(12_000)),
            ("1m2.5s", Some(62_500_000_000)),
            ("1h0m0s", Some(3_600_000_000_000)),
            ("150ns", Some(150)),
            ("0s", Some(0)),
            ("", None),
            ("12", None),
            ("ms", None),
            ("-1s", None),
            ("99999999999999999999h", None),
        ] {
            assert_eq!(go(text), expected, "{text}");
        }
        for (text, expected) in [
            ("0.005", Some(5_000_000)),
            ("12", Some(12_000_000_000)),
            ("-", None),
            (".5", None),
            ("1.", Some(1_000_000_000)),
        ] {
            assert_eq!(seconds(text), expected, "{text}");
        }
    }
}
