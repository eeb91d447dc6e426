//! `docker-compose.yml` without an engine: its own commands, its own configurations, its own health checks, run here.
//!
//! Enters: the file and `deploy/`. Leaves: documents, and a page on the alerter's standard output. Never: a command of
//! the test's own; addresses and folders of the containers alone are replaced by those of this machine.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use serde::Deserialize;
use tests::part::elasticsearch::Elasticsearch;
use tests::part::kafka::Kafka;
use tests::part::{Process, binary, free_port, root};
use tests::wait::{until, until_or_tell};

/// What the test reads of the file.
#[derive(Deserialize)]
struct Compose {
    services: BTreeMap<String, Service>,
}

#[derive(Deserialize)]
struct Service {
    #[serde(default)]
    image: Option<String>,
    #[serde(default)]
    command: Vec<String>,
    #[serde(default)]
    volumes: Vec<String>,
    #[serde(default)]
    depends_on: BTreeMap<String, BTreeMap<String, String>>,
    healthcheck: Health,
}

#[derive(Deserialize)]
struct Health {
    test: Vec<String>,
    retries: u32,
}

fn compose() -> Compose {
    let text = std::fs::read_to_string(root().join("docker-compose.yml")).unwrap();
    yaml::parse("docker-compose.yml", &text).unwrap_or_else(|error| panic!("{error}"))
}

#[test]
fn every_service_can_say_that_it_works_and_waits_for_what_it_needs() {
    let services = compose().services;
    let names: Vec<&str> = services.keys().map(String::as_str).collect();
    assert_eq!(names, ["alerter", "elasticsearch", "indexer", "kafka", "kibana", "sample", "shipper"]);
    for (name, service) in &services {
        assert!(service.healthcheck.test.len() > 1 && service.healthcheck.retries > 0, "{name}");
        for (other, how) in &service.depends_on {
            assert_eq!(how["condition"], "service_healthy", "{name} on {other}");
        }
    }
    let waits = |name: &str| services[name].depends_on.keys().map(String::as_str).collect::<Vec<_>>();
    let expected =
        [("shipper", vec!["kafka"]), ("alerter", vec!["kafka"]), ("indexer", vec!["elasticsearch", "kafka"])];
    for (name, expected) in expected {
        assert_eq!(waits(name), expected, "{name}");
        assert_eq!(services[name].image.as_deref(), Some("watchfire:dev"), "{name}");
    }
}

/// This machine in the containers' place.
struct Host {
    folder: tempfile::TempDir,
    replaced: Vec<(String, String)>,
    services: BTreeMap<String, Service>,
}

