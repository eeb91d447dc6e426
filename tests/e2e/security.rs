//! Users of a real broker: who is let in delivers, who is refused says so, and a mended password is enough to go on.
//!
//! Enters: passwords in files. Leaves: lines on the topic, `/readyz`, and a log without secrets.

use std::path::PathBuf;

use daemon::Clock;
use tests::fake::{Arrival, Vendors};
use tests::oracle;
use tests::part::daemon::Daemon;
use tests::part::kafka::Kafka;
use tests::wait::until;

const RIGHT: &str = "horse-battery-9417";
const WRONG: &str = "staple-correct-2280";
const TOPIC: &str = "guarded";

/// A broker that asks who one is, and a folder with configurations and a password.
struct Gate {
    folder: tempfile::TempDir,
    kafka: Kafka,
}

impl Gate {
    fn new() -> Self {
        Gate { folder: tempfile::tempdir().unwrap(), kafka: Kafka::with_users(&[("ann", RIGHT)]) }
    }

    fn write(&self, name: &str, text: &str) -> PathBuf {
        let path = self.folder.path().join(name);
        std::fs::write(&path, text).unwrap();
        path
    }

    /// How `user`'s clients reach the broker; the password is in the file of that name.
    fn connection(&self, user: &str) -> String {
        format!(
            "brokers: [\"{}\"], topic: {TOPIC}, \
             sasl: {{ mechanism: PLAIN, username: ann, password: \"${{file:{}}}\" }}",
            self.kafka.login_address(),
            self.folder.path().join(user).display()
        )
    }

    fn shipper(&self) -> Daemon {
        let folder = self.folder.path().display();
        let text = format!(
            "inputs:\n  - file: {{ paths: [\"{folder}/app.log\"], service: app, parse: logfmt }}\n\
             output: {{ kafka: {{ {} }} }}\nregistry: {{ path: \"{folder}/registry\" }}\n\
             admin: {{ listen: \"127.0.0.1:0\" }}\nlog: {{ level: \"info,librdkafka=debug\" }}\n",
            self.connection("shipper.password")
        );
        Daemon::run("shipper", &self.write("shipper.yml", &text))
    }

    fn alerter(&self, hook: &str) -> Daemon {
        let folder = self.folder.path().display();
        let rule = "rules:\n  - name: errors\n    priority: P1\n    match: 'log.level: error'\n    \
                    condition: { count: { at_least: 4, window: 10m } }\n    summary: 'four errors'\n";
        self.write("rules.yml", rule);
        let text = format!(
            "source: {{ kafka: {{ {}, group: alerter }} }}\nrules: [rules.yml]\n\
             channels: {{ hook: {{ webhook: {{ url: \"{hook}\" }} }} }}\n\
             engine: {{ grace: 1s, idle: 2s, blind: off }}\nstate: {{ path: \"{folder}/alerter\" }}\n\
             admin: {{ listen: \"127.0.0.1:0\" }}\nlog: {{ level: \"info,librdkafka=debug\" }}\n",
            self.connection("alerter.password")
        );
        Daemon::run("alerter", &self.write("alerter.yml", &text))
    }

    /// Lines `from..to` of the log.
    fn append(&self, from: u64, to: u64) {
        use std::io::Write;
        let now = Clock::System.now();
        let lines: String =
            (from..to).map(|number| format!("time={now} level=error msg=\"done app {number}\"\n")).collect();
        let file =
            std::fs::OpenOptions::new().create(true).append(true).open(self.folder.path().join("app.log"));
        file.unwrap().write_all(lines.as_bytes()).unwrap();
    }

    fn arrived(&self) -> Vec<String> {
        oracle::messages(&self.kafka.address(), TOPIC)
    }

    /// Waits until lines `0..count` are on the topic, each once and in order.
    fn until_arrived(&self, count: u64) {
        until("the lines", || (self.arrived().len() as u64 >= count).then_some(()));
        let written = [("app".to_owned(), count)].into();
        assert_eq!(oracle::judge(&written, &self.arrived()), oracle::Verdict::default());
    }
}

/// Waits until the broker has refused the user and the client has given all brokers up: from here on, it only repeats.
fn until_refused(daemon: &Daemon) {
    daemon.until_down("kafka", "uthentication");
    until("the client to give up", || daemon.log().contains("code=AllBrokersDown").then_some(()));
    daemon.until_down("kafka", "check `sasl`, `tls` and the broker's users");
}

/// The lines of the log that say why a part is down.
fn outages(daemon: &Daemon, part: &str) -> Vec<String> {
    let says = |line: &&str| line.contains("part is down") && line.contains(&format!("part=\"{part}\""));
    daemon.log().lines().filter(says).map(str::to_owned).collect()
}

/// Nothing that a daemon shows has a password in it.
fn check_silence(daemon: &Daemon) {
    for text in [daemon.log(), daemon.page("/readyz").1, daemon.page("/metrics").1] {
        assert!(!text.contains(WRONG) && !text.contains(RIGHT), "a password is shown: {text}");
    }
}

#[test]
fn a_shipper_with_a_wrong_password_says_so_once_and_goes_on_without_loss_when_it_is_mended() {
    const ROUNDS: u64 = 8;
    let gate = Gate::new();
    gate.write("shipper.password", WRONG);
    gate.append(0, 500);
    let mut shipper = gate.shipper();
    until_refused(&shipper);
    for round in 1..ROUNDS {
        let before = shipper.metric("shipper_file_pending_bytes");
        gate.append(round * 500, (round + 1) * 500);
        until("the lines to be seen", || {
            (shipper.metric("shipper_file_pending_bytes") > before).then_some(())
        });
    }
    until_refused(&shipper);
    assert_eq!(gate.arrived(), Vec::<String>::new(), "a user who is refused has written");
    let told = outages(&shipper, "kafka");
    assert_eq!(told.len(), 1, "{told:#?}");
    check_silence(&shipper);

    // With the line feed that editors leave.
    gate.write("shipper.password", &format!("{RIGHT}\n"));
    shipper.hang_up();
    gate.until_arrived(ROUNDS * 500);
    shipper.until_ready();
    gate.append(ROUNDS * 500, ROUNDS * 500 + 10);
    gate.until_arrived(ROUNDS * 500 + 10);
    check_silence(&shipper);
    assert_eq!(shipper.terminate(), Some(0));
}

#[test]
fn an_alerter_with_a_wrong_password_stays_and_says_so_and_pages_once_it_is_mended() {
    let (gate, vendors) = (Gate::new(), Vendors::start(Clock::System));
    gate.write("shipper.password", RIGHT);
    gate.write("alerter.password", WRONG);
    gate.append(0, 4);
    let shipper = gate.shipper();
    gate.until_arrived(4);
    let mut alerter = gate.alerter(&vendors.url("webhook"));
    until_refused(&alerter);
    alerter.until_down("source", "uthentication");
    assert_eq!(alerter.page("/healthz").0, 200, "who cannot read must be there to say so");
    for part in ["kafka", "source"] {
        let told = outages(&alerter, part);
        assert_eq!(told.len(), 1, "{told:#?}");
    }
    check_silence(&alerter);
    assert_eq!(alerter.terminate(), Some(0));

    gate.write("alerter.password", RIGHT);
    let alerter = gate.alerter(&vendors.url("webhook"));
    let says = |arrival: &Arrival| arrival.text().contains("four errors");
    until("the page", || vendors.arrivals("webhook").iter().any(says).then_some(()));
    alerter.until_ready();
    for daemon in [&shipper, &alerter] {
        check_silence(daemon);
    }
}
