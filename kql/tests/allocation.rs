//! A compiled query allocates nothing for an event: counted, not believed.
#![expect(unsafe_code, reason = "a counting allocator is an unsafe trait; this binary is a test alone")]

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;

use event::{Event, Timestamp, Value};
use kql::Query;

thread_local! {
    static ALLOCATIONS: Cell<usize> = const { Cell::new(0) };
}

/// The system's allocator, with a count for each thread.
struct Counting;

// SAFETY: every call goes to the system's allocator unchanged; the count is a plain thread-local cell.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        ALLOCATIONS.set(ALLOCATIONS.get() + 1);
        // SAFETY: the caller's promise about `layout` is passed on.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        // SAFETY: `pointer` came from `alloc` above, with this layout.
        unsafe { System.dealloc(pointer, layout) }
    }
}

#[global_allocator]
static COUNTING: Counting = Counting;

fn allocations(work: impl FnOnce() -> bool) -> (bool, usize) {
    let before = ALLOCATIONS.get();
    let outcome = work();
    (outcome, ALLOCATIONS.get() - before)
}

#[test]
fn matching_allocates_nothing() {
    assert_eq!(allocations(|| String::with_capacity(1).capacity() > 0), (true, 1), "the count counts");
    let mut event = Event::new(Timestamp::EPOCH);
    for (path, value) in [
        ("message", Value::Text("Zeitüberschreitung: Connection refused by ПЛАТЁЖ-1, 超时")),
        ("log.level", Value::Text("error")),
        ("http.response.status_code", Value::Int(500)),
        ("jvm.memory.old.used_pct", Value::Float(0.86)),
        ("source.ip", Value::Text("10.1.2.3")),
        ("source.port", Value::Text("not an address")),
        ("event.created", Value::Text("2026-11-23T18:30:46+08:00")),
        ("event.end", Value::Text("soon")),
        ("labels.due", Value::Text("2026-12-01T00:00:00Z")),
    ] {
        event.push(path, value);
    }
    let queries = [
        "log.level: (error or fatal) and not http.response.status_code < 500",
        "message: ZEITÜBERSCHREITUNG and message: \"connection refused\" and message: платёж*",
        "message: (*超* or \"超时\") and nowhere* or 10.0.0.0/8",
        "http.*: 5* and *.used_pct > 0.85 and *: 0.86",
        "source.ip: 10.0.0.0/8 and not *.ip: \"2001:db8::/32\"",
        "event.created > 2026-11-23 or event.end: 2026 or labels.due >= 2026-12-01 or labels.due > zzz",
        "http: { response: { status_code: * } } and not missing.keyword: x",
    ];
    for text in queries {
        let query = Query::parse(text).unwrap();
        assert_eq!(allocations(|| query.matches(&event)), (true, 0), "{text}");
    }
}
