//! What an operator types, and what comes back: text that says where and what to do, and an exit code for scripts.
//!
//! Enters: configurations and flags, right and wrong. Leaves: 0 when all is well, 1 when something is not, 2 when flags, a
//! configuration or rules cannot be used; places as file:line:column.

use std::path::Path;
use std::process::Command;

use daemon::Clock;
use tests::fake::{Answer, Vendors};
use tests::part::{binary, root};
use tests::post::START;

const ALERTER: &str = "source: { kafka: { brokers: ['127.0.0.1:9'], topic: logs, group: a } }\n\
    rules: [rules/*.yml]\n\
    channels:\n  ops: { webhook: { url: 'http://127.0.0.1:1' } }\n\
    routes:\n  P0: { channels: [ops] }\n";
const SHIPPER: &str = "inputs:\n  - file: { paths: [/var/log/app.log] }\noutput: { stdout: {} }\n";
const WATCHFIRE: &str = "inputs:\n  - file: { paths: [/var/log/app.log] }\nrules: [rules/*.yml]\n";
const RULES: &str = "rules:\n  - name: errors\n    priority: P1\n    match: 'log.level: error'\n    \
    condition: { count: { above: 3, window: 1m } }\n";

/// A folder with a configuration and a rule file.
fn folder(name: &str, text: &str) -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    std::fs::create_dir(folder.path().join("rules")).unwrap();
    std::fs::write(folder.path().join("rules/errors.yml"), RULES).unwrap();
    std::fs::write(folder.path().join(name), text).unwrap();
    folder
}

/// Runs a program and compares its exit code and, with the folder's name left out, the beginning of what it says.
fn run(folder: &Path, program: &str, arguments: &[&str], code: i32, expected: &str) -> String {
    let arguments: Vec<String> = arguments
        .iter()
        .map(|argument| match argument.strip_prefix("./") {
            Some(file) => folder.join(file).display().to_string(),
            None => (*argument).to_owned(),
        })
        .collect();
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let (exit, said) = binary::run(program, &arguments);
    let said = said.replace(&format!("{}/", folder.display()), "");
    assert_eq!(exit, code, "{program} {arguments:?} said\n{said}");
    assert!(said.contains(expected), "{program} {arguments:?} said\n{said}\nwithout\n{expected}");
    said
}

/// `PROGRAM check` on a file in which `from` is written as `to`.
fn check(program: &str, from: &str, to: &str, code: i32, expected: &str) {
    let text = match program {
        "alerter" => ALERTER,
        "shipper" => SHIPPER,
        _ => WATCHFIRE,
    };
    assert!(text.contains(from), "{from}");
    let folder = folder("it.yml", &text.replacen(from, to, 1));
    let said = run(folder.path(), program, &["check", "-c", "./it.yml"], code, expected);
    assert!(!said.contains("panicked"), "{said}");
}

#[test]
fn a_right_configuration_is_said_to_be_right() {
    check("alerter", "", "", 0, "it.yml: ok, rules: 1 in 1 files, channels: 1\n  P1 errors\n  P0 -> ops\n");
    check("shipper", "", "", 0, "it.yml: ok\n");
    check("watchfire", "", "", 0, "it.yml: ok, inputs: 1, rules: 1, channels: 1\n");
    let mail = "channels: { mail: { email: { host: h, from: a@b.c, to: [a@b.c] } } }\nrules:";
    check("watchfire", "rules:", mail, 0, "it.yml: ok, inputs: 1, rules: 1, channels: 1\n");
}

#[test]
fn a_wrong_key_is_refused_with_its_place_and_the_nearest_one() {
    check(
        "shipper",
        "paths",
        "pathz",
        2,
        "it.yml:2:13: unknown key `pathz`, did you mean `paths`?\n  |\n2 |",
    );
    check("alerter", "webhook", "webhok", 2, "it.yml:4:10: unknown key `webhok`, did you mean `webhook`?");
    check("watchfire", "rules", "rulez", 2, "it.yml:3:1: unknown key `rulez`, did you mean `rules`?");
    check("alerter", "[ops]", "[opz]", 2, "it.yml:6:20: unknown channel `opz`, did you mean `ops`?");
    check(
        "shipper",
        "stdout: {}",
        "kafka: { brokers: [a:1], topic: t, linger: 5 }",
        2,
        "it.yml:3:54: `5` has no unit",
    );
}

#[test]
fn what_is_not_there_is_named() {
    let unset =
        "`WATCHFIRE_UNSET` is not set; set it in the environment, or write ${WATCHFIRE_UNSET:-default}";
    let place = format!("it.yml:4:27: {unset}");
    check("alerter", "'http://127.0.0.1:1'", "\"${WATCHFIRE_UNSET}\"", 2, &place);
    check(
        "alerter",
        "rules/*.yml",
        "none/*.yml",
        2,
        "no file matches `none/*.yml`; relative paths start at `",
    );
    check(
        "watchfire",
        "rules/*.yml",
        "none/*.yml",
        2,
        "no file matches `none/*.yml`; relative paths start at `",
    );
    check(
        "alerter",
        "http://127.0.0.1:1",
        "host/path",
        2,
        "channel `ops`: url or headers cannot work: relative URL",
    );
    let nowhere = tempfile::tempdir().unwrap();
    for program in ["shipper", "alerter", "indexer", "watchfire"] {
        let words = "none.yml: no such file; name the configuration with `-c FILE`";
        run(nowhere.path(), program, &["check", "-c", "./none.yml"], 2, words);
        run(nowhere.path(), program, &["chekc"], 2, "unrecognized subcommand 'chekc'");
    }
}

