//! Counts lines as they arrive.
//!
//! Enters: messages, each with the source whose order is kept. Leaves: how often each line came; what was torn or late.
//! Never: a list of everything; a long run has millions of lines.

use std::collections::BTreeMap;

use super::pen::{self, Reading};

/// Examples of each fault that are kept for the report.
pub(super) const EXAMPLES_MAX: usize = 5;

/// What has arrived.
#[derive(Debug, Default)]
pub(super) struct Tally {
    /// By stream: how often each sequence came.
    seen: BTreeMap<String, Vec<u8>>,
    /// By source and stream: the highest sequence so far.
    latest: BTreeMap<(String, String), u64>,
    /// Different lines that came.
    pub(super) lines: u64,
    /// Messages that are no whole line.
    pub(super) torn: u64,
    /// Lines behind a later one of the same source.
    pub(super) out_of_order: u64,
    /// The first few of what was torn, late or never written.
    pub(super) examples: Vec<String>,
}

impl Tally {
    /// Counts a message; `source` is what keeps its lines in order: a generation of a file, when the shipper names it.
    pub(super) fn add(&mut self, source: Option<&str>, message: &str) {
        match pen::read(message) {
            Reading::Banner => {}
            Reading::Torn => {
                self.torn += 1;
                self.example(format!("torn: {}", message.chars().take(120).collect::<String>()));
            }
            Reading::Line(stream, sequence) => self.line(source, stream, sequence),
        }
    }

    fn line(&mut self, source: Option<&str>, stream: &str, sequence: u64) {
        let counts = self.seen.entry(stream.to_owned()).or_default();
        let index = usize::try_from(sequence).unwrap();
        if counts.len() <= index {
            counts.resize(index + 1, 0);
        }
        counts[index] = counts[index].saturating_add(1);
        if counts[index] > 1 {
            return self.example(format!("again: {stream} {sequence} of {source:?}"));
        }
        self.lines += 1;
        let Some(source) = source else { return };
        let latest = self.latest.entry((source.to_owned(), stream.to_owned())).or_default();
        if sequence < *latest {
            self.out_of_order += 1;
            let latest = *latest;
            return self.example(format!("late: {stream} {sequence} after {latest} of {source}"));
        }
        *latest = sequence;
    }

    fn example(&mut self, text: String) {
        if self.examples.len() < EXAMPLES_MAX {
            self.examples.push(text);
        }
    }

    /// The sequences of a stream that did not come.
    pub(super) fn missing<'t>(&'t self, stream: &str, written: u64) -> impl Iterator<Item = u64> + use<'t> {
        let counts = self.seen.get(stream).map_or(&[][..], Vec::as_slice);
        let has = |sequence: u64| {
            let index = usize::try_from(sequence).unwrap_or(usize::MAX);
            counts.get(index).is_some_and(|count| *count > 0)
        };
        (0..written).filter(move |sequence| !has(*sequence))
    }

    /// Lines that came more often than once, each time counted.
    pub(super) fn duplicates(&self) -> u64 {
        let all = self.seen.values().flatten();
        all.map(|count| u64::from(count.saturating_sub(1))).sum()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_fault_is_counted_as_what_it_is() {
        let mut tally = Tally::default();
        for (source, message) in [
            ("s1", "a#0 x a 0"),
            ("s1", "a#2 x a 2"),
            ("s1", "banner 0001"),
            ("s2", "a#1 x a 1"),
            ("s1", "a#3 x a"),
            ("s1", "a#2 x a 2"),
            ("s1", "a#5 x a 5"),
            ("s1", "a#4 x a 4"),
        ] {
            tally.add(Some(source), message);
        }
        tally.add(None, "a#0 x a 0");
        let missing: Vec<u64> = tally.missing("a", 7).collect();
        assert_eq!(missing, [3, 6]);
        let counts = [tally.duplicates(), tally.torn, tally.out_of_order, tally.lines];
        assert_eq!(counts, [2, 1, 1, 5]);
        assert_eq!(tally.examples.len(), 4);
    }
}
