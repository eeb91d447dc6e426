//! Whose clock counts, and what waits for whom.

use super::*;

/// Errors on host `a`, which pages at 1 s, while host `b`, with a clock that is off by `skew` seconds, serves
/// `service`. Both send each second.
fn check_skew(skew: i64, service: &str, has_beats: bool, expected: &[&str]) {
    let mut story = Story::new(vec![errors(0, 20)]);
    for second in 0..=200u64 {
        story.at(second).logs(if second < 60 { 5 } else { 0 }, 20);
        let wrong = START.plus(Duration::from_secs(second)).as_nanos() + skew * 1_000_000_000;
        story.offset += 1;
        let mut other = Event::new(Timestamp::from_nanos(wrong));
        other.set_id(EventId { stream: StreamId::from_u128(7), offset: story.offset });
        other.push("host.name", Value::Text("b"));
        other.push("service.name", Value::Text(service));
        other.push("log.level", Value::Text("info"));
        story.engine.handle(Input::Event(&other), story.now, &mut story.said);
        if has_beats && second % 10 == 0 {
            story.beat(None);
            story.beat_of("b", Timestamp::from_nanos(wrong), None);
        }
    }
    assert_eq!(story.engine.stats().skewed_sources, u64::from(skew != 0));
    story.expect(expected);
}

#[test]
fn a_wrong_clock_neither_delays_nor_drops_what_others_send() {
    let page = ["1 errors firing condition_met", "108 errors resolved recovered"];
    for has_beats in [true, false] {
        check_skew(0, "cart", has_beats, &page);
        check_skew(3600, "cart", has_beats, &page);
        check_skew(-3600, "cart", has_beats, &page);
        check_skew(86_400 * 365, "cart", has_beats, &page);
        check_skew(-86_400 * 365, "cart", has_beats, &page);
    }
    // In the same group, too: there a slow clock's own events are late.
    check_skew(-3600, "shop", true, &page);
    check_skew(-3600, "shop", false, &page);
}

#[test]
fn an_event_from_the_future_happened_when_it_was_received() {
    let mut story = Story::new(vec![count(Bound::AtLeast(1), &["service.name"], 0)]);
    story.at(10).event_of(9000, &order("shop"));
    story.at(20).probe("up");
    story.expect(&["11 count firing condition_met"]);
    assert_eq!(story.engine.stats().skewed, 1);
}

#[test]
fn an_event_that_is_late_by_less_than_the_grace_corrects_the_window() {
    let late = |delay: u64| {
        let mut story = Story::new(vec![count(Bound::AtLeast(2), &["service.name"], 0)]);
        story.at(20).event(&order("shop"));
        for second in 21..=24 + delay {
            story.at(second).probe("up");
        }
        story.event_of(24, &order("shop"));
        story.at(40).probe("up").at(41).probe("up");
        (story.said.iter().map(line).collect::<Vec<_>>(), story.engine.stats().late)
    };
    assert_eq!(late(0), (vec!["25 count firing condition_met".to_owned()], 0));
    assert_eq!(late(5), (vec!["25 count firing condition_met".to_owned()], 0));
    // Its edge was judged, so it is late; it counts from the next edge on.
    assert_eq!(late(8), (vec!["28 count firing condition_met".to_owned()], 1));
}

#[test]
fn nothing_resolves_and_nothing_fires_by_absence_while_records_are_unread() {
    let mut story = Story::new(vec![down(0), errors(0, 20), count(Bound::Below(1), &["service.name"], 0)]);
    story.at(0).event(&order("shop")).event(&probe("a", "up")).logs(40, 40);
    story.at(10).probe("up");
    story.expect(&["1 errors firing condition_met"]);
    story.caught_up(false);
    story.at(200).expect(&[]);
    // What was unread is read now: time moves through it in order.
    story.event_of(20, &probe("a", "up")).event_of(40, &probe("a", "up")).event_of(60, &log("a", "info"));
    story
        .event_of(65, &probe("a", "down"))
        .event_of(90, &probe("a", "up"))
        .event_of(150, &probe("a", "up"))
        .expect(&[]);
    story.caught_up(true);
    story.expect(&[
        "61 count firing silent",
        "61 errors resolved recovered",
        "65 down firing condition_met",
        "90 down resolved recovered",
        "120 down firing silent",
    ]);
}

#[test]
fn what_events_say_is_heard_even_when_records_stay_unread() {
    let mut story = Story::new(vec![errors(0, 20), count(Bound::Below(1), &["service.name"], 0)]);
    story.event(&order("shop"));
    story.caught_up(false);
    for second in 0..=700 {
        story.at(second).logs(if (100..200).contains(&second) { 5 } else { 0 }, 10);
    }
    // The alerter is slower than its input for ever: the page comes, later by `hold_max`, and stays.
    story.expect(&["107 errors firing condition_met"]);
    story.caught_up(true);
    story.expect(&["61 count firing silent", "401 errors resolved recovered"]);
}

#[test]
fn a_shipper_with_a_backlog_holds_its_groups_and_no_others() {
    let mut story = Story::new(vec![errors(0, 20), count(Bound::AtLeast(1), &["service.name"], 0)]);
    let cart = |story: &mut Story| {
        let fields = [
            ("host.name", Value::Text("b")),
            ("service.name", Value::Text("cart")),
            ("order", Value::Int(1)),
        ];
        story.event(&fields);
    };
    story.at(0).logs(40, 40);
    for second in 1..=200 {
        story.at(second);
        cart(&mut story);
        if second % 10 == 0 {
            story.beat((second > 20).then_some(18));
        }
    }
    assert_eq!(story.engine.stats().behind, 1);
    story.expect(&["2 count firing cart condition_met", "1 errors firing condition_met"]);
    // The backlog is shipped; only now the errors are known to be over.
    story.event_of(18, &log("a", "info")).event_of(180, &log("a", "info"));
    story.at(210).beat(None).expect(&["61 errors resolved recovered"]);
}
