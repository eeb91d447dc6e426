//! One of our daemons: its process, its log, its admin page.
//!
//! Enters: the command that an operator types. Leaves: what the page and the log say. The port is the system's choice,
//! and is read from the log.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::Command;

use rustix::process::Signal;

use super::{Process, binary, signal};
use crate::http;
use crate::wait::until;

/// A running daemon; `kill -9` when its guard goes.
#[derive(Debug)]
pub struct Daemon {
    process: Process,
    log: PathBuf,
    /// Bytes of the log that an earlier process has written.
    log_start: usize,
}

impl Daemon {
    /// `PROGRAM run -c FILE`, with the log beside the file: `shipper.yml` and `shipper.log`.
    #[must_use]
    pub fn run(program: &str, file: &Path) -> Self {
        Daemon::start(program, &["run", "-c", file.to_str().unwrap()], &file.with_extension("log"))
    }

    /// Any command of ours that serves an admin page.
    #[must_use]
    pub fn start(program: &str, arguments: &[&str], log: &Path) -> Self {
        Daemon::spawn(Command::new(binary::path(program)).args(arguments), log)
    }

    /// Any command that starts one, such as a shell that sets limits first.
    #[must_use]
    pub fn spawn(command: &mut Command, log: &Path) -> Self {
        let log_start = std::fs::read(log).map_or(0, |text| text.len());
        Daemon { process: binary::spawn(command, log), log: log.to_owned(), log_start }
    }

    /// Its process id.
    #[must_use]
    pub fn pid(&self) -> u32 {
        self.process.0.id()
    }

    /// What this process has written.
    #[must_use]
    pub fn log(&self) -> String {
        let text = std::fs::read(&self.log).unwrap();
        String::from_utf8_lossy(&text[self.log_start..]).into_owned()
    }

    /// The base URL of its admin page.
    #[must_use]
    pub fn admin(&self) -> String {
        until(&format!("the admin page in {}", self.log.display()), || {
            let log = self.log();
            let rest = &log[log.find("admin page address=")? + "admin page address=".len()..];
            let (address, _) = rest.split_once('\n')?;
            Some(format!("http://{address}"))
        })
    }

    /// A page's status and body.
    #[must_use]
    pub fn page(&self, path: &str) -> (u16, String) {
        let url = format!("{}{path}", self.admin());
        until(&format!("{url}\n{}", self.log()), || http::get(&url))
    }

    /// Every part that `/readyz` names, with `ok` or why not.
    #[must_use]
    pub fn parts(&self) -> BTreeMap<String, String> {
        let (_, body) = self.page("/readyz");
        let report: serde_json::Value = serde_json::from_str(&body).unwrap();
        serde_json::from_value(report["parts"].clone()).unwrap()
    }

    /// Waits until `/readyz` says yes.
    pub fn until_ready(&self) {
        until("/readyz to say yes", || (self.page("/readyz").0 == 200).then_some(()));
    }

    /// Waits until a part is down with a reason that has these words; `/readyz` is 503 then.
    pub fn until_down(&self, part: &str, words: &str) {
        until(&format!("`{part}` to be down: {words}\n{}", self.log()), || {
            let reason = self.parts().remove(part)?;
            (reason != "ok" && reason.contains(words)).then_some(())
        });
        assert_eq!(self.page("/readyz").0, 503, "{part}");
    }

    /// A metric's value; all of its labels summed.
    #[must_use]
    pub fn metric(&self, name: &str) -> f64 {
        let (_, page) = self.page("/metrics");
        let values = page.lines().filter_map(|line| {
            let (key, value) = line.rsplit_once(' ')?;
            let key = key.split('{').next()?;
            (key == name).then(|| value.parse::<f64>().unwrap())
        });
        values.sum()
    }

    /// SIGHUP.
    pub fn hang_up(&self) {
        signal(self.process.0.id(), Signal::HUP);
    }

    /// SIGTERM; gives the exit code once it is done.
    pub fn terminate(&mut self) -> Option<i32> {
        self.process.terminate()
    }

    /// The exit code of a process that ends by itself.
    pub fn wait(&mut self) -> Option<i32> {
        until("the process to end by itself", || self.process.0.try_wait().unwrap()).code()
    }
}
