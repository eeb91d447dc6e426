//! All groups of all rules, bounded for each rule.
//!
//! Enters: the values of `group_by` fields. Leaves: places of groups.
//! Never: an allocation for a group that is known; a full rule never touches the groups it has.

use std::collections::HashMap;
use std::fmt::Write;

use event::{Event, Timestamp, Value};
use xxhash_rust::xxh3::xxh3_64;

use super::group::Group;
use crate::rule::Rule;

/// The groups in their places. A place is reused after its group was forgotten.
#[derive(Debug, Default)]
pub struct Groups {
    places: Vec<Option<Group>>,
    free: Vec<u32>,
    by_fingerprint: HashMap<u64, u32>,
    /// Groups of each rule, by the rule's place.
    counts: Vec<usize>,
    key: KeyBuffer,
}

/// Why an event has no group.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Refused {
    /// It lacks a field that the rule groups by.
    Ungrouped,
    /// The rule has as many groups as it may have.
    Full,
}

/// The texts of the key at hand, one after the other, and where each ends.
#[derive(Debug, Default)]
struct KeyBuffer {
    text: String,
    ends: Vec<usize>,
}

impl KeyBuffer {
    /// Reads the fields of `group_by`; `false` when one is missing. Of several values the first one counts.
    fn read(&mut self, event: &Event, fields: &[String]) -> bool {
        self.text.clear();
        self.ends.clear();
        for field in fields {
            let written = match event.value(field) {
                Some(Value::Text(text)) => self.text.write_str(text),
                Some(Value::Int(number)) => write!(self.text, "{number}"),
                Some(Value::Float(number)) => write!(self.text, "{number}"),
                Some(Value::Bool(truth)) => write!(self.text, "{truth}"),
                Some(Value::Null) | None => return false,
            };
            let _ = written;
            self.ends.push(self.text.len());
        }
        true
    }

    fn values(&self) -> impl Iterator<Item = &str> {
        let starts = std::iter::once(0).chain(self.ends.iter().copied());
        starts.zip(&self.ends).map(|(start, &end)| self.text.get(start..end).unwrap_or_default())
    }

    /// The alert's name for ever: a hash of the rule's name and the values, each hashed with its length by itself.
    fn fingerprint(&self, rule: &Rule) -> u64 {
        self.values().fold(xxh3_64(rule.name.as_bytes()), |so_far, value| {
            let mut both = [0; 16];
            both[..8].copy_from_slice(&so_far.to_le_bytes());
            both[8..].copy_from_slice(&xxh3_64(value.as_bytes()).to_le_bytes());
            xxh3_64(&both)
        })
    }
}

impl Groups {
    /// No groups yet, for `rules` rules.
    #[must_use]
    pub fn new(rules: usize) -> Self {
        Groups { counts: vec![0; rules], ..Groups::default() }
    }

    /// The group of `event` under `rule`, made when it is new; the flag says so.
    ///
    /// # Errors
    /// [`Refused`] when the event has no group, or the rule no room for one more.
    pub fn of_event(
        &mut self,
        (place, rule): (u32, &Rule),
        event: &Event,
        at: Timestamp,
        groups_max: usize,
    ) -> Result<u32, Refused> {
        if !self.key.read(event, &rule.group_by) {
            return Err(Refused::Ungrouped);
        }
        let fingerprint = self.key.fingerprint(rule);
        if let Some(&known) = self.by_fingerprint.get(&fingerprint) {
            return Ok(known);
        }
        if self.counts.get(place as usize).is_none_or(|&count| count >= groups_max) {
            return Err(Refused::Full);
        }
        let values = self.key.values().map(str::to_owned);
        let key = rule.group_by.iter().cloned().zip(values).collect();
        Ok(self.add(Group::new(place, key, fingerprint, at, rule.condition.step())))
    }

    /// The one group of a rule without `group_by`, made when it is new.
    pub fn whole(&mut self, place: u32, rule: &Rule, at: Timestamp) -> u32 {
        self.key.text.clear();
        self.key.ends.clear();
        let fingerprint = self.key.fingerprint(rule);
        let known = self.by_fingerprint.get(&fingerprint).copied();
        let step = rule.condition.step();
        known.unwrap_or_else(|| self.add(Group::new(place, Vec::new(), fingerprint, at, step)))
    }

    /// Adds a group, and gives its place.
    pub fn add(&mut self, group: Group) -> u32 {
        if let Some(count) = self.counts.get_mut(group.rule as usize) {
            *count += 1;
        }
        let place = self.free.pop().unwrap_or_else(|| {
            self.places.push(None);
            u32::try_from(self.places.len() - 1).unwrap_or(u32::MAX)
        });
        self.by_fingerprint.insert(group.fingerprint, place);
        if let Some(slot) = self.places.get_mut(place as usize) {
            *slot = Some(group);
        }
        place
    }

    /// Forgets the group at `place`.
    pub fn remove(&mut self, place: u32) {
        let Some(group) = self.places.get_mut(place as usize).and_then(Option::take) else { return };
        self.by_fingerprint.remove(&group.fingerprint);
        if let Some(count) = self.counts.get_mut(group.rule as usize) {
            *count -= 1;
        }
        self.free.push(place);
    }

    /// The group at `place`.
    pub fn at_mut(&mut self, place: u32) -> Option<&mut Group> {
        self.places.get_mut(place as usize)?.as_mut()
    }

    /// One more than the highest place in use.
    #[must_use]
    pub fn places(&self) -> u32 {
        u32::try_from(self.places.len()).unwrap_or(u32::MAX)
    }

    /// All groups with their places.
    pub fn iter(&self) -> impl Iterator<Item = (u32, &Group)> {
        (0..).zip(&self.places).filter_map(|(place, group)| Some((place, group.as_ref()?)))
    }

    /// Takes all groups out.
    pub fn drain(&mut self) -> impl Iterator<Item = Group> {
        self.free.clear();
        self.by_fingerprint.clear();
        self.counts.fill(0);
        std::mem::take(&mut self.places).into_iter().flatten()
    }

    /// Groups now held.
    #[must_use]
    pub fn len(&self) -> usize {
        self.places.len() - self.free.len()
    }

    /// No group is held.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}
