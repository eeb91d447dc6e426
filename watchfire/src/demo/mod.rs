//! The first five minutes: a service that breaks, and what Watchfire makes of it, while one looks on.
//!
//! Enters: a speed. Leaves: the story of `script` on the terminal. Never: a shortcut; the service is another process that
//! redirects its output to a file, and everything behind that is what `watchfire up` runs.

use std::io::{IsTerminal, Write};
use std::path::PathBuf;
use std::time::Duration;

use alerter::core::Observed;
use anyhow::Context;
use daemon::metric::Metrics;
use daemon::{Clock, Shutdown};
use event::Timestamp;
use tokio::sync::mpsc;

use crate::config::Config;
use crate::up;

mod files;
pub mod script;
mod stage;
mod sum;
mod vendor;
pub mod view;

use script::Act;
use stage::Stage;
use sum::Sums;
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

/// How long the end waits for the last lines.
const DRAIN_MAX: Duration = Duration::from_secs(3);

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

    let (observer, observed) = mpsc::channel(OBSERVED_MAX);
    let config = Config::load(&path)?;
    let metrics = Metrics::new();
    let deps = up::Deps { clock: clock.clone(), metrics: metrics.clone(), observer: Some(observer) };
    let stop = shutdown.child_token();
    let running = tokio::spawn({
        let stop = stop.clone();
        async move {
            let ended = up::run(&path, config, deps, stop.clone()).await;
            // A run that ends by itself ends the story too.
            stop.cancel();
            ended
        }
    });
    let told = tell(view, &mut stage, &clock, origin, observed, &stop).await;
    stage.stop().await;
    // The service is silent now; what it wrote last is still on its way.
    let _ = tokio::time::timeout(DRAIN_MAX, drained(&metrics, stage.written_bytes())).await;
    stop.cancel();
    running.await.context("watchfire panicked")??;
    let how = if told? { "the story is over" } else { "stopped" };
    print(&view.foot(how, stage.written_bytes(), &Sums::of(&metrics), options.folder.as_deref()))
}

/// Waits until every byte has its fate.
async fn drained(metrics: &Metrics, written: u64) {
    while Sums::of(metrics).settled() < written {
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

/// Plays the script and shows what comes of it; true when it came to its end.
async fn tell(
    view: View,
    stage: &mut Stage,
    clock: &Clock,
    origin: Timestamp,
    mut observed: mpsc::Receiver<Observed>,
    stop: &Shutdown,
) -> anyhow::Result<bool> {
    stage.start().await?;
    print(&view.scene(Duration::ZERO, "the service is started, all is well"))?;
    let mut scenes = script::SCENES.iter();
    let mut next = scenes.next();
    loop {
        let due = next.map(|scene| origin.plus(scene.at));
        tokio::select! {
            () = stop.cancelled() => return Ok(false),
            Some(observed) = observed.recv() => {
                let elapsed = clock.now().since(origin);
                print(&view.observed(elapsed, &observed).unwrap_or_default())?;
            }
            () = clock.sleep_until_some(due) => {
                let Some(scene) = next else { continue };
                if scene.act == Act::End {
                    return Ok(true);
                }
                stage.act(scene.act).await?;
                print(&view.scene(scene.at, scene.words))?;
                next = scenes.next();
            }
        }
    }
}

fn print(text: &str) -> anyhow::Result<()> {
    let mut out = std::io::stdout().lock();
    out.write_all(text.as_bytes()).and_then(|()| out.flush()).context("cannot write to the terminal")
}
