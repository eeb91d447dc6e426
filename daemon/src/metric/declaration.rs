//! One row of a crate's metric table.
//!
//! Enters: a name, a unit, a meaning, labels. Leaves: the same as a row of the docs. Never: a number.

use std::fmt::Write;

/// What a metric does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// Only grows; its name on the page ends in `_total`.
    Counter,
    /// Goes up and down.
    Gauge,
    /// Counts by size.
    Histogram,
}

/// What values a label takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Values {
    /// These and no others.
    Closed(&'static [&'static str]),
    /// As many as the configuration or the host has; the text says of what.
    Open(&'static str),
}

/// A label of a metric.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Label {
    /// Its name.
    pub name: &'static str,
    /// Its values.
    pub values: Values,
}

impl Label {
    /// A label with a closed set of values: the rule.
    #[must_use]
    pub const fn closed(name: &'static str, values: &'static [&'static str]) -> Self {
        Label { name, values: Values::Closed(values) }
    }

    /// A label whose values the operator's own configuration names, such as a rule; `of` says what they are.
    #[must_use]
    pub const fn open(name: &'static str, of: &'static str) -> Self {
        Label { name, values: Values::Open(of) }
    }

    pub(super) fn allows(&self, value: &str) -> bool {
        match self.values {
            Values::Closed(values) => values.contains(&value),
            Values::Open(_) => true,
        }
    }
}

/// One metric: what it is called, what it counts, in what unit.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Declaration {
    /// The name without `_total`; starts with the crate's name, ends in the unit where there is one.
    pub name: &'static str,
    /// What it does.
    pub kind: Kind,
    /// The unit: `records`, `bytes`, `seconds`, `fraction`.
    pub unit: &'static str,
    /// What it says to an operator, in one sentence.
    pub meaning: &'static str,
    /// Its labels, in the order that `with` takes their values.
    pub labels: &'static [Label],
    /// A histogram's upper bounds.
    pub buckets: &'static [f64],
}

impl Declaration {
    /// A counter.
    #[must_use]
    pub const fn counter(name: &'static str, unit: &'static str, meaning: &'static str) -> Self {
        Declaration { name, kind: Kind::Counter, unit, meaning, labels: &[], buckets: &[] }
    }

    /// A gauge.
    #[must_use]
    pub const fn gauge(name: &'static str, unit: &'static str, meaning: &'static str) -> Self {
        Declaration { name, kind: Kind::Gauge, unit, meaning, labels: &[], buckets: &[] }
    }

    /// A histogram with these upper bounds.
    #[must_use]
    pub const fn histogram(
        name: &'static str,
        unit: &'static str,
        meaning: &'static str,
        buckets: &'static [f64],
    ) -> Self {
        Declaration { name, kind: Kind::Histogram, unit, meaning, labels: &[], buckets }
    }

    /// The same with labels.
    #[must_use]
    pub const fn by(self, labels: &'static [Label]) -> Self {
        Declaration { labels, ..self }
    }
}

/// A crate's table as Markdown: name, kind, unit, labels, meaning.
#[must_use]
pub fn document(table: &[Declaration]) -> String {
    let mut page = String::from("| metric | kind | unit | labels | meaning |\n|---|---|---|---|---|\n");
    for row in table {
        let (suffix, kind) = match row.kind {
            Kind::Counter => ("_total", "counter"),
            Kind::Gauge => ("", "gauge"),
            Kind::Histogram => ("", "histogram"),
        };
        let labels: Vec<String> = row.labels.iter().map(label_text).collect();
        // Writing to a string cannot fail.
        let _ = writeln!(
            page,
            "| `{}{suffix}` | {kind} | {} | {} | {} |",
            row.name,
            row.unit,
            labels.join("; "),
            row.meaning
        );
    }
    page
}

fn label_text(label: &Label) -> String {
    match label.values {
        Values::Closed(values) => format!("`{}`: {}", label.name, values.join(", ")),
        Values::Open(of) => format!("`{}`: {of}", label.name),
    }
}
