use std::path::{Path, PathBuf};

use event::Fields;
use jiff::tz::TimeZone;

use super::Gc;
use crate::parser::time::Clock;
use crate::parser::{ParserConfig, shape};

fn check(lines: &[&str], expected: &[&str]) {
    assert_eq!(shape::show_each(ParserConfig::Gc, lines), expected, "{lines:?}");
}

#[test]
fn unified_parallel() {
    check(
        &[
            "[2026-11-23T08:31:14.509+0800][0.666s][info][gc,heap     ] GC(0) ParOldGen: 0K(98304K)->8K(98304K)",
            "[2026-11-23T08:31:14.509+0800][0.666s][info][gc          ] GC(0) Pause Young (Allocation Failure) 24M->2M(124M) 7.142ms",
        ],
        &[
            "2026-11-23T00:31:14.509Z info message=GC(0) ParOldGen: 0K(98304K)->8K(98304K) logger=gc,heap gc=- old=8K/98304K heap=-/-",
            "2026-11-23T00:31:14.509Z info message=GC(0) Pause Young (Allocation Failure) 24M->2M(124M) 7.142ms logger=gc gc=Pause Young (Allocation Failure) old=-/- heap=2048K/126976K",
        ],
    );
}

#[test]
fn unified_g1_needs_the_lines_of_one_collection() {
    let lines = [
        "[0.007s][info][gc,init] Heap Region Size: 1M",
        "[0.342s][info][gc,heap] GC(0) Eden regions: 6->0(6)",
        "[0.342s][info][gc,heap] GC(0) Survivor regions: 0->1(1)",
        "[0.342s][info][gc,heap] GC(0) Old regions: 0->1",
        "[0.342s][info][gc,heap] GC(0) Archive regions: 2->2",
        "[0.342s][info][gc,heap] GC(0) Humongous regions: 0->3",
        "[0.342s][info][gc     ] GC(0) Pause Young (Normal) (G1 Evacuation Pause) 6M->2M(128M) 8.987ms",
        "[0.400s][info][gc     ] GC(1) Pause Remark 2M->2M(128M) 0.1ms",
    ];
    let whole = shape::show_each(ParserConfig::Gc, &lines);
    assert!(whole[6].ends_with("old=6144K/123904K heap=2048K/131072K"), "{}", whole[6]);
    assert!(whole[7].ends_with("gc=Pause Remark old=-/- heap=2048K/131072K"), "{}", whole[7]);
    // Without the first line the region's size follows from what the heap uses.
    let later = shape::show_each(ParserConfig::Gc, &lines[1..]);
    assert!(later[5].ends_with("old=6144K/123904K heap=2048K/131072K"), "{}", later[5]);
}

#[test]
fn unified_without_generations() {
    check(
        &[
            "[0.640s][info][gc,heap] GC(0) Max Capacity: 128M(100%)",
            "[0.640s][info][gc] GC(0) Garbage Collection (Warmup) 14M(11%)->8M(6%)",
        ],
        &[
            "info message=GC(0) Max Capacity: 128M(100%) logger=gc,heap",
            "info message=GC(0) Garbage Collection (Warmup) 14M(11%)->8M(6%) logger=gc gc=Garbage Collection (Warmup) old=-/- heap=8192K/131072K",
        ],
    );
}

#[test]
fn jdk8() {
    check(
        &[
            "0.051: [GC (Allocation Failure) [PSYoungGen: 512K->480K(1024K)] 512K->496K(261632K), 0.0007 secs] [Times: user=0.01]",
            "1.136: [Full GC (System.gc()) [PSYoungGen: 32K->0K(14336K)] [ParOldGen: 1680K->1619K(32768K)] 1712K->1619K(47104K), [Metaspace: 3K->3K(4K)], 0.01 secs]",
            "2018-03-03T19:37:06.157+0500: 14.8: [GC (CMS Initial Mark) [1 CMS-initial-mark: 131804K(174784K)] 142444K(253440K), 0.002 secs]",
            "10.498: [GC (Allocation Failure) 10.498: [ParNew",
            ": 69952K->4389K(78656K), 0.0062930 secs] 69952K->14389K(253440K), 0.0063730 secs]",
            "   [Eden: 5120.0K(5120.0K)->0.0B(3072.0K) Survivors: 0.0B->1024.0K Heap: 8878.7K(13.0M)->5628.7K(13.0M)]",
        ],
        &[
            "info gc=GC (Allocation Failure) old=16K/260608K heap=496K/261632K",
            "info gc=Full GC (System.gc()) old=1619K/32768K heap=1619K/47104K",
            "2018-03-03T14:37:06.157Z info gc=GC (CMS Initial Mark) old=131804K/174784K heap=142444K/253440K",
            "info",
            "info gc=- old=10000K/174784K heap=14389K/253440K",
            "info gc=- old=4604K/9216K heap=5628K/13312K",
        ],
    );
}

