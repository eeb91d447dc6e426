//! The world in memory: the shipper's and the alerter's own machines, stepped by a clock that the story moves.
//!
//! Enters: acts, a time. Leaves: pages and lines. Files and state files are real, in a folder of their own, so that a
//! kill is what it is elsewhere: the machine is dropped, and opened again on what it had written.

use std::collections::BTreeMap;
use std::io::Write;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use alerter::Outcome;
use alerter::core::Core;
use bytes::Bytes;
use daemon::{Readiness, Record};
use event::{Event, EventId, Timestamp};
use shipper::batch::{Fate, Outbox, Settled};
use shipper::input::file::{Deps, FileInput, PinnedConfig, Poll};
use shipper::route::{LaneId, Lanes};

use super::{Act, Page, Stage, Story, config, numbered_lines};

/// How far time moves between two looks at the world.
const STEP: Duration = Duration::from_millis(500);
/// How often the service is probed, and the shipper says that it lives.
const PROBE_EVERY: Duration = Duration::from_secs(10);

/// The world.
#[derive(Debug)]
pub struct Memory {
    folder: tempfile::TempDir,
    start: Timestamp,
    now: Timestamp,
    rules: String,
    is_service_up: bool,
    written: BTreeMap<String, u64>,
    shipper: Option<FileInput>,
    next_probe: Timestamp,
    topic: Vec<Record>,
    alerter: Option<Core>,
    pages: Vec<Page>,
}

impl Memory {
    /// A world at its start, with shipper and alerter running.
    ///
    /// # Panics
    /// When the story's rules cannot be used.
    #[must_use]
    pub fn new(story: &Story) -> Self {
        let start = Timestamp::parse("2026-11-23T10:00:00Z").unwrap();
        let folder = tempfile::tempdir().unwrap();
        std::fs::create_dir(folder.path().join("log")).unwrap();
        let mut memory = Memory {
            folder,
            start,
            now: start,
            rules: story.rules.clone(),
            is_service_up: true,
            written: BTreeMap::new(),
            shipper: None,
            next_probe: start,
            topic: Vec::new(),
            alerter: None,
            pages: Vec::new(),
        };
        memory.start_shipper();
        memory.start_alerter();
        memory
    }

    fn log(&self, file: &str) -> PathBuf {
        self.folder.path().join("log").join(file)
    }

    fn append(&self, file: &str, bytes: &[u8]) {
        let file = std::fs::OpenOptions::new().create(true).append(true).open(self.log(file));
        file.unwrap().write_all(bytes).unwrap();
    }

    fn start_shipper(&mut self) {
        let paths = self.folder.path().join("log/*.log*");
        let deps = Deps {
            host: "host-1".to_owned(),
            registry: self.folder.path().join("registry"),
            readiness: Readiness::default(),
            lanes: Lanes::single(),
            pinned: PinnedConfig::default(),
        };
        let configs = vec![config::file_input(&paths.display().to_string())];
        self.shipper = Some(FileInput::open(configs, deps, self.now).unwrap());
    }

    fn start_alerter(&mut self) {
        let plan = config::plan(&self.rules);
        let directory = self.folder.path().join("alerter");
        self.alerter = Some(Core::open(&directory, plan, Duration::from_secs(1)).unwrap());
    }

    fn step(&mut self) {
        self.ship();
        self.probe();
        self.alert();
    }

    fn ship(&mut self) {
        let Some(mut shipper) = self.shipper.take() else { return };
        let mut out = Outbox::new(&Lanes::single());
        loop {
            let poll = shipper.poll(self.now, &mut out);
            let batch = std::mem::take(out.batch(LaneId::MAIN).unwrap());
            let mut settled = Vec::new();
            for entry in &batch.entries {
                self.publish(entry.stream.to_string().into_bytes(), batch.payload(entry).to_vec());
                settled.extend(entry.ticket.map(|ticket| Settled { ticket, fate: Fate::Acked }));
            }
            shipper.settle(&settled, self.now);
            if poll != Poll::More && batch.is_empty() {
                break;
            }
        }
        self.shipper = Some(shipper);
    }

