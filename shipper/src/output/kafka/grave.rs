//! Records that are refused for good.
//!
//! Enters: such a record, with the reason. Leaves: its line in the dead-letter file of the shipper, and its fate.
//! Never: a fate before the disk has the line.

use daemon::dead_letter::{DeadLetter, DeadLetters};

use super::lane::Broken;
use super::refusal::Kind;
use crate::batch::{Fate, Settled, Ticket};

/// Where records go that are refused for good.
pub(super) struct Graves {
    pub letters: DeadLetters,
    /// Fates that did not come from a running producer.
    pub settled: Vec<Settled>,
}

impl Graves {
    /// Puts a record to the dead letters and settles it. A disk that is full is a setting to be mended.
    pub fn bury(&mut self, letter: &DeadLetter<'_>, ticket: Option<Ticket>) -> Result<(), Broken> {
        match self.letters.append([*letter]) {
            Ok(()) => {
                let path = self.letters.path().display();
                let DeadLetter { key, reason, topic, .. } = letter;
                tracing::warn!(key, reason, topic, %path, "a record became a dead letter");
                self.settled.extend(ticket.map(|ticket| Settled { ticket, fate: Fate::DeadLettered }));
                Ok(())
            }
            Err(error) => Err(Broken {
                kind: Kind::Setting,
                reason: format!(
                    "a refused record cannot be kept in {}: {error}; free some space or repair its permissions",
                    self.letters.path().display()
                ),
            }),
        }
    }
}
