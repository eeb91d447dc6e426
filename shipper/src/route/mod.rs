//! Which way records take to the broker.
//!
//! Enters: what the configuration says of topics, paces and urgency. Leaves: the closed table of [`Lanes`], and for each
//! input its place in it. Never: a record.
//!
//! A lane is a topic, a [`Pace`] and a rank. Each lane has a producer, a share of the memory and refusals of its own, so
//! that a topic that is missing or denied holds up what is meant for it and nothing else. Records of one stream for one
//! topic are all in one lane: a consumer keeps the highest offset of a stream and takes what comes below it for
//! repetitions, so nothing of a stream may overtake anything else of it on the same topic.

mod hold;
mod level;
pub mod switch;
mod turn;

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use schemars::JsonSchema;
use serde::Deserialize;

pub use hold::Holds;
pub use level::{LevelConfig, LevelsConfig, Route, Way, When};
pub use switch::Switch;
pub use turn::Turns;

/// Lanes of one shipper at most: each costs a producer with its connections and a share of `queue_bytes`.
pub const LANES_MAX: usize = 8;

/// How long records wait that are sent in large batches.
const LARGE_LINGER: Duration = Duration::from_secs(1);
/// A producer's own wait cannot be cut short, so a longer one is spent before it.
const PRODUCER_LINGER_MAX: Duration = Duration::from_millis(20);

/// How soon records are sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Pace {
    /// Each as soon as it is read.
    AtOnce,
    /// After `output.kafka.linger`.
    Normal,
    /// Up to a second later, in large requests: the least work for the broker. A record that is to go at once ends the
    /// wait of those before it.
    InLargeBatches,
}

impl Pace {
    /// How long records of this pace wait for others before they are given to the producer, which itself waits for
    /// [`Pace::linger`]. This wait can be cut short.
    #[must_use]
    pub fn hold(self, linger: Duration) -> Duration {
        let whole = match self {
            Pace::AtOnce => Duration::ZERO,
            Pace::Normal => linger,
            Pace::InLargeBatches => linger.max(LARGE_LINGER),
        };
        whole.saturating_sub(self.linger(linger))
    }

    /// How long a producer of this pace waits for a batch to fill, where `linger` is the normal wait.
    #[must_use]
    pub fn linger(self, linger: Duration) -> Duration {
        match self {
            Pace::AtOnce => Duration::ZERO,
            Pace::Normal | Pace::InLargeBatches => linger.min(PRODUCER_LINGER_MAX),
        }
    }

    const fn usual(is_urgent: bool) -> Pace {
        if is_urgent { Pace::AtOnce } else { Pace::Normal }
    }

    const fn name(self) -> &'static str {
        match self {
            Pace::AtOnce => "at_once",
            Pace::Normal => "normal",
            Pace::InLargeBatches => "in_large_batches",
        }
    }
}

/// The place of a lane in the table.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct LaneId(u8);

impl LaneId {
    /// The lane of whatever has no wish of its own: the output's topic, at the normal pace.
    pub const MAIN: LaneId = LaneId(0);

    /// The lane at this place; `None` beyond [`LANES_MAX`].
    #[must_use]
    pub fn at(place: usize) -> Option<LaneId> {
        u8::try_from(place).ok().filter(|_| place < LANES_MAX).map(LaneId)
    }

    /// The place in a list of all lanes.
    #[must_use]
    pub const fn index(self) -> usize {
        self.0 as usize
    }
}

/// Some of the lanes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct LaneSet(u8);

impl LaneSet {
    /// No lane.
    pub const NONE: LaneSet = LaneSet(0);

    /// Every lane.
    pub const ALL: LaneSet = LaneSet(u8::MAX);

    /// True when the lane is one of them.
    #[must_use]
    pub const fn has(self, lane: LaneId) -> bool {
        self.0 & (1 << lane.0) != 0
    }

    /// Adds a lane.
    pub const fn insert(&mut self, lane: LaneId) {
        self.0 |= 1 << lane.0;
    }

    /// Takes a lane out.
    pub const fn remove(&mut self, lane: LaneId) {
        self.0 &= !(1 << lane.0);
    }

    /// True when there is none.
    #[must_use]
    pub const fn is_empty(self) -> bool {
        self.0 == 0
    }

    /// Those in either.
    #[must_use]
    pub const fn or(self, other: LaneSet) -> LaneSet {
        LaneSet(self.0 | other.0)
    }

