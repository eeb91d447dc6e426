//! Plays a scenario on real files, a real broker and a real process.
//!
//! Enters: steps. Leaves: an outcome. Never: a file, a mount or a process that outlives it.

use std::collections::BTreeMap;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

use event::Event;
use event::heartbeat::Heartbeat;
use rustix::process::Signal;

use super::load::{self, Running};
use super::mount::Mount;
use super::outcome::{Outcome, Watched};
use super::peer::{Peer, Place};
use super::pen::Pen;
use super::step::{Load, Step};
use super::tally::Tally;
use super::usage::Usage;
use super::{Broker, Scenario};
use crate::dice::Dice;
use crate::oracle::Reader;
use crate::part::daemon::Daemon;
use crate::part::kafka::{GUARDED, Kafka};
use crate::part::signal;
use crate::wait;

/// How long nothing may arrive before what has arrived is all: a scan's pace, so that a file which is read twice shows.
const SETTLED: Duration = Duration::from_millis(1500);
/// The same while lines are missing that the shipper does not know of.
const QUIET: Duration = Duration::from_secs(5);
/// The same while the shipper says that it has more.
const SILENT: Duration = Duration::from_secs(40);
/// Files that are made to get an inode back.
const INODES_MAX: u32 = 2000;

/// Lines of the shipper's log in a report.
const LOG_LINES_MAX: usize = 40;

/// A scenario that is being played.
pub(super) struct Stage<'s> {
    scenario: &'s Scenario,
    peer: Peer,
    dice: &'s mut Dice,
    pens: BTreeMap<String, Pen>,
    load: Option<Running>,
    process: Option<Daemon>,
    reader: Reader,
    tally: Tally,
    outcome: Outcome,
    config: PathBuf,
    topic: String,
    kafka: Arc<Kafka>,
    // Unmounted before the folder goes; by place.
    mounts: BTreeMap<PathBuf, Mount>,
    folder: tempfile::TempDir,
}

impl<'s> Stage<'s> {
    /// Makes folders, broker and topic.
    pub(super) fn set(scenario: &'s Scenario, peer: Peer, dice: &'s mut Dice) -> Result<Self, String> {
        let folder = tempfile::tempdir().unwrap();
        let (logs, state) = (folder.path().join("logs"), folder.path().join("state"));
        std::fs::create_dir(&logs).unwrap();
        std::fs::create_dir(&state).unwrap();
        let mut mounts = BTreeMap::new();
        if scenario.setting.is_state_small {
            mounts.insert(state.clone(), Mount::small_disk(&state)?);
        }
        if scenario.setting.has_mounts {
            drop(Mount::small_disk(&logs)?);
        }
        let kafka = match scenario.setting.broker {
            Broker::Shared => Kafka::shared(),
            Broker::Own => Arc::new(Kafka::start("")),
            Broker::Guarded => Arc::new(Kafka::start(GUARDED)),
        };
        let topic = format!("torture-{}-{}", scenario.name, peer.name());
        kafka.create(&topic, &[]);
        let broker = kafka.address();
        let place = Place { logs: &logs, state: &state, broker: &broker, topic: &topic };
        let config = peer.configure(folder.path(), &place, &scenario.setting);
        Ok(Stage {
            scenario,
            peer,
            dice,
            pens: BTreeMap::new(),
            load: None,
            process: None,
            reader: Reader::new(&broker, &topic),
            tally: Tally::default(),
            outcome: Outcome::default(),
            config,
            topic,
            kafka,
            mounts,
            folder,
        })
    }

    /// Plays the steps.
    pub(super) fn play(&mut self, steps: &[Step]) {
        for step in steps {
            self.step(step);
        }
    }

