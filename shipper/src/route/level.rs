//! What is done otherwise with records of some levels.
//!
//! Enters: `levels:` of the configuration. Leaves: for each level its [`Way`]. Never: a record.

use event::Level;
use schemars::JsonSchema;
use serde::Deserialize;

use super::{LaneId, Lanes, Pace, Wish, check_topic};

/// `levels:`; a level without an entry goes where the input's records go. The level is the one that the record has as
/// `log.level` when it is sent.
#[derive(Debug, Clone, PartialEq, Eq, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct LevelsConfig {
    /// `fatal`, also written critical, alert, emergency or panic.
    pub fatal: Option<LevelConfig>,
    /// `error`, and `fatal` where that has no entry.
    pub error: Option<LevelConfig>,
    /// `warn`.
    pub warn: Option<LevelConfig>,
    /// `info`, also written notice.
    pub info: Option<LevelConfig>,
    /// `debug`, and `trace` where that has no entry.
    pub debug: Option<LevelConfig>,
    /// `trace`.
    pub trace: Option<LevelConfig>,
}

/// Records of one level.
#[derive(Debug, Clone, PartialEq, Eq, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct LevelConfig {
    /// Topic of these records; the input's when it is left out. Rules over several levels need them in one topic, because
    /// an alerter reads one.
    pub topic: Option<String>,
    /// They are sent at once. With a `topic` of their own they also go before others; without one they do not overtake
    /// other lines of their file, because a topic has the lines of a file in their order.
    pub urgent: bool,
    /// How soon they are sent; `in_large_batches` needs a `topic` of their own, because a topic has the lines of a file in
    /// their order.
    pub send: Option<Pace>,
    /// When they are sent at all.
    pub when: When,
}

/// When records are sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum When {
    /// Always.
    #[default]
    Always,
    /// While `shipper debug on` holds; at other times they are left out, and counted as filtered.
    SwitchedOn,
}

const LEVELS: usize = 6;

/// What becomes of a record.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Way {
    /// Its lane.
    pub lane: LaneId,
    /// It ends the wait for others.
    pub is_hasty: bool,
    /// It is sent only while debugging is switched on.
    pub is_switched: bool,
}

/// The ways of one input's records.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Route {
    other: Way,
    levels: [Way; LEVELS],
}

impl Route {
    /// The way of a record of this level.
    #[must_use]
    pub fn way(&self, level: Option<Level>) -> Way {
        level.and_then(|level| self.levels.get(level as usize)).copied().unwrap_or(self.other)
    }

    /// The lane of records without an entry of their own.
    #[must_use]
    pub fn lane(&self) -> LaneId {
        self.other.lane
    }

    /// Every lane that a record may take, some more than once.
    pub fn lanes(&self) -> impl Iterator<Item = LaneId> {
        std::iter::once(self.other).chain(self.levels).map(|way| way.lane)
    }
}

impl LevelsConfig {
    fn entries(&self) -> [(Level, Option<&LevelConfig>); LEVELS] {
        [
            (Level::Trace, self.trace.as_ref().or(self.debug.as_ref())),
            (Level::Debug, self.debug.as_ref()),
            (Level::Info, self.info.as_ref()),
            (Level::Warn, self.warn.as_ref()),
            (Level::Error, self.error.as_ref()),
            (Level::Fatal, self.fatal.as_ref().or(self.error.as_ref())),
        ]
    }

    /// As the user wrote them.
    fn written(&self) -> impl Iterator<Item = (Level, &LevelConfig)> {
        let all = [
            (Level::Trace, &self.trace),
            (Level::Debug, &self.debug),
            (Level::Info, &self.info),
            (Level::Warn, &self.warn),
            (Level::Error, &self.error),
            (Level::Fatal, &self.fatal),
        ];
        all.into_iter().filter_map(|(level, entry)| Some((level, entry.as_ref()?)))
    }

    /// The entries of `general` where this has none.
    #[must_use]
    pub fn or(&self, general: &LevelsConfig) -> LevelsConfig {
        let or = |own: &Option<LevelConfig>, general: &Option<LevelConfig>| {
            own.clone().or_else(|| general.clone())
        };
        LevelsConfig {
            fatal: or(&self.fatal, &general.fatal),
            error: or(&self.error, &general.error),
            warn: or(&self.warn, &general.warn),
            info: or(&self.info, &general.info),
            debug: or(&self.debug, &general.debug),
            trace: or(&self.trace, &general.trace),
        }
    }

