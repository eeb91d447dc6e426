//! A script of moments, and what it must lead to: the same story over in-memory edges and over a real Kafka.
//!
//! Enters: `story.at("45s").kill_shipper()`, `story.expect(P0, between("6m", "6m 15s"))`. Leaves: a pass, or the whole
//! timeline of what was sent instead.
//!
//! ```text
//! let mut story = Story::new(RULES);
//! story.at("30s").append("app.log", 100, "INFO");
//! story.at("1m").service_down();
//! story.at("5m").kill_alerter();
//! story.at("5m 20s").start_alerter();
//! story.expect(P0, between("6m", "6m 15s"));
//! story.play(&mut Memory::new(&story));
//! ```

use std::collections::BTreeMap;
use std::time::Duration;

use event::EventId;

pub mod config;
pub mod kafka;
pub mod memory;

/// One thing that is done to the world.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Act {
    /// Append numbered lines of one level to a log.
    Append {
        /// The file's name; its stem is the oracle's stream.
        file: String,
        /// How many.
        lines: u64,
        /// `INFO` or `ERROR`.
        level: &'static str,
    },
    /// Append bytes as they are.
    Write {
        /// The file's name.
        file: String,
        /// What is appended.
        bytes: Vec<u8>,
    },
    /// Rename the file to `NAME.1`, and begin it anew.
    Rotate {
        /// The file's name.
        file: String,
    },
    /// The probed service stops.
    ServiceDown,
    /// It answers again.
    ServiceUp,
    /// `kill -9`.
    KillShipper,
    /// Start it on what it left.
    StartShipper,
    /// `kill -9`.
    KillAlerter,
    /// Start it on what it left.
    StartAlerter,
    /// Stop the broker.
    KafkaDown,
    /// Start it again, on its data.
    KafkaUp,
}

/// A notification that reached its recipient.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Page {
    /// Since the story's start.
    pub at: Duration,
    /// `P0`..`P3`.
    pub priority: String,
    /// `FIRING`, `STILL FIRING`, `RESOLVED`.
    pub state: String,
    /// The channel.
    pub channel: String,
    /// The whole text.
    pub text: String,
    /// The notification's id.
    pub id: String,
}

/// A world in which a story can be played.
pub trait Stage {
    /// Lets time pass until `at`.
    fn advance(&mut self, at: Duration);
    /// Does one thing, now.
    fn act(&mut self, act: &Act);
    /// Every notification that has arrived.
    fn pages(&mut self) -> Vec<Page>;
    /// Every log line that has arrived, with its id.
    fn lines(&mut self) -> Vec<(EventId, String)>;
    /// How much later than by the story's own time things may come: real machines have other work too.
    fn slack(&self) -> Duration;
    /// What its parts say of themselves, for whoever has to find out why a story failed.
    fn account(&self) -> String;
}

/// A span of the story's time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Between(Duration, Duration);

/// From `start` to `end`, both as in `6m 15s`.
///
/// # Panics
/// When a text is no span.
#[must_use]
pub fn between(start: &str, end: &str) -> Between {
    Between(span(start), span(end))
}

fn span(text: &str) -> Duration {
    let parts = text.split_whitespace().map(|part| part.parse::<yaml::Span>().unwrap().0);
    parts.sum()
}

#[derive(Debug, Clone)]
struct Expected {
    priority: &'static str,
    state: &'static str,
    when: Between,
}

/// A script and what must come of it.
#[derive(Debug, Clone)]
pub struct Story {
    /// The rule file.
    pub rules: String,
    acts: Vec<(Duration, Act)>,
    expected: Vec<Expected>,
    /// How many channels each priority is told on.
    pub channels: BTreeMap<&'static str, usize>,
}

/// A moment of a story; what is called on it happens then.
#[derive(Debug)]
pub struct Moment<'a> {
    story: &'a mut Story,
    at: Duration,
}

impl Moment<'_> {
    fn act(self, act: Act) {
        self.story.acts.push((self.at, act));
    }

    /// Appends `lines` numbered lines of `level` to `file`.
    pub fn append(self, file: &str, lines: u64, level: &'static str) {
        self.act(Act::Append { file: file.to_owned(), lines, level });
    }

    /// Appends bytes as they are.
    pub fn write(self, file: &str, bytes: &[u8]) {
        self.act(Act::Write { file: file.to_owned(), bytes: bytes.to_owned() });
    }

    /// Renames the file and begins it anew.
    pub fn rotate(self, file: &str) {
        self.act(Act::Rotate { file: file.to_owned() });
    }

    /// The probed service stops.
    pub fn service_down(self) {
        self.act(Act::ServiceDown);
    }

    /// The probed service answers again.
    pub fn service_up(self) {
        self.act(Act::ServiceUp);
    }

    /// `kill -9` of the shipper.
    pub fn kill_shipper(self) {
        self.act(Act::KillShipper);
    }

    /// Starts the shipper on what it left.
    pub fn start_shipper(self) {
        self.act(Act::StartShipper);
    }

    /// `kill -9` of the alerter.
    pub fn kill_alerter(self) {
        self.act(Act::KillAlerter);
    }

    /// Starts the alerter on what it left.
    pub fn start_alerter(self) {
        self.act(Act::StartAlerter);
    }

    /// Stops the broker; over in-memory edges nothing can be stopped.
    pub fn kafka_down(self) {
        self.act(Act::KafkaDown);
    }

    /// Starts the broker again.
    pub fn kafka_up(self) {
        self.act(Act::KafkaUp);
    }
}

