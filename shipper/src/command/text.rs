//! Numbers as people read them, and columns.
//!
//! Enters: bytes, counts, spans, cells. Leaves: text. Never: more than three digits that matter, where a table needs room;
//! exact numbers are in the JSON.

use std::time::Duration;

const UNITS: [(&str, u64); 4] = [("TiB", 1 << 40), ("GiB", 1 << 30), ("MiB", 1 << 20), ("KiB", 1 << 10)];

/// `0 B`, `999 B`, `1.5 KiB`, `118 MiB`.
pub(super) fn bytes(bytes: u64) -> String {
    let Some((unit, size)) = UNITS.iter().find(|(_, size)| bytes >= *size) else {
        return format!("{bytes} B");
    };
    let tenths = u128::from(bytes) * 10 / u128::from(*size);
    if tenths < 1000 {
        format!("{}.{} {unit}", tenths / 10, tenths % 10)
    } else {
        format!("{} {unit}", tenths / 10)
    }
}

/// `21,006`.
pub(super) fn count(number: u64) -> String {
    let digits = number.to_string();
    let mut text = String::with_capacity(digits.len() + digits.len() / 3);
    for (at, digit) in digits.char_indices() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// `0.3 s`, `12 s`, `5m 12s`, `3h 4m`, `2d 5h`.
pub(super) fn span(span: Duration) -> String {
    let secs = span.as_secs();
    match secs {
        0..10 => format!("{secs}.{} s", span.subsec_millis() / 100),
        10..60 => format!("{secs} s"),
        60..3600 => format!("{}m {}s", secs / 60, secs % 60),
        3600..86_400 => format!("{}h {}m", secs / 3600, secs / 60 % 60),
        _ => format!("{}d {}h", secs / 86_400, secs / 3600 % 24),
    }
}

/// A number of something in a second, from a float that is not negative.
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "rates are small and not negative"
)]
pub(super) fn rounded(number: f64) -> u64 {
    number.round() as u64
}

/// Rows as columns, two blanks apart: the first `right` of them end at the same place, the others begin there.
pub(super) fn columns(rows: &[Vec<String>], right: usize) -> String {
    let columns = rows.iter().map(Vec::len).max().unwrap_or(0);
    let width = |column: usize| {
        rows.iter().filter_map(|row| row.get(column)).map(|cell| cell.chars().count()).max().unwrap_or(0)
    };
    let widths: Vec<usize> = (0..columns).map(width).collect();
    let mut page = String::new();
    for row in rows {
        let cells = row.iter().zip(&widths).enumerate().map(|(column, (cell, width))| {
            if column < right { format!("{cell:>width$}") } else { format!("{cell:<width$}") }
        });
        let line = cells.collect::<Vec<_>>().join("  ");
        page.push_str(line.trim_end());
        page.push('\n');
    }
    page
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_short_and_right() {
        for (number, expected) in [
            (0, "0 B"),
            (1023, "1023 B"),
            (1024, "1.0 KiB"),
            (1_587_000, "1.5 MiB"),
            (99 << 20, "99.0 MiB"),
            (118 << 20, "118 MiB"),
            (u64::MAX, "16777215 TiB"),
        ] {
            assert_eq!(bytes(number), expected);
        }
        for (number, expected) in [(0, "0"), (999, "999"), (1000, "1,000"), (21_006_000, "21,006,000")] {
            assert_eq!(count(number), expected);
        }
        for (millis, expected) in [
            (0, "0.0 s"),
            (349, "0.3 s"),
            (12_900, "12 s"),
            (312_000, "5m 12s"),
            (11_040_000, "3h 4m"),
            (190_800_000, "2d 5h"),
        ] {
            assert_eq!(span(Duration::from_millis(millis)), expected);
        }
    }

    #[test]
    fn columns_line_up() {
        let row = |cells: &[&str]| cells.iter().map(|cell| (*cell).to_owned()).collect::<Vec<_>>();
        let page = columns(&[row(&["n", "name", "path"]), row(&["1000", "é", "/a"])], 1);
        assert_eq!(page, "   n  name  path\n1000  é     /a\n");
    }
}
