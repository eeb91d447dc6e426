//! A log that is cut in place.

use crate::torture::step::{Load, Step, open, rename_chain, shell, write};
use crate::torture::{Expect, Scale, Scenario, Setting};

pub(super) const ALL: &[Scenario] = &[
    Scenario { name: "copytruncate", setting: Setting::WORDS, expect: Expect::ALL, steps: copy_matches },
    Scenario { name: "copytruncate-over", setting: Setting::WORDS, expect: Expect::ALL, steps: copy_over },
    Scenario {
        name: "copytruncate-away",
        setting: Setting::WORDS,
        expect: Expect::REPORTED,
        steps: copy_away,
    },
    Scenario { name: "copytruncate-down", setting: Setting::WORDS, expect: Expect::ALL, steps: copy_down },
    Scenario {
        name: "rewrite-shorter",
        setting: Setting::WORDS,
        expect: Expect::ALL,
        steps: |_| rewrite(122),
    },
    Scenario { name: "rewrite-equal", setting: Setting::WORDS, expect: Expect::ALL, steps: |_| rewrite(610) },
    Scenario {
        name: "rewrite-longer",
        setting: Setting::WORDS,
        expect: Expect::ALL,
        steps: |_| rewrite(1220),
    },
];

/// The copy matches the glob: what was not read before the cut is read there, and nothing else of it. Older copies move
/// on, as with logrotate.
fn copy_matches(scale: Scale) -> Vec<Step> {
    let chain = rename_chain(5).replace("mv app.log app", "cp app.log app");
    copied(&chain, scale)
}

/// The same, but each copy is written over the one before, into the same file.
fn copy_over(scale: Scale) -> Vec<Step> {
    copied("cp app.log app.log.1", scale)
}

/// The copy lies where nobody looks: what was not read before the cut is said to be lost. Nobody can say it of what was
/// written and cut between two looks, so the cut comes a moment after the last line.
fn copy_away(scale: Scale) -> Vec<Step> {
    copied("sleep 0.1; cp app.log ../saved", scale)
}

fn copied(copy: &str, scale: Scale) -> Vec<Step> {
    let load = Load::copied(2000, 3000, copy);
    vec![Step::Start, Step::During(load, vec![Step::Lines(scale.pick(10_000, 120_000))]), Step::Shipped]
}

/// It is copied and cut while the shipper is away; then it grows to less, and to more, than what was read of it.
fn copy_down(_: Scale) -> Vec<Step> {
    let round = |lines: u64, copy: &str| {
        let cut = format!("cp app.log {copy}; : > app.log");
        let down = [Step::Stop, write("a", 700), shell(&cut), write("a", lines), Step::Start, Step::Shipped];
        [vec![write("a", 1000), Step::Shipped], down.to_vec()].concat()
    };
    [vec![open("a", "app.log"), Step::Start], round(300, "app.log.1"), round(3000, "app.log.2")].concat()
}

/// Cut and written anew with the same first two kilobytes, once while the shipper runs and once while it is away. Of 610
/// lines the sum of the lengths is the same, wherever they start: they go through every length ten times.
fn rewrite(lines: u64) -> Vec<Step> {
    let banner = || Step::Banner("a".to_owned(), 2100);
    let again = |lines: u64| vec![shell(": > app.log"), banner(), write("a", lines)];
    [
        // Numbers of four digits from here on.
        vec![open("a", "app.log.0"), write("a", 1000), open("a", "app.log"), banner(), write("a", 610)],
        vec![Step::Start, Step::Shipped],
        again(lines),
        vec![Step::Shipped],
        again(610),
        vec![Step::Shipped, Step::Stop],
        again(lines),
        vec![Step::Start, Step::Shipped],
    ]
    .concat()
}
