//! What a condition says at a bucket edge.
//!
//! Enters: nothing. Leaves: [`Reading`], numbers only; words are made of it when an alert changes.

use event::Timestamp;
use serde::{Deserialize, Serialize};

use crate::window::{Ring, bits};

/// The moment and the state that a condition is judged in.
#[derive(Debug, Clone, Copy)]
pub struct View<'a> {
    /// The group's events so far; only those before `edge` may be looked at.
    pub ring: &'a Ring,
    /// The bucket edge: the window ends here, exclusive.
    pub edge: Timestamp,
    /// Since when the group has been watched: absence needs a whole window after it.
    pub created: Timestamp,
    /// Judge by the limit for recovery.
    pub is_firing: bool,
}

/// Does the condition hold?
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Verdict {
    /// Events say so.
    Holds,
    /// The lack of events says so.
    Absent,
    /// Events say that it does not.
    Ended,
    /// There is nothing to judge by.
    NoData,
}

/// What was seen at an edge.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Reading {
    /// The outcome.
    pub verdict: Verdict,
    /// Since when it is so, where events tell it more exactly than the edge.
    pub since: Option<Timestamp>,
    /// When events last said that the condition does not hold; for conditions that follow a state.
    pub ended: Option<Timestamp>,
    /// The number that was judged.
    #[serde(with = "bits::option")]
    pub value: Option<f64>,
    /// Events of the narrower set in the window.
    pub matched: u64,
    /// Events in the window.
    pub count: u64,
    /// Without further events the reading stays as it is until then; `None`: for ever.
    pub next: Option<Timestamp>,
}
