mod level;

use std::time::Duration;

use event::heartbeat::Ledger;
use event::{StreamId, Timestamp};

use super::decide::decide;
use super::facts::{Facts, FileFacts, Lies, look, meetings};
use super::lane::lanes;
use super::line::Line;
use super::{render, split};
use crate::config::Config;
use crate::registry::Losses;
use crate::status::{PresenceName, SkippedRow, StatusPage, StreamRow, Totals};

const NOW: i64 = 1_795_000_000;

fn config(input: &str) -> Config {
    let text = format!(
        "inputs:\n  - file: {{ {input} }}\noutput: {{ kafka: {{ brokers: ['b:9092'], topic: logs }} }}\n"
    );
    daemon::config::parse("shipper.yml", &text).unwrap()
}

/// A file of 1000 bytes at `path`, written five seconds ago, and a shipper that is ready and knows nothing.
fn facts(input: &str, path: &str) -> Facts {
    let path = std::path::PathBuf::from(path);
    let inputs = meetings(&config(input), &path).unwrap();
    Facts {
        lanes: lanes(&config(input), &inputs),
        inputs,
        path,
        config_name: "shipper.yml".to_owned(),
        now: Timestamp::from_secs(NOW),
        lies: Lies::File(FileFacts {
            size: 1000,
            modified: Timestamp::from_secs(NOW - 5),
            device: 1,
            inode: 2,
            is_link: false,
            unreadable: None,
            ends_whole: true,
        }),
        page: StatusPage {
            at: Some(Timestamp::from_secs(NOW)),
            is_running: true,
            version: "1.2.3".to_owned(),
            host: "web-1".to_owned(),
            is_ready: true,
            parts: [("kafka", "ok"), ("output", "ok")].map(|(a, b)| (a.to_owned(), b.to_owned())).into(),
            totals: Totals::default(),
            streams: Vec::new(),
            streams_more: 0,
            skipped: Vec::new(),
            skipped_more: 0,
        },
        nobody: None,
        line: None,
        leveled: None,
        debug_until: None,
        dead_letter: None,
    }
}

/// The same file, of which so much was read and settled.
fn known(input: &str, path: &str, read: u64, offset: u64) -> Facts {
    let mut facts = facts(input, path);
    facts.page.streams.push(StreamRow {
        stream: StreamId::from_u128(0xab),
        path: path.to_owned(),
        service: None,
        device: 1,
        inode: 2,
        presence: PresenceName::Present,
        missing_since: None,
        is_open: true,
        size: read.max(1000),
        read,
        offset,
        is_caught_up: false,
        records: 0,
        ledger: Ledger {
            written: read.max(1000),
            acked: offset,
            pending: read.max(1000) - offset,
            ..Ledger::default()
        },
        losses: Losses::default(),
        behind_since: None,
        rate: None,
        waits_for: None,
        error: None,
    });
    facts
}

fn file(facts: &mut Facts) -> &mut FileFacts {
    match &mut facts.lies {
        Lies::File(file) => file,
        other => panic!("{other:?}"),
    }
}

/// The answer, and the way out that stands under it.
#[track_caller]
fn check(facts: &Facts, answer: &str, way_out: &str) {
    let page = render("it", &decide(facts));
    let last = page.lines().last().unwrap();
    assert!(last.strip_prefix("answer: ").unwrap().contains(answer), "{page}without\n{answer}");
    assert!(page.contains(way_out), "{page}without\n{way_out}");
}

const INPUT: &str = "paths: ['/var/log/*.log'], exclude: ['skip*'], ignore_older: 1d";

