//! Which topics a file's records go to, and how those stand.
//!
//! Enters: the configuration, the level of a line, what the shipper says of its parts. Leaves: the ways of the file or of
//! the line, and findings about them. Never: a look at the disk; the way of another file.

use event::{Level, Timestamp};

use super::decide::{Finding, good, note, stops};
use super::facts::Facts;
use crate::config::Config;
use crate::input::file::{FileConfig, Meeting};
use crate::route::{LaneId, Lanes};
use crate::status::StreamRow;

/// One way of records to the broker.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Lane {
    /// The topic; empty for an output without topics.
    pub topic: String,
    /// What its parts of readiness are called behind `kafka` and `output`.
    pub suffix: String,
}

/// What becomes of a line by its level.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Leveled {
    pub level: Level,
    pub lane: Lane,
    /// Whether it goes only while `shipper debug` is on.
    pub is_switched: bool,
}

/// The ways that records of the path may take, that of records without an entry in `levels` first.
pub(super) fn lanes(config: &Config, inputs: &[(usize, FileConfig, Meeting)]) -> Vec<Lane> {
    let reads = inputs.iter().find(|(_, _, meeting)| matches!(meeting, Meeting::Reads(_)));
    let (Some((_, input, _)), Ok(lanes)) = (reads, config.lanes()) else { return Vec::new() };
    let mut found: Vec<Lane> = Vec::new();
    for id in input.levels.route(&input.wish(), &lanes).lanes() {
        let lane = of(&lanes, id);
        if !found.contains(&lane) {
            found.push(lane);
        }
    }
    found
}

/// What the input makes of records of this level; `None` when it does nothing otherwise with them.
pub(super) fn leveled(config: &Config, input: &FileConfig, level: Level) -> Option<Leveled> {
    let lanes = config.lanes().ok()?;
    let route = input.levels.route(&input.wish(), &lanes);
    let way = route.way(Some(level));
    let is_usual = way.lane == route.lane() && !way.is_switched;
    (!is_usual).then(|| Leveled { level, lane: of(&lanes, way.lane), is_switched: way.is_switched })
}

fn of(lanes: &Lanes, wanted: LaneId) -> Lane {
    let lane = lanes.iter().find(|(id, _)| *id == wanted).map(|(_, lane)| lane);
    let topic = lane.and_then(|lane| lane.topic.as_deref()).unwrap_or(lanes.topic()).to_owned();
    Lane { topic, suffix: lane.map(crate::route::Lane::suffix).unwrap_or_default() }
}

impl Lane {
    /// Which of its parts does not work, and why.
    fn refusal<'f>(&self, facts: &'f Facts) -> Option<(String, &'f str)> {
        ["kafka", "output"].into_iter().find_map(|name| {
            let part = format!("{name}{}", self.suffix);
            let reason = facts.page.parts.get(&part).filter(|reason| *reason != "ok")?;
            Some((part, reason.as_str()))
        })
    }
}

/// A line that is left out because its level is switched off.
pub(super) fn switched_off(facts: &Facts, row: &StreamRow, end: u64) -> Option<Finding> {
    let leveled = facts.leveled.as_ref().filter(|leveled| leveled.is_switched)?;
    // Before the settled offset nothing was left out while nothing is counted as that.
    let is_shipped = end <= row.offset && row.ledger.filtered == 0;
    if is_shipped || facts.dead_letter.is_some() || facts.is_switched_on() {
        return None;
    }
    let level = leveled.level.as_str();
    let fate = if end <= row.read {
        "unless it was on when the line was read, the line is left out, and counts as filtered"
    } else {
        "the line will be left out"
    };
    Some(stops(
        format!("level {level} is shipped only while `shipper debug` is on, and it is off: {fate}"),
        "`shipper debug on --for 10m` ships such lines from then on",
    ))
}

/// What is to be known of a shipped line whose level is switched on.
pub(super) fn switched_on(facts: &Facts, id: &str) -> Option<Finding> {
    let leveled = facts.leveled.as_ref().filter(|leveled| leveled.is_switched && facts.is_switched_on())?;
    let (level, until) = (leveled.level.as_str(), facts.debug_until?);
    Some(good(format!(
        "level {level} is shipped while `shipper debug` is on, until {until}; a line that was read since it is on has \
         event.id: {id}"
    )))
}

/// Why what was read does not get through: on the way of the line that was asked for, or on any of the file.
pub(super) fn refusals(facts: &Facts, found: &mut Vec<Finding>) {
    for lane in ways(facts) {
        if let Some((part, reason)) = lane.refusal(facts) {
            let what =
                if facts.lanes.len() > 1 { format!("topic {}", lane.topic) } else { "the output".to_owned() };
            let way_out = "nothing is lost: the file is read on when the output takes records again";
            found.push(stops(format!("{what} takes nothing ({part}): {reason}"), way_out));
        }
    }
}

/// A line that was sent lies behind one of another topic, which is refused.
pub(super) fn behind_another(facts: &Facts) -> Option<Finding> {
    let own = ways(facts);
    if facts.line.is_none() || own.iter().any(|lane| lane.refusal(facts).is_some()) {
        return None;
    }
    let other = facts.lanes.iter().find(|lane| lane.refusal(facts).is_some())?;
    let topic = &other.topic;
    Some(note(format!(
        "it was read and sent; whether it is acknowledged shows when what lies before it for topic {topic} is, which is refused"
    )))
}

/// Nothing is read past a record whose topic is refused and has no room.
pub(super) fn blocked(facts: &Facts, row: &StreamRow) -> Option<Finding> {
    let waiting = row.waits_for.as_ref()?;
    let reason = facts.page.parts.get(&waiting.part).filter(|reason| *reason != "ok")?;
    let (topic, part) = (&waiting.topic, &waiting.part);
    Some(stops(
        format!(
            "it waits for topic {topic}, which is refused and has no room for what comes next ({part}): {reason}"
        ),
        "nothing is lost: the file is read on when that topic takes records again",
    ))
}

/// The way of the line, or every way of the file.
fn ways(facts: &Facts) -> &[Lane] {
    match (&facts.line, &facts.leveled) {
        (Some(Ok(_)), Some(leveled)) => std::slice::from_ref(&leveled.lane),
        // A line that has no way of its own takes the first.
        (Some(Ok(_)), None) => facts.lanes.get(..1).unwrap_or_default(),
        _ => &facts.lanes,
    }
}

impl Facts {
    /// Whether `shipper debug` is on.
    fn is_switched_on(&self) -> bool {
        self.debug_until.is_some_and(|until: Timestamp| self.now < until)
    }
}
