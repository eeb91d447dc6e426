//! A tree of predicates that is ready to run.
//!
//! Enters: a parsed query. Leaves: [`Test`]s, in which names are resolved, numbers read and wildcards split.
//! Never: an allocation for an event.

use super::ast::{Literal, Node};
use super::document::Document;
use super::field::{Fields, TIMESTAMP};
use super::mapping::Kind;
use super::pattern::Pattern;
use super::value::{Match, Range};

/// One operator or predicate.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Test {
    All(Vec<Test>),
    Any(Vec<Test>),
    Not(Box<Test>),
    Exists(Fields),
    Is(Fields, Match),
    Range(Fields, Range),
}

impl Test {
    /// Compiles `node`, whose fields lie under `path`.
    pub(crate) fn new(node: &Node, path: Option<&Pattern>) -> Self {
        let each = |nodes: &[Node]| nodes.iter().map(|node| Test::new(node, path)).collect();
        match node {
            Node::All => Test::All(Vec::new()),
            Node::And(nodes) => Test::All(each(nodes)),
            Node::Or(nodes) => Test::Any(each(nodes)),
            Node::Not(node) => Test::Not(Box::new(Test::new(node, path))),
            Node::Nested(name, node) => {
                let path = path.map_or_else(|| name.clone(), |path| path.join(name));
                Test::new(node, Some(&path))
            }
            Node::Is(name, value) => {
                let fields = Fields::new(name.as_ref(), path);
                let is_any_value = matches!(value, Literal::Bare(pattern) if pattern.is_any());
                match (is_any_value, &fields) {
                    (true, Fields::Any) => Test::All(Vec::new()),
                    (true, _) => Test::Exists(fields),
                    (false, _) => Test::Is(fields, Match::new(value)),
                }
            }
            Node::Range(name, operator, limit) => {
                Test::Range(Fields::new(Some(name), path), Range::new(*operator, limit))
            }
        }
    }

    /// Does `event` pass?
    pub(crate) fn accepts(&self, event: &impl Document) -> bool {
        match self {
            Test::All(tests) => tests.iter().all(|test| test.accepts(event)),
            Test::Any(tests) => tests.iter().any(|test| test.accepts(event)),
            Test::Not(test) => !test.accepts(event),
            Test::Exists(fields) => fields.exist(event),
            // The event's own time is exact, and there even when its record has none.
            Test::Is(fields, value) if fields.name() == Some(TIMESTAMP) => {
                value.accepts_moment(event.timestamp())
            }
            Test::Range(fields, range) if fields.name() == Some(TIMESTAMP) => {
                range.accepts_moment(event.timestamp())
            }
            Test::Is(fields, value) => fields.any(event, |kind, found| value.accepts(kind, found)),
            Test::Range(fields, range) => fields.any(event, |kind, found| range.accepts(kind, found)),
        }
    }

    /// Adds the exact names of the fields that are asked for, each once.
    pub(crate) fn fields<'a>(&'a self, out: &mut Vec<&'a str>) {
        match self {
            Test::All(tests) | Test::Any(tests) => tests.iter().for_each(|test| test.fields(out)),
            Test::Not(test) => test.fields(out),
            Test::Exists(fields) | Test::Is(fields, _) | Test::Range(fields, _) => {
                out.extend(fields.name().filter(|name| !out.contains(name)).into_iter().collect::<Vec<_>>());
            }
        }
    }

    /// Adds the equalities that every event that passes fulfils.
    pub(crate) fn required_equalities<'a>(&'a self, out: &mut Vec<(&'a str, &'a str)>) {
        match self {
            Test::All(tests) => tests.iter().for_each(|test| test.required_equalities(out)),
            Test::Any(tests) => {
                if let [only] = tests.as_slice() {
                    only.required_equalities(out);
                }
            }
            Test::Is(Fields::Named { path, kind: Kind::Keyword, behind: None }, Match::Plain(plain))
                if plain.is_only_text() =>
            {
                out.push((path, &plain.text));
            }
            _ => {}
        }
    }
}
