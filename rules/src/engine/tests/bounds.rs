//! What is bounded, and what is counted when it overflows.

use super::*;
use crate::engine::SOURCES_MAX;

#[test]
fn an_event_counts_once() {
    let mut story = Story::new(vec![count(Bound::AtLeast(2), &["service.name"], 0)]);
    let once = event(1000, 5, &order("shop"));
    for _ in 0..5 {
        story.engine.handle(Input::Event(&once), START, &mut story.said);
    }
    story.at(100).expect(&[]);
    assert_eq!(story.engine.stats().duplicates, 4);
}

#[test]
fn records_of_a_topic_that_was_made_anew_are_counted() {
    let mut story = Story::new(vec![count(Bound::AtLeast(2), &["service.name"], 0)]);
    // Another shipper's records have no id but their place, and a new topic begins at its first place again.
    for offset in [500, 0] {
        let payload = br#"{"message":"order failed","service":"shop","host":"a"}"#;
        let received =
            event::decode::Received { topic: "logs", partition: 0, offset, timestamp: START, payload };
        let mut event = Event::default();
        event::decode::decode(&received, &mut event);
        story.engine.handle(Input::Event(&event), START, &mut story.said);
    }
    assert_eq!((story.engine.stats().events, story.engine.stats().duplicates), (2, 0));
}

#[test]
fn a_rule_with_too_many_groups_keeps_those_it_has() {
    let settings = Settings { groups_max: 2, ..Settings::default() };
    let mut story = Story::with(vec![count(Bound::AtLeast(1), &["service.name"], 0)], settings);
    for service in ["cart", "pay", "mail", "cart", "mail"] {
        story.event(&order(service));
    }
    story
        .at(10)
        .probe("up")
        .expect(&["1 count firing cart condition_met", "1 count firing pay condition_met"]);
    let stats = story.engine.stats();
    assert_eq!((stats.groups, stats.groups_refused), (2, 2));
    let (_, of_rule) = story.engine.rule_stats().next().unwrap();
    assert_eq!((of_rule.matched, of_rule.groups_refused), (3, 2));
}

#[test]
fn an_event_without_a_group_field_is_counted_as_such() {
    let mut story = Story::new(vec![count(Bound::AtLeast(1), &["service.name", "zone"], 0)]);
    story.event(&order("shop")).at(10).probe("up").expect(&[]);
    let stats = story.engine.stats();
    assert_eq!((stats.ungrouped, stats.matched, stats.groups), (1, 0, 0));
}

#[test]
fn sources_beyond_the_bound_are_taken_as_one() {
    let settings = Settings { sources_max: 2, ..Settings::default() };
    let mut story = Story::with(vec![down(0)], settings);
    for host in ["a", "b", "c", "d", "c"] {
        story.event(&probe(host, "up"));
    }
    let stats = story.engine.stats();
    assert_eq!((stats.sources, stats.sources_refused), (3, 3));
}

#[test]
fn what_is_silent_for_long_is_forgotten() {
    let settings = Settings {
        forget: Duration::from_secs(1000),
        forget_active: Duration::from_secs(5000),
        ..Settings::default()
    };
    let mut story =
        Story::with(vec![count(Bound::AtLeast(1), &["service.name"], 0), down(0), errors(0, 20)], settings);
    story.event(&order("cart")).event(&log("a", "info")).probe("up").at(10).beat(None);
    story.at(900);
    assert_eq!((story.engine.stats().groups, story.engine.stats().sources), (3, 1));
    story.at(2000);
    // Without an alert the group goes; with one it stays for longer.
    assert_eq!((story.engine.stats().groups, story.engine.stats().sources), (2, 1));
    story.said.clear();
    story.at(6000);
    assert_eq!((story.engine.stats().groups, story.engine.stats().sources), (0, 0));
    let mut said: Vec<String> =
        story.said.iter().map(line).map(|line| line.split_once(' ').unwrap().1.to_owned()).collect();
    said.sort();
    assert_eq!(said, ["blind resolved a expired", "count resolved cart expired", "down resolved expired"]);
}

#[test]
fn rules_are_found_by_their_equalities() {
    let mut rules = Vec::new();
    for at in 0..50 {
        let mut rule = count(Bound::AtLeast(1), &["service.name"], 0);
        rule.name = format!("rule-{at}");
        rule.matches = query(&format!("service.name: \"s-{at}\" and order: *"));
        rules.push(rule);
    }
    rules.push(count(Bound::AtLeast(1), &["service.name"], 0));
    let mut story = Story::new(rules);
    assert_eq!(story.engine.stats().broad_rules, 1);
    story.event(&order("s-7")).at(10).probe("up");
    story.expect(&["1 count firing s-7 condition_met", "1 rule-7 firing s-7 condition_met"]);
}

#[test]
fn a_service_whose_hosts_come_and_go_is_judged_on() {
    let settings = Settings { blind: None, ..Settings::default() };
    let mut story = Story::with(vec![errors(0, 20)], settings);
    for host in 0..SOURCES_MAX {
        let (name, at) = (format!("old-{host}"), START.plus(Duration::from_millis(host as u64)));
        story.event(&log(&name, "info")).beat_of(&name, at, None);
    }
    for second in 100..300 {
        let level = if second < 150 { "error" } else { "info" };
        let now = START.plus(Duration::from_secs(second));
        story.at(second).event(&log("new", level)).beat_of("new", now, None);
    }
    story.expect(&["120 errors firing condition_met", "207 errors resolved recovered"]);
}
