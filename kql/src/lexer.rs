//! A query's text as tokens.
//!
//! Enters: the text. Leaves: tokens with the byte where each starts. Never: a decision about grammar.
//!
//! Words between special characters are one literal, spaces inside kept: `a: foo bar` has the value `foo bar`.
//! `and`, `or` and `not` are operators wherever they stand as whole words; Kibana takes a dangling one (`a or`) as
//! text and stumbles over `cannot connect`, which helps nobody in a rule.

use super::error::KqlErrorKind;
use super::pattern::Pattern;

/// A piece of a query.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Token {
    Literal(Pattern),
    Quoted(String),
    /// One of `( ) { } : < <= > >=`.
    Sign(&'static str),
    And,
    Or,
    Not,
    End,
}

/// A token and the byte where it starts.
pub(crate) type Placed = (usize, Token);

const SPACES: [char; 5] = [' ', '\t', '\r', '\n', '\u{a0}'];
const SPECIAL: [char; 10] = ['\\', '(', ')', ':', '<', '>', '"', '*', '{', '}'];
const SIGNS: [&str; 9] = ["(", ")", "{", "}", ":", "<=", ">=", "<", ">"];
pub(crate) const KEYWORDS: [&str; 3] = ["or", "and", "not"];

/// Cuts `text` into tokens; the last one is [`Token::End`].
pub(crate) fn tokens(text: &str) -> Result<Vec<Placed>, (usize, KqlErrorKind)> {
    let mut lexer = Lexer { text, at: 0 };
    let mut tokens = Vec::new();
    loop {
        let token = lexer.token()?;
        let is_end = token.1 == Token::End;
        tokens.push(token);
        if is_end {
            return Ok(tokens);
        }
    }
}

struct Lexer<'a> {
    text: &'a str,
    at: usize,
}

