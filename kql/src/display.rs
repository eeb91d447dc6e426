//! The canonical text of a query.
//!
//! Enters: a tree. Leaves: text that parses to the same tree. Never: more parentheses than that takes.

use std::fmt::{self, Display, Formatter};

use super::ast::{Literal, Node};
use super::lexer::KEYWORDS;
use super::pattern::Pattern;

impl Display for Node {
    fn fmt(&self, out: &mut Formatter<'_>) -> fmt::Result {
        match self {
            Node::All => Ok(()),
            Node::And(nodes) => {
                joined(out, nodes, " and ", |node| matches!(node, Node::And(_) | Node::Or(_)))
            }
            Node::Or(nodes) => joined(out, nodes, " or ", |node| matches!(node, Node::Or(_))),
            Node::Not(node) => {
                out.write_str("not ")?;
                operand(out, node, matches!(**node, Node::And(_) | Node::Or(_)))
            }
            Node::Nested(path, node) => {
                field(out, path)?;
                write!(out, ": {{ {node} }}")
            }
            Node::Is(None, value) => write!(out, "{value}"),
            Node::Is(Some(name), value) => {
                field(out, name)?;
                write!(out, ": {value}")
            }
            Node::Range(name, operator, limit) => {
                field(out, name)?;
                write!(out, " {} ", operator.as_str())?;
                let is_plain =
                    limit.chars().all(|c| c.is_ascii_digit() || matches!(c, '.' | '-' | '+' | '/'));
                if is_plain && !limit.is_empty() { out.write_str(limit) } else { quoted(out, limit) }
            }
        }
    }
}

impl Display for Literal {
    fn fmt(&self, out: &mut Formatter<'_>) -> fmt::Result {
        match self {
            Literal::Phrase(text) => quoted(out, text),
            Literal::Bare(pattern) => bare(out, pattern),
        }
    }
}

fn joined(
    out: &mut Formatter<'_>,
    nodes: &[Node],
    word: &str,
    needs_parentheses: fn(&Node) -> bool,
) -> fmt::Result {
    for (at, node) in nodes.iter().enumerate() {
        if at > 0 {
            out.write_str(word)?;
        }
        operand(out, node, needs_parentheses(node))?;
    }
    Ok(())
}

fn operand(out: &mut Formatter<'_>, node: &Node, in_parentheses: bool) -> fmt::Result {
    if in_parentheses { write!(out, "({node})") } else { write!(out, "{node}") }
}

/// A field's name; the empty one can only be written in quotes.
fn field(out: &mut Formatter<'_>, name: &Pattern) -> fmt::Result {
    if name.as_exact() == Some("") { out.write_str("\"\"") } else { bare(out, name) }
}

fn quoted(out: &mut Formatter<'_>, text: &str) -> fmt::Result {
    out.write_str("\"")?;
    for character in text.chars() {
        match character {
            '"' | '\\' => write!(out, "\\{character}")?,
            '\n' => out.write_str("\\n")?,
            '\r' => out.write_str("\\r")?,
            '\t' => out.write_str("\\t")?,
            _ => write!(out, "{character}")?,
        }
    }
    out.write_str("\"")
}

fn bare(out: &mut Formatter<'_>, pattern: &Pattern) -> fmt::Result {
    let last = pattern.parts().len() - 1;
    for (at, part) in pattern.parts().iter().enumerate() {
        if at > 0 {
            out.write_str("*")?;
        }
        let start = if at == 0 { part.len() - part.trim_start_matches(' ').len() } else { 0 };
        let end = if at == last { part.trim_end_matches(' ').len() } else { part.len() };
        for (offset, character) in part.char_indices() {
            let opens_word = offset == 0 || part.get(..offset).is_some_and(|before| before.ends_with(' '));
            if opens_word && starts_with_keyword(part.get(offset..).unwrap_or_default()) {
                out.write_str("\\")?;
            }
            match character {
                // A space at either end would be trimmed, a line break before `ot` would read as `not`.
                ' ' if offset < start || offset >= end => out.write_str("\\u0020")?,
                '\n' | '\u{a0}' => write!(out, "\\u{:04x}", u32::from(character))?,
                '\r' => out.write_str("\\r")?,
                '\t' => out.write_str("\\t")?,
                '\\' | '(' | ')' | ':' | '<' | '>' | '"' | '*' | '{' | '}' => write!(out, "\\{character}")?,
                _ => write!(out, "{character}")?,
            }
        }
    }
    Ok(())
}

fn starts_with_keyword(text: &str) -> bool {
    let word = text.split(' ').next().unwrap_or_default();
    KEYWORDS.iter().any(|keyword| keyword.eq_ignore_ascii_case(word))
}
