//! One drill, from the first line to the verdict.
//!
//! Enters: a configuration for the shipper that is driven, a topic, the time. Leaves: the table and the verdict, printed as
//! it goes. Never: an end before the last line has arrived, or has had time to.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use anyhow::{Context, bail};
use daemon::{Clock, Shutdown};
use rdkafka::ClientConfig;
use serde_json::Value;
use tokio::runtime::Runtime;

use super::super::status::client;
use super::super::text::{bytes, count, span};
use super::child::{Child, Place};
use super::judge::{Judge, table};
use super::plan::{Act, SCENARIOS, Scenario, due};
use super::proxy::Proxy;
use super::say;
use super::topic::Reader;
use super::writer::Writer;
use crate::status::{Ask, StatusPage};

/// Time between two looks at what is due.
const TURN: Duration = Duration::from_millis(10);
/// How long the shipper may take to be ready.
const READY_MAX: Duration = Duration::from_secs(60);
/// How long nothing may arrive at the end before what is missing counts as lost.
const SILENCE_MAX: Duration = Duration::from_secs(30);
/// The same, once the shipper says that it has nothing left.
const SILENCE_WHEN_DONE: Duration = Duration::from_secs(5);
/// How long to listen for duplicates when everything is there.
const ECHO: Duration = Duration::from_secs(2);

/// A scenario that is not run, or did not show what it should.
#[derive(Debug, Clone)]
pub(super) struct Skip {
    name: &'static str,
    why: String,
}

impl Skip {
    pub(super) fn new(name: &'static str, why: &str) -> Self {
        Skip { name, why: why.to_owned() }
    }
}

/// What a drill has.
pub(super) struct Drill<'d> {
    pub runtime: &'d Runtime,
    pub shutdown: Shutdown,
    /// Between the shipper and the brokers.
    pub proxy: Option<Proxy>,
    pub skips: Vec<Skip>,
    /// The name of this run, in every line.
    pub run: String,
    /// Lines in a second.
    pub rate: u32,
    /// How long each scenario takes.
    pub slot: Duration,
    pub place: Place,
}

type Shared = Arc<Mutex<Judge>>;

