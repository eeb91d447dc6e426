//! One text without what must not leave the host.
//!
//! Enters: a text. Leaves: the text with marks, or nothing when there was nothing to hide. Never: more than one pass of
//! all expressions together, and one of the numbers, over a text in which nothing is found.

use regex::{Regex, RegexSet};

use super::number::{self, Kinds};
use super::{Known, Pattern};

/// What stands for a secret.
pub(super) const TOKEN: &str = "[token]";
const EMAIL: &str = "[email]";

/// Names of secrets, at the end of a name: `db.password`, `accessToken`.
const NAMES: &str =
    "passw(?:or)?d|pwd|secret|token|api[_-]?key|access[_-]?key(?:[_-]?id)?|private[_-]?key|credentials?";
/// Names that are secrets before a colon in prose too; `unexpected token: ;` is none.
const WORDS: &str = "passw(?:or)?d|pwd|secret";
/// A value: in escaped quotes, in quotes, or up to the next white space or separator. A mark is none.
const VALUE: &str =
    r#"(?:\\"((?:[^"\\]|\\[^"])+)|"((?:[^"\\]|\\[\s\S])+)|'([^']+)|([^\s"'&,;=\[{][^\s"'&,;]*))"#;
const MAIL: &str = r"[A-Za-z0-9._%+\-]+@[A-Za-z0-9\-]+(?:\.[A-Za-z0-9\-]+)*\.[A-Za-z]{2,}";

