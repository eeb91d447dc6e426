//! `shipper why`.
//!
//! Enters: a path, perhaps with the number of a line. Leaves: each step from the file to the broker with what was found
//! there; the first that stops it is the answer. Never: a change of anything; a record.

mod decide;
mod facts;
mod lane;
mod line;
#[cfg(test)]
mod tests;

use std::fmt::Write as _;
use std::io::Write as _;
use std::path::{Path, PathBuf};

use anyhow::Context;

use self::decide::{Finding, Kind, decide};
use self::facts::{Facts, Lies, dead_letter, look, meetings};
use super::ConfigFlag;
use super::status::client::{self, AskError};
use super::status::of_registry;
use crate::config::Config;
use crate::input::file::Order;
use crate::route::switch;
use crate::status::{Ask, StatusPage};

/// Streams that are asked for: those of one path and one inode.
const ROWS: usize = 100;

#[derive(Debug, clap::Args)]
pub(super) struct Flags {
    /// The file; with `:LINE`, that line of it
    #[arg(value_name = "PATH[:LINE]")]
    path: String,
    #[command(flatten)]
    config: ConfigFlag,
    /// The shipper's admin page, when it is not where the configuration says
    #[arg(long, value_name = "HOST:PORT")]
    address: Option<String>,
}

/// True when nothing keeps the file, or the line, from being shipped.
pub(super) fn run(flags: &Flags) -> anyhow::Result<bool> {
    let config = flags.config.load()?;
    let (path, line) = split(&flags.path, |path| path.symlink_metadata().is_ok());
    let path = std::path::absolute(path).context("the working directory is gone")?;
    let now = daemon::Clock::System.now();
    let lies = look(&path);
    let inputs = meetings(&config, &path)?;
    let lanes = lane::lanes(&config, &inputs);
    let (page, nobody) = ask(flags, &config, &path, &lies)?;
    let mut facts = Facts {
        path,
        config_name: flags.config.config.display().to_string(),
        now,
        lies,
        inputs,
        lanes,
        page,
        nobody,
        line: None,
        leveled: None,
        // As the shipper takes it: what cannot be read switches nothing on.
        debug_until: switch::read(&config.registry.path).unwrap_or(None),
        dead_letter: None,
    };
    if let (Some(number), Lies::File(_)) = (line, &facts.lies) {
        let input = facts.input().map(|(_, config, _)| config);
        let found = line::locate(&facts.path, number, input, now);
        let found =
            found.with_context(|| format!("cannot look for line {number} of {}", facts.path.display()))?;
        let level = found.ok().and_then(|line| line.level);
        facts.leveled = input.zip(level).and_then(|(input, level)| lane::leveled(&config, input, level));
        facts.line = Some(found);
        let record = found.ok().map(|line| line.record.unwrap_or(line.start));
        facts.dead_letter = record
            .zip(facts.row())
            .and_then(|(record, row)| dead_letter(&config.registry.path, row.stream, record));
    }
    let found = decide(&facts);
    std::io::stdout().write_all(render(&flags.path, &found).as_bytes())?;
    Ok(found.iter().all(|finding| finding.kind != Kind::Stops))
}

/// `PATH:LINE` where the part behind the colon is a number, unless a file has that very name.
fn split(text: &str, is_there: impl Fn(&Path) -> bool) -> (PathBuf, Option<u64>) {
    let whole = PathBuf::from(text);
    let parts =
        text.rsplit_once(':').and_then(|(path, line)| Some((PathBuf::from(path), line.parse().ok()?)));
    match parts {
        Some((path, line)) if line > 0 && !is_there(&whole) => (path, Some(line)),
        _ => (whole, None),
    }
}

/// What the shipper says of the path and of the file that lies there; by its registry, and why, when it does not answer.
fn ask(
    flags: &Flags,
    config: &Config,
    path: &Path,
    lies: &Lies,
) -> anyhow::Result<(StatusPage, Option<String>)> {
    let key = match lies {
        Lies::File(file) => Some((file.device, file.inode)),
        _ => None,
    };
    let (device, inode) = key.unzip();
    let question = Ask { under: Some(path.to_owned()), device, inode, order: Order::Path, rows: Some(ROWS) };
    let address = match &flags.address {
        Some(address) => Ok(address.clone()),
        None => client::address(config),
    };
    let nobody = match address {
        Err(reason) => reason,
        Ok(address) => {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
            match runtime.block_on(client::ask(&address, &question)) {
                Ok(page) => return Ok((page, None)),
                Err(error @ (AskError::Nobody { .. } | AskError::Refused { .. })) => error.to_string(),
            }
        }
    };
    Ok((of_registry(config, &question)?, Some(nobody)))
}

/// The way, step by step, and the answer.
fn render(asked: &str, found: &[Finding]) -> String {
    let mut page = format!("{asked}\n");
    for finding in found {
        let mark = match finding.kind {
            Kind::Good => "ok",
            Kind::Note => "",
            Kind::Stops => "STOPS",
        };
        // Writing to a string does not fail.
        let _ = writeln!(page, "  {mark:<5}  {}", finding.text);
        if let Some(way_out) = &finding.way_out {
            let _ = writeln!(page, "         -> {way_out}");
        }
    }
    let answer = found.iter().find(|finding| finding.kind == Kind::Stops);
    let answer = answer.map_or("nothing keeps it from being shipped", |finding| finding.text.as_str());
    let _ = writeln!(page, "answer: {answer}");
    page
}
