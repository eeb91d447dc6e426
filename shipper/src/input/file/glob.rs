//! Which paths are meant.
//!
//! Enters: a pattern such as `/var/log/**/*.log`. Leaves: one matcher for each component, so that a walk reads only the
//! folders that can hold a match. Never: a file; never a pattern that is read otherwise than the user wrote it.
//!
//! `*` and `?` stay inside one component, `[a-z]` and `{a,b}` too; `**` stands for folders of any depth, also none.
//! As in a shell, a wildcard does not find a name that starts with a dot.

use std::ffi::{OsStr, OsString};
use std::path::{Component, Path, PathBuf};

use globset::{Glob, GlobBuilder, GlobMatcher, GlobSet, GlobSetBuilder};

/// A pattern that cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{pattern}`: {reason}")]
pub struct GlobError {
    /// As the user wrote it.
    pub pattern: String,
    /// What is wrong, and what to write instead.
    pub reason: String,
}

/// One component of a pattern.
#[derive(Debug, Clone)]
pub(super) enum Part {
    /// Exactly this name.
    Name(OsString),
    /// Names that match.
    Matching(GlobMatcher),
    /// `**`.
    AnyDepth,
}

impl Part {
    pub(super) fn is_match(&self, name: &OsStr) -> bool {
        match self {
            Part::Name(wanted) => wanted == name,
            Part::Matching(matcher) => {
                (!is_hidden(name) || matcher.glob().glob().starts_with('.'))
                    && matcher.is_match(Path::new(name))
            }
            Part::AnyDepth => !is_hidden(name),
        }
    }
}

fn is_hidden(name: &OsStr) -> bool {
    name.as_encoded_bytes().starts_with(b".")
}

/// A pattern for whole paths.
#[derive(Debug, Clone)]
pub(super) struct PathPattern {
    pub parts: Vec<Part>,
}

impl PathPattern {
    /// Reads a pattern; a relative one starts at the working folder.
    pub(super) fn parse(pattern: &str) -> Result<Self, GlobError> {
        let refuse = |reason: &str| GlobError { pattern: pattern.to_owned(), reason: reason.to_owned() };
        if pattern.is_empty() {
            return Err(refuse("an empty path names no file"));
        }
        let path = std::path::absolute(pattern).map_err(|error| refuse(&error.to_string()))?;
        let mut parts = Vec::new();
        for component in path.components() {
            match component {
                Component::RootDir | Component::CurDir | Component::Prefix(_) => {}
                Component::ParentDir => {
                    return Err(refuse("`..` is not followed; write the path that is meant"));
                }
                Component::Normal(name) => parts.push(part(name).map_err(|reason| refuse(&reason))?),
            }
        }
        parts.dedup_by(|second, first| matches!((second, first), (Part::AnyDepth, Part::AnyDepth)));
        Ok(PathPattern { parts })
    }

    /// Whether a walk along this pattern would come to `path`, which is absolute.
    pub(super) fn is_match(&self, path: &Path) -> bool {
        matches_parts(&self.parts, &names(path))
    }
}

/// The names along an absolute path, from the root.
pub(super) fn names(path: &Path) -> Vec<&OsStr> {
    let name = |component| match component {
        Component::Normal(name) => Some(name),
        _ => None,
    };
    path.components().filter_map(name).collect()
}

fn matches_parts(parts: &[Part], names: &[&OsStr]) -> bool {
    match (parts, names) {
        ([], names) => names.is_empty(),
        ([Part::AnyDepth, rest @ ..], names) => {
            let is_end = rest.is_empty() && names.len() == 1;
            let is_here = !rest.is_empty() && matches_parts(rest, names);
            let deeper = names.split_first().is_some_and(|(name, names)| {
                Part::AnyDepth.is_match(name) && (is_end || matches_parts(parts, names))
            });
            is_here || deeper
        }
        (_, []) => false,
        ([part, parts @ ..], [name, names @ ..]) => part.is_match(name) && matches_parts(parts, names),
    }
}

