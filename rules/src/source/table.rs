//! All sources by name, bounded.
//!
//! Enters: names as records have them. Leaves: places in a table that stay while the source is known.

use std::collections::HashMap;

use event::{Event, StreamId};
use serde::{Deserialize, Serialize};

use super::{Source, SourceName};

/// The table of sources. A place is reused after its source was forgotten.
#[derive(Debug, Clone, Default)]
pub struct Sources {
    places: Vec<Option<Source>>,
    free: Vec<u32>,
    hosts: HashMap<String, u32>,
    streams: HashMap<StreamId, u32>,
    rest: Option<u32>,
    refused: u64,
}

/// A source in a snapshot, with its place, because groups refer to places.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct SourceSnapshot {
    place: u32,
    #[serde(flatten)]
    source: Source,
}

impl Sources {
    /// The place of the source that sent `event`, made when it is new. Allocates for a new source only.
    pub fn of_event(&mut self, event: &Event, sources_max: usize) -> u32 {
        let known = match (event.text("host.name"), event.id()) {
            (Some(host), _) => self.hosts.get(host).copied(),
            (None, Some(id)) => self.streams.get(&id.stream).copied(),
            (None, None) => self.rest,
        };
        if let Some(place) = known {
            return place;
        }
        let is_full = self.len() >= sources_max;
        match (event.text("host.name"), event.id()) {
            (Some(host), _) if !is_full => self.add(SourceName::Host(host.to_owned())),
            (None, Some(id)) if !is_full => self.add(SourceName::stream(id.stream)),
            _ => {
                self.refused += u64::from(is_full);
                self.rest.unwrap_or_else(|| self.add(SourceName::Rest))
            }
        }
    }

    fn add(&mut self, name: SourceName) -> u32 {
        let place = self.free.pop().unwrap_or_else(|| {
            self.places.push(None);
            u32::try_from(self.places.len() - 1).unwrap_or(u32::MAX)
        });
        self.put(place, Source::new(name));
        place
    }

    fn put(&mut self, place: u32, source: Source) {
        match &source.name {
            SourceName::Host(host) => drop(self.hosts.insert(host.clone(), place)),
            SourceName::Stream(id) => drop(id.parse().map(|id| self.streams.insert(id, place))),
            SourceName::Rest => self.rest = Some(place),
        }
        if let Some(slot) = self.places.get_mut(place as usize) {
            *slot = Some(source);
        }
    }

    /// Forgets the source at `place`.
    pub fn remove(&mut self, place: u32) {
        let Some(source) = self.places.get_mut(place as usize).and_then(Option::take) else { return };
        match &source.name {
            SourceName::Host(host) => drop(self.hosts.remove(host)),
            SourceName::Stream(id) => drop(id.parse().map(|id: StreamId| self.streams.remove(&id))),
            SourceName::Rest => self.rest = None,
        }
        self.free.push(place);
    }

    /// The source at `place`.
    #[must_use]
    pub fn at(&self, place: u32) -> Option<&Source> {
        self.places.get(place as usize)?.as_ref()
    }

    /// The source at `place`.
    pub fn at_mut(&mut self, place: u32) -> Option<&mut Source> {
        self.places.get_mut(place as usize)?.as_mut()
    }

    /// All sources with their places.
    pub fn iter(&self) -> impl Iterator<Item = (u32, &Source)> {
        (0..).zip(&self.places).filter_map(|(place, source)| Some((place, source.as_ref()?)))
    }

    /// All sources with their places.
    pub fn iter_mut(&mut self) -> impl Iterator<Item = (u32, &mut Source)> {
        (0..).zip(&mut self.places).filter_map(|(place, source)| Some((place, source.as_mut()?)))
    }

    /// Sources now known.
    #[must_use]
    pub fn len(&self) -> usize {
        self.places.len() - self.free.len()
    }

    /// No source is known.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Events of sources that found no place of their own.
    #[must_use]
    pub fn refused(&self) -> u64 {
        self.refused
    }

    /// All sources, by place.
    #[must_use]
    pub fn snapshot(&self) -> Vec<SourceSnapshot> {
        self.iter().map(|(place, source)| SourceSnapshot { place, source: source.clone() }).collect()
    }

    /// The table that `sources` tells of; the groups of each source are for the caller to add.
    #[must_use]
    pub fn restore(sources: Vec<SourceSnapshot>) -> Self {
        let mut table = Sources::default();
        let places = sources.iter().map(|source| source.place as usize + 1).max().unwrap_or_default();
        table.places.resize_with(places, || None);
        for SourceSnapshot { place, source } in sources {
            table.put(place, source);
        }
        let is_free = |&(_, source): &(u32, &Option<Source>)| source.is_none();
        table.free = (0..).zip(&table.places).filter(is_free).map(|(place, _)| place).collect();
        table
    }
}
