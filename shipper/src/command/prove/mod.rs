//! `shipper prove`.
//!
//! Enters: the user's configuration, of which the connection is used. Leaves: a drill on the user's brokers with a topic,
//! files and a registry of its own, and what was written, delivered, lost and duplicated in it. Never: a file, an offset or
//! a record of the user's; a step that is said to have passed and was not taken.

mod child;
mod codec;
mod drill;
mod judge;
mod plan;
mod proxy;
mod topic;
mod writer;

use std::io::Write as _;
use std::path::Path;
use std::time::Duration;

use anyhow::{Context, bail};
use daemon::{Clock, Shutdown};
use rdkafka::ClientConfig;
use serde_json::Value;
use tokio::runtime::Runtime;

use self::child::Place;
use self::drill::{Drill, Skip};
use self::plan::SCENARIOS;
use self::proxy::Proxy;
use super::ConfigFlag;
use crate::output::OutputConfig;
use crate::output::kafka::KafkaConfig;

/// How long a drill may write: every scenario takes its sixth part.
const MINUTES: std::ops::RangeInclusive<f64> = 0.2..=60.0;

#[derive(Debug, clap::Args)]
pub(super) struct Flags {
    #[command(flatten)]
    config: ConfigFlag,
    /// How long the drill writes
    #[arg(long, default_value_t = 1.0)]
    minutes: f64,
    /// Lines that it writes in a second
    #[arg(long, value_name = "LINES", default_value_t = 500, value_parser = clap::value_parser!(u32).range(1..=20_000))]
    rate: u32,
    /// Write to this topic, which is there, instead of one that the drill makes and deletes
    #[arg(long)]
    topic: Option<String>,
    /// Leave the topic and the scratch folder as they are at the end
    #[arg(long)]
    keep: bool,
}

/// True when nothing was lost and nothing came twice.
pub(super) fn run(flags: &Flags) -> anyhow::Result<bool> {
    let config = flags.config.load()?;
    if !MINUTES.contains(&flags.minutes) {
        bail!("`--minutes` must be between 0.2 and 60");
    }
    let OutputConfig::Kafka(kafka) = &config.output else {
        bail!("`output` is no `kafka`: there is no broker to prove anything with");
    };
    let _ = rustls::crypto::ring::default_provider().install_default();
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build()?;
    let shutdown = runtime.block_on(async { daemon::shutdown::on_signals() })?;
    let scratch = tempfile::Builder::new().prefix("watchfire-prove-").tempdir()?;
    std::fs::create_dir(scratch.path().join("logs"))?;
    let client = connection(kafka).client(&[], &[])?;
    let run = run_name();
    let topic = flags.topic.clone().unwrap_or_else(|| format!("watchfire-prove-{run}"));
    say(&format!(
        "{} min, {} lines a second, topic {topic} at {}, scratch folder {}",
        flags.minutes,
        flags.rate,
        kafka.brokers.join(", "),
        scratch.path().display()
    ))?;
    if flags.topic.is_none() {
        runtime.block_on(topic::create(&client, &topic))?;
    }
    let job = Job { flags, kafka, runtime: &runtime, client: &client, run: &run, topic: &topic };
    let result = job.drill(scratch.path(), shutdown);
    if flags.keep {
        let folder = scratch.keep();
        say(&format!("kept: topic {topic}, folder {}", folder.display()))?;
    } else if flags.topic.is_none()
        && let Err(error) = runtime.block_on(topic::delete(&client, &topic))
    {
        say(&format!("topic {topic} stays: {error:#}; delete it"))?;
    }
    result
}

/// The user's connection, for the reader on the other side.
fn connection(kafka: &KafkaConfig) -> daemon::kafka::KafkaConfig {
    daemon::kafka::KafkaConfig {
        brokers: kafka.brokers.clone(),
        client_id: kafka.client_id.clone(),
        tls: kafka.tls.clone(),
        sasl: kafka.sasl.clone(),
        options: kafka.options.clone(),
    }
}

/// A drill that has a topic.
struct Job<'j> {
    flags: &'j Flags,
    kafka: &'j KafkaConfig,
    runtime: &'j Runtime,
    client: &'j ClientConfig,
    run: &'j str,
    topic: &'j str,
}

impl Job<'_> {
    fn drill(&self, scratch: &Path, shutdown: Shutdown) -> anyhow::Result<bool> {
        let mut skips = Vec::new();
        if !writer::has_gzip() {
            skips.push(Skip::new("compress", "there is no `gzip` on this machine"));
        }
        let proxy = if self.kafka.tls.is_some() {
            let why = "the brokers speak TLS, which a proxy between cannot read, so that their own addresses would \
                       lead past it; cut them off with a firewall to see";
            skips.push(Skip::new("block", why));
            None
        } else {
            Some(Proxy::new())
        };
        let brokers = match &proxy {
            None => self.kafka.brokers.clone(),
            Some(proxy) => {
                let _inside = self.runtime.enter();
                doors(proxy, &self.kafka.brokers)?
            }
        };
        let place =
            Place { folder: scratch.to_owned(), brokers, topic: self.topic.to_owned(), port: free_port()? };
        let file = &self.flags.config.config;
        let text = std::fs::read_to_string(file).with_context(|| file.display().to_string())?;
        let document: Value = yaml::parse(&file.display().to_string(), &text)?;
        let folder = std::path::absolute(file)?;
        let config = child::config(&document, folder.parent().unwrap_or(Path::new("/")), &place);
        let drill = Drill {
            runtime: self.runtime,
            shutdown,
            proxy,
            skips,
            run: self.run.to_owned(),
            rate: self.flags.rate,
            slot: Duration::from_secs_f64(self.flags.minutes * 60.0).div_f64(SCENARIOS.len() as f64),
            place,
        };
        drill.run(&config, self.client)
    }
}

/// An address on this machine for each broker.
fn doors(proxy: &Proxy, brokers: &[String]) -> anyhow::Result<Vec<String>> {
    let mut doors = Vec::new();
    for broker in brokers {
        let (host, port) = broker.rsplit_once(':').context("a broker is host:port")?;
        let host = host.trim_start_matches('[').trim_end_matches(']');
        doors.push(format!("127.0.0.1:{}", proxy.port(host, port.parse()?)?));
    }
    Ok(doors)
}

/// A port that nobody has now; the shipper takes it again after each kill.
fn free_port() -> std::io::Result<u16> {
    Ok(std::net::TcpListener::bind("127.0.0.1:0")?.local_addr()?.port())
}

/// Another name for each run.
fn run_name() -> String {
    let now = Clock::System.now().as_nanos().to_le_bytes();
    let id = event::StreamId::derive(&[&now, &std::process::id().to_le_bytes()]).to_string();
    id.get(..8).unwrap_or_default().to_owned()
}

/// One line of what is going on.
fn say(text: &str) -> std::io::Result<()> {
    let mut out = std::io::stdout().lock();
    writeln!(out, "{text}")?;
    out.flush()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn two_runs_have_two_names() {
        assert_eq!(run_name().len(), 8);
        assert_ne!(run_name(), run_name());
    }
}
