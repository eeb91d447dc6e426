//! Who is told, as scripts with a clock.

use super::*;
use crate::sample;

fn routes() -> Routes {
    let route = |channels: &[&str], repeat: Option<u64>| Route {
        channels: channels.iter().map(ToString::to_string).collect(),
        repeat: repeat.map(Duration::from_secs),
    };
    let recipients = |names: &[&str]| names.iter().map(ToString::to_string).collect();
    Routes {
        by_priority: BTreeMap::from([
            (Priority::P0, route(&["phone", "ding"], Some(300))),
            (Priority::P1, route(&["ding"], None)),
            (Priority::P2, route(&[], None)),
        ]),
        recipients: BTreeMap::from([
            ("phone".to_owned(), recipients(&["138", "139"])),
            ("ding".to_owned(), recipients(&[""])),
        ]),
        zone: String::new(),
    }
}

fn state(word: &str) -> AlertState {
    match word {
        "inactive" => AlertState::Inactive,
        "pending" => AlertState::Pending,
        "firing" => AlertState::Firing,
        _ => AlertState::Resolved,
    }
}

fn words(rows: &[Row]) -> String {
    let words = rows.iter().map(|row| {
        let kind = match row.notification.kind {
            Kind::Firing => "firing".to_owned(),
            Kind::Repeat(count) => format!("repeat {count}"),
            Kind::Resolved if row.notification.firing_missed => "resolved missed".to_owned(),
            Kind::Resolved => "resolved".to_owned(),
            Kind::Test => "test".to_owned(),
        };
        format!("{}{} {kind}", row.channel, row.recipient)
    });
    words.collect::<Vec<_>>().join(", ")
}

/// Each step is `SECOND COMMAND` and what is told: `PRIORITY FROM TO`, `tick`, `tick waiting` (with all mailboxes
/// full), `told CHANNEL RECIPIENT`, `deadline`, `reload`, `crash`.
fn check(steps: &[(&str, &str)]) {
    let mut router = Router::restore(routes(), BTreeMap::new());
    for (step, (command, expected)) in steps.iter().enumerate() {
        let words_of: Vec<&str> = command.split(' ').collect();
        let now = Timestamp::from_secs(words_of[0].parse().unwrap());
        let mut rows = Vec::new();
        let mut answer = None;
        match words_of[1..] {
            ["tick"] => _ = router.tick(now, |_, _, _| false, &mut rows),
            ["tick", "waiting"] => _ = router.tick(now, |_, _, _| true, &mut rows),
            ["deadline"] => {
                answer = Some(router.deadline().map_or("-".to_owned(), |at| at.as_secs().to_string()));
            }
            ["reload"] => router.reload(Routes::default()),
            ["crash"] => router = Router::restore(routes(), router.episodes.clone()),
            ["told", channel, recipient] => {
                let episode = router.episodes.values().next().unwrap();
                let firing = sample::notification("a", Priority::P0, Kind::Firing, episode.firing.at);
                router.told(&firing, channel, recipient);
            }
            [priority, from, to] => {
                let all = [Priority::P0, Priority::P1, Priority::P2, Priority::P3];
                let priority = all.into_iter().find(|known| known.as_str() == priority).unwrap();
                let mut transition = sample::transition("a", priority, state(to), now);
                transition.from = state(from);
                router.handle(&transition, now, &mut rows);
            }
            ref other => panic!("{other:?}"),
        }
        assert_eq!(answer.unwrap_or_else(|| words(&rows)), *expected, "step {step}: {command}");
    }
}

#[test]
fn firing_and_resolved_are_told_and_nothing_else() {
    check(&[
        ("0 P1 inactive pending", ""),
        ("1 P1 pending inactive", ""),
        ("2 P1 pending firing", "ding firing"),
        ("3 told ding ", ""),
        ("4 P1 firing resolved", "ding resolved"),
        ("5 P1 resolved inactive", ""),
        // Over is over.
        ("6 P1 firing resolved", ""),
        ("7 P1 inactive firing", "ding firing"),
    ]);
}

#[test]
fn every_recipient_of_every_channel_stands_for_itself() {
    check(&[
        ("0 P0 pending firing", "phone138 firing, phone139 firing, ding firing"),
        ("1 told phone 139", ""),
        ("2 P0 firing resolved", "phone138 resolved missed, phone139 resolved, ding resolved missed"),
    ]);
}

#[test]
fn a_priority_without_a_route_tells_nobody() {
    check(&[
        ("0 P2 pending firing", ""),
        ("1 P2 firing resolved", ""),
        ("2 P3 pending firing", ""),
        ("3 P3 firing resolved", ""),
    ]);
}

#[test]
fn repeats_until_it_is_over() {
    check(&[
        ("0 deadline", "-"),
        ("0 P0 pending firing", "phone138 firing, phone139 firing, ding firing"),
        ("0 deadline", "300"),
        ("299 tick", ""),
        ("300 tick", "phone138 repeat 1, phone139 repeat 1, ding repeat 1"),
        ("300 tick", ""),
        ("300 deadline", "600"),
        // After a pause one repetition comes, not those that were missed.
        ("2000 tick", "phone138 repeat 2, phone139 repeat 2, ding repeat 2"),
        ("2000 deadline", "2300"),
        ("2300 tick waiting", ""),
        ("2300 deadline", "2600"),
        (
            "2400 P0 firing resolved",
            "phone138 resolved missed, phone139 resolved missed, ding resolved missed",
        ),
        ("2600 tick", ""),
        ("2600 deadline", "-"),
    ]);
}

#[test]
fn a_resolution_goes_where_the_firing_went() {
    check(&[
        ("0 P1 pending firing", "ding firing"),
        ("1 reload", ""),
        ("2 P1 firing resolved", "ding resolved missed"),
        ("3 P1 pending firing", ""),
    ]);
    // The rule's priority is another one by now.
    check(&[
        ("0 P1 pending firing", "ding firing"),
        ("1 told ding ", ""),
        ("1 crash", ""),
        ("2 P0 firing resolved", "ding resolved"),
    ]);
}

#[test]
fn a_repetition_ends_with_its_route() {
    check(&[
        ("0 P0 pending firing", "phone138 firing, phone139 firing, ding firing"),
        ("1 reload", ""),
        ("300 tick", ""),
        ("300 deadline", "-"),
    ]);
}

#[test]
fn what_changes_is_to_be_saved() {
    let mut router = Router::restore(routes(), BTreeMap::new());
    let mut rows = Vec::new();
    let firing = sample::transition("a", Priority::P1, AlertState::Firing, Timestamp::from_secs(1));
    router.handle(&firing, firing.at, &mut rows);
    assert_eq!(router.changes().map(|(_, episode)| episode.is_some()).collect::<Vec<_>>(), [true]);
    router.mark_saved();
    assert_eq!(router.changes().count(), 0);
    router.told(&rows[0].notification, "ding", "");
    assert_eq!(router.changes().count(), 1);
    router.mark_saved();
    let resolved = sample::transition("a", Priority::P1, AlertState::Resolved, Timestamp::from_secs(2));
    router.handle(&resolved, resolved.at, &mut rows);
    assert_eq!(router.changes().map(|(_, episode)| episode.is_some()).collect::<Vec<_>>(), [false]);
}
