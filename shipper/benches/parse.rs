//! What one record costs to read, for each parser and for `auto`, and one line to join.
//!
//! Each case is a stream of a thousand lines whose times move on as a busy service's do, so that remembered
//! seconds and sticky guesses count as they would in a file.

use std::hint::black_box;

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use event::{Fields, Timestamp};
use shipper::multiline::{Multiline, Preset};
use shipper::parser::{Context, Parser, ParserConfig};

const LINES: usize = 1000;

/// `HH:MM:SS.mmm` of the line with this number, at fifty lines a second.
fn clock(number: usize) -> String {
    let (second, milli) = (number / 50, number % 50 * 20);
    format!("10:{:02}:{:02}.{milli:03}", second / 60, second % 60)
}

fn stream(line: impl Fn(usize, &str) -> String) -> Vec<String> {
    (0..LINES).map(|number| line(number, &clock(number))).collect()
}

fn streams() -> Vec<(&'static str, ParserConfig, Vec<String>)> {
    let app = stream(|number, time| {
        let level = ["INFO ", "INFO ", "INFO ", "WARN ", "ERROR"][number % 5];
        format!(
            "2026-11-23T{time}Z {level} [checkout] [trace={number:016x}] com.example.checkout.Handler - request completed \
             status=200 path=/api/v1/checkout/{number} duration_ms={} seq={number}",
            number % 900
        )
    });
    let boot = stream(|number, time| {
        format!(
            "2026-11-23T{time}+08:00  INFO 4711 --- [checkout] [nio-8080-exec-{}] c.e.checkout.OrderController  : order {number} paid",
            number % 10
        )
    });
    let gin = stream(|number, time| {
        format!(
            "[GIN] 2026/11/23 - {} | 200 |     1.234{}ms |       127.0.0.1 | GET      \"/api/v1/cart/{number}?lang=en\"",
            &time[..8],
            number % 10
        )
    });
    let json = stream(|number, time| {
        format!(
            "{{\"@timestamp\":\"2026-11-23T{time}Z\",\"@version\":\"1\",\"message\":\"request completed status=200 path=/api/v1/cart/{number}\",\
             \"logger_name\":\"com.example.cart.Handler\",\"thread_name\":\"nio-8080-exec-1\",\"level\":\"INFO\",\"level_value\":20000,\"traceId\":\"{number:016x}\"}}"
        )
    });
    let logfmt = stream(|number, time| {
        format!(
            "time=2026-11-23T{time}Z level=info msg=\"request completed\" method=GET path=/api/v1/cart/{number} status=200 duration=1.2ms"
        )
    });
    let nginx = stream(|number, time| {
        format!(
            "203.0.113.7 - - [23/Nov/2026:{} +0000] \"GET /api/v1/cart/{number}?lang=en HTTP/1.1\" 200 5120 \"https://shop.example.com/cart\" \
             \"Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0\" 0.005",
            &time[..8]
        )
    });
    let gc = stream(|number, time| {
        format!(
            "[2026-11-23T{time}+0800][{number}.5s][info][gc,heap     ] GC({number}) ParOldGen: {number}K(98304K)->{number}K(98304K)"
        )
    });
    let text = stream(|number, _| {
        format!(
            "The quick brown fox number {number} jumps over the lazy dog, and then it does the same again until the evening comes"
        )
    });
    vec![
        ("app", ParserConfig::Spring, app),
        ("boot", ParserConfig::Spring, boot),
        ("gin", ParserConfig::Gin, gin),
        ("json", ParserConfig::Json, json),
        ("logfmt", ParserConfig::Logfmt, logfmt),
        ("nginx", ParserConfig::NginxAccess, nginx),
        ("gc", ParserConfig::Gc, gc),
        ("text", ParserConfig::Plain, text),
    ]
}

fn parse(criterion: &mut Criterion) {
    let read_at = Timestamp::from_secs(1_795_429_845);
    for (name, config, lines) in streams() {
        let bytes: usize = lines.iter().map(|line| line.len() + 1).sum();
        for (unit, throughput) in
            [("MB", Throughput::Bytes(bytes as u64)), ("lines", Throughput::Elements(LINES as u64))]
        {
            let mut group = criterion.benchmark_group(format!("parse/{name}/{unit}"));
            group.throughput(throughput);
            for (kind, config) in [("named", config), ("auto", ParserConfig::Auto)] {
                let mut parser = Parser::new(&config, &Context::default());
                group.bench_function(kind, |bencher| {
                    bencher.iter(|| {
                        for line in &lines {
                            let mut fields = Fields::default();
                            parser.parse(line, read_at, &mut fields);
                            black_box(&fields);
                        }
                    });
                });
            }
            group.finish();
        }
    }
}

fn join(criterion: &mut Criterion) {
    for (name, _, lines) in streams() {
        let bytes: usize = lines.iter().map(|line| line.len() + 1).sum();
        let mut group = criterion.benchmark_group(format!("join/{name}"));
        group.throughput(Throughput::Bytes(bytes as u64));
        for (preset, id) in [(Preset::Java, "java"), (Preset::Auto, "auto")] {
            let mut multiline = Multiline::new(&preset.into());
            group.bench_function(id, |bencher| {
                bencher.iter(|| {
                    for line in &lines {
                        black_box(multiline.handle(line.as_bytes(), Timestamp::EPOCH));
                    }
                });
            });
        }
        group.finish();
    }
}

criterion_group! {
    name = benches;
    config = Criterion::default()
        .sample_size(20)
        .warm_up_time(std::time::Duration::from_millis(500))
        .measurement_time(std::time::Duration::from_secs(1));
    targets = parse, join
}
criterion_main!(benches);
