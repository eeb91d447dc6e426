//! Streams of several lanes: one that has no room holds up nothing but its own.

use super::*;
use crate::route::switch;

/// A folder with `logs-*.log` for the main lane, `audit-*.log` for another topic and `pay-*.log` for the urgent lane.
fn open(rig: &Rig) -> (FileInput, Lanes, LaneId) {
    let config = |name: &str, keys: &str| -> FileConfig {
        let text = format!("paths: ['{}/{name}-*.log']\n{keys}", rig.folder.path().display());
        yaml::parse("test.yml", &text).unwrap()
    };
    open_configs(
        rig,
        vec![config("logs", ""), config("audit", "topic: audit"), config("pay", "urgent: true")],
    )
}

/// Gives the first lane of another topic as well.
fn open_configs(rig: &Rig, configs: Vec<FileConfig>) -> (FileInput, Lanes, LaneId) {
    let mut wishes = Vec::new();
    for config in &configs {
        wishes.push(config.wish());
        wishes.extend(config.levels.wishes(&config.wish(), "logs"));
    }
    let lanes = Lanes::new("logs", wishes).unwrap();
    let deps = Deps {
        pinned: PinnedConfig::default(),
        host: "host".to_owned(),
        registry: rig.state.path().to_owned(),
        readiness: Readiness::default(),
        lanes: lanes.clone(),
    };
    let other = lanes.topics()[1];
    (FileInput::open(configs, deps, rig.now).unwrap(), lanes, other)
}

/// One file whose debug lines go to a topic of their own while the switch is on.
fn with_levels(rig: &Rig) -> (FileInput, Lanes, LaneId) {
    let text = format!(
        "paths: ['{}/*.log']\nparse: logfmt\nlevels: {{ error: {{ urgent: true }}, debug: {{ topic: dbg, when: switched_on }} }}",
        rig.folder.path().display()
    );
    open_configs(rig, vec![yaml::parse("test.yml", &text).unwrap()])
}

/// The tickets that one poll gives, for each lane.
fn poll(input: &mut FileInput, now: Timestamp, out: &mut Outbox) -> (Poll, Vec<Vec<Ticket>>) {
    let poll = input.poll(now, out);
    let mut tickets = Vec::new();
    for batch in out.batches() {
        tickets.push(batch.entries.iter().filter_map(|entry| entry.ticket).collect());
        batch.bytes.clear();
        batch.entries.clear();
    }
    (poll, tickets)
}

fn acked(tickets: &[Ticket]) -> Vec<Settled> {
    tickets.iter().map(|ticket| Settled { ticket: *ticket, fate: Fate::Acked }).collect()
}

#[test]
fn a_closed_lane_leaves_its_streams_unread_and_no_others() {
    let mut rig = Rig::new();
    rig.kill();
    let (mut input, lanes, audit) = open(&rig);
    for name in ["logs-1.log", "audit-1.log", "audit-2.log", "pay-1.log"] {
        rig.append(name, "one\ntwo\n");
    }
    let (mut out, mut now) = (Outbox::new(&lanes), rig.now);
    out.closed.insert(audit);
    let (state, tickets) = poll(&mut input, now, &mut out);
    assert_eq!(state, Poll::Blocked);
    assert_eq!(tickets.iter().map(Vec::len).collect::<Vec<_>>(), [2, 0, 2]);
    input.settle(&acked(&tickets.concat()), now);
    // Nothing is read of what waits, and nothing is asked of it, however often there is a turn.
    rig.append("logs-1.log", "three\n");
    now = now.plus(Duration::from_secs(1));
    let (state, tickets) = poll(&mut input, now, &mut out);
    assert_eq!((state, tickets[0].len(), tickets[1].len()), (Poll::Blocked, 1, 0));
    out.closed.remove(audit);
    let (state, tickets) = poll(&mut input, now, &mut out);
    assert_eq!((state, tickets[1].len()), (Poll::Idle, 4));
}

