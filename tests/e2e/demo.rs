//! `watchfire demo`, as somebody sees it who has just cloned the project.
//!
//! Enters: one command, and Ctrl-C. Leaves: the three tiers on the terminal, in the order of the story, and nothing
//! that still runs.

use std::path::Path;
use std::time::Duration;

use rustix::process::Signal;
use tests::part::{Process, binary, is_running, signal};
use tests::wait::{until, within};

/// The story and the machine's own slowness.
const STORY_MAX: Duration = Duration::from_secs(180);

fn start(log: &Path) -> Process {
    binary::start("watchfire", &["demo", "--speed", "60"], log)
}

/// What it has printed.
fn screen(log: &Path) -> String {
    std::fs::read_to_string(log).unwrap()
}

/// The processes that a process has started.
fn children(pid: u32) -> Vec<u32> {
    let threads = std::fs::read_dir(format!("/proc/{pid}/task")).unwrap();
    let of_thread = |thread: std::io::Result<std::fs::DirEntry>| {
        std::fs::read_to_string(thread.unwrap().path().join("children")).unwrap_or_default()
    };
    let lists: Vec<String> = threads.map(of_thread).collect();
    lists.iter().flat_map(|list| list.split_whitespace()).map(|pid| pid.parse().unwrap()).collect()
}

#[test]
fn the_demo_shows_three_tiers_that_fire_and_are_resolved() {
    let folder = tempfile::tempdir().unwrap();
    let log = folder.path().join("screen");
    let mut demo = start(&log);
    let pid = demo.0.id();
    let service = until("the sample service", || children(pid).first().copied());
    let status = within(STORY_MAX, "the story to end", || demo.0.try_wait().unwrap());
    let screen = screen(&log);
    assert_eq!(status.code(), Some(0), "{screen}");
    let mut rest = screen.as_str();
    for (priority, state) in [
        ("P1", "FIRING"),
        ("P1", "RESOLVED"),
        ("P0", "FIRING"),
        ("P0", "RESOLVED"),
        ("P2", "FIRING"),
        ("P2", "RESOLVED"),
    ] {
        let words = format!("{priority} {state}");
        let at = rest.find(&words).unwrap_or_else(|| panic!("no {words} where it should be in\n{screen}"));
        rest = &rest[at + words.len()..];
    }
    for words in ["FIRING", "RESOLVED"] {
        assert_eq!(screen.matches(words).count(), 3, "{words}\n{screen}");
    }
    assert!(!screen.contains("Permanent") && !screen.contains("GaveUp"), "{screen}");
    assert!(!is_running(service), "the sample service outlives the demo");
}

#[test]
fn ctrl_c_ends_the_demo_and_its_service() {
    let folder = tempfile::tempdir().unwrap();
    let log = folder.path().join("screen");
    let mut demo = start(&log);
    let pid = demo.0.id();
    until("the first fault", || screen(&log).contains("every fourth request fails").then_some(()));
    let services = children(pid);
    assert_eq!(services.len(), 1, "{}", screen(&log));
    signal(pid, Signal::INT);
    let status = within(Duration::from_secs(10), "the demo to end", || demo.0.try_wait().unwrap());
    assert_eq!(status.code(), Some(0), "{}", screen(&log));
    assert!(screen(&log).contains("\n  stopped: "), "{}", screen(&log));
    assert!(!is_running(services[0]), "the sample service outlives the demo");
}
