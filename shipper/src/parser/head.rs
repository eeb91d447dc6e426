//! The head of a text line: time, level, thread, logger and what else stands before the message.
//!
//! Enters: a record's text. Leaves: [`Head`], whose members borrow from it, and where the message starts.
//! Never: a part that it is not sure of; such a part stays in the message, so nothing is lost.
//!
//! One reader for all the patterns that differ only in order and brackets: logback, log4j2, Spring Boot 2 and
//! 3, Python's logging, klog, Rust's tracing, Elasticsearch. `parser::spring` asks for time and level,
//! `parser::plain` takes what there is.

use event::{Fields, Level, Text, Timestamp};

use super::exception::Exception;
use super::time::Clock;
use super::trace;

/// Parts of a head that are looked at; what follows is message.
const PARTS_MAX: usize = 12;

/// Longest text in brackets that is still a thread or a logger.
const BRACKET_BYTES_MAX: usize = 200;

/// What a head holds.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Head<'a> {
    timestamp: Option<Timestamp>,
    level: Option<Level>,
    thread: Option<&'a str>,
    logger: Option<&'a str>,
    service: Option<&'a str>,
    pid: Option<u64>,
    trace: Option<&'a str>,
    span: Option<&'a str>,
    caller: Option<&'a str>,
    /// Spring Boot's `---` was seen.
    is_boot: bool,
    /// Where the message starts.
    message: usize,
}

impl<'a> Head<'a> {
    /// Reads the head of `text`.
    pub(super) fn read(text: &'a str, read_at: Timestamp, clock: &mut Clock) -> Self {
        let mut head = Head::default();
        let start = after_color(text, 0);
        if let Some(end) = head.read_klog(text, start, read_at, clock) {
            head.message = end;
            return head;
        }
        head.message = head.read_time(text, start, read_at, clock).unwrap_or(start);
        for _ in 0..PARTS_MAX {
            let at = skip_blanks(text, head.message);
            match head.read_part(text, at) {
                Some(Part::Head(end)) => head.message = end,
                Some(Part::Last(end)) => {
                    head.message = end;
                    break;
                }
                None => break,
            }
        }
        if head.level.is_none() {
            head.read_java_util(text);
        }
        head
    }

    /// True when there are a time and a level: a line of a logging library and not of anything else.
    pub(super) fn is_whole(&self) -> bool {
        self.timestamp.is_some() && self.level.is_some()
    }

    /// Writes the head, the message and the exception below it.
    pub(super) fn fill(self, text: &'a str, fields: &mut Fields<'a>) {
        fields.timestamp = self.timestamp;
        fields.level = self.level;
        fields.thread_name = self.thread.map(Text::Plain);
        fields.logger = self.logger.map(Text::Plain);
        fields.service_name = self.service.map(Text::Plain);
        fields.process_pid = self.pid;
        fields.trace_id = self.trace.map(Text::Plain);
        fields.span_id = self.span.map(Text::Plain);
        if let Some(caller) = self.caller {
            fields.labels.push((Text::Plain("caller"), event::Scalar::Text(Text::Plain(caller))));
        }
        let body = text.get(skip_blanks(text, self.message)..).unwrap_or_default();
        let message = match Exception::find(body) {
            Some(found) => {
                found.fill(body, fields);
                // The message before an exception is empty when the head is all there was: then the
                // exception's first line, which is in `error.*`, is the best there is.
                let before = body.get(..found.start).unwrap_or_default().trim_end();
                if before.is_empty() { body.lines().next().unwrap_or_default() } else { before }
            }
            None => body.trim_end(),
        };
        if self.message > 0 && !message.is_empty() {
            fields.message = Some(Text::Plain(message));
        }
    }

    /// `2026-11-23 10:30:45,123`, `[2026-11-23T10:30:45,123]`, `10:30:45.123`, `Nov 23 10:30:45`.
    fn read_time(&mut self, text: &str, at: usize, read_at: Timestamp, clock: &mut Clock) -> Option<usize> {
        let bytes = text.as_bytes();
        let is_bracket = bytes.get(at) == Some(&b'[');
        let at = at + usize::from(is_bracket);
        let rest = bytes.get(at..)?;
        let (time, taken) = match rest.first()? {
            b'0'..=b'9' => clock.iso(rest).or_else(|| clock.time_of_day(rest, read_at))?,
            b'A'..=b'Z' => clock.java_util(rest).or_else(|| clock.syslog(rest, read_at))?,
            _ => return None,
        };
        let end = at + taken;
        let is_closed = !is_bracket || bytes.get(end) == Some(&b']');
        let ends_well = bytes.get(end).is_none_or(|next| b" \t]:|[\x1b".contains(next));
        if !is_closed || !ends_well {
            return None;
        }
        self.timestamp = Some(time);
        Some(end + usize::from(is_bracket))
    }

