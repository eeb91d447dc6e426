//! The `indexer` binary: flags in, [`indexer::run()`] called.

use std::path::{Path, PathBuf};

use anyhow::Context as _;
use clap::{Parser, Subcommand};
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
        #[arg(short, long, default_value = "indexer.yml")]
        config: PathBuf,
    },
    /// Says whether the configuration can be run.
    Check {
        /// The configuration.
        #[arg(short, long, default_value = "indexer.yml")]
        config: PathBuf,
    },
}

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    // The one TLS provider of the process; a second call in it would fail, and there is none.
    let _ = rustls::crypto::ring::default_provider().install_default();
    match Flags::parse().command {
        Command::Run { config } => run(&config).await,
        Command::Check { config } => check(&config),
    }
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
