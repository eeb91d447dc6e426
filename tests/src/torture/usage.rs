//! What a process costs, as the kernel counts it.
//!
//! Enters: a process id. Leaves: seconds on a processor, peak and present memory. Never: a guess for a process that is gone.

use std::time::Duration;

/// `USER_HZ` is 100 on every architecture that Linux runs on today.
const TICK: Duration = Duration::from_millis(10);

/// One reading.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Usage {
    /// User and system time.
    pub cpu: Duration,
    /// The peak of resident memory, in kilobytes.
    pub peak_kb: u64,
    /// Resident memory now, in kilobytes.
    pub resident_kb: u64,
}

impl Usage {
    /// Reads `/proc/PID`; `None` when it is gone.
    #[must_use]
    pub fn of(pid: u32) -> Option<Self> {
        let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
        let status = std::fs::read_to_string(format!("/proc/{pid}/status")).ok()?;
        let ticks = processor_ticks(&stat)?;
        Some(Usage {
            cpu: TICK * ticks,
            peak_kb: kilobytes(&status, "VmHWM:")?,
            resident_kb: kilobytes(&status, "VmRSS:")?,
        })
    }
}

/// Fields 14 and 15 of proc(5), counted behind the name, which may have spaces.
fn processor_ticks(stat: &str) -> Option<u32> {
    let (_, fields) = stat.rsplit_once(')')?;
    let mut fields = fields.split_whitespace().skip(11);
    let user: u32 = fields.next()?.parse().ok()?;
    let system: u32 = fields.next()?.parse().ok()?;
    Some(user + system)
}

fn kilobytes(status: &str, name: &str) -> Option<u64> {
    let line = status.lines().find_map(|line| line.strip_prefix(name))?;
    line.trim().trim_end_matches("kB").trim().parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_name_of_a_process_may_look_like_its_numbers() {
        let stat = "7 (a ) b 1 2) S 1 7 7 0 -1 4194560 1 2 3 4 250 50 9 9 20 0";
        assert_eq!(processor_ticks(stat), Some(300));
        assert_eq!(kilobytes("VmPeak:\t 9 kB\nVmHWM:\t  812 kB\n", "VmHWM:"), Some(812));
    }

    #[test]
    fn this_process_costs_something() {
        let usage = Usage::of(std::process::id()).unwrap();
        assert!(usage.peak_kb >= usage.resident_kb && usage.resident_kb > 0);
    }
}
