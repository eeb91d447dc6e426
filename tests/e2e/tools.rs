//! What an operator asks of a shipper and its broker: `status`, `why`, `prove`.
//!
//! Enters: a real broker, a file, the commands. Leaves: what they print, checked against what is on the topic.

use std::fs::OpenOptions;
use std::io::Write as _;
use std::path::Path;

use serde_json::Value;
use tests::oracle;
use tests::part::binary;
use tests::part::daemon::Daemon;
use tests::part::kafka::Kafka;
use tests::wait::until;

/// A configuration for everything in `folder`, which reads `logs/*.log`.
fn config(folder: &Path, brokers: &str, topic: &str) -> std::path::PathBuf {
    let here = folder.display();
    let text = format!(
        "inputs:\n  - file: {{ paths: ['{here}/logs/*.log'] }}\n\
         output: {{ kafka: {{ brokers: ['{brokers}'], topic: {topic} }} }}\n\
         registry: {{ path: '{here}/registry' }}\nadmin: {{ listen: '127.0.0.1:0' }}\n"
    );
    std::fs::create_dir_all(folder.join("logs")).unwrap();
    let path = folder.join("shipper.yml");
    std::fs::write(&path, text).unwrap();
    path
}

fn append(path: &Path, text: &str) {
    OpenOptions::new().create(true).append(true).open(path).unwrap().write_all(text.as_bytes()).unwrap();
}

/// `shipper COMMAND ... -c FILE --address ADDRESS`; the exit code and what it said.
fn ask(config: &Path, address: &str, arguments: &[&str]) -> (i32, String) {
    let mut all = arguments.to_vec();
    all.extend(["-c", config.to_str().unwrap(), "--address", address]);
    binary::run("shipper", &all)
}

#[test]
fn status_and_why_say_what_is_on_the_topic_and_what_is_not() {
    let kafka = Kafka::shared();
    let folder = tempfile::tempdir().unwrap();
    let config = config(folder.path(), &kafka.address(), "asked");
    let log = folder.path().join("logs/a.log");
    let lines: String = (0..100).map(|number| format!("line s {number}\n")).collect();
    append(&log, &format!("{lines}half a line"));
    let mut shipper = Daemon::run("shipper", &config);
    let address = shipper.admin().replace("http://", "");
    let page = until("every whole line's acknowledgement", || {
        // A shipper that is still starting says so, and is no error here.
        let (code, text) = ask(&config, &address, &["status", "--json", "--over", "0s"]);
        let page: Value = (code == 0).then(|| serde_json::from_str(&text).unwrap())?;
        (page["totals"]["ledger"]["acked"] == lines.len()).then_some(page)
    });
    let row = &page["streams"][0];
    let expected = serde_json::json!({
        "written": lines.len() + 11, "acked": lines.len(), "filtered": 0, "lost": 0, "pending": 11,
    });
    assert_eq!((&row["ledger"], &page["totals"]["ledger"]), (&expected, &expected));
    assert_eq!((&row["presence"], &row["records"]), (&"present".into(), &100.into()));
    let (_, table) = ask(&config, &address, &["status", log.to_str().unwrap()]);
    assert!(table.contains("a.log") && table.contains("11 B"), "{table}");
    let (_, table) = ask(&config, &address, &["status", "/nowhere"]);
    assert!(!table.contains("a.log"), "{table}");

    let why = |what: &str, code: i32, words: &str| {
        let path = folder.path().join(what);
        let (exit, said) = ask(&config, &address, &["why", path.to_str().unwrap()]);
        assert!(exit == code && said.contains(words), "{exit}: {said}\nwithout\n{words}");
        said
    };
    let said = why("logs/a.log:42", 0, "it is shipped; look for event.id: ");
    let id = said.split("event.id: ").nth(1).unwrap().lines().next().unwrap();
    let events = oracle::read(&kafka.address(), "asked");
    let event = events.iter().find(|event| event.text("event.id") == Some(id)).unwrap();
    assert_eq!(event.text("message"), Some("line s 41"));
    why("logs/a.log:101", 1, "answer: the last 11 B have no line end yet");
    why("logs/a.log", 1, "answer: the last 11 B have no line end yet");
    why("logs/a.log:900", 1, "answer: the file has 101 lines only");
    append(&folder.path().join("logs/b.txt"), "x\n");
    why("logs/b.txt", 1, "`b.txt` is not `*.log`");
    why("logs/none.log", 1, "answer: nothing lies there");

    assert_eq!(shipper.terminate(), Some(0));
    let (code, said) = ask(&config, &address, &["status"]);
    assert!(code == 1 && said.contains("by its registry") && said.contains("a.log"), "{code}: {said}");
    assert!(said.contains(&format!("no shipper answers at {address}")), "{said}");
    why("logs/a.log", 1, &format!("answer: no shipper answers at {address}"));
}

