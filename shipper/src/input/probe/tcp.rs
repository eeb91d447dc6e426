//! A probe that connects.
//!
//! Enters: host and port. Leaves: up when the connection is accepted. Never: a byte to the service.

use tokio::net::TcpStream;

use super::Outcome;

/// Connects, and closes at once.
pub(super) async fn ask(address: &str) -> Outcome {
    match TcpStream::connect(address).await {
        Ok(_) => Outcome::up(None),
        Err(error) => Outcome::down(format!("cannot connect to {address}: {error}")),
    }
}
