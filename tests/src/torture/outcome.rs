//! What a scenario came to, and whether that is good enough.
//!
//! Enters: counts. Leaves: a line of a table, and the list of what is wrong. Never: a fault that is forgiven silently.

use std::time::Duration;

/// What must come of a scenario.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Expect {
    /// What may be missing.
    pub missing: Missing,
    /// Torn messages at most: the heads of lines that are longer than the limit.
    pub torn: u64,
    /// Time on the processor during the watched steps, in percent of one, at most.
    pub cpu_percent_max: Option<u64>,
    /// How far memory may grow during the watched steps.
    pub growth_mb_max: Option<u64>,
    /// Peak memory at most.
    pub peak_mb_max: u64,
}

/// What may be missing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Missing {
    /// Nothing, and nothing is reported.
    Nothing,
    /// What nobody can have read any more, if the shipper says how many bytes, within a percent.
    Reported,
    /// The tails of lines that are longer than this many bytes: their heads arrive, torn, and the rest is reported.
    Tails(u64),
}

impl Expect {
    /// Everything, once.
    pub const ALL: Expect = Expect {
        missing: Missing::Nothing,
        torn: 0,
        cpu_percent_max: None,
        growth_mb_max: None,
        // With any backlog.
        peak_mb_max: 64,
    };
    /// Everything that was still there, once, and the rest reported.
    pub const REPORTED: Expect = Expect { missing: Missing::Reported, ..Expect::ALL };
}

/// The shipper's cost while it was watched.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Watched {
    /// Percent of one processor.
    pub cpu_percent: u64,
    /// By how much resident memory grew.
    pub growth_mb: u64,
}

/// What came of it.
#[derive(Debug, Clone, Default)]
pub struct Outcome {
    /// Lines that were written.
    pub written: u64,
    /// Lines that did not arrive.
    pub missing: u64,
    /// Their bytes.
    pub missing_bytes: u64,
    /// Lines that arrived again, each time counted.
    pub duplicate: u64,
    /// Messages that are no whole line.
    pub torn: u64,
    /// Lines behind a later line of the same generation of a file.
    pub out_of_order: u64,
    /// Bytes that the shipper says it lost; `None` when it has no word for that.
    pub reported_bytes: Option<u64>,
    /// User and system time of every process of the shipper.
    pub cpu: Duration,
    /// The largest peak of resident memory.
    pub peak_mb: u64,
    /// While it was watched.
    pub watched: Option<Watched>,
    /// How its last process ended when it was told to.
    pub exit: Option<i32>,
    /// The first few of what was torn, late or doubled.
    pub examples: Vec<String>,
    /// The end of what the shipper said.
    pub log: String,
}

impl Outcome {
    /// The table's head.
    #[must_use]
    pub fn head() -> String {
        let names = ["written", "missing", "again", "torn", "late", "bytes said/lost", "CPU s", "peak MB"];
        line("scenario", &names.map(str::to_owned), "watched")
    }

    /// A line of the table.
    #[must_use]
    pub fn row(&self, name: &str) -> String {
        let reported = self.reported_bytes.map_or("-".to_owned(), |bytes| bytes.to_string());
        let watched = self.watched.map(|seen| format!("{}% +{}MB", seen.cpu_percent, seen.growth_mb));
        let cells = [
            self.written.to_string(),
            self.missing.to_string(),
            self.duplicate.to_string(),
            self.torn.to_string(),
            self.out_of_order.to_string(),
            format!("{reported}/{}", self.missing_bytes),
            format!("{:.2}", self.cpu.as_secs_f64()),
            self.peak_mb.to_string(),
        ];
        line(name, &cells, &watched.unwrap_or_default())
    }

