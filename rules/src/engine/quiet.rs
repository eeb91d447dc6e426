//! What happens when nothing comes in.
//!
//! Enters: the wall clock. Leaves: sources that went idle or blind, groups that time moved on, and room.
//! Never: anything while records are unread; then silence is ours.

use std::time::Duration;

use event::Timestamp;

use super::{Engine, blind, render};
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
        let second = now.floor(STEP_MIN);
        if second <= self.clock.second {
            return;
        }
        self.clock.second = second;
        if !self.clock.is_caught_up {
            return;
        }
        let mut is_quiet = self.listen(out);
        for (place, rule) in (0..).zip(&self.rules) {
            if rule.group_by.is_empty() && rule.condition.is_absence() {
                let at = second.minus(self.settings.idle);
                self.groups.whole(place, rule, at);
                is_quiet = true;
            }
        }
        if is_quiet {
            self.judge_all(out);
        }
        if self.swept.plus(SWEEP_EVERY) <= second {
            self.swept = second;
            self.sweep(out);
        }
    }

    /// Notes who is not heard any more; `true` when somebody is not.
    fn listen(&mut self, out: &mut Vec<Transition>) -> bool {
        let mut is_quiet = false;
        for (_, source) in self.sources.iter_mut() {
            if source.hearing == Hearing::Live
                && source.patience(self.clock.caught_up_at, &self.settings) <= self.clock.second
            {
                source.hearing = if source.beat.is_some() { Hearing::Blind } else { Hearing::Idle };
                out.extend(blind::open(source, self.settings.blind));
            }
            is_quiet |= source.hearing != Hearing::Live;
        }
        is_quiet
    }

    /// Forgets groups, sources and streams that were silent for long.
    fn sweep(&mut self, out: &mut Vec<Transition>) {
        let second = self.clock.second;
        let (edge, edge_active) =
            (second.minus(self.settings.forget), second.minus(self.settings.forget_active));
        self.dedup.forget(edge);
        for place in 0..self.groups.places() {
            let Some(group) = self.groups.at_mut(place) else { continue };
            let Some(rule) = self.rules.get(group.rule as usize) else { continue };
            let is_whole = rule.group_by.is_empty() && rule.condition.is_absence();
            let edge = if group.alert == Alert::Inactive { edge } else { edge_active };
            if is_whole || group.heard >= edge {
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
                out.extend(blind::close(source, self.clock.second, Reason::Expired));
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
