//! Real parts, started by the tests that need them and ended by their process ids.
//!
//! Enters: nothing but a free port. Leaves: a running server and its address. Never: a server that outlives its guard.

use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

pub mod binary;
pub mod daemon;
pub mod elasticsearch;
pub mod jvm;
pub mod kafka;
pub mod nginx;
pub mod smtp;

/// The workspace's root.
#[must_use]
pub fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..").canonicalize().unwrap()
}

/// Where downloaded servers stay between runs.
#[must_use]
pub fn cache() -> PathBuf {
    let folder = root().join(".testbed/cache");
    std::fs::create_dir_all(&folder).unwrap();
    folder
}

/// A port that was free a moment ago. Kafka and Elasticsearch take `port + 1` and `port + 10000` for themselves,
/// so both are probed too, and the port stays below what the system hands out by itself.
#[must_use]
pub fn free_port() -> u16 {
    static NEXT: std::sync::atomic::AtomicU16 = std::sync::atomic::AtomicU16::new(0);
    let base = 12_000 + u16::try_from(std::process::id() % 1000).unwrap() * 10;
    loop {
        let port = base + NEXT.fetch_add(2, std::sync::atomic::Ordering::Relaxed) % 8000;
        let is_free = |port: u16| TcpListener::bind(("127.0.0.1", port)).is_ok();
        if is_free(port) && is_free(port + 1) && is_free(port + 10_000) {
            return port;
        }
    }
}

/// Runs a testbed script to its end.
///
/// # Panics
/// With the script's output when it fails.
pub fn run_script(name: &str, arguments: &[&str], environment: &[(&str, &str)]) {
    let output = Command::new(root().join("tests/testbed").join(name))
        .args(arguments)
        .envs(environment.iter().copied())
        .stdin(Stdio::null())
        .output()
        .unwrap();
    assert!(
        output.status.success(),
        "{name} {arguments:?}: {}{}",
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr)
    );
}

/// Sends a signal to a process by its id; a process that is gone already is as good.
pub fn signal(pid: u32, signal: rustix::process::Signal) {
    let pid = rustix::process::Pid::from_raw(i32::try_from(pid).unwrap()).unwrap();
    let _ = rustix::process::kill_process(pid, signal);
}

/// True while a process with this id runs.
#[must_use]
pub fn is_running(pid: u32) -> bool {
    std::fs::read_to_string(format!("/proc/{pid}/stat")).is_ok_and(|stat| !stat.contains(") Z "))
}

/// A child that is killed and reaped when its guard goes.
#[derive(Debug)]
pub struct Process(pub Child);

impl Process {
    /// Starts `command` without standard input.
    ///
    /// # Panics
    /// When it cannot be started.
    #[must_use]
    pub fn start(command: &mut Command) -> Self {
        let child = command.stdin(Stdio::null()).spawn();
        Process(child.unwrap_or_else(|error| panic!("cannot start {command:?}: {error}")))
    }

    /// `kill -9`, and reaped.
    pub fn kill(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }

    /// SIGTERM; gives the exit code once it is done.
    ///
    /// # Panics
    /// When it does not end within [`crate::wait::PATIENCE`].
    pub fn terminate(&mut self) -> Option<i32> {
        signal(self.0.id(), rustix::process::Signal::TERM);
        crate::wait::until("the process to end after SIGTERM", || self.0.try_wait().unwrap()).code()
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        self.kill();
    }
}