    /// Those in both.
    #[must_use]
    pub const fn and(self, other: LaneSet) -> LaneSet {
        LaneSet(self.0 & other.0)
    }

    /// Those that are not in `other`.
    #[must_use]
    pub const fn without(self, other: LaneSet) -> LaneSet {
        LaneSet(self.0 & !other.0)
    }

    /// The first of them at or behind `from`, going round.
    #[must_use]
    pub fn first_from(self, from: LaneId) -> Option<LaneId> {
        (0..8).map(|step| LaneId((from.0 + step) % 8)).find(|lane| self.has(*lane))
    }
}

/// Where records go, and how.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Lane {
    /// The topic; `None` is the output's own.
    pub topic: Option<Arc<str>>,
    /// How soon.
    pub pace: Pace,
    /// Before others when the broker cannot take everything.
    pub is_urgent: bool,
}

impl fmt::Display for Lane {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.topic {
            Some(topic) => write!(out, "topic {topic}")?,
            None => write!(out, "the same topic")?,
        }
        let words = [
            self.is_urgent.then_some("urgent"),
            Some(self.pace.name()).filter(|_| self.pace != Pace::Normal),
        ];
        words.into_iter().flatten().try_for_each(|word| write!(out, ", {word}"))
    }
}

impl Lane {
    const MAIN: Lane = Lane { topic: None, pace: Pace::Normal, is_urgent: false };

    /// What the lane is called in readiness and logs, behind a dot: empty for the main lane.
    #[must_use]
    pub fn suffix(&self) -> String {
        let mut name = String::new();
        let topic = self.topic.as_deref();
        let pace = (self.pace != Pace::usual(self.is_urgent)).then(|| self.pace.name());
        for word in [topic, self.is_urgent.then_some("urgent"), pace].into_iter().flatten() {
            name.push('.');
            name.push_str(word);
        }
        name
    }
}

/// All lanes of one shipper; the first is [`LaneId::MAIN`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Lanes {
    /// The output's own topic; empty where an output has no topics.
    topic: Arc<str>,
    lanes: Vec<Lane>,
}

/// More lanes than [`LANES_MAX`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error(
    "more than {LANES_MAX} different pairs of `topic`, `urgent` and `send`: each needs a producer of its own; \
     let some inputs share theirs"
)]
pub struct TooManyLanes;

impl Lanes {
    /// One lane for everything: for an output without topics, whatever inputs wish for.
    #[must_use]
    pub fn single() -> Self {
        Lanes { topic: "".into(), lanes: vec![Lane::MAIN] }
    }

    /// The main lane, and one for each further wish.
    ///
    /// # Errors
    /// [`TooManyLanes`].
    pub fn new(topic: &str, wishes: impl IntoIterator<Item = Wish>) -> Result<Self, TooManyLanes> {
        let mut lanes = Lanes { topic: topic.into(), lanes: vec![Lane::MAIN] };
        for wish in wishes {
            let lane = lanes.lane(&wish);
            if !lanes.lanes.contains(&lane) {
                lanes.lanes.push(lane);
            }
        }
        if lanes.lanes.len() > LANES_MAX { Err(TooManyLanes) } else { Ok(lanes) }
    }

    /// The lane of a wish; the main one when it was not among the wishes of [`Lanes::new`].
    #[must_use]
    pub fn find(&self, wish: &Wish) -> LaneId {
        let wanted = self.lane(wish);
        self.iter().find(|(_, lane)| **lane == wanted).map_or(LaneId::MAIN, |(id, _)| id)
    }

    fn lane(&self, wish: &Wish) -> Lane {
        let topic = wish.topic.as_deref().filter(|topic| **topic != *self.topic);
        let pace = wish.pace.unwrap_or(Pace::usual(wish.is_urgent));
        Lane { topic: topic.map(Arc::from), pace, is_urgent: wish.is_urgent }
    }

    /// The output's own topic; empty where an output has no topics.
    #[must_use]
    pub fn topic(&self) -> &str {
        &self.topic
    }

    /// Every lane.
    pub fn iter(&self) -> impl Iterator<Item = (LaneId, &Lane)> {
        (0..).map(LaneId).zip(&self.lanes)
    }

    /// How many.
    #[must_use]
    #[expect(clippy::len_without_is_empty, reason = "there is always the main lane")]
    pub fn len(&self) -> usize {
        self.lanes.len()
    }

