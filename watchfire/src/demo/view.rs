//! The demo on a terminal: a line for everything that an operator would want to know.
//!
//! Enters: what happened. Leaves: one line of text each. Never: a cursor that jumps; what was said stays readable.

use std::time::Duration;

use super::sum::Sums;
use alerter::Kind;
use alerter::core::Observed;
use alerter::outbox::{Delivery, Verdict};
use rules::rule::Priority;
use rules::transition::{AlertState, Transition};

/// How lines are drawn.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct View {
    /// ANSI colours, for a terminal.
    pub is_coloured: bool,
}

#[derive(Debug, Clone, Copy)]
enum Colour {
    Red,
    Yellow,
    Blue,
    Green,
    Grey,
    Bold,
}

impl View {
    /// The head of the screen.
    #[must_use]
    pub fn head(self, speed: f64, log: &str, config: &str) -> String {
        let title = self.paint(Colour::Bold, "watchfire demo");
        let minute = 60.0 / speed.max(f64::MIN_POSITIVE);
        format!(
            "{title}   time-lapse {speed}x: {minute:.0} s here are a minute of the service's\n\n  \
             a sample service writes   {log}\n  \
             watchfire runs on         {config}\n  \
             P0 phone, SMS, DingTalk   P1 SMS, WeCom   P2 mail   (their vendors are stood in for on this machine)\n  \
             Ctrl-C stops it\n\n  {}\n",
            self.paint(Colour::Grey, "time   what happens")
        )
    }

    /// The last words: how it ended, and the ledger.
    #[must_use]
    pub fn foot(self, how: &str, written: u64, sums: &Sums, folder: Option<&std::path::Path>) -> String {
        let Sums { acked, filtered, lost } = sums;
        let pending = written.saturating_sub(sums.settled());
        let kept =
            folder.map_or(String::new(), |folder| format!("  everything is kept in {}\n", folder.display()));
        let hint = self.paint(Colour::Grey, "next: `watchfire init`, then `watchfire up`, on your own logs");
        format!(
            "\n  {how}: {written} bytes written = {acked} acknowledged + {filtered} filtered + {lost} lost + {pending} pending\n{kept}  {hint}\n"
        )
    }

    /// Something was done to the service.
    #[must_use]
    pub fn scene(self, elapsed: Duration, words: &str) -> String {
        self.row(elapsed, &format!("{}  {words}", self.paint(Colour::Grey, "service      ")))
    }

    /// Something that the alerter decided, or learnt from a vendor; `None` for what a viewer need not see.
    #[must_use]
    pub fn observed(self, elapsed: Duration, observed: &Observed) -> Option<String> {
        match observed {
            Observed::Transition(transition) => self.transition(elapsed, transition),
            Observed::Delivery(delivery) => Some(self.delivery(delivery)),
        }
    }

    fn transition(self, elapsed: Duration, transition: &Transition) -> Option<String> {
        let (colour, word) = match (transition.to, transition.priority) {
            (AlertState::Pending, _) => (Colour::Grey, "pending"),
            (AlertState::Resolved, _) => (Colour::Green, "RESOLVED"),
            (AlertState::Firing, Priority::P0) => (Colour::Red, "FIRING"),
            (AlertState::Firing, Priority::P1) => (Colour::Yellow, "FIRING"),
            (AlertState::Firing, _) => (Colour::Blue, "FIRING"),
            (AlertState::Inactive, _) => return None,
        };
        let state = self.paint(colour, &format!("{} {word:<10}", transition.priority));
        let words = if transition.to == AlertState::Firing { &transition.summary } else { &transition.rule };
        let mut text = self.row(elapsed, &format!("{state}  {words}"));
        if transition.to != AlertState::Resolved && !transition.detail.is_empty() {
            text.push_str(&self.below(&transition.detail));
        }
        if transition.to == AlertState::Firing {
            let last = transition.evidence.last().and_then(|sample| sample.lines().next());
            text.push_str(&last.map(|line| self.below(&format!("> {line}"))).unwrap_or_default());
        }
        Some(text)
    }

    fn delivery(self, delivery: &Delivery) -> String {
        let kind = match delivery.kind {
            Kind::Firing => "firing",
            Kind::Repeat(_) => "still firing",
            Kind::Resolved => "resolution",
            Kind::Test => "test",
        };
        let verdict = match &delivery.verdict {
            Verdict::Delivered => self.paint(Colour::Green, "delivered"),
            other => self.paint(Colour::Red, &format!("{other:?}")),
        };
        self.below(&format!("{:<13} {kind} {verdict}", delivery.channel))
    }

    fn row(self, elapsed: Duration, text: &str) -> String {
        let seconds = elapsed.as_secs();
        let time = self.paint(Colour::Grey, &format!("{:02}:{:02}", seconds / 60, seconds % 60));
        format!("  {time}  {text}\n")
    }

    fn below(self, text: &str) -> String {
        format!("                        {}\n", self.paint(Colour::Grey, text))
    }

    fn paint(self, colour: Colour, text: &str) -> String {
        if !self.is_coloured {
            return text.to_owned();
        }
        let code = match colour {
            Colour::Red => "1;31",
            Colour::Yellow => "1;33",
            Colour::Blue => "1;34",
            Colour::Green => "32",
            Colour::Grey => "90",
            Colour::Bold => "1",
        };
        format!("\x1b[{code}m{text}\x1b[0m")
    }
}
