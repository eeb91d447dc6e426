//! Which file another one may be a copy of, or have come before, by their names.
//!
//! Enters: the path of a file that was never seen. Leaves: the paths that it may be a rotated or compressed copy of; the
//! names before and behind it in a numbered row.
//! Never: a decision; names only say where to look, bytes decide.
//!
//! Rotations append (`app.log.1`, `app.log-20261128`, `app.log.old`), put a date before the ending (`app-2026-11-28.log`),
//! and compress (`app.log.1.gz`), mostly a step after they have numbered (`app.log.1` becomes `app.log.2.gz`).

use std::path::{Path, PathBuf};

use super::archive::Codec;

/// Digits that make a name's middle a date, and no number of an instance.
const DATE_DIGITS_MIN: usize = 6;
/// Numbers of earlier rotations that are looked at.
const NUMBERS_MAX: u32 = 32;

/// The paths that `copy` may be a copy of; all lie in its folder.
pub(super) fn originals(copy: &Path) -> Vec<PathBuf> {
    let Some(name) = copy.file_name().and_then(|name| name.to_str()) else { return Vec::new() };
    let mut names = Vec::new();
    let plain = match Codec::of_name(copy) {
        None => name,
        Some(_) => {
            let plain = name.rsplit_once('.').map_or(name, |(plain, _)| plain);
            names.push(plain.to_owned());
            if let Some((base, number)) = plain.rsplit_once('.')
                && let Ok(number) = number.parse::<u32>()
            {
                let first = number.saturating_sub(NUMBERS_MAX);
                names.extend((first..number).rev().map(|number| format!("{base}.{number}")));
            }
            plain
        }
    };
    names.extend(without_suffix(plain));
    names.extend(without_date(plain));
    names.into_iter().map(|name| copy.with_file_name(name)).collect()
}

/// The name that a numbering rotation gives to a file with this one: `app.log.1` for `app.log`, `app.log.2` for that.
pub(super) fn rotated(name: &str) -> String {
    match numbered(name) {
        Some((base, number)) => format!("{base}.{}", number.saturating_add(1)),
        None => format!("{name}.1"),
    }
}

/// The name that a file had before a numbering rotation gave it this one; `None` for a name without a number.
pub(super) fn unrotated(name: &str) -> Option<String> {
    let (base, number) = numbered(name)?;
    Some(if number == 1 { base.to_owned() } else { format!("{base}.{}", number - 1) })
}

fn numbered(name: &str) -> Option<(&str, u32)> {
    let (base, number) = name.rsplit_once('.')?;
    // A number with leading zeros is a date, or belongs to the name.
    let number = number.parse().ok().filter(|parsed: &u32| *parsed > 0 && parsed.to_string() == number)?;
    Some((base, number))
}

fn is_separator(character: char) -> bool {
    matches!(character, '.' | '-' | '_' | '~')
}

/// `app.log-20261128.1`: `app.log-20261128`, `app.log`, `app`.
fn without_suffix(name: &str) -> impl Iterator<Item = String> {
    let cuts = name.char_indices().rev().filter(|(at, character)| *at > 0 && is_separator(*character));
    cuts.map(|(at, _)| name.split_at(at).0.to_owned())
}

/// `app-2026-11-28.log`: `app.log`.
fn without_date(name: &str) -> Option<String> {
    let (stem, ending) = name.rsplit_once('.')?;
    let is_of_date = |character: char| character.is_ascii_digit() || is_separator(character);
    let base = stem.trim_end_matches(is_of_date);
    let date = stem.get(base.len()..)?;
    let digits = date.chars().filter(char::is_ascii_digit).count();
    let is_date = date.starts_with(is_separator) && digits >= DATE_DIGITS_MIN && !base.is_empty();
    is_date.then(|| format!("{base}.{ending}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(copy: &str, expected: &[&str]) {
        let found: Vec<_> = originals(&Path::new("/logs").join(copy))
            .into_iter()
            .map(|path| path.strip_prefix("/logs").unwrap().to_str().unwrap().to_owned())
            .collect();
        assert_eq!(found, expected, "{copy}");
    }

    #[test]
    fn names_of_rotations() {
        check("app.log", &["app"]);
        check("app.log.1", &["app.log", "app"]);
        check("app.log-20261128", &["app.log", "app"]);
        check("app-2026-11-28.log", &["app-2026-11-28", "app-2026-11", "app-2026", "app", "app.log"]);
        check("app.log.2.gz", &["app.log.2", "app.log.1", "app.log.0", "app.log", "app"]);
        check("app.log.zst", &["app.log", "app"]);
        check("app.log.old", &["app.log", "app"]);
    }

    #[test]
    fn numbers_of_rotations() {
        let check = |name: &str, next: &str, before: Option<&str>| {
            assert_eq!((rotated(name), unrotated(name).as_deref()), (next.to_owned(), before), "{name}");
        };
        check("app.log", "app.log.1", None);
        check("app.log.1", "app.log.2", Some("app.log"));
        check("app.log.10", "app.log.11", Some("app.log.9"));
        check("app.log.01", "app.log.01.1", None);
        check("app.log.0", "app.log.0.1", None);
        check("app", "app.1", None);
    }

    /// Instances of one service are not copies of each other, however alike their logs begin.
    #[test]
    fn a_neighbour_is_no_original() {
        check("worker-2.log", &["worker-2", "worker"]);
        check("a.log", &["a"]);
        check(".log", &[]);
        check("", &[]);
    }

    #[test]
    fn only_so_many_numbers_are_tried() {
        let found = originals(Path::new("/logs/app.log.4000000000.gz"));
        assert_eq!(found.len(), 1 + NUMBERS_MAX as usize + 2);
    }
}