#[test]
fn why_names_the_broker_that_is_away() {
    let folder = tempfile::tempdir().unwrap();
    let config = config(folder.path(), "127.0.0.1:1", "nowhere");
    let log = folder.path().join("logs/a.log");
    append(&log, "one\ntwo\n");
    let shipper = Daemon::run("shipper", &config);
    let address = shipper.admin().replace("http://", "");
    let (code, said) = until("the broker to be blamed", || {
        let (code, said) = ask(&config, &address, &["why", &format!("{}:2", log.display())]);
        said.contains("answer: the output takes nothing (kafka): no broker answers: ").then_some((code, said))
    });
    assert_eq!(code, 1, "{said}");
    assert!(said.contains("8 B are on their way"), "{said}");
}

#[test]
fn a_drill_on_a_healthy_broker_loses_nothing_and_cuts_it_off_for_real() {
    let kafka = Kafka::start("auto.create.topics.enable=false");
    let folder = tempfile::tempdir().unwrap();
    let config = config(folder.path(), &kafka.address(), "logs");
    let (code, said) = binary::run(
        "shipper",
        &["prove", "-c", config.to_str().unwrap(), "--minutes", "0.4", "--rate", "200"],
    );
    let row = |name: &str| -> Vec<String> {
        let line = said.lines().find(|line| line.ends_with(&format!("  {name}")));
        line.unwrap_or_else(|| panic!("no {name} in\n{said}")).split_whitespace().map(str::to_owned).collect()
    };
    for name in ["steady", "rename", "copytruncate", "compress", "kill", "block", "all"] {
        let row = row(name);
        // Written, arrived, lost, twice.
        assert!(row[0] == row[1] && row[2] == "0" && row[3] == "0", "{name} in\n{said}");
    }
    // Half of a scenario's four seconds without a broker.
    assert!(row("block")[5].parse::<f64>().is_ok_and(|lag| lag >= 1.5), "{said}");
    assert!(!said.contains("left out"), "{said}");
    assert_eq!(code, 0, "{said}");
    assert!(said.contains("verdict: nothing lost, nothing twice"), "{said}");
    let files = std::fs::read_dir(folder.path()).unwrap().count();
    assert_eq!(files, 2, "a drill leaves the user's folder alone");
}

#[test]
fn a_control_topic_has_every_files_ledger_and_a_missing_one_harms_no_log() {
    let kafka = Kafka::start("auto.create.topics.enable=false");
    kafka.create("logs", &[]);
    let folder = tempfile::tempdir().unwrap();
    let config = config(folder.path(), &kafka.address(), "logs, control_topic: control");
    let text = std::fs::read_to_string(&config).unwrap();
    std::fs::write(&config, format!("{text}heartbeat: {{ every: 1s }}\n")).unwrap();
    for (name, lines) in [("a.log", 10), ("b.log", 20)] {
        let lines: String = (0..lines).map(|number| format!("line s {number}\n")).collect();
        append(&folder.path().join("logs").join(name), &format!("{lines}half"));
    }
    let shipper = Daemon::run("shipper", &config);
    until("the logs", || (oracle::messages(&kafka.address(), "logs").len() == 30).then_some(()));
    shipper.until_down("output.control", "topic `control` is not there; create it");
    kafka.create("control", &[]);
    let told = |name: &str| {
        let events = oracle::read(&kafka.address(), "control");
        let of_file =
            |event: &&event::Event| event.text("log.file.path").is_some_and(|path| path.ends_with(name));
        let last = events.iter().rfind(of_file)?;
        let number = |name: &str| last.number(&format!("watchfire.ledger.{name}"));
        Some((
            last.text("event.dataset")?.to_owned(),
            number("written")?,
            number("acked")?,
            number("pending")?,
        ))
    };
    for (name, size) in [("a.log", 90.0), ("b.log", 190.0)] {
        let expected = ("watchfire.ledger".to_owned(), size + 4.0, size, 4.0);
        until(&format!("the last word on {name}: {:?}", told(name)), || {
            (told(name)? == expected).then_some(())
        });
    }
    until("a heartbeat with the sums", || {
        let events = oracle::read(&kafka.address(), "control");
        let sums = events.iter().filter_map(event::Heartbeat::from_event).next_back()?;
        ((sums.ledger.written, sums.ledger.acked) == (288, 280)).then_some(())
    });
}
