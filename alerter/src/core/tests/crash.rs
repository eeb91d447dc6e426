//! Kills at any instant: the same alerts are told as without them.

use std::collections::{BTreeMap, BTreeSet};

use proptest::prelude::*;

use super::*;

/// Where in a second the process dies, and for how long it is away.
#[derive(Debug, Clone, Copy)]
struct Crash {
    at: u64,
    phase: Phase,
    away: u64,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Phase {
    /// Before the second's records.
    Before,
    /// With the records judged, and nothing sent.
    Judged,
    /// With sends on their way that nobody gets.
    Sending,
    /// With sends taken by the vendor, and the answer not on disk.
    Taken,
}

fn crashes() -> impl Strategy<Value = Vec<Crash>> {
    let phase =
        prop_oneof![Just(Phase::Before), Just(Phase::Judged), Just(Phase::Sending), Just(Phase::Taken),];
    let crash = (0..200u64, phase, 0..25u64).prop_map(|(at, phase, away)| Crash { at, phase, away });
    prop::collection::vec(crash, 0..8)
}

/// (start, length) of each service's outage, and (start, length, errors a second) of two bursts.
type Story = ((u64, u64), (u64, u64), (u64, u64, u64), (u64, u64, u64));

fn stories() -> impl Strategy<Value = Story> {
    let outage = (10..120u64, 5..60u64);
    let burst = (5..150u64, 1..6u64, 1..9u64);
    (outage.clone(), outage, burst.clone(), burst)
}

fn feed((shop, cart, first, last): Story) -> Feed {
    let mut feed = Feed::default();
    for at in 0..200u64 {
        for (service, (start, length)) in [("shop", shop), ("cart", cart)] {
            if at % 5 == 0 {
                let is_down = (start..start + length).contains(&at);
                feed.probe(at, service, if is_down { "down" } else { "up" });
            }
        }
        for (start, length, number) in [first, last] {
            if (start..start + length).contains(&at) {
                (0..number).for_each(|_| feed.error(at, "shop"));
            }
        }
    }
    feed
}

/// What the vendor took, by notification id: what it said, how often, and whether it said both.
type Taken = BTreeMap<String, (Kind, i64, usize, bool)>;

fn play(feed: &Feed, crashes: &[Crash]) -> (Taken, BTreeSet<String>) {
    let folder = tempfile::tempdir().unwrap();
    let mut taken = Taken::new();
    let mut unsure = BTreeSet::new();
    let mut core = Some(open(folder.path()));
    let mut back_at = 0;
    for at in 0..260 {
        let now = second(at);
        if core.is_none() && at >= back_at {
            core = Some(open(folder.path()));
        }
        let crash = crashes.iter().find(|crash| crash.at == at).copied();
        let mut die = |core: &mut Option<Core>, phase| {
            if let Some(crash) = crash.filter(|crash| crash.phase == phase) {
                *core = None;
                back_at = at + crash.away;
            }
            core.is_none()
        };
        if core.is_none() || die(&mut core, Phase::Before) {
            continue;
        }
        if let Some(core) = &mut core {
            core.handle(feed.unread(core, now), true, now).unwrap();
        }
        if die(&mut core, Phase::Judged) {
            continue;
        }
        let sends = core.as_mut().map(|core| core.due(now)).unwrap_or_default();
        if die(&mut core, Phase::Sending) {
            continue;
        }
        for send in &sends {
            let notification = &send.notification;
            let key = (notification.kind, notification.started_at.as_nanos(), 0, notification.firing_missed);
            taken.entry(notification.id.clone()).or_insert(key).2 += 1;
        }
        if die(&mut core, Phase::Taken) {
            unsure.extend(sends.iter().map(|send| send.notification.id.clone()));
            continue;
        }
        for send in sends {
            let outcome = Outcome::Delivered { reference: String::new() };
            core.as_mut().unwrap().settle(send.id, outcome, now).unwrap();
        }
    }
    (taken, unsure)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]
    #[test]
    fn the_same_alerts_are_told(story in stories(), crashes in crashes()) {
        let feed = feed(story);
        let (expected, _) = play(&feed, &[]);
        let (taken, unsure) = play(&feed, &crashes);
        let told = |taken: &Taken, kind: Kind| {
            let told = taken.iter().filter(move |(_, (of, ..))| *of == kind);
            told.map(|(id, _)| id.clone()).collect::<BTreeSet<_>>()
        };
        prop_assert_eq!(told(&taken, Kind::Resolved), told(&expected, Kind::Resolved));
        // A firing that was over before it could be told is part of its resolution.
        let firing = told(&taken, Kind::Firing);
        for (id, (kind, started_at, ..)) in &expected {
            let says_both = taken.values().any(|(of, start, _, missed)| {
                *of == Kind::Resolved && start == started_at && *missed
            });
            prop_assert!(*kind != Kind::Firing || firing.contains(id) || says_both, "{} is lost", id);
        }
        prop_assert!(firing.is_subset(&told(&expected, Kind::Firing)));
        for (id, (_, _, times, _)) in &taken {
            prop_assert!(*times <= 1 || unsure.contains(id), "{} was told {} times", id, times);
        }
    }
}
