//! How one input's patterns meet one path, in words.
//!
//! Enters: an input's `paths` and `exclude`, a path. Leaves: the pattern that reads it, the one that leaves it out, or the
//! one that comes nearest and the component at which it fails. Never: a look at the disk.

use std::ffi::OsStr;
use std::path::Path;

use super::FileConfig;
use super::glob::{Excludes, GlobError, Part, PathPattern, names};

/// What an input says to a path.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Meeting {
    /// It reads it, by this pattern.
    Reads(String),
    /// It would read it, and leaves it out.
    Excluded {
        /// The pattern that matches.
        pattern: String,
        /// The `exclude` that matches too.
        by: String,
    },
    /// It does not mean it.
    Misses {
        /// The pattern that comes nearest.
        pattern: String,
        /// Components of the path that it matches.
        depth: usize,
        /// What keeps it from matching.
        reason: String,
    },
}

/// Compares `path`, which is absolute, with every pattern of `config`.
///
/// # Errors
/// [`GlobError`] for a pattern that is none.
pub fn meet(config: &FileConfig, path: &Path) -> Result<Meeting, GlobError> {
    let names = names(path);
    let mut nearest =
        Meeting::Misses { pattern: String::new(), depth: 0, reason: "it has no pattern".to_owned() };
    for (number, pattern) in config.paths.iter().enumerate() {
        let parsed = PathPattern::parse(pattern)?;
        if parsed.is_match(path) {
            return excluded(config, pattern, path);
        }
        let mut miss = Miss::default();
        miss.walk(&parsed.parts, &names, 0);
        let is_nearer =
            matches!(&nearest, Meeting::Misses { depth, .. } if number == 0 || miss.depth > *depth);
        if is_nearer {
            nearest = Meeting::Misses { pattern: pattern.clone(), depth: miss.depth, reason: miss.reason };
        }
    }
    Ok(nearest)
}

fn excluded(config: &FileConfig, pattern: &str, path: &Path) -> Result<Meeting, GlobError> {
    for by in &config.exclude {
        if Excludes::parse(std::slice::from_ref(by))?.is_match(path) {
            return Ok(Meeting::Excluded { pattern: pattern.to_owned(), by: by.clone() });
        }
    }
    Ok(Meeting::Reads(pattern.to_owned()))
}

/// The farthest that a pattern comes.
#[derive(Debug, Default)]
struct Miss {
    depth: usize,
    reason: String,
}

impl Miss {
    fn walk(&mut self, parts: &[Part], names: &[&OsStr], depth: usize) {
        match (parts, names) {
            ([], []) => {}
            ([], [name, ..]) => self.note(depth, || {
                format!(
                    "it ends there, and `{}` lies deeper; `**` goes into folders of any depth",
                    shown(name)
                )
            }),
            ([part, ..], []) => self.note(depth, || {
                format!("it goes on with `{}`: it means something inside of this path", written(part))
            }),
            ([Part::AnyDepth, rest @ ..], [name, deeper @ ..]) => {
                if !rest.is_empty() {
                    self.walk(rest, names, depth);
                }
                if !Part::AnyDepth.is_match(name) {
                    self.note(depth, || hidden(name));
                } else if !deeper.is_empty() {
                    // To pass over everything is no match.
                    self.walk(parts, deeper, depth + 1);
                }
            }
            ([part, parts @ ..], [name, names @ ..]) => {
                if part.is_match(name) {
                    self.walk(parts, names, depth + 1);
                } else {
                    self.note(depth, || refusal(part, name));
                }
            }
        }
    }

    fn note(&mut self, depth: usize, reason: impl FnOnce() -> String) {
        if self.reason.is_empty() || depth > self.depth {
            (self.depth, self.reason) = (depth, reason());
        }
    }
}

fn refusal(part: &Part, name: &OsStr) -> String {
    if let Part::Matching(matcher) = part
        && name.as_encoded_bytes().starts_with(b".")
        && matcher.is_match(Path::new(name))
    {
        return hidden(name);
    }
    format!("`{}` is not `{}`", shown(name), written(part))
}

fn hidden(name: &OsStr) -> String {
    format!(
        "`{}` starts with a dot, which a wildcard does not find; write the dot into the pattern",
        shown(name)
    )
}

fn shown(name: &OsStr) -> String {
    name.to_string_lossy().into_owned()
}

/// The component as the user wrote it.
fn written(part: &Part) -> String {
    match part {
        Part::Name(name) => shown(name),
        Part::Matching(matcher) => matcher.glob().glob().to_owned(),
        Part::AnyDepth => "**".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(paths: &[&str], exclude: &[&str], path: &str, expected: &str) {
        let list = |patterns: &[&str]| serde_json::to_string(patterns).unwrap();
        let text = format!("{{ paths: {}, exclude: {} }}", list(paths), list(exclude));
        let config: FileConfig = yaml::parse("input", &text).unwrap();
        let said = match meet(&config, Path::new(path)).unwrap() {
            Meeting::Reads(pattern) => format!("reads {pattern}"),
            Meeting::Excluded { pattern, by } => format!("{pattern} but {by}"),
            Meeting::Misses { pattern, depth, reason } => format!("{pattern} {depth}: {reason}"),
        };
        assert_eq!(said, expected, "{paths:?} and {path}");
    }

    #[test]
    fn a_pattern_that_reads_or_leaves_out_is_named() {
        check(&["/b/*.log", "/a/*.log"], &[], "/a/x.log", "reads /a/*.log");
        check(&["/a/*"], &["*.log", "*.gz"], "/a/x.gz", "/a/* but *.gz");
        check(&["/a/**"], &["/a/skip/**"], "/a/skip/x", "/a/** but /a/skip/**");
    }

    #[test]
    fn the_nearest_pattern_says_where_it_fails() {
        check(&["/a/*.log"], &[], "/a/x.txt", "/a/*.log 1: `x.txt` is not `*.log`");
        check(&["/b/*", "/a/b/*.log"], &[], "/a/b/x", "/a/b/*.log 2: `x` is not `*.log`");
        check(
            &["/a/*.log"],
            &[],
            "/a/x.log/y",
            "/a/*.log 2: it ends there, and `y` lies deeper; `**` goes into folders of any depth",
        );
        check(
            &["/a/*/x"],
            &[],
            "/a/b",
            "/a/*/x 2: it goes on with `x`: it means something inside of this path",
        );
        check(
            &["/a/*"],
            &[],
            "/a/.x",
            "/a/* 1: `.x` starts with a dot, which a wildcard does not find; write the dot into the pattern",
        );
        check(&["/a/**/x"], &[], "/a/b/.c/x", "/a/**/x 2: `.c` is not `x`");
        check(&["/a/**/*.log"], &[], "/a/b/c/x.txt", "/a/**/*.log 3: `x.txt` is not `*.log`");
        check(&["/c/x"], &[], "/a/x", "/c/x 0: `a` is not `c`");
    }
}
