//! Sample messages for a page.
//!
//! Enters: messages with their time. Leaves: the newest few, cut to a length.
//! Never: more than a fixed number of bytes for each group.

use std::collections::VecDeque;

use event::Timestamp;
use serde::{Deserialize, Serialize};

use crate::window::nanos;

/// A group keeps this many messages.
pub const EVIDENCE_MAX: usize = 3;

/// Each is cut at this many bytes, at a character's edge.
pub const EVIDENCE_BYTES_MAX: usize = 512;

/// The newest messages, oldest first.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct Evidence(VecDeque<Sample>);

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
struct Sample {
    #[serde(with = "nanos")]
    at: Timestamp,
    text: String,
}

impl Evidence {
    /// Takes a message; the one that came first makes room, and lends its buffer.
    pub fn push(&mut self, at: Timestamp, message: &str) {
        let spare = if self.0.len() < EVIDENCE_MAX { None } else { self.0.pop_front() };
        let mut text = spare.map_or_else(String::new, |sample| sample.text);
        text.clear();
        text.push_str(message.get(..message.floor_char_boundary(EVIDENCE_BYTES_MAX)).unwrap_or_default());
        self.0.push_back(Sample { at, text });
    }

    /// The messages of events from `edge` on, oldest first.
    #[must_use]
    pub fn since(&self, edge: Timestamp) -> Vec<String> {
        self.0.iter().filter(|sample| sample.at >= edge).map(|sample| sample.text.clone()).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_newest_messages_stay_and_are_short() {
        let mut evidence = Evidence::default();
        for (second, text) in ["a", "b", "c", "d"].into_iter().enumerate() {
            evidence.push(Timestamp::from_secs(second as i64), text);
        }
        assert_eq!(evidence.since(Timestamp::MIN), ["b", "c", "d"]);
        assert_eq!(evidence.since(Timestamp::from_secs(3)), ["d"]);
        // 171 characters of three bytes are 513 bytes; the cut falls before the last.
        evidence.push(Timestamp::from_secs(4), &"中".repeat(171));
        assert_eq!(evidence.since(Timestamp::from_secs(3)), ["d".to_owned(), "中".repeat(170)]);
    }
}