impl Story {
    /// A story under these rules. P0 goes to three channels, P1 to two, P2 to one.
    #[must_use]
    pub fn new(rules: &str) -> Self {
        let channels = BTreeMap::from([("P0", 3), ("P1", 2), ("P2", 1)]);
        Story { rules: rules.to_owned(), acts: Vec::new(), expected: Vec::new(), channels }
    }

    /// The moment `time` after the start, such as `45s` or `5m 20s`.
    pub fn at(&mut self, time: &str) -> Moment<'_> {
        Moment { at: span(time), story: self }
    }

    /// Exactly one alert of this priority fires in this span, once on each of its channels.
    pub fn expect(&mut self, priority: &'static str, when: Between) {
        self.expected.push(Expected { priority, state: "FIRING", when });
    }

    /// Exactly one alert of this priority is resolved in this span, once on each of its channels.
    pub fn expect_resolved(&mut self, priority: &'static str, when: Between) {
        self.expected.push(Expected { priority, state: "RESOLVED", when });
    }

    /// Plays the story to `end`, then judges pages and lines.
    ///
    /// # Panics
    /// With the timeline, when a page is missing, doubled, or was not expected, or when a line is lost or torn.
    pub fn play(&self, stage: &mut impl Stage, end: &str) {
        let mut acts = self.acts.clone();
        acts.sort_by_key(|(at, _)| *at);
        let mut written = BTreeMap::new();
        for (at, act) in &acts {
            stage.advance(*at);
            if let Act::Append { file, lines, .. } = act {
                *written.entry(stem(file)).or_default() += lines;
            }
            stage.act(act);
        }
        stage.advance(span(end) + stage.slack());
        let pages = stage.pages();
        self.judge_pages(&pages, stage.slack(), &format!("{}\n{}", timeline(&pages), stage.account()));
        judge_lines(&written, &stage.lines());
    }

    fn judge_pages(&self, pages: &[Page], slack: Duration, account: &str) {
        let mut left: Vec<&Page> = pages.iter().filter(|page| page.state != "STILL FIRING").collect();
        for expected in &self.expected {
            let channels = self.channels[expected.priority];
            let before = left.len();
            let mut seen = Vec::new();
            left.retain(|page| {
                let is_it = page.priority == expected.priority
                    && page.state == expected.state
                    && (expected.when.0..=expected.when.1 + slack).contains(&page.at)
                    && !seen.contains(&page.channel);
                if is_it {
                    seen.push(page.channel.clone());
                }
                !is_it
            });
            let found = before - left.len();
            assert_eq!(found, channels, "{expected:?} reached {found} of {channels} channels\n{account}");
        }
        assert!(left.is_empty(), "not expected:\n{}\nof\n{account}", timeline(left));
    }
}

fn timeline<'a>(pages: impl IntoIterator<Item = &'a Page>) -> String {
    let lines = pages.into_iter().map(|page| {
        let text = page.text.lines().take(3).collect::<Vec<_>>().join(" | ");
        format!("  {:>7.1}s {} {} {}: {text}", page.at.as_secs_f64(), page.priority, page.state, page.channel)
    });
    lines.collect::<Vec<_>>().join("\n")
}

/// The oracle's stream of a file: its name up to the first dot.
#[must_use]
pub fn stem(file: &str) -> String {
    file.split('.').next().unwrap_or(file).to_owned()
}

/// The lines that [`Act::Append`] writes: a time stamp, a level, and the stream's running number at the end.
#[must_use]
pub fn numbered_lines(file: &str, from: u64, lines: u64, level: &str, now: event::Timestamp) -> String {
    let stream = stem(file);
    (from..from + lines)
        .map(|number| format!("{now} {level:5} [main] work: done {stream} {number}\n"))
        .collect()
}

fn judge_lines(written: &BTreeMap<String, u64>, lines: &[(EventId, String)]) {
    // A line that was sent twice has the same id both times; every consumer counts it once.
    let unique: BTreeMap<EventId, &String> = lines.iter().map(|(id, line)| (*id, line)).collect();
    let ours: Vec<String> = unique
        .values()
        .filter(|line| line.contains(" done ") || line.contains("done "))
        .map(|line| (*line).clone())
        .collect();
    let verdict = crate::oracle::judge(written, &ours);
    assert!(verdict.missing.is_empty(), "lost lines: {:?}", verdict.missing);
    assert!(verdict.doubled.is_empty(), "the same line under two ids: {:?}", verdict.doubled);
    assert!(verdict.torn.is_empty(), "torn lines: {:?}", verdict.torn);
}
