//! The exception inside a joined record.
//!
//! Enters: the text behind a record's head. Leaves: where the exception starts, its class and its message.
//! Never: a guess from a single line; without a frame below it, a class name is only a word.
//!
//! Java, Kotlin, Scala, C#, Node (`  at place` frames), Python (`Traceback`), Go (`goroutine N [running]:`).

use event::{Fields, Level, Text};
use memchr::{memchr, memmem};

/// What was found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Exception<'a> {
    /// Where it starts in the text.
    pub(super) start: usize,
    /// Its class, such as `java.lang.IllegalStateException`.
    pub(super) class: Option<&'a str>,
    /// What it says.
    pub(super) message: Option<&'a str>,
    /// How bad it is when the record does not say.
    pub(super) level: Level,
}

impl<'a> Exception<'a> {
    /// Finds the exception in `text`. One line costs one search for a line end.
    pub(super) fn find(text: &'a str) -> Option<Self> {
        memchr(b'\n', text.as_bytes())?;
        find_python(text).or_else(|| find_go(text)).or_else(|| find_frames(text))
    }

    /// Writes it into `fields`; a level that is there already stays.
    pub(super) fn fill(self, text: &'a str, fields: &mut Fields<'a>) {
        fields.error_type = self.class.map(Text::Plain);
        fields.error_message = self.message.map(Text::Plain);
        fields.stack_trace = text.get(self.start..).map(|trace| Text::Plain(trace.trim_end()));
        fields.level = fields.level.or(Some(self.level));
    }
}

/// The class and the message on the first line of a stack trace, or on the last of a Python traceback.
/// `line_end` is how the trace writes a line end: inside JSON it is two characters.
pub(super) fn headline<'a>(trace: &'a str, line_end: &str) -> Option<(&'a str, Option<&'a str>)> {
    let line = if trace.starts_with("Traceback ") {
        trace.rsplit(line_end).find(|line| !line.is_empty() && !line.starts_with(' '))?
    } else {
        trace.split(line_end).next()?
    };
    let (class, message) =
        line.split_once(": ").map_or((line, None), |(class, message)| (class, Some(message)));
    // Go's traces start with a function, which is dotted too, but says nothing.
    let is_throwable = message.is_some() && class.contains('.') || is_named_throwable(class);
    (is_class(class) && is_throwable).then_some((class, message))
}

/// `Traceback (most recent call last):`, frames, and the exception on the last line that is not indented. Of
/// a chain that is the exception that was raised last.
fn find_python(text: &str) -> Option<Exception<'_>> {
    let start = memmem::find(text.as_bytes(), b"Traceback (most recent call last):")?;
    let last = text[start..].lines().rev().find(|line| !line.is_empty() && !line.starts_with([' ', '\t']))?;
    let (class, message) = match last.split_once(": ") {
        Some((class, message)) => (class, Some(message)),
        None => (last, None),
    };
    let class = Some(class).filter(|class| is_class(class));
    Some(Exception { start, class, message: message.filter(|_| class.is_some()), level: Level::Error })
}

/// `panic: message`, `fatal error: message` or `http: panic serving peer: message`, and a goroutine below.
fn find_go(text: &str) -> Option<Exception<'_>> {
    let goroutine = memmem::find(text.as_bytes(), b"\ngoroutine ")?;
    let above = &text[..goroutine];
    for (mark, level) in [("panic: ", Level::Fatal), ("fatal error: ", Level::Fatal)] {
        let found = memmem::find_iter(above.as_bytes(), mark).find(|at| is_line_start(above, *at));
        if let Some(start) = found {
            let message = first_line(&above[start + mark.len()..]);
            let message = message.strip_suffix(" [recovered]").unwrap_or(message);
            return Some(Exception {
                start,
                class: Some(&mark[..mark.len() - 2]),
                message: Some(message),
                level,
            });
        }
    }
    let start = memmem::find(above.as_bytes(), b"panic serving ")?;
    let message = first_line(&above[start..]).split_once(": ").map_or("", |(_, message)| message);
    Some(Exception { start, class: Some("panic"), message: Some(message), level: Level::Error })
}

/// A line of a class and a message, with indented `at ` lines below.
fn find_frames(text: &str) -> Option<Exception<'_>> {
    let frame = first_frame(text)?;
    let above = &text[..frame];
    let mut start = 0;
    while start < above.len() {
        let line = first_line(&above[start..]);
        let found = if start == 0 { throwable_within(line) } else { throwable(line) };
        if let Some((shift, class)) = found {
            let start = start + shift;
            let behind =
                memmem::find(&above.as_bytes()[start..], class.as_bytes()).unwrap_or_default() + class.len();
            let message = above[start + behind..].trim_start_matches(':').trim();
            let message = Some(message).filter(|message| !message.is_empty());
            return Some(Exception { start, class: Some(class), message, level: Level::Error });
        }
        start += line.len() + 1;
    }
    Some(Exception { start: frame, class: None, message: None, level: Level::Error })
}

/// Where the first frame's line starts.
fn first_frame(text: &str) -> Option<usize> {
    memmem::find_iter(text.as_bytes(), b"at ").find_map(|at| {
        let before = &text[..at];
        let indent = before.trim_end_matches([' ', '\t']);
        (indent.len() < before.len() && (indent.is_empty() || indent.ends_with('\n'))).then_some(indent.len())
    })
}

