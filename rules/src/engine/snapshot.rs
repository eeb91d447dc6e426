//! The engine's state on disk.
//!
//! Enters: an engine. Leaves: plain data, from which another engine goes on as if nothing had happened, when it is
//! given the records after those that this one saw. Never: a rule; rules come from their files.

use event::Timestamp;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::clock::Clock;
use super::group::Group;

use super::lifecycle::{identity, places};
use super::{Engine, render};
use crate::dedup::{Dedup, StreamSnapshot};
use crate::source::{SourceSnapshot, Sources};
use crate::window::nanos;

/// The version of the snapshot's shape. A snapshot of another one is refused when it is read.
pub const SNAPSHOT_VERSION: u32 = 1;

/// All that an engine knows.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Snapshot {
    version: Version,
    /// Names and identities of the rules, which groups name by their place here.
    rules: Vec<(String, String)>,
    groups: Vec<Group>,
    sources: Vec<SourceSnapshot>,
    streams: Vec<StreamSnapshot>,
    clock: Clock,
    #[serde(with = "nanos")]
    swept: Timestamp,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Version;

impl Serialize for Version {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_u32(SNAPSHOT_VERSION)
    }
}

impl<'de> Deserialize<'de> for Version {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let found = u32::deserialize(deserializer)?;
        if found == SNAPSHOT_VERSION {
            return Ok(Version);
        }
        Err(serde::de::Error::custom(format!(
            "engine snapshot of version {found}, this program reads {SNAPSHOT_VERSION}: start the program that wrote it, or \
             move the state away to begin anew"
        )))
    }
}

impl Engine {
    /// The state at this moment.
    #[must_use]
    pub fn snapshot(&self) -> Snapshot {
        Snapshot {
            version: Version,
            rules: self.rules.iter().map(|rule| (rule.name.clone(), identity(rule))).collect(),
            groups: self.groups.iter().map(|(_, group)| group.clone()).collect(),
            sources: self.sources.snapshot(),
            streams: self.dedup.snapshot(),
            clock: self.clock.resumed(),
            swept: self.swept,
        }
    }

    /// Goes on from `snapshot` with the rules of this engine, whose own state is forgotten. Alerts of rules that are
    /// gone or changed end with the next call. The queue counts as unread until the engine is told otherwise.
    pub fn restore(&mut self, snapshot: Snapshot) {
        let places = places(&snapshot.rules, &self.rules);
        self.clock = snapshot.clock;
        self.swept = snapshot.swept;
        self.sources = Sources::restore(snapshot.sources);
        for (_, source) in self.sources.iter_mut() {
            source.judged = source.seconds(&self.settings);
        }
        self.dedup = Dedup::restore(&snapshot.streams);
        self.groups.drain().for_each(drop);
        self.queued.clear();
        for mut group in snapshot.groups {
            match places.get(group.rule as usize) {
                Some(&Ok(place)) => {
                    group.rule = place;
                    self.groups.add(group);
                }
                Some(&Err(reason)) => {
                    let at = group.judged;
                    self.queued
                        .extend(group.close(at, reason).map(|(change, last)| render::ended(last, change)));
                }
                None => {}
            }
        }
        self.link();
    }
}
