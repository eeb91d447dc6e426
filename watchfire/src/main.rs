//! The `watchfire` program: flags in, exit code out.

use std::process::ExitCode;

fn main() -> ExitCode {
    watchfire::command::main()
}
