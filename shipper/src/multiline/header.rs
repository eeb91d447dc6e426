//! How the first line of a record looks.
//!
//! Enters: a line. Leaves: its shape, by its first bytes. Never: a parse; two lines of one shape begin in the
//! same way.

/// Ways in which logs begin a record.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Header {
    /// `2026-11-23T10:30:45`, `2026-11-23 10:30:45`.
    Date,
    /// `2026/11/23 10:30:45`: Go, nginx.
    SlashDate,
    /// `[2026-11-23T10:30:45`: Elasticsearch, unified JVM logs with a time, Laravel.
    BracketDate,
    /// `[10:30:45 INF]`: Serilog's default.
    BracketTime,
    /// `[23-Nov-2026 10:30:45 UTC]`: PHP.
    BracketDay,
    /// `E, [2026-11-23T10:30:45.123456 #7] ERROR -- : `: Ruby's `Logger`.
    RubyLogger,
    /// `10:30:45.123`: logback's default.
    TimeOfDay,
    /// `261123 10:30:45`: MySQL up to 5.6.
    ShortDate,
    /// `Jul 09, 2015 3:23:29 PM`, `Nov 23 10:30:45`: `java.util.logging`, syslog.
    Month,
    /// `E1123 10:30:45.123456`: klog.
    Klog,
    /// `[GIN] 2026/11/23`.
    Gin,
    /// `[0.342s]`: unified JVM logs with an uptime.
    Uptime,
    /// `{"`: one JSON object for each record.
    Json,
    /// `ERROR ...`, `ERROR: ...`, `[ERROR] ...`.
    Level,
    /// `level=`, `time=`, `ts=`, `msg=`.
    Pairs,
}

impl Header {
    /// The shape of `line`'s start, after a terminal's colors; `None` for any other text.
    pub(super) fn of(line: &[u8]) -> Option<Self> {
        let line = without_color(line);
        match line.first()? {
            b'0'..=b'9' => dated(line),
            b'[' => match dated(&line[1..]) {
                Some(Header::Date) => Some(Header::BracketDate),
                Some(Header::TimeOfDay) => Some(Header::BracketTime),
                _ if is_shape(line, b"[dd-aaa-dddd dd:dd:dd ") => Some(Header::BracketDay),
                _ if line.starts_with(b"[GIN] ") => Some(Header::Gin),
                _ if is_uptime(&line[1..]) => Some(Header::Uptime),
                _ => level_length(&line[1..])
                    .filter(|end| line.get(1 + end) == Some(&b']'))
                    .map(|_| Header::Level),
            },
            b'{' => line.starts_with(b"{\"").then_some(Header::Json),
            b'A'..=b'Z' => capital(line),
            b'l' | b't' | b'm' => {
                let pairs: [&[u8]; 4] = [b"level=", b"time=", b"ts=", b"msg="];
                pairs.iter().any(|start| line.starts_with(start)).then_some(Header::Pairs)
            }
            _ => None,
        }
    }

    /// True when such a line is always a whole record: its writer escapes line ends, and a line joined to it
    /// would only make it unreadable.
    pub(super) fn is_whole(self) -> bool {
        matches!(self, Header::Json | Header::Pairs | Header::Uptime)
    }

    /// True when the shape holds a time. A line of another shape with a time is another program's record; one
    /// with a level or pairs alone may as well be a line of a message.
    pub(super) fn has_time(self) -> bool {
        !matches!(self, Header::Json | Header::Level | Header::Pairs)
    }
}

/// Behind color sequences (`ESC [ 32 m`).
fn without_color(mut line: &[u8]) -> &[u8] {
    while let [0x1b, b'[', rest @ ..] = line {
        let length = rest.iter().take_while(|byte| byte.is_ascii_digit() || **byte == b';').count();
        let Some(behind) = rest.get(length..).and_then(|rest| rest.strip_prefix(b"m")) else { break };
        line = behind;
    }
    line
}

fn dated(line: &[u8]) -> Option<Header> {
    if is_shape(line, b"dddd-dd-dd_dd:dd") {
        Some(Header::Date)
    } else if is_shape(line, b"dddd/dd/dd_dd:dd") {
        Some(Header::SlashDate)
    } else if is_shape(line, b"dddddd dd:dd:dd") || is_shape(line, b"dddddd  d:dd:dd") {
        Some(Header::ShortDate)
    } else {
        is_shape(line, b"dd:dd:dd").then_some(Header::TimeOfDay)
    }
}