impl Drill<'_> {
    /// Runs it; true when nothing was lost and nothing came twice.
    pub(super) fn run(mut self, config: &Value, client: &ClientConfig) -> anyhow::Result<bool> {
        let names: Vec<&'static str> = SCENARIOS
            .iter()
            .map(|scenario| scenario.name)
            .filter(|name| self.skips.iter().all(|skip| skip.name != *name))
            .collect();
        let judge: Shared = Arc::new(Mutex::new(Judge::new(&self.run, &names)));
        let reader = Reader::start(client, &self.place.topic, Arc::clone(&judge))?;
        let mut child = Child::start(&self.place.folder, config)?;
        self.until_ready(&mut child)?;
        for scenario in SCENARIOS {
            if let Some(skip) = self.skips.iter().find(|skip| skip.name == scenario.name) {
                say(&format!("{:<13} skipped: {}", skip.name, skip.why))?;
            } else if !self.shutdown.is_cancelled() {
                say(&format!("{:<13} {}", scenario.name, scenario.what))?;
                let written = self.scenario(&scenario, &mut child)?;
                lock(&judge).wrote(scenario.name, written);
            }
        }
        say("waiting for the last lines")?;
        self.until_silent(&judge, &mut child)?;
        reader.end();
        self.verdict(&lock(&judge))
    }

    fn until_ready(&self, child: &mut Child) -> anyhow::Result<()> {
        let started = Instant::now();
        let mut state = "it does not answer".to_owned();
        while started.elapsed() < READY_MAX && !self.shutdown.is_cancelled() {
            if let Some(status) = child.ended() {
                bail!("the shipper ended ({status}):\n{}", tail(child));
            }
            match self.status() {
                Some(page) if page.is_ready => return Ok(()),
                Some(page) => state = down(&page),
                None => {}
            }
            std::thread::sleep(TURN * 10);
        }
        bail!("the shipper is not ready: {state}\n{}", tail(child))
    }

    /// Runs one scenario; gives how many lines it has written.
    fn scenario(&mut self, scenario: &Scenario, child: &mut Child) -> anyhow::Result<u64> {
        let mut writer = Writer::new(&self.place.folder.join("logs"), &self.run, scenario.name);
        let mut acts = scenario.acts(self.slot).peekable();
        let started = Instant::now();
        loop {
            let elapsed = started.elapsed().min(self.slot);
            writer
                .write(due(self.rate, elapsed, writer.written()), Clock::System.now())
                .context("cannot write the drill's file")?;
            while let Some((_, act)) = acts.next_if(|(at, _)| *at <= elapsed) {
                self.act(act, scenario.name, &mut writer, child)?;
            }
            if elapsed >= self.slot || self.shutdown.is_cancelled() {
                break;
            }
            std::thread::sleep(TURN);
        }
        if let Some(proxy) = &self.proxy {
            proxy.set_open(true);
        }
        Ok(writer.written())
    }

    fn act(
        &mut self,
        act: Act,
        scenario: &'static str,
        writer: &mut Writer,
        child: &mut Child,
    ) -> anyhow::Result<()> {
        match (act, &self.proxy) {
            (Act::Kill, _) => child.kill()?,
            (Act::Shut, Some(proxy)) => proxy.set_open(false),
            (Act::Open, Some(proxy)) => {
                // A client that found another way in has nothing pending.
                let is_cut_off = self.status().is_some_and(|page| page.totals.ledger.pending > 0);
                proxy.set_open(true);
                if !is_cut_off {
                    self.skips.push(Skip::new(scenario, "not shown: records went past the proxy meanwhile"));
                }
            }
            _ => writer.act(act).context("cannot rotate the drill's file")?,
        }
        Ok(())
    }

    /// Waits until everything has arrived, or nothing does any more.
    fn until_silent(&self, judge: &Shared, child: &mut Child) -> anyhow::Result<()> {
        let (mut delivered, mut since) = (lock(judge).delivered(), Instant::now());
        while !self.shutdown.is_cancelled() {
            if let Some(status) = child.ended() {
                bail!("the shipper ended ({status}):\n{}", tail(child));
            }
            let (now, is_complete) = {
                let judge = lock(judge);
                (judge.delivered(), judge.is_complete())
            };
            if now > delivered {
                (delivered, since) = (now, Instant::now());
            }
            let is_done = self.status().is_some_and(|page| page.totals.ledger.pending == 0);
            let patience = match (is_complete, is_done) {
                (true, _) => ECHO,
                (false, true) => SILENCE_WHEN_DONE,
                (false, false) => SILENCE_MAX,
            };
            if since.elapsed() >= patience {
                return Ok(());
            }
            std::thread::sleep(TURN * 10);
        }
        Ok(())
    }

    fn verdict(&self, judge: &Judge) -> anyhow::Result<bool> {
        let verdicts = judge.verdicts();
        say(&format!("\n{}", table(&verdicts)))?;
        if judge.torn > 0 {
            say(&format!("{} messages are pieces of lines", count(judge.torn)))?;
        }
        if let Some(page) = self.status() {
            let lost = page.totals.ledger.lost;
            say(&format!("the shipper itself says since its last start: {} lost", bytes(lost)))?;
        }
        for skip in &self.skips {
            say(&format!("{} was left out: {}", skip.name, skip.why))?;
        }
        if self.shutdown.is_cancelled() {
            bail!("interrupted: the numbers are those of an unfinished drill");
        }
        let lost: u64 = verdicts.iter().map(|(_, verdict)| verdict.lost()).sum();
        let duplicated: u64 = verdicts.iter().map(|(_, verdict)| verdict.duplicated).sum();
        let is_clean = lost == 0 && duplicated == 0 && judge.torn == 0;
        let word = if is_clean {
            "verdict: nothing lost, nothing twice".to_owned()
        } else {
            format!("verdict: {} lost, {} duplicated", count(lost), count(duplicated))
        };
        let largest = verdicts.iter().map(|(_, verdict)| verdict.largest_lag).max().unwrap_or_default();
        say(&format!("{word}; largest lag {}", span(largest)))?;
        Ok(is_clean)
    }

    fn status(&self) -> Option<StatusPage> {
        let address = format!("127.0.0.1:{}", self.place.port);
        let ask = Ask { rows: Some(0), ..Ask::default() };
        self.runtime.block_on(client::ask(&address, &ask)).ok()
    }
}

fn lock(judge: &Shared) -> MutexGuard<'_, Judge> {
    judge.lock().unwrap_or_else(PoisonError::into_inner)
}

/// The parts that do not work.
fn down(page: &StatusPage) -> String {
    let parts = page.parts.iter().filter(|(_, word)| *word != "ok");
    parts.map(|(part, word)| format!("{part}: {word}")).collect::<Vec<_>>().join("; ")
}

/// The last lines of the shipper's log.
fn tail(child: &Child) -> String {
    let log = std::fs::read_to_string(child.log()).unwrap_or_default();
    let lines: Vec<&str> = log.lines().collect();
    lines.get(lines.len().saturating_sub(10)..).unwrap_or_default().join("\n")
}
