//! What makes an alert fire, and what does not.

use super::*;

#[test]
fn an_outage_of_five_minutes_fires_once_and_resolves_once() {
    let mut story = Story::new(vec![down(300)]);
    for second in (0..=600).step_by(10) {
        story.at(second).probe(if (70..=400).contains(&second) { "down" } else { "up" });
    }
    story.at(605).expect(&[
        "70 down pending condition_met",
        "370 down firing condition_met",
        "410 down resolved recovered",
    ]);
}

#[test]
fn a_short_outage_says_so_and_pages_nobody() {
    let mut story = Story::new(vec![down(300)]);
    for second in (0..=600).step_by(10) {
        story.at(second).probe(if (70..370).contains(&second) { "down" } else { "up" });
    }
    story.expect(&["70 down pending condition_met", "370 down inactive recovered_before_for"]);
}

#[test]
fn one_success_in_an_outage_begins_it_anew() {
    let mut story = Story::new(vec![down(60)]);
    for second in 0..=200 {
        story.at(second).probe(if second == 10 || second == 50 { "up" } else { "down" });
    }
    story.expect(&[
        "0 down pending condition_met",
        "10 down inactive recovered_before_for",
        "11 down pending condition_met",
        "50 down inactive recovered_before_for",
        "51 down pending condition_met",
        "111 down firing condition_met",
    ]);
}

/// Each second from 0 on, `total` events of which `errors` are errors, for as long as it takes.
fn check_ratio(hold_for: u64, min_events: u64, seconds: &[(u64, u64)], expected: &[&str]) {
    let mut story = Story::new(vec![errors(hold_for, min_events)]);
    for (second, &(errors, total)) in seconds.iter().enumerate() {
        story.at(second as u64).logs(errors, total);
    }
    let end = seconds.len() as u64;
    story.at(end + 10).event(&probe("a", "up")).at(end + 20).event(&probe("a", "up"));
    story.expect(expected);
}

#[test]
fn a_share_of_errors_must_be_above_the_limit_among_enough_events() {
    // Exactly 5.00 % is no alert, however long it lasts; one event more is.
    check_ratio(0, 20, &[(1, 20)], &[]);
    check_ratio(0, 20, &[(1, 20); 300], &[]);
    check_ratio(0, 20, &[(5, 100)], &[]);
    check_ratio(0, 20, &[(6, 100)], &["1 errors firing condition_met"]);
    check_ratio(0, 20, &[(501, 10_000)], &["1 errors firing condition_met"]);
    check_ratio(0, 20, &[(29, 580)], &[]);
    // One error of one request.
    check_ratio(0, 20, &[(1, 1)], &[]);
    check_ratio(0, 20, &[(1, 1); 19], &[]);
    check_ratio(0, 20, &[(1, 1); 20], &["20 errors firing condition_met"]);
}

#[test]
fn errors_above_the_limit_for_three_minutes_page() {
    // 2 of 20 in each second; the first edge above the limit is 1 s, so the page is due at 181 s.
    let bad = vec![(2, 20); 181];
    check_ratio(180, 20, &bad, &["1 errors pending condition_met", "181 errors firing condition_met"]);
    // Good seconds follow after 170 bad ones: after 31 good ones the window's share is 5 % and the alert waits no more.
    let short: Vec<_> = std::iter::repeat_n((2, 20), 130).chain(std::iter::repeat_n((0, 20), 90)).collect();
    check_ratio(
        180,
        20,
        &short,
        &["1 errors pending condition_met", "160 errors inactive recovered_before_for"],
    );
    let long: Vec<_> = std::iter::repeat_n((2, 20), 200).chain(std::iter::repeat_n((0, 20), 90)).collect();
    check_ratio(
        180,
        20,
        &long,
        &[
            "1 errors pending condition_met",
            "181 errors firing condition_met",
            "230 errors resolved recovered",
        ],
    );
}

