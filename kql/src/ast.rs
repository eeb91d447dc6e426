//! What a query says, before it is compiled.
//!
//! Enters: what the parser read. Leaves: a tree; `display` prints it. Never: anything about events.

use super::pattern::Pattern;

/// An operator or a predicate.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Node {
    /// Matches every event: an empty query.
    All,
    /// All of two or more.
    And(Vec<Node>),
    /// Any of two or more.
    Or(Vec<Node>),
    /// The opposite.
    Not(Box<Node>),
    /// `path: { node }`: the node's fields lie under `path`.
    Nested(Pattern, Box<Node>),
    /// `field: value`; without a field, any field.
    Is(Option<Pattern>, Literal),
    /// `field >= value`.
    Range(Pattern, Operator, String),
}

/// A value as it was written.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Literal {
    /// `"in quotes"`: one phrase, where `*` is a star.
    Phrase(String),
    /// Without quotes: words, where `*` stands for any text.
    Bare(Pattern),
}

/// A comparison.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Operator {
    /// `<`
    Less,
    /// `<=`
    LessOrEqual,
    /// `>`
    Greater,
    /// `>=`
    GreaterOrEqual,
}

impl Operator {
    /// The sign.
    pub(crate) const fn as_str(self) -> &'static str {
        match self {
            Operator::Less => "<",
            Operator::LessOrEqual => "<=",
            Operator::Greater => ">",
            Operator::GreaterOrEqual => ">=",
        }
    }

    /// Is a value that compares to the limit like `order` inside the range?
    pub(crate) fn accepts(self, order: std::cmp::Ordering) -> bool {
        match self {
            Operator::Less => order.is_lt(),
            Operator::LessOrEqual => order.is_le(),
            Operator::Greater => order.is_gt(),
            Operator::GreaterOrEqual => order.is_ge(),
        }
    }
}
