//! Tokens as a tree: `not` binds tighter than `and`, `and` tighter than `or`.
//!
//! Enters: the text of a query. Leaves: a [`Node`], or the place and what was expected there.
//! Never: a recursion deeper than [`DEPTH_MAX`].

use super::ast::{Literal, Node, Operator};
use super::error::{KqlError, KqlErrorKind};
use super::lexer::{self, Placed, Token};
use super::mapping::{self, Kind};
use super::pattern::Pattern;
use super::scalar;

/// How deep parentheses, braces and `not` may nest.
pub const DEPTH_MAX: usize = 50;
/// How long a query may be, in bytes.
pub const QUERY_BYTES_MAX: usize = 16 * 1024;
/// How long a field's name may be, in bytes.
pub const FIELD_BYTES_MAX: usize = 512;

/// Parses `text`.
pub(crate) fn parse(text: &str) -> Result<Node, KqlError> {
    let wrong = |(offset, kind)| KqlError { offset, kind, query: text.to_owned() };
    if text.len() > QUERY_BYTES_MAX {
        return Err(wrong((0, KqlErrorKind::TooLarge { what: "bytes", limit: QUERY_BYTES_MAX })));
    }
    let tokens = lexer::tokens(text).map_err(wrong)?;
    let mut parser = Parser { text, tokens: &tokens, at: 0, depth: 0 };
    parser.query().map_err(wrong)
}

type Parsed<T> = Result<T, (usize, KqlErrorKind)>;

struct Parser<'a> {
    text: &'a str,
    tokens: &'a [Placed],
    at: usize,
    depth: usize,
}

impl<'a> Parser<'a> {
    fn peek(&self) -> &'a Token {
        self.tokens.get(self.at).map_or(&Token::End, |(_, token)| token)
    }

    fn offset(&self) -> usize {
        self.tokens.get(self.at).map_or(self.text.len(), |(offset, _)| *offset)
    }

    /// Takes the next token when it is `sign`.
    fn take(&mut self, sign: &str) -> bool {
        let is_sign = matches!(self.peek(), Token::Sign(found) if *found == sign);
        self.at += usize::from(is_sign);
        is_sign
    }

    fn unexpected<T>(&self, expected: &[&'static str]) -> Parsed<T> {
        let found = self.text.get(self.offset()..).and_then(|rest| rest.chars().next());
        Err((self.offset(), KqlErrorKind::Syntax { expected: expected.to_vec(), found }))
    }

    fn deeper<T>(&mut self, read: impl FnOnce(&mut Self) -> Parsed<T>) -> Parsed<T> {
        if self.depth == DEPTH_MAX {
            return Err((self.offset(), KqlErrorKind::TooLarge { what: "nested levels", limit: DEPTH_MAX }));
        }
        self.depth += 1;
        let read = read(self);
        self.depth -= 1;
        read
    }

    fn query(&mut self) -> Parsed<Node> {
        if *self.peek() == Token::End {
            return Ok(Node::All);
        }
        let node = self.any(None)?;
        match self.peek() {
            Token::End => Ok(node),
            _ => self.unexpected(&["AND", "OR", "end of input"]),
        }
    }

    /// Alternatives. With `field` the operands are values of it, else whole predicates; so in all that follows.
    fn any(&mut self, field: Option<&Pattern>) -> Parsed<Node> {
        let mut nodes = vec![self.all(field)?];
        while *self.peek() == Token::Or {
            self.at += 1;
            nodes.push(self.all(field)?);
        }
        Ok(one_or(nodes, Node::Or))
    }

    fn all(&mut self, field: Option<&Pattern>) -> Parsed<Node> {
        let mut nodes = vec![self.negated(field)?];
        while *self.peek() == Token::And {
            self.at += 1;
            nodes.push(self.negated(field)?);
        }
        Ok(one_or(nodes, Node::And))
    }

    fn negated(&mut self, field: Option<&Pattern>) -> Parsed<Node> {
        if *self.peek() != Token::Not {
            return self.operand(field);
        }
        self.at += 1;
        let inner = self.deeper(|parser| parser.negated(field))?;
        Ok(Node::Not(Box::new(inner)))
    }

    fn operand(&mut self, field: Option<&Pattern>) -> Parsed<Node> {
        if self.take("(") {
            return self.group(field, ")");
        }
        let (start, literal) = (self.offset(), self.literal());
        match (literal, field) {
            (None, None) => self.unexpected(&["\"(\"", "NOT", "field name", "value"]),
            (None, Some(_)) => self.unexpected(&["\"(\"", "NOT", "value"]),
            (Some(value), Some(field)) => checked(start, Some(field), value),
            (Some(literal), None) => self.predicate(start, literal),
        }
    }

    /// What stands between an opening sign, already taken, and `close`.
    fn group(&mut self, field: Option<&Pattern>, close: &'static str) -> Parsed<Node> {
        let node = self.deeper(|parser| parser.any(field))?;
        if self.take(close) {
            return Ok(node);
        }
        self.unexpected(&[if close == ")" { "\")\"" } else { "\"}\"" }, "AND", "OR"])
    }

    /// What follows `literal`: a colon, a comparison, or nothing, and then it was a value of its own.
    fn predicate(&mut self, start: usize, literal: Literal) -> Parsed<Node> {
        if let Some(operator) = self.operator() {
            return self.range(&field_of(start, literal)?, operator);
        }
        if !self.take(":") {
            return checked(start, None, literal);
        }
        let field = field_of(start, literal)?;
        if self.take("{") {
            let inner = self.group(None, "}")?;
            return Ok(Node::Nested(field, Box::new(inner)));
        }
        if self.take("(") {
            return self.group(Some(&field), ")");
        }
        let start = self.offset();
        match self.literal() {
            Some(value) => checked(start, Some(&field), value),
            None => self.unexpected(&["\"(\"", "\"{\"", "value"]),
        }
    }

    fn range(&mut self, field: &Pattern, operator: Operator) -> Parsed<Node> {
        let start = self.offset();
        let meaningless = |text| Err((start, KqlErrorKind::Meaningless(text)));
        let limit = match self.literal() {
            Some(Literal::Phrase(limit)) => limit,
            Some(Literal::Bare(pattern)) => match pattern.as_exact() {
                Some(limit) => limit.to_owned(),
                None => return meaningless("a limit has no wildcard: write a number, a date or a text"),
            },
            None => return self.unexpected(&["literal"]),
        };
        match date_problem(Some(field), &limit) {
            Some(problem) => meaningless(problem),
            None => Ok(Node::Range(field.clone(), operator, limit)),
        }
    }

    fn operator(&mut self) -> Option<Operator> {
        use Operator::{Greater, GreaterOrEqual, Less, LessOrEqual};
        [Less, LessOrEqual, Greater, GreaterOrEqual].into_iter().find(|operator| self.take(operator.as_str()))
    }

    fn literal(&mut self) -> Option<Literal> {
        let literal = match self.peek() {
            Token::Literal(pattern) => Literal::Bare(pattern.clone()),
            Token::Quoted(text) => Literal::Phrase(text.clone()),
            _ => return None,
        };
        self.at += 1;
        Some(literal)
    }
}