#[test]
fn a_service_that_loses_its_traffic_has_not_recovered() {
    let mut story = Story::new(vec![errors(0, 20)]);
    story.at(0).logs(20, 40);
    for second in (10..=300).step_by(10) {
        story.at(second).probe("up");
    }
    story.expect(&["1 errors firing condition_met"]);
    // Traffic is back, and good.
    story.at(310).logs(0, 3).at(320).probe("up").expect(&["311 errors resolved recovered"]);
}

#[test]
fn no_data_ends_keeps_or_alerts() {
    let check = |no_data, expected: &[&str]| {
        let mut rule = errors(0, 20);
        rule.no_data = no_data;
        let mut story = Story::new(vec![rule]);
        story.at(0).logs(20, 40);
        for second in (10..=90).step_by(10) {
            story.at(second).probe("up");
        }
        story.at(100).logs(0, 40);
        for second in (110..=190).step_by(10) {
            story.at(second).probe("up");
        }
        story.expect(expected);
    };
    check(NoData::Ok, &["1 errors firing condition_met", "61 errors resolved no_data"]);
    check(NoData::Keep, &["1 errors firing condition_met", "101 errors resolved recovered"]);
    check(
        NoData::Alert,
        &["1 errors firing condition_met", "101 errors resolved recovered", "161 errors firing silent"],
    );
}

/// One value at each of the seconds.
fn check_heap(rule: Rule, values: &[(u64, f64)], expected: &[&str]) {
    let mut story = Story::new(vec![rule]);
    let mut end = 0;
    for &(second, share) in values {
        story.at(second).event(&used(share));
        end = second;
    }
    story.at(end + 5).probe("up").at(end + 6).probe("up").at(end + 11).probe("up").expect(expected);
}

#[test]
fn the_last_value_counts_until_the_next() {
    let last = |hold_for| heap(Take::Last, None, hold_for);
    check_heap(last(0), &[(0, 0.85)], &[]);
    check_heap(
        last(0),
        &[(0, 0.851), (7, 0.85)],
        &["0 heap firing condition_met", "7 heap resolved recovered"],
    );
    check_heap(
        last(60),
        &[(3, 0.9), (40, 0.9), (80, 0.7)],
        &["3 heap pending condition_met", "63 heap firing condition_met", "80 heap resolved recovered"],
    );
    check_heap(
        last(60),
        &[(3, 0.9), (62, 0.8), (80, 0.9)],
        &[
            "3 heap pending condition_met",
            "62 heap inactive recovered_before_for",
            "80 heap pending condition_met",
        ],
    );
    let recover = || heap(Take::Last, Some(0.80), 0);
    check_heap(
        recover(),
        &[(0, 0.9), (10, 0.84), (20, 0.80), (30, 0.799)],
        &["0 heap firing condition_met", "30 heap resolved recovered"],
    );
}

#[test]
fn a_value_is_made_of_a_window() {
    let check =
        |take, values: &[(u64, f64)], expected: &[&str]| check_heap(heap(take, None, 0), values, expected);
    check(Take::Avg, &[(0, 0.75), (10, 0.90)], &[]);
    check(Take::Avg, &[(0, 0.8), (10, 0.91)], &["11 heap firing condition_met"]);
    check(
        Take::Max,
        &[(0, 0.9), (10, 0.1), (70, 0.1)],
        &["1 heap firing condition_met", "61 heap resolved recovered"],
    );
    check(
        Take::Min,
        &[(0, 0.9), (10, 0.1), (70, 0.9)],
        &["1 heap firing condition_met", "11 heap resolved recovered", "71 heap firing condition_met"],
    );
    check(Take::Sum, &[(0, 0.5), (10, 0.5)], &["11 heap firing condition_met"]);
    check(
        Take::Percentile(0.5),
        &[(0, 0.9), (1, 0.1), (2, 0.9)],
        &["1 heap firing condition_met", "2 heap resolved recovered", "3 heap firing condition_met"],
    );
}

