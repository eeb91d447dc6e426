//! Whatever happens in whatever order: every line once by its stream and offset, none lost.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use proptest::prelude::*;

use super::*;

/// One step of writers, rotation, output and shipper.
#[derive(Debug, Clone)]
enum Act {
    /// So many lines, with this much in each.
    Append(u8, u16),
    /// A line whose end comes with the next one.
    Tear,
    /// `app.log` becomes `app.log.1` and so on.
    Rotate,
    /// The same by copying and truncating, whatever was read.
    CopyTruncate,
    /// `app.log.2` becomes `app.log.2.gz`, whatever was read.
    Compress,
    /// A file that was read is emptied, and no copy is kept.
    Truncate,
    Read,
    ReadOnce,
    /// An event leads to one of the files, before any scan.
    Hint(prop::sample::Index),
    /// Some of what is in flight, in any order.
    Settle(Vec<prop::sample::Index>),
    Commit,
    Wait(u8),
    Kill,
    Restart,
}

/// Everything but the ways to rotate.
fn common() -> impl Strategy<Value = Act> {
    prop_oneof![
        6 => (1u8..40, 0u16..600).prop_map(|(lines, bytes)| Act::Append(lines, bytes)),
        2 => Just(Act::Tear),
        2 => Just(Act::Rotate),
        4 => Just(Act::Read),
        2 => Just(Act::ReadOnce),
        3 => any::<prop::sample::Index>().prop_map(Act::Hint),
        4 => prop::collection::vec(any::<prop::sample::Index>(), 1..60).prop_map(Act::Settle),
        1 => Just(Act::Commit),
        2 => (1u8..120).prop_map(Act::Wait),
        1 => Just(Act::Kill),
        1 => Just(Act::Restart),
    ]
}

/// A host whose files are renamed, copied and compressed.
fn act() -> impl Strategy<Value = Act> {
    prop_oneof![20 => common(), 2 => Just(Act::CopyTruncate), 1 => Just(Act::Compress)]
}

/// A host whose files are renamed and emptied.
fn act_without_copies() -> impl Strategy<Value = Act> {
    prop_oneof![20 => common(), 1 => Just(Act::Truncate)]
}

/// A rig and what its writer wrote.
struct Life {
    rig: Rig,
    lines: BTreeSet<String>,
    is_torn: bool,
}

impl Life {
    fn act(&mut self, act: &Act) {
        match act {
            Act::Append(lines, bytes) => {
                for _ in 0..*lines {
                    self.line(usize::from(*bytes), "\n");
                }
            }
            Act::Tear if !self.is_torn => {
                self.line(10, "");
                self.is_torn = true;
            }
            Act::Tear => {}
            Act::Rotate => self.rotate(),
            Act::CopyTruncate => self.copy_truncate(),
            Act::Compress => self.compress(),
            Act::Truncate => self.truncate(),
            Act::Read => self.rig.read(),
            Act::ReadOnce => drop(self.rig.read_once()),
            Act::Hint(name) => {
                self.rig.hint(name.get::<&str>(&["app.log", "app.log.1", "app.log.2", "app.log.2.gz"]));
            }
            Act::Settle(chosen) => {
                for index in chosen {
                    if !self.rig.unsettled.is_empty() {
                        let ticket = index.index(self.rig.unsettled.len());
                        let ticket = self.rig.unsettled.swap_remove(ticket);
                        self.rig.settle(&[ticket]);
                    }
                }
            }
            Act::Commit => {
                let now = self.rig.now;
                self.rig.input().checkpoint(now).unwrap();
            }
            Act::Wait(seconds) => self.rig.wait(Duration::from_secs(u64::from(*seconds))),
            Act::Kill => {
                self.rig.kill();
                self.rig.start();
            }
            Act::Restart => self.rig.restart(),
        }
        self.rig.ledger();
    }

    /// Each line is another, so that losing, doubling and mixing are told apart.
    fn line(&mut self, bytes: usize, end: &str) {
        if std::mem::take(&mut self.is_torn) {
            self.rig.append("app.log", "\n");
        }
        let line = format!("{:06} {}", self.lines.len(), "x".repeat(bytes));
        self.rig.append("app.log", format!("{line}{end}"));
        self.lines.insert(line);
    }

    fn rotate(&mut self) {
        self.make_room();
        if self.rig.path("app.log").exists() {
            self.rig.rename("app.log", "app.log.1");
        }
    }

    fn copy_truncate(&mut self) {
        let size = fs::metadata(self.rig.path("app.log")).map_or(0, |metadata| metadata.len());
        if size == 0 {
            return;
        }
        self.make_room();
        if self.rig.path("app.log").exists() {
            fs::copy(self.rig.path("app.log"), self.rig.path("app.log.1")).unwrap();
            fs::write(self.rig.path("app.log"), "").unwrap();
        }
    }

    fn compress(&mut self) {
        if fs::metadata(self.rig.path("app.log.2")).is_ok_and(|metadata| metadata.len() > 0) {
            let plain = fs::read(self.rig.path("app.log.2")).unwrap();
            self.rig.append("app.log.2.gz", super::copy::gzip(&plain));
            self.rig.remove("app.log.2");
        }
    }

    /// Ends the line at hand, and frees the name `app.log.1`.
    fn make_room(&mut self) {
        if std::mem::take(&mut self.is_torn) {
            self.rig.append("app.log", "\n");
        }
        for last in ["app.log.2", "app.log.2.gz"] {
            if self.rig.path(last).exists() {
                // The last of the chain goes: only once it was read and acked is that no loss.
                self.rig.settle_all();
                let now = self.rig.now;
                self.rig.input().checkpoint(now).unwrap();
                self.rig.remove(last);
            }
        }
        if self.rig.path("app.log.1").exists() {
            self.rig.rename("app.log.1", "app.log.2");
        }
    }

    fn truncate(&mut self) {
        if self.is_torn || !self.rig.path("app.log").exists() {
            return;
        }
        self.rig.settle_all();
        fs::write(self.rig.path("app.log"), "").unwrap();
        self.rig.read();
    }
}

/// Plays the acts, and looks for every line.
fn check(acts: &[Act]) -> Result<(), TestCaseError> {
    let rig = Rig::with("paths: ['{folder}/app.log*']\nparse: plain");
    let mut life = Life { rig, lines: BTreeSet::new(), is_torn: false };
    for act in acts {
        life.act(act);
    }
    life.line(1, "\n");
    let Life { mut rig, lines, .. } = life;
    rig.settle_all();
    let mut places: BTreeMap<(StreamId, u64), String> = BTreeMap::new();
    for got in &rig.got {
        let line = places.entry((got.stream, got.offset)).or_insert_with(|| got.message.clone());
        prop_assert_eq!(&*line, &got.message, "one place has one line");
    }
    prop_assert_eq!(places.len(), lines.len(), "a line has one place");
    prop_assert_eq!(places.into_values().collect::<BTreeSet<_>>(), lines);
    let ledger = rig.ledger();
    prop_assert_eq!((ledger.lost, ledger.pending), (0, 0));
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, ..ProptestConfig::default() })]

    #[test]
    fn every_line_has_one_place_and_none_is_lost(acts in prop::collection::vec(act(), 1..60)) {
        check(&acts)?;
    }

    #[test]
    fn files_that_are_emptied_lose_nothing_that_was_read(acts in prop::collection::vec(act_without_copies(), 1..60)) {
        check(&acts)?;
    }
}
