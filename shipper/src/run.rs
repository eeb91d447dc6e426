//! Everything of a shipper, put together.
//!
//! Enters: a configuration, and later ones. Leaves: inputs, output and heartbeat, running until `shutdown`, and drained
//! at the end. Never: a signal, a flag, a page; those are the program's.
//!
//! A new configuration ends everything and starts it anew from the registry, by the same steps as an end and a start of
//! the process: there is one way to stop, and it loses nothing. What was in flight and not acknowledged is sent again
//! under the same event ids.

use daemon::metric::Metrics;
use daemon::source::queue::Queue;
use daemon::{Clock, Readiness, Shutdown};
use tokio::sync::mpsc;
use tokio_util::task::TaskTracker;

use crate::channel::{Sender, channel};
use crate::config::Config;
use crate::heartbeat::{self, Identity};
use crate::input::file::{self, FileInput, FileMetrics, FileTotals};
use crate::input::{InputConfig, probe};
use crate::metric::ShipperMetrics;
use crate::output::{self, OutputError};
use daemon::dead_letter::DeadLetters;

/// What a shipper is given.
#[derive(Debug)]
pub struct Deps {
    /// Time.
    pub clock: Clock,
    /// Parts `registry`, `kafka`, `output`.
    pub readiness: Readiness,
    /// Where its metrics are registered; once in a process.
    pub metrics: Metrics,
    /// The process's queue, for `output.queue`.
    pub queue: Option<Queue>,
    /// Later configurations, checked.
    pub reloads: Option<mpsc::Receiver<Config>>,
}

