//! Any story, told in any pieces, and with a crash anywhere, gives the same transitions.

use std::collections::BTreeMap;

use proptest::prelude::*;

use super::*;
use crate::engine::Snapshot;

/// One arrival: after how many milliseconds, from which host, how late, and what.
#[derive(Debug, Clone)]
struct Arrival {
    wait: u64,
    host: u8,
    delay: u64,
    what: What,
}

#[derive(Debug, Clone)]
enum What {
    Probe(bool),
    Logs(u8, u8),
    Heap(u8),
    Order,
    Beat(bool),
}

fn rules() -> Vec<Rule> {
    let mut kept = errors(10, 5);
    kept.name = "kept".to_owned();
    kept.keep_firing_for = Duration::from_secs(15);
    kept.no_data = NoData::Ok;
    let mut middle = heap(Take::Percentile(0.9), None, 5);
    middle.name = "middle".to_owned();
    middle.no_data = NoData::Alert;
    vec![
        down(20),
        errors(10, 5),
        kept,
        heap(Take::Last, Some(0.5), 7),
        middle,
        count(Bound::Below(2), &["service.name"], 10),
    ]
}

fn what() -> impl Strategy<Value = What> {
    prop_oneof![
        3 => any::<bool>().prop_map(What::Probe),
        4 => (0..4u8, 1..8u8).prop_map(|(errors, total)| What::Logs(errors, total)),
        2 => (0..100u8).prop_map(What::Heap),
        2 => Just(What::Order),
        1 => any::<bool>().prop_map(What::Beat),
    ]
}

fn arrivals(with_beats: bool) -> impl Strategy<Value = Vec<Arrival>> {
    let wait = prop_oneof![6 => 0..3000u64, 2 => 3000..20_000u64, 1 => 20_000..90_000u64];
    let delay = prop_oneof![3 => Just(0u64), 2 => 0..9000u64];
    let one = (wait, 0..3u8, delay, what()).prop_map(|(wait, host, delay, what)| Arrival {
        wait,
        host,
        delay,
        what,
    });
    let keep = move |arrival: &Arrival| with_beats || !matches!(arrival.what, What::Beat(_));
    prop::collection::vec(one.prop_filter("heartbeats are for another test", keep), 1..80)
}

