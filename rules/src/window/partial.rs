//! What a bucket remembers of its events.
//!
//! Enters: one [`Measured`] for each event. Leaves: sums, extremes and first and last moments.
//! Never: a result that depends on the order in which events of different moments arrive.

use event::Timestamp;
use serde::{Deserialize, Serialize};
use smallvec::SmallVec;

use super::Sketch;

/// What a condition read from one event.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Measured {
    /// The event belongs to the condition's narrower set: an error of all requests, an `up` of all probes.
    pub is_matched: bool,
    /// The field's number, for conditions that have a field.
    pub value: Option<f64>,
    /// Keep the number for percentiles.
    pub is_sketched: bool,
    /// Keep the moments outside the narrower set, for conditions about a state.
    pub is_state: bool,
}

/// Moments that one bucket keeps until it knows which of them came after the last event of the narrower set.
const UNMATCHED_MAX: usize = 32;

/// A number and when it was so.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Point {
    /// Event time, nanoseconds.
    #[serde(with = "nanos")]
    pub at: Timestamp,
    /// The number; zero for conditions without a field.
    #[serde(with = "bits")]
    pub value: f64,
}

/// A mergeable summary of the events of a span.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Partial {
    /// Events.
    pub count: u64,
    /// Events of the narrower set.
    pub matched: u64,
    /// Sum of the numbers.
    #[serde(with = "bits")]
    pub sum: f64,
    /// Smallest number; infinity when there is none.
    #[serde(with = "bits")]
    pub min: f64,
    /// Largest number; negative infinity when there is none.
    #[serde(with = "bits")]
    pub max: f64,
    /// The newest event; among events of one moment, the one that came last.
    pub last: Option<Point>,
    /// When the newest event of the narrower set was.
    #[serde(with = "nanos::option")]
    pub last_matched: Option<Timestamp>,
    /// When events outside the narrower set after `last_matched` were, oldest first. A bucket keeps several, because an
    /// event of the narrower set may still arrive between them; a merged span keeps the first.
    #[serde(with = "nanos::list", default, skip_serializing_if = "SmallVec::is_empty")]
    pub unmatched: SmallVec<[Timestamp; 1]>,
    /// The numbers, where a condition asks for percentiles.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sketch: Option<Box<Sketch>>,
}

impl Default for Partial {
    fn default() -> Self {
        Partial {
            count: 0,
            matched: 0,
            sum: 0.0,
            min: f64::INFINITY,
            max: f64::NEG_INFINITY,
            last: None,
            last_matched: None,
            unmatched: SmallVec::new(),
            sketch: None,
        }
    }
}

impl Partial {
    /// Adds one event of moment `at`.
    pub fn insert(&mut self, at: Timestamp, measured: Measured) {
        self.count += 1;
        self.matched += u64::from(measured.is_matched);
        let value = measured.value.unwrap_or_default();
        if measured.value.is_some() {
            self.sum += value;
            self.min = self.min.min(value);
            self.max = self.max.max(value);
            if measured.is_sketched {
                self.sketch.get_or_insert_default().insert(value);
            }
        }
        if self.last.is_none_or(|last| last.at <= at) {
            self.last = Some(Point { at, value });
        }
        if measured.is_matched {
            self.last_matched = self.last_matched.max(Some(at));
            self.unmatched.retain(|since| *since > at);
        } else if measured.is_state && self.last_matched.is_none_or(|matched| matched < at) {
            let place = self.unmatched.partition_point(|since| *since < at);
            self.unmatched.insert(place, at);
            self.unmatched.truncate(UNMATCHED_MAX);
        }
    }

    /// When the first event outside the narrower set after the last event in it was.
    #[must_use]
    pub fn unmatched_since(&self) -> Option<Timestamp> {
        self.unmatched.first().copied()
    }

