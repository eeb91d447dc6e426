//! `alerter test`: rule files against their own tests.
//!
//! Enters: test files. Leaves: a line for each test, and where one failed, what differs. Never: a wait.

use std::collections::BTreeSet;
use std::io::Write;
use std::path::{Path, PathBuf};

use rules::Settings;
use rules::rule::{RuleFile, RuleTests, load, load_tests};

use super::CommandError;

const TEST_SUFFIX: &str = ".test.yml";

/// How many tests passed and failed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct Tally {
    pub(super) passed: usize,
    pub(super) failed: usize,
}

pub(super) fn test(paths: &[PathBuf], out: &mut impl Write) -> Result<Tally, CommandError> {
    let mut tally = Tally::default();
    let files: BTreeSet<PathBuf> = paths.iter().map(|path| test_of(path)).collect();
    for path in &files {
        let (rules, tests) = read(path)?;
        run(&rules, &tests, &mut tally, out)?;
    }
    writeln!(out, "{} passed, {} failed", tally.passed, tally.failed)?;
    Ok(tally)
}

fn run(
    rules: &RuleFile,
    tests: &RuleTests,
    tally: &mut Tally,
    out: &mut impl Write,
) -> Result<(), CommandError> {
    for test in &tests.tests {
        let outcome = rules::testing::run(&rules.rules, test, &Settings::default());
        match outcome.difference {
            None => {
                tally.passed += 1;
                writeln!(out, "ok   {}: {}", tests.name, outcome.name)?;
            }
            Some(difference) => {
                tally.failed += 1;
                writeln!(out, "FAIL {}:{}: {}", tests.name, outcome.line, outcome.name)?;
                writeln!(out, "     - expected, + happened")?;
                for line in difference.lines() {
                    writeln!(out, "     {line}")?;
                }
            }
        }
    }
    Ok(())
}

/// `x.test.yml` tests the rules of `x.yml` beside it.
fn read(path: &Path) -> Result<(RuleFile, RuleTests), CommandError> {
    let name = path.display().to_string();
    let rules = name.strip_suffix(TEST_SUFFIX).map(|stem| format!("{stem}.yml")).unwrap_or_default();
    let wrong = |error: rules::rule::RuleError| CommandError::Other(error.to_string());
    let tests = load_tests(&name, &text(&name)?).map_err(wrong)?;
    let rules = load(&rules, &text(&rules)?).map_err(wrong)?;
    Ok((rules, tests))
}

fn text(name: &str) -> Result<String, CommandError> {
    std::fs::read_to_string(name).map_err(|error| {
        CommandError::Other(format!(
            "{name}: {error}; the tests of `x.yml` stand in `x{TEST_SUFFIX}` beside it"
        ))
    })
}

/// The test file of a rule file, or the test file itself.
fn test_of(path: &Path) -> PathBuf {
    let name = path.display().to_string();
    match name.strip_suffix(".yml") {
        Some(stem) if !name.ends_with(TEST_SUFFIX) => PathBuf::from(format!("{stem}{TEST_SUFFIX}")),
        _ => path.to_owned(),
    }
}
