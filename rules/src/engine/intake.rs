//! The way of one record into the windows.
//!
//! Enters: a record. Leaves: its trace in the windows of the groups it belongs to; changes, when it moved time on.
//! Never: an allocation for a record that no rule picks.

use event::{Event, Heartbeat, Timestamp};

use super::group::Group;
use super::groups::Refused;
use super::horizon::horizon;
use super::{Engine, SOURCES_MAX, blind, render};
use crate::source::{Hearing, Sources};
use crate::transition::{Reason, Transition};
use crate::window::Measured;

impl Engine {
    /// Takes a record that was received at `now`.
    pub(super) fn take(&mut self, event: &Event, now: Timestamp, out: &mut Vec<Transition>) {
        self.stats.events += 1;
        let reading = self.clock.reading_time(now);
        // Records without an id of their own are counted once by the positions that are saved with the snapshot.
        if event.own_id().is_some_and(|id| !self.dedup.admit(id, reading, self.settings.streams_max)) {
            self.stats.duplicates += 1;
            return;
        }
        let place = self.sources.of_event(event, self.settings.sources_max);
        let at = match Heartbeat::from_event(event) {
            Some(beat) => {
                self.take_beat(place, &beat, now, out);
                event.timestamp().min(now)
            }
            None => self.take_time(place, event.timestamp(), now),
        };
        self.matcher.select(event);
        let mut hit = 0;
        while let Some(rule) = self.matcher.hit(hit) {
            if let Some(group) = self.count(rule, event, (at, reading), place) {
                self.judge(group, out);
            }
            hit += 1;
        }
        self.judge_source(place, out);
    }

    fn take_time(&mut self, place: u32, at: Timestamp, now: Timestamp) -> Timestamp {
        let Some(source) = self.sources.at_mut(place) else { return at };
        let at = source.take_event(at, now, self.clock.reading_time(now), &self.settings);
        self.stats.skewed += u64::from(source.is_fast);
        if self.clock.is_caught_up && source.beat.is_none() {
            // Without heartbeats nobody can tell a slow clock from old lines; others wait for neither.
            source.is_slow = source.newest.plus(self.settings.skew_max) < now;
        }
        at
    }

    fn take_beat(&mut self, place: u32, beat: &Heartbeat, now: Timestamp, out: &mut Vec<Transition>) {
        self.stats.heartbeats += 1;
        let Some(source) = self.sources.at_mut(place) else { return };
        source.take_beat(beat, now, self.clock.reading_time(now), &self.settings);
        if self.clock.is_caught_up {
            source.is_slow = beat.at.plus(self.settings.skew_max) < now;
        }
        source.judged = (Timestamp::MIN, Timestamp::MIN);
        if source.hearing == Hearing::Blind {
            source.hearing = Hearing::Live;
            let at = source.beat.map_or(beat.at, |beat| beat.at);
            out.extend(blind::close(source, at, Reason::HeartbeatBack, &self.settings));
        }
    }

    /// Counts the event for one rule that picked it. Gives the group if that is to be judged at once.
    fn count(
        &mut self,
        place: u32,
        event: &Event,
        (at, reading): (Timestamp, Timestamp),
        source: u32,
    ) -> Option<u32> {
        let is_inner = self.matcher.is_inner(place, event);
        let rule = self.rules.get(place as usize)?;
        let measured = rule.condition.measure(event, is_inner)?;
        let stats = self.rule_stats.get_mut(place as usize)?;
        let found = self.groups.of_event((place, rule), event, at, self.settings.groups_max);
        match found {
            Ok(group) => {
                stats.matched += 1;
                self.stats.matched += 1;
                return self.insert(group, (at, reading), measured, event, source).then_some(group);
            }
            Err(Refused::Ungrouped) => {
                stats.ungrouped += 1;
                self.stats.ungrouped += 1;
            }
            Err(Refused::Full) => {
                stats.groups_refused += 1;
                self.stats.groups_refused += 1;
            }
        }
        None
    }

    /// Puts the event into the group's window. `true` when the group must be judged before anything else comes:
    /// the event belongs to an edge that is due already, or the group has got to know a source. What is judged
    /// then never depends on when somebody judges next.
    fn insert(
        &mut self,
        place: u32,
        (at, reading): (Timestamp, Timestamp),
        measured: Measured,
        event: &Event,
        source: u32,
    ) -> bool {
        let Some(group) = self.groups.at_mut(place) else { return false };
        let Some(rule) = self.rules.get(group.rule as usize) else { return false };
        if !group.insert(at, reading, measured, rule) {
            self.stats.late += 1;
            if let Some(stats) = self.rule_stats.get_mut(group.rule as usize) {
                stats.late += 1;
            }
        }
        if rule.condition.is_evidence(measured)
            && let Some(message) = event.text("message")
        {
            group.evidence.push(at, message);
        }
        let is_new = !group.sources.contains(&source) && make_room(place, group, &mut self.sources);
        let Some(from) = self.sources.at_mut(source) else { return false };
        if is_new {
            group.sources.push(source);
            from.groups.push(place);
        }
        is_new || at < from.reached(&self.settings).minus(self.settings.grace)
    }

    /// Judges the groups of a source whose time has entered a new second.
    fn judge_source(&mut self, place: u32, out: &mut Vec<Transition>) {
        let Some(source) = self.sources.at_mut(place) else { return };
        let seconds = source.seconds(&self.settings);
        if seconds == source.judged {
            return;
        }
        source.judged = seconds;
        let groups = std::mem::take(&mut source.groups);
        for &group in &groups {
            self.judge(group, out);
        }
        if let Some(source) = self.sources.at_mut(place) {
            source.groups = groups;
        }
    }

    /// Judges one group as far as its time has come.
    pub(super) fn judge(&mut self, place: u32, out: &mut Vec<Transition>) {
        let Some(group) = self.groups.at_mut(place) else { return };
        let Some(rule) = self.rules.get(group.rule as usize) else { return };
        let outlives_view = rule.condition.outlives_view();
        let horizon = horizon(group, outlives_view, &self.sources, self.clock, &self.settings);
        while let Some(changes) = group.advance(horizon, rule) {
            for (change, reading) in changes {
                let (zone, errors) = (&self.settings.zone, &mut self.stats.render_errors);
                let said = render::transition((rule, group), (change, &reading), zone, errors);
                group.remember(&said);
                out.push(said);
            }
        }
    }

    /// Judges every group.
    pub(super) fn judge_all(&mut self, out: &mut Vec<Transition>) {
        for place in 0..self.groups.places() {
            self.judge(place, out);
        }
    }
}

/// Room for one more source in the group: where it is full, one that is not heard any more goes. Hosts come and go,
/// and those that are here must not wait for those that went. `false`: all of them are heard.
fn make_room(place: u32, group: &mut Group, sources: &mut Sources) -> bool {
    if group.sources.len() < SOURCES_MAX {
        return true;
    }
    let is_gone = |&known: &u32| sources.at(known).is_none_or(|source| source.hearing != Hearing::Live);
    let Some(gone) = group.sources.iter().position(is_gone) else { return false };
    if let Some(source) = sources.at_mut(group.sources.swap_remove(gone)) {
        source.groups.retain(|&other| other != place);
    }
    true
}
