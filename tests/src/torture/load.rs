//! A service under load: a pen that writes at a rate on a thread of its own, and rotates its log as it goes.
//!
//! Enters: a pen, lines for each second, how its log is rotated. Leaves: the pen again, when it is told to stop.
//! Never: a wait for the shipper; a service does not know that it is read.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use super::pen::Pen;
use super::step::Load;
use crate::wait;

/// Between two bursts.
const PAUSE: Duration = Duration::from_millis(5);

/// A load that runs.
#[derive(Debug)]
pub(super) struct Running {
    stop: Sender<()>,
    written: Arc<AtomicU64>,
    thread: JoinHandle<Pen>,
}

impl Running {
    /// Starts it in the folder of the logs.
    pub(super) fn start(load: &Load, pen: Pen, folder: &Path) -> Self {
        let (stop, stopped) = channel();
        let written = Arc::new(AtomicU64::new(0));
        let count = Arc::clone(&written);
        let hand = Hand { load: load.clone(), folder: folder.to_owned(), pen, since: 0 };
        let thread = std::thread::spawn(move || hand.run(&stopped, &count));
        Running { stop, written, thread }
    }

    /// Waits until this many further lines are written: time, as the service knows it.
    pub(super) fn wait(&self, lines: u64) {
        let goal = self.written.load(Ordering::Acquire) + lines;
        let patience = wait::PATIENCE * 20;
        wait::within(patience, "the load to be written", || {
            let is_there = self.written.load(Ordering::Acquire) >= goal;
            (is_there || self.thread.is_finished()).then_some(())
        });
    }

    /// Ends it with a whole line.
    pub(super) fn stop(self) -> Pen {
        drop(self.stop);
        self.thread.join().unwrap()
    }
}

struct Hand {
    load: Load,
    folder: PathBuf,
    pen: Pen,
    /// Lines since the last rotation.
    since: u64,
}

impl Hand {
    fn run(mut self, stopped: &Receiver<()>, count: &AtomicU64) -> Pen {
        let started = Instant::now();
        let mut written = 0;
        while stopped.recv_timeout(PAUSE) == Err(RecvTimeoutError::Timeout) {
            let due = (started.elapsed().as_secs_f64() * self.load.lines_per_second as f64) as u64;
            while written < due {
                let lines = (due - written).min(self.load.rotate_lines - self.since);
                self.pen.write(lines);
                written += lines;
                self.since += lines;
                if self.since == self.load.rotate_lines {
                    self.rotate();
                }
            }
            count.store(written, Ordering::Release);
        }
        self.pen
    }

    fn rotate(&mut self) {
        self.since = 0;
        shell(&self.folder, &self.load.rotate);
        self.pen.reopen(&self.folder.join(&self.load.file));
    }
}

/// Runs a command of the shell in the folder of the logs.
pub(super) fn shell(folder: &Path, command: &str) {
    let output = Command::new("sh").args(["-ec", command]).current_dir(folder).output().unwrap();
    assert!(output.status.success(), "{command}: {}", String::from_utf8_lossy(&output.stderr));
}
