//! Our own programs, as a user starts them.

use std::path::PathBuf;
use std::process::{Command, Stdio};

use super::Process;

/// A program of this workspace, next to the test binary's folder.
///
/// # Panics
/// When it is not built; `./test` and `cargo build --workspace` build it.
#[must_use]
pub fn path(name: &str) -> PathBuf {
    let test = std::env::current_exe().unwrap();
    let program = test.parent().unwrap().parent().unwrap().join(name);
    assert!(
        program.exists(),
        "{} is not built: run `cargo build --workspace --bins` first",
        program.display()
    );
    program
}

/// Starts a program with its log in `log`; the way our users redirect theirs.
#[must_use]
pub fn start(name: &str, arguments: &[&str], log: &std::path::Path) -> Process {
    let file = std::fs::OpenOptions::new().create(true).append(true).open(log).unwrap();
    let mut command = Command::new(path(name));
    command.args(arguments).stdout(file.try_clone().unwrap()).stderr(Stdio::from(file));
    Process::start(&mut command)
}

/// Runs a program to its end; gives its exit code and everything that it printed.
#[must_use]
pub fn run(name: &str, arguments: &[&str]) -> (i32, String) {
    let output = Command::new(path(name)).args(arguments).stdin(Stdio::null()).output().unwrap();
    let text = [output.stdout, output.stderr].concat();
    (output.status.code().unwrap_or(-1), String::from_utf8_lossy(&text).into_owned())
}
