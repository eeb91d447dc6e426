//! From signals to a clean end.
//!
//! Enters: SIGTERM, SIGINT. Leaves: a cancelled [`Shutdown`], once; the second signal ends the process at once.
//! Never: a drain of its own. Each part sees the token and finishes what it holds.

use std::io;

use tokio::signal::unix::{Signal, SignalKind, signal};

use crate::Shutdown;

/// The code of a process that a second signal ended: 128 + SIGINT, as a shell counts.
const EXIT_FORCED: i32 = 130;

/// A token that SIGTERM or SIGINT cancels. The second signal exits the process with code 130, for a drain that hangs.
///
/// Call it inside the runtime, and early: before it, the signals end the process.
///
/// # Errors
/// When the signal handlers cannot be installed.
pub fn on_signals() -> io::Result<Shutdown> {
    let mut terminate = signal(SignalKind::terminate())?;
    let mut interrupt = signal(SignalKind::interrupt())?;
    let shutdown = Shutdown::new();
    let token = shutdown.clone();
    tokio::spawn(async move {
        let name = either(&mut terminate, &mut interrupt).await;
        tracing::info!(signal = name, "stopping; a second signal stops at once");
        token.cancel();
        let name = either(&mut terminate, &mut interrupt).await;
        tracing::warn!(signal = name, "second signal, stopping at once");
        std::process::exit(EXIT_FORCED);
    });
    Ok(shutdown)
}

async fn either(terminate: &mut Signal, interrupt: &mut Signal) -> &'static str {
    tokio::select! {
        _ = terminate.recv() => "SIGTERM",
        _ = interrupt.recv() => "SIGINT",
    }
}
