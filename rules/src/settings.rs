//! The engine's knobs, apart from the rules.
//!
//! Enters: what the operator wrote, or defaults. Leaves: plain numbers.

use std::time::Duration;

use jiff::tz::TimeZone;

use crate::rule::Priority;

/// How the engine takes time, and its bounds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Settings {
    /// How long after its time an event may come and still be counted; every decision waits this long.
    pub grace: Duration,
    /// A source without heartbeats that has sent nothing for this long holds nothing back any more.
    pub idle: Duration,
    /// An event from further ahead than this happened when it was received; a heartbeat from further behind
    /// tells of a slow clock.
    pub skew_max: Duration,
    /// While records are unread, decisions that can be taken from what was seen wait at most this long, in event time.
    pub hold_max: Duration,
    /// A group without an alert, a source or a stream that has sent nothing for this long is forgotten.
    pub forget: Duration,
    /// A pending or firing alert whose events stopped this long ago ends.
    pub forget_active: Duration,
    /// The priority of the alert `blind`; `None` turns it off.
    pub blind: Option<Priority>,
    /// Groups that one rule keeps; the events of further ones are counted and set aside.
    pub groups_max: usize,
    /// Sources that are told apart; further ones are taken as one.
    pub sources_max: usize,
    /// The zone in which templates write times.
    pub zone: TimeZone,
    /// Streams whose offsets are remembered against duplicates; the one that was silent longest makes room.
    pub streams_max: usize,
}

impl Default for Settings {
    fn default() -> Self {
        Settings {
            grace: Duration::from_secs(5),
            idle: Duration::from_secs(30),
            skew_max: Duration::from_secs(60),
            hold_max: Duration::from_secs(300),
            forget: Duration::from_hours(24),
            forget_active: Duration::from_hours(24 * 7),
            blind: Some(Priority::P1),
            groups_max: 10_000,
            sources_max: 10_000,
            zone: TimeZone::UTC,
            streams_max: 100_000,
        }
    }
}
