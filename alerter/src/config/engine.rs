//! `engine:` of `alerter.yml`: how the rules take time, and their bounds.
//!
//! Enters: what the operator wrote. Leaves: [`rules::Settings`]. Never: a default of its own; they are the engine's.

use daemon::config::Span;
use jiff::tz::TimeZone;
use rules::Settings;
use rules::rule::Priority;
use schemars::JsonSchema;
use serde::de::Error;
use serde::{Deserialize, Deserializer};

/// `engine:`.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct EngineConfig {
    /// How long after its time an event may come and still be counted; every decision waits this long.
    pub grace: Span,
    /// A source without heartbeats that has sent nothing for this long holds nothing back any more.
    pub idle: Span,
    /// An event from further ahead than this counts as received now; a heartbeat from further behind tells of a slow
    /// clock.
    pub skew_max: Span,
    /// While records are unread, what can be decided from those that were seen waits at most this long.
    pub hold_max: Span,
    /// A group without an alert, a source or a stream that has sent nothing for this long is forgotten.
    pub forget: Span,
    /// A pending or firing alert whose events stopped this long ago ends.
    pub forget_active: Span,
    /// The zone in which summaries write times, such as `Asia/Shanghai`.
    #[schemars(with = "String")]
    pub zone: Zone,
    /// The priority of the alert for a shipper whose heartbeats stay away, or `off`.
    pub blind: Blind,
    /// Groups that one rule keeps; the events of further ones are counted and set aside.
    pub groups_max: usize,
    /// Shippers and hosts that are told apart.
    pub sources_max: usize,
    /// Streams whose offsets are remembered, so that nothing is counted twice.
    pub streams_max: usize,
}

/// A priority, or none.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, JsonSchema)]
pub enum Blind {
    /// As urgent as P0.
    P0,
    /// As urgent as P1.
    P1,
    /// As urgent as P2.
    P2,
    /// As urgent as P3.
    P3,
    /// No such alert.
    #[serde(rename = "off")]
    Off,
}

/// A time zone by its IANA name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Zone(TimeZone);

impl Zone {
    /// Its IANA name; empty for a zone without one.
    #[must_use]
    pub fn name(&self) -> String {
        self.0.iana_name().unwrap_or_default().to_owned()
    }
}

impl<'de> Deserialize<'de> for Zone {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let name = String::deserialize(deserializer)?;
        TimeZone::get(&name).map(Zone).map_err(|_| {
            D::Error::custom(format!(
                "`{name}` is no time zone: write its IANA name, such as `Asia/Shanghai` or `UTC`"
            ))
        })
    }
}

impl Default for EngineConfig {
    fn default() -> Self {
        let settings = Settings::default();
        EngineConfig {
            grace: Span(settings.grace),
            idle: Span(settings.idle),
            skew_max: Span(settings.skew_max),
            hold_max: Span(settings.hold_max),
            forget: Span(settings.forget),
            forget_active: Span(settings.forget_active),
            zone: Zone(settings.zone),
            blind: match settings.blind {
                Some(Priority::P0) => Blind::P0,
                Some(Priority::P1) => Blind::P1,
                Some(Priority::P2) => Blind::P2,
                Some(Priority::P3) => Blind::P3,
                None => Blind::Off,
            },
            groups_max: settings.groups_max,
            sources_max: settings.sources_max,
            streams_max: settings.streams_max,
        }
    }
}

impl EngineConfig {
    /// The engine's own form.
    #[must_use]
    pub fn settings(&self) -> Settings {
        Settings {
            grace: self.grace.0,
            idle: self.idle.0,
            skew_max: self.skew_max.0,
            hold_max: self.hold_max.0,
            forget: self.forget.0,
            forget_active: self.forget_active.0,
            zone: self.zone.0.clone(),
            blind: match self.blind {
                Blind::P0 => Some(Priority::P0),
                Blind::P1 => Some(Priority::P1),
                Blind::P2 => Some(Priority::P2),
                Blind::P3 => Some(Priority::P3),
                Blind::Off => None,
            },
            groups_max: self.groups_max,
            sources_max: self.sources_max,
            streams_max: self.streams_max,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_defaults_are_the_engines() {
        assert_eq!(EngineConfig::default().settings(), Settings::default());
    }
}