#[test]
fn a_value_that_is_no_number_is_not_counted() {
    let mut story = Story::new(vec![heap(Take::Last, None, 0)]);
    for text in ["NaN", "inf", "full"] {
        story.event(&[
            ("host.name", Value::Text("a")),
            ("service.name", Value::Text("shop")),
            ("heap", Value::Text(text)),
        ]);
    }
    story.at(60).expect(&[]);
    assert_eq!(story.engine.stats().matched, 0);
}

#[test]
fn counts_are_compared_as_written() {
    let check = |bound, orders: u64, expected: &[&str]| {
        let mut story = Story::new(vec![count(bound, &["service.name"], 0)]);
        for _ in 0..orders {
            story.event(&order("shop"));
        }
        for second in (1..=70).step_by(3) {
            story.at(second).probe("up");
        }
        story.expect(expected);
    };
    check(Bound::Above(3), 3, &[]);
    check(Bound::Above(3), 4, &["1 count firing condition_met", "61 count resolved recovered"]);
    check(Bound::AtLeast(3), 3, &["1 count firing condition_met", "61 count resolved recovered"]);
    // Absence is known after a whole window.
    check(Bound::Below(3), 3, &["61 count firing silent"]);
    check(Bound::Below(3), 2, &["60 count firing silent"]);
    check(Bound::AtMost(0), 1, &["61 count firing silent"]);
}

#[test]
fn a_firing_alert_is_kept_for_as_long_as_the_rule_says() {
    let mut rule = errors(0, 20);
    rule.keep_firing_for = Duration::from_secs(100);
    let mut story = Story::new(vec![rule]);
    for second in 0..=300 {
        story.at(second).logs(if second < 5 || second == 150 { 10 } else { 0 }, 10);
    }
    // The first burst ends at 62 s, when 30 of the 600 events in the window are errors; then the alert stays for
    // 100 s. The 10 errors of the second are no burst.
    story.at(320);
    let said: Vec<String> = story.said.iter().map(line).collect();
    assert_eq!(said, ["2 errors firing condition_met", "162 errors resolved recovered"]);
}

#[test]
fn two_errors_after_an_alert_that_was_kept_on_are_too_few_for_another() {
    let check = |is_ticked: bool| {
        let mut kept = Rule { no_data: NoData::Ok, ..errors(0, 5) };
        kept.keep_firing_for = Duration::from_secs(15);
        let mut story = Story::new(vec![kept]);
        story.logs(5, 10);
        if is_ticked {
            story.at(76);
        }
        story.now = START.plus(Duration::from_millis(76_500));
        story.logs(2, 2);
        if is_ticked {
            story.at(300);
        }
        story.engine.tick(START.plus(Duration::from_secs(300)), &mut story.said);
        story.expect(&["1 errors firing condition_met", "76 errors resolved no_data"]);
    };
    check(true);
    check(false);
}

#[test]
fn what_begins_as_an_alert_that_was_kept_on_ends_waits_for_its_own_time() {
    let check = |is_ticked: bool| {
        let mut kept = Rule { no_data: NoData::Ok, ..errors(10, 5) };
        kept.keep_firing_for = Duration::from_secs(15);
        let mut story = Story::new(vec![kept]);
        story.logs(5, 10);
        if is_ticked {
            story.at(76);
        }
        story.now = START.plus(Duration::from_millis(76_500));
        story.logs(5, 7);
        if is_ticked {
            story.at(300);
        }
        story.engine.tick(START.plus(Duration::from_secs(300)), &mut story.said);
        story.expect(&[
            "1 errors pending condition_met",
            "11 errors firing condition_met",
            "76 errors resolved no_data",
            "77 errors pending condition_met",
            "87 errors firing condition_met",
            "152 errors resolved no_data",
        ]);
    };
    check(true);
    check(false);
}
