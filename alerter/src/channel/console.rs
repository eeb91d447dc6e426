//! Notifications on standard output.
//!
//! Enters: a notification. Leaves: its plain text and an empty line. Never: colour; the demo has its own view.

use tokio::io::AsyncWriteExt;

use super::{Outcome, SendOptions};
use crate::Notification;

/// `console: {}`.
#[derive(Debug, Clone, Default, serde::Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Config {}

/// Writes to standard output.
#[derive(Debug)]
pub struct Console;

impl Console {
    /// Nothing can go wrong before the first write.
    #[must_use]
    pub fn new(_config: &Config) -> Self {
        Console
    }

    /// Writes and flushes; a closed pipe is tried again later, like any channel that is away.
    pub async fn send(&self, notification: &Notification, options: SendOptions) -> Outcome {
        let text = format!("{}\n\n", notification.text(options.bytes_max));
        let mut output = tokio::io::stdout();
        let written = async {
            output.write_all(text.as_bytes()).await?;
            output.flush().await
        };
        match written.await {
            Ok(()) => Outcome::Delivered { reference: String::new() },
            Err(error) => Outcome::RetryAfter {
                delay: None,
                reason: format!("standard output cannot be written: {error}"),
            },
        }
    }
}