#[test]
fn the_whole_way_of_a_file_that_is_shipped() {
    let page = render("/var/log/a.log", &decide(&known(INPUT, "/var/log/a.log", 1000, 1000)));
    insta::assert_snapshot!(page, @r"
    /var/log/a.log
      ok     a file of 1000 B, changed 5.0 s ago
      ok     inputs[0] reads it, by /var/log/*.log
      ok     shipper 1.2.3 answers
             stream 000000000000000000000000000000ab: 1000 B written = 1000 B acked + 0 B filtered + 0 B lost + 0 B pending
      ok     everything that is in it is shipped
    answer: nothing keeps it from being shipped
    ");
}

#[test]
fn the_whole_way_of_a_file_behind_a_broker_that_is_down() {
    let mut facts = known(INPUT, "/var/log/a.log", 800, 300);
    facts.page.parts.insert("kafka".to_owned(), "no broker answers: b:9092: Connection refused".to_owned());
    facts.page.streams[0].losses.truncated = 10;
    facts.page.streams[0].ledger.lost = 10;
    let page = render("/var/log/a.log", &decide(&facts));
    insta::assert_snapshot!(page, @r"
    /var/log/a.log
      ok     a file of 1000 B, changed 5.0 s ago
      ok     inputs[0] reads it, by /var/log/*.log
      ok     shipper 1.2.3 answers
             stream 000000000000000000000000000000ab: 1000 B written = 300 B acked + 0 B filtered + 10 B lost + 700 B pending
             10 B are lost: truncated or rewritten before it was read
      STOPS  the output takes nothing (kafka): no broker answers: b:9092: Connection refused
             -> nothing is lost: the file is read on when the output takes records again
      STOPS  500 B are on their way: read, and not acknowledged yet
             -> wait; if it lasts, the output says why
      STOPS  200 B are not read yet
             -> the shipper is behind; `shipper status` shows how fast it goes
    answer: the output takes nothing (kafka): no broker answers: b:9092: Connection refused
    ");
}

#[test]
fn the_output_is_asked_for_the_files_own_way() {
    let audit = "paths: ['/var/log/*.log'], topic: audit";
    let mut facts = known(audit, "/var/log/a.log", 800, 300);
    facts.page.parts.insert("output".to_owned(), "topic `logs` is not there".to_owned());
    check(&facts, "500 B are on their way", "");
    facts.page.parts.insert("output.audit".to_owned(), "topic `audit` is not there".to_owned());
    check(&facts, "the output takes nothing (output.audit): topic `audit` is not there", "nothing is lost");
}

#[test]
fn what_is_no_file() {
    let path = "/var/log/a.log";
    for (lies, answer) in [
        (Lies::Nothing(path.into()), "nothing lies there"),
        (Lies::Nothing("/var/log".into()), "nothing lies there: /var/log is not there"),
        (
            Lies::Hidden("/var/log".into(), "Permission denied".to_owned()),
            "this user may not look into /var/log: Perm",
        ),
        (Lies::Dangling("/gone".into()), "a link to /gone, which is not there"),
        (Lies::Other("a folder"), "a folder, not a file"),
    ] {
        check(&Facts { lies, ..facts(INPUT, path) }, answer, "->");
    }
    let mut gone = known(INPUT, path, 1000, 900);
    gone.lies = Lies::Nothing(path.into());
    gone.page.streams[0].presence = PresenceName::Deleted;
    check(
        &gone,
        "nothing lies there",
        "a file that lay there is deleted, and held open: 1000 B written = 900 B acked",
    );
}

#[test]
fn what_no_pattern_means() {
    check(
        &facts(INPUT, "/var/log/a.txt"),
        "no pattern means it; inputs[0] comes nearest with /var/log/*.log: `a.txt` is not `*.log`",
        "-> add the path to an input's `paths` in shipper.yml",
    );
    check(
        &facts(INPUT, "/var/log/skip.log"),
        "inputs[0] would read it by /var/log/*.log, and leaves it out by `exclude: skip*`",
        "-> take `skip*` out",
    );
    let probe = "inputs: [{ probe: { name: p, url: 'tcp://h:1' } }]\noutput: { stdout: {} }\n";
    let probe: Config = daemon::config::parse("shipper.yml", probe).unwrap();
    let inputs = meetings(&probe, std::path::Path::new("/a")).unwrap();
    check(&Facts { inputs, ..facts(INPUT, "/a") }, "no input reads files", "add a `file:` to `inputs`");
    // A rotated file keeps its stream, so no pattern is missed.
    check(
        &known(INPUT, "/var/log/a.log.1", 1000, 1000),
        "nothing keeps it",
        "it is held open and read to its end",
    );
}

#[test]
fn what_the_shipper_does_not_read() {
    let path = "/var/log/a.log";
    let mut silent = facts(INPUT, path);
    silent.nobody = Some("no shipper answers at 127.0.0.1:9601: Connection refused".to_owned());
    check(&silent, "no shipper answers at 127.0.0.1:9601", "start it: `shipper run -c shipper.yml`");

    let mut unreadable = facts(INPUT, path);
    file(&mut unreadable).unreadable = Some("Permission denied".to_owned());
    check(&unreadable, "this user cannot read it: Permission denied", "ask as the shipper's user");
    let mut theirs = known(INPUT, path, 1000, 1000);
    file(&mut theirs).unreadable = Some("Permission denied".to_owned());
    check(&theirs, "nothing keeps it", "the shipper's can");

    let mut old = facts(INPUT, path);
    file(&mut old).modified = Timestamp::from_secs(NOW).minus(Duration::from_secs(190_800));
    check(&old, "not changed for 2d 5h; `ignore_older` is 1d", "once it changes it is read");
    let mut skipped = facts(INPUT, path);
    skipped.page.skipped = vec![SkippedRow { path: path.to_owned(), reason: "too many files".to_owned() }];
    check(&skipped, "the shipper leaves it alone: too many files", "->");
    skipped.page.skipped[0].reason = "`files_max` is 5, and as many are followed".to_owned();
    check(&skipped, "`files_max` is 5", "narrow the pattern");
    check(&facts(INPUT, path), "the shipper does not know the file", "send it SIGHUP");

    let mut failing = known(INPUT, path, 0, 0);
    failing.page.streams[0].error = Some("Input/output error".to_owned());
    check(&failing, "the shipper cannot read it: Input/output error", "it is tried again every second");
}

#[test]
fn another_name_of_a_file_is_told() {
    let mut link = known(INPUT, "/var/log/b.log", 1000, 1000);
    link.page.streams[0].path = "/var/log/a.log".to_owned();
    file(&mut link).is_link = true;
    check(&link, "nothing keeps it", "the link leads to /var/log/a.log, and is read by that name");
    let mut other = known(INPUT, "/var/log/a.log", 1000, 1000);
    file(&mut other).inode = 3;
    check(&other, "the shipper does not know the file", "the shipper knows another file by this name");
}

#[test]
fn what_waits_at_the_end_of_a_file() {
    let mut joining = known(INPUT, "/var/log/a.log", 950, 950);
    joining.page.streams[0].is_caught_up = true;
    check(&joining, "the last 50 B wait: the next line may belong to them", "time-out of `multiline`");
    file(&mut joining).ends_whole = false;
    check(&joining, "the last 50 B have no line end yet", "once it is whole");
    let mut late = known("paths: ['/var/log/*.log'], start: end", "/var/log/a.log", 1000, 1000);
    late.page.streams[0].ledger = Ledger { written: 1000, acked: 100, filtered: 900, ..Ledger::default() };
    check(&late, "nothing keeps it", "before the input first ran is not (`start: end`)");
}

#[test]
fn what_became_of_a_line() {
    let line = |start, end| Line {
        number: 7,
        start,
        end,
        is_whole: true,
        is_empty: false,
        record: Some(start),
        left_out: None,
        level: None,
    };
    let asked = |line| {
        let mut facts = known(INPUT, "/var/log/a.log", 800, 500);
        facts.line = Some(Ok(line));
        facts
    };
    let id = "000000000000000000000000000000ab";
    check(&asked(line(100, 200)), "nothing keeps it", &format!("it is shipped; look for event.id: {id}"));
    let inside = Line { record: Some(50), ..line(100, 200) };
    check(&asked(inside), "nothing keeps it", "a part of the record that begins at byte 50");
    check(&asked(line(600, 700)), "300 B are on their way", "line 7 is bytes 600 to 700");
    check(&asked(line(900, 990)), "190 B are not read yet", "the shipper is behind");
    check(&asked(Line { is_empty: true, ..line(100, 101) }), "an empty line: it is no record", "");
    let left_out = Line { left_out: Some("drop"), ..line(100, 200) };
    check(&asked(left_out), "processor `drop` leaves its record out", "see `processors` of the input");
    check(&asked(Line { is_whole: false, ..line(900, 990) }), "have no line end yet", "");
    check(&Facts { line: Some(Err(3)), ..asked(line(0, 1)) }, "the file has 3 lines only", "rotated");

    let mut waiting = asked(line(900, 1000));
    waiting.page.streams[0].is_caught_up = true;
    check(&waiting, "wait: the next line may belong to them", "");
    let mut refused = asked(line(100, 200));
    refused.dead_letter = Some(("too large".to_owned(), "/reg/dead-letters.ndjson".into()));
    check(
        &refused,
        "the broker refused its record for good: too large",
        "it lies in /reg/dead-letters.ndjson",
    );
    let mut long = known("paths: ['/var/log/*.log'], line_bytes_max: 1KiB", "/var/log/a.log", 5000, 5000);
    long.line = Some(Ok(line(0, 3072)));
    check(&long, "nothing keeps it", "its last 2.0 KiB are cut off and lost");
    let mut before = known("paths: ['/var/log/*.log'], start: end", "/var/log/a.log", 1000, 1000);
    before.page.streams[0].ledger = Ledger { written: 1000, acked: 100, filtered: 900, ..Ledger::default() };
    before.line = Some(Ok(line(100, 200)));
    check(&before, "it most likely was there before the input first ran", "`start: beginning`");
    before.line = Some(Ok(line(900, 1000)));
    check(&before, "nothing keeps it", "it is shipped");
}

#[test]
fn a_number_behind_a_colon_is_a_line_unless_a_file_has_that_name() {
    for (text, is_there, expected) in [
        ("/a/b.log", false, ("/a/b.log", None)),
        ("/a/b.log:12", false, ("/a/b.log", Some(12))),
        ("/a/b.log:12", true, ("/a/b.log:12", None)),
        ("/a/b.log:0", false, ("/a/b.log:0", None)),
        ("/a/b:c", false, ("/a/b:c", None)),
    ] {
        assert_eq!(split(text, |_| is_there), (expected.0.into(), expected.1), "{text}");
    }
}

#[test]
fn the_disk_is_looked_at() {
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name);
    std::fs::write(path("whole"), "a\n").unwrap();
    std::fs::write(path("half"), "a\nb").unwrap();
    std::os::unix::fs::symlink(path("whole"), path("link")).unwrap();
    std::os::unix::fs::symlink(path("gone"), path("dangling")).unwrap();
    let describe = |lies: Lies| match lies {
        Lies::File(file) => format!("file {} {} {}", file.size, file.is_link, file.ends_whole),
        other => format!("{other:?}").replace(&format!("{}/", folder.path().display()), ""),
    };
    for (name, expected) in [
        ("whole", "file 2 false true"),
        ("half", "file 3 false false"),
        ("link", "file 2 true true"),
        ("dangling", "Dangling(\"gone\")"),
        ("none/deeper", "Nothing(\"none\")"),
        (".", "Other(\"a folder\")"),
    ] {
        assert_eq!(describe(look(&path(name))), expected, "{name}");
    }
}
