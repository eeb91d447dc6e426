//! What an operator reads.

use super::*;

const RULES: &str = "
rules:
  - name: errors
    priority: P1
    match: 'log.level: error'
    condition: { count: { above: 2, window: 10s } }
    summary: 'too many errors'
";
const CONFIG: &str = "
source: { kafka: { brokers: ['127.0.0.1:9092'], topic: logs, group: alerter } }
rules: ['rules/*.yml']
channels: { out: { console: {} }, ding: { dingtalk: { token: t } } }
routes: { P0: { channels: [ding, out], repeat: 5m }, P3: { channels: [] } }
";
const TESTS: &str = "
tests:
  - name: three errors in ten seconds
    events:
      - { from: 0s, to: 2s, every: 1s, event: { log.level: error } }
    until: 5s
    expect:
      - { at: 3s, rule: errors, state: firing }
  - name: two are enough
    events:
      - { from: 0s, to: 1s, every: 1s, event: { log.level: error } }
    until: 5s
    expect:
      - { at: 1s, rule: errors, state: firing }
";

/// Runs `alerter ARGUMENTS` in a folder with these files; `FOLDER` stands for the folder in arguments and answers.
async fn run(files: &[(&str, &str)], arguments: &str) -> String {
    let folder = tempfile::tempdir().unwrap();
    std::fs::create_dir(folder.path().join("rules")).unwrap();
    for (name, text) in files {
        std::fs::write(folder.path().join(name), text).unwrap();
    }
    let place = folder.path().display().to_string();
    let arguments = arguments.replace("FOLDER", &place);
    let cli = Cli::try_parse_from(arguments.split(' ')).unwrap();
    let (mut out, mut problems) = (Vec::new(), Vec::new());
    let code = execute(cli, &mut out, &mut problems).await;
    let text = String::from_utf8([out, problems].concat()).unwrap();
    let result = if code == ExitCode::SUCCESS { "ok" } else { "failed" };
    format!("{}{result}", text.replace(&place, "FOLDER"))
}

#[tokio::test]
async fn check_says_what_is_there() {
    let files = [("alerter.yml", CONFIG), ("rules/a.yml", RULES), ("rules/a.test.yml", TESTS)];
    insta::assert_snapshot!(run(&files, "alerter check -c FOLDER/alerter.yml").await, @r"
        FOLDER/alerter.yml: ok, rules: 1 in 1 files, channels: 2
          P1 errors
          P0 -> ding, out, again every 5m
          P1 -> out
          P2 -> out
          P3 -> nobody
        ok
    ");
}

#[tokio::test]
async fn check_lists_every_problem() {
    let broken = RULES.replace("P1", "P7");
    let config = CONFIG.replace("token: t", "token: t, quota: { messages: 20, per: 1m, reserved: 20 }");
    let files = [
        ("alerter.yml", config.as_str()),
        ("rules/a.yml", RULES),
        ("rules/b.yml", RULES),
        ("rules/c.yml", &broken),
    ];
    insta::assert_snapshot!(run(&files, "alerter check -c FOLDER/alerter.yml").await, @r"
        FOLDER/rules/c.yml:4:15: unknown value `P7`, did you mean `P0`?
          |
        4 |     priority: P7
          |               ^^
          = known values: `P0`, `P1`, `P2`, `P3`
        FOLDER/rules/b.yml:3: rule `errors` is already in FOLDER/rules/a.yml:3: rename one
        channel `ding`: the quota reserves 20 of 20 messages for P0: leave some for the rest
        failed
    ");
}

#[tokio::test]
async fn check_names_what_is_missing() {
    insta::assert_snapshot!(run(&[], "alerter check -c FOLDER/alerter.yml").await, @r"
        FOLDER/alerter.yml: no such file; name the configuration with `-c FILE`
        failed
    ");
    insta::assert_snapshot!(run(&[("alerter.yml", CONFIG)], "alerter check -c FOLDER/alerter.yml").await, @r"
        `rules`: no file matches `rules/*.yml`; relative paths start at `FOLDER`
        failed
    ");
}

#[tokio::test]
async fn test_shows_what_differs() {
    let files = [("rules/a.yml", RULES), ("rules/a.test.yml", TESTS)];
    insta::assert_snapshot!(run(&files, "alerter test FOLDER/rules/a.yml FOLDER/rules/a.test.yml").await, @r"
        ok   FOLDER/rules/a.test.yml: three errors in ten seconds
        FAIL FOLDER/rules/a.test.yml:9: two are enough
             - expected, + happened
             -       1s errors firing   (line 14)
        1 passed, 1 failed
        failed
    ");
    insta::assert_snapshot!(run(&files[..1], "alerter test FOLDER/rules/a.yml").await, @r"
        FOLDER/rules/a.test.yml: No such file or directory (os error 2); the tests of `x.yml` stand in `x.test.yml` beside it
        failed
    ");
}

#[tokio::test]
async fn notify_says_what_the_vendor_said() {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let routes = axum::Router::new()
        .route("/ok", axum::routing::post(|| async { "" }))
        .route("/gone", axum::routing::post(|| async { axum::http::StatusCode::GONE }));
    tokio::spawn(async move { axum::serve(listener, routes).await.unwrap() });
    let config = format!(
        "source: {{ kafka: {{ brokers: [b], topic: t, group: g }} }}\nrules: ['rules/*.yml']\nchannels:\n  \
         hook: {{ webhook: {{ url: 'http://{address}/ok' }} }}\n  gone: {{ webhook: {{ url: 'http://{address}/gone' }} }}\n"
    );
    let files = [("alerter.yml", config.as_str()), ("rules/a.yml", RULES)];
    insta::assert_snapshot!(run(&files, "alerter notify -c FOLDER/alerter.yml --channel hook").await, @r"
        hook: delivered
        ok
    ");
    insta::assert_snapshot!(run(&files, "alerter notify -c FOLDER/alerter.yml --channel gone").await, @r"
        gone: refused: http 410: 
        failed
    ");
    insta::assert_snapshot!(run(&files, "alerter notify -c FOLDER/alerter.yml --channel hok").await, @r"
        there is no channel `hok`; the channels are gone, hook
        failed
    ");
}