fn one_or(mut nodes: Vec<Node>, many: fn(Vec<Node>) -> Node) -> Node {
    match nodes.pop() {
        Some(only) if nodes.is_empty() => only,
        Some(last) => {
            nodes.push(last);
            many(nodes)
        }
        None => Node::All,
    }
}

/// A list repeats its field for each value, so a long name could make a short query large.
fn field_of(start: usize, literal: Literal) -> Parsed<Pattern> {
    let name = match literal {
        Literal::Phrase(name) => Pattern::exact(name),
        Literal::Bare(name) => name,
    };
    if name.parts().iter().map(String::len).sum::<usize>() > FIELD_BYTES_MAX {
        return Err((
            start,
            KqlErrorKind::TooLarge { what: "bytes in a field's name", limit: FIELD_BYTES_MAX },
        ));
    }
    Ok(name)
}

fn checked(start: usize, field: Option<&Pattern>, value: Literal) -> Parsed<Node> {
    let problem = match &value {
        Literal::Bare(pattern) => match pattern.as_exact() {
            Some("null") => {
                Some("null is never indexed: write `not field: *` for a missing field, \"null\" for the word")
            }
            Some(text) => date_problem(field, text),
            None => None,
        },
        Literal::Phrase(text) => date_problem(field, text),
    };
    match problem {
        Some(problem) => Err((start, KqlErrorKind::Meaningless(problem))),
        None => Ok(Node::Is(field.cloned(), value)),
    }
}

/// Why `text` is no value for a date field, if `field` is one.
fn date_problem(field: Option<&Pattern>, text: &str) -> Option<&'static str> {
    let is_date = field.and_then(Pattern::as_exact).is_some_and(|name| mapping::kind(name) == Kind::Date);
    if !is_date || scalar::Moment::parse(text).is_some() {
        None
    } else if text.starts_with("now") || text.contains("||") {
        Some("a rule has no `now`: its window is its time range")
    } else {
        Some(
            "not a date: write RFC 3339, whole or its beginning, such as \"2026-11-23T10:30:00Z\" or 2026-11-23",
        )
    }
}
