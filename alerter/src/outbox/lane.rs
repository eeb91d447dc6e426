//! What the outbox remembers of a channel between sends; none of it has to survive a crash.
//!
//! Enters: sends and answers. Leaves: when the next send may go.

use std::collections::BTreeMap;

use event::Timestamp;
use rules::rule::Priority;

use super::{IN_FLIGHT_MAX, Pacer, RowId};

/// One channel.
#[derive(Debug, Clone, Default)]
pub(super) struct Lane {
    pub(super) pacer: Option<Pacer>,
    mailboxes: BTreeMap<String, Mailbox>,
}

/// One recipient.
#[derive(Debug, Clone, Default)]
struct Mailbox {
    in_flight: Option<RowId>,
    /// The end of the vendor's own delay.
    held_until: Option<Timestamp>,
}

impl Lane {
    /// The earliest time for a send to this recipient; `None` while an answer has to come first.
    pub(super) fn free_at(&self, recipient: &str, priority: Priority) -> Option<Timestamp> {
        if self.in_flight() >= IN_FLIGHT_MAX {
            return None;
        }
        let paced = self.pacer.as_ref().map_or(Timestamp::MIN, |pacer| pacer.free_at(priority));
        match self.mailboxes.get(recipient) {
            Some(mailbox) if mailbox.in_flight.is_some() => None,
            Some(mailbox) => Some(paced.max(mailbox.held_until.unwrap_or(Timestamp::MIN))),
            None => Some(paced),
        }
    }

    /// A send goes out.
    pub(super) fn start(&mut self, recipient: &str, id: RowId, now: Timestamp) {
        self.mailboxes.entry(recipient.to_owned()).or_default().in_flight = Some(id);
        if let Some(pacer) = &mut self.pacer {
            pacer.record(now);
        }
    }

    /// Its answer came; `held_until` is the vendor's own delay.
    pub(super) fn finish(&mut self, recipient: &str, held_until: Option<Timestamp>) {
        self.mailboxes.insert(recipient.to_owned(), Mailbox { in_flight: None, held_until });
    }

    /// True when this row's answer is still to come.
    pub(super) fn is_in_flight(&self, recipient: &str, id: RowId) -> bool {
        self.mailboxes.get(recipient).is_some_and(|mailbox| mailbox.in_flight == Some(id))
    }

    /// Answers that are still to come.
    pub(super) fn in_flight(&self) -> usize {
        self.mailboxes.values().filter(|mailbox| mailbox.in_flight.is_some()).count()
    }
}