    /// Those that go first.
    #[must_use]
    pub fn urgent(&self) -> LaneSet {
        let mut urgent = LaneSet::NONE;
        self.iter().filter(|(_, lane)| lane.is_urgent).for_each(|(id, _)| urgent.insert(id));
        urgent
    }

    /// The first lane of each topic.
    #[must_use]
    pub fn topics(&self) -> Vec<LaneId> {
        let is_first = |(id, lane): &(LaneId, &Lane)| {
            self.iter().take(id.index()).all(|(_, before)| before.topic != lane.topic)
        };
        self.iter().filter(is_first).map(|(id, _)| id).collect()
    }
}

impl Lanes {
    /// All lanes of this one's topic.
    #[must_use]
    pub fn sharing_topic(&self, lane: LaneId) -> LaneSet {
        let mut sharing = LaneSet::NONE;
        let topic = self.lanes.get(lane.index()).map(|lane| &lane.topic);
        self.iter().filter(|(_, lane)| Some(&lane.topic) == topic).for_each(|(id, _)| sharing.insert(id));
        sharing
    }
}

/// What a part of the configuration says of its way.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Wish {
    /// A topic by name.
    pub topic: Option<String>,
    /// A pace; urgent records go at once where none is named, others at the normal one.
    pub pace: Option<Pace>,
    /// Before others.
    pub is_urgent: bool,
}

/// Says what is wrong with the name of a topic.
///
/// # Errors
/// A text with the way out; `key` is where the name stands.
pub fn check_topic(key: &str, topic: &str) -> Result<(), String> {
    let is_topic = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'_' | b'-');
    let is_path = matches!(topic, "." | "..");
    if topic.is_empty() || topic.len() > 249 || is_path || !topic.bytes().all(is_topic) {
        return Err(format!("`{key}` is `{topic}`: write 1 to 249 letters, digits, `.`, `_` or `-`"));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn wish(topic: &str, pace: Option<Pace>, is_urgent: bool) -> Wish {
        Wish { topic: (!topic.is_empty()).then(|| topic.to_owned()), pace, is_urgent }
    }

    #[test]
    fn equal_wishes_share_a_lane() {
        let wishes = [
            wish("", None, false),
            wish("logs", Some(Pace::Normal), false),
            wish("", None, true),
            wish("audit", None, false),
            wish("audit", Some(Pace::InLargeBatches), false),
            wish("audit", None, false),
            wish("audit", Some(Pace::AtOnce), true),
        ];
        let lanes = Lanes::new("logs", wishes.clone()).unwrap();
        let names: Vec<String> = lanes.iter().map(|(_, lane)| lane.suffix()).collect();
        assert_eq!(names, ["", ".urgent", ".audit", ".audit.in_large_batches", ".audit.urgent"]);
        let places: Vec<usize> = wishes.iter().map(|wish| lanes.find(wish).index()).collect();
        assert_eq!(places, [0, 0, 1, 2, 3, 2, 4]);
        let topics: Vec<usize> = lanes.topics().into_iter().map(LaneId::index).collect();
        assert_eq!(topics, [0, 2]);
        assert!(
            lanes.urgent().has(LaneId(1)) && lanes.urgent().has(LaneId(4)) && !lanes.urgent().has(LaneId(2))
        );
    }

    #[test]
    fn an_output_without_topics_has_one_lane() {
        assert_eq!(Lanes::single().find(&wish("audit", None, true)), LaneId::MAIN);
    }

    #[test]
    fn lanes_have_a_bound() {
        let topics = |count: usize| (1..count).map(|number| wish(&format!("topic-{number}"), None, false));
        assert_eq!(Lanes::new("logs", topics(LANES_MAX)).unwrap().len(), LANES_MAX);
        assert_eq!(Lanes::new("logs", topics(LANES_MAX + 1)), Err(TooManyLanes));
    }

    #[test]
    fn sets_go_round() {
        let mut set = LaneSet::NONE;
        [1, 5].map(LaneId).iter().for_each(|lane| set.insert(*lane));
        let next = |from| set.first_from(LaneId(from)).map(LaneId::index);
        assert_eq!([0, 1, 2, 5, 6].map(next), [1, 1, 5, 5, 1].map(Some));
        assert_eq!(LaneSet::NONE.first_from(LaneId(3)), None);
    }
}
