//! What the vendors get to see, and what the alerter makes of their answers.
//!
//! Enters: notifications made by hand, and an outage that goes through rules, outbox and channel. Leaves: outcomes, and
//! what arrived at stand-ins that verify as the vendors do.

use std::time::Duration;

use alerter::outbox::Verdict;
use alerter::{Outcome, SendOptions};
use daemon::Clock;
use tests::fake::{Answer, SECRET, TOKEN, Vendors};
use tests::post::{Post, START, channel, notification};

const SECOND: Duration = Duration::from_secs(1);

fn vendors() -> Vendors {
    Vendors::start(Clock::manual(START))
}

fn dingtalk(vendors: &Vendors) -> String {
    format!("dingtalk: {{ url: \"{}\", token: {TOKEN}, secret: {SECRET} }}", vendors.url("dingtalk"))
}

fn wecom(vendors: &Vendors) -> String {
    format!("wecom: {{ url: \"{}\", key: {TOKEN} }}", vendors.url("wecom"))
}

fn sms(vendors: &Vendors, more: &str) -> String {
    let url = vendors.url("sms");
    format!(
        "sms: {{ url: \"{url}\", recipients: [\"+86138\", \"+86139\"], json: {{ to: \"{{recipient}}\", content: \"{{text}}\" }}, \
         success: {{ code: /Code, equals: [OK], permanent: [isv.MOBILE_NUMBER_ILLEGAL], reference: /BizId }}{more} }}"
    )
}

async fn send(channel: &str, options: SendOptions) -> Outcome {
    send_text(channel, "checkout 不可用", options).await
}

async fn send_text(config: &str, summary: &str, options: SendOptions) -> Outcome {
    let channel = channel(config);
    let recipient = channel.recipients()[0].clone();
    channel.send(&notification(summary, "payment refused"), &recipient, options, START).await
}

/// What the vendor answers, and the outcome that must come of it.
async fn check(vendor: &str, answer: Answer, expected: &str) {
    let vendors = vendors();
    let config = match vendor {
        "dingtalk" => dingtalk(&vendors),
        "wecom" => wecom(&vendors),
        "sms" => sms(&vendors, ""),
        _ => format!("webhook: {{ url: \"{}\" }}", vendors.url(vendor)),
    };
    let said = format!("{vendor}, {answer:?}");
    vendors.answer(vendor, answer);
    let outcome = format!("{:?}", send(&config, SendOptions::default()).await);
    assert!(outcome.starts_with(expected), "{said} gave {outcome}");
}

