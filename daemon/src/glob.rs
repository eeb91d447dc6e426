//! Paths with wildcards, as operators write them.
//!
//! Enters: a pattern such as `rules/*.yml` or `/var/log/**/*.log`. Leaves: the paths that exist now, sorted.
//! Never: an error for a folder that is not there yet. `*` and `?` stop at `/`, `**` is any number of folders,
//! `[a-z]` is one of a class; a wildcard does not find a name that starts with a dot.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Component, Path, PathBuf};

use regex::Regex;

/// Folders below each other that `**` follows at most.
const DEPTH_MAX: usize = 32;

/// A pattern that is not one.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("path pattern `{pattern}`: {reason}")]
pub struct GlobError {
    /// As it was written.
    pub pattern: String,
    /// What is wrong.
    pub reason: String,
}

/// A pattern, ready to look.
#[derive(Debug, Clone)]
pub struct Glob {
    /// Up to the first wildcard.
    root: PathBuf,
    steps: Vec<Step>,
}

#[derive(Debug, Clone)]
enum Step {
    Named(PathBuf),
    Matching(Regex),
    AnyDepth,
}

impl Glob {
    /// Reads a pattern; a relative one starts at `folder`.
    ///
    /// # Errors
    /// [`GlobError`]
    pub fn new(pattern: &str, folder: &Path) -> Result<Self, GlobError> {
        let wrong = |reason: &str| GlobError { pattern: pattern.to_owned(), reason: reason.to_owned() };
        if pattern.is_empty() {
            return Err(wrong("is empty; write a path such as /var/log/app/*.log"));
        }
        let whole = folder.join(pattern);
        let (mut root, mut steps) = (PathBuf::new(), Vec::new());
        for component in whole.components() {
            let text = component.as_os_str().to_string_lossy();
            let is_plain = !matches!(component, Component::Normal(_)) || !text.contains(['*', '?', '[']);
            if is_plain && steps.is_empty() {
                root.push(component);
            } else if is_plain {
                steps.push(Step::Named(PathBuf::from(component.as_os_str())));
            } else if text == "**" {
                steps.push(Step::AnyDepth);
            } else if text.contains("**") {
                return Err(wrong("`**` stands for whole folders; write it between slashes"));
            } else {
                let regex = Regex::new(&regex_of(&text));
                steps.push(Step::Matching(regex.map_err(|_| wrong("a `[` has no class that ends in `]`"))?));
            }
        }
        if matches!(steps.last(), Some(Step::AnyDepth)) {
            return Err(wrong("ends in `**`, which are folders; end it in a name such as `**/*.log`"));
        }
        Ok(Glob { root, steps })
    }

    /// The paths that match now, sorted, each once. What cannot be listed is left out.
    #[must_use]
    pub fn expand(&self) -> Vec<PathBuf> {
        let mut found = BTreeSet::new();
        walk(&self.root, &self.steps, DEPTH_MAX, &mut found);
        found.into_iter().collect()
    }

    /// The deepest folder that all matches are in: what a file watcher has to look at.
    #[must_use]
    pub fn root(&self) -> &Path {
        if self.steps.is_empty() { self.root.parent().unwrap_or(&self.root) } else { &self.root }
    }

    /// True when matches may lie in folders below [`Glob::root`].
    #[must_use]
    pub fn is_deep(&self) -> bool {
        self.steps.len() > 1
    }
}

fn walk(path: &Path, steps: &[Step], depth: usize, found: &mut BTreeSet<PathBuf>) {
    let Some((step, rest)) = steps.split_first() else {
        if path.exists() {
            found.insert(path.to_owned());
        }
        return;
    };
    match step {
        Step::Named(name) => walk(&path.join(name), rest, depth, found),
        Step::Matching(regex) => {
            for (name, entry) in entries(path) {
                if regex.is_match(&name) {
                    walk(&entry, rest, depth, found);
                }
            }
        }
        Step::AnyDepth => {
            walk(path, rest, depth, found);
            for (_, entry) in entries(path) {
                // A link to a folder could lead back up.
                if depth > 0 && entry.is_dir() && !entry.is_symlink() {
                    walk(&entry, steps, depth - 1, found);
                }
            }
        }
    }
}

/// The visible entries of a folder; none when it cannot be listed. Patterns are text, so a name that is not UTF-8 is
/// matched by its lossy form and kept as it is.
fn entries(folder: &Path) -> Vec<(String, PathBuf)> {
    let folder = if folder.as_os_str().is_empty() { Path::new(".") } else { folder };
    let Ok(entries) = fs::read_dir(folder) else { return Vec::new() };
    entries
        .filter_map(Result::ok)
        .map(|entry| (entry.file_name().to_string_lossy().into_owned(), entry.path()))
        .filter(|(name, _)| !name.starts_with('.'))
        .collect()
}

fn regex_of(pattern: &str) -> String {
    let mut regex = String::from("(?s)^");
    let mut is_in_class = false;
    for letter in pattern.chars() {
        match letter {
            _ if is_in_class => {
                is_in_class = letter != ']';
                match letter {
                    '!' if regex.ends_with('[') => regex.push('^'),
                    '[' | '\\' | '&' | '~' => regex.extend(['\\', letter]),
                    _ => regex.push(letter),
                }
            }
            '*' => regex.push_str(".*"),
            '?' => regex.push('.'),
            '[' => {
                is_in_class = true;
                regex.push('[');
            }
            _ => regex.push_str(&regex::escape(letter.encode_utf8(&mut [0; 4]))),
        }
    }
    regex.push('$');
    regex
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(pattern: &str, expected: &[&str]) {
        let folder = tempfile::tempdir().unwrap();
        for name in
            ["a.log", "b.log", "c.txt", ".hidden.log", "x/d.log", "x/y/e.log", "x/y/a[1].log", "z/d.log"]
        {
            let path = folder.path().join(name);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, "").unwrap();
        }
        let found = Glob::new(pattern, folder.path()).unwrap().expand();
        let names: Vec<_> =
            found.iter().map(|path| path.strip_prefix(folder.path()).unwrap().to_str().unwrap()).collect();
        assert_eq!(names, expected, "{pattern}");
    }

    #[test]
    fn finds_what_matches() {
        check("*.log", &["a.log", "b.log"]);
        check("a.log", &["a.log"]);
        check("?.txt", &["c.txt"]);
        check("[ab].log", &["a.log", "b.log"]);
        check("[!a].log", &["b.log"]);
        check("*/d.log", &["x/d.log", "z/d.log"]);
        check("**/*.log", &["a.log", "b.log", "x/d.log", "x/y/a[1].log", "x/y/e.log", "z/d.log"]);
        check("x/**/e.log", &["x/y/e.log"]);
        check("x/y/a[[]1].log", &["x/y/a[1].log"]);
        check(".hidden.log", &[".hidden.log"]);
        check("none/*.log", &[]);
        check("none.log", &[]);
    }

    #[test]
    fn says_what_is_wrong() {
        for (pattern, expected) in [
            ("", "path pattern ``: is empty; write a path such as /var/log/app/*.log"),
            (
                "/a/**",
                "path pattern `/a/**`: ends in `**`, which are folders; end it in a name such as `**/*.log`",
            ),
            ("/a/b**", "path pattern `/a/b**`: `**` stands for whole folders; write it between slashes"),
            ("/a/[b", "path pattern `/a/[b`: a `[` has no class that ends in `]`"),
        ] {
            assert_eq!(Glob::new(pattern, Path::new("")).unwrap_err().to_string(), expected);
        }
    }
}
