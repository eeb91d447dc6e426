use event::{EventId, StreamId};

use super::*;
use crate::bulk::cost;

mod property;

const LINGER: Duration = Duration::from_millis(500);

fn limits(documents: usize, bytes: usize) -> Limits {
    Limits {
        bounds: Bounds { bytes, documents },
        linger: LINGER,
        retry_first: Duration::from_secs(1),
        retry_max: Duration::from_secs(8),
    }
}

fn document(partition: i32, offset: i64) -> Document {
    Document {
        id: EventId {
            stream: StreamId::from_u128(partition.unsigned_abs().into()),
            offset: offset.unsigned_abs(),
        },
        source: Bytes::from_static(b"{}"),
        topic: "logs".into(),
        partition,
        offset,
        timestamp: Timestamp::EPOCH,
    }
}

fn answer(statuses: &[u16]) -> Answer {
    let items: Vec<String> = statuses
        .iter()
        .map(|status| match status {
            200..=299 => format!(r#"{{"create":{{"status":{status}}}}}"#),
            _ => format!(r#"{{"create":{{"status":{status},"error":{{"type":"kind","reason":"why"}}}}}}"#),
        })
        .collect();
    Answer { status: 200, body: format!(r#"{{"items":[{}]}}"#, items.join(",")).into() }
}

/// A core and its clock, moved by words.
struct Bench {
    core: Core,
    now: Timestamp,
}

impl Bench {
    fn new(limits: Limits) -> Self {
        Bench { core: Core::new(limits), now: Timestamp::from_secs(1000) }
    }

    /// One step: `+500` (milliseconds), `docs 1 2 3` (offsets of partition 0), `ok` or `away` (of a check), `items 201
    /// 429` or `status 413` or `lost` (of a request), `buried` or `unburied`, `drain`. Returns what comes out.
    fn step(&mut self, step: &str) -> Vec<Output> {
        let mut words = step.split_whitespace();
        let verb = words.next().unwrap();
        let numbers: Vec<u16> = words.map(|word| word.parse().unwrap()).collect();
        let mut out = Vec::new();
        let away = || "away".to_owned();
        let input = match verb {
            "docs" => {
                Input::Documents(numbers.iter().map(|offset| document(0, i64::from(*offset))).collect())
            }
            "ok" => Input::Checked(Ok(())),
            "away" => Input::Checked(Err(away())),
            "items" => Input::Answered(Ok(answer(&numbers))),
            "status" => Input::Answered(Ok(Answer { status: numbers[0], body: Bytes::new() })),
            "lost" => Input::Answered(Err(away())),
            "buried" => Input::Buried(Ok(())),
            "unburied" => Input::Buried(Err("full".to_owned())),
            "drain" => Input::Drain,
            span => {
                self.now =
                    self.now.plus(Duration::from_millis(span.trim_start_matches('+').parse().unwrap()));
                self.core.tick(self.now, &mut out);
                return out;
            }
        };
        self.core.handle(input, self.now, &mut out);
        out
    }
}

fn offsets(body: &Bytes) -> String {
    let text = String::from_utf8_lossy(body);
    let ids =
        text.lines().step_by(2).filter_map(|line| Some(line.rsplit_once('-')?.1.trim_end_matches("\"}}")));
    ids.collect::<Vec<_>>().join(" ")
}

fn show(output: &Output) -> String {
    match output {
        Output::Prepare => "prepare".to_owned(),
        Output::Probe => "probe".to_owned(),
        Output::Send(body) => format!("send {}", offsets(body)),
        Output::Bury(letters) => {
            let letters: Vec<String> =
                letters.iter().map(|(document, reason)| format!("{} ({reason})", document.offset)).collect();
            format!("bury {}", letters.join(" "))
        }
        Output::Commit(positions) => {
            let nexts: Vec<String> = positions.iter().map(|position| position.next.to_string()).collect();
            format!("commit {}", nexts.join(" "))
        }
        Output::Settled(tally) => {
            let Tally { indexed, duplicate, dead_lettered, retried } = tally;
            format!("settled {indexed}/{duplicate}/{dead_lettered}/{retried}")
        }
        Output::Up(part) => format!("up {part:?}"),
        Output::Down(part, reason) => format!("down {part:?}: {reason}"),
        Output::Shrunk(bytes) => format!("shrunk {bytes}"),
    }
}

/// Runs the steps and compares what comes out of each, apart from parts that work.
fn check(limits: Limits, steps: &[(&str, &str)]) {
    let mut bench = Bench::new(limits);
    for (at, (step, expected)) in steps.iter().enumerate() {
        let out = bench.step(step);
        let shown: Vec<String> =
            out.iter().filter(|output| !matches!(output, Output::Up(_))).map(show).collect();
        assert_eq!(shown.join(", "), *expected, "step {at}: {step}");
    }
}

#[test]
fn nothing_is_sent_before_the_template_is_there() {
    check(
        limits(10, 10_000),
        &[
            ("+0", "prepare"),
            ("docs 0 1", ""),
            ("away", "down Elasticsearch: away"),
            ("+400", ""),
            ("+600", "prepare"),
            ("ok", "send 0 1"),
            ("items 201 201", "settled 2/0/0/0, commit 2"),
        ],
    );
}

#[test]
fn a_request_goes_when_it_is_full_or_old() {
    check(
        limits(3, 10_000),
        &[
            ("+0", "prepare"),
            ("ok", ""),
            ("docs 0", ""),
            ("+400", ""),
            ("docs 1", ""),
            ("+100", "send 0 1"),
            ("docs 2 3 4 5", ""),
            ("items 201 201", "settled 2/0/0/0, commit 2, send 2 3 4"),
            ("items 201 201 201", "settled 3/0/0/0, commit 5"),
            ("+500", "send 5"),
        ],
    );
}

#[test]
fn each_document_meets_its_own_fate() {
    check(
        limits(4, 10_000),
        &[
            ("+0", "prepare"),
            ("ok", ""),
            ("docs 0 1 2 3", "send 0 1 2 3"),
            // 0 is new, 1 was there, 2 has to wait, 3 is refused for good.
            ("items 201 409 429 400", "settled 1/1/0/1, commit 2"),
            ("+999", "bury 3 (kind: why)"),
            ("unburied", "down DeadLetters: full"),
            ("+2000", "bury 3 (kind: why)"),
            ("buried", "settled 0/0/1/0, send 2"),
            ("items 201", "settled 1/0/0/0, commit 4"),
        ],
    );
}

#[test]
fn refusing_everything_is_an_outage() {
    check(
        limits(2, 10_000),
        &[
            ("+0", "prepare"),
            ("ok", ""),
            ("docs 0 1", "send 0 1"),
            ("items 429 503", "settled 0/0/0/2, down Elasticsearch: it refuses documents for now: kind"),
            ("+1000", "prepare"),
            // Half of it may pass.
            ("ok", "send 0"),
            ("status 503", "down Elasticsearch: it answers 503"),
            ("+2000", "prepare"),
            ("ok", "send 0"),
            ("lost", "down Elasticsearch: away"),
            ("+4000", "prepare"),
            ("ok", "send 0"),
            ("items 201", "settled 1/0/0/0, commit 1, send 1"),
        ],
    );
}

#[test]
fn a_request_that_is_too_much_at_once_is_halved_and_grows_again() {
    check(
        limits(4, 10_000),
        &[
            ("+0", "prepare"),
            ("ok", ""),
            ("docs 0 1 2 3 4 5", "send 0 1 2 3"),
            ("status 429", ""),
            ("+1000", "send 0 1"),
            ("status 429", ""),
            ("+2000", "send 0"),
            ("status 429", "down Elasticsearch: it answers 429"),
            ("+4000", "prepare"),
            ("ok", "send 0"),
            ("items 201", "settled 1/0/0/0, commit 1, send 1 2"),
            ("items 201 201", "settled 2/0/0/0, commit 3, send 3 4 5"),
        ],
    );
}

/// A word in the log for each try would bury the others.
#[test]
fn a_part_is_back_when_a_document_was_taken() {
    let mut bench = Bench::new(limits(2, 10_000));
    for step in ["+0", "ok", "docs 0 1", "status 503", "+1000"] {
        bench.step(step);
    }
    assert!(!bench.step("ok").contains(&Output::Up(Part::Elasticsearch)));
    assert!(bench.step("items 201 201").contains(&Output::Up(Part::Elasticsearch)));
}

#[test]
fn a_request_that_is_too_large_is_halved_for_good() {
    check(
        limits(4, 10_000),
        &[
            ("+0", "prepare"),
            ("ok", ""),
            ("docs 0 1 2 3", "send 0 1 2 3"),
            ("status 413", "shrunk 118, send 0"),
            ("items 201", "settled 1/0/0/0, commit 1, send 1"),
            ("status 413", "bury 1 (larger than Elasticsearch takes)"),
            ("buried", "settled 0/0/1/0, commit 2, send 2"),
        ],
    );
}

#[test]
fn a_document_that_spoils_a_request_is_found() {
    check(
        limits(4, 10_000),
        &[
            ("+0", "prepare"),
            ("ok", ""),
            ("docs 0 1 2 3", "send 0 1 2 3"),
            ("status 400", "send 0 1"),
            ("items 201 201", "settled 2/0/0/0, commit 2, send 2 3"),
            ("status 400", "send 2"),
            ("status 400", "bury 2 (it answers 400)"),
            ("buried", "settled 0/0/1/0, commit 3, send 3"),
            ("items 201", "settled 1/0/0/0, commit 4"),
        ],
    );
}

#[test]
fn a_drain_sends_at_once_and_ends() {
    let mut bench = Bench::new(limits(10, 10_000));
    for step in ["+0", "ok", "docs 0"] {
        bench.step(step);
    }
    assert!(bench.core.wants_documents() && !bench.core.is_drained());
    let out = bench.step("drain");
    assert_eq!(show(&out[0]), "send 0");
    assert!(!bench.core.wants_documents() && !bench.core.is_drained());
    bench.step("items 201");
    assert!(bench.core.is_drained() && !bench.core.is_failing());
}

#[test]
fn an_idle_core_asks_now_and_then() {
    check(
        limits(10, 10_000),
        &[
            ("+0", "prepare"),
            ("ok", ""),
            ("+9999", ""),
            ("+1", "probe"),
            ("away", "down Elasticsearch: away"),
            ("+1000", "prepare"),
            ("ok", ""),
        ],
    );
}

#[test]
fn room_is_bounded() {
    let mut bench = Bench::new(limits(10, 200));
    bench.step("docs 0 1");
    assert!(bench.core.wants_documents());
    bench.step("docs 2");
    assert!(!bench.core.wants_documents());
    assert_eq!(bench.core.load(), (3, 3 * cost(&document(0, 0))));
}
