//! Where records go: a family of one file for each kind, and the one loop that drives them.
//!
//! Enters: parcels of the [channel](crate::channel). Leaves: records at a broker, a terminal or a queue, and the
//! [`Settled`] fate of each. Never: a record that is settled before it is safe, a record that is dropped in silence.

use schemars::JsonSchema;
use serde::Deserialize;

pub mod kafka;
mod pace;
pub mod queue;
pub mod stdout;
mod thread;

use std::time::Duration;

use event::Timestamp;

use crate::batch::Settled;
use crate::channel::Parcel;
use crate::registry::{Anchors, Doubt};
use crate::route::{LaneId, Pace};

pub use thread::{DRAIN_MAX, Deps, Thread, start};

/// What is remembered over a kill of the records that were sent, by the input that counts them.
pub struct Memory {
    /// What the process before this one left in doubt.
    pub doubt: Option<Doubt>,
    /// Makes durable from where on records will lie; returns when it is done, or cannot be done.
    pub begin: Box<dyn Fn(Anchors) + Send>,
    /// Tells how far partitions have acknowledged everything, after the fates of what lies before were told.
    pub reach: Box<dyn Fn(Anchors) + Send>,
}

/// `output:`; the kind is the key.
#[derive(Debug, Clone, PartialEq, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum OutputConfig {
    /// To a topic.
    Kafka(Box<kafka::KafkaConfig>),
    /// To the standard output, one JSON object in each line.
    Stdout(stdout::StdoutConfig),
    /// To the consumers in the same process: `watchfire` alone can run it.
    Queue(queue::QueueConfig),
}

impl OutputConfig {
    /// How long records of this pace wait for others before they are given to the output.
    fn hold(&self, pace: Pace) -> Duration {
        match self {
            OutputConfig::Kafka(config) => pace.hold(config.linger.0),
            OutputConfig::Stdout(_) | OutputConfig::Queue(_) => Duration::ZERO,
        }
    }

    /// Finds what cannot work.
    ///
    /// # Errors
    /// A text with the way out.
    pub fn check(&self) -> Result<(), String> {
        match self {
            OutputConfig::Kafka(config) => config.check(),
            OutputConfig::Stdout(_) | OutputConfig::Queue(_) => Ok(()),
        }
    }
}

/// The output cannot go on at all; what it has not settled is read again after the next start.
#[derive(Debug, thiserror::Error)]
pub enum OutputError {
    /// The client refuses its settings.
    #[error("kafka: {0}")]
    Kafka(String),
    /// The standard output is gone.
    #[error("cannot write to the standard output: {0}")]
    Stdout(std::io::Error),
    /// This process has no queue.
    #[error("`output.queue` works only inside `watchfire`; use `output.kafka` or `output.stdout`")]
    NoQueue,
    /// The queue's owner has ended it.
    #[error("the queue of this process is closed")]
    QueueClosed,
    /// The thread cannot be started.
    #[error("cannot start the output's thread: {0}")]
    Thread(std::io::Error),
}

/// The closed set of outputs.
enum Output {
    Kafka(Box<kafka::Kafka>),
    Stdout(stdout::Stdout),
    Queue(queue::QueueOutput),
}

impl Output {
    /// Takes the parcel's records from number `from` on, as many as there is room for; gives the number of the first
    /// that was not taken.
    fn handle(&mut self, parcel: &Parcel, from: usize, now: Timestamp) -> Result<usize, OutputError> {
        match self {
            Output::Kafka(output) => output.handle(parcel, from, now),
            Output::Stdout(output) => output.handle(parcel),
            Output::Queue(output) => output.handle(parcel, from, now),
        }
    }

    /// Serves answers without waiting for them, and adds the fates that are known now.
    fn tick(&mut self, now: Timestamp, settled: &mut Vec<Settled>) -> Result<(), OutputError> {
        match self {
            Output::Kafka(output) => output.tick(now, settled),
            Output::Stdout(output) => {
                output.tick(settled);
                Ok(())
            }
            Output::Queue(output) => {
                output.tick(settled);
                Ok(())
            }
        }
    }

    /// When [`Output::tick`] has something to do although no parcel and no answer came.
    fn deadline(&self) -> Option<Timestamp> {
        match self {
            Output::Kafka(output) => output.deadline(),
            Output::Stdout(_) | Output::Queue(_) => None,
        }
    }

    /// Of this lane's records, those that were taken and have no fate yet; `None` when none of them ever has to wait for
    /// the answer to another.
    fn paced(&self, lane: LaneId) -> Option<usize> {
        match self {
            Output::Kafka(output) => Some(output.pending_on(lane)),
            Output::Stdout(_) | Output::Queue(_) => None,
        }
    }

    /// Records that were taken and have no fate yet.
    fn pending(&self) -> usize {
        match self {
            Output::Kafka(output) => output.pending(),
            Output::Stdout(_) => 0,
            Output::Queue(output) => output.pending(),
        }
    }
}
