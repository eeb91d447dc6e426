//! Who sends events, how far their time has come, and whether they are heard.
//!
//! Enters: event times, heartbeats and the time of receipt. Leaves: for each source, the moment up to which its
//! events are known to be in, and whether it is live, idle or blind.
//! Never: one source's clock in another source's time.

mod table;

pub use table::{SourceSnapshot, Sources};

use std::ops::RangeInclusive;
use std::time::Duration;

use event::{Heartbeat, StreamId, Timestamp};
use serde::{Deserialize, Serialize};

use crate::settings::Settings;
use crate::state::Alert;
use crate::transition::Transition;
use crate::window::{STEP_MIN, nanos};

/// What a source is known by.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SourceName {
    /// `host.name`.
    Host(String),
    /// The stream of records that name no host, in hex; for plain records that is their partition.
    Stream(String),
    /// All sources beyond `sources_max`, and records without any name.
    Rest,
}

impl SourceName {
    /// The name of a stream.
    #[must_use]
    pub fn stream(id: StreamId) -> Self {
        SourceName::Stream(id.to_string())
    }

    /// The host; `None` for the others.
    #[must_use]
    pub fn host(&self) -> Option<&str> {
        match self {
            SourceName::Host(host) => Some(host),
            SourceName::Stream(_) | SourceName::Rest => None,
        }
    }
}

/// Is a source heard?
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Hearing {
    /// It is; decisions wait for its time.
    Live,
    /// It has sent nothing for a while and promised nothing; nothing waits for it.
    Idle,
    /// Its heartbeat is missing although everything was read: nobody knows what happens there.
    Blind,
}

/// The newest heartbeat.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Beat {
    /// By the shipper's clock.
    pub at: Timestamp,
    /// When the next is due.
    pub every: Duration,
    /// Since when the shipper has had a backlog.
    pub oldest_unshipped: Option<Timestamp>,
    /// When it was received, in reading time.
    pub received: Timestamp,
}

/// Heartbeats that promise the next one sooner or later than this are taken at this; the promise comes from outside.
const BEAT_EVERY: RangeInclusive<Duration> = Duration::from_secs(1)..=Duration::from_hours(1);

/// This many intervals without a heartbeat make a source blind.
pub const BEATS_MISSED_MAX: u32 = 3;

/// One source.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Source {
    /// Its name.
    pub name: SourceName,
    /// The newest event time, never ahead of the receipt by more than `skew_max`.
    #[serde(with = "nanos")]
    pub newest: Timestamp,
    /// When anything was received from it, in reading time, which stands still while records are unread.
    #[serde(rename = "heard_reading", with = "nanos")]
    pub heard: Timestamp,
    /// Its newest heartbeat; `None` for shippers that send none.
    pub beat: Option<Beat>,
    /// Its clock, or all it sends, is behind by more than `skew_max`: nothing waits for its time where others are
    /// heard.
    pub is_slow: bool,
    /// Its clock was ahead by more than `skew_max` at its newest event.
    pub is_fast: bool,
    /// Is it heard?
    pub hearing: Hearing,
    /// The alert `blind` of this source.
    pub alert: Alert,
    /// That alert's newest transition while it is not inactive.
    pub last: Option<Box<Transition>>,
    /// The groups that have had an event of this source.
    #[serde(skip)]
    pub groups: Vec<u32>,
    /// The seconds of `newest` and of `reached` when its groups were judged last.
    #[serde(skip)]
    pub judged: (Timestamp, Timestamp),
}

impl Source {
    /// A source of which nothing is known but its name.
    #[must_use]
    pub fn new(name: SourceName) -> Self {
        Source {
            name,
            newest: Timestamp::MIN,
            heard: Timestamp::MIN,
            beat: None,
            is_slow: false,
            is_fast: false,
            hearing: Hearing::Live,
            alert: Alert::Inactive,
            last: None,
            groups: Vec::new(),
            judged: (Timestamp::MIN, Timestamp::MIN),
        }
    }

    /// Takes an event's time and gives the one to count it under: an event from the future happened no later
    /// than it was received. `reading`: now, in reading time.
    pub fn take_event(
        &mut self,
        at: Timestamp,
        now: Timestamp,
        reading: Timestamp,
        settings: &Settings,
    ) -> Timestamp {
        self.is_fast = at > now.plus(settings.skew_max);
        let at = if self.is_fast { now } else { at };
        self.newest = self.newest.max(at);
        self.hear(reading);
        at
    }

