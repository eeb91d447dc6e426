//! A real nginx as the log writer and the probed service, one process, the shipped rules with short times.
//!
//! Enters: requests, a stopped server. Leaves: P1 from its access log, P0 from its probe, each told once.

use std::path::Path;

use daemon::Clock;
use tests::fake::{Arrival, Vendors};
use tests::http;
use tests::part::daemon::Daemon;
use tests::part::nginx::Nginx;
use tests::part::root;
use tests::wait::until;

/// The shipped rule files, with times that a test can wait for.
fn write_rules(folder: &Path) {
    let shorten = |name: &str, changes: &[(&str, &str)]| {
        let rule = std::fs::read_to_string(root().join("rules/default").join(name)).unwrap();
        let quick = changes.iter().fold(rule, |rule, (long, short)| {
            assert!(rule.contains(long), "{name} has another `{long}`");
            rule.replace(long, short)
        });
        std::fs::write(folder.join(name), quick).unwrap();
    };
    shorten("availability.yml", &[("for: 5m", "for: 3s")]);
    shorten("error-rate.yml", &[("for: 3m", "for: 1s"), ("window: 1m", "window: 5s")]);
}

fn watch(folder: &Path, nginx: &Nginx, vendors: &Vendors) -> Daemon {
    write_rules(folder);
    let text = format!(
        "host: web-1\ninputs:\n  \
         - file: {{ paths: [\"{log}\"], service: shop, parse: nginx_access }}\n  \
         - probe: {{ name: shop, service: shop, url: \"{url}/health\", every: 500ms, expect: {{ status: 200 }} }}\n\
         rules: [availability.yml, error-rate.yml]\n\
         channels:\n  pager: {{ webhook: {{ url: \"{hook}\" }} }}\n  group: {{ wecom: {{ url: \"{wecom}\", key: {key} }} }}\n\
         routes:\n  P0: {{ channels: [pager, group] }}\n  P1: {{ channels: [pager] }}\n\
         heartbeat: {{ every: 1s }}\nengine: {{ grace: 1s, idle: 2s }}\n\
         state: {{ path: state }}\nadmin: {{ listen: \"127.0.0.1:0\" }}\n",
        log = nginx.access_log().display(),
        url = nginx.url(),
        hook = vendors.url("webhook"),
        wecom = vendors.url("wecom"),
        key = tests::fake::TOKEN,
    );
    let file = folder.join("watchfire.yml");
    std::fs::write(&file, text).unwrap();
    Daemon::start("watchfire", &["up", "-c", file.to_str().unwrap()], &folder.join("watchfire.out"))
}

/// The heads of what a channel received, such as `[P0] FIRING service-unavailable shop`.
fn heads(vendors: &Vendors, channel: &str) -> Vec<String> {
    let text = |arrival: &Arrival| arrival.text().lines().next().unwrap_or_default().to_owned();
    vendors.arrivals(channel).iter().map(text).collect()
}

#[test]
fn nginx_that_fails_and_stops_pages_once_for_each() {
    let (folder, vendors) = (tempfile::tempdir().unwrap(), Vendors::start(Clock::System));
    let mut nginx = Nginx::start(&folder.path().join("nginx"));
    let watchfire = watch(folder.path(), &nginx, &vendors);
    watchfire.until_ready();

    // Half of the requests fail until somebody is told, then all go well until the end is told.
    let ask = |paths: [&str; 2]| {
        paths.iter().for_each(|path| drop(http::get(&format!("{}{path}", nginx.url()))));
    };
    let told = |head: &str| heads(&vendors, "webhook").contains(&head.to_owned()).then_some(());
    until(&format!("P1\n{}", watchfire.log()), || {
        ask(["/", "/fail"]);
        told("[P1] FIRING error-rate shop")
    });
    until(&format!("the end of P1\n{}", watchfire.log()), || {
        ask(["/", "/"]);
        told("[P1] RESOLVED error-rate shop")
    });

    nginx.stop();
    until(&format!("P0\n{}", watchfire.log()), || told("[P0] FIRING service-unavailable shop"));
    nginx.launch();
    until(&format!("the end of P0\n{}", watchfire.log()), || told("[P0] RESOLVED service-unavailable shop"));

    let wecom = ["[P0] FIRING service-unavailable shop", "[P0] RESOLVED service-unavailable shop"];
    until("both channels of P0", || (heads(&vendors, "wecom") == wecom).then_some(()));
    let pager = ["[P1] FIRING error-rate shop", "[P1] RESOLVED error-rate shop"].iter().chain(&wecom);
    assert_eq!(heads(&vendors, "webhook"), pager.copied().collect::<Vec<_>>(), "{}", watchfire.log());
}
