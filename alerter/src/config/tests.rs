//! Configurations that work, and what is said of those that do not.

use super::*;

const SOURCE: &str = "source: { kafka: { brokers: ['127.0.0.1:9092'], topic: logs, group: alerter } }\nrules: ['rules/*.yml']\n";

/// Channels and routes as they come out, one priority a line.
fn routed(text: &str) -> String {
    let config = Config::parse("alerter.yml", &format!("{SOURCE}{text}")).unwrap();
    let routes = routes(&config.channels, &config.routes);
    let words = routes.iter().map(|(priority, route)| {
        let repeat = route.repeat.map_or(String::new(), |repeat| format!(" every {}s", repeat.as_secs()));
        format!("{priority} {}{repeat}", route.channels.join(" ")).trim_end().to_owned()
    });
    words.collect::<Vec<_>>().join("\n")
}

/// What is said of a text that is refused.
fn refused(text: &str) -> String {
    Config::parse("alerter.yml", text).unwrap_err().to_string()
}

const TIERS: &str = "
channels:
  phone: { voice: { url: 'http://gateway/call', recipients: ['138'], json: { to: '{recipient}' } } }
  texts: { sms: { url: 'http://gateway/sms', recipients: ['138'], json: { to: '{recipient}' } } }
  ding: { dingtalk: { token: t } }
  wecom: { wecom: { key: k } }
  mail: { email: { host: mail.example.com, from: watchfire@example.com, to: [ops@example.com] } }
";

#[test]
fn channels_serve_the_priorities_they_are_made_for() {
    assert_eq!(routed(TIERS), "P0 ding phone texts\nP1 texts wecom\nP2 mail\nP3 mail");
}

#[test]
fn a_priority_without_a_channel_of_its_own_uses_all() {
    assert_eq!(
        routed("channels: { ding: { dingtalk: { token: t } } }\n"),
        "P0 ding\nP1 ding\nP2 ding\nP3 ding"
    );
}

#[test]
fn without_channels_there_is_a_console() {
    assert_eq!(routed(""), "P0 console\nP1 console\nP2 console\nP3 console");
}

#[test]
fn routes_say_otherwise() {
    let text = format!(
        "{TIERS}routes:\n  P0: {{ channels: [phone, mail], repeat: 5m }}\n  P3: {{ channels: [] }}\n"
    );
    assert_eq!(routed(&text), "P0 phone mail every 300s\nP1 texts wecom\nP2 mail\nP3");
}

#[test]
fn a_route_to_nowhere_is_refused_at_its_place() {
    let text =
        format!("{SOURCE}channels: {{ ops: {{ console: {{}} }} }}\nroutes:\n  P0: {{ channels: [opps] }}\n");
    insta::assert_snapshot!(refused(&text), @r"
        alerter.yml:5:20: unknown channel `opps`, did you mean `ops`?
          |
        5 |   P0: { channels: [opps] }
          |                    ^^^^
          = known channels: `ops`
    ");
    let text = format!(
        "{SOURCE}channels: {{ ops: {{ console: {{}} }} }}\nroutes: {{ P1: {{ channels: [pager] }} }}\n"
    );
    insta::assert_snapshot!(refused(&text), @r"
        alerter.yml:4:28: unknown channel `pager`
          |
        4 | routes: { P1: { channels: [pager] } }
          |                            ^^^^^
          = known channels: `ops`
    ");
}

#[test]
fn an_unknown_key_is_refused_with_the_nearest() {
    insta::assert_snapshot!(refused(&format!("{SOURCE}chanels: {{}}\n")), @r"
        alerter.yml:3:1: unknown key `chanels`, did you mean `channels`?
          |
        3 | chanels: {}
          | ^^^^^^^
          = known keys: `source`, `rules`, `channels`, `routes`, `outbox`, `state`, `engine`, `admin`, `log`
    ");
    insta::assert_snapshot!(refused(&format!("{SOURCE}routes: {{ P9: {{ channels: [] }} }}\n")), @r"
        alerter.yml:3:11: unknown key `P9`, did you mean `P0`?
          |
        3 | routes: { P9: { channels: [] } }
          |           ^^
          = known keys: `P0`, `P1`, `P2`, `P3`
    ");
    insta::assert_snapshot!(refused(&format!("{SOURCE}engine: {{ zone: Mars/Olympus }}\n")), @r"
        alerter.yml:3:17: `Mars/Olympus` is no time zone: write its IANA name, such as `Asia/Shanghai` or `UTC`
          |
        3 | engine: { zone: Mars/Olympus }
          |                 ^^^^^^^^^^^^
    ");
}
