//! What happens when nothing comes in.
//!
//! Enters: the wall clock. Leaves: sources that went idle or blind, groups that time moved on, and room.
//! Never: anything while records are unread; then silence is ours.

use std::time::Duration;

use event::Timestamp;

use super::{Engine, blind, render};
use crate::rule::Rule;
use crate::source::Hearing;
use crate::state::Alert;
use crate::transition::{Reason, Transition};
use crate::window::STEP_MIN;

/// How often the engine looks for what it can forget.
const SWEEP_EVERY: Duration = Duration::from_secs(60);

impl Engine {
    /// Lets the wall clock come to `now`. Works once for each second, so that it does not matter how often it is called.
    pub(super) fn pass(&mut self, now: Timestamp, out: &mut Vec<Transition>) {
        out.append(&mut self.queued);
        let Some(second) = self.clock.next_second(now) else { return };
        if !self.clock.is_caught_up {
            self.clock.second = second;
            return;
        }
        self.watch_whole_rules();
        // Each loss of a source is judged at its own second, as it would have been with a call for each second.
        while let Some(lost) = self.next_loss().filter(|&lost| lost <= second) {
            self.clock.second = lost.max(self.clock.second);
            self.lose(out);
            self.judge_all(out);
        }
        self.clock.second = second;
        let is_quiet = self.sources.iter().any(|(_, source)| source.hearing != Hearing::Live);
        if is_quiet || self.whole_rules().next().is_some() {
            self.judge_all(out);
        }
        if self.swept.plus(SWEEP_EVERY) <= second {
            self.swept = second;
            self.sweep(out);
        }
    }

    /// Gives the rules about absence in the whole their group, which no event may ever make.
    fn watch_whole_rules(&mut self) {
        let Some(since) = self.clock.watching_since else { return };
        let since = since.minus(self.settings.idle);
        for (place, rule) in (0..).zip(&self.rules) {
            if is_whole(rule) {
                self.groups.whole(place, rule, since);
            }
        }
    }

    /// The rules whose condition may hold although no event ever came.
    pub(super) fn whole_rules(&self) -> impl Iterator<Item = &Rule> {
        self.rules.iter().filter(|rule| is_whole(rule))
    }

    /// The second at which the next live source is not heard any more, unless it is heard before.
    fn next_loss(&self) -> Option<Timestamp> {
        let live = self.sources.iter().filter(|(_, source)| source.hearing == Hearing::Live);
        let patience = live.map(|(_, source)| source.patience(self.clock.unread, &self.settings)).min()?;
        Some(patience.plus(STEP_MIN).minus(Duration::from_nanos(1)).floor(STEP_MIN))
    }

    /// Notes the sources that are not heard any more.
    fn lose(&mut self, out: &mut Vec<Transition>) {
        for (_, source) in self.sources.iter_mut() {
            if source.hearing == Hearing::Live
                && source.patience(self.clock.unread, &self.settings) <= self.clock.second
            {
                source.hearing = if source.beat.is_some() { Hearing::Blind } else { Hearing::Idle };
                if source.hearing == Hearing::Blind {
                    out.extend(blind::open(source, &self.settings));
                }
            }
        }
    }

    /// Forgets groups, sources and streams that were silent for long.
    fn sweep(&mut self, out: &mut Vec<Transition>) {
        let second = self.clock.second;
        // In reading time: who fell silent while nobody read gets its time to be missed.
        let reading = self.clock.reading_time(second);
        let (edge, edge_active) =
            (reading.minus(self.settings.forget), reading.minus(self.settings.forget_active));
        self.dedup.forget(edge);
        for place in 0..self.groups.places() {
            let Some(group) = self.groups.at_mut(place) else { continue };
            let Some(rule) = self.rules.get(group.rule as usize) else { continue };
            let edge = if group.alert == Alert::Inactive { edge } else { edge_active };
            if is_whole(rule) || group.heard >= edge {
                continue;
            }
            out.extend(
                group.close(second, Reason::Expired).map(|(change, last)| render::ended(last, change)),
            );
            self.groups.remove(place);
        }
        self.sweep_sources(edge, edge_active, out);
    }

    fn sweep_sources(&mut self, edge: Timestamp, edge_active: Timestamp, out: &mut Vec<Transition>) {
        let mut gone = Vec::new();
        for (place, source) in self.sources.iter_mut() {
            let edge = if source.alert == Alert::Inactive { edge } else { edge_active };
            if source.heard < edge {
                out.extend(blind::close(source, self.clock.second, Reason::Expired, &self.settings));
                gone.push(place);
            }
        }
        for place in gone {
            self.sources.remove(place);
        }
        self.link();
    }

    /// Makes groups and sources agree on who belongs to whom.
    pub(super) fn link(&mut self) {
        for (_, source) in self.sources.iter_mut() {
            source.groups.clear();
        }
        for place in 0..self.groups.places() {
            let Some(group) = self.groups.at_mut(place) else { continue };
            group.sources.retain(|source| match self.sources.at_mut(*source) {
                Some(source) => {
                    source.groups.push(place);
                    true
                }
                None => false,
            });
        }
    }
}

fn is_whole(rule: &Rule) -> bool {
    rule.group_by.is_empty() && rule.condition.is_absence()
}
