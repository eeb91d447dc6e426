//! What signals do to a process: these tests have one of their own, because a signal reaches all of it.

use std::process::Command;

use daemon::glob::Glob;
use daemon::reload::{Change, Reload};

fn send(signal: &str) {
    let status = Command::new("kill").args([signal, &std::process::id().to_string()]).status();
    assert!(status.is_ok_and(|status| status.success()), "kill {signal}");
}

#[tokio::test]
async fn a_hangup_asks_for_a_reload() {
    let folder = tempfile::tempdir().unwrap();
    let mut reload = Reload::new(vec![Glob::new("*.yml", folder.path()).unwrap()]).unwrap();
    send("-HUP");
    assert_eq!(reload.changed().await, Change::Signal);
}

#[tokio::test]
async fn a_termination_cancels_the_token() {
    let shutdown = daemon::shutdown::on_signals().unwrap();
    assert!(!shutdown.is_cancelled());
    send("-TERM");
    shutdown.cancelled().await;
}
