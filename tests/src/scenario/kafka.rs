//! The world with real parts: our own programs, a real Kafka, a real nginx to probe, stood-in vendors.
//!
//! Enters: acts, a time. Leaves: pages and lines. Time is the programs' own time-lapse, so that the story's minutes
//! take seconds; nothing else differs from what an operator runs.

use std::collections::BTreeMap;
use std::io::Write;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use daemon::Clock;
use event::{EventId, Timestamp};

use super::{Act, Page, Stage, Story, config, numbered_lines};
use crate::fake::Vendors;
use crate::part::kafka::Kafka;
use crate::part::nginx::Nginx;
use crate::part::{Process, binary};

/// How many seconds of a story pass in one.
pub const SPEED: f64 = 10.0;
/// How long, on the machine's clock, a busy machine may keep a page.
const SLACK: Duration = Duration::from_secs(10);

/// The world.
#[derive(Debug)]
pub struct World {
    folder: tempfile::TempDir,
    clock: Clock,
    start: Timestamp,
    lapse: String,
    kafka: Arc<Kafka>,
    nginx: Nginx,
    vendors: Vendors,
    written: BTreeMap<String, u64>,
    shipper: Option<Process>,
    alerter: Option<Process>,
}

impl World {
    /// A world at its start, with shipper and alerter running and the probe answered.
    #[must_use]
    pub fn new(story: &Story) -> Self {
        let folder = tempfile::tempdir().unwrap();
        std::fs::create_dir(folder.path().join("log")).unwrap();
        let kafka = Arc::new(Kafka::start(""));
        let nginx = Nginx::start(&folder.path().join("nginx"));
        let start = Clock::System.now();
        let clock = Clock::lapse_since(start, SPEED);
        let vendors = Vendors::start(clock.clone());
        std::fs::write(folder.path().join("rules.yml"), &story.rules).unwrap();
        let shipper_file = config::shipper_file(folder.path(), &kafka.address(), &nginx.url());
        std::fs::write(folder.path().join("shipper.yml"), shipper_file).unwrap();
        let alerter_file = config::alerter_file(folder.path(), &kafka.address(), &vendors);
        std::fs::write(folder.path().join("alerter.yml"), alerter_file).unwrap();
        let mut world = World {
            lapse: format!("{SPEED}@{start}"),
            folder,
            start: clock.now(),
            clock,
            kafka,
            nginx,
            vendors,
            written: BTreeMap::new(),
            shipper: None,
            alerter: None,
        };
        world.act(&Act::StartShipper);
        world.act(&Act::StartAlerter);
        world
    }

    fn log(&self, file: &str) -> PathBuf {
        self.folder.path().join("log").join(file)
    }

    fn run(&self, program: &str) -> Process {
        let file = self.folder.path().join(format!("{program}.yml")).display().to_string();
        let arguments = ["run", "-c", &file, "--time-lapse", &self.lapse];
        binary::start(program, &arguments, &self.folder.path().join(format!("{program}.out")))
    }

    fn append(&self, file: &str, bytes: &[u8]) {
        let file = std::fs::OpenOptions::new().create(true).append(true).open(self.log(file));
        file.unwrap().write_all(bytes).unwrap();
    }
}

impl Stage for World {
    fn advance(&mut self, at: Duration) {
        let goal = self.start.plus(at);
        crate::wait::within(self.clock.real(at) + crate::wait::PATIENCE, "the story's clock", || {
            (self.clock.now() >= goal).then_some(())
        });
    }

    fn act(&mut self, act: &Act) {
        match act {
            Act::Append { file, lines, level } => {
                let from = self.written.entry(super::stem(file)).or_default();
                let text = numbered_lines(file, *from, *lines, level, self.clock.now());
                *from += lines;
                self.append(file, text.as_bytes());
            }
            Act::Write { file, bytes } => self.append(file, bytes),
            Act::Rotate { file } => std::fs::rename(self.log(file), self.log(&format!("{file}.1"))).unwrap(),
            Act::ServiceDown => self.nginx.stop(),
            Act::ServiceUp => self.nginx.launch(),
            // Dropping the guard is `kill -9`.
            Act::KillShipper => self.shipper = None,
            Act::StartShipper => self.shipper = Some(self.run("shipper")),
            Act::KillAlerter => self.alerter = None,
            Act::StartAlerter => self.alerter = Some(self.run("alerter")),
            Act::KafkaDown => self.kafka.stop(true),
            // It takes its time to start, and the story goes on meanwhile.
            Act::KafkaUp => {
                let kafka = Arc::clone(&self.kafka);
                std::thread::spawn(move || kafka.launch());
            }
        }
    }

    fn pages(&mut self) -> Vec<Page> {
        let of_vendor = |(vendor, channel): (&str, &str)| {
            let arrivals = self.vendors.arrivals(vendor).into_iter();
            arrivals.map(|arrival| arrival.page(channel, self.start)).collect::<Vec<_>>()
        };
        let vendors = [
            ("voice", "oncall-phone"),
            ("sms", "oncall-sms"),
            ("dingtalk", "ops-group"),
            ("wecom", "ops-wecom"),
            ("webhook", "ops-mail"),
        ];
        let mut pages: Vec<Page> = vendors.into_iter().flat_map(of_vendor).collect();
        pages.sort_by_key(|page| page.at);
        pages
    }

    fn lines(&mut self) -> Vec<(EventId, String)> {
        let written: u64 = self.written.values().sum();
        let read = || {
            let events = crate::oracle::read(&self.kafka.address(), "logs");
            let lines = events.iter().filter(|event| event.value("log.offset").is_some());
            lines
                .map(|event| (event.id().unwrap(), event.text("message").unwrap().to_owned()))
                .collect::<Vec<_>>()
        };
        // What was written last may still be on its way; a line that is lost makes this wait end in vain.
        crate::wait::until("every line to arrive", || {
            let lines = read();
            let unique: std::collections::BTreeSet<_> = lines.iter().map(|(id, _)| *id).collect();
            (unique.len() as u64 >= written).then_some(lines)
        })
    }

    fn slack(&self) -> Duration {
        SLACK.mul_f64(SPEED)
    }

    fn account(&self) -> String {
        let tail = |program: &str| {
            let text = std::fs::read_to_string(self.folder.path().join(format!("{program}.out")))
                .unwrap_or_default();
            let lines: Vec<&str> = text.lines().collect();
            format!("{program}:\n{}\n", lines[lines.len().saturating_sub(40)..].join("\n"))
        };
        tail("shipper") + &tail("alerter")
    }
}
