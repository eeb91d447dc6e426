//! What silence means: a service that stopped, a host that died, a view that was lost.

use super::*;

#[test]
fn a_service_that_stops_pages_although_no_event_comes() {
    let mut story = Story::new(vec![down(300)]);
    for second in (0..=60).step_by(10) {
        story.at(second).probe("up");
    }
    // 60 s + 30 s of patience + 300 s; the wall clock follows event time by the idle bound.
    story.at(419).expect(&["90 down pending silent"]);
    story.at(420).expect(&["390 down firing silent"]);
    story.at(5000).probe("up").at(5010).probe("up").expect(&["5000 down resolved recovered"]);
}

#[test]
fn a_dead_host_is_blind_and_cannot_vouch_for_its_service() {
    let absent = || count(Bound::Below(1), &["service.name"], 0);
    let mut story = Story::new(vec![down(60), absent(), errors(0, 20)]);
    for second in (0..=60).step_by(10) {
        story.at(second).beat(None).event(&probe("a", "up")).event(&order("shop")).logs(5, 10);
    }
    story.expect(&["11 errors firing condition_met"]);
    story.at(300);
    // Orders and errors wait; the probe does not.
    story.expect(&[
        "90 blind firing a heartbeat_missing",
        "90 down pending view_lost",
        "150 down firing view_lost",
    ]);
    assert_eq!(story.engine.stats().blind, 1);
    assert_eq!(story.engine.alerts().count(), 3);
    for second in (310..=400).step_by(10) {
        story.at(second).beat(None).probe("up");
    }
    // The host says that nothing is left to ship: there were no orders.
    story.expect(&[
        "121 count firing silent",
        "310 blind resolved a heartbeat_back",
        "310 down resolved recovered",
    ]);
    assert_eq!(story.engine.stats().blind, 0);
}

#[test]
fn a_second_host_that_is_heard_vouches_on() {
    let mut story = Story::new(vec![down(60), count(Bound::Below(1), &["service.name"], 0)]);
    for second in (0..=300).step_by(10) {
        story.at(second).event(&probe("b", "up"));
        story.beat_of("b", story.now, None);
        if second <= 60 {
            story.event(&order("shop")).beat(None);
        }
    }
    // Nobody knows whether there are orders on the host that died.
    story.expect(&["90 blind firing a heartbeat_missing"]);
}

#[test]
fn blindness_needs_a_promise_and_a_queue_that_is_read() {
    let mut story = Story::new(vec![down(60)]);
    story.probe("up").caught_up(false);
    story.beat(None).at(500).expect(&[]);
    story.caught_up(true).at(529).expect(&[]);
    story.at(530);
    let said: Vec<String> = story.said.drain(..).map(|said| line(&said)).collect();
    assert!(said.contains(&"30 blind firing a heartbeat_missing".to_owned()), "{said:?}");

    let mut off = Story::with(vec![], Settings { blind: None, ..Settings::default() });
    off.beat(None).at(500).expect(&[]);
    assert_eq!(off.engine.stats().blind, 1);
}

#[test]
fn a_rule_about_absence_needs_no_first_event() {
    let mut story = Story::new(vec![count(Bound::Below(1), &[], 0)]);
    // Watched since the first second, less the idle bound; a whole window must have passed.
    story.at(1000);
    let said: Vec<String> = story.said.drain(..).map(|said| line(&said)).collect();
    assert_eq!(said, ["30 count firing silent"]);
    story.event(&order("shop")).at(1010).probe("up").expect(&["1001 count resolved recovered"]);
}

#[test]
fn what_was_never_seen_is_not_absent() {
    let mut story = Story::new(vec![down(0), count(Bound::Below(1), &["service.name"], 0)]);
    story.at(1000).expect(&[]);
    assert_eq!(story.engine.deadline(), None);
}

#[test]
fn a_consumer_that_is_behind_now_and_then_still_finds_a_dead_host() {
    let mut story = Story::new(vec![down(60)]);
    story.beat(None).probe("up");
    for second in 1..=400 {
        story.at(second).caught_up(second % 4 != 1);
    }
    story.expect(&[
        "30 blind firing a heartbeat_missing",
        "30 down pending view_lost",
        "90 down firing view_lost",
    ]);
}

#[test]
fn a_heartbeat_with_an_absurd_promise_is_taken_within_bounds() {
    let check = |every: Duration, blind_at: u64| {
        let mut story = Story::new(vec![]);
        let mut beat = Event::new(START);
        beat.push("event.dataset", Value::Text(event::heartbeat::DATASET));
        beat.push("host.name", Value::Text("a"));
        beat.push("agent.id", Value::Text("1"));
        beat.push("watchfire.every_ms", Value::Int(i64::try_from(every.as_millis()).unwrap_or(i64::MAX)));
        for path in [
            "streams",
            "backlog_bytes",
            "ledger.written",
            "ledger.acked",
            "ledger.filtered",
            "ledger.lost",
            "ledger.pending",
        ] {
            beat.push(&format!("watchfire.{path}"), Value::Int(0));
        }
        story.engine.handle(Input::Event(&beat), START, &mut story.said);
        assert_eq!(story.engine.stats().heartbeats, 1);
        story.at(blind_at - 1).expect(&[]);
        story.at(blind_at).expect(&[&format!("{blind_at} blind firing a heartbeat_missing")]);
    };
    check(Duration::ZERO, 3);
    check(Duration::from_secs(20), 60);
    check(Duration::MAX, 3 * 3600);
}

#[test]
fn a_heartbeat_that_was_late_ends_the_alert_that_its_lack_began() {
    // One call opens the alert at 30 s, and closes it by a heartbeat of 27 s: the end comes last.
    let mut story = Story::new(vec![]);
    story.beat(None);
    story.now = START.plus(Duration::from_secs(31));
    story.beat_of("a", START.plus(Duration::from_secs(27)), None);
    story.expect(&["30 blind firing a heartbeat_missing", "30 blind resolved a heartbeat_back"]);
    assert_eq!(story.engine.alerts().count(), 0);
}

#[test]
fn a_view_that_is_lost_later_is_judged_from_where_it_was_unclear() {
    let check = |ticks: &[u64]| {
        let mut story = Story::new(vec![down(20)]);
        story.beat_of("c", START, None).event(&probe("b", "up"));
        story.at(28).beat_of("b", START.plus(Duration::from_secs(28)), None);
        story.at(33).event(&probe("c", "up"));
        story.at(35).event(&probe("b", "down"));
        story.said.clear();
        for &second in ticks {
            story.engine.tick(START.plus(Duration::from_secs(second)), &mut story.said);
        }
        story.said.retain(|said| said.rule == "down");
        story.expect(&[
            "30 down pending view_lost",
            "33 down inactive recovered_before_for",
            "35 down pending condition_met",
            "55 down firing condition_met",
        ]);
    };
    check(&(36..=100).collect::<Vec<_>>());
    check(&[100]);
}

#[test]
fn an_alert_fires_with_the_reason_that_came_to_be_known_while_it_was_pending() {
    let check = |ticks: &[u64]| {
        let mut story = Story::new(vec![down(20)]);
        story.probe("up").at(9).beat(None).at(19).logs(0, 1).at(35).logs(0, 1);
        story.expect(&["30 down pending silent"]);
        for &second in ticks {
            story.engine.tick(START.plus(Duration::from_secs(second)), &mut story.said);
        }
        story.expect(&["39 blind firing a heartbeat_missing", "50 down firing view_lost"]);
    };
    check(&(36..=100).collect::<Vec<_>>());
    check(&[100]);
}