    /// What the lanes of the levels are to be, beside the one that `input` wishes for; `main` is the output's topic.
    pub fn wishes<'a>(&'a self, input: &'a Wish, main: &'a str) -> impl Iterator<Item = Wish> + 'a {
        self.entries().into_iter().filter_map(move |(_, entry)| entry?.wish(input, main))
    }

    /// The ways, by a table that has all wishes.
    #[must_use]
    pub fn route(&self, input: &Wish, lanes: &Lanes) -> Route {
        let other = Way { lane: lanes.find(input), ..Way::default() };
        let mut levels = [other; LEVELS];
        for ((_, entry), way) in self.entries().into_iter().zip(&mut levels) {
            let Some(entry) = entry else { continue };
            *way = Way {
                lane: entry.wish(input, lanes.topic()).map_or(other.lane, |wish| lanes.find(&wish)),
                is_hasty: entry.urgent || entry.send == Some(Pace::AtOnce),
                is_switched: entry.when == When::SwitchedOn,
            };
        }
        Route { other, levels }
    }

    /// Whether a level names a topic.
    #[must_use]
    pub fn has_topic(&self) -> bool {
        self.written().any(|(_, entry)| entry.topic.is_some())
    }

    /// Whether a level waits for the switch.
    #[must_use]
    pub fn has_switch(&self) -> bool {
        self.written().any(|(_, entry)| entry.when == When::SwitchedOn)
    }

    /// Finds what cannot work.
    ///
    /// # Errors
    /// A text with the way out.
    pub fn check(&self, input: &Wish, main: &str) -> Result<(), String> {
        let mut seen: Vec<(&str, Wish)> = Vec::new();
        for (level, entry) in self.written() {
            let name = level.as_str();
            if let Some(topic) = &entry.topic {
                check_topic(&format!("levels.{name}.topic"), topic)?;
            }
            if entry.urgent && entry.send.is_some_and(|pace| pace != Pace::AtOnce) {
                return Err(format!(
                    "`levels.{name}` is `urgent`, which is `send: at_once`: remove one of them"
                ));
            }
            let Some(wish) = entry.wish(input, main) else {
                if entry.send.is_some_and(|pace| pace != Pace::AtOnce) {
                    return Err(format!(
                        "`levels.{name}.send` needs a `topic` of its own: a topic has the lines of a file in their order"
                    ));
                }
                continue;
            };
            let same = seen.iter().find(|(_, before)| before.topic == wish.topic && *before != wish);
            if let Some((before, _)) = same {
                return Err(format!(
                    "`levels.{before}` and `levels.{name}` have one `topic`: give them the same `urgent` and `send`, \
                     because a topic has the lines of a file in their order"
                ));
            }
            seen.push((name, wish));
        }
        Ok(())
    }
}

impl LevelConfig {
    /// The wish for a lane of its own; `None` when records go with the others of the input.
    fn wish(&self, input: &Wish, main: &str) -> Option<Wish> {
        let topic = self.topic.as_deref()?;
        let is_own = topic != input.topic.as_deref().unwrap_or(main);
        is_own.then(|| Wish { topic: Some(topic.to_owned()), pace: self.send, is_urgent: self.urgent })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn levels(text: &str) -> LevelsConfig {
        yaml::parse("levels.yml", text).unwrap()
    }

    /// The lanes' names and what becomes of each level, `!` for hasty and `?` for switched.
    fn ways(input: &Wish, text: &str) -> (Vec<String>, [String; 7]) {
        let levels = levels(text);
        levels.check(input, "logs").unwrap();
        let wishes = levels.wishes(input, "logs");
        let lanes = Lanes::new("logs", [input.clone()].into_iter().chain(wishes)).unwrap();
        let route = levels.route(input, &lanes);
        let words = ["trace", "debug", "info", "warn", "error", "fatal", "none"];
        let ways = words.map(|word| {
            let way = route.way(Level::parse(word));
            let marks = [(way.is_hasty, "!"), (way.is_switched, "?")];
            let marks: String = marks.iter().filter(|(is, _)| *is).map(|(_, mark)| *mark).collect();
            format!("{}{marks}", way.lane.index())
        });
        (lanes.iter().map(|(_, lane)| lane.suffix()).collect(), ways)
    }

    #[test]
    fn a_level_covers_the_one_beyond_it() {
        let input = Wish { pace: Some(Pace::InLargeBatches), ..Wish::default() };
        let (lanes, found) = ways(
            &input,
            "error: { urgent: true }\ndebug: { topic: app-debug, when: switched_on }\nwarn: { topic: w, urgent: true }\n",
        );
        assert_eq!(lanes, ["", ".in_large_batches", ".app-debug", ".w.urgent"]);
        assert_eq!(found, ["2?", "2?", "1", "3!", "1!", "1!", "1"]);
        let (_, found) =
            ways(&input, "error: { urgent: true }\nfatal: {}\ndebug: { when: switched_on }\ntrace: {}");
        assert_eq!(found, ["1", "1?", "1", "1", "1!", "1", "1"]);
    }

    /// Two lanes of one topic could overtake each other.
    #[test]
    fn a_topic_that_is_the_inputs_own_is_no_other_lane() {
        for (topic, main) in [(None, "logs"), (Some("app"), "app")] {
            let input =
                Wish { topic: topic.map(str::to_owned), pace: Some(Pace::InLargeBatches), is_urgent: false };
            let (_, found) = ways(&input, &format!("error: {{ topic: {main}, urgent: true }}"));
            assert_eq!(found, ["1", "1", "1", "1", "1!", "1!", "1"]);
        }
    }

    #[test]
    fn an_input_has_the_general_entries_that_it_does_not_have_itself() {
        let own = levels("debug: { topic: mine }");
        let both = own.or(&levels("debug: { when: switched_on }\nerror: { urgent: true }"));
        assert_eq!(both, levels("debug: { topic: mine }\nerror: { urgent: true }"));
        assert!(!both.has_switch());
    }

    #[test]
    fn what_cannot_work_is_refused() {
        for (text, words) in [
            ("debug: { topic: 'a b' }", "`levels.debug.topic` is `a b`"),
            ("error: { urgent: true, send: normal }", "`levels.error` is `urgent`, which is `send: at_once`"),
            ("info: { send: in_large_batches }", "`levels.info.send` needs a `topic` of its own"),
            (
                "info: { send: in_large_batches, topic: logs }",
                "`levels.info.send` needs a `topic` of its own",
            ),
            (
                "info: { topic: a }\nwarn: { topic: a, urgent: true }",
                "`levels.info` and `levels.warn` have one `topic`",
            ),
        ] {
            let error = levels(text).check(&Wish::default(), "logs").unwrap_err();
            assert!(error.contains(words), "{text}: {error}");
        }
    }
}
