//! `shipper registry`: what is remembered of every file, for whoever has to look at it or put it right.
//!
//! Enters: a registry's folder. Leaves: its content, or a changed registry and what was changed. Never: a change while a
//! shipper runs; a change that is not said.

mod import;
mod repair;
mod set;
mod show;

use std::path::PathBuf;

use clap::Subcommand;

use super::ConfigFlag;

#[derive(Debug, clap::Args)]
pub(super) struct Flags {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Print every file that is remembered, and how far it is acknowledged; also while a shipper runs
    Show(show::Flags),
    /// Put a damaged registry right where there is only one way to; a copy of it is kept
    Repair(repair::Flags),
    /// Set where a file is read from after the next start
    Set(set::Flags),
    /// Take over how far another shipper has read, so that nothing is sent twice
    Import(import::Flags),
}

/// Where the registry is.
#[derive(Debug, clap::Args)]
struct Place {
    #[command(flatten)]
    config: ConfigFlag,
    /// The registry's folder, instead of the configuration's `registry.path`
    #[arg(long, value_name = "DIR")]
    registry: Option<PathBuf>,
}

impl Place {
    fn directory(&self) -> anyhow::Result<PathBuf> {
        match &self.registry {
            Some(directory) => Ok(directory.clone()),
            None => Ok(self.config.load()?.registry.path),
        }
    }
}

pub(super) fn run(flags: &Flags) -> anyhow::Result<()> {
    let now = daemon::Clock::System.now();
    match &flags.command {
        Command::Show(flags) => show::run(flags),
        Command::Repair(flags) => repair::run(flags, now),
        Command::Set(flags) => set::run(flags, now),
        Command::Import(flags) => import::run(flags, now),
    }
}

/// A page to the standard output.
fn print(page: &str) -> std::io::Result<()> {
    use std::io::Write as _;
    std::io::stdout().write_all(page.as_bytes())
}
