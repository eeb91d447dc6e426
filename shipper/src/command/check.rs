//! `shipper check`.
//!
//! Enters: a configuration. Leaves: what each input finds here and now. Never: a record, a change on the disk.

use std::fmt::Write as _;
use std::io::Write as _;

use super::ConfigFlag;
use crate::config::Config;
use crate::input::InputConfig;
use crate::output::OutputConfig;

/// Files that are listed of one input at most.
const FILES_SHOWN: usize = 20;

#[derive(Debug, clap::Args)]
pub(super) struct Flags {
    #[command(flatten)]
    config: ConfigFlag,
}

pub(super) fn run(flags: &Flags) -> anyhow::Result<()> {
    let config = flags.config.load()?;
    let mut page = format!("{}: ok\n", flags.config.config.display());
    describe(&config, &mut page)?;
    std::io::stdout().write_all(page.as_bytes())?;
    Ok(())
}

fn describe(config: &Config, page: &mut String) -> anyhow::Result<()> {
    writeln!(page, "host      {}", config.host())?;
    for input in &config.inputs {
        match input {
            InputConfig::File(file) => {
                let found = crate::input::file::find(file)?;
                writeln!(page, "file      {}: {} files now", file.paths.join(", "), found.files.len())?;
                for path in found.files.iter().take(FILES_SHOWN) {
                    writeln!(page, "            {}", path.display())?;
                }
                if found.files.len() > FILES_SHOWN {
                    writeln!(page, "            and {} more", found.files.len() - FILES_SHOWN)?;
                }
                for skipped in found.skipped.iter().take(FILES_SHOWN) {
                    writeln!(page, "            {} is left out: {}", skipped.path.display(), skipped.reason)?;
                }
            }
            InputConfig::Probe(probe) => {
                writeln!(page, "probe     {}: {} every {}", probe.name, probe.url, probe.every)?;
            }
        }
    }
    match &config.output {
        OutputConfig::Kafka(kafka) => {
            writeln!(page, "output    kafka: topic {} at {}", kafka.topic, kafka.brokers.join(", "))?;
            for (_, lane) in config.lanes()?.iter().skip(1) {
                writeln!(page, "            and {lane}")?;
            }
        }
        OutputConfig::Stdout(_) => writeln!(page, "output    stdout")?,
        OutputConfig::Queue(_) => writeln!(page, "output    queue of this process")?,
    }
    writeln!(page, "registry  {}", config.registry.path.display())?;
    Ok(())
}
