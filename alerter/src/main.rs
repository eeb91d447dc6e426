//! The alerter's binary.

use std::process::ExitCode;

use alerter::command::{self, Cli};
use clap::Parser;

#[tokio::main]
async fn main() -> ExitCode {
    // One TLS provider for the process. It is set once, here, so the error of a second time cannot come.
    let _ = rustls::crypto::ring::default_provider().install_default();
    command::execute(Cli::parse(), &mut std::io::stdout(), &mut std::io::stderr()).await
}
