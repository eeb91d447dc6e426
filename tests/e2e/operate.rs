//! What an operator does to running daemons: looks at them, changes their files, starts one too many.
//!
//! Enters: files and signals. Leaves: what the admin page says, and what goes on as if nothing had happened.

use std::path::{Path, PathBuf};

use daemon::Clock;
use daemon::metric::{Declaration, Label, Values};
use event::{Level, StreamId};
use serde_json::Value;
use tests::fake::Vendors;
use tests::part::daemon::Daemon;
use tests::part::elasticsearch::Elasticsearch;
use tests::part::kafka::Kafka;
use tests::publish::{line, publish};
use tests::wait::until;
use tests::{oracle, part::binary};

/// Writes a file as an editor does: under another name, then renamed.
fn write(path: &Path, text: &str) {
    let draft = path.with_extension("draft");
    std::fs::write(&draft, text).unwrap();
    std::fs::rename(draft, path).unwrap();
}

fn append(path: &Path, text: &str) {
    use std::io::Write;
    let file = std::fs::OpenOptions::new().create(true).append(true).open(path);
    file.unwrap().write_all(text.as_bytes()).unwrap();
}

/// Every metric that a daemon declares is on its page, with its type. Series whose labels the configuration names come
/// with their first event.
fn check_page(daemon: &Daemon, tables: &[&[Declaration]], part: &str) {
    daemon.until_ready();
    assert_eq!(daemon.page("/healthz"), (200, "ok\n".to_owned()));
    until(part, || (daemon.parts().get(part)? == "ok").then_some(()));
    let (status, page) = daemon.page("/metrics");
    assert_eq!(status, 200);
    let is_open = |label: &Label| matches!(label.values, Values::Open(_));
    let declared = tables.iter().copied().flatten();
    for declaration in declared.filter(|declaration| !declaration.labels.iter().any(is_open)) {
        let name = declaration.name;
        assert!(page.contains(&format!("# TYPE {name} ")), "{name} is declared and not served:\n{page}");
    }
    assert!(page.ends_with("# EOF\n"), "{page}");
}

/// A folder with configurations, a topic of the shared broker, and vendors.
struct Desk {
    folder: tempfile::TempDir,
    kafka: std::sync::Arc<Kafka>,
    vendors: Vendors,
    topic: &'static str,
}

