//! Sizes of memory as JVMs print them.
//!
//! Enters: the start of some text. Leaves: bytes, and what follows. Never: an overflow.

/// What a collection did to one space: `before->after(capacity)` or `before(..)->after(capacity)`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Change {
    pub(super) after: u64,
    /// `None` where the log has a percentage in its place, as ZGC's.
    pub(super) capacity: Option<u64>,
}

/// `123K`, `13.0M`, `0.0B`, `24M`.
pub(super) fn size(text: &str) -> Option<(u64, &str)> {
    let bytes = text.as_bytes();
    let mut at = 0;
    let mut whole: u64 = 0;
    while let Some(digit) = digit(bytes, at) {
        whole = whole.checked_mul(10)?.checked_add(digit)?;
        at += 1;
    }
    if at == 0 {
        return None;
    }
    let mut tenths = 0;
    if bytes.get(at) == Some(&b'.') {
        tenths = digit(bytes, at + 1)?;
        at += 2;
    }
    let shift = match bytes.get(at)? {
        b'B' => 0,
        b'K' => 10,
        b'M' => 20,
        b'G' => 30,
        _ => return None,
    };
    let unit = 1_u64 << shift;
    let size = whole.checked_mul(unit)?.checked_add(tenths * unit / 10)?;
    Some((size, text.get(at + 1..)?))
}

/// A change at the start of `text`, and what follows.
pub(super) fn change(text: &str) -> Option<(Change, &str)> {
    let (_, rest) = size(text)?;
    let rest = match rest.strip_prefix('(') {
        Some(inside) => inside.split_once(')')?.1,
        None => rest,
    };
    let (after, rest) = size(rest.strip_prefix("->")?)?;
    let Some(inside) = rest.strip_prefix('(') else { return Some((Change { after, capacity: None }, rest)) };
    let capacity = size(inside).filter(|(_, rest)| rest.starts_with(')')).map(|(capacity, _)| capacity);
    Some((Change { after, capacity }, inside.split_once(')')?.1))
}

fn digit(bytes: &[u8], at: usize) -> Option<u64> {
    bytes.get(at).filter(|byte| byte.is_ascii_digit()).map(|byte| u64::from(byte - b'0'))
}

#[cfg(test)]
mod test {
    use super::*;

    #[test]
    fn sizes() {
        for (text, expected) in [
            ("12K,", Some(12 << 10)),
            ("13.5M)", Some((13 << 20) + (1 << 19))),
            ("0.0B-", Some(0)),
            ("2G", Some(2 << 30)),
            ("12", None),
            ("K", None),
            ("1.K", None),
            ("99999999999999999999K", None),
            ("99999999999999G", None),
        ] {
            assert_eq!(size(text).map(|(size, _)| size), expected, "{text}");
        }
    }

    #[test]
    fn changes() {
        for (text, expected) in [
            ("6M->2M(128M) 8ms", Some((2 << 20, Some(128 << 20)))),
            ("0K(98304K)->8K(98304K)", Some((8 << 10, Some(98304 << 10)))),
            ("14M(11%)->8M(6%)", Some((8 << 20, None))),
            ("14M->8M", Some((8 << 20, None))),
            ("14M", None),
            ("14M->8M(", None),
        ] {
            assert_eq!(change(text).map(|(change, _)| (change.after, change.capacity)), expected, "{text}");
        }
    }
}