    fn step(&mut self, step: &Step) {
        match step {
            Step::Open(pen, file) => self.open(pen, file),
            Step::Write(pen, lines) => self.pen(pen).write(*lines),
            Step::Half(pen) => self.pen(pen).half(),
            Step::Long(pen, bytes) => self.pen(pen).long(*bytes),
            Step::Banner(pen, bytes) => self.pen(pen).banner(*bytes),
            Step::Shell(command) => load::shell(&self.logs(), command),
            Step::Cover => self.mount(&self.logs(), Mount::small_disk),
            Step::Bind(file, name) => {
                let (file, name) = (self.logs().join(file), self.logs().join(name));
                self.mount(&name, |name| Mount::bind(&file, name));
            }
            Step::Unmount(name) => drop(self.mounts.remove(&self.logs().join(name)).unwrap()),
            Step::ReuseInode(file) => reuse_inode(&self.logs().join(file)),
            Step::Start => self.start(),
            Step::Stop => self.stop(),
            Step::Kill => {
                self.count_cost();
                self.process = None;
            }
            Step::Freeze => signal(self.pid(), Signal::STOP),
            Step::Thaw => signal(self.pid(), Signal::CONT),
            Step::Shipped => self.until_shipped(),
            Step::During(load, steps) => self.during(load, steps),
            Step::Lines(lines) => self.wait(*lines),
            Step::SomeLines(most) => {
                let lines = self.dice.roll(*most);
                self.wait(lines);
            }
            Step::Repeat(times, steps) => (0..*times).for_each(|_| self.play(steps)),
            Step::Watch(steps) => self.watch(steps),
            Step::BrokerDown => self.kafka.stop(true),
            Step::BrokerUp => self.kafka.launch(),
            Step::Deny => self.kafka.deny("Write", &self.topic),
            Step::Allow => self.kafka.allow("Write", &self.topic),
        }
    }

    /// Ends the shipper and judges.
    pub(super) fn finish(mut self) -> Outcome {
        let is_ours = self.peer == Peer::Shipper && self.process.is_some();
        self.outcome.reported_bytes = is_ours.then(|| self.metric("shipper_file_lost_bytes_total") as u64);
        self.outcome.log = self.process.as_ref().map(|process| end(&process.log())).unwrap_or_default();
        self.stop();
        self.pull();
        let mut outcome = self.outcome;
        for pen in self.pens.values() {
            outcome.written += pen.lines();
            for sequence in self.tally.missing(&pen.stream, pen.lines()) {
                outcome.missing += 1;
                outcome.missing_bytes += pen.bytes(sequence);
            }
        }
        outcome.duplicate = self.tally.duplicates();
        outcome.torn = self.tally.torn;
        outcome.out_of_order = self.tally.out_of_order;
        outcome.examples = self.tally.examples;
        outcome
    }

    fn logs(&self) -> PathBuf {
        self.folder.path().join("logs")
    }

    fn mount(&mut self, at: &Path, mount: impl FnOnce(&Path) -> Result<Mount, String>) {
        self.mounts.insert(at.to_owned(), mount(at).unwrap());
    }

    fn pen(&mut self, name: &str) -> &mut Pen {
        self.pens.get_mut(name).unwrap()
    }

    fn open(&mut self, name: &str, file: &str) {
        let path = self.logs().join(file);
        match self.pens.get_mut(name) {
            Some(pen) => pen.reopen(&path),
            None => {
                let pen = Pen::new(name, self.scenario.setting.style, &path);
                self.pens.insert(name.to_owned(), pen);
            }
        }
    }

    fn start(&mut self) {
        let mut command = self.peer.command(&self.config, &self.scenario.setting);
        self.process = Some(Daemon::spawn(&mut command, &self.folder.path().join("log")));
    }

    fn stop(&mut self) {
        self.count_cost();
        self.outcome.exit = self.process.take().and_then(|mut process| process.terminate());
    }

    fn pid(&self) -> u32 {
        self.process.as_ref().unwrap().pid()
    }

    fn metric(&self, name: &str) -> f64 {
        self.process.as_ref().unwrap().metric(name)
    }

