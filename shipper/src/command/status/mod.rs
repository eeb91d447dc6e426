//! `shipper status`.
//!
//! Enters: a configuration, which says where the shipper's page and registry are. Leaves: what it knows of every stream,
//! as a table or as JSON; what the registry remembers, when no shipper answers. Never: a change of either.

pub(super) mod client;
mod table;
#[cfg(test)]
mod tests;

use std::io::Write as _;
use std::os::unix::fs::MetadataExt;
use std::path::PathBuf;
use std::time::Duration;

use anyhow::{Context, bail};
use yaml::Span;

use self::client::AskError;
use super::ConfigFlag;
use crate::config::Config;
use crate::input::file::Order;
use crate::registry::{Entry, Registry};
use crate::status::{Ask, ROWS_MAX, StatusPage};

/// Time between the two looks that a rate needs, at most.
const OVER_MAX: Duration = Duration::from_secs(600);

#[derive(Debug, clap::Args)]
pub(super) struct Flags {
    /// Streams under this path alone: a file, or a folder with all below it
    path: Option<PathBuf>,
    #[command(flatten)]
    config: ConfigFlag,
    /// The shipper's admin page, when it is not where the configuration says
    #[arg(long, value_name = "HOST:PORT")]
    address: Option<String>,
    /// Print JSON, as `GET /api/status` gives it, with rates
    #[arg(long)]
    json: bool,
    /// Show every stream, up to 10000
    #[arg(long, conflicts_with = "rows")]
    all: bool,
    /// Show so many streams
    #[arg(short = 'n', long, value_name = "STREAMS", default_value_t = 20)]
    rows: usize,
    /// Which streams come first
    #[arg(long, value_enum, default_value_t = Order::Worst)]
    sort: Order,
    /// Measure rates over so long; 0s leaves them out
    #[arg(long, value_name = "TIME", default_value = "1s")]
    over: Span,
}

pub(super) fn run(flags: &Flags) -> anyhow::Result<()> {
    let config = flags.config.load()?;
    if flags.over.0 > OVER_MAX {
        bail!("`--over` is above 10m");
    }
    let under =
        flags.path.as_ref().map(std::path::absolute).transpose().context("the working directory is gone")?;
    let rows = if flags.all { ROWS_MAX } else { flags.rows };
    let ask = Ask { under, order: flags.sort, rows: Some(rows), ..Ask::default() };
    let address = match &flags.address {
        Some(address) => address.clone(),
        None => client::address(&config).map_err(anyhow::Error::msg)?,
    };
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let (page, nobody) = match runtime.block_on(two_looks(&address, &ask, flags.over.0)) {
        Ok(page) => (page, None),
        Err(error @ AskError::Nobody { .. }) => (of_registry(&config, &ask)?, Some(error)),
        Err(error) => return Err(error.into()),
    };
    let text = if flags.json {
        let mut text = serde_json::to_string_pretty(&page)?;
        text.push('\n');
        text
    } else {
        table::render(&page)
    };
    std::io::stdout().write_all(text.as_bytes())?;
    match nobody {
        Some(error) => bail!("{error}; start it with `shipper run`; the numbers are those of its registry"),
        None => Ok(()),
    }
}

/// Asks once, and once more after `over`, for the rates between.
async fn two_looks(address: &str, ask: &Ask, over: Duration) -> Result<StatusPage, AskError> {
    let first = client::ask(address, ask).await?;
    if over.is_zero() {
        return Ok(first);
    }
    tokio::time::sleep(over).await;
    let mut second = client::ask(address, ask).await?;
    second.add_rates(&first);
    Ok(second)
}

/// What is known without a running shipper.
pub(super) fn of_registry(config: &Config, ask: &Ask) -> anyhow::Result<StatusPage> {
    let peeked = Registry::peek(&config.registry.path)?;
    Ok(StatusPage::of_registry(config.host(), &peeked, ask, size_now))
}

/// How long the entry's file is now, or was when it was last seen, for one that is compressed; `None` when another file,
/// or none, lies there.
fn size_now(entry: &Entry) -> Option<u64> {
    let metadata = std::fs::metadata(&entry.path).ok()?;
    let is_same = (metadata.dev(), metadata.ino()) == (entry.device, entry.inode);
    is_same.then_some(if entry.packed.is_some() { entry.size } else { metadata.len() })
}
