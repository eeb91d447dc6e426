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
mod resume;

use std::sync::Arc;

use daemon::Readiness;
use daemon::dead_letter::DeadLetters;
use event::Timestamp;

pub use config::{Compression, KafkaConfig};
use grave::Graves;
use lane::Lane;
use resume::{Resume, Standing};

use super::{Memory, OutputError};
use crate::batch::Settled;
use crate::channel::Parcel;
use crate::metric::OutputMetrics;
use crate::route::{LaneId, Lanes};

/// The output.
pub(super) struct Kafka {
    lanes: Vec<Lane>,
    graves: Graves,
    resume: Resume,
}

impl Kafka {
    /// Connects in the background; the broker need not be there.
    pub(super) fn new(
        config: &KafkaConfig,
        lanes: &Lanes,
        readiness: &Readiness,
        metrics: &OutputMetrics,
        dead_letters: DeadLetters,
        memory: Option<Memory>,
        now: Timestamp,
    ) -> Result<Self, OutputError> {
        let count = lanes.len();
        let lane = |lane| Lane::new(config, lane, count, readiness.clone(), metrics.clone(), now);
        let lanes = lanes.iter().map(|(_, one)| lane(one)).collect::<Result<Vec<Lane>, _>>()?;
        let topics: Vec<_> = lanes.iter().map(|lane| Arc::clone(&lane.topic)).collect();
        let resume = Resume::new(config, &topics, memory, readiness.clone(), now)?;
        Ok(Kafka { lanes, graves: Graves { letters: dead_letters, settled: Vec::new() }, resume })
    }

    /// See [`super::Output`].
    pub(super) fn handle(
        &mut self,
        parcel: &Parcel,
        from: usize,
        now: Timestamp,
    ) -> Result<usize, OutputError> {
        let number = parcel.lane().index();
        let Some(lane) = self.lanes.get_mut(number) else { return Ok(from) };
        if !self.resume.is_ready(&lane.topic, lane.client(), now) {
            return Ok(from);
        }
        self.resume.send(number);
        lane.handle(parcel, from, &mut self.graves, &mut self.resume, now)
    }

    /// See [`super::Output`].
    pub(super) fn tick(&mut self, now: Timestamp, settled: &mut Vec<Settled>) -> Result<(), OutputError> {
        self.resume.tick(now)?;
        for (number, lane) in self.lanes.iter_mut().enumerate() {
            if lane.heartbeat.is_some() {
                self.resume.send(number);
            }
            lane.tick(now, &mut self.graves, settled)?;
            for (partition, next) in lane.reached.drain(..) {
                self.resume.acked(number, partition, next, lane.is_replaying);
            }
        }
        settled.append(&mut self.graves.settled);
        let lanes = &self.lanes;
        let standing = |number: usize| lanes.get(number).map_or(Standing::default(), Lane::standing);
        self.resume.end_turn(standing, now);
        Ok(())
    }

    /// See [`super::Output`].
    pub(super) fn deadline(&self) -> Option<Timestamp> {
        // While the ends of partitions are read, every turn is one of reading.
        let reading = self.resume.is_reading().then_some(Timestamp::EPOCH);
        self.lanes.iter().filter_map(Lane::deadline).chain(reading).min()
    }

    /// See [`super::Output::paced`].
    pub(super) fn pending_on(&self, lane: LaneId) -> usize {
        self.lanes.get(lane.index()).map_or(0, Lane::pending)
    }

    /// See [`super::Output`].
    pub(super) fn pending(&self) -> usize {
        self.lanes.iter().map(Lane::pending).sum()
    }
}

#[cfg(test)]
mod test;
