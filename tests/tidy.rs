//! The house rules that a compiler does not know: file length, module heads, purity, no orphaned words.
//!
//! Enters: the tree as it stands. Leaves: a list of places, empty when all is well.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests fail by panicking")]

use std::fs;
use std::path::{Path, PathBuf};

#[path = "tidy/docs.rs"]
mod docs;

const FILE_LINES_MAX: usize = 400;
const CRATES: [&str; 10] =
    ["event", "yaml", "kql", "daemon", "shipper", "rules", "alerter", "indexer", "watchfire", "tests"];
const PURE: [&str; 4] = ["event", "yaml", "kql", "rules"];

pub(crate) fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

/// Every Rust file of the workspace, relative to its root, with its text.
fn sources() -> Vec<(String, String)> {
    let mut found = Vec::new();
    for name in CRATES {
        walk(&root().join(name), &mut found);
    }
    assert!(found.len() > 50, "the walk found only {} files", found.len());
    found
}

fn walk(folder: &Path, found: &mut Vec<(String, String)>) {
    let mut entries: Vec<_> = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    entries.sort();
    for path in entries {
        if path.is_dir() && path.file_name().unwrap() != "target" {
            walk(&path, found);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            let name = path.strip_prefix(root()).unwrap().display().to_string();
            found.push((name, fs::read_to_string(&path).unwrap()));
        }
    }
}

/// Fails with the list of places for which `complaint` has one.
fn check(rule: &str, complaint: impl Fn(&str, &str) -> Option<String>) {
    let places: Vec<String> = sources()
        .iter()
        .filter_map(|(name, text)| complaint(name, text).map(|why| format!("{name}: {why}")))
        .collect();
    assert!(places.is_empty(), "{rule}:\n  {}", places.join("\n  "));
}

/// A file that holds nothing but the unit tests of the module above it.
fn is_test(name: &str) -> bool {
    name.ends_with("/test.rs")
        || name.ends_with("/tests.rs")
        || name.contains("/test/")
        || name.contains("/tests/")
}

/// The text before the file's own unit tests.
fn code(text: &str) -> &str {
    text.split("#[cfg(test)]").next().unwrap_or(text)
}

#[test]
fn files_are_short() {
    check("a file is one idea, under 400 lines", |_, text| {
        let lines = text.lines().count();
        (lines > FILE_LINES_MAX).then(|| format!("{lines} lines"))
    });
}

#[test]
fn modules_open_with_what_they_are() {
    check("a module opens with `//!`: what enters, what leaves, what it never does", |name, text| {
        (!is_test(name) && !text.starts_with("//!")).then(|| "no head".to_owned())
    });
}

#[test]
fn nothing_is_left_for_later() {
    // Spelled in halves, so that this file does not find itself.
    let words =
        [["TO", "DO"].concat(), ["FIX", "ME"].concat(), ["XX", "X"].concat(), ["#[ign", "ore"].concat()];
    check("no work is left in the code", |_, text| {
        words.iter().find(|word| text.contains(word.as_str())).map(|word| format!("has {word}"))
    });
}

#[test]
fn pure_crates_depend_on_nothing_that_acts() {
    for name in PURE {
        let manifest = fs::read_to_string(root().join(name).join("Cargo.toml")).unwrap();
        let dependencies = manifest.split("[dev-dependencies]").next().unwrap();
        for banned in ["tokio", "rdkafka", "reqwest", "notify", "daemon", "tracing", "rustix"] {
            assert!(
                !dependencies.lines().any(|line| line.starts_with(&format!("{banned}."))),
                "{name} is pure and may not depend on {banned}"
            );
        }
        let ban = fs::read_to_string(root().join(name).join("clippy.toml")).unwrap();
        assert!(ban.contains("std::time::SystemTime::now"), "{name}/clippy.toml lost its bans");
    }
}

#[test]
fn pure_crates_touch_no_file_clock_or_environment() {
    check("pure code gets bytes and time as arguments", |name, text| {
        let is_pure = !is_test(name) && PURE.iter().any(|pure| name.starts_with(&format!("{pure}/src")));
        let banned =
            ["std::fs", "std::env", "TcpStream", "UdpSocket", "std::thread", "Instant::now", "SystemTime"];
        is_pure
            .then(|| banned.iter().find(|word| code(text).contains(*word)))
            .flatten()
            .map(|word| format!("uses {word}"))
    });
}

#[test]
fn tests_wait_for_a_condition() {
    check("a test that sleeps is slow or wrong: wait for a condition or move the clock", |name, text| {
        let is_wait = name == "tests/src/wait.rs";
        let sleeps = text.contains("thread::sleep") || text.contains("time::sleep(");
        let is_test = name.starts_with("tests/") || name.contains("/tests/");
        (is_test && !is_wait && sleeps && name != "tests/tidy.rs").then(|| "sleeps".to_owned())
    });
}

#[test]
fn dependencies_point_one_way() {
    let allowed = [
        ("event", &[][..]),
        ("yaml", &[]),
        ("kql", &["event"]),
        ("daemon", &["event", "yaml"]),
        ("rules", &["event", "yaml", "kql"]),
        ("shipper", &["event", "yaml", "kql", "daemon"]),
        ("indexer", &["event", "yaml", "daemon"]),
        ("alerter", &["event", "yaml", "kql", "daemon", "rules"]),
        ("watchfire", &["event", "yaml", "kql", "daemon", "rules", "shipper", "alerter", "indexer"]),
    ];
    for (name, below) in allowed {
        let manifest = fs::read_to_string(root().join(name).join("Cargo.toml")).unwrap();
        for other in CRATES {
            let depends = manifest.lines().any(|line| line.starts_with(&format!("{other}.workspace")));
            assert!(!depends || below.contains(&other), "{name} may not depend on {other}");
        }
    }
}

#[test]
fn every_dependency_is_used() {
    let sources = sources();
    for name in CRATES {
        let manifest = fs::read_to_string(root().join(name).join("Cargo.toml")).unwrap();
        let (_, dependencies) = manifest.split_once("[dependencies]").unwrap();
        for dependency in dependencies.lines().filter_map(|line| line.strip_suffix(".workspace = true")) {
            let word = dependency.replace('-', "_");
            let is_used = sources
                .iter()
                .filter(|(file, _)| file.starts_with(&format!("{name}/")))
                .flat_map(|(_, text)| text.split(|letter: char| !letter.is_alphanumeric() && letter != '_'))
                .any(|found| found == word);
            assert!(
                is_used,
                "{name}/Cargo.toml names {dependency}, which nothing in {name}/ uses: remove it"
            );
        }
    }
}

#[test]
fn every_crate_takes_the_workspace_lints() {
    for name in CRATES {
        let manifest = fs::read_to_string(root().join(name).join("Cargo.toml")).unwrap();
        assert!(
            manifest.contains("[lints]\nworkspace = true"),
            "{name}/Cargo.toml does not take the workspace lints"
        );
    }
}

#[test]
fn architecture_names_every_crate_and_stays_one_read_long() {
    let text = fs::read_to_string(root().join("ARCHITECTURE.md")).unwrap();
    for name in CRATES {
        assert!(text.contains(&format!("`{name}/`")), "ARCHITECTURE.md does not name {name}/");
    }
    assert!(text.lines().count() < 200, "ARCHITECTURE.md is more than one read long");
}
