//! What an operator types: `shipper check`, `shipper debug`, `shipper run`, `shipper status`, `shipper try`,
//! `shipper why`, `shipper prove`.
//!
//! Enters: flags. Leaves: an exit code: 0 done, 1 failed or answered with no, 2 flags or a configuration that cannot be used.
//! Never: a decision about records.

mod check;
mod debug;
mod prove;
mod registry;
mod run;
mod status;
mod text;
mod try_file;
mod why;

use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Parser, Subcommand};
use daemon::config::ConfigError;

use crate::config::Config;

/// Reads what services write to their log files and probes whether they work; delivers both to Kafka, every line once
/// and in order.
#[derive(Debug, Parser)]
#[command(name = "shipper", version, about, long_about = None)]
struct Flags {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Validate a configuration, and print what each input finds on this machine
    Check(check::Flags),
    /// Ship debugging levels for a while, without a restart
    Debug(debug::Flags),
    /// Drill: write, rotate, truncate, compress, kill, cut the brokers off; and count what is lost and what is twice
    Prove(prove::Flags),
    /// Look at, repair or change what is remembered of each file, or take it over from another shipper
    Registry(registry::Flags),
    /// Ship until SIGTERM; SIGHUP or a change of the file loads the configuration again
    Run(run::Flags),
    /// Show what the running shipper knows of every file: how far, how fast, what is lost and why
    Status(status::Flags),
    /// Print the events that a configuration makes of a file
    Try(try_file::Flags),
    /// Say why a file, or a line of it, is not shipped; step by step from the path to the broker
    Why(why::Flags),
}

/// The flag that every command has.
#[derive(Debug, clap::Args)]
struct ConfigFlag {
    /// The configuration
    #[arg(short = 'c', long = "config", value_name = "FILE", default_value = "/etc/watchfire/shipper.yml")]
    config: PathBuf,
}

impl ConfigFlag {
    /// Loads and checks the file.
    fn load(&self) -> Result<Config, ConfigError> {
        load(&self.config)
    }
}

fn load(path: &std::path::Path) -> Result<Config, ConfigError> {
    let config: Config = daemon::config::load(path)?;
    config.check().map_err(|error| ConfigError::Invalid(format!("{}: {error}", path.display())))?;
    Ok(config)
}

/// Parses the process's flags and runs the command.
#[must_use]
pub fn main() -> ExitCode {
    let result = match Flags::parse().command {
        Command::Check(flags) => check::run(&flags).map(|()| true),
        Command::Debug(flags) => debug::run(&flags).map(|()| true),
        Command::Prove(flags) => prove::run(&flags),
        Command::Registry(flags) => registry::run(&flags).map(|()| true),
        Command::Run(flags) => run::run(&flags).map(|()| true),
        Command::Status(flags) => status::run(&flags).map(|()| true),
        Command::Try(flags) => try_file::run(&flags).map(|()| true),
        Command::Why(flags) => why::run(&flags),
    };
    match result {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            complain(&format!("{error:#}"));
            ExitCode::from(if error.is::<ConfigError>() { 2 } else { 1 })
        }
    }
}

#[expect(clippy::print_stderr, reason = "the last word of a command, where no log need be set up")]
fn complain(text: &str) {
    eprintln!("shipper: {text}");
}