    /// What is wrong; empty when all is well.
    #[must_use]
    pub fn faults(&self, expect: &Expect) -> Vec<String> {
        let mut faults = Vec::new();
        let mut check = |is_good: bool, fault: String| {
            if !is_good {
                faults.push(fault);
            }
        };
        check(self.written > 0, "nothing was written".to_owned());
        check(self.duplicate == 0, format!("{} lines arrived again", self.duplicate));
        check(self.out_of_order == 0, format!("{} lines arrived late", self.out_of_order));
        check(self.torn <= expect.torn, format!("{} messages are torn", self.torn));
        let (missing, reported) = (self.missing_bytes, self.reported_bytes.unwrap_or_default());
        let told = |lost: u64| format!("{lost} bytes are missing, {reported} are reported");
        match expect.missing {
            Missing::Nothing => {
                check(self.missing == 0, format!("{} lines are missing", self.missing));
                check(reported == 0, format!("{reported} bytes are reported lost"));
            }
            Missing::Reported => check(is_near(reported, missing), told(missing)),
            Missing::Tails(kept) => {
                check(self.missing == self.torn, format!("{} lines are missing", self.missing));
                let tails = missing.saturating_sub(kept * self.torn);
                check(is_near(reported, tails), told(tails));
            }
        }
        let watched = self.watched.unwrap_or_default();
        let most = expect.cpu_percent_max.unwrap_or(u64::MAX);
        check(watched.cpu_percent <= most, format!("{} % of a processor", watched.cpu_percent));
        let most = expect.growth_mb_max.unwrap_or(u64::MAX);
        check(watched.growth_mb <= most, format!("memory grew by {} MB", watched.growth_mb));
        check(self.peak_mb <= expect.peak_mb_max, format!("{} MB resident", self.peak_mb));
        check(self.exit == Some(0), format!("it ended with {:?}", self.exit));
        faults
    }
}

fn line(name: &str, cells: &[String; 8], watched: &str) -> String {
    let [written, missing, again, torn, late, lost, cpu, peak] = cells;
    format!(
        "{name:20} {written:>8} {missing:>8} {again:>8} {torn:>6} {late:>6} {lost:>19} {cpu:>7} {peak:>8}  {watched}"
    )
}

/// Within a percent.
fn is_near(reported: u64, lost: u64) -> bool {
    lost.abs_diff(reported) * 100 <= lost
}

#[cfg(test)]
mod tests {
    use super::*;

    const GOOD: Outcome = Outcome {
        written: 100,
        missing: 0,
        missing_bytes: 0,
        duplicate: 0,
        torn: 0,
        out_of_order: 0,
        reported_bytes: Some(0),
        cpu: Duration::ZERO,
        peak_mb: 20,
        watched: None,
        exit: Some(0),
        examples: Vec::new(),
        log: String::new(),
    };

    fn check(outcome: &Outcome, expect: &Expect, faults: usize) {
        let found = outcome.faults(expect);
        assert_eq!(found.len(), faults, "{found:?}");
    }

    #[test]
    fn every_fault_is_one() {
        let all = &Expect::ALL;
        check(&GOOD, all, 0);
        check(&Outcome { written: 0, ..GOOD }, all, 1);
        check(&Outcome { missing: 1, missing_bytes: 9, ..GOOD }, all, 1);
        check(&Outcome { missing: 1, missing_bytes: 9, reported_bytes: Some(9), ..GOOD }, all, 2);
        check(&Outcome { duplicate: 1, torn: 1, out_of_order: 1, ..GOOD }, all, 3);
        check(&Outcome { torn: 1, ..GOOD }, &Expect { torn: 1, ..*all }, 0);
        check(&Outcome { peak_mb: 65, exit: None, ..GOOD }, all, 2);
        let watched = Some(Watched { cpu_percent: 5, growth_mb: 9 });
        check(&Outcome { watched, ..GOOD }, &Expect { cpu_percent_max: Some(4), ..*all }, 1);
        check(&Outcome { watched, ..GOOD }, &Expect { growth_mb_max: Some(8), ..*all }, 1);
    }

    #[test]
    fn a_loss_is_to_be_said_within_a_percent() {
        let lost = Outcome { missing: 10, missing_bytes: 1000, ..GOOD };
        for (said, faults) in
            [(None, 1), (Some(0), 1), (Some(989), 1), (Some(990), 0), (Some(1010), 0), (Some(1011), 1)]
        {
            check(&Outcome { reported_bytes: said, ..lost.clone() }, &Expect::REPORTED, faults);
        }
        check(&GOOD, &Expect::REPORTED, 0);
        let tails = Expect { missing: Missing::Tails(900), torn: 1, ..Expect::ALL };
        let cut = Outcome { missing: 1, missing_bytes: 1000, torn: 1, reported_bytes: Some(100), ..GOOD };
        check(&cut, &tails, 0);
        check(&Outcome { reported_bytes: Some(50), ..cut.clone() }, &tails, 1);
        check(&Outcome { missing: 2, ..cut }, &tails, 1);
    }
}