impl Lexer<'_> {
    fn rest(&self) -> &str {
        self.text.get(self.at..).unwrap_or_default()
    }

    fn peek(&self) -> Option<char> {
        self.rest().chars().next()
    }

    fn token(&mut self) -> Result<Placed, (usize, KqlErrorKind)> {
        self.at += self.rest().len() - self.rest().trim_start_matches(SPACES).len();
        let start = self.at;
        let token = if self.rest().is_empty() {
            Token::End
        } else if let Some(sign) = SIGNS.into_iter().find(|sign| self.rest().starts_with(sign)) {
            self.at += sign.len();
            Token::Sign(sign)
        } else if self.peek() == Some('"') {
            Token::Quoted(self.quoted()?)
        } else if let Some((keyword, token)) = self.keyword() {
            self.at += keyword.len();
            token
        } else {
            Token::Literal(self.literal()?)
        };
        Ok((start, token))
    }

    /// The operator that stands here as a whole word. A name before a colon or a comparison is a field.
    fn keyword(&self) -> Option<(&'static str, Token)> {
        let keyword = leading_keyword(self.rest())?;
        let next = self.rest().get(keyword.len()..)?.chars().next();
        let ends =
            next.is_none_or(|next| SPACES.contains(&next) || matches!(next, '(' | ')' | '{' | '}' | '"'));
        let token = match keyword {
            "or" => Token::Or,
            "and" => Token::And,
            _ => Token::Not,
        };
        ends.then_some((keyword, token))
    }

    fn quoted(&mut self) -> Result<String, (usize, KqlErrorKind)> {
        let mut content = String::new();
        self.at += 1;
        while let Some(next) = self.peek() {
            match next {
                '"' => {
                    self.at += 1;
                    return Ok(content);
                }
                '\\' => match self.rest().get(1..).and_then(|after| after.chars().next()) {
                    Some(escaped @ ('\\' | '"')) => self.take(&mut content, 2, escaped),
                    Some('t') => self.take(&mut content, 2, '\t'),
                    Some('r') => self.take(&mut content, 2, '\r'),
                    Some('n') => self.take(&mut content, 2, '\n'),
                    Some('u') if self.unicode(&mut content)? => {}
                    // Kibana keeps any other backslash in a phrase, so that `"C:\logs"` reads as it looks.
                    _ => self.take(&mut content, 1, '\\'),
                },
                next => self.take(&mut content, next.len_utf8(), next),
            }
        }
        Err((self.text.len(), KqlErrorKind::Syntax { expected: vec!["\"\\\"\""], found: None }))
    }

    fn literal(&mut self) -> Result<Pattern, (usize, KqlErrorKind)> {
        let mut parts = vec![String::new()];
        let mut spaces = String::new();
        while let Some(next) = self.peek() {
            if SPACES.contains(&next) {
                spaces.push(next);
                self.at += next.len_utf8();
                continue;
            }
            let ends = SPECIAL.contains(&next) && next != '*' && next != '\\';
            if ends || (!spaces.is_empty() && self.keyword().is_some()) {
                break;
            }
            let mut piece = std::mem::take(&mut spaces);
            match next {
                '\\' => self.escape(&mut piece)?,
                '*' => self.at += 1,
                next => self.take(&mut piece, next.len_utf8(), next),
            }
            if let Some(part) = parts.last_mut() {
                part.push_str(&piece);
            }
            if next == '*' {
                parts.push(String::new());
            }
        }
        Ok(Pattern::new(parts))
    }

    fn escape(&mut self, out: &mut String) -> Result<(), (usize, KqlErrorKind)> {
        let after = self.rest().get(1..).unwrap_or_default();
        let word = leading_keyword(after);
        // Kibana reads `\not` as a line break and `ot`; as a whole word it can only be meant as the word.
        let is_whole = word.is_some_and(|word| {
            let next = after.get(word.len()..).and_then(|rest| rest.chars().next());
            next.is_none_or(|next| SPACES.contains(&next) || SPECIAL.contains(&next))
        });
        match after.chars().next() {
            _ if is_whole => self.take_word(out, word),
            Some(special) if SPECIAL.contains(&special) => self.take(out, 2, special),
            Some('t') => self.take(out, 2, '\t'),
            Some('r') => self.take(out, 2, '\r'),
            Some('n') => self.take(out, 2, '\n'),
            Some('u') if self.unicode(out)? => {}
            _ if word.is_some() => self.take_word(out, word),
            other => {
                return Err((self.at, KqlErrorKind::Escape(other.map(String::from).unwrap_or_default())));
            }
        }
        Ok(())
    }

    /// Takes a backslash and the word behind it, as it is written.
    fn take_word(&mut self, out: &mut String, word: Option<&str>) {
        let length = word.map_or(0, str::len);
        out.push_str(self.rest().get(1..=length).unwrap_or_default());
        self.at += 1 + length;
    }

    /// Takes `\uHHHH`, or two that make one character; `false` when no four hex digits follow.
    fn unicode(&mut self, out: &mut String) -> Result<bool, (usize, KqlErrorKind)> {
        let unit = |text: &str| {
            let digits = text
                .strip_prefix("\\u")?
                .get(..4)
                .filter(|digits| digits.bytes().all(|b| b.is_ascii_hexdigit()));
            u16::from_str_radix(digits?, 16).ok()
        };
        let Some(first) = unit(self.rest()) else { return Ok(false) };
        if let Some(single) = char::from_u32(u32::from(first)) {
            self.take(out, 6, single);
            return Ok(true);
        }
        let pair = self.rest().get(6..).and_then(unit).map(|second| [first, second]);
        match pair.and_then(|pair| char::decode_utf16(pair).next()).and_then(Result::ok) {
            Some(double) => self.take(out, 12, double),
            None => {
                return Err((
                    self.at,
                    KqlErrorKind::Escape(self.rest().get(1..6).unwrap_or_default().to_owned()),
                ));
            }
        }
        Ok(true)
    }

    fn take(&mut self, out: &mut String, bytes: usize, meaning: char) {
        out.push(meaning);
        self.at += bytes;
    }
}

/// The keyword that `text` starts with, in any case.
fn leading_keyword(text: &str) -> Option<&'static str> {
    KEYWORDS
        .into_iter()
        .find(|word| text.get(..word.len()).is_some_and(|start| start.eq_ignore_ascii_case(word)))
}
