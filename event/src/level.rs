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

    /// Reads a level word in any case, of log4j, logback, syslog, Go, Python, Node and java.util.logging.
    /// `None` for any other word.
    #[must_use]
    pub fn parse(word: &str) -> Option<Self> {
        const WORDS: [(&str, Level); 26] = [
            ("info", Level::Info),
            ("error", Level::Error),
            ("warn", Level::Warn),
            ("warning", Level::Warn),
            ("debug", Level::Debug),
            ("trace", Level::Trace),
            ("fatal", Level::Fatal),
            ("notice", Level::Info),
            ("information", Level::Info),
            ("err", Level::Error),
            ("crit", Level::Fatal),
            ("critical", Level::Fatal),
            ("alert", Level::Fatal),
            ("emerg", Level::Fatal),
            ("emergency", Level::Fatal),
            ("panic", Level::Fatal),
            ("dpanic", Level::Fatal),
            ("severe", Level::Error),
            ("fine", Level::Debug),
            ("finer", Level::Trace),
            ("finest", Level::Trace),
            ("config", Level::Debug),
            ("verbose", Level::Debug),
            ("dbg", Level::Debug),
            ("inf", Level::Info),
            ("wrn", Level::Warn),
        ];
        WORDS.iter().find(|(known, _)| known.eq_ignore_ascii_case(word)).map(|(_, level)| *level)
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
