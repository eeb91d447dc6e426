//! What systemd wants to hear: ready, stopping, still alive.
//!
//! Enters: the daemon's own state. Leaves: messages on the socket that systemd named; nothing without one.
//! Never: an error. A daemon that was started by hand works the same.

use std::time::Duration;

use sd_notify::NotifyState;

use crate::Shutdown;

/// Says that start-up is over: units that come after this one may start.
pub fn ready() {
    tell(NotifyState::Ready);
}

/// Says that the daemon stops because it was asked to.
pub fn stopping() {
    tell(NotifyState::Stopping);
}

/// Says twice in each watchdog interval that the runtime still turns, until `shutdown`; returns at once when the unit
/// has no `WatchdogSec=`. Run it beside the daemon's loop on the same runtime, so that a stuck runtime is restarted.
pub async fn watchdog(shutdown: Shutdown) {
    let Some(interval) = sd_notify::watchdog_enabled() else { return };
    let mut beat = tokio::time::interval((interval / 2).max(Duration::from_millis(1)));
    loop {
        tokio::select! {
            () = shutdown.cancelled() => return,
            _ = beat.tick() => tell(NotifyState::Watchdog),
        }
    }
}

fn tell(state: NotifyState<'_>) {
    if let Err(error) = sd_notify::notify(&[state]) {
        tracing::debug!(%error, "systemd does not listen");
    }
}
