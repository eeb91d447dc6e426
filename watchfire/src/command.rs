//! What an operator types: `watchfire demo`, `watchfire up`, `watchfire check`, `watchfire init`, `watchfire sample`.
//!
//! Enters: flags. Leaves: an exit code: 0 done, 1 failed, 2 flags or a configuration that cannot be used.

use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use alerter::Setup;
use alerter::channel::ChannelDeps;
use alerter::setup::SetupError;
use anyhow::Context;
use clap::{Parser, Subcommand};
use daemon::Clock;
use daemon::config::ConfigError;
use daemon::metric::Metrics;

use crate::config::Config;
use crate::{demo, init, sample, up};

/// Ships logs, judges them, and pages: all of Watchfire in one process.
#[derive(Debug, Parser)]
#[command(name = "watchfire", version, about, long_about = None)]
struct Flags {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Show everything on live input: a sample service that breaks, and the pages that follow
    Demo(demo::Options),
    /// Run on your own files, rules and channels until SIGTERM; SIGHUP or a changed file loads them again
    Up(ConfigFlag),
    /// Say whether configuration and rules can be used
    Check(ConfigFlag),
    /// Write a commented configuration and the shipped rules to start from
    Init {
        /// Where to write them
        #[arg(default_value = ".")]
        folder: PathBuf,
    },
    /// Run the sample service that the demo watches
    Sample(sample::Options),
}

#[derive(Debug, clap::Args)]
struct ConfigFlag {
    /// The configuration
    #[arg(short = 'c', long = "config", value_name = "FILE", default_value = "watchfire.yml")]
    path: PathBuf,
}

/// Parses the process's flags and runs the command.
#[must_use]
pub fn main() -> ExitCode {
    // One TLS provider for the process. It is set once, here, so the error of a second time cannot come.
    let _ = rustls::crypto::ring::default_provider().install_default();
    match execute(Flags::parse().command) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            complain(&format!("{error:#}"));
            let is_unusable = error.is::<ConfigError>() || error.is::<SetupError>();
            ExitCode::from(if is_unusable { 2 } else { 1 })
        }
    }
}

fn execute(command: Command) -> anyhow::Result<()> {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build();
    let runtime = runtime.context("cannot start the runtime")?;
    match command {
        Command::Demo(options) => runtime.block_on(demo::run(options)),
        Command::Up(flag) => runtime.block_on(run(&flag.path)),
        Command::Check(flag) => check(&flag.path),
        Command::Init { folder } => start(&folder),
        Command::Sample(options) => runtime.block_on(async {
            let shutdown = daemon::shutdown::on_signals()?;
            sample::run(options, shutdown).await
        }),
    }
}

async fn run(path: &Path) -> anyhow::Result<()> {
    let config = Config::load(path)?;
    daemon::log::init(config.log.format, &config.log.level)?;
    let shutdown = daemon::shutdown::on_signals().context("cannot listen to signals")?;
    up::run(
        path,
        config,
        up::Deps { clock: Clock::System, metrics: Metrics::new(), observer: None },
        shutdown,
    )
    .await
}

fn check(path: &Path) -> anyhow::Result<()> {
    let config = Config::load(path)?;
    let state = config.alerter_state();
    let setup = Setup::load(config.alerter(&state), up::folder(path), &ChannelDeps::default())?;
    let (inputs, rules, channels) = (config.inputs.len(), setup.plan.rules.len(), setup.channels.len());
    answer(&format!("{}: ok, inputs: {inputs}, rules: {rules}, channels: {channels}\n", path.display()))
}

fn start(folder: &Path) -> anyhow::Result<()> {
    let mut text = String::new();
    for (path, is_new) in init::write(folder)? {
        let word = if is_new { "wrote" } else { "kept, it was there" };
        text.push_str(&format!("{word:<20}{}\n", path.display()));
    }
    let file = folder.join("watchfire.yml");
    text.push_str(&format!("\nedit {0}, then: watchfire up -c {0}\n", file.display()));
    answer(&text)
}

fn answer(text: &str) -> anyhow::Result<()> {
    std::io::stdout().write_all(text.as_bytes()).context("cannot write to the standard output")
}

#[expect(clippy::print_stderr, reason = "the last word of a command, where no log need be set up")]
fn complain(text: &str) {
    eprintln!("watchfire: {text}");
}
