//! The sample service and the files around it.
//!
//! Enters: acts of the script. Leaves: a process that is started, told, and killed, as an operator would. Never: a word to
//! Watchfire.

use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

use anyhow::Context;
use event::Timestamp;
use tokio::process::{Child, Command};

use super::script::Act;
use super::{files, vendor};
use crate::init;

/// The service, and where its files are.
#[derive(Debug)]
pub struct Stage {
    /// Its log.
    pub log: PathBuf,
    gc_log: PathBuf,
    address: String,
    origin: Timestamp,
    speed: f64,
    child: Option<Child>,
    http: reqwest::Client,
}

impl Stage {
    /// Writes configuration and rules, and starts the vendors' stand-ins.
    ///
    /// # Errors
    /// When a file or a port cannot be had.
    pub async fn set(folder: &Path, origin: Timestamp, speed: f64) -> anyhow::Result<Self> {
        let vendors = vendor::serve().await?;
        let service = vendor::free_address().await?;
        let log = folder.join("app.log");
        let gc_log = folder.join("gc.log");
        std::fs::write(
            folder.join("watchfire.yml"),
            files::configuration(&log, &gc_log, &service, &vendors),
        )?;
        std::fs::create_dir_all(folder.join("rules"))?;
        for (name, text) in init::RULES {
            std::fs::write(folder.join("rules").join(name), text)?;
        }
        Ok(Stage { log, gc_log, address: service, origin, speed, child: None, http: reqwest::Client::new() })
    }

    /// Does one thing of the script.
    ///
    /// # Errors
    /// When the service does not answer or cannot be started.
    pub async fn act(&mut self, act: Act) -> anyhow::Result<()> {
        match act {
            Act::Mode(mode) => {
                let url = format!("http://{}/mode/{mode}", self.address);
                self.http.post(url).send().await.context("the sample service does not answer")?;
                Ok(())
            }
            Act::Stop => {
                self.stop().await;
                Ok(())
            }
            Act::Start => self.start().await,
            Act::End => Ok(()),
        }
    }

    /// `watchfire sample > app.log 2>&1 &`
    ///
    /// # Errors
    /// When the process cannot be started.
    pub async fn start(&mut self) -> anyhow::Result<()> {
        let log = std::fs::OpenOptions::new().create(true).append(true).open(&self.log)?;
        let program = std::env::current_exe().context("cannot find this program's own file")?;
        let mut command = Command::new(program);
        command
            .args(["sample", "--load", "40", "--listen", &self.address])
            .arg("--gc-log")
            .arg(&self.gc_log)
            .args(["--speed", &self.speed.to_string(), "--since", &self.origin.to_string()])
            .stdin(Stdio::null())
            .stdout(log.try_clone()?)
            .stderr(log)
            .kill_on_drop(true);
        let child = self.child.insert(command.spawn().context("cannot start the sample service")?);
        let health = format!("http://{}/health", self.address);
        while self.http.get(&health).send().await.is_err() {
            if let Some(status) = child.try_wait()? {
                anyhow::bail!("the sample service ended with {status}: see {}", self.log.display());
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        Ok(())
    }

    /// `kill`
    pub async fn stop(&mut self) {
        if let Some(mut child) = self.child.take() {
            // It may have ended already, with the terminal's own Ctrl-C.
            let _ = child.start_kill();
            let _ = child.wait().await;
        }
    }

    /// Bytes that the service has written.
    #[must_use]
    pub fn written_bytes(&self) -> u64 {
        let sizes =
            [&self.log, &self.gc_log].map(|path| path.metadata().map_or(0, |metadata| metadata.len()));
        sizes.iter().sum()
    }
}
