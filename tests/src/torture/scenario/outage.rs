//! Kills, and parts that fail: the broker, the disk, the rights, the descriptors.

use crate::torture::step::{Load, Step, open, shell, write};
use crate::torture::{Broker, Expect, Scale, Scenario, Setting, Style};

const OWN: Setting = Setting { broker: Broker::Own, ..Setting::WORDS };
const DROP: Setting = Setting { pinned: Some("drop_oldest"), ..OWN };
const SPOOL: Setting = Setting { pinned: Some("spool"), ..OWN };
const GUARDED: Setting = Setting { broker: Broker::Guarded, ..Setting::WORDS };
const SMALL_DISK: Setting = Setting { is_state_small: true, ..Setting::WORDS };
const FEW: Setting = Setting { style: Style::Tiny, descriptors: Some(64), ..Setting::WORDS };
/// A shipper that cannot send does not work.
const IDLE: Expect = Expect { cpu_percent_max: Some(5), growth_mb_max: Some(4), ..Expect::ALL };

pub(super) const ALL: &[Scenario] = &[
    Scenario { name: "kills", setting: Setting::WORDS, expect: Expect::ALL, steps: kills },
    Scenario { name: "broker-gone", setting: OWN, expect: IDLE, steps: broker_gone },
    Scenario { name: "budget-drop", setting: DROP, expect: Expect::REPORTED, steps: budget },
    Scenario { name: "budget-spool", setting: SPOOL, expect: Expect::ALL, steps: budget },
    Scenario { name: "denied", setting: GUARDED, expect: IDLE, steps: denied },
    Scenario { name: "state-full", setting: SMALL_DISK, expect: Expect::ALL, steps: state_full },
    Scenario { name: "state-full-kill", setting: SMALL_DISK, expect: Expect::ALL, steps: state_full_kill },
    Scenario { name: "few-descriptors", setting: FEW, expect: Expect::ALL, steps: few_descriptors },
];

/// `kill -9` at any moment of two thousand lines a second, with rotation.
fn kills(scale: Scale) -> Vec<Step> {
    let kill = vec![Step::SomeLines(scale.pick(2000, 6000)), Step::Kill, Step::Start];
    let steps = vec![Step::Repeat(scale.pick(10, 50), kill), Step::Lines(1000)];
    vec![Step::Start, Step::During(Load::rotated(2000, 7000, 99), steps), Step::Shipped]
}

/// The broker dies and comes back; meanwhile the log grows and is rotated.
fn broker_gone(scale: Scale) -> Vec<Step> {
    let steps = vec![
        Step::Lines(5000),
        Step::BrokerDown,
        // Its queues fill.
        Step::Lines(60_000),
        Step::Watch(vec![Step::Lines(scale.pick(20_000, 2_000_000))]),
        Step::BrokerUp,
        Step::Lines(5000),
    ];
    vec![
        Step::Start,
        Step::During(Load::rotated(scale.pick(10_000, 5000), 10_000, 999), steps),
        Step::Shipped,
    ]
}

/// The broker is gone while generations come and are deleted, more of them than the user allows to be kept.
fn budget(scale: Scale) -> Vec<Step> {
    let steps = vec![
        Step::Lines(10_000),
        Step::BrokerDown,
        Step::Lines(scale.pick(120_000, 1_200_000)),
        Step::BrokerUp,
        Step::Lines(5000),
    ];
    vec![Step::Start, Step::During(Load::rotated(10_000, 5000, 1), steps), Step::Shipped]
}

/// The right to write is taken away for a while.
fn denied(scale: Scale) -> Vec<Step> {
    let steps = vec![
        Step::Lines(3000),
        Step::Deny,
        Step::Lines(60_000),
        Step::Watch(vec![Step::Lines(scale.pick(20_000, 600_000))]),
        Step::Allow,
        Step::Lines(5000),
    ];
    vec![
        Step::Start,
        Step::During(Load::rotated(scale.pick(10_000, 5000), 10_000, 999), steps),
        Step::Shipped,
    ]
}

const FILL: &str = "head -c 2m /dev/zero > ../state/fill 2>/dev/null || true";

/// There is no room for the registry; reading and sending go on.
fn state_full(scale: Scale) -> Vec<Step> {
    let full = vec![
        Step::Lines(1000),
        shell(FILL),
        Step::Lines(scale.pick(3000, 60_000)),
        shell("rm ../state/fill"),
    ];
    let steps = vec![Step::Repeat(scale.pick(2, 5), full), Step::Lines(2000)];
    vec![Step::Start, Step::During(Load::rotated(1000, 2000, 99), steps), Step::Shipped]
}

/// What was sent while nothing could be written down is not sent again after a kill.
fn state_full_kill(scale: Scale) -> Vec<Step> {
    let steps = vec![
        Step::Lines(1000),
        shell(FILL),
        Step::Lines(scale.pick(3000, 60_000)),
        Step::Kill,
        shell("rm ../state/fill"),
        Step::Start,
        Step::Lines(1000),
    ];
    vec![Step::Start, Step::During(Load::rotated(1000, 2000, 99), steps), Step::Shipped]
}

/// Five hundred files that all grow, and sixty-four descriptors for everything.
fn few_descriptors(scale: Scale) -> Vec<Step> {
    let names: Vec<String> = (0..500).map(|number| format!("f{number}")).collect();
    let each = |step: &dyn Fn(&str) -> Step| names.iter().map(|name| step(name)).collect::<Vec<_>>();
    [
        each(&|name| open(name, &format!("app.log.{name}"))),
        vec![Step::Start, Step::Repeat(scale.pick(30, 500), each(&|name| write(name, 2)))],
        vec![Step::Shipped, Step::Repeat(5, each(&|name| write(name, 3))), Step::Shipped],
    ]
    .concat()
}
