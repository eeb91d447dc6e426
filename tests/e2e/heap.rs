//! P2 on a real JVM: its own garbage-collection log, the shipped rule, one process.
//!
//! Enters: a Java program that keeps a share of its heap. Leaves: one page with the numbers, or none.

use std::path::Path;

use daemon::Clock;
use tests::fake::{Arrival, Vendors};
use tests::part::daemon::Daemon;
use tests::part::{jvm, root};
use tests::wait::until;

/// Collections that are waited for; two come each second, so that `for` has long passed.
const COLLECTIONS: f64 = 8.0;

/// `watchfire up` on the program's log.
fn watch(folder: &Path, vendors: &Vendors) -> Daemon {
    let rule = std::fs::read_to_string(root().join("rules/default/jvm-old-gen.yml")).unwrap();
    let quick = rule.replace("for: 1m", "for: 1s");
    assert_ne!(quick, rule, "the shipped rule has another `for`");
    std::fs::write(folder.join("rule.yml"), quick).unwrap();
    let text = format!(
        "host: web-1\ninputs:\n  - file: {{ paths: [\"{}/gc.log\"], service: checkout, parse: gc }}\n\
         rules: [rule.yml]\nchannels: {{ hook: {{ webhook: {{ url: \"{}\" }} }} }}\n\
         engine: {{ grace: 1s, idle: 2s }}\nstate: {{ path: state }}\nadmin: {{ listen: \"127.0.0.1:0\" }}\n",
        folder.display(),
        vendors.url("webhook")
    );
    let file = folder.join("watchfire.yml");
    std::fs::write(&file, text).unwrap();
    Daemon::start("watchfire", &["up", "-c", file.to_str().unwrap()], &folder.join("watchfire.out"))
}

/// Readings of the old generation that the rule has judged.
fn judged(watchfire: &Daemon) -> f64 {
    let (_, page) = watchfire.page("/metrics");
    let name = "alerter_engine_events_total{result=\"matched\"} ";
    page.lines().find_map(|line| line.strip_prefix(name)).map_or(0.0, |value| value.parse().unwrap())
}

#[test]
fn an_old_generation_over_85_percent_pages_once_with_the_numbers() {
    let (folder, vendors) = (tempfile::tempdir().unwrap(), Vendors::start(Clock::System));
    let _java = jvm::leak(folder.path(), 0.66);
    let watchfire = watch(folder.path(), &vendors);
    let pages = until(&format!("the page\n{}", watchfire.log()), || {
        Some(vendors.arrivals("webhook")).filter(|pages| !pages.is_empty())
    });
    let text = pages[0].text();
    assert!(
        text.starts_with("[P2] FIRING jvm-old-gen checkout web-1\nold generation of checkout on web-1 is "),
        "{text}"
    );
    let used = text.split(" is ").nth(1).unwrap().split('%').next().unwrap().parse::<f64>().unwrap();
    assert!(used > 85.0 && used <= 100.0, "{text}");
    assert!(text.contains("(limit 85%)"), "{text}");
    let before = judged(&watchfire);
    until("further collections", || (judged(&watchfire) >= before + COLLECTIONS).then_some(()));
    let texts: Vec<String> = vendors.arrivals("webhook").iter().map(Arrival::text).collect();
    assert_eq!(texts.len(), 1, "{texts:#?}");
}

#[test]
fn an_old_generation_that_is_half_full_pages_nobody() {
    let (folder, vendors) = (tempfile::tempdir().unwrap(), Vendors::start(Clock::System));
    let _java = jvm::leak(folder.path(), 0.35);
    let watchfire = watch(folder.path(), &vendors);
    until("collections", || (judged(&watchfire) >= 2.0 * COLLECTIONS).then_some(()));
    assert_eq!(vendors.arrivals("webhook").len(), 0, "{}", watchfire.log());
    assert_eq!(watchfire.metric("alerter_alerts"), 0.0, "{}", watchfire.log());
}