    /// One part at `at`; `None` when the message starts there.
    fn read_part(&mut self, text: &'a str, at: usize) -> Option<Part> {
        let bytes = text.as_bytes();
        match bytes.get(at)? {
            b'[' => self.read_bracket(text, at).map(Part::Head),
            b'-' if bytes[at..].starts_with(b"--- ") && self.level.is_some() => {
                self.is_boot = true;
                Some(Part::Head(at + 3))
            }
            b'-' | b':' | b'|' if bytes.get(at + 1) == Some(&b' ') && self.is_begun() => {
                let is_last = self.level.is_some() && (self.logger.is_some() || bytes[at] == b':');
                Some(if is_last { Part::Last(at + 2) } else { Part::Head(at + 1) })
            }
            b'0'..=b'9' if self.level.is_some() && self.pid.is_none() => {
                self.read_pid(text, at).map(Part::Head)
            }
            b'A'..=b'Z' | b'a'..=b'z' | b'_' => self.read_word(text, at),
            _ => None,
        }
    }

    fn is_begun(&self) -> bool {
        self.timestamp.is_some() || self.level.is_some()
    }

    /// A level, or the name of a logger in front of its separator.
    fn read_word(&mut self, text: &'a str, at: usize) -> Option<Part> {
        let rest = &text[at..];
        if self.level.is_none()
            && let Some((level, taken)) = level_word(rest, self.timestamp.is_some())
        {
            self.level = Some(level);
            return Some(Part::Head(at + taken));
        }
        if self.logger.is_some() || !self.is_begun() {
            return None;
        }
        let name = rest.get(..rest.find([' ', '\t', '\n', '\u{1b}']).unwrap_or(rest.len()))?;
        let end = after_color(text, at + name.len());
        let colored = text[end..].starts_with(": ") && end > at + name.len();
        if let Some(name) = name.strip_suffix(':').or(colored.then_some(name)) {
            let end = end + usize::from(colored);
            // Without a blank before the colon the word could as well be the message's first: it must look
            // like a name.
            let is_name =
                self.level.is_some() && (name.contains('.') || name.contains("::") || name.contains('_'));
            return is_name.then(|| self.take_logger(name, Part::Last(end)));
        }
        let next = skip_blanks(text, end);
        let separator = text.as_bytes().get(next..next + 2)?;
        match separator {
            b"- " | b": " if self.level.is_some() => Some(self.take_logger(name, Part::Last(next + 2))),
            b"- " if !self.has_level_at(text, at) => Some(self.take_logger(name, Part::Head(next + 1))),
            [b'[', _] if self.level.is_some() && name.contains('.') => {
                Some(self.take_logger(name, Part::Head(end)))
            }
            _ => None,
        }
    }

    fn take_logger(&mut self, name: &'a str, part: Part) -> Part {
        self.logger = Some(name);
        part
    }

    fn has_level_at(&self, text: &str, at: usize) -> bool {
        text.get(at..).is_some_and(|rest| level_word(rest, true).is_some())
    }

    /// Spring Boot's process id, in front of `---`.
    fn read_pid(&mut self, text: &str, at: usize) -> Option<usize> {
        let digits = text.as_bytes()[at..].iter().take_while(|byte| byte.is_ascii_digit()).count();
        let rest = text.as_bytes().get(at + digits..)?;
        if !rest.starts_with(b" --- ") {
            return None;
        }
        self.pid = text.get(at..at + digits)?.parse().ok();
        Some(at + digits)
    }

    /// `[...]`: a level, identifiers of a trace, a thread, Elasticsearch's logger or Spring Boot's
    /// application.
    fn read_bracket(&mut self, text: &'a str, at: usize) -> Option<usize> {
        let bytes = text.as_bytes();
        let window = &bytes[at..bytes.len().min(at + BRACKET_BYTES_MAX)];
        let close = memchr::memchr(b']', window)?;
        let end = at + close + 1;
        let inside = text.get(at + 1..at + close)?;
        let is_adjacent = at > 0 && bytes[at - 1] == b']' && self.level.is_some();
        // A bracket with a colon behind, as in `[Controller 1]: message`, is the message's own.
        if bytes.get(end) == Some(&b':') {
            return None;
        }
        let inside = inside.trim_matches(' ');
        if self.level.is_none() {
            if let Some(level) = Level::parse(inside) {
                self.level = Some(level);
                return Some(end);
            }
        } else if let Some(found) = trace::read(inside) {
            self.trace = found.trace.or(self.trace);
            self.span = found.span.or(self.span);
            self.service = found.service.or(self.service);
            if found.is_named && self.service.is_none() {
                // `[checkout] [trace=..]`: who names a trace in brackets names the service before it, not a
                // thread.
                self.service = self.thread.take();
            }
            return Some(end);
        }
        self.take_name(inside, is_adjacent).then_some(end)
    }

