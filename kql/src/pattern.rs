//! Text in which `*` stands for any text, the empty one too.
//!
//! Enters: the parts between the wildcards. Leaves: does a text match. Never: an allocation while matching.

/// The parts around the wildcards: `a*b` is `["a", "b"]`, `*` is `["", ""]`, `a` is `["a"]`. Never empty.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Pattern(Vec<String>);

impl Pattern {
    /// A pattern with a wildcard between each two `parts`; no parts are the empty text.
    pub(crate) fn new(mut parts: Vec<String>) -> Self {
        if parts.is_empty() {
            parts.push(String::new());
        }
        Pattern(parts)
    }

    /// Text without a wildcard.
    pub(crate) fn exact(text: impl Into<String>) -> Self {
        Pattern(vec![text.into()])
    }

    /// The parts around the wildcards.
    pub(crate) fn parts(&self) -> &[String] {
        &self.0
    }

    /// The text, when there is no wildcard.
    pub(crate) fn as_exact(&self) -> Option<&str> {
        match self.0.as_slice() {
            [text] => Some(text),
            _ => None,
        }
    }

    /// Is it a lone `*`?
    pub(crate) fn is_any(&self) -> bool {
        self.0.len() == 2 && self.0.iter().all(String::is_empty)
    }

    /// `self`, a dot, `rest`.
    pub(crate) fn join(&self, rest: &Pattern) -> Self {
        let mut parts = self.0.clone();
        let mut rest = rest.0.iter();
        if let (Some(last), Some(first)) = (parts.last_mut(), rest.next()) {
            last.push('.');
            last.push_str(first);
        }
        parts.extend(rest.cloned());
        Pattern(parts)
    }

    /// The same in lower case, for [`Pattern::matches_folded`].
    pub(crate) fn to_lowercase(&self) -> Self {
        Pattern(self.0.iter().map(|part| part.to_lowercase()).collect())
    }

    /// The words that whitespace separates, each a pattern of its own.
    pub(crate) fn words(&self) -> Vec<Pattern> {
        let mut words: Vec<Vec<String>> = vec![vec![String::new()]];
        for (at, part) in self.0.iter().enumerate() {
            if at > 0
                && let Some(word) = words.last_mut()
            {
                word.push(String::new());
            }
            for (at, piece) in part.split(char::is_whitespace).enumerate() {
                if at > 0 {
                    words.push(vec![String::new()]);
                }
                if let Some(last) = words.last_mut().and_then(|word| word.last_mut()) {
                    last.push_str(piece);
                }
            }
        }
        words.retain(|word| word.len() > 1 || word.iter().any(|part| !part.is_empty()));
        words.into_iter().map(Pattern).collect()
    }

    /// Does the whole of `text` match?
    pub(crate) fn matches(&self, text: &str) -> bool {
        let [first, middle @ .., last] = self.0.as_slice() else {
            return self.0.first().is_some_and(|part| part == text);
        };
        let Some(mut rest) =
            text.strip_prefix(first.as_str()).and_then(|rest| rest.strip_suffix(last.as_str()))
        else {
            return false;
        };
        for part in middle {
            match rest.find(part.as_str()) {
                Some(at) => rest = rest.get(at + part.len()..).unwrap_or_default(),
                None => return false,
            }
        }
        true
    }

    /// Can any piece of `text` match [`Pattern::matches_folded`]? `false` is certain, and found without a look at words:
    /// most patterns are in most texts nowhere.
    pub(crate) fn may_be_in(&self, text: &str) -> bool {
        self.0.iter().max_by_key(|part| part.len()).is_none_or(|longest| may_hold(text, longest))
    }

    /// Does the whole of `text`, in lower case, match? The pattern has to be in lower case already.
    pub(crate) fn matches_folded(&self, text: &str) -> bool {
        let [first, middle @ .., last] = self.0.as_slice() else {
            return self.0.first().is_some_and(|part| fold(text).eq(part.chars()));
        };
        let Some(mut rest) = strip(fold(text), first) else { return false };
        for part in middle {
            loop {
                if let Some(after) = strip(rest.clone(), part) {
                    rest = after;
                    break;
                }
                if rest.next().is_none() {
                    return false;
                }
            }
        }
        let surplus = rest.clone().count().checked_sub(last.chars().count());
        surplus.is_some_and(|surplus| rest.skip(surplus).eq(last.chars()))
    }
}

/// Can `part`, in lower case, stand anywhere in `text`, in any case? Exact for ASCII; other texts may hold anything,
/// because case changes lengths there.
pub(crate) fn may_hold(text: &str, part: &str) -> bool {
    let Some((&first, rest)) = part.as_bytes().split_first() else { return true };
    if !text.is_ascii() {
        return true;
    }
    let text = text.as_bytes();
    memchr::memchr2_iter(first, first.to_ascii_uppercase(), text)
        .any(|at| text.get(at + 1..at + 1 + rest.len()).is_some_and(|found| found.eq_ignore_ascii_case(rest)))
}

/// The characters of `text` in lower case.
pub(crate) fn fold(text: &str) -> impl Iterator<Item = char> + Clone {
    text.chars().flat_map(char::to_lowercase)
}

fn strip<I: Iterator<Item = char>>(mut text: I, prefix: &str) -> Option<I> {
    prefix.chars().all(|expected| text.next() == Some(expected)).then_some(text)
}

#[cfg(test)]
mod test {
    use proptest::prelude::*;

    use super::Pattern;

    fn pattern(text: &str) -> Pattern {
        Pattern::new(text.split('*').map(str::to_owned).collect())
    }

    fn naive(pattern: &[char], text: &[char]) -> bool {
        match pattern.split_first() {
            None => text.is_empty(),
            Some(('*', rest)) => (0..=text.len()).any(|from| naive(rest, &text[from..])),
            Some((expected, rest)) => {
                text.split_first().is_some_and(|(c, text)| c == expected && naive(rest, text))
            }
        }
    }

    proptest! {
        #[test]
        fn matches_as_the_naive_matcher_does(wildcard in "[ab*]{0,8}", text in "[ab]{0,10}") {
            let (units, chars): (Vec<_>, Vec<_>) = (wildcard.chars().collect(), text.chars().collect());
            let expected = naive(&units, &chars);
            prop_assert_eq!(pattern(&wildcard).matches(&text), expected);
            prop_assert_eq!(pattern(&wildcard).matches_folded(&text.to_uppercase()), expected);
            for prefix in ["", "xX ", "ÄK "] {
                let inside = format!("{prefix}{} y", text.to_uppercase());
                prop_assert!(!expected || pattern(&wildcard).may_be_in(&inside), "{:?}", inside);
            }
        }
    }

    #[test]
    fn words_are_patterns_of_their_own() {
        let words =
            |text: &str| pattern(text).words().iter().map(|word| word.parts().join("*")).collect::<Vec<_>>();
        assert_eq!(words("foo ba*"), ["foo", "ba*"]);
        assert_eq!(words("*connection refused*"), ["*connection", "refused*"]);
        assert_eq!(words(" a  * b "), ["a", "*", "b"]);
        assert_eq!(words("a*b*c"), ["a*b*c"]);
    }
}