impl Host {
    fn new(kafka: &Kafka, elasticsearch: &Elasticsearch) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let inside = |name: &str| folder.path().join(name).display().to_string();
        let sample = format!("127.0.0.1:{}", free_port());
        let mut replaced: Vec<(String, String)> = [
            ("kafka:9092", kafka.address()),
            ("http://elasticsearch:9200", elasticsearch.url()),
            ("sample:8080", sample.clone()),
            ("0.0.0.0:8080", sample.clone()),
            ("127.0.0.1:8080", sample),
            ("/var/log/app", inside("log")),
            ("/var/lib/watchfire", inside("state")),
            ("/etc/watchfire", inside("etc")),
        ]
        .map(|(from, to)| (from.to_owned(), to))
        .into();
        for port in [9601, 9602, 9603] {
            replaced.push((format!("127.0.0.1:{port}"), format!("127.0.0.1:{}", free_port())));
        }
        for name in ["log", "state", "etc/rules"] {
            std::fs::create_dir_all(folder.path().join(name)).unwrap();
        }
        let host = Host { folder, replaced, services: compose().services };
        host.write_files();
        host
    }

    fn here(&self, text: &str) -> String {
        self.replaced.iter().fold(text.to_owned(), |text, (from, to)| text.replace(from, to))
    }

    /// What the volumes mount and the image holds, in copies.
    fn write_files(&self) {
        let mounts = self.services.values().flat_map(|service| &service.volumes);
        for mount in mounts.filter(|mount| mount.starts_with("./")) {
            let [from, to] = mount.trim_end_matches(":ro").split(':').collect::<Vec<_>>()[..] else {
                panic!("{mount} is no mount of a file");
            };
            let text = std::fs::read_to_string(root().join(from)).unwrap();
            std::fs::write(self.here(to), self.here(&text)).unwrap();
        }
        for entry in std::fs::read_dir(root().join("rules/default")).unwrap() {
            let path = entry.unwrap().path();
            // Minutes become seconds; what the rules look for stays.
            let text = std::fs::read_to_string(&path).unwrap();
            let text = text.replace("for: 3m", "for: 3s").replace("window: 1m", "window: 5s");
            std::fs::write(self.folder.path().join("etc/rules").join(path.file_name().unwrap()), text)
                .unwrap();
        }
    }

    fn output(&self, service: &str) -> PathBuf {
        self.folder.path().join(format!("{service}.out"))
    }

    fn command(&self, words: &[String]) -> Command {
        let programs = binary::path("watchfire").parent().unwrap().to_owned();
        let mut command = Command::new("sh");
        // Our programs are found by their names, as in the image.
        command.args(["-c", "PATH=$0:$PATH exec \"$@\""]).arg(programs);
        command.args(words.iter().map(|word| self.here(word)));
        command
    }

    /// The service's `command:`, with its output in files.
    fn start(&self, service: &str) -> Process {
        let output = std::fs::File::create(self.output(service)).unwrap();
        let log = std::fs::File::create(self.folder.path().join(format!("{service}.log"))).unwrap();
        Process::start(self.command(&self.services[service].command).stdout(output).stderr(log))
    }

    /// Waits until the service's own health check says yes.
    fn until_healthy(&self, service: &str) {
        let test = &self.services[service].healthcheck.test;
        assert_eq!(test[0], "CMD", "{service}");
        until(&format!("{service} to be healthy\n{}", self.account(service)), || {
            let check = self.command(&test[1..]).stdout(Stdio::null()).status().unwrap();
            check.success().then_some(())
        });
    }

    fn account(&self, service: &str) -> String {
        std::fs::read_to_string(self.folder.path().join(format!("{service}.log"))).unwrap()
    }

    /// What everybody says, for a wait in vain.
    fn accounts(&self) -> String {
        let parts = ["shipper", "alerter", "indexer"].map(|name| format!("{name}:\n{}", self.account(name)));
        let logs = ["log/app.log", "alerter.out"].map(|name| {
            let text = std::fs::read_to_string(self.folder.path().join(name)).unwrap();
            let lines: Vec<&str> = text.lines().rev().take(12).collect();
            format!("{name}, newest first:\n{}", lines.join("\n"))
        });
        [parts.join("\n"), logs.join("\n")].join("\n")
    }

    /// Where `sample:8080` is.
    fn sample(&self) -> String {
        self.here("http://sample:8080")
    }
}

/// The start of a log that the service's redirection made.
fn begins(path: &Path) -> String {
    let text = std::fs::read_to_string(path).unwrap();
    text.chars().take(2000).collect()
}

#[test]
fn the_commands_of_the_compose_file_ship_index_and_page() {
    let (kafka, elasticsearch) = (Kafka::start(""), Elasticsearch::shared());
    let host = Host::new(&kafka, &elasticsearch);
    let order = ["sample", "shipper", "alerter", "indexer"];
    let mut processes: Vec<Process> = order.iter().map(|service| host.start(service)).collect();
    order.iter().for_each(|service| host.until_healthy(service));

    let index = "logs-watchfire-default";
    for query in [
        "service.name: checkout AND log.level: info AND log.file.path: *app.log",
        "monitor.name: checkout AND monitor.status: up",
        "jvm.memory.old.used_pct: [0.1 TO 0.9] AND service.name: checkout",
    ] {
        until(query, || (elasticsearch.count(index, query) > 0).then_some(()));
    }
    assert_eq!(elasticsearch.count(index, "service.name: checkout AND log.level: error"), 0);
    assert!(!begins(&host.output("alerter")).contains("FIRING"), "nothing is wrong yet");

    let (status, _) =
        tests::http::post(&format!("{}/mode/failing", host.sample()), &serde_json::Value::Null).unwrap();
    assert_eq!(status, 204);
    let page = until_or_tell(
        "the page",
        || host.accounts(),
        || {
            let text = std::fs::read_to_string(host.output("alerter")).unwrap();
            text.contains("[P1] FIRING error-rate").then_some(text)
        },
    );
    assert!(page.contains("checkout:") && page.contains("limit 5%"), "{page}");
    assert!(!page.contains("P0") && !page.contains("P2"), "{page}");
    assert!(elasticsearch.count(index, "service.name: checkout AND log.level: error") > 0);

    let (status, _) =
        tests::http::post(&format!("{}/mode/healthy", host.sample()), &serde_json::Value::Null).unwrap();
    assert_eq!(status, 204);
    until_or_tell(
        "the end of the alert",
        || host.accounts(),
        || {
            std::fs::read_to_string(host.output("alerter"))
                .unwrap()
                .contains("[P1] RESOLVED error-rate")
                .then_some(())
        },
    );
    for process in processes.iter_mut().rev() {
        assert_eq!(process.terminate(), Some(0));
    }
}
