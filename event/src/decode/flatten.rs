//! A JSON object as paths and values, without a tree between.
//!
//! Enters: JSON text. Leaves: leaves in the event's own buffers, in the text's order. `{"a": {"b": 1}}` and
//! `{"a.b": 1}` give the same path; members of an array repeat its path.
//! Never: unbounded work. What a bound leaves out is reported, and the record is tagged.

use std::fmt;

use serde::de::{DeserializeSeed, IgnoredAny, MapAccess, SeqAccess, Visitor};

use crate::Event;
use crate::event::{Leaf, Stored};

/// Nested objects and arrays at most; deeper values are left out.
pub const DEPTH_MAX: usize = 32;
/// Values in one event at most; with [`PATH_BYTES_MAX`] it bounds what short names under long ones can grow to.
pub const LEAVES_MAX: usize = 8192;
/// Bytes of one dotted path at most; values under longer ones are left out.
pub const PATH_BYTES_MAX: usize = 1024;
/// Bytes of all paths and texts after which no further member is taken; paths repeat their parents' names, so
/// that a small record can make many of them.
pub const TEXT_BYTES_MAX: usize = 128 << 20;

/// Adds the members of the JSON object `text` to `event`; false when a bound left some out.
pub(super) fn flatten(text: &str, event: &mut Event) -> Result<bool, serde_json::Error> {
    let mut flattening = Flattening { event, is_complete: true };
    let mut json = serde_json::Deserializer::from_str(text);
    Node { flattening: &mut flattening, path: (0, 0), depth: 0 }.deserialize(&mut json)?;
    json.end()?;
    Ok(flattening.is_complete)
}

/// Adds the leaves of one JSON value that stands at `path` to `event`, within the bounds of a record; what is no JSON
/// adds nothing more.
pub fn flatten_at(path: &str, text: &str, event: &mut Event) {
    let path = event.store(path);
    let mut flattening = Flattening { event, is_complete: true };
    let mut json = serde_json::Deserializer::from_str(text);
    // Whoever made the value has checked that it is one.
    let _ = Node { flattening: &mut flattening, path, depth: 1 }.deserialize(&mut json);
}

struct Flattening<'e> {
    event: &'e mut Event,
    is_complete: bool,
}

impl Flattening<'_> {
    fn add(&mut self, path: (u32, u32), value: Stored) {
        if self.event.leaves.len() < LEAVES_MAX {
            self.event.leaves.push(Leaf { path, value });
        } else {
            self.is_complete = false;
        }
    }
}

/// One value and the path that it stands at.
struct Node<'f, 'e> {
    flattening: &'f mut Flattening<'e>,
    path: (u32, u32),
    depth: usize,
}

impl<'f, 'e> Node<'f, 'e> {
    fn leaf<E>(self, value: Stored) -> Result<(), E> {
        self.flattening.add(self.path, value);
        Ok(())
    }

    fn inside(&mut self, path: (u32, u32)) -> Node<'_, 'e> {
        Node { flattening: self.flattening, path, depth: self.depth + 1 }
    }
}

impl<'de> DeserializeSeed<'de> for Node<'_, '_> {
    type Value = ();

    fn deserialize<D: serde::Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Node<'_, '_> {
    type Value = ();

    fn expecting(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("any JSON value")
    }

    fn visit_unit<E>(self) -> Result<(), E> {
        self.leaf(Stored::Null)
    }

    fn visit_bool<E>(self, truth: bool) -> Result<(), E> {
        self.leaf(Stored::Bool(truth))
    }

    fn visit_i64<E>(self, number: i64) -> Result<(), E> {
        self.leaf(Stored::Int(number))
    }

    fn visit_u64<E>(self, number: u64) -> Result<(), E> {
        #[expect(clippy::cast_precision_loss, reason = "beyond i64 an event keeps the nearest float")]
        let value = i64::try_from(number).map_or(Stored::Float(number as f64), Stored::Int);
        self.leaf(value)
    }

    fn visit_f64<E>(self, number: f64) -> Result<(), E> {
        self.leaf(Stored::Float(number))
    }

    fn visit_str<E>(self, text: &str) -> Result<(), E> {
        let value = Stored::Text(self.flattening.event.store(text));
        self.leaf(value)
    }

    fn visit_seq<A: SeqAccess<'de>>(mut self, mut elements: A) -> Result<(), A::Error> {
        if self.depth >= DEPTH_MAX {
            self.flattening.is_complete = false;
            while elements.next_element::<IgnoredAny>()?.is_some() {}
            return Ok(());
        }
        let path = self.path;
        while elements.next_element_seed(self.inside(path))?.is_some() {}
        Ok(())
    }

    fn visit_map<A: MapAccess<'de>>(mut self, mut members: A) -> Result<(), A::Error> {
        let is_too_deep = self.depth >= DEPTH_MAX;
        let parent = (self.depth > 0).then_some(self.path);
        while let Some(path) =
            members.next_key_seed(Name { flattening: self.flattening, parent, is_kept: !is_too_deep })?
        {
            match path {
                Some(path) => members.next_value_seed(self.inside(path))?,
                None => members.next_value::<IgnoredAny>().map(|_| ())?,
            }
        }
        Ok(())
    }
}

/// A member's name; appends the whole path to the event's text and gives its range, or `None` when a bound
/// leaves the member out.
struct Name<'f, 'e> {
    flattening: &'f mut Flattening<'e>,
    parent: Option<(u32, u32)>,
    is_kept: bool,
}

impl<'de> DeserializeSeed<'de> for Name<'_, '_> {
    type Value = Option<(u32, u32)>;

    fn deserialize<D: serde::Deserializer<'de>>(self, deserializer: D) -> Result<Self::Value, D::Error> {
        deserializer.deserialize_str(self)
    }
}

impl<'de> Visitor<'de> for Name<'_, '_> {
    type Value = Option<(u32, u32)>;

    fn expecting(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("a member's name")
    }

    fn visit_str<E>(self, name: &str) -> Result<Self::Value, E> {
        let Flattening { event, is_complete } = self.flattening;
        let prefix_bytes = self.parent.map_or(0, |(start, end)| (end - start) as usize + 1);
        let is_full = event.leaves.len() >= LEAVES_MAX || event.text.len() >= TEXT_BYTES_MAX;
        if !self.is_kept || is_full || prefix_bytes + name.len() > PATH_BYTES_MAX {
            *is_complete = false;
            return Ok(None);
        }
        let Some((start, end)) = self.parent else { return Ok(Some(event.store(name))) };
        // A parent's path is needed by each of its members, and is a copy inside one buffer.
        let from = event.text.len();
        event.text.extend_from_within(start as usize..end as usize);
        event.text.push('.');
        event.text.push_str(name);
        Ok(Some(Event::range(from, event.text.len())))
    }
}