    /// Takes a heartbeat. An older one than known says nothing new.
    pub fn take_beat(&mut self, beat: &Heartbeat, now: Timestamp, reading: Timestamp, settings: &Settings) {
        self.hear(reading);
        if self.beat.is_some_and(|known| known.at > beat.at) && !self.is_fast {
            return;
        }
        self.is_fast = beat.at > now.plus(settings.skew_max);
        let at = if self.is_fast { now } else { beat.at };
        let Heartbeat { every, oldest_unshipped, .. } = *beat;
        let every = every.clamp(*BEAT_EVERY.start(), *BEAT_EVERY.end());
        self.beat = Some(Beat { at, every, oldest_unshipped, received: reading });
    }

    fn hear(&mut self, reading: Timestamp) {
        self.heard = self.heard.max(reading);
        // A blind source is live again by its heartbeat alone: other shippers may send in its name.
        if self.hearing == Hearing::Idle || self.beat.is_none() {
            self.hearing = Hearing::Live;
        }
    }

    /// Up to here the source's events are in. A heartbeat without a backlog moves it like an event; a backlog
    /// that is older than the grace holds it.
    #[must_use]
    pub fn reached(&self, settings: &Settings) -> Timestamp {
        let Some(beat) = self.beat else { return self.newest };
        match self.backlog(settings) {
            Some(oldest) => self.newest.min(oldest),
            None => self.newest.max(beat.at),
        }
    }

    /// The seconds of `newest` and of `reached`: what is judged depends on these alone.
    #[must_use]
    pub fn seconds(&self, settings: &Settings) -> (Timestamp, Timestamp) {
        (self.newest.floor(STEP_MIN), self.reached(settings).floor(STEP_MIN))
    }

    /// The oldest unshipped moment, if it is old enough to hold decisions back.
    #[must_use]
    pub fn backlog(&self, settings: &Settings) -> Option<Timestamp> {
        let beat = self.beat?;
        beat.oldest_unshipped.filter(|&oldest| beat.at.since(oldest) > settings.grace)
    }

    /// When the source stops being live unless it is heard before. `unread`: the wall clock less reading time.
    #[must_use]
    pub fn patience(&self, unread: Duration, settings: &Settings) -> Timestamp {
        let (since, limit) = match self.beat {
            Some(beat) => (beat.received, beat.every.saturating_mul(BEATS_MISSED_MAX)),
            None => (self.heard, settings.idle),
        };
        since.plus(limit).plus(unread)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use event::heartbeat::Ledger;

    const NOW: i64 = 10_000;

    fn second(at: i64) -> Timestamp {
        Timestamp::from_secs(at)
    }

    fn beat(at: i64, oldest_unshipped: Option<i64>) -> Heartbeat {
        Heartbeat {
            host: "a".to_owned(),
            agent: "1".to_owned(),
            at: second(at),
            every: Duration::from_secs(10),
            services: vec![],
            streams: 1,
            backlog_bytes: 0,
            oldest_unshipped: oldest_unshipped.map(second),
            ledger: Ledger::default(),
        }
    }

    /// Event times, and heartbeats as (at, oldest unshipped), all received at `NOW`.
    fn check(events: &[i64], beats: &[(i64, Option<i64>)], reached: i64, is_fast: bool) {
        let settings = Settings::default();
        let mut source = Source::new(SourceName::Rest);
        for &at in events {
            source.take_event(second(at), second(NOW), second(NOW), &settings);
        }
        for &(at, oldest) in beats {
            source.take_beat(&beat(at, oldest), second(NOW), second(NOW), &settings);
        }
        assert_eq!(source.reached(&settings), second(reached), "{events:?} {beats:?}");
        assert_eq!(source.is_fast, is_fast, "{events:?} {beats:?}");
    }

    #[test]
    fn time_moves_by_events_and_heartbeats() {
        check(&[9990], &[], 9990, false);
        check(&[9990, 9980], &[], 9990, false);
        check(&[10_060], &[], 10_060, false);
        check(&[10_061], &[], NOW, true);
        check(&[9990], &[(9995, None)], 9995, false);
        check(&[9990], &[(9995, Some(9991))], 9995, false);
        check(&[9990], &[(9995, Some(9900))], 9900, false);
        check(&[9890], &[(9995, Some(9900))], 9890, false);
        check(&[9990], &[(9995, None), (9985, Some(9000))], 9995, false);
        check(&[9990], &[(13_600, None)], NOW, true);
        check(&[9990], &[(13_600, None), (9995, None)], 9995, false);
    }

    #[test]
    fn patience_is_counted_in_reading_time() {
        let (settings, none, minute) = (Settings::default(), Duration::ZERO, Duration::from_secs(60));
        let mut source = Source::new(SourceName::Rest);
        source.take_event(second(NOW), second(NOW), second(NOW), &settings);
        assert_eq!(source.patience(none, &settings), second(NOW + 30));
        assert_eq!(source.patience(minute, &settings), second(NOW + 90));
        source.take_beat(&beat(NOW, None), second(NOW), second(NOW - 60), &settings);
        assert_eq!(source.patience(minute, &settings), second(NOW + 30));
    }
}
