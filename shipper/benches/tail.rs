//! Bytes of a file a second: read, frame, parse `auto`, encode, to nowhere. Every record is acked at once.
//!
//! `cargo bench -p shipper --bench tail`. The file lies in memory where there is such a place, so that the disk is not
//! what is measured.

#![expect(clippy::expect_used, reason = "a benchmark that cannot set itself up measures nothing")]

use std::fmt::Write;
use std::hint::black_box;

use criterion::{BatchSize, Criterion, Throughput, criterion_group, criterion_main};
use daemon::Readiness;
use event::Timestamp;
use shipper::batch::{Fate, Outbox, Settled};
use shipper::input::file::{Deps, FileConfig, FileInput, PinnedConfig, Poll};
use shipper::route::{LaneId, Lanes};
use tempfile::TempDir;

const LINES: usize = 200_000;

fn folder() -> TempDir {
    TempDir::new_in("/dev/shm").or_else(|_| TempDir::new()).expect("a temporary folder")
}

fn plain(line: usize, text: &mut String) {
    let _ = writeln!(
        text,
        "worker {line} of the nightly import has taken the next part of its list and goes on with what it finds there, \
         as it did for each of the {} parts before this one",
        line * 7
    );
}

fn spring(line: usize, text: &mut String) {
    let _ = writeln!(
        text,
        "2026-11-23 10:{:02}:{:02}.{:03}  INFO 4711 --- [nio-8080-exec-{}] c.e.shop.checkout.CheckoutService       : \
         order {line} for customer {} accepted, total 42.50 EUR",
        line / 60_000 % 60,
        line / 1000 % 60,
        line % 1000,
        line % 10,
        line * 7
    );
}

fn json(line: usize, text: &mut String) {
    let _ = writeln!(
        text,
        r#"{{"@timestamp":"2026-11-23T10:{:02}:{:02}.{:03}Z","log.level":"INFO","message":"order {line} accepted","service.name":"checkout","customer":{},"total":42.5}}"#,
        line / 60_000 % 60,
        line / 1000 % 60,
        line % 1000,
        line * 7
    );
}

/// Reads the folder to its end; gives the number of records.
fn drain(input: &mut FileInput, out: &mut Outbox, now: Timestamp) -> usize {
    let (mut records, mut settled) = (0, Vec::new());
    loop {
        let poll = input.poll(now, out);
        let batch = out.batch(LaneId::MAIN).expect("the main lane");
        records += batch.entries.len();
        settled.clear();
        let acked = |ticket| Settled { ticket, fate: Fate::Acked };
        settled.extend(batch.entries.iter().filter_map(|entry| entry.ticket.map(acked)));
        black_box(&batch.bytes);
        batch.clear();
        input.settle(&settled, now);
        if poll == Poll::Idle {
            return records;
        }
    }
}

fn tail(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("tail");
    for (name, line) in [("plain", plain as fn(usize, &mut String)), ("spring", spring), ("json", json)] {
        let (logs, mut text) = (folder(), String::new());
        for number in 0..LINES {
            line(number, &mut text);
        }
        std::fs::write(logs.path().join("app.log"), &text).expect("the log");
        group.sample_size(10).throughput(Throughput::Bytes(text.len() as u64)).bench_function(
            name,
            |bencher| {
                let mut out = Outbox::new(&Lanes::single());
                let open = || {
                    let state = folder();
                    let yaml = format!("paths: ['{}/*.log']", logs.path().display());
                    let config: FileConfig = yaml::parse("bench", &yaml).expect("a configuration");
                    let deps = Deps {
                        pinned: PinnedConfig::default(),
                        host: "host".to_owned(),
                        registry: state.path().to_owned(),
                        readiness: Readiness::default(),
                        lanes: Lanes::single(),
                    };
                    let now = Timestamp::from_secs(1_795_000_000);
                    (FileInput::open(vec![config], deps, now).expect("an input"), state, now)
                };
                bencher.iter_batched_ref(
                    open,
                    |(input, _, now)| assert_eq!(drain(input, &mut out, *now), LINES),
                    BatchSize::PerIteration,
                );
            },
        );
    }
    group.finish();
}

criterion_group!(benches, tail);
criterion_main!(benches);