/// Why a shipper ended before it was asked to.
#[derive(Debug, thiserror::Error)]
pub enum RunError {
    /// The inputs' patterns, or the registry.
    #[error(transparent)]
    Input(#[from] file::OpenError),
    /// The registry's folder.
    #[error("{path}: {error}; the shipper needs a folder of its own that it can write, see `registry.path`")]
    Folder {
        /// The folder.
        path: String,
        /// What the system says.
        error: std::io::Error,
    },
    /// The output.
    #[error(transparent)]
    Output(#[from] OutputError),
    /// A probe; [`Config::check`] finds it before.
    #[error("{0}")]
    Probe(String),
    /// TLS for probes.
    #[error("probes: TLS cannot be set up: {0}")]
    Tls(reqwest::Error),
    /// The system has no thread to give.
    #[error("cannot start the reader's thread: {0}")]
    Thread(std::io::Error),
}

/// What lives as long as the process, over all configurations.
struct Lasting {
    clock: Clock,
    readiness: Readiness,
    queue: Option<Queue>,
    metrics: ShipperMetrics,
    file_metrics: FileMetrics,
}

/// Runs until `shutdown`, then reads nothing more, waits at most [`output::DRAIN_MAX`] for the last answers, and makes
/// the offsets durable.
///
/// # Errors
/// [`RunError`] when it cannot start, or the output cannot go on.
pub async fn run(mut config: Config, deps: Deps, shutdown: Shutdown) -> Result<(), RunError> {
    let lasting = Lasting {
        clock: deps.clock,
        readiness: deps.readiness,
        queue: deps.queue,
        metrics: ShipperMetrics::new(&deps.metrics),
        file_metrics: FileMetrics::new(&deps.metrics),
    };
    let mut reloads = deps.reloads;
    loop {
        let mut generation = Generation::start(&config, &lasting)?;
        let next = tokio::select! {
            () = shutdown.cancelled() => None,
            Some(next) = next_config(&mut reloads) => Some(next),
            () = generation.output.ended() => None,
        };
        generation.end().await?;
        match next {
            Some(next) => config = next,
            None => return Ok(()),
        }
    }
}

async fn next_config(reloads: &mut Option<mpsc::Receiver<Config>>) -> Option<Config> {
    match reloads {
        Some(receiver) => receiver.recv().await,
        None => None,
    }
}

/// Everything that runs by one configuration.
struct Generation {
    files: Option<file::Handle>,
    output: output::Thread,
    sender: Sender,
    tasks: TaskTracker,
    /// Ends probes and heartbeat.
    stop: Shutdown,
}

impl Generation {
    fn start(config: &Config, lasting: &Lasting) -> Result<Self, RunError> {
        let (host, folder) = (config.host(), &config.registry.path);
        let agent = heartbeat::agent_id(folder, &host, lasting.clock.now())
            .map_err(|error| RunError::Folder { path: folder.display().to_string(), error })?;
        let (sender, receiver) = channel();
        let files = start_files(config, lasting, &sender)?;
        let inbox = files.as_ref().map(|files| files.inbox().clone());
        let home = inbox.clone();
        let deps = output::Deps {
            clock: lasting.clock.clone(),
            readiness: lasting.readiness.clone(),
            metrics: lasting.metrics.output.clone(),
            dead_letters: DeadLetters::new(folder),
            queue: lasting.queue.clone(),
            settled: Box::new(move |settled| {
                if let Some(home) = &home {
                    home.settle(settled);
                }
            }),
        };
        let output = output::start(&config.output, deps, receiver)?;
        let generation =
            Generation { files, output, sender, tasks: TaskTracker::new(), stop: Shutdown::new() };
        generation.start_probes(config, lasting, &host)?;
        let totals = move || inbox.as_ref().map_or_else(FileTotals::default, file::Inbox::totals);
        generation.tasks.spawn(heartbeat::run(
            Identity::new(config, agent),
            totals,
            generation.sender.clone(),
            lasting.metrics.probe.clone(),
            lasting.clock.clone(),
            generation.stop.clone(),
        ));
        tracing::info!(inputs = config.inputs.len(), host, "shipping");
        Ok(generation)
    }

    fn start_probes(&self, config: &Config, lasting: &Lasting, host: &str) -> Result<(), RunError> {
        let deps = probe::Deps {
            clock: lasting.clock.clone(),
            sender: self.sender.clone(),
            metrics: lasting.metrics.probe.clone(),
            host: host.to_owned(),
            client: probe::client().map_err(RunError::Tls)?,
        };
        for input in &config.inputs {
            if let InputConfig::Probe(probe) = input {
                let target = probe.check().map_err(RunError::Probe)?;
                self.tasks.spawn(probe::run(probe.clone(), target, deps.clone(), self.stop.clone()));
            }
        }
        Ok(())
    }

    /// Sources first, then the output, then the offsets.
    async fn end(self) -> Result<(), RunError> {
        if let Some(files) = &self.files {
            files.stop_reading();
        }
        self.stop.cancel();
        self.tasks.close();
        self.tasks.wait().await;
        self.sender.close();
        let (output, files) = (self.output, self.files);
        let joined = tokio::task::spawn_blocking(move || {
            let result = output.join();
            if let Some(files) = files {
                files.join();
            }
            result
        });
        // The closure has no panic of its own; those of the threads are told by their joins.
        joined.await.unwrap_or(Ok(())).map_err(RunError::Output)
    }
}

fn start_files(
    config: &Config,
    lasting: &Lasting,
    sender: &Sender,
) -> Result<Option<file::Handle>, RunError> {
    let configs: Vec<file::FileConfig> = config
        .inputs
        .iter()
        .filter_map(|input| match input {
            InputConfig::File(file) => Some(file.clone()),
            InputConfig::Probe(_) => None,
        })
        .collect();
    if configs.is_empty() {
        return Ok(None);
    }
    let deps = file::Deps {
        host: config.host(),
        registry: config.registry.path.clone(),
        readiness: lasting.readiness.clone(),
    };
    let input = FileInput::open(configs, deps, lasting.clock.now())?;
    let deps = file::RunDeps {
        clock: lasting.clock.clone(),
        sender: sender.clone(),
        metrics: lasting.file_metrics.clone(),
    };
    file::spawn(input, deps).map(Some).map_err(RunError::Thread)
}
