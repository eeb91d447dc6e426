//! The shipper's program: flags in, exit code out.

use std::process::ExitCode;

fn main() -> ExitCode {
    shipper::command::main()
}
