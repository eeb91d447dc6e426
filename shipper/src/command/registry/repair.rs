//! `shipper registry repair`.
//!
//! Enters: a registry that no shipper uses. Leaves: one that opens, and the words on what was done.

use std::fmt::Write as _;

use event::Timestamp;

use super::Place;
use crate::registry::{Registry, Repaired};

#[derive(Debug, clap::Args)]
pub(super) struct Flags {
    #[command(flatten)]
    place: Place,
}

pub(super) fn run(flags: &Flags, now: Timestamp) -> anyhow::Result<()> {
    let repaired = Registry::repair(&flags.place.directory()?, now)?;
    Ok(super::print(&describe(&repaired))?)
}

fn describe(repaired: &Repaired) -> String {
    let path = repaired.path.display();
    let Some(copy) = &repaired.copy else {
        return format!("{path}: nothing to repair; it knows {} files\n", repaired.streams);
    };
    let mut page = String::new();
    for at in &repaired.flips {
        let _ = writeln!(page, "{path}: one bit of byte {at} was flipped; it is as it was written again");
    }
    if repaired.torn_bytes > 0 {
        let bytes = repaired.torn_bytes;
        let _ = writeln!(page, "{path}: {bytes} bytes of a torn write were cut off; the commit before holds");
    }
    let _ = writeln!(
        page,
        "{path}: repaired; it knows {} files; what it was lies in {}",
        repaired.streams,
        copy.display()
    );
    page
}