    /// Puts a bracket's inside where its place in the line says.
    fn take_name(&mut self, inside: &'a str, is_adjacent: bool) -> bool {
        if !self.is_begun() || inside.contains(['\n', '=']) {
            return false;
        }
        if inside.is_empty() {
            return self.is_boot;
        }
        if is_adjacent && self.logger.is_none() && self.thread.is_none() {
            self.logger = Some(inside);
        } else if self.logger.is_some() && !self.is_boot {
            // Elasticsearch's node, or the message's own brackets.
            return false;
        } else if self.thread.is_none() {
            self.thread = Some(inside);
        } else if self.is_boot && self.service.is_none() {
            self.service = self.thread.replace(inside);
        } else {
            return false;
        }
        true
    }

    /// klog: `E1123 10:30:45.123456   12345 file.go:123] message`.
    fn read_klog(
        &mut self,
        text: &'a str,
        at: usize,
        read_at: Timestamp,
        clock: &mut Clock,
    ) -> Option<usize> {
        let level = match text.as_bytes().get(at)? {
            b'I' => Level::Info,
            b'W' => Level::Warn,
            b'E' => Level::Error,
            b'F' => Level::Fatal,
            _ => return None,
        };
        let (time, taken) = clock.klog(text.as_bytes().get(at + 1..)?, read_at)?;
        let rest = text.get(at + 1 + taken..)?;
        let close = rest.find("] ")?;
        let mut words = rest[..close].split_ascii_whitespace();
        let (pid, caller) = (words.next()?.parse().ok()?, words.next()?);
        self.timestamp = Some(time);
        self.level = Some(level);
        self.pid = Some(pid);
        self.caller = Some(caller);
        Some(text.len() - rest.len() + close + 2)
    }

    /// The second line of `java.util.logging`: `SEVERE: message` under `time class method`.
    fn read_java_util(&mut self, text: &'a str) {
        if self.timestamp.is_none() {
            return;
        }
        let Some((first, second)) = text.get(self.message..).and_then(|rest| rest.split_once('\n')) else {
            return;
        };
        if let Some((level, taken)) = level_word(second, false)
            && second[..taken].ends_with(':')
        {
            self.level = Some(level);
            self.logger = first.split_ascii_whitespace().next();
            self.message = text.len() - second.len() + taken;
        }
    }
}

/// How the reading goes on after a part.
#[derive(Debug, Clone, Copy)]
enum Part {
    /// More of the head may follow at this byte.
    Head(usize),
    /// The message starts at this byte.
    Last(usize),
}

/// Levels in small letters that are no common words of a sentence; `config`, `fine` and `alert` are.
const SMALL: [&str; 9] =
    ["error", "warn", "warning", "info", "debug", "trace", "fatal", "critical", "notice"];

/// A level at the start of `text`: in capitals (`ERROR`), or in small letters after a time or with a colon
/// (`error: `).
fn level_word(text: &str, after_time: bool) -> Option<(Level, usize)> {
    let length = text.bytes().take(12).take_while(u8::is_ascii_alphabetic).count();
    let (word, rest) = text.split_at(length);
    let is_upper = word.bytes().all(|byte| byte.is_ascii_uppercase());
    if !is_upper && !SMALL.iter().any(|known| known.eq_ignore_ascii_case(word)) {
        return None;
    }
    let level = Level::parse(word)?;
    match rest.as_bytes() {
        [b':', b' ' | b'\t', ..] | [b':'] => Some((level, length + 1)),
        [] | [b' ' | b'\t' | b'\n' | b'[' | b'|' | 0x1b, ..] if is_upper || after_time => {
            Some((level, length))
        }
        // Python's `logging.basicConfig`: `ERROR:root:message`.
        [b':', ..] if is_upper => Some((level, length + 1)),
        _ => None,
    }
}

/// Behind blanks and a terminal's colors.
fn skip_blanks(text: &str, mut at: usize) -> usize {
    loop {
        match text.as_bytes().get(at) {
            Some(b' ' | b'\t') => at += 1,
            Some(0x1b) if after_color(text, at) > at => at = after_color(text, at),
            _ => return at,
        }
    }
}

/// Behind a terminal's color sequences (`ESC [ 32 m`) at `at`.
pub(super) fn after_color(text: &str, mut at: usize) -> usize {
    while let Some([0x1b, b'[', rest @ ..]) = text.as_bytes().get(at..) {
        let length = rest.iter().take_while(|byte| byte.is_ascii_digit() || **byte == b';').count();
        if rest.get(length) != Some(&b'm') {
            break;
        }
        at += length + 3;
    }
    at
}