fn part(name: &OsStr) -> Result<Part, String> {
    let Some(text) = name.to_str() else { return Ok(Part::Name(name.to_owned())) };
    if text == "**" {
        return Ok(Part::AnyDepth);
    }
    if text.contains("**") {
        return Err("`**` stands alone between two slashes".to_owned());
    }
    let is_unbalanced = text.matches('{').count() != text.matches('}').count();
    if is_unbalanced {
        return Err("`{a,b}` stays inside one name; write two paths instead".to_owned());
    }
    if !text.contains(['*', '?', '[', '{', '\\']) {
        return Ok(Part::Name(name.to_owned()));
    }
    compile(text).map(|glob| Part::Matching(glob.compile_matcher())).map_err(|error| error.kind().to_string())
}

fn compile(text: &str) -> Result<Glob, globset::Error> {
    GlobBuilder::new(text).literal_separator(true).backslash_escape(true).build()
}

/// Paths that are left out.
#[derive(Debug, Clone)]
pub(super) struct Excludes(GlobSet);

impl Excludes {
    /// Reads patterns; one without a slash is meant for the name alone, in any folder.
    pub(super) fn parse(patterns: &[String]) -> Result<Self, GlobError> {
        let refuse = |pattern: &str, reason: String| GlobError { pattern: pattern.to_owned(), reason };
        let mut set = GlobSetBuilder::new();
        for pattern in patterns {
            let path = if pattern.contains('/') {
                std::path::absolute(pattern).map_err(|error| refuse(pattern, error.to_string()))?
            } else {
                PathBuf::from("**").join(pattern)
            };
            let glob = compile(&path.to_string_lossy())
                .map_err(|error| refuse(pattern, error.kind().to_string()))?;
            set.add(glob);
        }
        set.build().map(Excludes).map_err(|error| refuse(&patterns.join(", "), error.to_string()))
    }

    pub(super) fn is_match(&self, path: &Path) -> bool {
        self.0.is_match(path)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(pattern: &str, matching: &[&str], others: &[&str]) {
        let parsed = PathPattern::parse(pattern).unwrap();
        for path in matching {
            assert!(parsed.is_match(Path::new(path)), "{pattern} means {path}");
        }
        for path in others {
            assert!(!parsed.is_match(Path::new(path)), "{pattern} does not mean {path}");
        }
    }

    #[test]
    fn patterns_mean_what_a_shell_means() {
        check("/a/b.log", &["/a/b.log"], &["/a/b.log.1", "/a", "/a/b.log/c"]);
        check("/a/*.log", &["/a/b.log"], &["/a/b/c.log", "/a/.b.log", "/b.log"]);
        check("/a/.*.log", &["/a/.b.log"], &["/a/b.log"]);
        check("/a/?[0-9]{x,yy}", &["/a/b0x", "/a/b9yy"], &["/a/b0y", "/a/bbx"]);
        check("/*/*/c", &["/a/b/c"], &["/a/c", "/a/b/d/c"]);
        check("/a/**/c", &["/a/c", "/a/b/c", "/a/b/b/c"], &["/c", "/a/b", "/a/.b/c"]);
        check("/a/**", &["/a/c", "/a/b/c"], &["/a", "/a/.c"]);
        check("/a/**/**/c", &["/a/c", "/a/b/c"], &["/a"]);
    }

    #[test]
    fn a_relative_pattern_starts_at_the_working_folder() {
        let here = std::env::current_dir().unwrap();
        assert!(PathPattern::parse("./x.log").unwrap().is_match(&here.join("x.log")));
    }

    #[test]
    fn says_what_is_wrong() {
        for (pattern, expected) in [
            ("", "``: an empty path names no file"),
            ("/a/../b", "`/a/../b`: `..` is not followed; write the path that is meant"),
            ("/a/b**", "`/a/b**`: `**` stands alone between two slashes"),
            ("/a/{b/c,d}", "`/a/{b/c,d}`: `{a,b}` stays inside one name; write two paths instead"),
            ("/a/[b", "`/a/[b`: unclosed character class; missing ']'"),
        ] {
            assert_eq!(PathPattern::parse(pattern).unwrap_err().to_string(), expected);
        }
    }

    #[test]
    fn a_name_is_excluded_in_every_folder() {
        let excludes = Excludes::parse(&["*.gz".to_owned(), "/a/skip/**".to_owned()]).unwrap();
        for (path, expected) in
            [("/a/b.gz", true), ("/a/b/c.gz", true), ("/a/skip/x", true), ("/a/b.log", false)]
        {
            assert_eq!(excludes.is_match(Path::new(path)), expected, "{path}");
        }
    }
}
