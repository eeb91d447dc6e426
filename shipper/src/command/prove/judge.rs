//! What became of the lines of a drill.
//!
//! Enters: the lines that were written, by number; the messages that arrived, with their time. Leaves: for each scenario
//! written, delivered, lost, duplicated, out of order, torn, the largest lag. Never: trust in the shipper's own counts.

use std::collections::HashMap;
use std::time::Duration;

use event::Timestamp;

use super::super::text::{columns, count, span};

/// What follows a line's number, so that a line that was cut is seen.
const END: char = '.';

/// Makes a line about as long as that of a service.
const PADDING: &str =
    "the quick brown fox jumps over the lazy dog, and the lazy dog does not care much about it";

/// The line of a drill.
pub(super) fn line(run: &str, scenario: &str, sequence: u64, at: Timestamp) -> String {
    format!("prove {run} {PADDING} {} {scenario} {sequence}{END}\n", at.as_millis())
}

/// What is known of one scenario.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Verdict {
    /// Lines that were written.
    pub written: u64,
    /// Different lines that arrived.
    pub delivered: u64,
    /// Arrivals beyond the first of a line.
    pub duplicated: u64,
    /// Arrivals after a later line of the same stream.
    pub out_of_order: u64,
    /// From writing to arrival.
    pub largest_lag: Duration,
}

impl Verdict {
    /// Lines that did not arrive.
    pub(super) fn lost(&self) -> u64 {
        self.written.saturating_sub(self.delivered)
    }
}

/// The judge of one run.
#[derive(Debug)]
pub(super) struct Judge {
    run: String,
    scenarios: Vec<Scenario>,
    /// Messages that are pieces of this run's lines.
    pub torn: u64,
    /// The last line of each stream.
    last: HashMap<Vec<u8>, u64>,
}

#[derive(Debug)]
struct Scenario {
    name: &'static str,
    seen: Vec<bool>,
    verdict: Verdict,
}

