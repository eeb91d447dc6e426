//! `log.level` in one spelling.
//!
//! Enters: what services write (`WARN`, `warning`, `E`, `50`). Leaves: one of six lower-case words.

/// A severity. The order is by urgency: `Trace < Debug < Info < Warn < Error < Fatal`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Level {
    /// Finest detail.
    Trace,
    /// For whoever debugs the service.
    Debug,
    /// Normal work.
    Info,
    /// Unusual, not failed.
    Warn,
    /// A failure of one operation.
    Error,
    /// The service cannot go on.
    Fatal,
}

/// Level words, the frequent ones first: a lookup ends at the first match.
const WORDS: [(&str, Level); 42] = [
    ("info", Level::Info),
    ("error", Level::Error),
    ("warn", Level::Warn),
    ("debug", Level::Debug),
    ("warning", Level::Warn),
    ("trace", Level::Trace),
    ("fatal", Level::Fatal),
    ("notice", Level::Info),
    ("information", Level::Info),
    ("informational", Level::Info),
    ("err", Level::Error),
    ("crit", Level::Fatal),
    ("critical", Level::Fatal),
    ("alert", Level::Fatal),
    ("emerg", Level::Fatal),
    ("emergency", Level::Fatal),
    ("panic", Level::Fatal),
    ("dpanic", Level::Fatal),
    ("severe", Level::Error),
    ("config", Level::Debug),
    ("fine", Level::Debug),
    ("finer", Level::Trace),
    ("finest", Level::Trace),
    ("verbose", Level::Debug),
    ("inf", Level::Info),
    ("wrn", Level::Warn),
    ("dbg", Level::Debug),
    ("trc", Level::Trace),
    ("ftl", Level::Fatal),
    ("vrb", Level::Debug),
    ("i", Level::Info),
    ("w", Level::Warn),
    ("e", Level::Error),
    ("d", Level::Debug),
    ("f", Level::Fatal),
    ("t", Level::Trace),
    ("10", Level::Trace),
    ("20", Level::Debug),
    ("30", Level::Info),
    ("40", Level::Warn),
    ("50", Level::Error),
    ("60", Level::Fatal),
];

impl Level {
    /// The word as it stands in `log.level`.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Level::Trace => "trace",
            Level::Debug => "debug",
            Level::Info => "info",
            Level::Warn => "warn",
            Level::Error => "error",
            Level::Fatal => "fatal",
        }
    }

    /// Reads a level word in any case, of log4j, logback, syslog, Go, Python, Node and java.util.logging, or
    /// pino's number as text. `None` for any other word.
    #[must_use]
    pub fn parse(word: &str) -> Option<Self> {
        WORDS.iter().find(|(known, _)| known.eq_ignore_ascii_case(word)).map(|(_, level)| *level)
    }

    /// Reads a number: syslog's severities 0 to 7 (RFC 5424, table 2), or pino's and bunyan's 10 to 60.
    #[must_use]
    pub const fn from_number(number: i64) -> Option<Self> {
        Some(match number {
            0..=2 | 60 => Level::Fatal,
            3 | 50 => Level::Error,
            4 | 40 => Level::Warn,
            5 | 6 | 30 => Level::Info,
            7 | 20 => Level::Debug,
            10 => Level::Trace,
            _ => return None,
        })
    }

    /// The level that an HTTP status stands for in an access log, which has none of its own:
    /// 5xx is an error, 4xx a warning, the rest is info.
    #[must_use]
    pub const fn from_http_status(status: u16) -> Self {
        match status {
            500.. => Level::Error,
            400..=499 => Level::Warn,
            _ => Level::Info,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(word: &str, expected: Option<Level>) {
        assert_eq!(Level::parse(word), expected, "{word}");
    }

    #[test]
    fn reads_the_words_of_many_loggers() {
        for (word, level) in WORDS {
            check(word, Some(level));
            check(&word.to_uppercase(), Some(level));
        }
        for word in ["", "infos", "VIP", "0", "ошибка"] {
            check(word, None);
        }
    }

    #[test]
    fn orders_by_urgency_and_reads_its_own_words() {
        let all = [Level::Trace, Level::Debug, Level::Info, Level::Warn, Level::Error, Level::Fatal];
        assert!(all.is_sorted());
        for level in all {
            check(level.as_str(), Some(level));
        }
    }

    #[test]
    fn reads_numbers_of_syslog_and_pino() {
        let read =
            |numbers: &[i64]| numbers.iter().map(|number| Level::from_number(*number)).collect::<Vec<_>>();
        assert_eq!(read(&[0, 3, 4, 6, 7]).iter().flatten().count(), 5);
        assert_eq!(read(&[3, 50]), [Some(Level::Error); 2]);
        assert_eq!(read(&[-1, 8, 35, 70]), [None; 4]);
    }

    #[test]
    fn reads_an_http_status() {
        let read = [200, 399, 400, 499, 500, 599].map(Level::from_http_status);
        assert_eq!(read, [Level::Info, Level::Info, Level::Warn, Level::Warn, Level::Error, Level::Error]);
    }
}
