//! The task that owns the source: a wait for records must not be cut short by an answer of a channel.
//!
//! Enters: the source, and positions that are on disk. Leaves: batches. Never: a look into a record.

use std::time::Duration;

use daemon::{Batch, Position, Readiness, Source, SourceError};
use tokio::sync::{mpsc, watch};

use super::RunError;

/// How long one call waits for records; a commit, and the end, wait as long.
const WAIT: Duration = Duration::from_millis(200);

/// Reads until nobody takes batches any more, then commits what is on disk.
pub(super) async fn pump<S: Source>(
    mut source: S,
    batches: mpsc::Sender<Batch>,
    mut positions: watch::Receiver<Vec<Position>>,
    readiness: Readiness,
) -> Result<(), RunError> {
    positions.mark_unchanged();
    loop {
        match source.next(WAIT).await {
            Ok(batch) => {
                readiness.up("source");
                if batches.send(batch).await.is_err() {
                    break;
                }
            }
            Err(SourceError::Transient(reason)) => {
                readiness.down("source", reason);
                // What cannot be read is not silence: an empty batch says that there may be more.
                if batches.send(Batch::default()).await.is_err() {
                    break;
                }
                // Most sources wait inside; this is for an error that comes at once, again and again.
                tokio::time::sleep(WAIT).await;
            }
            Err(SourceError::Permanent(reason)) => {
                readiness.down("source", reason.clone());
                return Err(RunError::Source(reason));
            }
        }
        if positions.has_changed().unwrap_or(false) {
            commit(&mut source, &mut positions).await;
        }
    }
    // The sender is dropped after the last save, or has said its last word before.
    while positions.changed().await.is_ok() {
        commit(&mut source, &mut positions).await;
    }
    Ok(())
}

async fn commit<S: Source>(source: &mut S, positions: &mut watch::Receiver<Vec<Position>>) {
    let durable = positions.borrow_and_update().clone();
    if let Err(error) = source.commit(&durable).await {
        tracing::debug!(%error, "positions not committed, the next commit covers them");
    }
}