#[test]
fn a_lane_that_has_its_share_in_flight_is_read_no_further_until_some_is_settled() {
    let mut rig = Rig::new();
    rig.kill();
    let (mut input, lanes, audit) = open(&rig);
    let line = format!("{}\n", "x".repeat(100 << 10));
    rig.append("audit-1.log", line.repeat(100));
    let (mut out, now) = (Outbox::new(&lanes), rig.now);
    let mut sent = Vec::new();
    loop {
        let (state, tickets) = poll(&mut input, now, &mut out);
        sent.extend(tickets.concat());
        if state != Poll::More {
            assert_eq!(state, Poll::Blocked);
            break;
        }
    }
    let share = crate::input::file::IN_FLIGHT_BYTES_MAX / 3;
    let in_flight = input.in_flight_bytes();
    assert!(in_flight >= share && in_flight < share + (1 << 20), "{in_flight}");
    rig.append("logs-1.log", "one\n");
    input.hint_all(now);
    let (_, tickets) = poll(&mut input, now, &mut out);
    assert_eq!((tickets[0].len(), tickets[audit.index()].len()), (1, 0));
    // The last that was sent sets its bytes free as well as the first.
    input.settle(&acked(&sent[sent.len() - 20..]), now);
    let (_, tickets) = poll(&mut input, now, &mut out);
    assert!(!tickets[audit.index()].is_empty());
}

#[test]
fn urgent_streams_are_read_first() {
    let mut rig = Rig::new();
    rig.kill();
    let (mut input, lanes, _) = open(&rig);
    let line = "a line of some length, which is read in many turns of its file\n".repeat(20_000);
    for number in 0..3 {
        rig.append(&format!("logs-{number}.log"), &line);
        rig.append(&format!("pay-{number}.log"), &line);
    }
    let mut out = Outbox::new(&lanes);
    let (_, tickets) = poll(&mut input, rig.now, &mut out);
    assert_eq!((tickets[0].len(), tickets[2].is_empty()), (0, false));
}

#[test]
fn a_level_is_left_out_while_its_switch_is_off_and_counted() {
    let mut rig = Rig::new();
    rig.kill();
    let (mut input, lanes, debug) = with_levels(&rig);
    let (mut out, mut now) = (Outbox::new(&lanes), rig.now);
    rig.append("a.log", "level=info msg=1\nlevel=debug msg=2\nlevel=trace msg=3\nlevel=info msg=4\n");
    let (_, tickets) = poll(&mut input, now, &mut out);
    assert_eq!((tickets[0].len(), tickets[debug.index()].len()), (2, 0));
    input.settle(&acked(&tickets[0]), now);
    let totals = input.totals();
    assert_eq!((totals.switched_off, totals.ledger.filtered, totals.ledger.pending), (2, 36, 0));
    switch::write(rig.state.path(), Some(now.plus(Duration::from_secs(600)))).unwrap();
    now = now.plus(Duration::from_secs(1));
    rig.append("a.log", "level=debug msg=5\n");
    let (_, tickets) = poll(&mut input, now, &mut out);
    assert_eq!((tickets[0].len(), tickets[debug.index()].len()), (0, 1));
    now = now.plus(Duration::from_secs(600));
    rig.append("a.log", "level=debug msg=6\n");
    let (_, tickets) = poll(&mut input, now, &mut out);
    assert_eq!(tickets.concat(), []);
    assert_eq!(input.totals().switched_off, 3);
}

#[test]
fn a_level_goes_at_once_with_everything_before_it() {
    let mut rig = Rig::new();
    rig.kill();
    let (mut input, lanes, _) = with_levels(&rig);
    let mut out = Outbox::new(&lanes);
    for (line, is_hasty) in [("level=info msg=1\n", false), ("level=fatal msg=2\n", true)] {
        rig.append("a.log", line);
        input.hint_all(rig.now);
        input.poll(rig.now, &mut out);
        assert_eq!(out.batch(LaneId::MAIN).unwrap().is_hasty, is_hasty, "{line}");
    }
}

