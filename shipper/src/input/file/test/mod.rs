//! Scenarios over real files, with a clock that stands until it is moved.
//!
//! Enters: what writers and rotations do to a folder. Leaves: the records that came of it, and the ledger.

mod books;
mod archive;
mod bound;
mod container;
mod copy;
mod encoding;
mod follow;
mod frame;
mod lane;
mod multiline;
mod pinned;
mod process;
mod property;
mod quiet;
mod restart;
mod rotate;
mod seam;
mod thread;
mod unseen;

use std::fs::{self, File, OpenOptions};
use std::io::Write;
use std::path::PathBuf;
use std::time::Duration;

use daemon::Readiness;
use event::heartbeat::Ledger;
use event::{EventId, StreamId, Timestamp};
use tempfile::TempDir;

use super::{Deps, FileConfig, FileInput, FileTotals, OpenError, PinnedConfig, Poll};
use crate::batch::{Fate, Outbox, Settled, Ticket};
use crate::route::{LaneId, Lanes};

/// One record as it was sent.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
struct Got {
    stream: StreamId,
    offset: u64,
    message: String,
    tags: Vec<String>,
    path: String,
    ticket: Ticket,
}

/// A folder, a file input that reads it, and everything that was sent.
struct Rig {
    folder: TempDir,
    state: TempDir,
    yaml: String,
    input: Option<FileInput>,
    now: Timestamp,
    got: Vec<Got>,
    /// `log.original_bytes` of every record.
    originals: Vec<Option<u64>>,
    /// How many of them came before the last start; their tickets mean nothing any more.
    got_before: usize,
    unsettled: Vec<Ticket>,
    /// Records of no file, which nobody settles.
    summaries: Vec<serde_json::Value>,
    readiness: Readiness,
    pinned: PinnedConfig,
}

/// A folder for a registry: in memory where there is such a place, because these tests commit thousands of times and
/// none of them is about the disk.
fn state_folder() -> TempDir {
    TempDir::new_in("/dev/shm").or_else(|_| TempDir::new()).unwrap()
}

impl Rig {
    /// Reads `*.log` of a new folder.
    fn new() -> Self {
        Rig::with("paths: ['{folder}/*.log']")
    }

    /// Reads what `yaml` says; `{folder}` stands for the new folder.
    fn with(yaml: &str) -> Self {
        let folder = TempDir::new().unwrap();
        let yaml = yaml.replace("{folder}", folder.path().to_str().unwrap());
        let mut rig = Rig {
            folder,
            state: state_folder(),
            yaml,
            input: None,
            // Before every file of the test was written, so that no look inside is spared.
            now: Timestamp::from_secs(1_600_000_000),
            got: Vec::new(),
            originals: Vec::new(),
            got_before: 0,
            unsettled: Vec::new(),
            summaries: Vec::new(),
            readiness: Readiness::default(),
            pinned: PinnedConfig::default(),
        };
        rig.start();
        rig
    }

    fn open(&self) -> Result<FileInput, OpenError> {
        let config: FileConfig = yaml::parse("test.yml", &self.yaml).unwrap();
        let deps = Deps {
            pinned: self.pinned,
            host: "host".to_owned(),
            registry: self.state.path().to_owned(),
            readiness: self.readiness.clone(),
            lanes: Lanes::single(),
        };
        FileInput::open(vec![config], deps, self.now)
    }

    fn start(&mut self) {
        self.input = Some(self.open().unwrap());
    }

    fn input(&mut self) -> &mut FileInput {
        self.input.as_mut().unwrap()
    }

    /// As `kill -9`: what was not committed is forgotten, what is in flight never arrives.
    fn kill(&mut self) {
        self.input = None;
        let lost = std::mem::take(&mut self.unsettled);
        let before = std::mem::take(&mut self.got_before);
        let mut at = 0;
        self.got.retain(|got| {
            at += 1;
            at <= before || !lost.contains(&got.ticket)
        });
        self.got_before = self.got.len();
    }

