//! Files that look like others.

use crate::torture::step::{Load, Step, open, shell, write};
use crate::torture::{Expect, Scale, Scenario, Setting, Style};

const TINY: Setting = Setting { style: Style::Tiny, ..Setting::WORDS };
const MOUNTS: Setting = Setting { has_mounts: true, ..Setting::WORDS };

pub(super) const ALL: &[Scenario] = &[
    Scenario { name: "inode-reuse", setting: Setting::WORDS, expect: Expect::ALL, steps: inode_reuse },
    Scenario {
        name: "identical-heads",
        setting: Setting::WORDS,
        expect: Expect::ALL,
        steps: identical_heads,
    },
    Scenario { name: "ten-bytes", setting: TINY, expect: Expect::ALL, steps: ten_bytes },
    Scenario { name: "symlink-retarget", setting: Setting::WORDS, expect: Expect::ALL, steps: retarget },
    Scenario { name: "linked-twice", setting: Setting::WORDS, expect: Expect::ALL, steps: linked_twice },
    Scenario { name: "bind-mount", setting: MOUNTS, expect: Expect::ALL, steps: bind_mount },
    Scenario { name: "share-blinks", setting: MOUNTS, expect: Expect::ALL, steps: share_blinks },
];

/// Another file under the inode of one that was read: smaller than what was read of that, then larger.
fn inode_reuse(_: Scale) -> Vec<Step> {
    let reuse = |lines: u64| {
        vec![
            Step::Stop,
            // The pen lets go of the file, or its inode is not free.
            open("a", "elsewhere.txt"),
            Step::ReuseInode("app.log".to_owned()),
            open("a", "app.log"),
            write("a", lines),
            Step::Start,
            Step::Shipped,
        ]
    };
    [vec![open("a", "app.log"), write("a", 500), Step::Start, Step::Shipped], reuse(100), reuse(2000)]
        .concat()
}

/// Many files begin with the same four kilobytes, and have nothing else for a while.
fn identical_heads(scale: Scale) -> Vec<Step> {
    let names: Vec<String> = (0..scale.pick(20, 500)).map(|number| format!("f{number}")).collect();
    let each = |step: &dyn Fn(&str) -> Step| names.iter().map(|name| step(name)).collect::<Vec<_>>();
    [
        each(&|name| open(name, &format!("app.log.{name}"))),
        each(&|name| Step::Banner(name.to_owned(), 4096)),
        vec![Step::Start],
        each(&|name| write(name, 50)),
        vec![Step::Shipped, Step::Stop, Step::Start],
        each(&|name| write(name, 50)),
        vec![Step::Shipped],
    ]
    .concat()
}

/// Files of one line of ten bytes; they are read at once, and known again after a restart.
fn ten_bytes(_: Scale) -> Vec<Step> {
    let names: Vec<String> =
        "tuvwxyz".chars().flat_map(|letter| (0..10).map(move |digit| format!("{letter}{digit}"))).collect();
    let each = |step: &dyn Fn(&str) -> Step| names.iter().map(|name| step(name)).collect::<Vec<_>>();
    [
        each(&|name| open(name, &format!("app.log.{name}"))),
        each(&|name| write(name, 1)),
        vec![Step::Start, Step::Shipped, Step::Stop, Step::Start, Step::Shipped],
        each(&|name| write(name, 1)),
        vec![Step::Shipped],
    ]
    .concat()
}

/// A link that names today's file names tomorrow's, before today's was read to its end.
fn retarget(_: Scale) -> Vec<Step> {
    vec![
        open("a", "day-1.txt"),
        write("a", 500),
        shell("ln -s day-1.txt app.log"),
        Step::Start,
        Step::Shipped,
        open("b", "day-2.txt"),
        Step::Freeze,
        write("a", 2000),
        shell("ln -sfn day-2.txt app.log"),
        write("b", 700),
        Step::Thaw,
        Step::Shipped,
        write("b", 300),
        Step::Shipped,
    ]
}

/// A file under three names that all match, one of them after it was read.
fn linked_twice(_: Scale) -> Vec<Step> {
    vec![
        open("a", "app.log"),
        write("a", 500),
        shell("ln -s app.log app.log.current"),
        Step::Start,
        Step::Shipped,
        shell("ln app.log app.log.hard"),
        write("a", 500),
        Step::Shipped,
        shell("mv app.log app.log.1"),
        open("a", "app.log"),
        write("a", 500),
        Step::Shipped,
        Step::Stop,
        Step::Start,
        write("a", 100),
        Step::Shipped,
    ]
}

/// A file that a bind mount shows under a second name that matches too; the mount goes and comes back.
fn bind_mount(_: Scale) -> Vec<Step> {
    let bind = || Step::Bind("app.log".to_owned(), "app.log.bound".to_owned());
    let unbind = || Step::Unmount("app.log.bound".to_owned());
    vec![
        open("a", "app.log"),
        write("a", 500),
        shell(": > app.log.bound"),
        bind(),
        Step::Start,
        write("a", 500),
        Step::Shipped,
        unbind(),
        write("a", 500),
        Step::Shipped,
        bind(),
        Step::Stop,
        Step::Start,
        write("a", 500),
        Step::Shipped,
    ]
}

/// The file system of the logs is not there for a while, twice: while the shipper runs, and while it starts.
fn share_blinks(scale: Scale) -> Vec<Step> {
    let away = scale.pick(3, 90) * 200;
    let back = || Step::Unmount(String::new());
    let steps = vec![
        Step::Start,
        Step::Lines(300),
        Step::Cover,
        Step::Lines(away),
        back(),
        Step::Lines(300),
        Step::Stop,
        Step::Cover,
        Step::Start,
        Step::Lines(away),
        back(),
        Step::Lines(300),
    ];
    vec![open("b", "app.log.old"), write("b", 500), Step::During(Load::steady(200), steps), Step::Shipped]
}
