//! Does one value of an event equal, match or exceed one value of a query.
//!
//! Enters: a literal once; values with their field's kind after that. Leaves: yes or no.
//! Never: an allocation for a value.

use std::cmp::Ordering;
use std::fmt::Write as _;

use event::{Timestamp, Value};

use super::ast::{Literal, Operator};
use super::mapping::Kind;
use super::pattern::{Pattern, fold, may_hold};
use super::scalar::{Moment, Network, Number};
use super::word::{is_word, words};

/// A value to be equal to, or to match.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Match {
    /// A text without wildcards.
    Plain(Plain),
    /// What stands between the spaces of a bare value with a wildcard; any of them is enough.
    AnyOf(Vec<Match>),
    /// A word with a wildcard, as written and in lower case.
    Glob(Pattern, Pattern),
}

/// A text and all that it can be read as.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Plain {
    pub(crate) text: String,
    is_phrase: bool,
    /// The words, in lower case.
    words: Vec<String>,
    number: Option<Number>,
    moment: Option<Moment>,
    network: Option<Network>,
}

impl Match {
    /// Prepares `literal`.
    ///
    /// A bare value with a wildcard is what Kibana hands to `query_string`: spaces separate alternatives, and words
    /// without a wildcard that stand together stay together.
    pub(crate) fn new(literal: &Literal) -> Self {
        let pattern = match literal {
            Literal::Phrase(text) => return Match::Plain(Plain::new(text, true)),
            Literal::Bare(pattern) => pattern,
        };
        if let Some(text) = pattern.as_exact() {
            return Match::Plain(Plain::new(text, false));
        }
        let mut alternatives = Vec::new();
        let mut together = String::new();
        for word in pattern.words() {
            if let Some(text) = word.as_exact() {
                let space = if together.is_empty() { "" } else { " " };
                together = format!("{together}{space}{text}");
                continue;
            }
            if !together.is_empty() {
                alternatives.push(Match::Plain(Plain::new(&std::mem::take(&mut together), false)));
            }
            alternatives.push(Match::Glob(word.clone(), word.to_lowercase()));
        }
        if !together.is_empty() {
            alternatives.push(Match::Plain(Plain::new(&together, false)));
        }
        match alternatives.pop() {
            Some(only) if alternatives.is_empty() => only,
            Some(last) => {
                alternatives.push(last);
                Match::AnyOf(alternatives)
            }
            None => Match::AnyOf(alternatives),
        }
    }

    /// Does `value`, of a field of this kind, match?
    pub(crate) fn accepts(&self, kind: Kind, value: Value<'_>) -> bool {
        match self {
            Match::Plain(plain) => plain.accepts(kind, value),
            Match::AnyOf(alternatives) => alternatives.iter().any(|match_| match_.accepts(kind, value)),
            Match::Glob(exact, lowered) => match (kind, value) {
                (Kind::Text, Value::Text(text)) => {
                    lowered.may_be_in(text) && words(text).any(|word| lowered.matches_folded(word))
                }
                (_, Value::Text(text)) => exact.matches(text),
                (_, value) => Digits::of(value).is_some_and(|digits| exact.matches(digits.as_str())),
            },
        }
    }

    /// Does the moment match?
    pub(crate) fn accepts_moment(&self, at: Timestamp) -> bool {
        match self {
            Match::Plain(plain) => plain.is_at(at),
            Match::AnyOf(alternatives) => alternatives.iter().any(|match_| match_.accepts_moment(at)),
            Match::Glob(exact, _) => exact.is_any(),
        }
    }
}

impl Plain {
    fn new(text: &str, is_phrase: bool) -> Self {
        Plain {
            text: text.to_owned(),
            is_phrase,
            words: words(text).map(str::to_lowercase).collect(),
            number: Number::parse(text),
            moment: Moment::parse(text),
            network: Network::parse(text),
        }
    }

    /// Is equality of text all there is to it, whatever a keyword field holds?
    pub(crate) fn is_only_text(&self) -> bool {
        self.number.is_none() && !matches!(self.text.as_str(), "true" | "false")
    }

    fn accepts(&self, kind: Kind, value: Value<'_>) -> bool {
        let equals =
            |number: Number| self.number.and_then(|own| number.compare(own)) == Some(Ordering::Equal);
        match (kind, value) {
            (_, Value::Null) => false,
            (_, Value::Bool(truth)) => self.text == if truth { "true" } else { "false" },
            (Kind::Date, Value::Int(millis)) => self.is_at(Timestamp::from_millis(millis)),
            (_, Value::Int(number)) => equals(Number::Int(number)),
            (_, Value::Float(number)) => equals(Number::Float(number)),
            (Kind::Keyword, Value::Text(text)) => self.text == text,
            (Kind::Text, Value::Text(text)) => self.has_words(text),
            (Kind::Date, Value::Text(text)) => {
                self.text == text || Moment::parse(text).is_some_and(|moment| self.is_at(moment.first))
            }
            (Kind::Address, Value::Text(text)) => {
                self.text == text || self.network.is_some_and(|network| network.contains(text))
            }
        }
    }

