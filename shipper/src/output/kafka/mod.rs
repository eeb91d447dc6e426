//! Records on Kafka: one [`lane`] for each way there, side by side.
//!
//! Enters: parcels. Leaves: what becomes of their records. Never: a lane that waits for another one.

mod beat;
pub mod config;
mod grave;
mod lane;
pub mod recovery;
pub mod refusal;
mod replay;
mod report;

use daemon::Readiness;
use daemon::dead_letter::DeadLetters;
use event::Timestamp;

pub use config::{Compression, KafkaConfig};
use grave::Graves;
use lane::Lane;

use super::OutputError;
use crate::batch::Settled;
use crate::channel::Parcel;
use crate::metric::OutputMetrics;
use crate::route::Lanes;

/// The output.
pub(super) struct Kafka {
    lanes: Vec<Lane>,
    graves: Graves,
}

impl Kafka {
    /// Connects in the background; the broker need not be there.
    pub(super) fn new(
        config: &KafkaConfig,
        lanes: &Lanes,
        readiness: &Readiness,
        metrics: &OutputMetrics,
        dead_letters: DeadLetters,
        now: Timestamp,
    ) -> Result<Self, OutputError> {
        let count = lanes.len();
        let lane = |lane| Lane::new(config, lane, count, readiness.clone(), metrics.clone(), now);
        let lanes = lanes.iter().map(|(_, one)| lane(one)).collect::<Result<_, _>>()?;
        Ok(Kafka { lanes, graves: Graves { letters: dead_letters, settled: Vec::new() } })
    }

    /// See [`super::Output`].
    pub(super) fn handle(
        &mut self,
        parcel: &Parcel,
        from: usize,
        now: Timestamp,
    ) -> Result<usize, OutputError> {
        match self.lanes.get_mut(parcel.lane().index()) {
            Some(lane) => lane.handle(parcel, from, &mut self.graves, now),
            None => Ok(from),
        }
    }

    /// See [`super::Output`].
    pub(super) fn tick(&mut self, now: Timestamp, settled: &mut Vec<Settled>) -> Result<(), OutputError> {
        for lane in &mut self.lanes {
            lane.tick(now, &mut self.graves, settled)?;
        }
        settled.append(&mut self.graves.settled);
        Ok(())
    }

    /// See [`super::Output`].
    pub(super) fn deadline(&self) -> Option<Timestamp> {
        self.lanes.iter().filter_map(Lane::deadline).min()
    }

    /// See [`super::Output`].
    pub(super) fn pending(&self) -> usize {
        self.lanes.iter().map(Lane::pending).sum()
    }
}

#[cfg(test)]
mod test;