/// The records of the story, each with its time of receipt in milliseconds.
fn records(arrivals: &[Arrival]) -> Vec<(u64, Event)> {
    let mut now = 100_000;
    let mut records = Vec::new();
    for (at, arrival) in (0u64..).zip(arrivals) {
        now += arrival.wait;
        let host = ["a", "b", "c"][usize::from(arrival.host)];
        let millis = now - arrival.delay;
        let mut push = |part: u64, fields: &[(&str, Value<'_>)]| {
            records.push((now, event(millis, at * 10 + part, fields)));
        };
        match arrival.what {
            What::Probe(is_up) => push(0, &probe(host, if is_up { "up" } else { "down" })),
            What::Logs(errors, total) => {
                for part in 0..total {
                    push(u64::from(part), &log(host, if part < errors { "error" } else { "info" }));
                }
            }
            What::Heap(percent) => {
                let mut fields = used(f64::from(percent) / 100.0);
                fields[0].1 = Value::Text(host);
                push(0, &fields);
            }
            What::Order => {
                let mut fields = order("shop");
                fields[0].1 = Value::Text(host);
                push(0, &fields);
            }
            What::Beat(is_behind) => {
                let at = START.plus(Duration::from_millis(millis));
                records.push((now, beat(host, at, is_behind.then(|| at.minus(Duration::from_secs(20))))));
            }
        }
    }
    records
}

/// What was said about each alert, in order. Evidence may differ after a crash: the engine is patient with its
/// sources anew, and newer messages have come when it decides.
type Said = BTreeMap<u64, Vec<Transition>>;

fn by_alert(said: Vec<Transition>, with_evidence: bool) -> Said {
    let mut alerts = Said::new();
    for mut transition in said {
        if !with_evidence {
            transition.evidence.clear();
        }
        alerts.entry(transition.fingerprint).or_default().push(transition);
    }
    alerts
}

fn moment(millis: u64) -> Timestamp {
    START.plus(Duration::from_millis(millis))
}

fn engine(millis: u64) -> Engine {
    let mut engine = Engine::new(rules(), Settings::default());
    engine.handle(Input::CaughtUp(true), moment(millis), &mut Vec::new());
    engine
}

fn end(records: &[(u64, Event)]) -> u64 {
    records.last().map_or(0, |(now, _)| *now) + 400_000
}

/// The story in one piece: no tick before the end.
fn told(records: &[(u64, Event)]) -> Vec<Transition> {
    let mut engine = engine(0);
    let mut said = Vec::new();
    for (now, event) in records {
        engine.handle(Input::Event(event), moment(*now), &mut said);
    }
    engine.tick(moment(end(records)), &mut said);
    said
}

fn told_with_ticks(records: &[(u64, Event)], every: u64) -> Vec<Transition> {
    let mut engine = engine(0);
    let mut said = Vec::new();
    let mut clock = 0;
    for (now, event) in records {
        while clock < *now {
            engine.tick(moment(clock), &mut said);
            clock += every;
        }
        engine.handle(Input::Event(event), moment(*now), &mut said);
    }
    while clock < end(records) {
        engine.tick(moment(clock), &mut said);
        clock += every;
    }
    engine.tick(moment(end(records)), &mut said);
    said
}

/// The story with a crash after `cut` records; `again` of them come a second time, and the queue counts as unread
/// until `unread` records later.
fn told_with_crash(records: &[(u64, Event)], cut: usize, again: usize, unread: usize) -> Vec<Transition> {
    let mut before = engine(0);
    let mut said = Vec::new();
    let (first, rest) = records.split_at(cut);
    for (now, event) in first {
        before.handle(Input::Event(event), moment(*now), &mut said);
    }
    let text = serde_json::to_string(&before.snapshot()).unwrap();
    let mut after = Engine::new(rules(), Settings::default());
    after.restore(serde_json::from_str::<Snapshot>(&text).unwrap());
    let back = first.last().map_or(0, |(now, _)| *now);
    for (_, event) in &first[cut.saturating_sub(again)..] {
        after.handle(Input::Event(event), moment(back), &mut said);
    }
    for (at, (now, event)) in rest.iter().enumerate() {
        if at == unread {
            let caught_up = if at == 0 { back } else { *now };
            after.handle(Input::CaughtUp(true), moment(caught_up), &mut said);
        }
        after.handle(Input::Event(event), moment(*now), &mut said);
    }
    after.handle(Input::CaughtUp(true), moment(end(records) - 200_000), &mut said);
    after.tick(moment(end(records)), &mut said);
    said
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn the_pieces_do_not_matter(arrivals in arrivals(true), every in prop_oneof![Just(1000u64), 100..30_000u64]) {
        let records = records(&arrivals);
        let whole = by_alert(told(&records), true);
        prop_assert_eq!(by_alert(told_with_ticks(&records, every), true), whole);
    }

    #[test]
    fn a_crash_does_not_matter(arrivals in arrivals(false), again in 0..10usize) {
        let records = records(&arrivals);
        let whole = by_alert(told(&records), false);
        let step = records.len().div_ceil(12);
        for cut in (0..=records.len()).step_by(step) {
            prop_assert_eq!(&by_alert(told_with_crash(&records, cut, again, 0), false), &whole, "crash after {}", cut);
        }
    }

    #[test]
    fn records_that_were_unread_for_a_while_do_not_matter(arrivals in arrivals(false), unread in 0..6usize) {
        let quick: Vec<Arrival> =
            arrivals.into_iter().map(|arrival| Arrival { wait: arrival.wait % 3000, delay: 0, ..arrival }).collect();
        let records = records(&quick);
        let whole = by_alert(told(&records), false);
        let step = records.len().div_ceil(12);
        for cut in (0..records.len()).step_by(step) {
            prop_assert_eq!(&by_alert(told_with_crash(&records, cut, 0, unread), false), &whole, "crash after {}", cut);
        }
    }
}