#[test]
fn other_lines() {
    check(
        &[
            "hello",
            "[main] INFO x",
            "[2018-05-17T08:19:35,939][INFO ][o.e.n.Node] [] x",
            ": 1K->1K(2K)",
            "10.5: hello",
            "",
        ],
        &["unrecognised"; 6],
    );
}

/// KiB, rounded as the expected values are: a half goes to the even neighbour.
fn kib(bytes: u64) -> u64 {
    let (whole, rest) = (bytes / 1024, bytes % 1024);
    whole + u64::from(rest > 512 || rest == 512 && whole % 2 == 1)
}

/// The old generation's series of a log: line, used KiB, maximum KiB.
fn series(log: &str) -> Vec<(usize, u64, u64)> {
    let (mut gc, mut clock) = (Gc::default(), Clock::new(TimeZone::UTC));
    let mut rows = Vec::new();
    for (number, line) in (1..).zip(log.lines()) {
        let mut fields = Fields::default();
        gc.parse(line, &mut clock, &mut fields);
        let old = fields.jvm.and_then(|jvm| jvm.old_used.zip(jvm.old_max));
        rows.extend(old.map(|(used, max)| (number, kib(used), kib(max))));
    }
    rows
}

/// The same from the file of expected values; rows of the heap alone are left out.
fn expected(csv: &str) -> Vec<(usize, u64, u64)> {
    let row = |line: &str| {
        let columns: Vec<&str> = line.split(',').collect();
        Some((columns.first()?.parse().ok()?, columns.get(6)?.parse().ok()?, columns.get(7)?.parse().ok()?))
    };
    csv.lines().skip(1).filter_map(row).collect()
}

#[test]
fn real_logs_give_the_expected_series() {
    let data = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../shared/data");
    let Ok(summary) = std::fs::read_to_string(data.join("gc-logs/summary.jsonl")) else {
        println!("skipped: {} is not there", data.display());
        return;
    };
    let mut wrong = Vec::new();
    for log in summary.lines() {
        let log: serde_json::Value = serde_json::from_str(log).unwrap();
        let path = |key: &str| -> PathBuf { data.join(log[key].as_str().unwrap()) };
        let found = series(&std::fs::read_to_string(path("file")).unwrap());
        let expected = expected(&std::fs::read_to_string(path("expected")).unwrap());
        let same = expected.iter().filter(|row| found.contains(row)).count();
        println!("{}: {same} of {} rows, {} found", log["file"], expected.len(), found.len());
        if found != expected {
            let first = expected.iter().find(|row| !found.contains(row));
            let extra = found.iter().find(|row| !expected.contains(row));
            wrong.push(format!(
                "{}: {same} of {}, missing {first:?}, extra {extra:?}",
                log["file"],
                expected.len()
            ));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

proptest::proptest! {
    #[test]
    fn no_text_makes_it_panic(lines in proptest::collection::vec(r"(\[|\]|GC\(1\) |Eden regions: |Old regions: |->|\(|\)|[0-9]{1,21}|[KMG]|\[1\.0s\]\[info\]\[gc\] |1\.0: \[GC |\[ParNew|CMS-remark: |Pause |é| ){0,12}", 0..6)) {
        let (mut gc, mut clock) = (Gc::default(), Clock::new(TimeZone::UTC));
        for line in &lines {
            let mut fields = Fields::default();
            gc.parse(line, &mut clock, &mut fields);
            shape::assert_inside(line, &fields);
        }
    }
}
