//! A folder with files, a shipper on them, and what comes of it on the topics.
//!
//! Enters: inputs, keys of the output, lines. Leaves: lines by topic, with the moment at which each was appended.

use std::collections::BTreeMap;
use std::fs::OpenOptions;
use std::io::Write as _;
use std::path::PathBuf;

use tests::oracle::{self, Reader, Verdict};
use tests::part::binary;
use tests::part::daemon::Daemon;
use tests::part::kafka::Kafka;
use tests::wait::until;

/// A folder with files and a shipper's configuration.
pub struct Desk {
    pub folder: tempfile::TempDir,
    pub brokers: String,
}

impl Desk {
    /// `inputs` are the entries of `inputs`, with `LOGS` for the folder; `output` are further keys of `output.kafka`.
    pub fn new(kafka: &Kafka, inputs: &[&str], output: &str) -> Self {
        let desk = Desk { folder: tempfile::tempdir().unwrap(), brokers: kafka.address() };
        let here = desk.folder.path().display().to_string();
        let inputs: String = inputs.iter().map(|input| format!("  - file: {input}\n")).collect();
        let text = format!(
            "inputs:\n{}output: {{ kafka: {{ brokers: ['{}'], {output} }} }}\n\
             registry: {{ path: '{here}/registry' }}\nadmin: {{ listen: '127.0.0.1:0' }}\n",
            inputs.replace("LOGS", &here),
            desk.brokers,
        );
        std::fs::write(desk.config(), text).unwrap();
        desk
    }

    pub fn config(&self) -> PathBuf {
        self.folder.path().join("shipper.yml")
    }

    pub fn start(&self) -> Daemon {
        Daemon::run("shipper", &self.config())
    }

    pub fn append(&self, name: &str, text: &str) {
        let path = self.folder.path().join(name);
        let file = OpenOptions::new().create(true).append(true).open(path);
        file.unwrap().write_all(text.as_bytes()).unwrap();
    }

    pub fn seen(&self, topic: &str) -> Seen {
        Seen { reader: Reader::new(&self.brokers, topic), lines: Vec::new() }
    }

    /// `shipper debug ...`; what it says.
    pub fn debug(&self, arguments: &[&str]) -> String {
        let (code, said) = self.command(&[&["debug"], arguments].concat());
        assert_eq!(code, 0, "{said}");
        said
    }

    /// `shipper ARGUMENTS -c FILE`; the exit code and what it said.
    pub fn command(&self, arguments: &[&str]) -> (i32, String) {
        let config = self.config();
        binary::run("shipper", &[arguments, &["-c", config.to_str().unwrap()]].concat())
    }

    /// Every line of `stream` is on `topic`, and once; gives all that lies there.
    pub fn judge(&self, topic: &str, stream: &str, lines: u64) -> Seen {
        let mut seen = self.seen(topic);
        until(&format!("{lines} lines on {topic}"), || {
            seen.read();
            (seen.lines.len() as u64 >= lines).then_some(())
        });
        let messages: Vec<String> = seen.lines.iter().map(|(_, line)| line.clone()).collect();
        let written = BTreeMap::from([(stream.to_owned(), lines)]);
        let Verdict { missing, doubled, torn, out_of_order: _ } = oracle::judge(&written, &messages);
        assert_eq!((missing, doubled, torn), (vec![], vec![], vec![]), "{topic}");
        seen
    }
}

/// The lines of a topic, as they come.
pub struct Seen {
    reader: Reader,
    /// When each was appended, by the broker's clock where the topic says so, and its text.
    pub lines: Vec<(i64, String)>,
}

impl Seen {
    pub fn read(&mut self) {
        let lines = &mut self.lines;
        self.reader.read(|place, event| {
            if let Some(message) = event.value("log.offset").and(event.text("message")) {
                lines.push((place.stamp_ms, message.to_owned()));
            }
        });
    }

    /// Waits for a line that ends so; gives when it was appended.
    pub fn until_has(&mut self, end: &str) -> i64 {
        until(end, || {
            self.read();
            self.lines.iter().find(|(_, line)| line.ends_with(end)).map(|(stamp, _)| *stamp)
        })
    }

    /// When lines came, the earliest first.
    pub fn stamps(&self) -> Vec<i64> {
        let mut stamps: Vec<i64> = self.lines.iter().map(|(stamp, _)| *stamp).collect();
        stamps.sort_unstable();
        stamps
    }

    /// At how many moments lines came.
    pub fn moments(&self) -> usize {
        let mut stamps = self.stamps();
        stamps.dedup();
        stamps.len()
    }
}

/// `count` numbered lines of a stream from `first` on, each longer than `bytes`, which no codec makes small.
pub fn lines(stream: &str, first: u64, count: u64, bytes: usize) -> String {
    let noise = noise(bytes * 4 + 1);
    let line = |number: u64| {
        let from = usize::try_from(number * 7).unwrap() % (noise.len() - bytes);
        format!("{} {stream} {number}\n", &noise[from..from + bytes])
    };
    (first..first + count).map(line).collect()
}

pub fn noise(bytes: usize) -> String {
    let mut seed = 1_u64;
    let mut letter = || {
        seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        char::from(b'a' + u8::try_from((seed >> 33) % 26).unwrap())
    };
    (0..bytes).map(|_| letter()).collect()
}
