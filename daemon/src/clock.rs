//! The one place that knows what time it is.
//!
//! Enters: nothing. Leaves: the time, and a wait until one. Three clocks: the system's, one that runs faster
//! (the demo's time-lapse), and one that a test moves by hand.

use std::str::FromStr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use event::Timestamp;
use tokio::sync::watch;

/// A clock; clones share their state.
#[derive(Debug, Clone)]
pub enum Clock {
    /// The machine's.
    System,
    /// The machine's, running `speed` times as fast since it was made.
    Lapse {
        /// Wall time at the start.
        origin: Timestamp,
        /// The same moment on the monotonic clock.
        started: Instant,
        /// How many seconds pass in one.
        speed: f64,
    },
    /// Moves only when a test sets it.
    Manual(Arc<watch::Sender<Timestamp>>),
}

impl Clock {
    /// A clock that starts now and runs `speed` times as fast as the machine's.
    #[must_use]
    pub fn lapse(speed: f64) -> Self {
        Clock::Lapse { origin: system_now(), started: Instant::now(), speed }
    }

    /// The clock that [`Clock::lapse`] started at `origin`, in another process of the same machine.
    #[must_use]
    pub fn lapse_since(origin: Timestamp, speed: f64) -> Self {
        let now = system_now();
        let elapsed = now.since(origin);
        Clock::Lapse { origin: origin.plus(elapsed.mul_f64(speed)), started: Instant::now(), speed }
    }

    /// A clock that stands at `now` until [`Clock::set`] moves it.
    #[must_use]
    pub fn manual(now: Timestamp) -> Self {
        Clock::Manual(Arc::new(watch::Sender::new(now)))
    }

    /// The time.
    #[must_use]
    pub fn now(&self) -> Timestamp {
        match self {
            Clock::System => system_now(),
            Clock::Lapse { origin, started, speed } => origin.plus(started.elapsed().mul_f64(*speed)),
            Clock::Manual(now) => *now.borrow(),
        }
    }

    /// Moves a manual clock; other clocks move by themselves and stay as they are.
    pub fn set(&self, now: Timestamp) {
        if let Clock::Manual(sender) = self {
            sender.send_replace(now);
        }
    }

    /// How long the machine's clock takes for `span` of this one; a manual clock's span is the machine's.
    #[must_use]
    pub fn real(&self, span: Duration) -> Duration {
        match self {
            Clock::Lapse { speed, .. } => span.div_f64(speed.max(f64::MIN_POSITIVE)),
            Clock::System | Clock::Manual(_) => span,
        }
    }

    /// Waits until this clock shows `deadline`; returns at once when it already does.
    pub async fn sleep_until(&self, deadline: Timestamp) {
        match self {
            Clock::System | Clock::Lapse { .. } => {
                tokio::time::sleep(self.real(deadline.since(self.now()))).await;
            }
            Clock::Manual(sender) => {
                // The sender lives in `self`, so the wait cannot end by its being dropped.
                let _ = sender.subscribe().wait_for(|now| *now >= deadline).await;
            }
        }
    }

    /// Waits until this clock shows `deadline`; for ever when there is none.
    pub async fn sleep_until_some(&self, deadline: Option<Timestamp>) {
        match deadline {
            Some(deadline) => self.sleep_until(deadline).await,
            None => std::future::pending().await,
        }
    }
}

/// Text that is no time-lapse.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is no time-lapse: write SPEED@SINCE, such as 10@2026-11-23T10:30:00Z")]
pub struct LapseError(String);

impl FromStr for Clock {
    type Err = LapseError;

    /// `10@2026-11-23T10:30:00Z`: ten times as fast as the machine's clock since that moment. Several processes with
    /// the same text agree on the time.
    fn from_str(text: &str) -> Result<Self, LapseError> {
        let wrong = || LapseError(text.to_owned());
        let (speed, since) = text.split_once('@').ok_or_else(wrong)?;
        let speed: f64 = speed.parse().map_err(|_| wrong())?;
        if !speed.is_finite() || speed < 1.0 {
            return Err(wrong());
        }
        Ok(Clock::lapse_since(Timestamp::parse(since).map_err(|_| wrong())?, speed))
    }
}

#[expect(clippy::disallowed_methods, reason = "the one reader of the machine's clock")]
fn system_now() -> Timestamp {
    let nanos = jiff::Timestamp::now().as_nanosecond();
    Timestamp::from_nanos(i64::try_from(nanos).unwrap_or(i64::MAX))
}