    /// Adds what `later` remembers; its events are those of the span after this one.
    pub fn merge(&mut self, later: &Partial) {
        self.count += later.count;
        self.matched += later.matched;
        self.sum += later.sum;
        self.min = self.min.min(later.min);
        self.max = self.max.max(later.max);
        if later.last.is_some_and(|new| self.last.is_none_or(|old| old.at <= new.at)) {
            self.last = later.last;
        }
        self.last_matched = self.last_matched.max(later.last_matched);
        let last_matched = self.last_matched;
        let after_matched = |since: &Timestamp| last_matched.is_none_or(|matched| matched < *since);
        let mine = self.unmatched.iter().copied().find(after_matched);
        let theirs = later.unmatched.iter().copied().find(after_matched);
        self.unmatched = mine.into_iter().chain(theirs).min().into_iter().collect();
        if let Some(sketch) = &later.sketch {
            self.sketch.get_or_insert_default().merge(sketch);
        }
    }

    /// The mean of the numbers of `count` events; `None` without events.
    #[must_use]
    pub fn mean(&self) -> Option<f64> {
        #[expect(clippy::cast_precision_loss, reason = "a count of events is far below 2^53")]
        let count = self.count as f64;
        (self.count > 0).then(|| self.sum / count)
    }
}

/// Floats as their bits: JSON has no infinity, and its reader may round the last digit.
pub(crate) mod bits {
    use serde::{Deserialize, Deserializer, Serializer};

    pub fn serialize<S: Serializer>(value: &f64, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_u64(value.to_bits())
    }

    pub fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<f64, D::Error> {
        u64::deserialize(deserializer).map(f64::from_bits)
    }

    /// The same for numbers that may be missing.
    pub mod option {
        use serde::{Deserialize, Deserializer, Serialize, Serializer};

        #[expect(clippy::ref_option, reason = "serde's signature")]
        pub fn serialize<S: Serializer>(value: &Option<f64>, serializer: S) -> Result<S::Ok, S::Error> {
            value.map(f64::to_bits).serialize(serializer)
        }

        pub fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<f64>, D::Error> {
            Option::<u64>::deserialize(deserializer).map(|value| value.map(f64::from_bits))
        }
    }
}

/// Moments as nanoseconds: a snapshot has a hundred thousand of them, and text would be three times as long.
pub(crate) mod nanos {
    use event::Timestamp;
    use serde::{Deserialize, Deserializer, Serializer};

    #[expect(clippy::trivially_copy_pass_by_ref, reason = "serde's signature")]
    pub fn serialize<S: Serializer>(at: &Timestamp, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_i64(at.as_nanos())
    }

    pub fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Timestamp, D::Error> {
        i64::deserialize(deserializer).map(Timestamp::from_nanos)
    }

    /// The same for several moments.
    pub mod list {
        use event::Timestamp;
        use serde::{Deserialize, Deserializer, Serializer};
        use smallvec::SmallVec;

        pub fn serialize<S: Serializer>(
            moments: &SmallVec<[Timestamp; 1]>,
            serializer: S,
        ) -> Result<S::Ok, S::Error> {
            serializer.collect_seq(moments.iter().map(|at| at.as_nanos()))
        }

        pub fn deserialize<'de, D: Deserializer<'de>>(
            deserializer: D,
        ) -> Result<SmallVec<[Timestamp; 1]>, D::Error> {
            let moments = Vec::<i64>::deserialize(deserializer)?;
            Ok(moments.into_iter().map(Timestamp::from_nanos).collect())
        }
    }

    /// The same for moments that may be missing.
    pub mod option {
        use event::Timestamp;
        use serde::{Deserialize, Deserializer, Serialize, Serializer};

        pub fn serialize<S: Serializer>(at: &Option<Timestamp>, serializer: S) -> Result<S::Ok, S::Error> {
            at.map(Timestamp::as_nanos).serialize(serializer)
        }

        pub fn deserialize<'de, D: Deserializer<'de>>(
            deserializer: D,
        ) -> Result<Option<Timestamp>, D::Error> {
            Option::<i64>::deserialize(deserializer).map(|at| at.map(Timestamp::from_nanos))
        }
    }
}