#[tokio::test]
async fn every_answer_means_what_the_vendor_says_it_means() {
    let say = |status, body: &str| Answer::Say(status, body.to_owned());
    check(
        "dingtalk",
        Answer::errcode(310_000, "sign not match"),
        "Permanent { reason: \"errcode 310000: sign not",
    )
    .await;
    check("dingtalk", Answer::errcode(310_000, "invalid timestamp"), "Resign").await;
    check("dingtalk", Answer::errcode(130_101, "send too fast"), "RetryAfter { delay: Some(600s)").await;
    check("dingtalk", Answer::errcode(460_101, "body too large"), "Shrink { bytes_max: 4000").await;
    check("dingtalk", Answer::errcode(300_001, "token is not exist"), "Permanent").await;
    check("dingtalk", say(502, "<html>"), "RetryAfter { delay: None").await;
    check("dingtalk", say(200, "<html>"), "RetryAfter { delay: None, reason: \"http 200 without a JSON")
        .await;
    check("wecom", Answer::errcode(45_009, "api freq out of limit"), "RetryAfter { delay: Some(60s)").await;
    check("wecom", Answer::errcode(40_058, "exceed max length 4096"), "Shrink { bytes_max: 2000").await;
    check("wecom", Answer::errcode(93_000, "invalid webhook url"), "Permanent").await;
    check("sms", say(200, r#"{"Code":"OK","BizId":"b-7"}"#), "Delivered { reference: \"b-7\" }").await;
    check("sms", say(200, r#"{"Code":"isv.BUSINESS_LIMIT_CONTROL"}"#), "RetryAfter { delay: None").await;
    check("sms", say(200, r#"{"Code":"isv.MOBILE_NUMBER_ILLEGAL"}"#), "Permanent").await;
    check("webhook", say(204, ""), "Delivered").await;
    check("webhook", say(429, "slow down"), "RetryAfter { delay: None, reason: \"http 429: slow down\"")
        .await;
    check("webhook", say(404, "gone"), "Permanent { reason: \"http 404: gone\"").await;
    check("webhook", say(301, "moved"), "Permanent { reason: \"http 301: moved (redirects are not").await;
    for vendor in ["dingtalk", "wecom", "sms", "webhook"] {
        check(vendor, Answer::Hang, "RetryAfter { delay: None, reason: \"timed out").await;
    }
}

#[tokio::test]
async fn a_signature_with_another_secret_is_refused_for_good() {
    let vendors = vendors();
    let config = dingtalk(&vendors);
    assert_eq!(send(&config, SendOptions::default()).await, Outcome::Delivered { reference: String::new() });
    let outcome = send(&config.replace(SECRET, "SEC-of-another"), SendOptions::default()).await;
    let Outcome::Permanent { reason } = outcome else { panic!("{outcome:?}") };
    let words = "errcode 310000: sign not match (check keyword, secret and address list of the robot)";
    assert_eq!(reason, words);
}

#[tokio::test]
async fn wecom_takes_4096_bytes_and_gets_no_more() {
    let vendors = vendors();
    let config = wecom(&vendors).replace("key:", "mentioned: [ops], key:");
    for padding in 0..3 {
        let summary = "a".repeat(padding) + &"订单服务不可用".repeat(400);
        let outcome = send_text(&config, &summary, SendOptions::default()).await;
        assert_eq!(outcome, Outcome::Delivered { reference: String::new() });
        let content =
            vendors.arrivals("wecom")[padding].body["markdown"]["content"].as_str().unwrap().to_owned();
        assert!((4094..=4096).contains(&content.len()), "{padding}: {} bytes", content.len());
        assert!(content.ends_with("…\n<@ops>") && !content.contains('\u{fffd}'), "{content}");
    }
}

#[test]
fn a_throttled_robot_is_left_alone_and_then_told_once() {
    let (clock, config) = (Clock::manual(START), dingtalk);
    let vendors = Vendors::start(clock.clone());
    vendors.answer("dingtalk", Answer::errcode(130_101, "send too fast"));
    let mut post = Post::open(clock, channel(&config(&vendors)));
    post.probe_fails("checkout", "connection refused");
    post.advance(60 * SECOND);
    let first = vendors.arrivals("dingtalk")[0].at;
    assert_eq!((post.attempts.len(), post.delivered()), (1, 0));
    post.advance(1800 * SECOND);
    let arrivals = vendors.arrivals("dingtalk");
    assert_eq!((arrivals.len(), post.delivered()), (2, 1), "{arrivals:?}");
    assert_eq!(arrivals[1].at.since(first), 600 * SECOND);
    assert_eq!(arrivals[0].id, arrivals[1].id);
    assert_eq!(arrivals[0].id.len(), 32);
}

#[test]
fn a_stale_timestamp_is_signed_again_once() {
    let check = |refusals: usize, expected: Verdict| {
        let clock = Clock::manual(START);
        let vendors = Vendors::start(clock.clone());
        let mut post = Post::open(clock, channel(&dingtalk(&vendors)));
        for _ in 0..refusals {
            vendors.answer("dingtalk", Answer::errcode(310_000, "invalid timestamp"));
        }
        post.probe_fails("checkout", "connection refused");
        post.advance(120 * SECOND);
        let deliveries = post.deliveries();
        assert_eq!(deliveries.len(), 1, "{deliveries:?}");
        assert_eq!(deliveries[0].verdict, expected, "{deliveries:?}");
        assert_eq!(vendors.arrivals("dingtalk").len(), 2);
    };
    check(1, Verdict::Delivered);
    check(2, Verdict::Permanent);
}

#[test]
fn a_body_that_is_too_large_is_cut_and_delivered() {
    let clock = Clock::manual(START);
    let vendors = Vendors::start(clock.clone());
    let mut post = Post::open(clock, channel(&dingtalk(&vendors)));
    vendors.answer("dingtalk", Answer::errcode(460_101, "body too large"));
    post.probe_fails(&"订单".repeat(2000), "connection refused");
    post.advance(120 * SECOND);
    let lengths: Vec<usize> =
        vendors.arrivals("dingtalk").iter().map(|arrival| arrival.text().len()).collect();
    assert_eq!((lengths.len(), post.delivered()), (2, 1), "{lengths:?} {:?}", post.attempts);
    assert!(lengths[0] > 4000 && lengths[1] <= 4000, "{lengths:?}");
}

#[test]
fn a_vendor_that_hangs_is_asked_again_under_the_same_key() {
    let clock = Clock::manual(START);
    let vendors = Vendors::start(clock.clone());
    let mut post = Post::open(clock, channel(&format!("webhook: {{ url: \"{}\" }}", vendors.url("webhook"))));
    vendors.answer("webhook", Answer::Hang);
    vendors.answer("webhook", Answer::Hang);
    post.probe_fails("checkout", "connection refused");
    post.advance(120 * SECOND);
    let ids: Vec<String> = vendors.arrivals("webhook").into_iter().map(|arrival| arrival.id).collect();
    assert_eq!((ids.len(), post.delivered()), (3, 1), "{:?}", post.attempts);
    assert!(ids[0].len() == 32 && ids.iter().all(|id| *id == ids[0]), "{ids:?}");
}

#[test]
fn one_number_that_fails_does_not_hide_the_other() {
    let clock = Clock::manual(START);
    let vendors = Vendors::start(clock.clone());
    let mut post = Post::open(clock, channel(&sms(&vendors, "")));
    vendors.answer("sms", Answer::Say(200, r#"{"Code":"isv.MOBILE_NUMBER_ILLEGAL"}"#.to_owned()));
    post.probe_fails("checkout", "connection refused");
    post.advance(120 * SECOND);
    let of = |recipient: &str| {
        let deliveries = post.deliveries().into_iter();
        deliveries
            .filter(|delivery| delivery.recipient == recipient)
            .map(|delivery| delivery.verdict)
            .collect::<Vec<_>>()
    };
    assert_eq!(of("+86138"), [Verdict::Permanent]);
    assert_eq!(of("+86139"), [Verdict::Delivered]);
    assert_eq!(vendors.arrivals("sms").len(), 2);
}

#[test]
fn what_a_log_line_says_is_data_and_never_a_template() {
    let clock = Clock::manual(START);
    let vendors = Vendors::start(clock.clone());
    let more = ", headers: { X-Title: \"{title}\" }, text_bytes_max: 500";
    let mut post = Post::open(clock.clone(), channel(&sms(&vendors, more)));
    let hostile = "a\"b'c {recipient} {{ 7*7 }} \\ </script>\r\nX-Injected: 1\u{0}";
    post.probe_fails(hostile, hostile);
    post.advance(60 * SECOND);
    assert_eq!(post.delivered(), 2, "{:?}", post.attempts);
    for arrival in vendors.arrivals("sms") {
        assert_eq!(arrival.body["content"], format!("[P0] FIRING: {hostile} 不可用"), "{arrival:?}");
        assert!(arrival.headers.get("x-injected").is_none(), "{arrival:?}");
        assert_eq!(arrival.body.as_object().map(serde_json::Map::len), Some(2), "{arrival:?}");
    }

    let mut post = Post::open(clock, channel(&dingtalk(&vendors)));
    post.probe_fails(hostile, hostile);
    post.advance(180 * SECOND);
    assert_eq!(post.delivered(), 1, "{:?}", post.attempts);
    let arrival = &vendors.arrivals("dingtalk")[0];
    assert!(arrival.text().contains("{recipient} {{ 7*7 }}"), "{arrival:?}");
    assert_eq!(arrival.body["at"]["isAtAll"], false, "{arrival:?}");
}

#[tokio::test]
async fn a_webhook_gets_what_alertmanager_sends() {
    let vendors = vendors();
    let config = format!(
        "webhook: {{ url: \"{}\", headers: {{ Authorization: \"Bearer x\" }} }}",
        vendors.url("webhook")
    );
    send(&config, SendOptions::default()).await;
    let arrival = &vendors.arrivals("webhook")[0];
    assert_eq!(arrival.headers["authorization"], "Bearer x");
    assert_eq!(arrival.headers["content-type"], "application/json");
    let labels = serde_json::json!({
        "alertname": "service-down", "priority": "P0", "service_name": "checkout", "team": "pay",
    });
    let annotations = serde_json::json!({
        "summary": "checkout 不可用",
        "text": "[P0] FIRING service-down checkout\ncheckout 不可用\nvalue: no success for 5m\nreason: condition_met\n\
                 started: 2023-11-14 22:13:20 UTC\nservice.name: checkout\ndashboard: https://kibana/1\n> payment refused",
        "reason": "condition_met",
        "dashboard": "https://kibana/1",
    });
    let expected = serde_json::json!({
        "version": "4",
        "groupKey": "service-down:0000000000c0ffee",
        "truncatedAlerts": 0,
        "status": "firing",
        "receiver": "ops",
        "groupLabels": labels,
        "commonLabels": labels,
        "commonAnnotations": annotations,
        "externalURL": "",
        "notificationId": arrival.id,
        "alerts": [{
            "status": "firing",
            "labels": labels,
            "annotations": annotations,
            "startsAt": "2023-11-14T22:13:20.000Z",
            "endsAt": "0001-01-01T00:00:00Z",
            "generatorURL": "",
            "fingerprint": "0000000000c0ffee",
        }],
    });
    assert_eq!(arrival.body, expected, "{:#}", arrival.body);
}

#[tokio::test]
async fn secrets_stay_where_they_are_sent_from() {
    let hidden = "hidden-word";
    let gateway = |body: &str| {
        format!(
            "sms: {{ url: \"http://127.0.0.1:1/{hidden}\", headers: {{ X: {hidden} }}, recipients: ['1'], {body} }}"
        )
    };
    for text in [
        format!("dingtalk: {{ url: \"http://127.0.0.1:1\", token: {hidden}, secret: {hidden} }}"),
        format!("wecom: {{ url: \"http://127.0.0.1:1\", key: {hidden} }}"),
        format!("webhook: {{ url: \"http://127.0.0.1:1/{hidden}\", headers: {{ X: {hidden} }} }}"),
        gateway(&format!("json: {{ key: {hidden} }}")),
        gateway(&format!("form: {{ key: {hidden} }}")),
        format!(
            "email: {{ host: 127.0.0.1, port: 1, security: none, username: u, password: {hidden}, from: a@b.c, to: [a@b.c] }}"
        ),
    ] {
        let config: alerter::ChannelConfig = daemon::config::parse("channel", &text).unwrap();
        let channel = channel(&text);
        let outcome = send(&text, SendOptions::default()).await;
        assert!(matches!(outcome, Outcome::RetryAfter { .. }), "{outcome:?}");
        let said = format!("{config:?} {channel:?} {outcome:?}");
        assert!(!said.contains(hidden), "{said}");
    }
}
