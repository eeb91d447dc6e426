//! Mail over a real SMTP server that insists on STARTTLS.
//!
//! Enters: notifications, and a server that is there, away, distrusted or too simple. Leaves: outcomes, and what lies
//! in the server's maildir, read by the parser of Python's own mail library.

use std::io::Write;
use std::process::{Command, Stdio};
use std::time::Duration;

use alerter::{Outcome, SendOptions};
use daemon::Clock;
use tests::part::smtp::{Offer, Smtp};
use tests::post::{Post, START, channel, notification};

const SECOND: Duration = Duration::from_secs(1);

/// `email:` for this server.
fn config(smtp: &Smtp, more: &str) -> String {
    format!(
        "email: {{ host: localhost, port: {}, from: \"watchfire@example.org\", to: [\"ops@example.org\"]{more} }}",
        smtp.port()
    )
}

fn trusting(smtp: &Smtp) -> String {
    config(smtp, &format!(", ca: \"{}\"", smtp.certificate().display()))
}

async fn send(config: &str, summary: &str) -> Outcome {
    let sent = notification(summary, "payment refused");
    channel(config).send(&sent, "ops@example.org", SendOptions::default(), START).await
}

/// Subject, sender, recipient, id and text of a message, one on each line.
fn read(message: &str) -> Vec<String> {
    let script = "import sys, email, email.policy\n\
         message = email.message_from_string(sys.stdin.read(), policy=email.policy.default)\n\
         for name in ['Subject', 'From', 'To', 'Message-ID']: print(message[name])\n\
         print(message.get_content())";
    let mut command = Command::new("/usr/bin/python3");
    command.args(["-X", "utf8", "-c", script]).stdin(Stdio::piped()).stdout(Stdio::piped());
    let mut child = command.spawn().unwrap();
    child.stdin.take().unwrap().write_all(message.as_bytes()).unwrap();
    let output = child.wait_with_output().unwrap();
    assert!(output.status.success(), "{message}");
    String::from_utf8(output.stdout).unwrap().lines().map(str::to_owned).collect()
}

#[tokio::test]
async fn a_mail_arrives_as_it_was_written() {
    let smtp = Smtp::start();
    let outcome = send(&trusting(&smtp), "订单服务 不可用").await;
    assert!(matches!(outcome, Outcome::Delivered { .. }), "{outcome:?}");
    let messages = smtp.messages();
    assert_eq!(messages.len(), 1);
    let lines = read(&messages[0]);
    let id = notification("", "").id;
    let head = [
        "[P0] FIRING service-down checkout".to_owned(),
        "watchfire@example.org".to_owned(),
        "ops@example.org".to_owned(),
        format!("<{id}@watchfire>"),
        "订单服务 不可用".to_owned(),
    ];
    assert_eq!(lines[..5], head, "{lines:?}");
    assert!(lines.contains(&"> payment refused".to_owned()), "{lines:?}");
}

#[test]
fn a_chinese_subject_is_one_line_that_decodes() {
    let smtp = Smtp::start();
    let mut post = Post::open(Clock::manual(START), channel(&trusting(&smtp)));
    let service = "订单服务".repeat(20);
    post.probe_fails(&format!("{service}\r\nBcc: thief@example.org"), "连接被拒绝");
    post.advance(60 * SECOND);
    assert_eq!(post.delivered(), 1, "{:?}", post.attempts);
    let messages = smtp.messages();
    let lines = read(&messages[0]);
    assert!(lines[0].starts_with(&format!("[P0] FIRING service-down {service}")), "{lines:?}");
    assert_eq!(lines[1], "watchfire@example.org", "{lines:?}");
    assert!(!messages[0].contains("\nBcc:"), "{}", messages[0]);
}

#[tokio::test]
async fn a_certificate_that_nobody_vouches_for_is_named() {
    let smtp = Smtp::start();
    let outcome = send(&config(&smtp, ""), "down").await;
    let Outcome::RetryAfter { delay: None, reason } = outcome else { panic!("{outcome:?}") };
    let words = format!("localhost:{}: ", smtp.port());
    assert!(reason.starts_with(&words) && reason.contains("invalid peer certificate"), "{reason}");
    assert!(reason.ends_with("(write the file of the authority that signed it as `ca`)"), "{reason}");
    assert_eq!(smtp.messages().len(), 0);
}

#[tokio::test]
async fn a_certificate_for_another_name_is_named() {
    let smtp = Smtp::start();
    let outcome = send(&trusting(&smtp).replace("localhost", "127.0.0.1"), "down").await;
    let Outcome::RetryAfter { delay: None, reason } = outcome else { panic!("{outcome:?}") };
    assert!(reason.contains("certificate not valid for name"), "{reason}");
}

#[tokio::test]
async fn a_server_without_starttls_gets_no_mail() {
    let smtp = Smtp::start_with(Offer::Plain);
    let outcome = send(&config(&smtp, ""), "down").await;
    let Outcome::RetryAfter { delay: None, reason } = outcome else { panic!("{outcome:?}") };
    assert!(reason.to_lowercase().contains("starttls"), "{reason}");
    assert_eq!(smtp.messages().len(), 0);
    let outcome = send(&config(&smtp, ", security: none"), "down").await;
    assert!(matches!(outcome, Outcome::Delivered { .. }), "{outcome:?}");
    assert_eq!(smtp.messages().len(), 1);
}

#[tokio::test]
async fn an_unknown_host_is_named_and_tried_again() {
    let text = "email: { host: no-such-host.invalid, from: a@example.org, to: [ops@example.org] }";
    let outcome = send(text, "down").await;
    let Outcome::RetryAfter { delay: None, reason } = outcome else { panic!("{outcome:?}") };
    assert!(reason.starts_with("no-such-host.invalid:587: "), "{reason}");
}

#[test]
fn a_server_that_comes_back_gets_each_mail_once() {
    let mut smtp = Smtp::start();
    let mut post = Post::open(Clock::manual(START), channel(&trusting(&smtp)));
    smtp.stop();
    post.probe_fails("checkout", "connection refused");
    post.advance(60 * SECOND);
    assert!(post.attempts.len() > 1 && post.delivered() == 0, "{:?}", post.attempts);
    smtp.launch();
    post.advance(1800 * SECOND);
    assert_eq!(post.delivered(), 1, "{:?}", post.attempts);
    assert_eq!(smtp.messages().len(), 1);
}