#[test]
fn a_file_stops_behind_the_first_record_that_another_lane_has_no_room_for() {
    let mut rig = Rig::new();
    rig.kill();
    let (mut input, lanes, debug) = with_levels(&rig);
    let (mut out, now) = (Outbox::new(&lanes), rig.now);
    switch::write(rig.state.path(), Some(now.plus(Duration::from_secs(600)))).unwrap();
    out.closed.insert(debug);
    rig.append("a.log", "level=info msg=1\nlevel=debug msg=2\nlevel=debug msg=3\nlevel=info msg=4\n");
    rig.append("b.log", "level=info msg=1\nlevel=info msg=2\n");
    let (state, tickets) = poll(&mut input, now, &mut out);
    assert_eq!((state, tickets[0].len(), tickets[debug.index()].len()), (Poll::Blocked, 3, 1));
    input.settle(&acked(&tickets[0]), now);
    assert_eq!(input.status().streams[0].offset, 17, "not behind the record without a fate");
    // Whoever reads the main topic misses what is not read yet; nothing is missing in it of the other file.
    let totals = input.totals();
    assert_eq!(totals.lanes_behind_since[debug.index()], Some(now));
    let (state, _) = poll(&mut input, now, &mut out);
    assert_eq!(state, Poll::Blocked);
    let waits = |input: &FileInput| -> Vec<Option<String>> {
        let streams = input.status().streams.into_iter();
        streams.map(|stream| stream.waits_for.map(|waiting| waiting.part)).collect()
    };
    assert_eq!(waits(&input), [Some("output.dbg".to_owned()), None]);
    out.closed.remove(debug);
    let (state, tickets) = poll(&mut input, now, &mut out);
    assert_eq!((state, tickets[0].len(), tickets[debug.index()].len()), (Poll::Idle, 1, 1));
    assert_eq!(waits(&input), [None, None]);
    assert_eq!(input.totals().lanes_behind_since[LaneId::MAIN.index()], Some(now));
    input.settle(&acked(&tickets[0]), now);
    let behind = input.totals().lanes_behind_since;
    assert_eq!((behind[0], behind[debug.index()]), (None, Some(now)));
}

/// The level of a record that a rotation cuts in two shows when it is whole.
#[test]
fn a_record_of_two_files_goes_by_the_lane_of_its_level_and_waits_for_it() {
    let mut rig = Rig::new();
    rig.kill();
    let text = format!(
        "paths: ['{}/app.log*']\nparse: spring\nmultiline: java\nlevels: {{ error: {{ topic: errors }} }}",
        rig.folder.path().display()
    );
    let (mut input, lanes, errors) = open_configs(&rig, vec![yaml::parse("test.yml", &text).unwrap()]);
    let (mut out, mut now) = (Outbox::new(&lanes), rig.now);
    let line = |level: &str| format!("2026-11-23 10:30:45.123  {level} 1 --- [main] a.B : no\n");
    rig.append("app.log", line("ERROR") + &line("ERROR") + "a.C: no\n");
    out.closed.insert(errors);
    let (state, tickets) = poll(&mut input, now, &mut out);
    assert_eq!((state, tickets[errors.index()].len()), (Poll::Blocked, 1));
    rig.rename("app.log", "app.log.1");
    rig.append("app.log", format!("\tat a.C.d(C.java:1)\n{}", line("INFO")));
    input.hint_all(now);
    // The older file waits for its lane, and the newer for the older.
    for _ in 0..3 {
        let (state, tickets) = poll(&mut input, now, &mut out);
        assert_eq!((state, tickets.concat()), (Poll::Blocked, vec![]));
    }
    out.closed.remove(errors);
    let (_, mut sent) = poll(&mut input, now, &mut out);
    now = now.plus(Duration::from_secs(5));
    let (_, rest) = poll(&mut input, now, &mut out);
    sent.extend(rest);
    let streams = input.status().streams;
    assert_eq!(streams.iter().map(|stream| stream.ledger.pending > 0).collect::<Vec<_>>(), [true, true]);
    input.settle(&acked(&tickets.concat()), now);
    input.settle(&acked(&sent.concat()), now);
    assert_eq!(sent[0].len() + sent[2].len() + sent[errors.index()].len(), 2, "{sent:?}");
    assert_eq!((input.totals().ledger.pending, input.in_flight_bytes()), (0, 0));
}