    fn count_cost(&mut self) {
        let Some(usage) = self.process.as_ref().and_then(|process| Usage::of(process.pid())) else { return };
        self.outcome.cpu += usage.cpu;
        self.outcome.peak_mb = self.outcome.peak_mb.max(usage.peak_kb / 1024);
    }

    fn during(&mut self, load: &Load, steps: &[Step]) {
        if !self.pens.contains_key(&load.pen) {
            self.open(&load.pen, &load.file);
        }
        let pen = self.pens.remove(&load.pen).unwrap();
        self.load = Some(Running::start(load, pen, &self.logs()));
        self.play(steps);
        let pen = self.load.take().unwrap().stop();
        self.pens.insert(load.pen.clone(), pen);
    }

    fn wait(&mut self, lines: u64) {
        self.load.as_ref().unwrap().wait(lines);
    }

    fn watch(&mut self, steps: &[Step]) {
        let (before, started) = (Usage::of(self.pid()).unwrap_or_default(), Instant::now());
        self.play(steps);
        let (after, wall) = (Usage::of(self.pid()).unwrap_or_default(), started.elapsed());
        let share = after.cpu.saturating_sub(before.cpu).as_secs_f64() / wall.as_secs_f64();
        self.outcome.watched = Some(Watched {
            cpu_percent: (share * 100.0).round() as u64,
            growth_mb: after.resident_kb.saturating_sub(before.resident_kb) / 1024,
        });
    }

    fn until_shipped(&mut self) {
        let written: u64 = self.pens.values().map(Pen::whole_lines).sum();
        let (mut latest, mut known) = (Instant::now(), self.tally.lines);
        wait::within(wait::PATIENCE * 20, "everything to arrive", || {
            self.pull();
            if self.tally.lines > known {
                (latest, known) = (Instant::now(), self.tally.lines);
            }
            let quiet = latest.elapsed();
            let is_settled = quiet > SETTLED && known >= written && self.is_idle();
            let is_all = is_settled || (quiet > QUIET && self.is_idle() && self.peer == Peer::Shipper);
            (is_all || quiet > SILENT).then_some(())
        });
    }

    /// Whether the shipper itself says that there is nothing more than halves of lines; a peer says nothing.
    fn is_idle(&self) -> bool {
        let halves: u64 = self.pens.values().map(Pen::half_bytes).sum();
        self.peer != Peer::Shipper
            || (self.metric("shipper_file_streams") > 0.0
                && self.metric("shipper_file_pending_bytes") as u64 <= halves)
    }

    /// Counts what has arrived since it was last asked.
    fn pull(&mut self) {
        let tally = &mut self.tally;
        self.reader.read(|_, event| {
            if Heartbeat::from_event(&event).is_none() {
                tally.add(source(&event).as_deref(), event.text("message").unwrap_or_default());
            }
        });
    }
}

/// The last lines of a log.
fn end(log: &str) -> String {
    let lines: Vec<&str> = log.lines().collect();
    lines[lines.len().saturating_sub(LOG_LINES_MAX)..].join("\n")
}

/// The generation of a file that the record is of, when the shipper names it.
fn source(event: &Event) -> Option<String> {
    event.value("log.offset")?;
    event.id().map(|id| id.stream.to_string())
}

/// Removes a file and makes another with its inode, as a file system does sooner or later.
fn reuse_inode(path: &Path) {
    let inode = std::fs::metadata(path).unwrap().ino();
    std::fs::remove_file(path).unwrap();
    // In the same folder: a file system keeps those of one folder together.
    let names = (0..INODES_MAX).map(|number| path.with_file_name(format!("inode-{number}")));
    let mut made = Vec::new();
    let found = names.into_iter().find(|name| {
        made.push(name.clone());
        std::fs::File::create(name).unwrap().metadata().unwrap().ino() == inode
    });
    std::fs::rename(found.expect("the file system gives an inode again"), path).unwrap();
    made.iter().for_each(|name| drop(std::fs::remove_file(name)));
}
