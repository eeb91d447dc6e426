//! The same configuration for both worlds: one shipper on `host-1`, one service, three tiers of channels.
//!
//! Enters: a story's rules, addresses. Leaves: the machines' own types, or the files that the programs read.

use std::collections::BTreeMap;
use std::path::Path;
use std::time::Duration;

use alerter::core::Plan;
use alerter::route::{Route, Routes};
use event::heartbeat::{Heartbeat, Ledger};
use event::{Encoder, Fields, Origin, Record, StreamId, Timestamp};
use rules::rule::Priority;
use shipper::input::file::FileConfig;

use crate::fake::{SECRET, TOKEN, Vendors};

/// The channels of each tier, as the operators wrote them.
pub const TIERS: [(&str, &[&str]); 3] = [
    ("P0", &["oncall-phone", "oncall-sms", "ops-group"]),
    ("P1", &["oncall-sms", "ops-wecom"]),
    ("P2", &["ops-mail"]),
];

/// The service of every scenario.
pub const SERVICE: &str = "checkout";

/// One `file:` input on `paths`, read as the service's log.
///
/// # Panics
/// When the shipper's configuration has become another one.
#[must_use]
pub fn file_input(paths: &str) -> FileConfig {
    let text = format!("{{ paths: [{paths:?}], service: {SERVICE}, multiline: java, parse: auto }}");
    yaml::parse("scenario", &text).unwrap()
}

/// The alerter's plan for these rules.
///
/// # Panics
/// With the rule file's errors.
#[must_use]
pub fn plan(rules: &str) -> Plan {
    let file = rules::rule::load("rules.yml", rules).unwrap_or_else(|error| panic!("{error}"));
    let priorities = [Priority::P0, Priority::P1, Priority::P2];
    let by_priority = priorities.into_iter().zip(TIERS).map(|(priority, (_, channels))| {
        let channels = channels.iter().map(|channel| (*channel).to_owned()).collect();
        (priority, Route { channels, repeat: None })
    });
    let names: Vec<&str> = TIERS.iter().flat_map(|(_, channels)| *channels).copied().collect();
    let recipients: BTreeMap<String, Vec<String>> =
        names.iter().map(|name| ((*name).to_owned(), vec![String::new()])).collect();
    Plan {
        rules: file.rules,
        routes: Routes { by_priority: by_priority.collect(), recipients, zone: String::new() },
        ..Plan::default()
    }
}

/// A heartbeat of a shipper that has shipped everything.
#[must_use]
pub fn heartbeat(now: Timestamp, every: Duration) -> Vec<u8> {
    let heartbeat = Heartbeat {
        host: "host-1".to_owned(),
        agent: "agent-1".to_owned(),
        at: now,
        every,
        services: vec![SERVICE.to_owned()],
        streams: 1,
        backlog_bytes: 0,
        oldest_unshipped: None,
        ledger: Ledger::default(),
    };
    let mut bytes = Vec::new();
    heartbeat.encode(&mut bytes);
    bytes
}

/// What a probe of the service records.
#[must_use]
pub fn probe(now: Timestamp, is_up: bool) -> Vec<u8> {
    let origin = Origin {
        stream: StreamId::derive(&[b"probe", b"host-1", SERVICE.as_bytes()]),
        host: "host-1".to_owned(),
        service: Some(SERVICE.to_owned()),
        path: None,
        dataset: "probe".to_owned(),
        tags: Vec::new(),
        labels: Vec::new(),
    };
    let monitor = event::fields::Monitor {
        id: SERVICE,
        name: SERVICE,
        kind: "http",
        is_up,
        duration_us: 900,
        url: "http://127.0.0.1:8080/health",
    };
    let fields = Fields { timestamp: Some(now), monitor: Some(monitor), ..Fields::default() };
    let text = if is_up { "checkout is up" } else { "checkout is down: connection refused" };
    let offset = u64::try_from(now.as_millis()).unwrap();
    let mut bytes = Vec::new();
    Encoder::new(&origin).encode(&Record { offset, text, created: now, fields: &fields }, &mut bytes);
    bytes
}

/// `shipper.yml` for a world with a broker.
#[must_use]
pub fn shipper_file(folder: &Path, brokers: &str, probed: &str) -> String {
    let folder = folder.display();
    // In a time-lapse, the seconds that a start takes are a silence which pages. So nothing is waited for that may be on its
    // way to the broker (the tests of durability have that at the machine's own pace), and a heartbeat is missed later.
    format!(
        "host: host-1\n\
         inputs:\n  \
         - file: {{ paths: [\"{folder}/log/*.log*\"], service: {SERVICE}, multiline: java, parse: auto }}\n  \
         - probe: {{ name: {SERVICE}, service: {SERVICE}, url: \"{probed}/health\", every: 10s, expect: {{ status: 200, within: 10s }} }}\n\
         output:\n  kafka: {{ brokers: [\"{brokers}\"], topic: logs, resume: none }}\n\
         registry: {{ path: \"{folder}/registry\" }}\nheartbeat: {{ every: 20s }}\n\
         admin: {{ listen: \"127.0.0.1:0\" }}\n"
    )
}

/// `alerter.yml` for a world with a broker; every vendor is stood in for.
#[must_use]
pub fn alerter_file(folder: &Path, brokers: &str, vendors: &Vendors) -> String {
    let folder = folder.display();
    let gateway = |vendor: &str| {
        let url = vendors.url(vendor);
        format!(
            "{{ url: \"{url}\", recipients: [\"+8613800000000\"], json: {{ to: \"{{recipient}}\", content: \"{{text}}\" }}, \
             success: {{ code: /Code, equals: [OK], reference: /BizId }} }}"
        )
    };
    let (voice, sms) = (gateway("voice"), gateway("sms"));
    let (dingtalk, wecom, mail) = (vendors.url("dingtalk"), vendors.url("wecom"), vendors.url("webhook"));
    format!(
        "source:\n  kafka: {{ brokers: [\"{brokers}\"], topic: logs, group: alerter }}\n\
         rules: [\"{folder}/rules.yml\"]\n\
         channels:\n  \
         oncall-phone: {{ voice: {voice} }}\n  \
         oncall-sms: {{ sms: {sms} }}\n  \
         ops-group: {{ dingtalk: {{ url: \"{dingtalk}\", token: {TOKEN}, secret: {SECRET} }} }}\n  \
         ops-wecom: {{ wecom: {{ url: \"{wecom}\", key: {TOKEN} }} }}\n  \
         ops-mail: {{ webhook: {{ url: \"{mail}\" }} }}\n\
         routes:\n  \
         P0: {{ channels: [oncall-phone, oncall-sms, ops-group] }}\n  \
         P1: {{ channels: [oncall-sms, ops-wecom] }}\n  \
         P2: {{ channels: [ops-mail] }}\n\
         state: {{ path: \"{folder}/alerter\" }}\n\
         admin: {{ listen: \"127.0.0.1:0\" }}\n"
    )
}