#[test]
fn a_mistake_inside_a_rule_has_its_place_in_the_rule_file() {
    let check = |from: &str, to: &str, expected: &str| {
        for (program, text) in [("alerter", ALERTER), ("watchfire", WATCHFIRE)] {
            let folder = folder("it.yml", text);
            let rules = RULES.replacen(from, to, 1);
            assert_ne!(rules, RULES, "{from}");
            std::fs::write(folder.path().join("rules/errors.yml"), rules).unwrap();
            run(folder.path(), program, &["check", "-c", "./it.yml"], 2, expected);
        }
    };
    check(
        "log.level: error",
        "log.level: (error or",
        "rules/errors.yml:4:33: KQL: expected \"(\", NOT, value but end",
    );
    check("above", "abvoe", "rules/errors.yml:5:27: unknown key `abvoe`, did you mean `above`?");
    check("P1", "P7", "rules/errors.yml:3:15: ");
    check("1m }", "1x }", "rules/errors.yml:5:45: `1x` is not a span of time");
}

#[test]
fn the_shipped_configurations_and_rules_pass() {
    let (root, deploy) = (root(), root().join("deploy"));
    for program in ["shipper", "alerter", "indexer"] {
        let words = format!("{program}.yml: ok");
        run(&deploy, program, &["check", "-c", &format!("./{program}.yml")], 0, &words);
    }
    let files = ["./availability.yml", "./error-rate.yml", "./jvm-old-gen.test.yml"];
    let arguments = [&["test"][..], &files].concat();
    let said = run(&root.join("rules/default"), "alerter", &arguments, 0, " passed, 0 failed\n");
    assert!(!said.contains("\n0 passed"), "{said}");

    let folder = tempfile::tempdir().unwrap();
    let home = folder.path().display().to_string();
    run(folder.path(), "watchfire", &["init", &home], 0, "watchfire up -c watchfire.yml");
    run(folder.path(), "watchfire", &["check", "-c", "./watchfire.yml"], 0, "rules: 3, channels: 1\n");
    run(folder.path(), "watchfire", &["init", &home], 0, "kept, it was there  watchfire.yml");
    run(folder.path(), "alerter", &["test", "./rules/availability.yml"], 0, " passed, 0 failed\n");
}

#[test]
fn a_rule_test_that_fails_says_what_happened_instead() {
    let folder = folder("it.yml", ALERTER);
    let tests = "tests:\n  - name: one error\n    events:\n      - { at: 0s, event: { log.level: error } }\n    \
        expect:\n      - { at: 10s, rule: errors, state: firing }\n";
    std::fs::write(folder.path().join("rules/errors.test.yml"), tests).unwrap();
    let said = run(folder.path(), "alerter", &["test", "./rules/errors.yml"], 1, "0 passed, 1 failed\n");
    assert!(said.starts_with("FAIL rules/errors.test.yml:2: one error\n"), "{said}");
    std::fs::remove_file(folder.path().join("rules/errors.test.yml")).unwrap();
    run(folder.path(), "alerter", &["test", "./rules/errors.yml"], 1, "stand in `x.test.yml` beside it");
}

#[test]
fn a_file_can_be_tried_before_it_is_shipped() {
    let folder = folder("it.yml", SHIPPER);
    let line = "[GIN] 2026/11/23 - 10:30:45 | 500 | 1.2ms | 127.0.0.1 | GET \"/ping\"\n";
    std::fs::write(folder.path().join("app.log"), line.repeat(3)).unwrap();
    let said = run(folder.path(), "shipper", &["try", "-n", "2", "./app.log"], 0, "");
    let events: Vec<serde_json::Value> =
        said.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(events.len(), 2);
    assert_eq!(events[1]["http"]["response"]["status_code"], 500);
    assert_eq!(events[1]["log"]["offset"], line.len());
    run(folder.path(), "shipper", &["try", "./none.log"], 1, "none.log: No such file or directory");
    run(folder.path(), "shipper", &["try", "--parse", "jsn", "./app.log"], 2, "did you mean `json`?");
    let words = "no `file:` of the configuration matches app.log; change its `paths`";
    run(folder.path(), "shipper", &["try", "-c", "./it.yml", "./app.log"], 1, words);
}

#[test]
fn a_channel_can_be_tried_and_the_vendor_is_quoted() {
    let vendors = Vendors::start(Clock::manual(START));
    let robot = format!("dingtalk: {{ url: '{}', token: hidden-token }}", vendors.url("dingtalk"));
    let folder = folder("it.yml", &ALERTER.replace("webhook: { url: 'http://127.0.0.1:1' }", &robot));
    let arguments = ["notify", "-c", "./it.yml", "--channel", "ops"];
    let refused = "ops: refused: errcode 300001: token is not exist\n";
    let said = run(folder.path(), "alerter", &arguments, 1, refused);
    assert!(!said.contains("hidden-token"), "{said}");
    vendors.answer("dingtalk", Answer::errcode(0, "ok"));
    run(folder.path(), "alerter", &arguments, 0, "ops: delivered\n");
    vendors.answer("dingtalk", Answer::errcode(130_101, "send too fast"));
    run(
        folder.path(),
        "alerter",
        &arguments,
        1,
        "not now, the vendor wants a pause of 600 s: errcode 130101",
    );
    let unknown = ["notify", "-c", "./it.yml", "--channel", "nops"];
    run(folder.path(), "alerter", &unknown, 1, "there is no channel `nops`; the channels are ops\n");
    assert_eq!(vendors.arrivals("dingtalk").len(), 3);
}

#[test]
fn the_compose_file_is_one() {
    let mut command = Command::new("docker-compose");
    command.args(["-f", "docker-compose.yml", "config", "--quiet"]).current_dir(root());
    let output = command.output().expect("docker-compose is installed by ./test");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
}
