//! `alerter notify`: does this channel reach anybody?
//!
//! Enters: a channel's name. Leaves: the vendor's answer for each recipient. Never: the outbox; it sends once and says
//! what happened.

use std::io::Write;
use std::path::Path;

use daemon::Clock;
use event::Timestamp;
use rules::rule::Priority;
use rules::{AlertState, Reason, Transition};

use super::CommandError;
use super::check::folder;
use crate::channel::ChannelDeps;
use crate::config::Config;
use crate::{Kind, Notification, Outcome, SendOptions, Setup};

pub(super) async fn notify(path: &Path, name: &str, out: &mut impl Write) -> Result<bool, CommandError> {
    let config = Config::load(path)?;
    let setup = Setup::load(config.parts(), folder(path), &ChannelDeps::default())?;
    let Some(channel) = setup.channels.get(name) else {
        let known: Vec<&str> = setup.channels.keys().map(String::as_str).collect();
        let known = known.join(", ");
        return Err(CommandError::Other(format!("there is no channel `{name}`; the channels are {known}")));
    };
    let now = Clock::System.now();
    let mut is_delivered = true;
    for recipient in channel.recipients() {
        let notification = sample(name, recipient, now);
        let outcome = channel.send(&notification, recipient, SendOptions::default(), now).await;
        is_delivered &= matches!(outcome, Outcome::Delivered { .. });
        let to = if recipient.is_empty() { name } else { recipient };
        writeln!(out, "{to}: {}", words(&outcome))?;
    }
    Ok(is_delivered)
}

fn words(outcome: &Outcome) -> String {
    match outcome {
        Outcome::Delivered { reference } if reference.is_empty() => "delivered".to_owned(),
        Outcome::Delivered { reference } => format!("delivered, reference {reference}"),
        Outcome::RetryAfter { delay: Some(delay), reason } => {
            format!("not now, the vendor wants a pause of {} s: {reason}", delay.as_secs())
        }
        Outcome::RetryAfter { delay: None, reason } => {
            format!("not now, a running alerter would try again: {reason}")
        }
        Outcome::Resign { reason } => {
            format!("the signature was refused, check the secret and the clock: {reason}")
        }
        Outcome::Shrink { bytes_max, reason } => format!("too long, {bytes_max} bytes would do: {reason}"),
        Outcome::Permanent { reason } => format!("refused: {reason}"),
    }
}

fn sample(channel: &str, recipient: &str, now: Timestamp) -> Notification {
    let transition = Transition {
        rule: "test".to_owned(),
        priority: Priority::P3,
        group: Vec::new(),
        fingerprint: 0,
        from: AlertState::Pending,
        to: AlertState::Firing,
        at: now,
        since: now,
        value: None,
        threshold: None,
        reason: Reason::ConditionMet,
        detail: String::new(),
        evidence: Vec::new(),
        labels: Vec::new(),
        annotations: Vec::new(),
        summary: format!("test of channel {channel}: alerts arrive here"),
        description: "Sent by `alerter notify`. Nothing is wrong.".to_owned(),
        runbook: None,
    };
    Notification {
        id: Notification::derive_id(&transition, Kind::Test, channel, recipient),
        kind: Kind::Test,
        transition,
        started_at: now,
        ended_at: None,
        zone: String::new(),
        firing_missed: false,
    }
}
