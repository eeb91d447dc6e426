//! What holds for every text, tree and event.

use event::{Event, Timestamp, Value};
use proptest::prelude::*;

use crate::Query;
use crate::ast::{Literal, Node, Operator};
use crate::pattern::Pattern;

/// Characters that mean something, words that do, and some of neither.
fn piece() -> impl Strategy<Value = String> {
    let sign = prop::sample::select(vec![
        "(",
        ")",
        "{",
        "}",
        ":",
        "<",
        ">",
        "<=",
        ">=",
        "\"",
        "*",
        "\\",
        " ",
        "\t",
        "\n",
        "\u{a0}",
        "and",
        "or",
        "NOT",
        "not ",
        " and ",
        " or ",
        "null",
        "true",
        "\\u0041",
        "\\n",
        "\\not",
        "a",
        "b.c",
        "5",
        "10.0.0.0/8",
        "中",
        "@timestamp",
        "2026-11-23",
        "message",
    ]);
    prop_oneof![4 => sign.prop_map(str::to_owned), 1 => "\\PC{0,3}"]
}

fn text() -> impl Strategy<Value = String> {
    prop::collection::vec(piece(), 0..24).prop_map(|pieces| pieces.concat())
}

/// Parts that the parser could have read: anything at all, escapes see to it.
fn pattern() -> impl Strategy<Value = Pattern> {
    let part = prop_oneof![2 => "[a-c]{0,2}", 1 => text()];
    prop::collection::vec(part, 1..3)
        .prop_map(Pattern::new)
        .prop_filter("an empty bare text cannot be written", |pattern| pattern.as_exact() != Some(""))
        .prop_filter("null and dates are refused", |pattern| {
            !matches!(pattern.as_exact(), Some("null" | "@timestamp"))
        })
}

fn node() -> impl Strategy<Value = Node> {
    let literal = prop_oneof![pattern().prop_map(Literal::Bare), text().prop_map(Literal::Phrase)];
    let operator = prop::sample::select(vec![
        Operator::Less,
        Operator::LessOrEqual,
        Operator::Greater,
        Operator::GreaterOrEqual,
    ]);
    let leaf = prop_oneof![
        (prop::option::of(pattern()), literal).prop_map(|(field, value)| Node::Is(field, value)),
        (pattern(), operator, text())
            .prop_map(|(field, operator, limit)| Node::Range(field, operator, limit)),
    ];
    leaf.prop_recursive(4, 24, 4, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 2..4).prop_map(Node::And),
            prop::collection::vec(inner.clone(), 2..4).prop_map(Node::Or),
            inner.clone().prop_map(|node| Node::Not(Box::new(node))),
            (pattern(), inner).prop_map(|(path, node)| Node::Nested(path, Box::new(node))),
        ]
    })
}

fn event() -> impl Strategy<Value = Event> {
    let path = prop::sample::select(vec!["a", "b", "b.c", "message", "s.ip", "event.created", "a.b"]);
    let leaf = (path, any::<i64>(), any::<f64>(), prop_oneof![text(), "[a-c]{0,2}"], 0..5);
    prop::collection::vec(leaf, 0..8).prop_map(|leaves| {
        let mut event = Event::new(Timestamp::EPOCH);
        for (path, whole, fraction, text, kind) in leaves {
            event.push(
                path,
                match kind {
                    0 => Value::Int(whole),
                    1 => Value::Float(fraction),
                    2 => Value::Bool(whole > 0),
                    3 => Value::Null,
                    _ => Value::Text(&text),
                },
            );
        }
        event
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(600))]

    #[test]
    fn any_text_is_read_or_refused_at_a_place_in_it(text in text(), event in event()) {
        match Query::parse(&text) {
            Ok(query) => {
                let _ = query.matches(&event);
                let printed = query.to_string();
                prop_assert_eq!(Query::parse(&printed), Ok(query), "{} -> {}", text, printed);
            }
            Err(error) => {
                prop_assert!(text.is_char_boundary(error.offset), "{} at {}", text, error.offset);
                prop_assert!(error.to_string().ends_with('^'));
            }
        }
    }

    #[test]
    fn every_tree_prints_as_a_text_that_reads_as_the_same_tree(node in node()) {
        let printed = node.to_string();
        let read = crate::parser::parse(&printed);
        prop_assert_eq!(read, Ok(node), "{}", printed);
    }

    #[test]
    fn not_is_the_opposite_and_lists_distribute(left in "[a-c]{1,2}", right in "[a-c]{1,2}", event in event()) {
        let matches = |text: String| Query::parse(&text).map(|query| query.matches(&event));
        let (first, second) = (matches(format!("b.c: {left}"))?, matches(format!("b.c: {right}"))?);
        prop_assert_eq!(matches(format!("not b.c: {left}"))?, !first);
        prop_assert_eq!(matches(format!("b.c: ({left} or {right})"))?, first || second);
        prop_assert_eq!(matches(format!("b.c: ({left} and not {right})"))?, first && !second);
    }

    #[test]
    fn an_event_that_matches_fulfils_the_required_equalities(
        left in "[a-c]{1,2}", right in "[a-c]{1,2}", operator in "and|or", event in event(),
    ) {
        let query = Query::parse(&format!("a: {left} {operator} b: {right}"))?;
        if query.matches(&event) {
            for (field, value) in query.required_equalities() {
                prop_assert!(event.values(field).any(|found| found == Value::Text(value)));
            }
        }
    }
}