fn capital(line: &[u8]) -> Option<Header> {
    if is_shape(line, b"adddd dd:dd:dd.") {
        return matches!(line[0], b'I' | b'W' | b'E' | b'F').then_some(Header::Klog);
    }
    if is_shape(line, b"aaa dd, dddd ")
        || is_shape(line, b"aaa dd dd:dd:dd")
        || is_shape(line, b"aaa  d dd:dd:dd")
    {
        return Some(Header::Month);
    }
    if is_shape(line, b"a, [dddd-dd-dd_dd:dd") {
        return Some(Header::RubyLogger);
    }
    let end = level_length(line)?;
    matches!(line.get(end), None | Some(b' ' | b'\t' | b':' | b'|')).then_some(Header::Level)
}

/// Compares with a pattern: `d` is a digit, `a` a letter, `_` a blank or the `T` of ISO times, all else is
/// itself.
fn is_shape(line: &[u8], pattern: &[u8]) -> bool {
    line.len() >= pattern.len()
        && line.iter().zip(pattern).all(|(byte, wanted)| match wanted {
            b'd' => byte.is_ascii_digit(),
            b'a' => byte.is_ascii_alphabetic(),
            b'_' => matches!(byte, b' ' | b'T'),
            wanted => byte == wanted,
        })
}

/// Bytes of the level in capitals at the start.
fn level_length(line: &[u8]) -> Option<usize> {
    const LEVELS: [&[u8]; 10] = [
        b"INFO",
        b"ERROR",
        b"WARNING",
        b"WARN",
        b"DEBUG",
        b"TRACE",
        b"FATAL",
        b"CRITICAL",
        b"SEVERE",
        b"NOTICE",
    ];
    LEVELS.iter().find(|level| line.starts_with(level)).map(|level| level.len())
}

/// `0.342s]`.
fn is_uptime(line: &[u8]) -> bool {
    let digits = line.iter().take_while(|byte| byte.is_ascii_digit() || matches!(byte, b'.' | b',')).count();
    digits > 0 && line[digits..].starts_with(b"s]")
}

#[cfg(test)]
mod test {
    use super::*;

    #[test]
    fn shapes() {
        for (line, expected) in [
            ("2026-11-23 10:30:45,123 ERROR x", Some(Header::Date)),
            ("2026-11-23T10:30:45Z ERROR x", Some(Header::Date)),
            ("\u{1b}[2m2026-11-23T10:30:45Z", Some(Header::Date)),
            ("\u{1b}[1;2", None),
            ("2026/11/23 10:30:45 x", Some(Header::SlashDate)),
            ("[2026-11-23T10:30:45,123][INFO ]", Some(Header::BracketDate)),
            ("10:30:45.123 [main] INFO x", Some(Header::TimeOfDay)),
            ("261123  9:30:45 [Note] x", Some(Header::ShortDate)),
            ("Jul 09, 2015 3:23:29 PM com.x", Some(Header::Month)),
            ("Nov  3 10:30:45 host app", Some(Header::Month)),
            ("E1123 10:30:45.123456 7 a.go:1] x", Some(Header::Klog)),
            ("[GIN] 2026/11/23 - 10:30:45 | 200", Some(Header::Gin)),
            ("[0.342s][info][gc] x", Some(Header::Uptime)),
            ("{\"level\":1}", Some(Header::Json)),
            ("ERROR:root:x", Some(Header::Level)),
            ("[ERROR] x", Some(Header::Level)),
            ("INFO", Some(Header::Level)),
            ("level=info msg=x", Some(Header::Pairs)),
            ("", None),
            ("{", None),
            ("INFORMATION", None),
            ("  at x", None),
            ("2026", None),
            ("[main] x", None),
            ("[10:30:45 INF] x", Some(Header::BracketTime)),
            ("[23-Nov-2026 10:30:45 UTC] PHP Warning:  x", Some(Header::BracketDay)),
            ("E, [2026-11-23T10:30:45.123456 #7] ERROR -- : x", Some(Header::RubyLogger)),
            ("java.lang.Boom: x", None),
        ] {
            assert_eq!(Header::of(line.as_bytes()), expected, "{line:?}");
        }
    }
}