    fn is_at(&self, at: Timestamp) -> bool {
        self.moment.is_some_and(|moment| (moment.first..=moment.last).contains(&at))
    }

    /// A phrase needs its words side by side, in order; bare words need one of them to be there.
    fn has_words(&self, text: &str) -> bool {
        let Some(first) = self.words.first() else { return false };
        let mut own = self.words.iter();
        let may_hold = |word: &String| may_hold(text, word);
        if !(if self.is_phrase { own.all(may_hold) } else { own.any(may_hold) }) {
            return false;
        }
        if !self.is_phrase {
            return words(text).any(|word| self.words.iter().any(|own| is_word(word, own)));
        }
        let mut rest = words(text);
        while let Some(word) = rest.next() {
            let mut following = rest.clone();
            let is_next = |own: &String| following.next().is_some_and(|word| is_word(word, own));
            if is_word(word, first) && self.words.iter().skip(1).all(is_next) {
                return true;
            }
        }
        false
    }
}

/// A limit to compare with.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Range {
    operator: Operator,
    text: String,
    lowered: String,
    number: Option<Number>,
    moment: Option<Timestamp>,
    network: Option<Network>,
}

impl Range {
    /// Prepares `operator limit`.
    pub(crate) fn new(operator: Operator, limit: &str) -> Self {
        // `> 2026-11-23` begins when the day has ended, `>= 2026-11-23` when it starts.
        let edge = |moment: Moment| match operator {
            Operator::Greater | Operator::LessOrEqual => moment.last,
            Operator::Less | Operator::GreaterOrEqual => moment.first,
        };
        Range {
            operator,
            text: limit.to_owned(),
            lowered: limit.to_lowercase(),
            number: Number::parse(limit),
            moment: Moment::parse(limit).map(edge),
            network: Network::parse(limit),
        }
    }

    /// Is `value`, of a field of this kind, inside?
    pub(crate) fn accepts(&self, kind: Kind, value: Value<'_>) -> bool {
        match (kind, value) {
            (_, Value::Null | Value::Bool(_)) => false,
            (Kind::Date, Value::Int(millis)) => self.accepts_moment(Timestamp::from_millis(millis)),
            (_, Value::Int(number)) => self.accepts_number(Number::Int(number)),
            (_, Value::Float(number)) => self.accepts_number(Number::Float(number)),
            (Kind::Text, Value::Text(text)) => {
                words(text).any(|word| self.operator.accepts(fold(word).cmp(self.lowered.chars())))
            }
            (Kind::Date, Value::Text(text)) => {
                Moment::parse(text).is_some_and(|moment| self.accepts_moment(moment.first))
            }
            (Kind::Address, Value::Text(text)) => {
                let order = self.network.and_then(|network| network.compare(text));
                order.is_some_and(|order| self.operator.accepts(order))
            }
            (Kind::Keyword, Value::Text(text)) => self.accepts_keyword(text),
        }
    }

    /// Is the moment inside?
    pub(crate) fn accepts_moment(&self, at: Timestamp) -> bool {
        self.moment.is_some_and(|limit| self.operator.accepts(at.cmp(&limit)))
    }

    fn accepts_number(&self, number: Number) -> bool {
        let order = self.number.and_then(|limit| number.compare(limit));
        order.is_some_and(|order| self.operator.accepts(order))
    }

    /// Where both texts are numbers, or both are dates, they compare as such: records of other tools carry numbers as
    /// text, which Elasticsearch's template would have typed. All else compares by its characters.
    fn accepts_keyword(&self, text: &str) -> bool {
        if let (Some(_), Some(number)) = (self.number, Number::parse(text)) {
            return self.accepts_number(number);
        }
        match (self.moment, Moment::parse(text)) {
            (Some(_), Some(moment)) => self.accepts_moment(moment.first),
            _ => self.operator.accepts(text.cmp(&self.text)),
        }
    }
}

/// A number or a truth value as JSON writes it, on the stack.
struct Digits {
    bytes: [u8; Digits::BYTES],
    length: usize,
}

impl Digits {
    /// Enough for every whole number and every fraction of common size; longer ones match no wildcard.
    const BYTES: usize = 40;

    fn of(value: Value<'_>) -> Option<Self> {
        let mut digits = Digits { bytes: [0; Digits::BYTES], length: 0 };
        match value {
            Value::Null | Value::Text(_) => return None,
            Value::Bool(truth) => write!(digits, "{truth}"),
            Value::Int(number) => write!(digits, "{number}"),
            Value::Float(number) => write!(digits, "{number}"),
        }
        .ok()?;
        Some(digits)
    }

    fn as_str(&self) -> &str {
        self.bytes.get(..self.length).and_then(|bytes| std::str::from_utf8(bytes).ok()).unwrap_or_default()
    }
}

impl std::fmt::Write for Digits {
    fn write_str(&mut self, text: &str) -> std::fmt::Result {
        let end = self.length + text.len();
        self.bytes.get_mut(self.length..end).ok_or(std::fmt::Error)?.copy_from_slice(text.as_bytes());
        self.length = end;
        Ok(())
    }
}
