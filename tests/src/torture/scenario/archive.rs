//! A log that is compressed before it was read to its end.

use crate::torture::step::{Step, open, shell, write};
use crate::torture::{Expect, Scale, Scenario, Setting};

pub(super) const ALL: &[Scenario] = &[
    Scenario { name: "gzip", setting: Setting::WORDS, expect: Expect::ALL, steps: |_| archive("gzip") },
    Scenario {
        name: "zstd",
        setting: Setting::WORDS,
        expect: Expect::ALL,
        steps: |_| archive("zstd -q --rm"),
    },
    Scenario { name: "gzip-kills", setting: Setting::WORDS, expect: Expect::ALL, steps: kills },
];

/// Half-read and compressed: while the shipper is away, while it stands still, and when it has read everything.
fn archive(command: &str) -> Vec<Step> {
    let rotate = |number: u64| shell(&format!("mv app.log app.log.{number}; {command} app.log.{number}"));
    vec![
        open("a", "app.log"),
        write("a", 1000),
        Step::Start,
        Step::Shipped,
        Step::Stop,
        write("a", 2000),
        rotate(1),
        open("a", "app.log"),
        write("a", 300),
        Step::Start,
        Step::Shipped,
        Step::Freeze,
        write("a", 2000),
        rotate(2),
        open("a", "app.log"),
        write("a", 300),
        Step::Thaw,
        Step::Shipped,
        rotate(3),
        open("a", "app.log"),
        write("a", 300),
        Step::Shipped,
    ]
}

/// Killed while it reads an archive of which it had read the beginning as a plain file.
fn kills(scale: Scale) -> Vec<Step> {
    let (lines, kills) = (scale.pick(60_000, 600_000), scale.pick(4, 20));
    let kill = vec![Step::Start, Step::During(super::clock(), vec![Step::SomeLines(600)]), Step::Kill];
    vec![
        open("a", "app.log"),
        write("a", 1000),
        Step::Start,
        Step::Shipped,
        Step::Stop,
        write("a", lines),
        shell("mv app.log app.log.1; gzip -1 app.log.1"),
        Step::Repeat(kills, kill),
        Step::Start,
        Step::Shipped,
    ]
}
