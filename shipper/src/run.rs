//! Everything of a shipper, put together.
//!
//! Enters: a configuration, and later ones. Leaves: inputs, output and heartbeat, running until `shutdown`, and drained
//! at the end. Never: a signal, a flag, a page; those are the program's.
//!
//! A new configuration ends everything and starts it anew from the registry, by the same steps as an end and a start of
//! the process: there is one way to stop, and it loses nothing. What was in flight and not acknowledged is sent again
//! under the same event ids. A new configuration that cannot start gives way to the one before it.

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
use crate::ledger;
use crate::metric::ShipperMetrics;
use crate::output::{self, OutputError};
use crate::registry::Doubt;
use crate::route::{Lanes, TooManyLanes};
use crate::status::Board;
use daemon::dead_letter::DeadLetters;

/// The part of readiness that says whether the configuration that was loaded last is the one that runs.
pub(crate) const CONFIG: &str = "config";

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
    /// Where it can be asked how it is.
    pub board: Board,
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
    /// The inputs' topics; [`Config::check`] finds it before.
    #[error("{0}")]
    Lanes(TooManyLanes),
    /// A probe; [`Config::check`] finds it before.
    #[error("{0}")]
    Probe(String),
    /// TLS for probes.
    #[error("probes: TLS cannot be set up: {0}")]
    Tls(reqwest::Error),
    /// A defect of the reader; its panic is in the log.
    #[error(
        "the reader of files panicked; start the shipper again: what was not acknowledged is read and sent again"
    )]
    Reader,
    /// The system has no thread to give.
    #[error("cannot start the reader's thread: {0}")]
    Thread(std::io::Error),
}

/// What lives as long as the process, over all configurations.
struct Lasting {
    clock: Clock,
    readiness: Readiness,
    queue: Option<Queue>,
    board: Board,
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
        board: deps.board,
        metrics: ShipperMetrics::new(&deps.metrics),
        file_metrics: FileMetrics::new(&deps.metrics),
    };
    let mut reloads = deps.reloads;
    let mut generation = Generation::start(&config, &lasting)?;
    loop {
        let next = tokio::select! {
            () = shutdown.cancelled() => Ok(None),
            Some(next) = next_config(&mut reloads) => Ok(Some(next)),
            // Its join tells why.
            () = generation.output.ended() => Ok(None),
            () = reader_ended(&mut generation.files) => Err(RunError::Reader),
        };
        generation.end().await?;
        let Some(next) = next? else { return Ok(()) };
        generation = match Generation::start(&next, &lasting) {
            Ok(started) => {
                lasting.readiness.up(CONFIG);
                config = next;
                started
            }
            Err(error) => {
                lasting.readiness.down(CONFIG, format!("{error}; the configuration before it stays"));
                Generation::start(&config, &lasting)?
            }
        };
    }
}

