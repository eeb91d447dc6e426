//! One thing to tell one recipient, and its words.
//!
//! Enters: a transition and its routing. Leaves: a stable id, a title, and lines of plain text for every channel.
//! Never: a channel's markup; each channel wraps these lines in its own.

use std::borrow::Cow;

use event::Timestamp;
use jiff::tz::TimeZone;
use rules::Transition;
use rules::rule::Priority;

/// What a notification says of its alert.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// The alert began to fire.
    Firing,
    /// It is still firing; counted from 1.
    Repeat(u32),
    /// It is over.
    Resolved,
    /// An operator tries a channel.
    Test,
}

/// One notification to one recipient of one channel.
#[derive(Debug, Clone, PartialEq, serde::Serialize, serde::Deserialize)]
pub struct Notification {
    /// 32 hex digits, the same for ever for the same (alert, transition, kind, channel, recipient). A send that is
    /// repeated after a crash carries it again, so that a receiver can tell the copy (`Idempotency-Key`).
    pub id: String,
    /// What it says.
    pub kind: Kind,
    /// The transition that it tells of. For [`Kind::Repeat`], the one to firing.
    pub transition: Transition,
    /// When the alert began to fire.
    pub started_at: Timestamp,
    /// When it was over; only for [`Kind::Resolved`].
    pub ended_at: Option<Timestamp>,
    /// The zone that its readers live in, by its IANA name; UTC where it is empty or unknown.
    #[serde(default)]
    pub zone: String,
    /// True on a resolution whose recipient could not be told of the firing: this message says both.
    pub firing_missed: bool,
}

impl Notification {
    /// Derives the id. `at` is the time of the transition.
    #[must_use]
    pub fn derive_id(transition: &Transition, kind: Kind, channel: &str, recipient: &str) -> String {
        let (word, count) = match kind {
            Kind::Firing => ("firing", 0),
            Kind::Repeat(count) => ("repeat", count),
            Kind::Resolved => ("resolved", 0),
            Kind::Test => ("test", 0),
        };
        event::StreamId::derive(&[
            &transition.fingerprint.to_le_bytes(),
            &transition.at.as_nanos().to_le_bytes(),
            word.as_bytes(),
            &count.to_le_bytes(),
            channel.as_bytes(),
            recipient.as_bytes(),
        ])
        .to_string()
    }

    /// `FIRING`, `STILL FIRING`, `RESOLVED` or `TEST`.
    #[must_use]
    pub const fn state_word(&self) -> &'static str {
        match self.kind {
            Kind::Firing => "FIRING",
            Kind::Repeat(_) => "STILL FIRING",
            Kind::Resolved => "RESOLVED",
            Kind::Test => "TEST",
        }
    }

    /// True for a P0 that is firing: the one that may wake everybody.
    #[must_use]
    pub fn is_urgent(&self) -> bool {
        self.transition.priority == Priority::P0 && matches!(self.kind, Kind::Firing | Kind::Repeat(_))
    }

    /// One line: `[P0] FIRING service-unavailable checkout`.
    #[must_use]
    pub fn title(&self) -> String {
        let transition = &self.transition;
        let mut title = format!("[{}] {} {}", transition.priority, self.state_word(), transition.rule);
        for (_, value) in &transition.group {
            title.push(' ');
            title.push_str(value);
        }
        // A log line may have chosen the group's value, line breaks and all.
        title.replace(char::is_control, " ")
    }

    /// The text below the title, the most important first, because a channel may cut it at the end: what is wrong,
    /// the numbers, when, the group, what to do, the rule's own words, sample lines.
    #[must_use]
    pub fn body(&self) -> String {
        let transition = &self.transition;
        let mut lines = vec![transition.summary.clone()];
        if self.firing_missed {
            lines.push("the firing of this alert could not be delivered here".to_owned());
        }
        if !transition.detail.is_empty() {
            lines.push(format!("value: {}", transition.detail));
        }
        lines.push(format!("reason: {}", transition.reason));
        let zone = TimeZone::get(&self.zone).unwrap_or(TimeZone::UTC);
        lines.push(format!("started: {}", rules::template::time(self.started_at, &zone)));
        if let Some(ended) = self.ended_at {
            lines.push(format!("ended: {}", rules::template::time(ended, &zone)));
        }
        lines.extend(transition.group.iter().map(|(field, value)| format!("{field}: {value}")));
        lines.extend(transition.runbook.iter().map(|runbook| format!("runbook: {runbook}")));
        if !transition.description.is_empty() {
            lines.push(transition.description.clone());
        }
        lines.extend(transition.annotations.iter().map(|(name, text)| format!("{name}: {text}")));
        lines.extend(transition.evidence.iter().map(|line| format!("> {line}")));
        lines.join("\n")
    }

    /// One line for a text message or a call: state and summary, in at most `bytes_max` bytes.
    #[must_use]
    pub fn short_text(&self, bytes_max: usize) -> String {
        let transition = &self.transition;
        let text = format!("[{}] {}: {}", transition.priority, self.state_word(), transition.summary);
        truncate(&text, bytes_max).into_owned()
    }

    /// Title and body, cut to `bytes_max` where it is given.
    #[must_use]
    pub fn text(&self, bytes_max: Option<usize>) -> String {
        let text = format!("{}\n{}", self.title(), self.body());
        match bytes_max {
            Some(bytes_max) => truncate(&text, bytes_max).into_owned(),
            None => text,
        }
    }
}

