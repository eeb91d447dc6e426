use event::heartbeat::Ledger;
use event::{StreamId, Timestamp};

use super::table::render;
use crate::input::file::{Order, Waiting};
use crate::registry::{Entry, Losses, Peeked, Print};
use crate::status::{Ask, PresenceName, SkippedRow, StatusPage, StreamRow, Totals};

fn row(path: &str, size: u64, offset: u64) -> StreamRow {
    StreamRow {
        stream: StreamId::derive(&[path.as_bytes()]),
        path: path.to_owned(),
        service: None,
        device: 1,
        inode: 2,
        presence: PresenceName::Present,
        missing_since: None,
        is_open: true,
        size,
        read: size,
        offset,
        is_caught_up: true,
        records: offset / 100,
        ledger: Ledger { written: size, acked: offset, pending: size - offset, ..Ledger::default() },
        losses: Losses::default(),
        behind_since: None,
        rate: None,
        waits_for: None,
        error: None,
    }
}

fn page(secs: i64, streams: Vec<StreamRow>) -> StatusPage {
    let ledger = streams.iter().fold(Ledger::default(), |sum, row| sum.plus(row.ledger));
    StatusPage {
        at: Some(Timestamp::from_secs(secs)),
        is_running: true,
        version: "1.2.3".to_owned(),
        host: "web-1".to_owned(),
        is_ready: true,
        parts: [("kafka", "ok"), ("registry", "ok")].map(|(a, b)| (a.to_owned(), b.to_owned())).into(),
        totals: Totals { streams: streams.len() as u64, files_open: 1, ledger, ..Totals::default() },
        streams,
        streams_more: 0,
        skipped: Vec::new(),
        skipped_more: 0,
    }
}

