//! Torture: what disks, operators and brokers do to a log shipper, and whether what was written has arrived, once.
//!
//! Enters: a [`Scenario`] (data), a shipper (ours or another), a scale, a seed. Leaves: an [`Outcome`] in numbers that
//! the oracle counted on the topic. Never: a shipper's own word, except for the bytes that it says it lost.
//!
//! `pen` writes numbered lines, `load` writes them at a rate while things happen, `step` is the language of scenarios,
//! `stage` plays it, `peer` starts shippers, `outcome` judges. The scenarios themselves are in `scenario/`.

use crate::dice::Dice;

mod load;
mod mount;
pub mod outcome;
pub mod peer;
mod pen;
pub mod scenario;
mod stage;
mod step;
mod tally;
pub mod usage;

pub use self::outcome::{Expect, Outcome};
pub use self::peer::Peer;
pub use self::pen::Style;
pub use self::scenario::all;
pub use self::step::{Load, Step};

/// How much of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Scale {
    /// A few seconds for each scenario.
    Small,
    /// As long as it takes to believe it.
    Full,
}

impl Scale {
    /// One number for each scale.
    #[must_use]
    pub const fn pick(self, small: u64, full: u64) -> u64 {
        match self {
            Scale::Small => small,
            Scale::Full => full,
        }
    }
}

/// Which broker a scenario needs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Broker {
    /// A topic on any broker; one with the limit of 1 MB that brokers have unless told otherwise.
    Shared,
    /// One that can be taken away.
    Own,
    /// One with access rules.
    Guarded,
}

/// What is special about the ground that a scenario stands on.
#[derive(Debug, Clone, Copy)]
pub struct Setting {
    /// The shape of the lines.
    pub style: Style,
    /// The longest line that the shipper is told to keep, in bytes; its own default when it is `None`.
    pub line_bytes_max: Option<u32>,
    /// Descriptors that the shipper may have.
    pub descriptors: Option<u32>,
    /// Its state lies on a disk of its own, of a megabyte.
    pub is_state_small: bool,
    /// Its steps mount something, which only root may.
    pub has_mounts: bool,
    /// What becomes of deleted files beyond a budget of [`PINNED_BYTES_MAX`]; the shipper's own defaults when it is `None`.
    pub pinned: Option<&'static str>,
    /// The broker.
    pub broker: Broker,
}

/// The disk space of deleted files, in scenarios that bound it.
pub const PINNED_BYTES_MAX: &str = "4MiB";

impl Setting {
    /// Ordinary lines, no limits, any broker.
    pub const WORDS: Setting = Setting {
        style: Style::Words,
        line_bytes_max: None,
        descriptors: None,
        is_state_small: false,
        has_mounts: false,
        pinned: None,
        broker: Broker::Shared,
    };
}

/// One case.
#[derive(Debug, Clone, Copy)]
pub struct Scenario {
    /// Its name, as on the command line.
    pub name: &'static str,
    /// Its ground.
    pub setting: Setting,
    /// What must come of it.
    pub expect: Expect,
    /// What happens. The log folder is the working folder; what matches `app.log*` in it is shipped.
    pub steps: fn(Scale) -> Vec<Step>,
}

impl Scenario {
    /// Plays it.
    ///
    /// # Errors
    /// Why it cannot be played on this machine.
    ///
    /// # Panics
    /// When a part of the testbed fails.
    pub fn play(&self, peer: Peer, scale: Scale, dice: &mut Dice) -> Result<Outcome, String> {
        let mut stage = stage::Stage::set(self, peer, dice)?;
        stage.play(&(self.steps)(scale));
        Ok(stage.finish())
    }
}
