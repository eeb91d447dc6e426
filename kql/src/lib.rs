//! KQL, the language of Kibana's search bar, over events.
//!
//! Enters: the text of a query once; events after that. Leaves: does an event match.
//! Never: a panic on any text, an allocation for an event, a clock (`now-5m` is refused).
//!
//! In the order data flows: `lexer` cuts the text, `parser` builds an `ast` that `display` can print, `compile`
//! resolves it into tests of a `field` and a `value`, which know their `mapping`, `word`s, `pattern`s and `scalar`s.
//!
//! What matches is what Kibana would find with the Elastic Common Schema's mapping:
//! - Text in keyword fields equals as a whole, case and all. Words of `message`, `error.message`,
//!   `error.stack_trace` and `event.original` are found by Elasticsearch's standard analyzer, in any case: without
//!   quotes one of several words is enough, in quotes they have to stand side by side.
//! - A wildcard works on a keyword as a whole and on each word of a text, and spaces beside a wildcard separate
//!   alternatives, as in the `query_string` that Kibana makes of it.
//! - Numbers equal by value and truth values by name, whether or not the query has quotes; `.ip` fields take
//!   networks (`10.0.0.0/8`); dates may be shortened and are UTC without a zone.
//! - A value without a field is looked for in all fields. `name.keyword` and `name.text` stand for `name`.
//! - `items: { a: 1 and b: 2 }` is `items.a: 1 and items.b: 2`: an event is flat, as a document with an `object`
//!   mapping is, so that two members of the array may fulfil one half each.
//!
//! Where Kibana fails or surprises, this differs: a wildcard matches a number's digits (an error there), `and`, `or`
//! and `not` are operators as whole words only and everywhere, and `not not a` reads.

mod ast;
mod compile;
mod display;
mod document;
mod error;
mod field;
mod lexer;
mod mapping;
mod parser;
mod pattern;
mod scalar;
#[cfg(test)]
mod test;
mod value;
mod word;

pub use document::Document;
pub use error::{KqlError, KqlErrorKind};
pub use parser::{DEPTH_MAX, FIELD_BYTES_MAX, QUERY_BYTES_MAX};

use std::fmt;
use std::str::FromStr;

/// A compiled query. Two queries are equal when they print alike.
#[derive(Debug, Clone)]
pub struct Query {
    node: ast::Node,
    test: compile::Test,
}

impl Query {
    /// Parses and compiles `text`; an empty text matches every event.
    ///
    /// # Errors
    /// [`KqlError`] with the byte where reading stopped and what was expected there.
    pub fn parse(text: &str) -> Result<Self, KqlError> {
        let node = parser::parse(text)?;
        let test = compile::Test::new(&node, None);
        Ok(Query { node, test })
    }

    /// Does `document` match? Allocates nothing.
    #[must_use]
    pub fn matches(&self, document: &impl Document) -> bool {
        self.test.accepts(document)
    }

    /// The exact names of the fields that the query asks for, each once, in order of appearance; names with a
    /// wildcard are left out.
    #[must_use]
    pub fn fields(&self) -> Vec<&str> {
        let mut fields = Vec::new();
        self.test.fields(&mut fields);
        fields
    }

    /// Pairs of field and text: every event that matches has each of these texts, exactly, among the values of its
    /// field. Values that could be a number or a truth value are left out, since those equal more than one text.
    #[must_use]
    pub fn required_equalities(&self) -> Vec<(&str, &str)> {
        let mut pairs = Vec::new();
        self.test.required_equalities(&mut pairs);
        pairs
    }
}

impl PartialEq for Query {
    fn eq(&self, other: &Self) -> bool {
        self.node == other.node
    }
}

impl FromStr for Query {
    type Err = KqlError;

    fn from_str(text: &str) -> Result<Self, KqlError> {
        Query::parse(text)
    }
}

impl fmt::Display for Query {
    /// The canonical text; parsing it gives an equal query.
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.node.fmt(out)
    }
}