    fn probe(&mut self) {
        if self.shipper.is_none() || self.now < self.next_probe {
            return;
        }
        self.next_probe = self.now.plus(PROBE_EVERY);
        let (heartbeat, probe) =
            (config::heartbeat(self.now, PROBE_EVERY), config::probe(self.now, self.is_service_up));
        self.publish(Vec::new(), heartbeat);
        self.publish(Vec::new(), probe);
    }

    fn publish(&mut self, key: Vec<u8>, payload: Vec<u8>) {
        self.topic.push(Record {
            topic: Arc::from("logs"),
            partition: 0,
            offset: i64::try_from(self.topic.len()).unwrap(),
            timestamp: self.now,
            key: Some(Bytes::from(key)),
            payload: Bytes::from(payload),
        });
    }

    fn alert(&mut self) {
        let Some(mut core) = self.alerter.take() else { return };
        let next = core.positions().first().map_or(0, |position| usize::try_from(position.next).unwrap());
        core.handle(&self.topic[next..], true, self.now).unwrap();
        while core.deadline().is_some_and(|deadline| deadline <= self.now) {
            core.tick(self.now).unwrap();
            let sends = core.due(self.now);
            if sends.is_empty() {
                break;
            }
            for send in sends {
                self.pages.push(self.page(&send));
                core.settle(send.id, Outcome::Delivered { reference: String::new() }, self.now).unwrap();
            }
        }
        self.alerter = Some(core);
    }

    fn page(&self, send: &alerter::outbox::Send) -> Page {
        let notification = &send.notification;
        Page {
            at: self.now.since(self.start),
            priority: notification.transition.priority.to_string(),
            state: notification.state_word().to_owned(),
            channel: send.channel.clone(),
            text: notification.text(None),
            id: notification.id.clone(),
        }
    }
}

impl Stage for Memory {
    fn advance(&mut self, at: Duration) {
        let goal = self.start.plus(at);
        while self.now < goal {
            self.step();
            self.now = goal.min(self.now.plus(STEP));
        }
        self.step();
    }

    fn act(&mut self, act: &Act) {
        match act {
            Act::Append { file, lines, level } => {
                let from = self.written.entry(super::stem(file)).or_default();
                let text = numbered_lines(file, *from, *lines, level, self.now);
                *from += lines;
                self.append(file, text.as_bytes());
            }
            Act::Write { file, bytes } => self.append(file, bytes),
            Act::Rotate { file } => std::fs::rename(self.log(file), self.log(&format!("{file}.1"))).unwrap(),
            Act::ServiceDown => self.is_service_up = false,
            Act::ServiceUp => self.is_service_up = true,
            Act::KillShipper => self.shipper = None,
            Act::StartShipper => self.start_shipper(),
            Act::KillAlerter => self.alerter = None,
            Act::StartAlerter => self.start_alerter(),
            Act::KafkaDown | Act::KafkaUp => panic!("the world in memory has no broker"),
        }
    }

    fn pages(&mut self) -> Vec<Page> {
        self.pages.clone()
    }

    fn lines(&mut self) -> Vec<(EventId, String)> {
        let mut event = Event::default();
        let mut lines = Vec::new();
        for record in &self.topic {
            event::decode::decode(&record.received(), &mut event);
            if event.value("log.offset").is_some() {
                lines.push((event.id().unwrap(), event.text("message").unwrap().to_owned()));
            }
        }
        lines
    }

    fn slack(&self) -> Duration {
        Duration::ZERO
    }

    fn account(&self) -> String {
        let alerter = self.alerter.as_ref().map(|core| format!("{:?}", core.engine().stats()));
        format!("records: {}, alerter: {alerter:?}", self.topic.len())
    }
}
