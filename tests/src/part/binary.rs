//! Our own programs, as a user starts them.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use super::Process;

/// A program of this workspace: beside the folder of the test binary, or beside a binary of ours.
///
/// # Panics
/// When it is not built; `./test` and `cargo build --workspace` build it.
#[must_use]
pub fn path(name: &str) -> PathBuf {
    let own = std::env::current_exe().unwrap();
    let folder = own.parent().unwrap();
    let is_test = folder.file_name().is_some_and(|folder| folder == "deps");
    let program = if is_test { folder.parent().unwrap() } else { folder }.join(name);
    assert!(
        program.exists(),
        "{} is not built: run `cargo build --workspace --bins` first",
        program.display()
    );
    program
}

/// Starts a program with its log in `log`; the way our users redirect theirs.
#[must_use]
pub fn start(name: &str, arguments: &[&str], log: &Path) -> Process {
    spawn(Command::new(path(name)).args(arguments), log)
}

/// Starts a command with everything that it prints behind what is in `log`.
pub(super) fn spawn(command: &mut Command, log: &Path) -> Process {
    let file = std::fs::OpenOptions::new().create(true).append(true).open(log).unwrap();
    Process::start(command.stdout(file.try_clone().unwrap()).stderr(Stdio::from(file)))
}

/// Runs a program to its end; gives its exit code and everything that it printed.
#[must_use]
pub fn run(name: &str, arguments: &[&str]) -> (i32, String) {
    let output = Command::new(path(name)).args(arguments).stdin(Stdio::null()).output().unwrap();
    let text = [output.stdout, output.stderr].concat();
    (output.status.code().unwrap_or(-1), String::from_utf8_lossy(&text).into_owned())
}