/// Expressions whose groups, or which as a whole, are secrets. Word boundaries are those of ASCII: Chinese text stands
/// beside a token without a blank.
fn secrets() -> [String; 5] {
    [
        // password=..., "token": "...", secret: ...
        format!(r#"(?i)(?:(?:{NAMES})(?:\\?["']?[ \t]*=>?|\\?["'][ \t]*:)|(?:{WORDS})[ \t]*:)[ \t]*{VALUE}"#),
        // Bearer ..., Authorization: Basic ...
        r#"(?i)(?-u:\b)(?:bearer|authorization\\?["']?[ \t]*[:=][ \t]*\\?["']?(?:basic|token))[ \t]+([A-Za-z0-9\-._~+/]{6,}=*)"#
            .to_owned(),
        // https://user:...@host
        r"://[^\s/:@]*:([^\s/@]+)@".to_owned(),
        // JSON web tokens (RFC 7519): `{"` in base64 is `eyJ`.
        r"(?-u:\b)eyJ[A-Za-z0-9_\-]{8,}\.[A-Za-z0-9_\-]{8,}(?:\.[A-Za-z0-9_\-]*)?".to_owned(),
        // Keys of AWS, Aliyun, Tencent Cloud, Google, GitHub, Slack.
        r"(?-u:\b)(?:(?:AKIA|ASIA|AROA|AIDA)[A-Z0-9]{16}|LTAI[A-Za-z0-9]{12,26}|AKID[A-Za-z0-9]{32}|AIza[A-Za-z0-9_\-]{35}|gh[pousr]_[A-Za-z0-9]{36,}|xox[abprs]-[A-Za-z0-9\-]{10,})"
            .to_owned(),
    ]
}

/// An expression, and what takes the place of what it finds.
#[derive(Debug)]
enum Rule {
    /// Its groups, or the whole match when it has none.
    Secret(Regex),
    /// The whole match, with `$1` and the like for its groups.
    Replace(Regex, String),
}

/// Rewrites texts. Keeps its buffers.
#[derive(Debug)]
pub(super) struct Redactor {
    /// Every rule's expression, to be looked for at once.
    any: RegexSet,
    rules: Vec<Rule>,
    numbers: Kinds,
    /// For names of fields whose values are secrets as a whole.
    secret_names: Option<Regex>,
    text: String,
    next: String,
}

impl Redactor {
    /// # Errors
    /// When the expressions together are too large.
    pub(super) fn new(patterns: &[Pattern]) -> Result<Self, String> {
        let mut rules = Vec::new();
        let mut own = Vec::new();
        let mut numbers = Kinds::default();
        let mut secret_names = None;
        let compile = |text: &str| Regex::new(text).map_err(|error| error.to_string());
        for pattern in patterns {
            match pattern {
                Pattern::Known(Known::Phone) => numbers.phone = true,
                Pattern::Known(Known::IdCard) => numbers.id_card = true,
                Pattern::Known(Known::BankCard) => numbers.bank_card = true,
                Pattern::Known(Known::Email) => rules.push(Rule::Replace(compile(MAIL)?, EMAIL.to_owned())),
                Pattern::Known(Known::Token) => {
                    // Before the others, so that what they find inside a secret does not cut it in two.
                    for (at, text) in secrets().iter().enumerate() {
                        rules.insert(at, Rule::Secret(compile(text)?));
                    }
                    secret_names = Some(compile(&format!("(?i)(?:{NAMES})$"))?);
                }
                Pattern::Own(pattern) => {
                    let regex = &pattern.pattern.0;
                    if regex.is_match("") {
                        return Err(format!(
                            "`{regex}` matches an empty text: write one that needs a character"
                        ));
                    }
                    own.push(Rule::Replace(pattern.pattern.0.clone(), pattern.replace.clone()));
                }
            }
        }
        rules.append(&mut own);
        let any = RegexSet::new(rules.iter().map(|rule| rule.regex().as_str()))
            .map_err(|error| format!("the patterns together are too large: {error}"))?;
        Ok(Redactor { any, rules, numbers, secret_names, text: String::new(), next: String::new() })
    }

    /// Is the value of a field of this name a secret?
    pub(super) fn is_secret(&self, name: &str) -> bool {
        self.secret_names.as_ref().is_some_and(|names| names.is_match(name))
    }

    /// The text with marks; `None` when there is nothing to hide.
    pub(super) fn redact(&mut self, text: &str) -> Option<&str> {
        let has_match = self.any.is_match(text);
        if !has_match && number::find(text, 0, self.numbers).is_none() {
            return None;
        }
        let Redactor { any, rules, numbers, text: current, next, .. } = self;
        current.clear();
        current.push_str(text);
        let mut is_changed = false;
        if has_match {
            let matches = any.matches(text);
            let found = rules.iter().enumerate().filter(|(at, _)| matches.matched(*at));
            for (_, rule) in found {
                next.clear();
                if rule.apply(current, next) {
                    std::mem::swap(current, next);
                    is_changed = true;
                }
            }
        }
        next.clear();
        if mark_numbers(current, *numbers, next) {
            std::mem::swap(current, next);
            is_changed = true;
        }
        is_changed.then_some(current)
    }
}

impl Rule {
    fn regex(&self) -> &Regex {
        match self {
            Rule::Secret(regex) | Rule::Replace(regex, _) => regex,
        }
    }

    /// Writes the text with replacements to `out`; false, and nothing is of use there, when there are none.
    fn apply(&self, text: &str, out: &mut String) -> bool {
        let (mut done, mut is_changed) = (0, false);
        for found in self.regex().captures_iter(text) {
            let mut groups =
                found.iter().skip(usize::from(matches!(self, Rule::Secret(_)) && found.len() > 1));
            // The groups of a secret exclude each other: one of them is there.
            let Some(range) = groups.find_map(|group| group.map(|group| group.range())) else { continue };
            out.push_str(text.get(done..range.start).unwrap_or_default());
            match self {
                Rule::Secret(_) => out.push_str(TOKEN),
                Rule::Replace(_, replacement) => found.expand(replacement, out),
            }
            (done, is_changed) = (range.end, true);
        }
        out.push_str(text.get(done..).unwrap_or_default());
        is_changed
    }
}

fn mark_numbers(text: &str, kinds: Kinds, out: &mut String) -> bool {
    let mut done = 0;
    while let Some((range, kind)) = number::find(text, done, kinds) {
        out.push_str(text.get(done..range.start).unwrap_or_default());
        out.push_str(kind.mark());
        done = range.end;
    }
    out.push_str(text.get(done..).unwrap_or_default());
    done > 0
}
