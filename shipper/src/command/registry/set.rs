//! `shipper registry set`.
//!
//! Enters: a file, and where it is to be read from. Leaves: the registry's entry for it. Never: another file's entry; an
//! offset inside a line.

use std::path::PathBuf;

use anyhow::Context;
use event::Timestamp;

use super::Place;
use crate::input::file::{Identity, adopt};
use crate::registry::{Change, Entry, Losses, Registry};

#[derive(Debug, clap::Args)]
pub(super) struct Flags {
    #[command(flatten)]
    place: Place,
    /// The file
    path: PathBuf,
    /// Where it is read from: a byte offset, `beginning` or `end`
    #[arg(long, value_name = "OFFSET", value_parser = parse_offset)]
    offset: u64,
}

fn parse_offset(text: &str) -> Result<u64, String> {
    match text {
        "beginning" => Ok(0),
        // What `adopt` takes for the end.
        "end" => Ok(u64::MAX),
        number => number
            .parse()
            .map_err(|_| format!("`{number}` is no offset: write a number of bytes, `beginning` or `end`")),
    }
}

pub(super) fn run(flags: &Flags, now: Timestamp) -> anyhow::Result<()> {
    let host = flags.place.config.load()?.host();
    let path = std::path::absolute(&flags.path).context("the working directory is gone")?;
    let name = path.display().to_string();
    let adopted = adopt(&path, flags.offset, &host, now).with_context(|| name.clone())?;
    let identity = Identity::of(&path).with_context(|| name.clone())?;
    let mut opened = Registry::open(&flags.place.directory()?)?;
    let known =
        opened.entries.iter().filter(|entry| is_of(entry, &identity)).max_by_key(|entry| entry.generation);
    let before = known.map(|entry| entry.offset);
    let entry = match known {
        Some(known) => moved(known, &adopted.entry),
        None => adopted.entry,
    };
    let offset = entry.offset;
    if opened.registry.wants_rewrite() {
        let stream = entry.stream;
        let others = opened.entries.into_iter().filter(|other| other.stream != stream);
        opened.registry.rewrite(others.chain([entry]), &opened.anchors)?;
    } else {
        opened.registry.append(&[Change::Put(entry.into())])?;
    }
    let mut page = format!("{name}: is read from byte {offset} after the next start");
    if let Some(from) = adopted.moved_from {
        page += &format!(", where the line of byte {from} begins");
    }
    page += &match before {
        Some(before) if before > offset => {
            format!("; what lies before byte {before} is sent again, under the same `event.id`\n")
        }
        Some(before) => format!("; it was acknowledged up to byte {before}\n"),
        None => "; it was not known before\n".to_owned(),
    };
    Ok(super::print(&page)?)
}

/// Whether the entry is of this very file.
pub(super) fn is_of(entry: &Entry, identity: &Identity) -> bool {
    let birth = entry.birth.map(Timestamp::from_nanos);
    (entry.device, entry.inode) == (identity.device, identity.inode)
        && (birth.is_none() || identity.birth.is_none() || birth == identity.birth)
}

/// `known` with the offset and the prints of `adopted`. What is left out by going on further counts as filtered; the sums
/// of a part that is read again are not known, and start anew.
fn moved(known: &Entry, adopted: &Entry) -> Entry {
    let (from, to) = (known.offset, adopted.offset);
    let is_back = to < from;
    Entry {
        stream: known.stream,
        path: known.path.clone(),
        generation: known.generation,
        filtered: if is_back { 0 } else { known.filtered + (to - from) },
        lost: if is_back { Losses::default() } else { known.lost },
        ..adopted.clone()
    }
}