impl Judge {
    /// Judges the scenarios of `run`, in their order.
    pub(super) fn new(run: &str, names: &[&'static str]) -> Self {
        let scenario = |name: &&'static str| Scenario { name, seen: Vec::new(), verdict: Verdict::default() };
        let scenarios = names.iter().map(scenario).collect();
        Judge { run: run.to_owned(), scenarios, torn: 0, last: HashMap::new() }
    }

    /// So many lines of the scenario were written, counted from zero.
    pub(super) fn wrote(&mut self, name: &str, lines: u64) {
        if let Some(scenario) = self.scenarios.iter_mut().find(|scenario| scenario.name == name) {
            scenario.verdict.written = lines;
        }
    }

    /// A message arrived: the stream's key, its text, the time.
    pub(super) fn handle(&mut self, key: &[u8], message: &str, now: Timestamp) {
        let Some(rest) = message.strip_prefix("prove ").and_then(|rest| rest.strip_prefix(self.run.as_str()))
        else {
            // Another's message; the second half of a torn line is told by its first.
            return;
        };
        let line = read(rest).and_then(|(name, sequence, at)| {
            let scenario = self.scenarios.iter_mut().find(|scenario| scenario.name == name)?;
            Some((scenario, sequence, at))
        });
        let Some((scenario, sequence, written_at)) = line else {
            self.torn += 1;
            return;
        };
        let verdict = &mut scenario.verdict;
        let place = usize::try_from(sequence).unwrap_or(usize::MAX);
        if place >= scenario.seen.len() {
            // A number that is far off is no line of ours, and must not cost memory.
            if place > scenario.seen.len() + AHEAD_MAX {
                self.torn += 1;
                return;
            }
            scenario.seen.resize(place + 1, false);
        }
        let Some(seen) = scenario.seen.get_mut(place) else { return };
        if std::mem::replace(seen, true) {
            verdict.duplicated += 1;
            return;
        }
        verdict.delivered += 1;
        verdict.largest_lag = verdict.largest_lag.max(now.since(written_at));
        let last = self.last.entry(key.to_vec()).or_default();
        if sequence < *last {
            verdict.out_of_order += 1;
        }
        *last = sequence.max(*last);
    }

    /// True when every line that was written has arrived.
    pub(super) fn is_complete(&self) -> bool {
        self.scenarios.iter().all(|scenario| scenario.verdict.lost() == 0)
    }

    /// Different lines that have arrived.
    pub(super) fn delivered(&self) -> u64 {
        self.scenarios.iter().map(|scenario| scenario.verdict.delivered).sum()
    }

    /// The verdict on each scenario.
    pub(super) fn verdicts(&self) -> Vec<(&'static str, Verdict)> {
        self.scenarios.iter().map(|scenario| (scenario.name, scenario.verdict.clone())).collect()
    }
}

/// How far ahead of the highest number a line may be: a minute of lines.
const AHEAD_MAX: usize = 1 << 20;

/// What follows the run's name: the scenario, the number, when it was written.
fn read(rest: &str) -> Option<(&str, u64, Timestamp)> {
    let rest = rest.strip_prefix(' ')?.strip_prefix(PADDING)?.strip_prefix(' ')?.strip_suffix(END)?;
    let mut words = rest.split(' ');
    let (millis, scenario, sequence) = (words.next()?, words.next()?, words.next()?);
    let is_whole = words.next().is_none();
    is_whole.then_some((scenario, sequence.parse().ok()?, Timestamp::from_millis(millis.parse().ok()?)))
}

/// The table, with a line for everything together.
pub(super) fn table(verdicts: &[(&'static str, Verdict)]) -> String {
    let head = ["written", "delivered", "lost", "duplicated", "out of order", "largest lag", "scenario"];
    let mut rows = vec![head.map(str::to_owned).to_vec()];
    let all = verdicts.iter().fold(Verdict::default(), |all, (_, verdict)| Verdict {
        written: all.written + verdict.written,
        delivered: all.delivered + verdict.delivered,
        duplicated: all.duplicated + verdict.duplicated,
        out_of_order: all.out_of_order + verdict.out_of_order,
        largest_lag: all.largest_lag.max(verdict.largest_lag),
    });
    for (name, verdict) in verdicts.iter().map(|(name, verdict)| (*name, verdict)).chain([("all", &all)]) {
        let numbers =
            [verdict.written, verdict.delivered, verdict.lost(), verdict.duplicated, verdict.out_of_order];
        let mut row: Vec<String> = numbers.map(count).to_vec();
        row.push(span(verdict.largest_lag));
        row.push(name.to_owned());
        rows.push(row);
    }
    columns(&rows, head.len() - 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    const RUN: &str = "r1";

    /// Arrivals of one stream, as `sequence`; the verdict as lost, duplicated, out of order, torn.
    fn check(written: u64, arrived: &[u64], expected: [u64; 4]) {
        let mut judge = Judge::new(RUN, &["a"]);
        judge.wrote("a", written);
        for sequence in arrived {
            let text = line(RUN, "a", *sequence, Timestamp::from_secs(10));
            judge.handle(b"key", text.trim_end(), Timestamp::from_secs(12));
        }
        let (_, verdict) = judge.verdicts().remove(0);
        let found = [verdict.lost(), verdict.duplicated, verdict.out_of_order, judge.torn];
        assert_eq!(found, expected, "{arrived:?} of {written}");
        assert_eq!(judge.is_complete(), expected[0] == 0);
    }

    #[test]
    fn every_kind_of_fault_is_seen() {
        check(2, &[0, 1], [0, 0, 0, 0]);
        check(3, &[0, 2], [1, 0, 0, 0]);
        check(2, &[0, 0, 1, 1, 1], [0, 3, 0, 0]);
        check(2, &[1, 0], [0, 0, 1, 0]);
        check(0, &[], [0, 0, 0, 0]);
        check(1, &[u64::MAX, 0], [0, 0, 0, 1]);
    }

    #[test]
    fn pieces_of_lines_are_seen_and_others_messages_are_not() {
        let mut judge = Judge::new(RUN, &["a"]);
        let whole = line(RUN, "a", 17, Timestamp::EPOCH);
        let (cut, joined) = (&whole[..whole.len() - 2], format!("{}{whole}", &whole[..40]));
        for text in [cut, &joined, &line(RUN, "b", 1, Timestamp::EPOCH)] {
            judge.handle(b"k", text.trim_end(), Timestamp::EPOCH);
        }
        for text in ["hello", &line("r2", "a", 1, Timestamp::EPOCH)] {
            judge.handle(b"k", text.trim_end(), Timestamp::EPOCH);
        }
        assert_eq!((judge.torn, judge.delivered()), (3, 0));
    }

    #[test]
    fn the_order_is_that_of_one_stream_and_the_lag_is_the_largest() {
        let mut judge = Judge::new(RUN, &["a"]);
        for (key, sequence, lag) in [("x", 5, 1), ("y", 3, 7), ("x", 6, 2), ("x", 4, 0)] {
            let text = line(RUN, "a", sequence, Timestamp::from_secs(100));
            judge.handle(key.as_bytes(), text.trim_end(), Timestamp::from_secs(100 + lag));
        }
        let (_, verdict) = judge.verdicts().remove(0);
        assert_eq!((verdict.out_of_order, verdict.largest_lag), (1, Duration::from_secs(7)));
    }

    #[test]
    fn the_table_sums_up() {
        let verdict = |written, delivered| Verdict { written, delivered, ..Verdict::default() };
        let late = Verdict { largest_lag: Duration::from_secs(75), duplicated: 3, ..verdict(2000, 2000) };
        insta::assert_snapshot!(table(&[("steady", verdict(1000, 999)), ("kill", late)]), @r"
        written  delivered  lost  duplicated  out of order  largest lag  scenario
          1,000        999     1           0             0        0.0 s  steady
          2,000      2,000     0           3             0       1m 15s  kill
          3,000      2,999     1           3             0       1m 15s  all
        ");
    }
}
