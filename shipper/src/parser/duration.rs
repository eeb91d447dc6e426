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

fn unit(text: &str) -> Option<(u64, usize)> {
    const UNITS: [(&str, u64); 8] = [
        ("ns", 1),
        ("µs", 1000),
        ("μs", 1000),
        ("us", 1000),
        ("ms", 1_000_000),
        ("s", 1_000_000_000),
        ("m", 60_000_000_000),
        ("h", 3_600_000_000_000),
    ];
    UNITS.iter().find(|(name, _)| text.starts_with(name)).map(|(name, nanos)| (*nanos, name.len()))
}

/// `12.345` units; digits below a nanosecond are cut.
fn decimal(number: &str, unit: u64) -> Option<u64> {
    let (whole, part) = number.split_once('.').unwrap_or((number, ""));
    let is_number = !whole.is_empty() && whole.bytes().chain(part.bytes()).all(|byte| byte.is_ascii_digit());
    if !is_number {
        return None;
    }
    // Units of minutes and hours are no powers of ten, so the fraction is counted in 128 bits and divided at the end.
    let part = &part[..part.len().min(18)];
    let scale = 10_u128.pow(u32::try_from(part.len()).ok()?);
    let below = if part.is_empty() { 0 } else { part.parse::<u128>().ok()? * u128::from(unit) / scale };
    whole.parse::<u64>().ok()?.checked_mul(unit)?.checked_add(u64::try_from(below).ok()?)
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
