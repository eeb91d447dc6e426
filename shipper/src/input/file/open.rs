//! The start of a file input.
//!
//! Enters: configurations, the folder of the registry. Leaves: a [`FileInput`] that goes on where the last one ended.
//! Never: a start from nothing where a registry is there and cannot be trusted.

use std::collections::{BTreeMap, BTreeSet, HashMap, VecDeque};
use std::path::PathBuf;

use daemon::Readiness;
use event::Timestamp;
use rustix::process::{Resource, getrlimit};

use super::anchor::Anchoring;
use super::books::Books;
use super::glob::GlobError;
use super::in_flight::InFlight;
use super::queue::Queue;
use super::recipe::Recipe;
use super::scan::Selection;
use super::seam::Seams;
use super::sink::Scratch;
use super::survey::Survey;
use super::unseen::Unseen;
use super::{FileConfig, FileInput, FileTotals, PinnedConfig};
use crate::registry::{Opened, Registry, RegistryError};
use crate::route::{Lanes, Switch};

/// What a file input is given.
#[derive(Debug)]
pub struct Deps {
    /// `host.name` of the records, and a part of every stream id.
    pub host: String,
    /// The folder of the registry.
    pub registry: PathBuf,
    /// Part `registry`.
    pub readiness: Readiness,
    /// The ways to the output.
    pub lanes: Lanes,
    /// What deleted files may cost.
    pub pinned: PinnedConfig,
}

/// Why a file input cannot start.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// A pattern.
    #[error("inputs: paths: {0}")]
    Glob(#[from] GlobError),
    /// A zone.
    #[error(
        "inputs: time_zone: `{name}` is no zone of this machine's tz database; write one such as `Asia/Shanghai`"
    )]
    TimeZone {
        /// As the user wrote it.
        name: String,
    },
    /// A processor.
    #[error("inputs: processors: {0}")]
    Processor(String),
    /// A line end.
    #[error("inputs: line_end: `{}` {reason}", text.escape_debug())]
    LineEnd {
        /// As the user wrote it.
        text: String,
        /// What is wrong with it, and what to write instead.
        reason: String,
    },
    /// The registry.
    #[error(transparent)]
    Registry(#[from] RegistryError),
}

impl FileInput {
    /// Opens the registry and makes ready to read `configs`; the first [`FileInput::poll`] scans.
    ///
    /// # Errors
    /// [`OpenError`]: a pattern or a zone that is none, or a registry that cannot be trusted or is in use.
    pub fn open(configs: Vec<FileConfig>, deps: Deps, now: Timestamp) -> Result<Self, OpenError> {
        let selections = configs
            .iter()
            .map(|config| Selection::parse(&config.paths, &config.exclude))
            .collect::<Result<_, _>>()?;
        let recipe = |(number, config)| Recipe::new(config, &deps.lanes, &deps.host, number);
        let inputs = (0..).zip(configs).map(recipe).collect::<Result<_, _>>()?;
        let opened = Registry::open(&deps.registry)?;
        let doubt = opened.doubt(&deps.host);
        let Opened { registry, entries, anchors, repaired_bytes, committed_at, .. } = opened;
        if repaired_bytes > 0 {
            let path = registry.path().display();
            tracing::warn!(%path, bytes = repaired_bytes, "cut a torn write off the registry; its last commit holds");
        }
        let mut input = FileInput {
            host: deps.host,
            inputs,
            selections,
            readiness: deps.readiness,
            registry,
            known_until: committed_at.unwrap_or(Timestamp::MAX),
            slots: Vec::new(),
            free: VecDeque::new(),
            by_key: HashMap::new(),
            ready: Queue::default(),
            timers: BTreeSet::new(),
            streams_begun: 0,
            files_open: 0,
            open_order: VecDeque::new(),
            files_open_max: files_open_max(getrlimit(Resource::Nofile).current),
            by_path: None,
            heirs: HashMap::new(),
            found: 0,
            followed: Vec::new(),
            unmet: None,
            pinned: deps.pinned,
            spooling: None,
            spooled: Vec::new(),
            scans: 0,
            ticked_at: now,
            next_scan: now,
            skipped: Vec::new(),
            skipped_more: 0,
            survey: Survey::new(),
            folders: BTreeMap::new(),
            folders_changed: 0,
            written: HashMap::new(),
            next_review: 0,
            dirty: Vec::new(),
            removed: Vec::new(),
            next_commit: None,
            has_unnamed: false,
            anchoring: Anchoring::new(anchors),
            doubt,
            touched: None,
            books: Books::default(),
            unseen: Unseen::default(),
            resumed: FileTotals::default(),
            in_flight: InFlight::new(deps.lanes.len()),
            lanes: deps.lanes,
            switch: Switch::new(&deps.registry),
            switched_off: 0,
            multiline_cuts: 0,
            seams: Seams::default(),
            buffer: Vec::new(),
            scratch: Scratch::default(),
        };
        input.readiness.up("registry");
        input.resume(entries, now);
        input.remove_stray_spools();
        Ok(input)
    }
}

/// Descriptors that are no files': the log, the registry, the admin page and its readers, event queues, and a few
/// brokers. Without these nothing is acknowledged, and the files that wait for it keep the others.
const DESCRIPTORS_RESERVED: u64 = 48;
/// Files that are open at the same time, at least and at most.
const FILES_OPEN: std::ops::RangeInclusive<u64> = 4..=4096;

/// Descriptors for files: half of what the process may have, and never of the reserve.
pub(super) fn files_open_max(limit: Option<u64>) -> usize {
    let limit = limit.unwrap_or(u64::MAX);
    let files = (limit / 2).min(limit.saturating_sub(DESCRIPTORS_RESERVED));
    usize::try_from(files.clamp(*FILES_OPEN.start(), *FILES_OPEN.end())).unwrap_or(usize::MAX)
}
