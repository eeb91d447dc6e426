//! Crashes and reloads.

use super::*;
use crate::engine::Snapshot;

/// Ends the engine and starts another from its snapshot, by way of the bytes on disk.
fn restart(story: &mut Story, rules: Vec<Rule>) {
    let text = serde_json::to_string(&story.engine.snapshot()).unwrap();
    let snapshot: Snapshot = serde_json::from_str(&text).unwrap();
    let mut engine = Engine::new(rules, Settings::default());
    engine.restore(snapshot);
    story.engine = engine;
}

#[test]
fn a_snapshot_of_a_snapshot_is_the_same() {
    let mut story = Story::new(vec![down(300), errors(0, 20)]);
    story.at(0).probe("down").logs(20, 40).beat(None);
    story.at(100).probe("down");
    let before = serde_json::to_string(&story.engine.snapshot()).unwrap();
    restart(&mut story, vec![down(300), errors(0, 20)]);
    assert_eq!(serde_json::to_string(&story.engine.snapshot()).unwrap(), before);
}

#[test]
fn killed_in_the_fifth_minute_of_an_outage_it_fires_once_and_in_time() {
    let mut story = Story::new(vec![down(300)]);
    story.at(0).probe("down");
    for second in (10..=240).step_by(10) {
        story.at(second).probe("down");
    }
    story.expect(&["0 down pending condition_met"]);
    restart(&mut story, vec![down(300)]);
    story.at(260).event_of(250, &probe("a", "down")).event_of(260, &probe("a", "down"));
    story.caught_up(true);
    for second in (270..=400).step_by(10) {
        story.at(second).probe("down");
    }
    story.expect(&["300 down firing condition_met"]);
}

#[test]
fn a_silent_outage_goes_on_over_a_restart() {
    let mut story = Story::new(vec![down(300)]);
    for second in (0..=60).step_by(10) {
        story.at(second).beat(None).probe("up");
    }
    story.at(200).expect(&["90 blind firing a heartbeat_missing", "90 down pending view_lost"]);
    restart(&mut story, vec![down(300)]);
    story.at(1000).expect(&[]);
    story.caught_up(true).at(1001).expect(&["390 down firing view_lost"]);
}

#[test]
fn a_restored_engine_waits_until_the_queue_is_read() {
    let mut story = Story::new(vec![down(60)]);
    story.probe("up");
    restart(&mut story, vec![down(60)]);
    assert_eq!(story.engine.deadline(), None);
    story.at(100_000).expect(&[]);
}

#[test]
fn alerts_of_rules_that_are_gone_or_changed_end_at_restart() {
    let mut story = Story::new(vec![down(0), errors(0, 20)]);
    story.at(0).probe("down").logs(20, 40);
    story.at(10).probe("down").expect(&["0 down firing condition_met", "1 errors firing condition_met"]);
    restart(&mut story, vec![errors(0, 21)]);
    assert!(story.engine.deadline().is_some());
    story.at(11);
    story.expect(&["5 down resolved rule_removed", "5 errors resolved rule_changed"]);
    assert_eq!(story.engine.alerts().count(), 0);
}

#[test]
fn a_snapshot_of_another_version_is_refused() {
    let story = Story::new(vec![down(0)]);
    let text =
        serde_json::to_string(&story.engine.snapshot()).unwrap().replace("\"version\":1", "\"version\":2");
    let error = serde_json::from_str::<Snapshot>(&text).unwrap_err().to_string();
    assert!(error.starts_with("engine snapshot of version 2, this program reads 1"), "{error}");
}

#[test]
fn a_reload_keeps_what_did_not_change() {
    let mut story = Story::new(vec![down(300), errors(0, 20)]);
    story.at(0).probe("down").logs(20, 40);
    story.at(100).probe("down").expect(&["0 down pending condition_met", "1 errors firing condition_met"]);
    // Other places, another text, another `for`; the windows stay.
    let mut down = down(200);
    down.priority = Priority::P0;
    let mut said = Vec::new();
    story.engine.reload(vec![count(Bound::AtLeast(1), &[], 0), down, errors(0, 20)], story.now, &mut said);
    assert!(said.is_empty());
    for second in (110..=250).step_by(10) {
        story.at(second).probe("down");
    }
    assert_eq!(story.said.first().map(|said| said.priority), Some(Priority::P0));
    story.expect(&["200 down firing condition_met"]);
    // Gone, changed, and a pending one that is gone.
    let mut said = Vec::new();
    story.engine.reload(vec![errors(0, 99)], story.now, &mut said);
    assert_eq!(
        said.iter().map(line).collect::<Vec<_>>(),
        ["250 down resolved rule_removed", "250 errors resolved rule_changed"]
    );
    story.at(300).expect(&[]);
}

#[test]
fn a_host_that_died_while_nobody_read_for_days_still_pages() {
    let mut story = Story::new(vec![down(300)]);
    for second in (0..=60).step_by(10) {
        story.at(second).beat(None).probe("up");
    }
    restart(&mut story, vec![down(300)]);
    story.at(200_000).caught_up(true).at(200_100).expect(&[
        "90 blind firing a heartbeat_missing",
        "90 down pending view_lost",
        "390 down firing view_lost",
    ]);
}