#[test]
fn one_healthy_stream_is_one_line() {
    let before = page(1_795_000_000, vec![row("/var/log/a.log", 10_240, 10_240)]);
    let mut now = page(1_795_000_002, vec![row("/var/log/a.log", 1_048_576, 1_024_000)]);
    now.streams[0].behind_since = Some(Timestamp::from_secs(1_795_000_001));
    now.add_rates(&before);
    insta::assert_snapshot!(render(&now), @r"
    host web-1, shipper 1.2.3, at 2026-11-18T11:06:42.000Z: ready
      kafka     ok
      registry  ok

    written     acked  filtered  lost   pending  in flight  behind  bytes/s  records/s  state  path
    1.0 MiB  1000 KiB       0 B   0 B  24.0 KiB   24.0 KiB   1.0 s  495 KiB      5,069  open   /var/log/a.log
    ");
}

#[test]
fn what_is_wrong_is_named() {
    let mut lossy = row("/var/log/b.log", 4_000, 4_000);
    lossy.losses = Losses { truncated: 2048, line_too_long: 3, ..Losses::default() };
    lossy.ledger = Ledger { acked: 1_949, lost: 2_051, ..lossy.ledger };
    let mut failing = row("/var/log/c.log", 100, 0);
    failing.error = Some("Permission denied (os error 13)".to_owned());
    let mut missing = row("/var/log/d.log", 5, 5);
    (missing.presence, missing.missing_since) =
        (PresenceName::Missing, Some(Timestamp::from_secs(1_794_999_000)));
    let mut page = page(1_795_000_000, vec![failing, lossy, missing]);
    page.totals.losses = page.streams[1].losses;
    page.is_ready = false;
    page.parts.insert("kafka".to_owned(), "no broker answers".to_owned());
    (page.totals.streams, page.streams_more) = (1_203, 1_200);
    page.skipped =
        vec![SkippedRow { path: "/var/log/x.log".to_owned(), reason: "a link to nothing".to_owned() }];
    page.skipped_more = 4;
    insta::assert_snapshot!(render(&page), @r"
    host web-1, shipper 1.2.3, at 2026-11-18T11:06:40.000Z: not ready
      kafka     no broker answers
      registry  ok

    written    acked  filtered     lost  pending  in flight  behind  bytes/s  records/s  state            path
      100 B      0 B       0 B      0 B    100 B      100 B       -        -          -  failing          /var/log/c.log
    3.9 KiB  1.9 KiB       0 B  2.0 KiB      0 B        0 B       -        -          -  open             /var/log/b.log
        5 B      5 B       0 B      0 B      0 B        0 B       -        -          -  missing 16m 40s  /var/log/d.log
    4.0 KiB  1.9 KiB       0 B  2.0 KiB    100 B          -       -        -          -  sum              of 1,203 streams, 1 open, and of those that are gone
    and 1,200 more; --all shows them

    wrong:
      lost in all: 3 B line_too_long, 2.0 KiB truncated
      /var/log/c.log: Permission denied (os error 13)
      /var/log/b.log: lost: 3 B line_too_long, 2.0 KiB truncated

    not read:
      /var/log/x.log: a link to nothing
      and 4 more; --json has them
    ");
}

#[test]
fn a_file_that_waits_for_a_refused_topic_says_so() {
    let mut page = page(1_795_000_000, vec![row("/var/log/a.log", 10, 4)]);
    page.streams[0].waits_for = Some(Waiting { topic: "dbg".to_owned(), part: "output.dbg".to_owned() });
    page.parts.insert("output.dbg".to_owned(), "ok".to_owned());
    assert!(!render(&page).contains("waits for"), "it is only behind");
    page.parts.insert("output.dbg".to_owned(), "topic `dbg` is not there".to_owned());
    assert!(render(&page).contains("\n  /var/log/a.log: waits for topic dbg, see output.dbg\n"));
}

#[test]
fn json_has_the_documented_shape_and_reads_back() {
    let page = page(1_795_000_000, vec![row("/var/log/a.log", 10, 4)]);
    let json = serde_json::to_value(&page).unwrap();
    assert_eq!(json["at"], "2026-11-18T11:06:40.000Z");
    assert_eq!(json["streams"][0]["presence"], "present");
    assert_eq!(
        json["streams"][0]["ledger"],
        serde_json::json!({ "written": 10, "acked": 4, "filtered": 0, "lost": 0, "pending": 6 })
    );
    assert_eq!(serde_json::from_value::<StatusPage>(json).unwrap(), page);
}

fn entry(path: &str, offset: u64, size: u64, lost: u64) -> Entry {
    Entry {
        stream: StreamId::derive(&[path.as_bytes()]),
        path: path.to_owned(),
        device: 1,
        inode: 2,
        birth: None,
        generation: 0,
        offset,
        size,
        packed: None,
        aside: false,
        head: Print::default(),
        tail: Print::default(),
        filtered: 1,
        lost: Losses { vanished: lost, ..Losses::default() },
        seen: Timestamp::from_secs(1),
    }
}

/// Without a shipper: the sums hold, files are as long as they are now, and the worst come first.
#[test]
fn the_registry_speaks_alone() {
    let entries = vec![entry("/a/1", 10, 10, 0), entry("/a/2", 10, 10, 0), entry("/b/3", 10, 10, 5)];
    let peeked =
        Peeked { entries, committed_at: Some(Timestamp::from_secs(1_795_000_000)), ..Peeked::default() };
    let size_of =
        |entry: &Entry| (entry.path != "/b/3").then_some(if entry.path == "/a/2" { 40 } else { 10 });
    let check = |ask: Ask, expected: &[&str], more: u64| {
        let page = StatusPage::of_registry("web-1".to_owned(), &peeked, &ask, size_of);
        let paths: Vec<&str> = page.streams.iter().map(|row| row.path.as_str()).collect();
        assert_eq!((paths, page.streams_more), (expected.to_vec(), more));
        assert_eq!(page.totals.ledger, Ledger { written: 60, acked: 22, filtered: 3, lost: 5, pending: 30 });
    };
    check(Ask { order: Order::Worst, ..Ask::default() }, &["/b/3", "/a/2", "/a/1"], 0);
    check(Ask { rows: Some(1), ..Ask::default() }, &["/a/1"], 2);
    check(Ask { under: Some("/a".into()), ..Ask::default() }, &["/a/1", "/a/2"], 0);
    check(Ask { under: Some("/b/3".into()), ..Ask::default() }, &["/b/3"], 0);
}
