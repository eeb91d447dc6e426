//! What the shipper's own counters say at the end.
//!
//! Enters: the metrics page. Leaves: the three sums of the ledger that a viewer asks for. Never: a count of its own.

use daemon::metric::Metrics;

/// Bytes of files by their fate.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Sums {
    /// The alerter has them.
    pub acked: u64,
    /// Not to be shipped, such as empty lines.
    pub filtered: u64,
    /// Gone.
    pub lost: u64,
}

impl Sums {
    /// Bytes that have a fate.
    #[must_use]
    pub fn settled(self) -> u64 {
        self.acked + self.filtered + self.lost
    }

    /// Reads them from the page that an operator would scrape.
    #[must_use]
    pub fn of(metrics: &Metrics) -> Self {
        let page = metrics.encode();
        Sums {
            acked: sum(&page, "shipper_file_acked_bytes_total"),
            filtered: sum(&page, "shipper_file_filtered_bytes_total"),
            lost: sum(&page, "shipper_file_lost_bytes_total"),
        }
    }
}

/// All series of `name`, added up.
fn sum(page: &str, name: &str) -> u64 {
    let series = page.lines().filter_map(|line| line.strip_prefix(name));
    // Behind the name stand the labels, if any, then the number.
    series
        .filter(|rest| rest.starts_with([' ', '{']))
        .filter_map(|rest| rest.rsplit(' ').next()?.parse::<u64>().ok())
        .sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn series_of_one_metric_are_added_up() {
        let page = "# TYPE a_total counter\na_total{reason=\"x\"} 3\na_total{reason=\"y\"} 4\na_total_b 9\nb_total 5\n";
        assert_eq!((sum(page, "a_total"), sum(page, "b_total"), sum(page, "c_total")), (7, 5, 0));
    }
}
