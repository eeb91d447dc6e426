//! One line of the outbox, and what became of it.
//!
//! Enters: a notification and its address. Leaves: a [`Send`] for each attempt, a [`Delivery`] at the end.

use event::Timestamp;

use crate::{Kind, Notification, SendOptions};

/// A row's number; grows in the order in which rows were queued.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize, serde::Deserialize)]
pub struct RowId(pub u64);

/// A notification on its way to one recipient of one channel.
#[derive(Debug, Clone, PartialEq, serde::Serialize, serde::Deserialize)]
pub struct Row {
    /// The channel's name in the configuration.
    pub channel: String,
    /// One of the channel's recipients; empty for a robot.
    pub recipient: String,
    /// What to say.
    pub notification: Notification,
    /// When it was queued; [`super::Limits::give_up_after`] counts from here.
    pub queued_at: Timestamp,
    /// Attempts that were answered.
    pub attempts: u32,
    /// Not before this time.
    pub next_at: Timestamp,
    /// The vendor's limit, once it has named one.
    pub bytes_max: Option<usize>,
    /// How often it was cut.
    pub shrinks: u32,
    /// True between a refused signature and its one repetition.
    pub is_resigned: bool,
    /// The last answer that was no success.
    pub reason: Option<String>,
}

impl Row {
    /// A row that can go at once.
    #[must_use]
    pub fn new(
        channel: impl Into<String>,
        recipient: impl Into<String>,
        notification: Notification,
        now: Timestamp,
    ) -> Self {
        Row {
            channel: channel.into(),
            recipient: recipient.into(),
            notification,
            queued_at: now,
            attempts: 0,
            next_at: now,
            bytes_max: None,
            shrinks: 0,
            is_resigned: false,
            reason: None,
        }
    }

    /// The alert that it tells of.
    #[must_use]
    pub fn fingerprint(&self) -> u64 {
        self.notification.transition.fingerprint
    }

    /// True for rows that must stay in order: one alert, one recipient.
    #[must_use]
    pub fn is_chained_to(&self, other: &Row) -> bool {
        self.fingerprint() == other.fingerprint()
            && self.channel == other.channel
            && self.recipient == other.recipient
    }

    /// True when `later` says all that this row does: the resolution of the same firing, to the same recipient.
    #[must_use]
    pub fn is_superseded_by(&self, later: &Row) -> bool {
        matches!(self.notification.kind, Kind::Firing | Kind::Repeat(_))
            && later.notification.kind == Kind::Resolved
            && self.notification.started_at == later.notification.started_at
            && self.is_chained_to(later)
    }

    pub(super) fn send(&self, id: RowId) -> Send {
        Send {
            id,
            channel: self.channel.clone(),
            recipient: self.recipient.clone(),
            notification: self.notification.clone(),
            options: SendOptions { bytes_max: self.bytes_max, resigned: self.is_resigned },
        }
    }
}

/// One attempt for the shell to make; [`super::Outbox::settle`] takes the answer.
#[derive(Debug, Clone, PartialEq)]
pub struct Send {
    /// The row, to settle by.
    pub id: RowId,
    /// The channel to send through.
    pub channel: String,
    /// The recipient.
    pub recipient: String,
    /// What to say.
    pub notification: Notification,
    /// How.
    pub options: SendOptions,
}

/// How a row ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Verdict {
    /// The vendor took it.
    Delivered,
    /// The vendor never will.
    Permanent,
    /// It could not be delivered within `outbox.give_up_after`.
    GaveUp,
    /// The alert was over before it could be delivered; the resolution says both.
    Superseded,
    /// The outbox was full of rows that matter more.
    Dropped,
}

impl Verdict {
    /// The word in metrics, logs and the API.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Verdict::Delivered => "delivered",
            Verdict::Permanent => "permanent",
            Verdict::GaveUp => "gave_up",
            Verdict::Superseded => "superseded",
            Verdict::Dropped => "dropped",
        }
    }

    /// True when the recipient did not hear what they should have.
    #[must_use]
    pub const fn is_failure(self) -> bool {
        matches!(self, Verdict::Permanent | Verdict::GaveUp | Verdict::Dropped)
    }
}

/// The end of a row, kept in the delivery history.
#[derive(Debug, Clone, PartialEq, serde::Serialize, serde::Deserialize)]
pub struct Delivery {
    /// When it was settled.
    pub at: Timestamp,
    /// [`Notification::id`].
    pub notification: String,
    /// What it said.
    pub kind: Kind,
    /// The alert's rule.
    pub rule: String,
    /// The alert's group.
    pub group: Vec<(String, String)>,
    /// The alert's urgency.
    pub priority: rules::rule::Priority,
    /// The channel.
    pub channel: String,
    /// The recipient; empty for a robot.
    pub recipient: String,
    /// How it ended.
    pub verdict: Verdict,
    /// The vendor's reference, or why it failed.
    pub detail: String,
    /// Attempts that it took.
    pub attempts: u32,
    /// When it was queued.
    pub queued_at: Timestamp,
}

impl Delivery {
    /// The end of `row`.
    #[must_use]
    pub fn of(row: &Row, verdict: Verdict, detail: String, now: Timestamp) -> Self {
        let transition = &row.notification.transition;
        Delivery {
            at: now,
            notification: row.notification.id.clone(),
            kind: row.notification.kind,
            rule: transition.rule.clone(),
            group: transition.group.clone(),
            priority: transition.priority,
            channel: row.channel.clone(),
            recipient: row.recipient.clone(),
            verdict,
            detail,
            attempts: row.attempts,
            queued_at: row.queued_at,
        }
    }
}
