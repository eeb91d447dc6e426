//! The `indexer` binary: flags in, [`indexer::run()`] called, exit code out: 0 done, 1 failed, 2 flags or a
//! configuration that cannot be used.

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::Context as _;
use clap::{Parser, Subcommand};
use daemon::config::ConfigError;
use daemon::metric::Metrics;
use daemon::source::kafka::KafkaSource;
use daemon::{Clock, Readiness};
use indexer::config::SourceConfig;
use indexer::{Config, Deps};

/// Writes events from Kafka into Elasticsearch, each once.
#[derive(Parser)]
#[command(version)]
struct Flags {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Runs until SIGTERM or Ctrl-C.
    Run {
        /// The configuration.
        #[arg(short, long, default_value = "/etc/watchfire/indexer.yml")]
        config: PathBuf,
    },
    /// Says whether the configuration can be run.
    Check {
        /// The configuration.
        #[arg(short, long, default_value = "/etc/watchfire/indexer.yml")]
        config: PathBuf,
    },
}

#[tokio::main]
async fn main() -> ExitCode {
    // The one TLS provider of the process; a second call in it would fail, and there is none.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let result = match Flags::parse().command {
        Command::Run { config } => run(&config).await,
        Command::Check { config } => check(&config),
    };
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            complain(&format!("{error:#}"));
            ExitCode::from(if error.is::<ConfigError>() { 2 } else { 1 })
        }
    }
}

#[expect(clippy::print_stderr, reason = "the last word of a command, where no log need be set up")]
fn complain(text: &str) {
    eprintln!("indexer: {text}");
}

async fn run(path: &Path) -> anyhow::Result<()> {
    let config = Config::load(path)?;
    daemon::log::init(config.log.format, &config.log.level)?;
    let shutdown = daemon::shutdown::on_signals()?;
    let (readiness, metrics) = (Readiness::default(), Metrics::new());
    let folder = &config.state.path;
    std::fs::create_dir_all(folder).with_context(|| format!("state.path {}", folder.display()))?;
    let SourceConfig::Kafka(kafka) = &config.source;
    let source = KafkaSource::new(kafka, folder, readiness.clone())?;
    let no_more_routes = Default::default();
    daemon::admin::serve(
        &config.admin.listen,
        readiness.clone(),
        metrics.clone(),
        no_more_routes,
        shutdown.clone(),
    )
    .await?;
    tokio::spawn(daemon::systemd::watchdog(shutdown.clone()));
    daemon::systemd::ready();
    let deps = Deps { clock: Clock::System, source, readiness, metrics };
    let result = indexer::run(config.settings(), deps, shutdown).await;
    daemon::systemd::stopping();
    Ok(result?)
}

#[expect(clippy::print_stdout, reason = "the answer of a command")]
fn check(path: &Path) -> anyhow::Result<()> {
    let config = Config::load(path)?;
    indexer::client::Client::new(&config.elasticsearch)?;
    println!("{}: ok", path.display());
    Ok(())
}
