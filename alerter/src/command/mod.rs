//! What an operator types.
//!
//! Enters: flags. Leaves: a running alerter, or an answer on standard output and an exit code: 0 when all is well,
//! 1 when something is not, 2 when flags, the configuration or its rules cannot be used.

use std::io::Write;
use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Parser, Subcommand};
use daemon::Clock;
use daemon::admin::AdminError;
use daemon::config::ConfigError;
use daemon::log::LogError;

use crate::run::RunError;
use crate::setup::SetupError;

mod check;
mod notify;
mod reload;
mod run;
mod test;

/// Evaluates rules over events and tells people.
#[derive(Debug, Parser)]
#[command(name = "alerter", version)]
pub struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Run until SIGTERM or SIGINT; SIGHUP, or a changed file, reads configuration and rules again.
    Run {
        #[command(flatten)]
        config: ConfigFlag,
        /// Rehearse: a clock that runs faster, as SPEED@SINCE
        #[arg(long, value_name = "LAPSE", hide = true)]
        time_lapse: Option<Clock>,
    },
    /// Say whether configuration and rules can be used, and list every problem.
    Check(ConfigFlag),
    /// Run the tests of rule files.
    Test {
        /// Test files (`*.test.yml`), or rule files, whose tests stand beside them.
        #[arg(required = true)]
        files: Vec<PathBuf>,
    },
    /// Send a test notification through one channel and print what the vendor said, for each recipient.
    Notify {
        #[command(flatten)]
        config: ConfigFlag,
        /// The channel's name in the configuration.
        #[arg(long)]
        channel: String,
    },
}

#[derive(Debug, clap::Args)]
struct ConfigFlag {
    /// The configuration.
    #[arg(short = 'c', long = "config", default_value = "/etc/watchfire/alerter.yml")]
    path: PathBuf,
}

/// Why a command failed.
#[derive(Debug, thiserror::Error)]
enum CommandError {
    #[error(transparent)]
    Config(#[from] ConfigError),
    #[error(transparent)]
    Setup(#[from] SetupError),
    #[error(transparent)]
    Log(#[from] LogError),
    #[error(transparent)]
    Admin(#[from] AdminError),
    #[error(transparent)]
    Run(#[from] RunError),
    #[error("{0}")]
    Other(String),
    #[error("cannot write the answer: {0}")]
    Output(#[from] std::io::Error),
}

/// Runs one command. Answers go to `out`, problems to `problems`.
pub async fn execute(cli: Cli, out: &mut impl Write, problems: &mut impl Write) -> ExitCode {
    let done = match &cli.command {
        Command::Run { config, time_lapse } => {
            let clock = time_lapse.clone().unwrap_or(Clock::System);
            run::run(&config.path, clock).await.map(|()| true)
        }
        Command::Check(config) => check::check(&config.path, out).map(|()| true),
        Command::Test { files } => test::test(files, out).map(|tally| tally.failed == 0),
        Command::Notify { config, channel } => notify::notify(&config.path, channel, out).await,
    };
    match done {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            // Nothing is left to tell it to when standard error is closed.
            let _ = writeln!(problems, "{error}");
            let is_unusable = matches!(error, CommandError::Config(_) | CommandError::Setup(_));
            ExitCode::from(if is_unusable { 2 } else { 1 })
        }
    }
}

#[cfg(test)]
mod tests;
