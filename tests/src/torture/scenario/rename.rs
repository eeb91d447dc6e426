//! A log that is renamed, as logrotate, log4j and people do.

use crate::torture::step::{Load, Step, open, rename_chain, shell, write};
use crate::torture::{Expect, Scale, Scenario, Setting};

pub(super) const ALL: &[Scenario] = &[
    Scenario { name: "rename", setting: Setting::WORDS, expect: Expect::ALL, steps: rename },
    Scenario {
        name: "rename-chain-lagging",
        setting: Setting::WORDS,
        expect: Expect::ALL,
        steps: chain_lagging,
    },
    Scenario { name: "rename-chain-down", setting: Setting::WORDS, expect: Expect::ALL, steps: chain_down },
    Scenario { name: "rename-out", setting: Setting::WORDS, expect: Expect::ALL, steps: rename_out },
    Scenario { name: "rotate-fast", setting: Setting::WORDS, expect: Expect::ALL, steps: rotate_fast },
    Scenario { name: "freeze", setting: Setting::WORDS, expect: Expect::REPORTED, steps: freeze },
];

/// The service goes on writing to the renamed file for a while.
fn rename(scale: Scale) -> Vec<Step> {
    let round = vec![
        write("a", 500),
        shell(&rename_chain(50)),
        write("a", 200),
        open("a", "app.log"),
        write("a", 300),
        Step::Shipped,
    ];
    vec![open("a", "app.log"), write("a", 500), Step::Start, Step::Repeat(scale.pick(2, 20), round)]
}

/// Several generations come and move on while the shipper stands still.
fn chain_lagging(scale: Scale) -> Vec<Step> {
    let rotation = vec![write("a", 2000), shell(&rename_chain(99)), open("a", "app.log")];
    vec![
        open("a", "app.log"),
        write("a", 1000),
        Step::Start,
        Step::Shipped,
        Step::Freeze,
        Step::Repeat(scale.pick(5, 50), rotation),
        write("a", 500),
        Step::Thaw,
        Step::Shipped,
    ]
}

/// The same while it is not there; it has read half of the first.
fn chain_down(scale: Scale) -> Vec<Step> {
    let rotation = vec![write("a", 2000), shell(&rename_chain(99)), open("a", "app.log")];
    vec![
        open("a", "app.log"),
        write("a", 1000),
        Step::Start,
        Step::Shipped,
        Step::Stop,
        Step::Repeat(scale.pick(5, 50), rotation),
        write("a", 500),
        Step::Start,
        Step::Shipped,
    ]
}

/// The file leaves the glob before it was read to its end, and its service goes on writing to it.
fn rename_out(scale: Scale) -> Vec<Step> {
    vec![
        open("a", "app.log"),
        write("a", 1000),
        Step::Start,
        Step::Shipped,
        Step::Freeze,
        write("a", scale.pick(5000, 50_000)),
        shell("mv app.log moved.txt"),
        Step::Thaw,
        write("a", 500),
        // Another file takes the name before the late lines come.
        open("b", "app.log"),
        write("b", 500),
        Step::Shipped,
        write("a", 500),
        Step::Shipped,
    ]
}

/// A generation each second, at five thousand lines a second.
fn rotate_fast(scale: Scale) -> Vec<Step> {
    let load = Load::rotated(5000, 5000, 9);
    vec![Step::Start, Step::During(load, vec![Step::Lines(scale.pick(25_000, 300_000))]), Step::Shipped]
}

/// The shipper stands still while whole generations come and go.
fn freeze(scale: Scale) -> Vec<Step> {
    let load = Load::rotated(5000, 5000, 1);
    let stop = vec![Step::Lines(7500), Step::Freeze, Step::Lines(15_000), Step::Thaw, Step::Lines(5000)];
    vec![Step::Start, Step::During(load, vec![Step::Repeat(scale.pick(1, 5), stop)]), Step::Shipped]
}
