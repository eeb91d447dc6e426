//! The first five minutes: a service that breaks, and what Watchfire makes of it, while one looks on.
//!
//! Enters: a speed. Leaves: the story of `script` on the terminal. Never: a shortcut; the service is another process that
//! redirects its output to a file, and everything behind that is what `watchfire up` runs.

use std::io::{IsTerminal, Write};
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

use anyhow::Context;
use daemon::{Clock, Shutdown};
use event::Timestamp;
use tokio::process::{Child, Command};
use tokio::sync::mpsc;

use crate::config::Config;
use crate::{init, up};

mod files;
pub mod script;
mod vendor;
pub mod view;

use script::Act;
use view::View;

/// What the viewer asks for.
#[derive(Debug, Clone, clap::Args)]
pub struct Options {
    /// Time-lapse: how many seconds of the service pass in one
    #[arg(long, default_value_t = 30.0, value_parser = speed)]
    pub speed: f64,
    /// Where to put the service's log, the configuration and the state; a temporary folder that is removed at the end
    #[arg(long)]
    pub folder: Option<PathBuf>,
}

fn speed(text: &str) -> Result<f64, String> {
    let speed = text.parse().map_err(|_| format!("`{text}` is no number"))?;
    if (1.0..=60.0).contains(&speed) { Ok(speed) } else { Err("between 1 and 60".to_owned()) }
}

/// Messages between the alerter and the screen.
const OBSERVED_MAX: usize = 1024;

/// Plays the story once.
///
/// # Errors
/// When a folder, a port or a process cannot be had.
pub async fn run(options: Options) -> anyhow::Result<()> {
    let scratch = tempfile::Builder::new().prefix("watchfire-demo-").tempdir()?;
    let folder = options.folder.clone().unwrap_or_else(|| scratch.path().to_owned());
    std::fs::create_dir_all(&folder).with_context(|| format!("cannot make {}", folder.display()))?;
    let log = std::fs::File::create(folder.join("watchfire.log"))?;
    daemon::log::init_to(log, daemon::log::LogFormat::Text, "info")?;
    let shutdown = daemon::shutdown::on_signals().context("cannot listen to signals")?;

    let origin = Clock::System.now();
    let clock = Clock::lapse_since(origin, options.speed);
    let mut stage = Stage::set(&folder, origin, options.speed).await?;
    let view = View { is_coloured: std::io::stdout().is_terminal() };
    let path = folder.join("watchfire.yml");
    print(&view.head(options.speed, &stage.log.display().to_string(), &path.display().to_string()))?;

    let (observer, mut observed) = mpsc::channel(OBSERVED_MAX);
    let config = Config::load(&path)?;
    let deps = up::Deps { clock: clock.clone(), observer: Some(observer) };
    let stop = Shutdown::new();
    let running = tokio::spawn({
        let stop = stop.clone();
        async move { up::run(&path, config, deps, stop).await }
    });
    stage.start().await?;
    print(&view.scene(Duration::ZERO, "the service is started, all is well"))?;

    let mut scenes = script::SCENES.iter();
    let mut next = scenes.next();
    let ended = loop {
        let due = next.map(|scene| origin.plus(scene.at));
        tokio::select! {
            () = shutdown.cancelled() => break "stopped",
            () = stop.cancelled() => break "ended by itself; see watchfire.log",
            Some(observed) = observed.recv() => {
                let elapsed = clock.now().since(origin);
                print(&view.observed(elapsed, &observed).unwrap_or_default())?;
            }
            () = clock.sleep_until_some(due) => {
                let Some(scene) = next else { continue };
                if scene.act == Act::End {
                    break "the story is over";
                }
                stage.act(scene.act).await?;
                print(&view.scene(scene.at, scene.words))?;
                next = scenes.next();
            }
        }
    };
    stage.stop().await;
    stop.cancel();
    running.await.context("watchfire panicked")??;
    print(&view.foot(ended, stage.lines(), options.folder.as_deref()))
}

fn print(text: &str) -> anyhow::Result<()> {
    let mut out = std::io::stdout().lock();
    out.write_all(text.as_bytes()).and_then(|()| out.flush()).context("cannot write to the terminal")
}

/// The sample service and the files around it.
struct Stage {
    log: PathBuf,
    gc_log: PathBuf,
    address: String,
    origin: Timestamp,
    speed: f64,
    child: Option<Child>,
    http: reqwest::Client,
}

impl Stage {
    /// Writes configuration and rules, and starts the vendors' stand-ins.
    async fn set(folder: &Path, origin: Timestamp, speed: f64) -> anyhow::Result<Self> {
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

    async fn act(&mut self, act: Act) -> anyhow::Result<()> {
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
    async fn start(&mut self) -> anyhow::Result<()> {
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
        self.child = Some(command.spawn().context("cannot start the sample service")?);
        let health = format!("http://{}/health", self.address);
        while self.http.get(&health).send().await.is_err() {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        Ok(())
    }

    /// `kill`
    async fn stop(&mut self) {
        if let Some(mut child) = self.child.take() {
            // It may have ended already, with the terminal's own Ctrl-C.
            let _ = child.start_kill();
            let _ = child.wait().await;
        }
    }

    /// Lines that the service has written.
    fn lines(&self) -> usize {
        [&self.log, &self.gc_log]
            .iter()
            .filter_map(|path| std::fs::read(path).ok())
            .map(|bytes| bytes.iter().filter(|byte| **byte == b'\n').count())
            .sum()
    }
}
