//! The outbox against scripts with a clock, and against a model.

use super::*;
use crate::sample;

mod model;

/// What a crash leaves.
#[derive(Default)]
struct Disk {
    rows: BTreeMap<RowId, Row>,
    history: Vec<(u64, Delivery)>,
}

impl Disk {
    fn save(&mut self, outbox: &mut Outbox) {
        for (id, row) in outbox.changes() {
            match row {
                Some(row) => self.rows.insert(id, row.clone()),
                None => self.rows.remove(&id),
            };
        }
        self.history.extend(outbox.history().unsaved().map(|(number, delivery)| (number, delivery.clone())));
        outbox.mark_saved();
    }

    fn restore(&self) -> Outbox {
        Outbox::restore(Limits::default(), self.rows.clone(), History::restore(self.history.clone()))
    }
}

fn outcome(text: &str) -> Outcome {
    let reason = "said the vendor".to_owned();
    match text.split_once('=').unwrap_or((text, "")) {
        ("delivered", reference) => Outcome::Delivered { reference: reference.to_owned() },
        ("permanent", _) => Outcome::Permanent { reason },
        ("resign", _) => Outcome::Resign { reason },
        ("shrink", bytes) => Outcome::Shrink { bytes_max: bytes.parse().unwrap(), reason },
        ("retry", "") => Outcome::RetryAfter { delay: None, reason },
        ("retry", seconds) => {
            Outcome::RetryAfter { delay: Some(Duration::from_secs(seconds.parse().unwrap())), reason }
        }
        other => panic!("{other:?}"),
    }
}

fn priority(text: &str) -> Priority {
    [Priority::P0, Priority::P1, Priority::P2, Priority::P3].into_iter().find(|p| p.as_str() == text).unwrap()
}

fn words(settled: Option<Settled>, now: Timestamp) -> String {
    match settled {
        None => "unknown".to_owned(),
        Some(Settled::Over(_, delivery)) => delivery.verdict.as_str().to_owned(),
        Some(Settled::Again { at, is_unreachable, .. }) => {
            let word = if is_unreachable { "unreachable" } else { "asked" };
            format!("{word}, again in {}", at.since(now).as_secs())
        }
    }
}

fn send(send: &Send) -> String {
    let mut text = send.id.0.to_string();
    if send.options.resigned {
        text.push_str(" resigned");
    }
    if let Some(bytes) = send.options.bytes_max {
        text.push_str(&format!(" cut to {bytes}"));
    }
    if send.notification.firing_missed {
        text.push_str(" first word");
    }
    text
}

/// Each step is `SECOND COMMAND`, and what it answers:
/// `queue PRIORITY ALERT[.EPISODE] KIND [RECIPIENT]`, `due`, `deadline`, `answer ROW OUTCOME`, `quota MESSAGES RESERVED`
/// (for ten seconds), `ended`, `crash`.
fn check(steps: &[(&str, &str)]) {
    let mut outbox = Outbox::restore(Limits::default(), BTreeMap::new(), History::default());
    let mut disk = Disk::default();
    for (step, (command, expected)) in steps.iter().enumerate() {
        let words: Vec<&str> = command.split(' ').collect();
        let now = Timestamp::from_secs(words[0].parse().unwrap());
        let answer = run(&mut outbox, &mut disk, now, &words[1..]);
        assert_eq!(answer, *expected, "step {step}: {command}");
        disk.save(&mut outbox);
    }
}

fn run(outbox: &mut Outbox, disk: &mut Disk, now: Timestamp, command: &[&str]) -> String {
    match *command {
        ["queue", urgency, alert, kind, ref to @ ..] => {
            let (alert, episode) = alert.split_once('.').unwrap_or((alert, "1"));
            let kind = match kind {
                "firing" => Kind::Firing,
                "repeat" => Kind::Repeat(1),
                _ => Kind::Resolved,
            };
            let started_at = Timestamp::from_secs(episode.parse().unwrap());
            let notification = sample::notification(alert, priority(urgency), kind, started_at);
            outbox.queue(Row::new("ops", to.first().copied().unwrap_or(""), notification, now), now);
            String::new()
        }
        ["due"] => outbox.due(now).iter().map(send).collect::<Vec<_>>().join(", "),
        ["deadline"] => outbox.deadline().map_or("-".to_owned(), |at| at.as_secs().to_string()),
        ["answer", row, said] => words(outbox.settle(RowId(row.parse().unwrap()), outcome(said), now), now),
        ["quota", messages, reserved] => {
            let quota = Quota {
                messages: messages.parse().unwrap(),
                per: daemon::config::Span(Duration::from_secs(10)),
                reserved: reserved.parse().unwrap(),
            };
            outbox.configure(Limits::default(), &BTreeMap::from([("ops".to_owned(), quota)]));
            String::new()
        }
        ["ended"] => {
            let ended =
                outbox.history().iter().map(|past| format!("{} {}", past.rule, past.verdict.as_str()));
            ended.collect::<Vec<_>>().join(", ")
        }
        ["crash"] => {
            *outbox = disk.restore();
            String::new()
        }
        ref other => panic!("{other:?}"),
    }
}

