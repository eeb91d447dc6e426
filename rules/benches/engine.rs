//! Events per second through the engine: 100 and 1000 rules, half of which demand an equality.
//!
//! Run with `cargo bench -p rules`. The numbers are for reading; no test depends on them.

#![expect(clippy::unwrap_used, reason = "a benchmark stops where its input is wrong")]

use std::hint::black_box;
use std::time::Duration;

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use event::{Event, EventId, StreamId, Timestamp, Value};
use rules::{Engine, Input, Rule, Settings};

const SERVICES: usize = 200;
const EVENTS: usize = 10_000;

/// Of ten rules five demand a service, three look for a word in the message of one level, and two for a word in
/// any message.
fn rules(count: usize) -> Vec<Rule> {
    let mut text = String::from("rules:\n");
    for at in 0..count {
        let service = at % SERVICES;
        let matches = match at % 10 {
            0..5 => format!("service.name: \"service-{service}\" and log.level: (error or fatal)"),
            5..8 => format!("log.level: warn and message: *word-{at}*"),
            _ => format!("message: *word-{at}*"),
        };
        text.push_str(&format!(
            "  - name: rule-{at}\n    priority: P2\n    match: '{matches}'\n    group_by: [service.name]\n    condition: {{ count: {{ above: 100000, \
             window: 1m }} }}\n    summary: x\n"
        ));
    }
    rules::rule::load("bench.yml", &text).unwrap().rules
}

/// A tenth of the events are errors; nothing in a message is a word that a rule looks for.
fn events() -> Vec<Event> {
    let start = Timestamp::from_secs(1_767_225_600);
    let record = |at: usize| {
        let mut event = Event::new(start.plus(Duration::from_millis(at as u64)));
        event.set_id(EventId { stream: StreamId::from_u128((at % 50) as u128), offset: at as u64 });
        let host = format!("host-{}", at % 50);
        let service = format!("service-{}", at % SERVICES);
        let level =
            ["info", "info", "info", "warn", "info", "info", "error", "info", "info", "debug"][at % 10];
        event.push("host.name", Value::Text(&host));
        event.push("log.file.path", Value::Text("/var/log/app/app.log"));
        event.push("log.offset", Value::Int(at as i64));
        event.push("log.level", Value::Text(level));
        event.push("service.name", Value::Text(&service));
        event.push("event.dataset", Value::Text("log"));
        event.push("process.thread.name", Value::Text("http-nio-8080-exec-7"));
        event.push(
            "message",
            Value::Text("GET /api/v1/orders/58231 completed in 12 ms with status 200 for user 4711"),
        );
        event
    };
    (0..EVENTS).map(record).collect()
}

fn engine(criterion: &mut Criterion) {
    let events = events();
    let mut group = criterion.benchmark_group("engine");
    group.throughput(Throughput::Elements(EVENTS as u64)).sample_size(10);
    for count in [10, 100, 1000] {
        let rules = rules(count);
        let settings = Settings::default();
        group.bench_function(format!("{count} rules"), |bencher| {
            bencher.iter_batched_ref(
                || Engine::new(rules.clone(), settings.clone()),
                |engine| {
                    let mut out = Vec::new();
                    for event in &events {
                        engine.handle(Input::Event(event), event.timestamp(), &mut out);
                    }
                    black_box(out)
                },
                criterion::BatchSize::PerIteration,
            );
        });
    }
    group.finish();
}

criterion_group!(benches, engine);
criterion_main!(benches);
