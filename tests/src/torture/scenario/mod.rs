//! The scenarios, by what they do to the shipper.
//!
//! Enters: nothing. Leaves: a list. Never: a step that only one shipper could pass.

use super::Scenario;
use super::step::Load;

mod archive;
mod identity;
mod line;
mod outage;
mod rename;
mod truncate;

/// Every scenario, in the order of the table.
#[must_use]
pub fn all() -> Vec<Scenario> {
    [rename::ALL, truncate::ALL, identity::ALL, archive::ALL, line::ALL, outage::ALL].concat()
}

/// The one with this name.
#[must_use]
pub fn named(name: &str) -> Option<Scenario> {
    all().into_iter().find(|scenario| scenario.name == name)
}

/// A pen of its own whose lines are a clock: a thousand are a second.
fn clock() -> Load {
    Load { pen: "clock".to_owned(), file: "app.log.clock".to_owned(), ..Load::steady(1000) }
}
