//! What one record costs: encoding (the shipper's hot path) and decoding (the alerter's).

use std::hint::black_box;

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use event::decode::{Received, decode};
use event::{Encoder, Event, Fields, Level, Origin, Record, StreamId, Timestamp};

const PLAIN: &str = "2026-11-23T00:00:12.345Z INFO  [checkout] [trace=9f1c2ab34d5e6f70] \
    com.example.checkout.Handler - request completed status=200 path=/api/v1/checkout/51234 duration_ms=412 seq=12345";
const ACCESS: &str = "203.0.113.7 - alice [23/Nov/2026:10:30:45 +0000] \"GET /api/v1/checkout/51234?lang=en HTTP/1.1\" \
    200 5120 \"https://shop.example.com/cart\" \"Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0\"";

fn origin() -> Origin {
    Origin {
        stream: StreamId::derive(&[b"host", b"/var/log/app/app.log"]),
        host: "web-1.example.com".to_owned(),
        service: Some("checkout".to_owned()),
        path: Some("/var/log/app/app.log".to_owned()),
        dataset: "log".to_owned(),
        tags: vec![],
        labels: vec![],
    }
}

fn plain() -> Fields<'static> {
    let timestamp = Some(Timestamp::from_millis(1_795_392_012_345));
    Fields { timestamp, level: Some(Level::Info), ..Fields::default() }
}

fn access() -> Fields<'static> {
    Fields {
        timestamp: Some(Timestamp::from_secs(1_795_429_845)),
        level: Some(Level::Info),
        http_method: Some("GET".into()),
        http_referrer: Some("https://shop.example.com/cart".into()),
        http_status: Some(200),
        http_body_bytes: Some(5120),
        http_version: Some("1.1".into()),
        url_path: Some("/api/v1/checkout/51234".into()),
        url_query: Some("lang=en".into()),
        url_original: Some("/api/v1/checkout/51234?lang=en".into()),
        source_address: Some("203.0.113.7".into()),
        user_name: Some("alice".into()),
        user_agent: Some("Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0".into()),
        ..Fields::default()
    }
}

fn codec(criterion: &mut Criterion) {
    let encoder = Encoder::new(&origin());
    let created = Timestamp::from_millis(1_795_429_845_678);
    let cases = [("plain", PLAIN, plain()), ("access", ACCESS, access())];
    let mut group = criterion.benchmark_group("codec");
    for (name, text, fields) in &cases {
        let record = Record { offset: 123_456_789, text, created, fields };
        let mut out = Vec::with_capacity(4096);
        group.throughput(Throughput::Bytes(text.len() as u64));
        group.bench_function(format!("encode/{name}"), |bencher| {
            bencher.iter(|| {
                out.clear();
                encoder.encode(black_box(&record), &mut out);
                black_box(&out);
            });
        });
        let payload = out.clone();
        let mut event = Event::default();
        group.throughput(Throughput::Bytes(payload.len() as u64));
        group.bench_function(format!("decode/{name}"), |bencher| {
            let received =
                Received { topic: "logs", partition: 0, offset: 1, timestamp: created, payload: &payload };
            bencher.iter(|| decode(black_box(&received), &mut event));
        });
    }
    let mut event = Event::default();
    let flat: &[u8] = br#"{"timestamp":"2026-11-23T10:30:45.123456Z","host":"web-1","file":"/var/log/app.log","level":"INFO","message":"request completed status=200 path=/api/v1/checkout/51234 duration_ms=412","source_type":"file"}"#;
    group.throughput(Throughput::Bytes(flat.len() as u64));
    group.bench_function("decode/flat", |bencher| {
        let received = Received { topic: "logs", partition: 0, offset: 1, timestamp: created, payload: flat };
        bencher.iter(|| decode(black_box(&received), &mut event));
    });
    group.finish();
}

/// Why `push_timestamp` is written by hand: each record has two, and the general formatter is the comparison.
fn timestamp(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("timestamp");
    let mut out = Vec::with_capacity(64);
    let time = Timestamp::from_millis(1_795_429_845_678);
    group.bench_function("push", |bencher| {
        bencher.iter(|| {
            out.clear();
            event::encode::push_timestamp(&mut out, black_box(time));
            black_box(&out);
        });
    });
    let peer = jiff::Timestamp::from_millisecond(1_795_429_845_678).unwrap_or_default();
    group.bench_function("jiff", |bencher| {
        bencher.iter(|| {
            out.clear();
            let written = std::io::Write::write_fmt(&mut out, format_args!("{:.3}", black_box(peer)));
            black_box((&out, written.is_ok()));
        });
    });
    group.finish();
}

criterion_group!(benches, codec, timestamp);
criterion_main!(benches);
