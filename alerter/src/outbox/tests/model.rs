//! Any sequence of answers, crashes and time: nobody is left out, and nobody is told twice but by a crash.

use std::collections::BTreeMap;

use proptest::prelude::*;

use super::*;
use crate::Notification;

#[derive(Debug, Clone)]
enum Step {
    /// A new episode of one of three alerts, to one of two recipients.
    Fire(u8, u8, u8),
    /// The end of the running one.
    Resolve(u8, u8),
    Due,
    /// Answers one of the sends in flight.
    Answer(prop::sample::Index, u8),
    Wait(u16),
    Crash,
    /// The vendor takes it, and the process dies before it can write that down.
    DeliverThenCrash(prop::sample::Index),
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let step = prop_oneof![
        3 => (0..3u8, 0..2u8, 0..4u8).prop_map(|(alert, to, urgency)| Step::Fire(alert, to, urgency)),
        2 => (0..3u8, 0..2u8).prop_map(|(alert, to)| Step::Resolve(alert, to)),
        4 => Just(Step::Due),
        5 => (any::<prop::sample::Index>(), 0..6u8).prop_map(|(send, answer)| Step::Answer(send, answer)),
        1 => (0..400u16).prop_map(Step::Wait),
        1 => Just(Step::Crash),
        1 => any::<prop::sample::Index>().prop_map(Step::DeliverThenCrash),
    ];
    prop::collection::vec(step, 0..60)
}

/// The world around the outbox, and what it saw.
struct World {
    outbox: Outbox,
    disk: Disk,
    now: Timestamp,
    flying: Vec<Send>,
    /// (alert, recipient) to the start of the episode that is running.
    running: BTreeMap<(u8, u8), Timestamp>,
    episodes: i64,
    /// Every notification that was queued, by id.
    queued: BTreeMap<String, Notification>,
    /// The order in which the vendor took them, with repetitions.
    taken: Vec<Notification>,
    /// Firings that the vendor's answer says were taken: what the router knows.
    told: Vec<String>,
    /// Refused for good.
    refused: Vec<String>,
    /// Taken by the vendor, and the process died before the answer was on disk.
    unsure: Vec<String>,
}

impl World {
    fn new() -> Self {
        World {
            outbox: Disk::default().restore(),
            disk: Disk::default(),
            now: Timestamp::from_secs(1_000),
            flying: Vec::new(),
            running: BTreeMap::new(),
            episodes: 0,
            queued: BTreeMap::new(),
            taken: Vec::new(),
            told: Vec::new(),
            refused: Vec::new(),
            unsure: Vec::new(),
        }
    }

    fn queue(&mut self, alert: u8, to: u8, urgency: u8, kind: Kind, started_at: Timestamp) {
        let all = [Priority::P0, Priority::P1, Priority::P2, Priority::P3];
        let mut notification =
            sample::notification(&alert.to_string(), all[usize::from(urgency)], kind, started_at);
        notification.id = Notification::derive_id(&notification.transition, kind, "ops", &to.to_string());
        let firing = Notification::derive_id(&notification.transition, Kind::Firing, "ops", &to.to_string());
        notification.firing_missed = kind == Kind::Resolved && !self.told.contains(&firing);
        self.queued.insert(notification.id.clone(), notification.clone());
        self.outbox.queue(Row::new("ops", to.to_string(), notification, self.now), self.now);
    }

    fn step(&mut self, step: &Step) {
        match step {
            Step::Fire(alert, to, urgency) if !self.running.contains_key(&(*alert, *to)) => {
                self.episodes += 1;
                let started_at = Timestamp::from_secs(self.episodes);
                self.running.insert((*alert, *to), started_at);
                self.queue(*alert, *to, *urgency, Kind::Firing, started_at);
            }
            Step::Resolve(alert, to) => {
                if let Some(started_at) = self.running.remove(&(*alert, *to)) {
                    self.queue(*alert, *to, 1, Kind::Resolved, started_at);
                }
            }
            Step::Due => self.flying.extend(self.outbox.due(self.now)),
            Step::Answer(send, answer) if !self.flying.is_empty() => {
                let send = self.flying.swap_remove(send.index(self.flying.len()));
                self.answer(&send, *answer);
            }
            Step::Wait(seconds) => self.now = self.now.plus(Duration::from_secs(u64::from(*seconds))),
            Step::Crash => self.crash(),
            Step::DeliverThenCrash(send) if !self.flying.is_empty() => {
                let send = self.flying.swap_remove(send.index(self.flying.len()));
                self.unsure.push(send.notification.id.clone());
                self.taken.push(send.notification);
                self.crash();
            }
            _ => {}
        }
        self.disk.save(&mut self.outbox);
    }