/// `class: message` or `class` at the start of a line, perhaps after `Exception in thread "main" `.
fn throwable(line: &str) -> Option<(usize, &str)> {
    let class_at = match line.strip_prefix("Exception in thread \"") {
        Some(rest) => line.len() - rest.len() + memmem::find(rest.as_bytes(), b"\" ")? + 2,
        None => 0,
    };
    let rest = &line[class_at..];
    let class = &rest[..rest.find([':', ' ', '(']).unwrap_or(rest.len())];
    let ends_well = rest.len() == class.len() || rest[class.len()..].starts_with([':', ' ']);
    // After `Exception in thread` any name will do, at the start of a line a dotted one or one that names
    // itself.
    let is_throwable = class_at > 0 || class.contains('.') || is_named_throwable(class);
    (ends_well && is_class(class) && is_throwable).then_some((0, class))
}

/// A class that ends in `Exception` or `Error` anywhere in the first line, which may be the message of a
/// record.
fn throwable_within(line: &str) -> Option<(usize, &str)> {
    if let Some(found) = throwable(line) {
        return Some(found);
    }
    ["Exception", "Error", "Throwable"].iter().find_map(|suffix| {
        memmem::find_iter(line.as_bytes(), suffix).find_map(|at| {
            let end = at + suffix.len();
            let is_end = end == line.len() || line[end..].starts_with(':');
            let start = line[..at].rfind([' ', '\t', '"', '(', '[']).map_or(0, |space| space + 1);
            let class = &line[start..end];
            (is_end && is_class(class)).then_some((start, class))
        })
    })
}

/// A name that says what it is.
fn is_named_throwable(class: &str) -> bool {
    ["Exception", "Error", "Throwable"].iter().any(|end| class.ends_with(end))
}

fn is_class(name: &str) -> bool {
    name.starts_with(|first: char| first.is_ascii_alphabetic() || first == '_')
        && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'_' | b'$' | b'/'))
        && !name.ends_with('.')
}

fn is_line_start(text: &str, at: usize) -> bool {
    at == 0 || text.as_bytes().get(at - 1) == Some(&b'\n')
}

fn first_line(text: &str) -> &str {
    memchr(b'\n', text.as_bytes()).map_or(text, |end| &text[..end])
}

#[cfg(test)]
mod test {
    use super::*;

    fn check(text: &str, expected: &str) {
        let shown = Exception::find(text).map_or("none".to_owned(), |found| {
            let class = found.class.unwrap_or("-");
            format!("{} {class} {:?} {}", found.start, found.message.unwrap_or("-"), found.level.as_str())
        });
        assert_eq!(shown, expected, "{text:?}");
    }

    #[test]
    fn java() {
        check("failed\njava.lang.Boom: no\n\tat a.B.c(B.java:1)", r#"7 java.lang.Boom "no" error"#);
        check("java.lang.Boom\n\tat a.B.c(B.java:1)", r#"0 java.lang.Boom "-" error"#);
        check("x\na.BException: one\ntwo\n\tat a.B.c(B.java:1)", r#"2 a.BException "one\ntwo" error"#);
        check("log: RuntimeException: Run\n  at a.B.c(B.java:1)", r#"5 RuntimeException "Run" error"#);
        check("Exception in thread \"main\" a.B: no\n\tat a.B.c(B.java:1)", r#"0 a.B "no" error"#);
        check("request failed\n\tat a.B.c(B.java:1)", r#"15 - "-" error"#);
        check("java.lang.Boom: no frames\nsecond line", "none");
        check("look at this", "none");
        check("first\nlook at this", "none");
    }

    #[test]
    fn others_with_frames() {
        check(
            "ReferenceError: x is not defined\n  at /app/app.js:52:3",
            r#"0 ReferenceError "x is not defined" error"#,
        );
        check("System.Boom: gone.\n   at A.B () [0x0]", r#"0 System.Boom "gone." error"#);
    }

    #[test]
    fn python() {
        let trace = "Traceback (most recent call last):\n  File \"a.py\", line 1, in f\n    g()\n";
        check(&format!("{trace}ValueError: no: way"), r#"0 ValueError "no: way" error"#);
        check(&format!("root failed\n{trace}KeyboardInterrupt"), r#"12 KeyboardInterrupt "-" error"#);
        check(
            &format!(
                "{trace}KeyError: 'a'\n\nDuring handling of the above exception, another exception occurred:\n\n{trace}a.b.E: c"
            ),
            r#"0 a.b.E "c" error"#,
        );
    }

    #[test]
    fn go() {
        check("panic: my panic\n\ngoroutine 4 [running]:\nmain.main()", r#"0 panic "my panic" fatal"#);
        check("panic: a [recovered]\n\tpanic: b\n\ngoroutine 1 [running]:", r#"0 panic "a" fatal"#);
        check(
            "fatal error: all goroutines are asleep\n\ngoroutine 1 [x]:",
            r#"0 fatal error "all goroutines are asleep" fatal"#,
        );
        check("http: panic serving 1.2.3.4:5: boom: x\ngoroutine 7 [running]:", r#"6 panic "boom: x" error"#);
        check("panic: alone\nnext", "none");
    }

    proptest::proptest! {
        #[test]
        fn no_text_makes_it_panic(text in "(\\PC|\n|\t| at |panic: |\ngoroutine |Error:|Traceback \\(most recent call last\\):){0,30}") {
            if let Some(found) = Exception::find(&text) {
                let mut fields = Fields::default();
                found.fill(&text, &mut fields);
                proptest::prop_assert!(fields.stack_trace.is_some());
            }
        }
    }
}