    /// A clean end and a new start.
    fn restart(&mut self) {
        let now = self.now;
        self.input().checkpoint(now).unwrap();
        self.kill();
        self.start();
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn append(&self, name: &str, text: impl AsRef<[u8]>) -> File {
        let mut file = OpenOptions::new().create(true).append(true).open(self.path(name)).unwrap();
        file.write_all(text.as_ref()).unwrap();
        file
    }

    fn rename(&self, from: &str, to: &str) {
        fs::rename(self.path(from), self.path(to)).unwrap();
    }

    fn remove(&self, name: &str) {
        fs::remove_file(self.path(name)).unwrap();
    }

    /// Lets `span` pass.
    fn wait(&mut self, span: Duration) {
        self.now = self.now.plus(span);
    }

    /// One batch; true when there may be another.
    fn read_once(&mut self) -> bool {
        let (now, mut out) = (self.now, Outbox::new(&Lanes::single()));
        let poll = self.input().poll(now, &mut out);
        let batch = out.batch(LaneId::MAIN).unwrap();
        for entry in &batch.entries {
            let json: serde_json::Value = serde_json::from_slice(batch.payload(entry)).unwrap();
            let id: EventId = json["event"]["id"].as_str().unwrap().parse().unwrap();
            assert_eq!(id.stream, entry.stream);
            let Some(ticket) = entry.ticket else {
                self.summaries.push(json);
                continue;
            };
            let tags = json["tags"].as_array().map(Vec::as_slice).unwrap_or_default();
            self.got.push(Got {
                stream: id.stream,
                offset: id.offset,
                message: json["message"].as_str().unwrap().to_owned(),
                tags: tags.iter().map(|tag| tag.as_str().unwrap().to_owned()).collect(),
                path: json["log"]["file"]["path"].as_str().unwrap().to_owned(),
                ticket,
            });
            self.originals.push(json["log"]["original_bytes"].as_u64());
            self.unsettled.push(ticket);
        }
        poll == Poll::More
    }

    /// Lets a scan come, and reads everything.
    fn read(&mut self) {
        self.wait(Duration::from_secs(1));
        while self.read_once() {}
    }

    /// An event tells of the file, and what it leads to is read before the next scan.
    fn hint(&mut self, name: &str) {
        let (path, now) = (self.path(name), self.now);
        self.input().hint([path], now);
        while self.read_once() {}
    }

    /// Reads and acks until nothing comes.
    fn settle_all(&mut self) {
        self.read();
        while !self.unsettled.is_empty() {
            self.ack();
            self.read();
        }
    }

    /// Reads and acks until nothing comes; gives every message that was not taken yet, sorted.
    fn drain(&mut self) -> Vec<String> {
        self.settle_all();
        let mut messages = self.take();
        messages.sort();
        messages
    }

    /// The output has everything that was sent.
    fn ack(&mut self) {
        let all = std::mem::take(&mut self.unsettled);
        self.settle(&all);
    }

    fn settle(&mut self, tickets: &[Ticket]) {
        let settled: Vec<_> =
            tickets.iter().map(|ticket| Settled { ticket: *ticket, fate: Fate::Acked }).collect();
        let now = self.now;
        self.input().settle(&settled, now);
    }

    /// The messages that came since the last call, sorted by stream in the order of their first arrival.
    fn take(&mut self) -> Vec<String> {
        self.got_before = 0;
        std::mem::take(&mut self.got).into_iter().map(|got| got.message).collect()
    }

    /// Reads everything, and compares it.
    fn expect(&mut self, messages: &[&str]) {
        self.read();
        assert_eq!(self.take(), messages);
    }

    fn totals(&mut self) -> FileTotals {
        self.input().totals()
    }

    /// The ledger, which has to balance.
    fn ledger(&mut self) -> Ledger {
        let totals = self.totals();
        let ledger = totals.ledger;
        assert_eq!(
            ledger.written,
            ledger.acked + ledger.filtered + ledger.lost + ledger.pending,
            "{ledger:?}"
        );
        assert_eq!(ledger.lost, totals.losses.sum());
        ledger
    }
}