/// `text` in at most `bytes_max` bytes of UTF-8, cut between characters, with `…` where something is missing.
#[must_use]
pub fn truncate(text: &str, bytes_max: usize) -> Cow<'_, str> {
    const MARK: &str = "…";
    if text.len() <= bytes_max {
        return Cow::Borrowed(text);
    }
    let Some(room) = bytes_max.checked_sub(MARK.len()) else {
        return Cow::Borrowed("");
    };
    Cow::Owned(format!("{}{MARK}", &text[..text.floor_char_boundary(room)]))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sample;
    use rules::AlertState;

    const START: Timestamp = Timestamp::from_secs(1_700_000_000);

    #[test]
    fn a_firing_says_what_is_wrong_first() {
        let text = sample::notification("checkout", Priority::P1, Kind::Firing, START).text(None);
        insta::assert_snapshot!(text, @r"
        [P1] FIRING rule-checkout checkout
        checkout is failing
        value: 31 of 500 events (6.2 %) in 1m, limit 5 %
        reason: condition_met
        started: 2023-11-14 22:13:20 UTC
        service.name: checkout
        runbook: https://wiki/checkout
        > payment refused
        ");
    }

    #[test]
    fn a_resolution_that_is_a_first_word_says_so() {
        let text = sample::notification("checkout", Priority::P0, Kind::Resolved, START).text(None);
        insta::assert_snapshot!(text, @r"
        [P0] RESOLVED rule-checkout checkout
        checkout is failing
        the firing of this alert could not be delivered here
        value: 31 of 500 events (6.2 %) in 1m, limit 5 %
        reason: recovered
        started: 2023-11-14 22:13:20 UTC
        ended: 2023-11-14 22:14:20 UTC
        service.name: checkout
        runbook: https://wiki/checkout
        > payment refused
        ");
    }

    #[test]
    fn a_title_is_one_line_whatever_the_group_is_called() {
        let title = sample::notification("a\r\nBcc: b", Priority::P0, Kind::Firing, START).title();
        assert!(title.ends_with(" a  Bcc: b") && !title.contains(char::is_control), "{title:?}");
    }

    #[test]
    fn times_are_whole_seconds_of_the_readers_zone() {
        let start = START.plus(std::time::Duration::from_nanos(853_263_166));
        let mut notification = sample::notification("checkout", Priority::P0, Kind::Resolved, start);
        notification.zone = "Asia/Shanghai".to_owned();
        let text = notification.text(None);
        assert!(text.contains("started: 2023-11-15 06:13:20 +08:00\n"), "{text}");
        assert!(text.contains("ended: 2023-11-15 06:14:20 +08:00\n"), "{text}");
    }

    #[test]
    fn a_short_text_keeps_its_bound() {
        let notification = sample::notification("checkout", Priority::P0, Kind::Repeat(2), START);
        assert_eq!(notification.short_text(100), "[P0] STILL FIRING: checkout is failing");
        assert_eq!(notification.short_text(20), "[P0] STILL FIRING…");
        assert!(notification.is_urgent());
    }

    #[test]
    fn text_is_cut_between_characters() {
        let check = |text: &str, bytes_max: usize, expected: &str| {
            assert_eq!(truncate(text, bytes_max), expected, "{text} in {bytes_max}");
        };
        check("alarm", 5, "alarm");
        check("alarm", 4, "a…");
        check("alarm", 3, "…");
        check("alarm", 2, "");
        check("告警通知", 12, "告警通知");
        check("告警通知", 11, "告警…");
        check("告警通知", 8, "告…");
        check("", 0, "");
    }

    #[test]
    fn an_id_is_the_same_for_ever_and_of_one_thing() {
        let id = |name: &str, kind, channel: &str, recipient: &str, at| {
            let transition = sample::transition(name, Priority::P1, AlertState::Firing, at);
            Notification::derive_id(&transition, kind, channel, recipient)
        };
        let first = id("a", Kind::Firing, "ops", "", START);
        assert_eq!(first, "60762fdcdcb0967218d3c9c785abc2c6");
        let others = [
            id("b", Kind::Firing, "ops", "", START),
            id("a", Kind::Resolved, "ops", "", START),
            id("a", Kind::Repeat(1), "ops", "", START),
            id("a", Kind::Repeat(2), "ops", "", START),
            id("a", Kind::Firing, "sms", "", START),
            id("a", Kind::Firing, "ops", "138", START),
            id("a", Kind::Firing, "ops1", "38", START),
            id("a", Kind::Firing, "ops", "", Timestamp::from_secs(1_700_000_001)),
        ];
        let distinct: std::collections::BTreeSet<&String> = others.iter().chain([&first]).collect();
        assert_eq!(distinct.len(), others.len() + 1);
    }
}