#[test]
fn sends_at_once_and_one_at_a_time_to_a_recipient() {
    check(&[
        ("0 deadline", "-"),
        ("0 queue P1 a firing", ""),
        ("0 queue P1 b firing", ""),
        ("0 queue P1 c firing other", ""),
        ("0 deadline", "0"),
        ("0 due", "0, 2"),
        ("0 due", ""),
        ("0 deadline", "-"),
        ("1 answer 0 delivered", "delivered"),
        ("1 due", "1"),
        ("1 answer 0 delivered", "unknown"),
    ]);
}

#[test]
fn the_most_urgent_goes_first_and_one_alert_stays_in_order() {
    check(&[
        ("0 queue P2 a firing", ""),
        ("0 queue P1 b firing", ""),
        ("0 queue P0 c firing", ""),
        ("0 due", "2"),
        ("1 answer 2 delivered", "delivered"),
        ("1 due", "1"),
        // The resolution waits for the answer to the firing, however long that takes.
        ("2 queue P1 b resolved", ""),
        ("2 due", ""),
        ("3 answer 1 delivered", "delivered"),
        ("3 due", "3"),
        ("4 answer 3 delivered", "delivered"),
        ("4 due", "0"),
    ]);
}

#[test]
fn a_back_off_doubles_to_its_bound() {
    let mut steps = vec![("0 queue P1 a firing".to_owned(), String::new())];
    let mut now = 0;
    for delay in [1, 2, 4, 8, 16, 32, 64, 128, 256, 300, 300] {
        steps.push((format!("{now} due"), "0".to_owned()));
        steps.push((format!("{now} answer 0 retry"), format!("unreachable, again in {delay}")));
        steps.push((format!("{now} deadline"), (now + delay).to_string()));
        now += delay;
    }
    check(&steps.iter().map(|(command, answer)| (command.as_str(), answer.as_str())).collect::<Vec<_>>());
}

#[test]
fn a_back_off_keeps_one_row_and_a_vendors_delay_the_mailbox() {
    check(&[
        ("0 queue P1 a firing", ""),
        ("0 queue P1 b firing", ""),
        ("0 due", "0"),
        ("0 answer 0 retry", "unreachable, again in 1"),
        ("0 due", "1"),
        ("0 answer 1 retry=600", "asked, again in 600"),
        ("1 queue P0 c firing", ""),
        ("1 queue P1 d firing other", ""),
        ("1 due", "3"),
        ("1 deadline", "600"),
        ("600 due", "2"),
    ]);
}

#[test]
fn a_success_wakes_what_a_back_off_keeps() {
    check(&[
        ("0 queue P1 a firing", ""),
        ("0 due", "0"),
        ("0 answer 0 retry", "unreachable, again in 1"),
        ("1 due", "0"),
        ("1 answer 0 retry", "unreachable, again in 2"),
        ("2 queue P1 b firing", ""),
        ("2 due", "1"),
        ("2 answer 1 delivered", "delivered"),
        ("2 due", "0"),
    ]);
}

#[test]
fn gives_up_after_a_day_with_one_last_try() {
    check(&[
        ("0 queue P1 a firing", ""),
        ("0 due", "0"),
        ("0 answer 0 retry=1000000", "asked, again in 86400"),
        ("86400 due", "0"),
        ("86400 answer 0 retry", "gave_up"),
        ("86400 deadline", "-"),
    ]);
}

#[test]
fn signs_anew_once_and_at_once() {
    check(&[
        ("0 queue P1 a firing", ""),
        ("0 due", "0"),
        ("0 answer 0 resign", "asked, again in 0"),
        ("0 due", "0 resigned"),
        ("0 answer 0 resign", "permanent"),
        ("0 queue P1 b firing", ""),
        ("0 due", "1"),
        ("0 answer 1 resign", "asked, again in 0"),
        ("0 due", "1 resigned"),
        // Another answer between: the next refusal is a first one again.
        ("0 answer 1 retry", "unreachable, again in 2"),
        ("2 due", "1"),
        ("2 answer 1 resign", "asked, again in 0"),
    ]);
}

#[test]
fn cuts_ever_shorter_but_not_for_ever() {
    check(&[
        ("0 queue P1 a firing", ""),
        ("0 due", "0"),
        ("0 answer 0 shrink=1000", "asked, again in 0"),
        ("0 due", "0 cut to 1000"),
        ("0 answer 0 shrink=1000", "permanent"),
        ("0 queue P1 b firing", ""),
        ("0 due", "1"),
        ("0 answer 1 shrink=0", "permanent"),
        ("0 queue P1 c firing", ""),
        ("0 due", "2"),
        ("0 answer 2 shrink=5", "asked, again in 0"),
        ("0 due", "2 cut to 5"),
        ("0 answer 2 shrink=4", "asked, again in 0"),
        ("0 due", "2 cut to 4"),
        ("0 answer 2 shrink=3", "asked, again in 0"),
        ("0 due", "2 cut to 3"),
        ("0 answer 2 shrink=2", "asked, again in 0"),
        ("0 due", "2 cut to 2"),
        ("0 answer 2 shrink=1", "asked, again in 0"),
        ("0 due", "2 cut to 1"),
        ("0 answer 2 shrink=1", "permanent"),
    ]);
}

