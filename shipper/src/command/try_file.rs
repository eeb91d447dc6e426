//! `shipper try`.
//!
//! Enters: a file, and the configuration's input for it. Leaves: its events on the standard output; how many more there
//! would be without processors, on the standard error.
//! Never: a record to the output, an offset in the registry.

use std::collections::BTreeMap;
use std::io::{BufWriter, IsTerminal, Write};
use std::path::PathBuf;

use anyhow::{Context, bail};

use crate::config::Config;
use crate::input::InputConfig;
use crate::input::file::{self, FileConfig, Previewed};

#[derive(Debug, clap::Args)]
pub(super) struct Flags {
    /// The file to read, from its first line to its last
    file: PathBuf,
    /// The configuration; its first input that matches the file is tried
    #[arg(short = 'c', long = "config", value_name = "FILE")]
    config: Option<PathBuf>,
    /// Read records with this parser instead (auto, json, logfmt, gin, spring, nginx_access, ...)
    #[arg(long, value_name = "PARSER")]
    parse: Option<String>,
    /// Join lines by this preset instead (java, python, go, none)
    #[arg(long, value_name = "PRESET")]
    multiline: Option<String>,
    /// How events are printed; pretty on a terminal, ndjson elsewhere
    #[arg(long, value_enum)]
    format: Option<Format>,
    /// Print so many events at most
    #[arg(short = 'n', long, value_name = "EVENTS")]
    limit: Option<u64>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
enum Format {
    /// Indented, with an empty line between events
    Pretty,
    /// One JSON object in each line
    Ndjson,
}

/// Ends the reading when enough was printed.
const ENOUGH: std::io::ErrorKind = std::io::ErrorKind::Interrupted;

pub(super) fn run(flags: &Flags) -> anyhow::Result<()> {
    let path = std::path::absolute(&flags.file).context("the working directory is gone")?;
    let (config, host) = input(flags, &path)?;
    let is_terminal = std::io::stdout().is_terminal();
    let format = flags.format.unwrap_or(if is_terminal { Format::Pretty } else { Format::Ndjson });
    let mut out = BufWriter::new(std::io::stdout().lock());
    let mut left = flags.limit.unwrap_or(u64::MAX);
    let mut is_enough = false;
    let mut left_out: BTreeMap<&str, u64> = BTreeMap::new();
    let result = file::preview(&config, &host, &path, daemon::Clock::System.now(), &mut |previewed| {
        let record = match previewed {
            Previewed::Record(record) => record,
            Previewed::LeftOut(one) => {
                *left_out.entry(one.processor).or_default() += 1;
                return Ok(());
            }
        };
        is_enough = left == 0;
        if is_enough {
            return Err(ENOUGH.into());
        }
        left -= 1;
        print(format, record, &mut out)
    });
    out.flush()?;
    for (processor, count) in left_out {
        writeln!(std::io::stderr(), "processor {processor} left out {count} records of what was read")?;
    }
    match result {
        Err(_) if is_enough => Ok(()),
        result => Ok(result?),
    }
}

fn print(format: Format, record: &[u8], out: &mut impl Write) -> std::io::Result<()> {
    match format {
        Format::Ndjson => out.write_all(record)?,
        Format::Pretty => {
            let value: serde_json::Value = serde_json::from_slice(record)?;
            serde_json::to_writer_pretty(&mut *out, &value)?;
            out.write_all(b"\n")?;
        }
    }
    out.write_all(b"\n")
}

/// The configuration's input for the file, or one of its own, with the flags' changes; and `host.name`.
fn input(flags: &Flags, path: &std::path::Path) -> anyhow::Result<(FileConfig, String)> {
    let (mut config, host) = match &flags.config {
        Some(file) => {
            let config = super::load(file)?;
            (matching(&config, path)?, config.host())
        }
        None => {
            let text = "inputs: [{ file: { paths: [/] } }]\noutput: { stdout: {} }\n";
            let config: Config = daemon::config::parse("no configuration", text)?;
            (first(&config, |_| Ok(true))?.context("no input")?, config.host())
        }
    };
    if let Some(name) = &flags.parse {
        config.parse = typed("--parse", name)?;
    }
    if let Some(name) = &flags.multiline {
        config.multiline = typed("--multiline", name)?;
    }
    Ok((config, host))
}

fn matching(config: &Config, path: &std::path::Path) -> anyhow::Result<FileConfig> {
    match first(config, |file| Ok(file::matches(file, path)?))? {
        Some(found) => Ok(found),
        None => bail!(
            "no `file:` of the configuration matches {}; change its `paths`, or leave `-c` out and use the flags",
            path.display()
        ),
    }
}

fn first(
    config: &Config,
    mut is_wanted: impl FnMut(&FileConfig) -> anyhow::Result<bool>,
) -> anyhow::Result<Option<FileConfig>> {
    for input in &config.inputs {
        if let InputConfig::File(file) = input
            && is_wanted(file)?
        {
            return Ok(Some(FileConfig::clone(file)));
        }
    }
    Ok(None)
}

/// A flag's value is typed as the configuration's key is, with the same words in errors.
fn typed<T: serde::de::DeserializeOwned>(flag: &str, value: &str) -> anyhow::Result<T> {
    Ok(daemon::config::parse(flag, value)?)
}
