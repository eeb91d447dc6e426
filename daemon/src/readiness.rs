//! What keeps a daemon from being ready, named.
//!
//! Enters: a part's name and its state. Leaves: `/readyz`, and one log line when a state changes.
//! A broker that is away for an hour is one line when it goes and one when it is back, not one for each event.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

/// The state of every part; clones share it.
#[derive(Debug, Clone, Default)]
pub struct Readiness {
    parts: Arc<Mutex<BTreeMap<String, Result<(), String>>>>,
}

impl Readiness {
    /// Says that `part` works. Logs when it did not before.
    pub fn up(&self, part: &str) {
        self.set(part, &Ok(()));
    }

    /// Says why `part` does not work. Logs when it worked before, or when the reason is another one.
    pub fn down(&self, part: &str, reason: impl Into<String>) {
        self.set(part, &Err(reason.into()));
    }

    /// Says that `part` does not work yet. No line in the log: every start is like that, and what keeps it from working
    /// is told by [`Readiness::down`].
    pub fn starting(&self, part: &str, reason: impl Into<String>) {
        let mut parts = self.parts.lock().unwrap_or_else(PoisonError::into_inner);
        parts.insert(part.to_owned(), Err(reason.into()));
    }

    /// Every part with its state, by name.
    #[must_use]
    pub fn parts(&self) -> BTreeMap<String, Result<(), String>> {
        self.parts.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// True when no part is down.
    #[must_use]
    pub fn is_ready(&self) -> bool {
        self.parts().values().all(Result::is_ok)
    }

    fn set(&self, part: &str, state: &Result<(), String>) {
        let mut parts = self.parts.lock().unwrap_or_else(PoisonError::into_inner);
        let before = parts.insert(part.to_owned(), state.clone());
        match (&before, state) {
            (Some(Err(_)), Ok(())) => tracing::info!(part, "part is back"),
            (None | Some(Ok(())), Err(reason)) => tracing::warn!(part, reason, "part is down"),
            (Some(Err(old)), Err(new)) if old != new => tracing::warn!(part, reason = new, "part is down"),
            _ => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_part_that_starts_is_down_until_it_works() {
        let readiness = Readiness::default();
        assert!(readiness.is_ready());
        readiness.starting("kafka", "not connected yet");
        assert_eq!(readiness.parts()["kafka"], Err("not connected yet".to_owned()));
        assert!(!readiness.is_ready());
        readiness.up("kafka");
        assert!(readiness.is_ready());
    }
}
