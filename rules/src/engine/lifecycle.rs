//! New rules in a running engine.
//!
//! Enters: a rule list. Leaves: the same engine with it; words about alerts whose rule is gone.
//! Never: a lost window of a rule that still counts the same.

use std::collections::HashMap;

use event::Timestamp;

use super::groups::Groups;
use super::matcher::Matcher;
use super::{Engine, render};
use crate::rule::Rule;
use crate::stats::RuleStats;
use crate::transition::{Reason, Transition};

impl Engine {
    /// Takes `rules` in place of those before. A rule of the same name, match, groups and condition keeps windows,
    /// timers and alerts, whatever became of its texts and timers; the alerts of the others end.
    pub fn reload(&mut self, rules: Vec<Rule>, now: Timestamp, out: &mut Vec<Transition>) {
        let start = out.len();
        out.append(&mut self.queued);
        self.clock.watching_since = self.clock.is_caught_up.then_some(now);
        let before: Vec<(String, String)> =
            self.rules.iter().map(|rule| (rule.name.clone(), identity(rule))).collect();
        let places = places(&before, &rules);
        let stats = std::mem::take(&mut self.rule_stats);
        self.rule_stats = vec![RuleStats::default(); rules.len()];
        for (stats, place) in stats.into_iter().zip(&places) {
            if let Some(slot) = place.ok().and_then(|place| self.rule_stats.get_mut(place as usize)) {
                *slot = stats;
            }
        }
        self.matcher = Matcher::new(&rules);
        let mut groups = Groups::new(rules.len());
        self.rules = rules;
        for mut group in self.groups.drain() {
            match places.get(group.rule as usize) {
                Some(&Ok(place)) => {
                    group.rule = place;
                    groups.add(group);
                }
                Some(&Err(reason)) => {
                    out.extend(group.close(now, reason).map(|(change, last)| render::ended(last, change)));
                }
                None => {}
            }
        }
        self.groups = groups;
        self.link();
        self.finish(start, out);
    }
}

/// Equal for rules whose windows and alerts mean the same.
pub fn identity(rule: &Rule) -> String {
    format!("{}|{:?}|{}", rule.matches, rule.group_by, rule.condition.identity())
}

/// For each rule of `before`, by name and identity, its place in `rules`, or why it has none.
pub fn places(before: &[(String, String)], rules: &[Rule]) -> Vec<Result<u32, Reason>> {
    let after: HashMap<&str, (u32, &Rule)> =
        (0..).zip(rules).map(|(place, rule)| (rule.name.as_str(), (place, rule))).collect();
    let place_of = |(name, known): &(String, String)| match after.get(name.as_str()) {
        Some(&(place, rule)) if identity(rule) == *known => Ok(place),
        Some(_) => Err(Reason::RuleChanged),
        None => Err(Reason::RuleRemoved),
    };
    before.iter().map(place_of).collect()
}
