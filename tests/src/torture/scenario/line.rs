//! Lines that are long, torn, foreign, or part of a larger record.

use crate::torture::outcome::Missing;
use crate::torture::step::{Step, open, shell, write};
use crate::torture::{Expect, Scale, Scenario, Setting, Style};

/// The limit of the over-long line.
const LINE_BYTES_MAX: u32 = 64 << 10;

const CUT: Expect = Expect { missing: Missing::Tails(LINE_BYTES_MAX as u64), torn: 1, ..Expect::ALL };
const SHORT: Setting = Setting { line_bytes_max: Some(LINE_BYTES_MAX), ..Setting::WORDS };
const LONG: Setting = Setting { line_bytes_max: Some(8 << 20), ..Setting::WORDS };
/// A line of five megabytes is read, encoded and written to the dead letters, and each of them holds it.
const GIANT: Expect = Expect { peak_mb_max: 96, ..Expect::REPORTED };
const UTF16: Setting = Setting { style: Style::Utf16, ..Setting::WORDS };
const FRAMES: Setting = Setting { style: Style::Frames, ..Setting::WORDS };

pub(super) const ALL: &[Scenario] = &[
    Scenario { name: "half-line", setting: Setting::WORDS, expect: Expect::ALL, steps: half_line },
    Scenario { name: "over-long-line", setting: SHORT, expect: CUT, steps: over_long },
    Scenario { name: "giant-line", setting: LONG, expect: GIANT, steps: giant },
    Scenario { name: "utf16", setting: UTF16, expect: Expect::ALL, steps: utf16 },
    Scenario { name: "multiline-rotation", setting: FRAMES, expect: Expect::ALL, steps: multiline },
];

/// The second half comes later: after a while, after a restart, after the file was renamed.
fn half_line(_: Scale) -> Vec<Step> {
    let half = || Step::Half("a".to_owned());
    vec![
        open("a", "app.log"),
        write("a", 100),
        half(),
        Step::Start,
        Step::During(super::clock(), vec![Step::Lines(2000)]),
        write("a", 100),
        half(),
        Step::During(super::clock(), vec![Step::Lines(500)]),
        Step::Kill,
        Step::Start,
        write("a", 100),
        Step::Shipped,
        half(),
        shell("mv app.log app.log.1"),
        write("a", 100),
        open("a", "app.log"),
        write("a", 100),
        Step::Shipped,
    ]
}

/// Reading goes on behind a line that is longer than the limit.
fn over_long(_: Scale) -> Vec<Step> {
    vec![
        open("a", "app.log"),
        write("a", 100),
        Step::Long("a".to_owned(), 300_000),
        Step::Start,
        write("a", 500),
        Step::Shipped,
    ]
}

/// The shipper keeps the line, and no broker takes it.
fn giant(_: Scale) -> Vec<Step> {
    vec![
        open("a", "app.log"),
        open("b", "app.log.b"),
        write("a", 100),
        Step::Long("a".to_owned(), 5 << 20),
        Step::Start,
        write("a", 500),
        write("b", 500),
        Step::Shipped,
    ]
}

/// A letter may have a line feed's byte in it, and a kill may come between the two bytes of one.
fn utf16(scale: Scale) -> Vec<Step> {
    let round = vec![
        write("a", 500),
        Step::Half("a".to_owned()),
        Step::Shipped,
        Step::Stop,
        Step::Start,
        write("a", 200),
        shell("mv app.log app.log.1"),
        open("a", "app.log"),
        write("a", 300),
        Step::Shipped,
    ];
    vec![open("a", "app.log"), Step::Start, Step::Repeat(scale.pick(1, 10), round)]
}

/// The last record of a file has its first line there and the others in the next file.
fn multiline(scale: Scale) -> Vec<Step> {
    let round = vec![
        write("a", 100),
        Step::Half("a".to_owned()),
        shell("mv app.log app.log.1"),
        open("a", "app.log"),
        write("a", 100),
        Step::Shipped,
    ];
    vec![open("a", "app.log"), Step::Start, Step::Repeat(scale.pick(2, 20), round)]
}
