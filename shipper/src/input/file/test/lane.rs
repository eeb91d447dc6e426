//! Streams of several lanes: one that has no room holds up nothing but its own.

use super::*;
use crate::route::Wish;

/// A folder with `logs-*.log` for the main lane, `audit-*.log` for another topic and `pay-*.log` for the urgent lane.
fn open(rig: &Rig) -> (FileInput, Lanes, LaneId) {
    let config = |name: &str, keys: &str| -> FileConfig {
        let text = format!("paths: ['{}/{name}-*.log']\n{keys}", rig.folder.path().display());
        yaml::parse("test.yml", &text).unwrap()
    };
    let configs = vec![config("logs", ""), config("audit", "topic: audit"), config("pay", "urgent: true")];
    let wishes: Vec<Wish> = configs.iter().map(FileConfig::wish).collect();
    let lanes = Lanes::new("logs", wishes.clone()).unwrap();
    let deps = Deps {
        pinned: PinnedConfig::default(),
        host: "host".to_owned(),
        registry: rig.state.path().to_owned(),
        readiness: Readiness::default(),
        lanes: lanes.clone(),
    };
    let audit = lanes.find(&wishes[1]);
    (FileInput::open(configs, deps, rig.now).unwrap(), lanes, audit)
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