#[test]
fn a_permanent_failure_lets_the_next_one_through() {
    check(&[
        ("0 queue P1 a firing", ""),
        ("0 due", "0"),
        ("0 queue P1 a resolved", ""),
        ("0 answer 0 permanent", "permanent"),
        ("0 due", "1 first word"),
        ("0 answer 1 delivered", "delivered"),
        ("0 ended", "rule-a permanent, rule-a delivered"),
    ]);
}

#[test]
fn a_resolution_takes_the_place_of_a_firing_that_is_not_out() {
    check(&[
        ("0 queue P1 a firing", ""),
        ("0 queue P1 a resolved", ""),
        ("0 due", "1 first word"),
        ("0 ended", "rule-a superseded"),
    ]);
    // In flight when it was over: its answer decides.
    check(&[
        ("0 queue P1 a firing", ""),
        ("0 due", "0"),
        ("0 queue P1 a resolved", ""),
        ("0 answer 0 retry", "unreachable, again in 1"),
        ("0 ended", "rule-a superseded"),
        ("0 due", "1 first word"),
    ]);
    check(&[
        ("0 queue P1 a firing", ""),
        ("0 due", "0"),
        ("0 queue P1 a resolved", ""),
        ("0 answer 0 delivered", "delivered"),
        ("0 due", "1"),
        ("0 ended", "rule-a delivered"),
    ]);
    // Another episode of the same alert, and another recipient, are other things.
    check(&[
        ("0 queue P1 a.1 firing", ""),
        ("0 queue P1 a.2 resolved", ""),
        ("0 queue P1 a.1 resolved other", ""),
        ("0 ended", ""),
        ("0 due", "0, 2 first word"),
    ]);
}

#[test]
fn the_quota_is_kept_and_its_reserve_is_for_p0() {
    check(&[
        ("0 quota 2 1", ""),
        ("0 queue P1 a firing", ""),
        ("0 queue P1 b firing", ""),
        ("0 queue P0 c firing", ""),
        ("0 due", "2"),
        ("0 answer 2 delivered", "delivered"),
        ("1 due", ""),
        ("1 deadline", "10"),
        ("1 queue P0 d firing", ""),
        ("1 due", "3"),
        ("1 answer 3 delivered", "delivered"),
        ("10 due", ""),
        ("11 due", "0"),
    ]);
    // After a crash the history knows what was sent.
    check(&[
        ("0 quota 1 0", ""),
        ("0 queue P1 a firing", ""),
        ("3 due", "0"),
        ("3 answer 0 delivered", "delivered"),
        ("4 queue P1 b firing", ""),
        ("4 crash", ""),
        ("4 quota 1 0", ""),
        ("4 deadline", "13"),
    ]);
}

#[test]
fn a_crash_repeats_what_had_no_answer_and_nothing_else() {
    check(&[
        ("0 queue P1 a firing", ""),
        ("0 queue P1 b firing other", ""),
        ("0 queue P1 c firing", ""),
        ("0 due", "0, 1"),
        ("0 answer 0 delivered", "delivered"),
        ("0 crash", ""),
        ("0 due", "1, 2"),
        ("0 queue P1 d firing third", ""),
        ("0 due", "3"),
    ]);
}

#[test]
fn a_full_outbox_loses_the_least_urgent_and_says_so() {
    let mut outbox = Outbox::restore(Limits::default(), BTreeMap::new(), History::default());
    let now = Timestamp::from_secs(0);
    let queue = |outbox: &mut Outbox, name: &str, urgency| {
        outbox.queue(Row::new("ops", "", sample::notification(name, urgency, Kind::Firing, now), now), now);
    };
    for number in 0..ROWS_MAX {
        queue(&mut outbox, &number.to_string(), Priority::P2);
    }
    queue(&mut outbox, "urgent", Priority::P0);
    queue(&mut outbox, "minor", Priority::P3);
    assert_eq!(outbox.rows().count(), ROWS_MAX);
    let dropped: Vec<&str> = outbox.history().iter().map(|past| past.rule.as_str()).collect();
    assert_eq!(dropped, [&format!("rule-{}", ROWS_MAX - 1), "rule-minor"]);
    assert!(outbox.history().iter().all(|past| past.verdict == Verdict::Dropped));
    assert_eq!(outbox.due(now)[0].notification.transition.priority, Priority::P0);
}