impl Desk {
    fn new(topic: &'static str) -> Self {
        let desk = Desk {
            folder: tempfile::tempdir().unwrap(),
            kafka: Kafka::shared(),
            vendors: Vendors::start(Clock::System),
            topic,
        };
        std::fs::create_dir(desk.path("rules")).unwrap();
        desk
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// Writes `shipper.yml` with one file input for each name.
    fn shipper_file(&self, names: &[&str]) -> PathBuf {
        let (folder, broker) = (self.folder.path().display(), self.kafka.address());
        let inputs: String = names
            .iter()
            .map(|name| format!("  - file: {{ paths: [\"{folder}/{name}.log\"], service: {name} }}\n"))
            .collect();
        let text = format!(
            "inputs:\n{inputs}output: {{ kafka: {{ brokers: [\"{broker}\"], topic: {} }} }}\n\
             registry: {{ path: \"{folder}/registry\" }}\nadmin: {{ listen: \"127.0.0.1:0\" }}\n",
            self.topic
        );
        write(&self.path("shipper.yml"), &text);
        self.path("shipper.yml")
    }

    fn alerter_file(&self, group: &str) -> PathBuf {
        let (folder, broker, topic) = (self.folder.path().display(), self.kafka.address(), self.topic);
        let text = format!(
            "source: {{ kafka: {{ brokers: [\"{broker}\"], topic: {topic}, group: {group} }} }}\n\
             rules: [\"rules/*.yml\"]\n\
             channels: {{ hook: {{ webhook: {{ url: \"{}\" }} }} }}\n\
             engine: {{ grace: 1s, idle: 2s, blind: off }}\n\
             state: {{ path: \"{folder}/alerter\" }}\nadmin: {{ listen: \"127.0.0.1:0\" }}\n",
            self.vendors.url("webhook")
        );
        let path = self.path(&format!("{group}.yml"));
        write(&path, &text);
        path
    }

    /// A rule that fires over two events of a level, and stays for ten minutes.
    fn rule(&self, level: &str, summary: &str) {
        let text = format!(
            "rules:\n  - name: {level}-lines\n    priority: P1\n    match: 'log.level: {level}'\n    \
             group_by: [service.name]\n    condition: {{ count: {{ above: 2, window: 10m }} }}\n    \
             summary: '{summary}'\n"
        );
        write(&self.path(&format!("rules/{level}.yml")), &text);
    }

    /// Four events of a level, now.
    fn publish(&self, level: Level) {
        let stream = StreamId::derive(&[self.topic.as_bytes(), level.as_str().as_bytes()]);
        let lines = (0..4).map(|offset| line(stream, offset, level, Clock::System.now()).1);
        let lines: Vec<Vec<u8>> = lines.collect();
        let key = stream.to_string();
        publish(&self.kafka.address(), self.topic, lines.iter().map(|line| (key.as_str(), line.as_slice())));
    }

    fn until_arrived(&self, message: &str) {
        until(message, || {
            let messages = oracle::messages(&self.kafka.address(), self.topic);
            messages.iter().any(|found| found.ends_with(message)).then_some(())
        });
    }

    fn until_paged(&self, words: &str) {
        until(words, || self.pages().iter().any(|text| text.contains(words)).then_some(()));
    }

    fn pages(&self) -> Vec<String> {
        self.vendors.arrivals("webhook").iter().map(tests::fake::Arrival::text).collect()
    }
}

fn alerts(alerter: &Daemon) -> Vec<Value> {
    serde_json::from_str(&alerter.page("/api/alerts").1).unwrap()
}

#[test]
fn a_shipper_takes_new_inputs_without_a_restart_and_keeps_the_old_file_when_the_new_one_is_broken() {
    let desk = Desk::new("operate-shipper");
    let file = desk.shipper_file(&["first"]);
    append(&desk.path("first.log"), "line first 0\n");
    append(&desk.path("second.log"), "line second 0\n");
    let mut shipper = Daemon::run("shipper", &file);
    check_page(&shipper, &[shipper::metric::TABLE, shipper::input::file::metric::TABLE], "kafka");
    desk.until_arrived("first 0");

    // A changed file is enough.
    desk.shipper_file(&["first", "second"]);
    desk.until_arrived("second 0");

    write(&file, "inputs:\n  - file: { path: [a] }\n");
    shipper.until_down("config", "shipper.yml:2:");
    let reason = shipper.parts().remove("config").unwrap();
    assert!(
        reason.contains("did you mean `paths`?") && reason.ends_with("the configuration before it stays"),
        "{reason}"
    );
    append(&desk.path("second.log"), "line second 1\n");
    desk.until_arrived("second 1");

    desk.shipper_file(&["first", "second", "third"]);
    append(&desk.path("third.log"), "line third 0\n");
    desk.until_arrived("third 0");
    shipper.until_ready();

    // And a signal, with the file as it is.
    let loaded = || shipper.log().matches("configuration loaded again").count();
    let before = loaded();
    shipper.hang_up();
    until("SIGHUP to be heard", || (loaded() > before).then_some(()));
    append(&desk.path("first.log"), "line first 1\n");
    desk.until_arrived("first 1");
    assert_eq!(shipper.terminate(), Some(0));
    let written = [("first".to_owned(), 2), ("second".to_owned(), 2), ("third".to_owned(), 1)].into();
    let verdict = oracle::judge(&written, &oracle::messages(&desk.kafka.address(), desk.topic));
    assert_eq!(verdict, oracle::Verdict::default(), "four configurations, and each line once");
}

#[test]
fn an_alerter_takes_changed_rules_and_the_other_rules_keep_their_state() {
    let desk = Desk::new("operate-alerter");
    desk.rule("error", "errors in {{ service.name }}");
    desk.rule("warn", "warnings as they were");
    desk.publish(Level::Error);
    let mut alerter = Daemon::run("alerter", &desk.alerter_file("operate"));
    check_page(&alerter, &[alerter::metric::TABLE], "source");
    desk.until_paged("FIRING error-lines");
    let firing = until("the alert on the page", || alerts(&alerter).first().cloned());
    assert_eq!(firing["rule"], "error-lines");

    desk.rule("warn", "warnings as they are now");
    until("the reload", || (alerter.metric("alerter_reloads_total") >= 1.0).then_some(()));
    desk.publish(Level::Warn);
    desk.until_paged("warnings as they are now");

    // Broken: the place is named, and everything that runs goes on.
    write(&desk.path("rules/warn.yml"), "rules:\n  - name: warn-lines\n    prority: P1\n");
    alerter.until_down("config", "warn.yml:3:");
    let reason = alerter.parts().remove("config").unwrap();
    assert!(reason.contains("did you mean `priority`?"), "{reason}");
    let still = alerts(&alerter);
    let found = still.iter().find(|alert| alert["rule"] == "error-lines").unwrap();
    assert_eq!((&found["since"], &found["state"]), (&firing["since"], &firing["state"]));
    assert_eq!(still.len(), 2, "{still:?}");

    desk.rule("warn", "warnings as they are now");
    alerter.until_ready();
    let before = alerter.metric("alerter_reloads_total");
    alerter.hang_up();
    until("SIGHUP to be heard", || (alerter.metric("alerter_reloads_total") > before).then_some(()));
    assert_eq!(alerter.terminate(), Some(0));
    assert_eq!(desk.pages().len(), 2, "each alert was told once: {:?}", desk.pages());
}

#[test]
fn an_indexer_serves_its_page() {
    let (kafka, elasticsearch, folder) =
        (Kafka::shared(), Elasticsearch::shared(), tempfile::tempdir().unwrap());
    let (id, payload) = line(StreamId::from_u128(7), 0, Level::Info, Clock::System.now());
    publish(&kafka.address(), "operate-indexer", [("k", payload.as_slice())]);
    let text = format!(
        "source: {{ kafka: {{ brokers: [\"{}\"], topic: operate-indexer, group: operate-indexer }} }}\n\
         elasticsearch: {{ url: \"{}\", data_stream: operate-indexer }}\n\
         state: {{ path: \"{}/state\" }}\nadmin: {{ listen: \"127.0.0.1:0\" }}\n",
        kafka.address(),
        elasticsearch.url(),
        folder.path().display()
    );
    std::fs::write(folder.path().join("indexer.yml"), text).unwrap();
    let indexer = Daemon::run("indexer", &folder.path().join("indexer.yml"));
    until("the document", || {
        (elasticsearch.count("operate-indexer", &format!("event.id: \"{id}\"")) == 1).then_some(())
    });
    check_page(&indexer, &[indexer::metric::TABLE], "elasticsearch");
}

#[test]
fn one_daemon_too_many_is_refused_with_the_way_out() {
    let desk = Desk::new("operate-twice");
    desk.rule("error", "errors");
    desk.publish(Level::Error);
    append(&desk.path("first.log"), "line first 0\n");
    let file = desk.shipper_file(&["first"]);
    let first = Daemon::run("shipper", &file);
    first.until_ready();
    desk.until_arrived("first 0");
    let (code, text) = binary::run("shipper", &["run", "-c", file.to_str().unwrap()]);
    assert_eq!(code, 1, "{text}");
    assert!(
        text.contains("another shipper uses this registry; stop it, or give this one a `registry.path`"),
        "{text}"
    );
    assert_eq!(first.page("/readyz").0, 200, "the first one is not disturbed");

    let first = Daemon::run("alerter", &desk.alerter_file("operate-first"));
    desk.until_paged("FIRING error-lines");
    let (code, text) =
        binary::run("alerter", &["run", "-c", desk.alerter_file("operate-second").to_str().unwrap()]);
    assert_eq!(code, 1, "{text}");
    assert!(text.contains("stop the other alerter, or give this one a `state.path` of its own"), "{text}");
    assert_eq!(first.page("/readyz").0, 200);
}

/// `watchfire.yml` on the desk, with an index of its own.
fn all_in_one(desk: &Desk, elasticsearch: &Elasticsearch, names: &[&str]) -> PathBuf {
    let folder = desk.folder.path().display();
    let inputs: String = names
        .iter()
        .map(|name| {
            format!("  - file: {{ paths: [\"{folder}/{name}.log\"], service: {name}, parse: logfmt }}\n")
        })
        .collect();
    let text = format!(
        "inputs:\n{inputs}rules: [\"rules/*.yml\"]\n\
         channels: {{ hook: {{ webhook: {{ url: \"{}\" }} }} }}\n\
         elasticsearch: {{ url: \"{}\", data_stream: {} }}\n\
         engine: {{ grace: 1s, idle: 2s, blind: off }}\n\
         state: {{ path: state }}\nadmin: {{ listen: \"127.0.0.1:0\" }}\n",
        desk.vendors.url("webhook"),
        elasticsearch.url(),
        desk.topic
    );
    write(&desk.path("watchfire.yml"), &text);
    desk.path("watchfire.yml")
}

/// Lines of a service's log, errors among them, each with its number.
fn log(desk: &Desk, name: &str, from: u64, count: u64) {
    let now = Clock::System.now();
    let lines = (from..from + count).map(|number| {
        let level = if number.is_multiple_of(4) { "error" } else { "info" };
        format!("time={now} level={level} msg=\"done {name} {number}\"\n")
    });
    append(&desk.path(&format!("{name}.log")), &lines.collect::<String>());
}

#[test]
fn one_process_ships_pages_and_indexes_and_goes_on_where_it_stopped() {
    let (desk, elasticsearch) = (Desk::new("operate-up"), Elasticsearch::shared());
    desk.rule("error", "errors in {{ service.name }}");
    log(&desk, "first", 0, 40);
    let file = all_in_one(&desk, &elasticsearch, &["first"]);
    let arguments = ["up", "-c", file.to_str().unwrap()];
    let output = desk.path("watchfire.log");
    let mut up = Daemon::start("watchfire", &arguments, &output);
    let tables = [shipper::metric::TABLE, alerter::metric::TABLE, indexer::metric::TABLE];
    check_page(&up, &tables, "elasticsearch");
    desk.until_paged("errors in first");
    let lines = "log.offset: *";
    let until_count = |count: u64| {
        let found = || elasticsearch.count(desk.topic, lines);
        until(&format!("{count} lines in the index"), || (found() >= count).then_some(()));
        assert_eq!(found(), count);
    };
    until_count(40);
    assert_eq!(elasticsearch.count(desk.topic, "log.level: error AND service.name: first"), 10);
    assert!(desk.path("state/indexer").is_dir());

    // A second service, and a second rule, while it runs.
    log(&desk, "second", 0, 20);
    all_in_one(&desk, &elasticsearch, &["first", "second"]);
    desk.until_paged("errors in second");
    until_count(60);
    desk.rule("info", "talk in {{ service.name }}");
    until("the new rule", || up.log().contains("rules=2").then_some(()));
    log(&desk, "second", 20, 20);
    desk.until_paged("talk in second");
    until_count(80);

    // What cannot be used changes nothing, and says where.
    write(&file, "inputs: []\nruels: []\n");
    up.until_down("config", "watchfire.yml:");
    log(&desk, "second", 40, 10);
    until_count(90);
    all_in_one(&desk, &elasticsearch, &["first", "second"]);
    up.until_ready();
    assert_eq!(up.terminate(), Some(0), "{}", up.log());

    log(&desk, "first", 40, 10);
    let mut up = Daemon::start("watchfire", &arguments, &output);
    until_count(100);
    assert_eq!(up.terminate(), Some(0), "{}", up.log());
    let told = |words: &str| desk.pages().iter().filter(|text| text.contains(words)).count();
    let counts = ["errors in first", "errors in second"].map(told);
    assert_eq!(counts, [1, 1], "{:?}", desk.pages());
}

#[test]
fn a_search_that_is_away_delays_no_page() {
    let (desk, elasticsearch) = (Desk::new("operate-blind"), Elasticsearch::shared());
    desk.rule("error", "errors in {{ service.name }}");
    let file = all_in_one(&desk, &elasticsearch, &["first"]);
    let away = format!("http://127.0.0.1:{}", tests::part::free_port());
    let text = std::fs::read_to_string(&file).unwrap().replace(&elasticsearch.url(), &away);
    write(&file, &text);
    let arguments = ["up", "-c", file.to_str().unwrap()];
    let up = Daemon::start("watchfire", &arguments, &desk.path("watchfire.log"));
    up.until_down("elasticsearch", "refused");
    log(&desk, "first", 0, 40);
    desk.until_paged("errors in first");
    // Between the vendor's answer and its row's end on disk, a kill has it told again, under the same key.
    until("the delivery to be on disk", || (up.metric("alerter_notifications_total") >= 1.0).then_some(()));
    // `kill -9`: what the index has never seen is still in the file, and no page comes twice.
    drop(up);
    all_in_one(&desk, &elasticsearch, &["first"]);
    let up = Daemon::start("watchfire", &arguments, &desk.path("watchfire.log"));
    until("the lines in the index", || {
        (elasticsearch.count(desk.topic, "log.offset: *") == 40).then_some(())
    });
    up.until_ready();
    assert_eq!(desk.pages().len(), 1, "{:?}", desk.pages());
}

#[test]
fn a_room_that_cannot_start_ends_the_process() {
    let (desk, elasticsearch) = (Desk::new("operate-torn"), Elasticsearch::shared());
    desk.rule("error", "errors");
    log(&desk, "first", 0, 40);
    let file = all_in_one(&desk, &elasticsearch, &["first"]);
    std::fs::create_dir_all(desk.path("state/alerter")).unwrap();
    std::fs::write(desk.path("state/alerter/state.redb"), "no database").unwrap();
    let arguments = ["up", "-c", file.to_str().unwrap()];
    let mut up = Daemon::start("watchfire", &arguments, &desk.path("watchfire.log"));
    assert_eq!(up.wait(), Some(1));
    assert!(up.log().contains("restore it from a backup, or move it away"), "{}", up.log());
}