    fn answer(&mut self, send: &Send, answer: u8) {
        let reason = String::new();
        let outcome = match answer {
            0 | 1 => Outcome::Delivered { reference: String::new() },
            2 => Outcome::RetryAfter { delay: None, reason },
            3 => Outcome::RetryAfter { delay: Some(Duration::from_secs(30)), reason },
            4 => Outcome::Shrink { bytes_max: 100, reason },
            _ => Outcome::Resign { reason },
        };
        if matches!(outcome, Outcome::Delivered { .. }) {
            self.taken.push(send.notification.clone());
            self.told.push(send.notification.id.clone());
        }
        let settled = self.outbox.settle(send.id, outcome, self.now);
        if matches!(&settled, Some(Settled::Over(_, delivery)) if delivery.verdict.is_failure()) {
            self.refused.push(send.notification.id.clone());
        }
    }

    fn crash(&mut self) {
        self.flying.clear();
        self.outbox = self.disk.restore();
    }

    /// Lets everything out that is left.
    fn finish(&mut self) {
        for _ in 0..10_000 {
            let sends: Vec<Send> = self.flying.drain(..).chain(self.outbox.due(self.now)).collect();
            sends.iter().for_each(|send| self.answer(send, 0));
            self.disk.save(&mut self.outbox);
            match self.outbox.deadline() {
                Some(at) => self.now = self.now.max(at),
                None => break,
            }
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]
    #[test]
    fn nobody_is_left_out_and_nobody_is_told_twice(steps in steps()) {
        let mut world = World::new();
        steps.iter().for_each(|step| world.step(step));
        world.finish();
        prop_assert_eq!(world.outbox.rows().count(), 0);

        let mut times: BTreeMap<&str, usize> = BTreeMap::new();
        world.taken.iter().for_each(|taken| *times.entry(taken.id.as_str()).or_default() += 1);
        for (id, notification) in &world.queued {
            let count = times.get(id.as_str()).copied().unwrap_or(0);
            let crashes = world.unsure.iter().filter(|unsure| *unsure == id).count();
            prop_assert!(count <= 1 + crashes, "{id} was told {count} times");
            if count > 0 || world.refused.contains(id) {
                continue;
            }
            // Nobody heard it: then it was a firing, and its resolution says both.
            prop_assert_eq!(notification.kind, Kind::Firing);
            let says_both = world.queued.values().find(|later| {
                later.kind == Kind::Resolved
                    && later.started_at == notification.started_at
                    && later.transition.fingerprint == notification.transition.fingerprint
            });
            prop_assert!(says_both.is_some(), "{id} was lost");
        }
        // A firing is never told after its own resolution, and a resolution that says both is a first word.
        for (at, taken) in world.taken.iter().enumerate() {
            let episode = |other: &Notification| other.started_at == taken.started_at;
            if taken.kind != Kind::Resolved {
                continue;
            }
            let is_firing = |other: &&Notification| episode(other) && other.kind == Kind::Firing;
            prop_assert_eq!(world.taken[at..].iter().filter(is_firing).count(), 0, "a firing after its resolution");
            let before: Vec<&Notification> = world.taken[..at].iter().filter(is_firing).collect();
            prop_assert!(!before.is_empty() || taken.firing_missed, "the firing was missed, and nothing says so");
            let is_sure = before.iter().any(|firing| world.told.contains(&firing.id));
            prop_assert!(!is_sure || !taken.firing_missed, "the firing was heard");
        }
    }
}
