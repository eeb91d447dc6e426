//! Which rules an event is for.
//!
//! Enters: an event. Leaves: the rules whose `match` picks it, and for each whether its inner query does.
//! Never: a query that is run twice for one event, an allocation for an event.
//!
//! Rules that demand an equality stand in an index by field and text, so that an event costs the rules that could
//! match it; the others are tried for every event. Rules that share a query share its answer.

use std::collections::HashMap;

use event::{Event, Value};
use kql::Query;

use crate::rule::Rule;

/// The compiled form of a rule list. Rules are named by their place in it.
#[derive(Debug, Default)]
pub struct Matcher {
    queries: Vec<Query>,
    /// For each rule: the query of `match` and that of the condition.
    rules: Vec<(usize, Option<usize>)>,
    /// Field, text, and the rules that demand this text there.
    index: Vec<(String, HashMap<String, Vec<u32>>)>,
    /// The rules that demand no equality.
    broad: Vec<u32>,
    answers: Answers,
    hits: Vec<u32>,
}

impl Matcher {
    /// Compiles `rules`.
    #[must_use]
    pub fn new(rules: &[Rule]) -> Self {
        let mut matcher = Matcher::default();
        let mut places = HashMap::new();
        for rule in rules {
            let outer = matcher.place(&rule.matches, &mut places);
            let inner = rule.condition.inner().map(|query| matcher.place(query, &mut places));
            matcher.rules.push((outer, inner));
        }
        matcher.answers.known.resize(matcher.queries.len(), None);
        matcher.fill_index(rules);
        matcher
    }

    fn place(&mut self, query: &Query, places: &mut HashMap<String, usize>) -> usize {
        *places.entry(query.to_string()).or_insert_with(|| {
            self.queries.push(query.clone());
            self.queries.len() - 1
        })
    }

    /// Each rule stands under one equality, the one that the fewest rules share.
    fn fill_index(&mut self, rules: &[Rule]) {
        let mut shared: HashMap<(&str, &str), u32> = HashMap::new();
        for equality in rules.iter().flat_map(|rule| rule.matches.required_equalities()) {
            *shared.entry(equality).or_default() += 1;
        }
        for (place, rule) in (0..).zip(rules) {
            let rarest =
                rule.matches.required_equalities().into_iter().min_by_key(|equality| shared.get(equality));
            let Some((field, text)) = rarest else {
                self.broad.push(place);
                continue;
            };
            let at = self.index.iter().position(|(known, _)| known == field).unwrap_or_else(|| {
                self.index.push((field.to_owned(), HashMap::new()));
                self.index.len() - 1
            });
            if let Some((_, texts)) = self.index.get_mut(at) {
                texts.entry(text.to_owned()).or_default().push(place);
            }
        }
    }

    /// Finds the rules that pick `event`, in the order of their places; [`Matcher::hit`] has them.
    pub fn select(&mut self, event: &Event) {
        let Matcher { queries, rules, index, broad, answers, hits } = self;
        answers.forget();
        hits.clear();
        let mut consider = |rule: u32| {
            if let Some(&(query, _)) = rules.get(rule as usize)
                && answers.ask(queries, query, event)
            {
                hits.push(rule);
            }
        };
        broad.iter().copied().for_each(&mut consider);
        for (field, texts) in index {
            for value in event.values(field) {
                if let Value::Text(text) = value {
                    texts.get(text).into_iter().flatten().copied().for_each(&mut consider);
                }
            }
        }
        // A field with several values may lead to a rule twice.
        hits.sort_unstable();
        hits.dedup();
    }

    /// Does the inner query of `rule` match the event that was selected last? `true` without an inner query.
    pub fn is_inner(&mut self, rule: u32, event: &Event) -> bool {
        match self.rules.get(rule as usize) {
            Some(&(_, Some(query))) => self.answers.ask(&self.queries, query, event),
            _ => true,
        }
    }

    /// The rules found by the last [`Matcher::select`], by number in `0..`; `None` after the last.
    #[must_use]
    pub fn hit(&self, at: usize) -> Option<u32> {
        self.hits.get(at).copied()
    }

    /// Rules that must be tried for every event, because they demand no equality.
    #[must_use]
    pub fn broad(&self) -> usize {
        self.broad.len()
    }
}

/// The answers of queries to the event at hand.
#[derive(Debug, Default)]
struct Answers {
    known: Vec<Option<bool>>,
    asked: Vec<usize>,
}

impl Answers {
    fn forget(&mut self) {
        for asked in self.asked.drain(..) {
            if let Some(answer) = self.known.get_mut(asked) {
                *answer = None;
            }
        }
    }

    fn ask(&mut self, queries: &[Query], query: usize, event: &Event) -> bool {
        if let Some(Some(answer)) = self.known.get(query) {
            return *answer;
        }
        let answer = queries.get(query).is_some_and(|query| query.matches(event));
        if let Some(known) = self.known.get_mut(query) {
            *known = Some(answer);
            self.asked.push(query);
        }
        answer
    }
}