/// Waits until the reader has ended by itself, which only a defect makes it do.
async fn reader_ended(files: &mut Option<file::Handle>) {
    match files {
        Some(files) => files.ended().await,
        None => std::future::pending().await,
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
        let lanes = config.lanes().map_err(RunError::Lanes)?;
        let (sender, receiver) = channel(&lanes);
        let (files, doubt) = start_files(config, lasting, &lanes, &sender)?.unzip();
        let inbox = files.as_ref().map(|files| files.inbox().clone());
        lasting.board.set(host.clone(), inbox.clone());
        let home = inbox.clone();
        let deps = output::Deps {
            clock: lasting.clock.clone(),
            readiness: lasting.readiness.clone(),
            metrics: lasting.metrics.output.clone(),
            dead_letters: DeadLetters::new(folder),
            queue: lasting.queue.clone(),
            lanes: lanes.clone(),
            memory: inbox.clone().map(|inbox| memory(inbox, doubt.flatten())),
            settled: Box::new(move |settled| {
                if let Some(home) = &home {
                    home.settle(settled);
                }
            }),
        };
        let output = match output::start(&config.output, deps, receiver) {
            Ok(output) => output,
            Err(error) => {
                // It holds the registry, which whoever starts next needs.
                if let Some(files) = files {
                    files.join();
                }
                return Err(error.into());
            }
        };
        let generation =
            Generation { files, output, sender, tasks: TaskTracker::new(), stop: Shutdown::new() };
        generation.start_probes(config, lasting, &host)?;
        let identity = Identity::new(config, agent);
        generation.start_ledger(config, lasting, &lanes, &identity);
        let totals = move || inbox.as_ref().map_or_else(FileTotals::default, file::Inbox::totals);
        generation.tasks.spawn(heartbeat::run(
            identity,
            totals,
            generation.sender.clone(),
            lanes,
            lasting.metrics.probe.clone(),
            lasting.clock.clone(),
            generation.stop.clone(),
        ));
        tracing::info!(inputs = config.inputs.len(), host, "shipping");
        Ok(generation)
    }

    /// Tells of every file's ledger, where there is a topic for it.
    fn start_ledger(&self, config: &Config, lasting: &Lasting, lanes: &Lanes, identity: &Identity) {
        let (Some(wish), Some(files)) = (config.control(), &self.files) else { return };
        let deps = ledger::Deps {
            lane: lanes.find(&wish),
            identity: identity.clone(),
            inbox: files.inbox().clone(),
            sender: self.sender.clone(),
            metrics: lasting.metrics.probe.clone(),
            clock: lasting.clock.clone(),
        };
        self.tasks.spawn(ledger::run(deps, self.stop.clone()));
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
    lanes: &Lanes,
    sender: &Sender,
) -> Result<Option<(file::Handle, Option<Doubt>)>, RunError> {
    let configs: Vec<file::FileConfig> = config.files().collect();
    if configs.is_empty() {
        return Ok(None);
    }
    let deps = file::Deps {
        pinned: config.pinned,
        host: config.host(),
        registry: config.registry.path.clone(),
        readiness: lasting.readiness.clone(),
        lanes: lanes.clone(),
    };
    let mut input = FileInput::open(configs, deps, lasting.clock.now())?;
    let doubt = input.take_doubt();
    let deps = file::RunDeps {
        clock: lasting.clock.clone(),
        sender: sender.clone(),
        lanes: lanes.clone(),
        metrics: lasting.file_metrics.clone(),
    };
    file::spawn(input, deps).map(|handle| Some((handle, doubt))).map_err(RunError::Thread)
}

/// What an output remembers by means of the registry of the files.
fn memory(inbox: file::Inbox, doubt: Option<Doubt>) -> output::Memory {
    let also = inbox.clone();
    output::Memory {
        doubt,
        begin: Box::new(move |anchors| inbox.begin(anchors)),
        reach: Box::new(move |reached| also.reach(reached)),
    }
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::path::Path;
    use std::time::Duration;

    use daemon::Source;
    use daemon::source::Position;

    use super::*;

    fn config(logs: &Path, registry: &Path) -> Config {
        let (logs, registry) = (logs.display(), registry.display());
        let text = format!(
            "inputs: [ file: {{ paths: ['{logs}/*.log'] }} ]\noutput: {{ queue: {{}} }}\nregistry: {{ path: '{registry}' }}"
        );
        daemon::config::parse("shipper.yml", &text).unwrap()
    }

    #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
    async fn a_new_configuration_that_cannot_start_leaves_the_one_before_it() {
        let (logs, state) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        fs::write(state.path().join("file"), "no folder").unwrap();
        let good = config(logs.path(), &state.path().join("registry"));
        let bad = config(logs.path(), &state.path().join("file/registry"));
        let queue = Queue::new(1 << 20);
        let mut reader = queue.subscribe();
        let (reloads, receiver) = mpsc::channel(1);
        let (readiness, shutdown) = (Readiness::default(), Shutdown::new());
        let deps = Deps {
            clock: Clock::System,
            readiness: readiness.clone(),
            metrics: Metrics::new(),
            queue: Some(queue),
            board: Board::default(),
            reloads: Some(receiver),
        };
        let task = tokio::spawn(run(good.clone(), deps, shutdown.clone()));
        reloads.send(bad).await.unwrap();
        while readiness.parts().get(CONFIG).is_none_or(Result::is_ok) {
            assert!(!task.is_finished());
            tokio::task::yield_now().await;
        }
        fs::write(logs.path().join("a.log"), "still here\n").unwrap();
        let is_here =
            |record: &daemon::source::Record| record.payload.windows(10).any(|words| words == b"still here");
        let mut is_shipped = false;
        while !is_shipped {
            assert!(!task.is_finished());
            for record in reader.next(Duration::from_secs(1)).await.unwrap().records {
                is_shipped |= is_here(&record);
                let (topic, next) = (record.topic.to_string(), record.offset + 1);
                reader.commit(&[Position { topic, partition: record.partition, next }]).await.unwrap();
            }
        }
        reloads.send(good).await.unwrap();
        while readiness.parts()[CONFIG].is_err() {
            assert!(!task.is_finished());
            tokio::task::yield_now().await;
        }
        drop(reader);
        shutdown.cancel();
        task.await.unwrap().unwrap();
    }
}
