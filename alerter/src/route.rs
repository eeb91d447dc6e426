//! Who is told of what.
//!
//! Enters: transitions, and the time. Leaves: outbox rows. Never: a send, a retry.
//!
//! Only two transitions are told: to firing, and from firing to resolved. Where the firing was addressed to, there its
//! repetitions and its resolution go too, whatever the routes have become since.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use event::Timestamp;
use rules::rule::Priority;
use rules::{AlertState, Transition};

use crate::outbox::Row;
use crate::{Kind, Notification};

/// Where the alerts of one priority go.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Route {
    /// Names of channels.
    pub channels: Vec<String>,
    /// How often a firing alert is told again; `None`: once is enough.
    pub repeat: Option<Duration>,
}

/// Where everything goes.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Routes {
    /// By priority; one that is missing tells nobody.
    pub by_priority: BTreeMap<Priority, Route>,
    /// The recipients of each channel.
    pub recipients: BTreeMap<String, Vec<String>>,
    /// The zone that they live in, by its IANA name; empty for UTC.
    pub zone: String,
}

impl Routes {
    fn row(
        &self,
        transition: &Transition,
        kind: Kind,
        firing: &Transition,
        address: &Address,
        now: Timestamp,
    ) -> Row {
        let notification = Notification {
            id: Notification::derive_id(transition, kind, &address.channel, &address.recipient),
            kind,
            transition: transition.clone(),
            started_at: firing.at,
            ended_at: None,
            zone: self.zone.clone(),
            firing_missed: false,
        };
        Row::new(&address.channel, &address.recipient, notification, now)
    }
}

/// One firing of one alert, from its start to its resolution. It outlives restarts.
#[derive(Debug, Clone, PartialEq, serde::Serialize, serde::Deserialize)]
pub struct Episode {
    /// The transition to firing.
    pub firing: Transition,
    /// Who was, or is to be, told.
    pub addresses: Vec<Address>,
    /// Repetitions so far.
    pub repeats: u32,
    /// When the next one is due.
    pub repeat_at: Option<Timestamp>,
}

/// One recipient of an episode.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Address {
    /// The channel.
    pub channel: String,
    /// The recipient; empty for a robot.
    pub recipient: String,
    /// True when the vendor has taken a message about this episode.
    pub is_told: bool,
}

/// The router: routes, and the alerts that are firing.
#[derive(Debug, Default)]
pub struct Router {
    routes: Routes,
    episodes: BTreeMap<u64, Episode>,
    changed: BTreeSet<u64>,
}

impl Router {
    /// The router as it was saved.
    #[must_use]
    pub fn restore(routes: Routes, episodes: BTreeMap<u64, Episode>) -> Self {
        Router { routes, episodes, changed: BTreeSet::new() }
    }

    /// Sends what comes from now on along other routes.
    pub fn reload(&mut self, routes: Routes) {
        self.routes = routes;
    }

    /// Adds to `out` what is to be told of a transition.
    pub fn handle(&mut self, transition: &Transition, now: Timestamp, out: &mut Vec<Row>) {
        match (transition.from, transition.to) {
            (AlertState::Firing, AlertState::Firing) => {}
            (_, AlertState::Firing) => self.start(transition, now, out),
            (AlertState::Firing, _) => self.finish(transition, now, out),
            _ => {}
        }
    }

    /// Adds the repetitions that are due. `is_waiting` says that a recipient (channel, name) has not even got the
    /// last message about an alert: then another one would only pile up behind it. True when any was due.
    pub fn tick(
        &mut self,
        now: Timestamp,
        is_waiting: impl Fn(&str, &str, u64) -> bool,
        out: &mut Vec<Row>,
    ) -> bool {
        let mut has_changed = false;
        for (fingerprint, episode) in &mut self.episodes {
            if episode.repeat_at.is_none_or(|at| at > now) {
                continue;
            }
            let repeat = self.routes.by_priority.get(&episode.firing.priority).and_then(|route| route.repeat);
            episode.repeat_at = repeat.map(|repeat| now.plus(repeat));
            self.changed.insert(*fingerprint);
            has_changed = true;
            if repeat.is_none() {
                continue;
            }
            episode.repeats = episode.repeats.saturating_add(1);
            let kind = Kind::Repeat(episode.repeats);
            for address in &episode.addresses {
                if !is_waiting(&address.channel, &address.recipient, *fingerprint) {
                    out.push(self.routes.row(&episode.firing, kind, &episode.firing, address, now));
                }
            }
        }
        has_changed
    }

    /// When the next repetition is due.
    #[must_use]
    pub fn deadline(&self) -> Option<Timestamp> {
        self.episodes.values().filter_map(|episode| episode.repeat_at).min()
    }

    /// Says that the vendor took a message about the episode which `notification` tells of.
    pub fn told(&mut self, notification: &Notification, channel: &str, recipient: &str) {
        let fingerprint = notification.transition.fingerprint;
        let Some(episode) = self.episodes.get_mut(&fingerprint) else { return };
        if episode.firing.at != notification.started_at {
            return;
        }
        for address in &mut episode.addresses {
            if address.channel == channel && address.recipient == recipient && !address.is_told {
                address.is_told = true;
                self.changed.insert(fingerprint);
            }
        }
    }

    /// The episodes that are under way, by fingerprint.
    #[must_use]
    pub fn episodes(&self) -> &BTreeMap<u64, Episode> {
        &self.episodes
    }

    /// Episodes that changed since [`Router::mark_saved`]; `None` for those that are over.
    pub fn changes(&self) -> impl Iterator<Item = (u64, Option<&Episode>)> {
        self.changed.iter().map(|fingerprint| (*fingerprint, self.episodes.get(fingerprint)))
    }

    /// Says that the episodes are on disk.
    pub fn mark_saved(&mut self) {
        self.changed.clear();
    }

    fn start(&mut self, transition: &Transition, now: Timestamp, out: &mut Vec<Row>) {
        let route = self.routes.by_priority.get(&transition.priority).cloned().unwrap_or_default();
        let mut addresses = Vec::new();
        for channel in &route.channels {
            for recipient in self.routes.recipients.get(channel).into_iter().flatten() {
                addresses.push(Address {
                    channel: channel.clone(),
                    recipient: recipient.clone(),
                    is_told: false,
                });
            }
        }
        if addresses.is_empty() {
            tracing::warn!(rule = %transition.rule, priority = %transition.priority, "alert has no route");
        }
        let rows = addresses
            .iter()
            .map(|address| self.routes.row(transition, Kind::Firing, transition, address, now));
        out.extend(rows);
        self.changed.insert(transition.fingerprint);
        self.episodes.insert(
            transition.fingerprint,
            Episode {
                firing: transition.clone(),
                addresses,
                repeats: 0,
                repeat_at: route.repeat.map(|repeat| now.plus(repeat)),
            },
        );
    }

    fn finish(&mut self, transition: &Transition, now: Timestamp, out: &mut Vec<Row>) {
        let Some(episode) = self.episodes.remove(&transition.fingerprint) else { return };
        self.changed.insert(transition.fingerprint);
        for address in &episode.addresses {
            let mut row = self.routes.row(transition, Kind::Resolved, &episode.firing, address, now);
            row.notification.ended_at = Some(transition.at);
            row.notification.firing_missed = !address.is_told;
            out.push(row);
        }
    }
}

#[cfg(test)]
mod tests;
