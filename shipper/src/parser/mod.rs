//! What the text of a record means.
//!
//! Enters: one record's text (its lines joined by `\n`) and the time it was read.
//! Leaves: [`Fields`] that borrow from that text. Never: a refusal; text that no parser knows is a plain
//! record.
//!
//! A family: one closed enum, one file for each member. A parser belongs to one stream, because `auto`
//! remembers what the stream's last record was, the garbage-collection parser remembers the collection it is
//! in, and the reader of times remembers the last second.

mod access;
mod apache_access;
mod apache_error;
mod auto;
mod duration;
mod exception;
mod gc;
mod gin;
mod head;
mod json;
mod logfmt;
mod name;
mod nginx_access;
mod nginx_error;
mod plain;
#[cfg(test)]
mod shape;
mod spring;
mod time;
mod trace;

use event::{Fields, Timestamp};
use jiff::tz::TimeZone;

use self::auto::Auto;
use self::gc::Gc;
use self::time::Clock;

/// `parse:` of a file input: how the text of its records is read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, serde::Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum ParserConfig {
    /// Finds out for each stream, and goes on with what fitted last.
    #[default]
    Auto,
    /// One JSON object for each record, in the names of ECS, logback, zap, logrus, pino, bunyan or Serilog.
    Json,
    /// `key=value key="quoted value"`.
    Logfmt,
    /// Go's gin: `[GIN] 2026/11/23 - 10:30:45 | 200 | 1.2ms | 127.0.0.1 | GET "/ping"`.
    Gin,
    /// Spring Boot 2 and 3, logback and log4j2 in their default patterns, with exceptions.
    Spring,
    /// nginx `combined`, optionally with request time.
    NginxAccess,
    /// nginx error log.
    NginxError,
    /// Apache `common`, `combined` and their `vhost` forms.
    ApacheAccess,
    /// Apache 2.2 and 2.4 error log.
    ApacheError,
    /// Garbage-collection log of a JVM: unified (9 and later) or JDK 8 with details.
    Gc,
    /// A level word, a time and an exception where they are unmistakable; else only the text.
    Plain,
}

/// What a stream's parser has to know beside the text.
#[derive(Debug, Clone)]
pub struct Context {
    /// The zone of times that name none.
    pub time_zone: TimeZone,
}

impl Default for Context {
    /// UTC.
    fn default() -> Self {
        Context { time_zone: TimeZone::UTC }
    }
}

/// Reads the records of one stream.
#[derive(Debug, Clone)]
pub struct Parser {
    config: ParserConfig,
    auto: Auto,
    state: State,
}

/// What parsers remember of a stream.
#[derive(Debug, Clone)]
struct State {
    clock: Clock,
    gc: Gc,
}

impl Parser {
    /// A parser for a new stream.
    #[must_use]
    pub fn new(config: &ParserConfig, context: &Context) -> Self {
        let state = State { clock: Clock::new(context.time_zone.clone()), gc: Gc::default() };
        Parser { config: *config, auto: Auto::default(), state }
    }

    /// Fills `fields`, which are empty, from `text`; `read_at` completes times that have no year or no date.
    ///
    /// Returns whether the text had the expected shape, which for `auto` and `plain` any text has. When it
    /// had not, `fields` hold what was found in it as in any plain text, and `fields.message` stays `None`:
    /// the record's message is its whole text.
    pub fn parse<'a>(&mut self, text: &'a str, read_at: Timestamp, fields: &mut Fields<'a>) -> bool {
        if self.config == ParserConfig::Auto {
            self.auto.parse(text, read_at, &mut self.state, fields);
            return true;
        }
        let is_recognised = self.state.parse(self.config, text, read_at, fields);
        if !is_recognised {
            plain::parse(text, read_at, &mut self.state.clock, fields);
            fields.message = None;
        }
        is_recognised
    }
}

impl State {
    /// Lets one member of the family try; `fields` stay untouched when the text is none of its own.
    fn parse<'a>(
        &mut self,
        config: ParserConfig,
        text: &'a str,
        read_at: Timestamp,
        fields: &mut Fields<'a>,
    ) -> bool {
        let clock = &mut self.clock;
        match config {
            ParserConfig::Json => json::parse(text, clock, fields),
            ParserConfig::Logfmt => logfmt::parse(text, clock, fields),
            ParserConfig::Gin => gin::parse(text, clock, fields),
            ParserConfig::Spring => spring::parse(text, read_at, clock, fields),
            ParserConfig::NginxAccess => nginx_access::parse(text, clock, fields),
            ParserConfig::NginxError => nginx_error::parse(text, clock, fields),
            ParserConfig::ApacheAccess => apache_access::parse(text, clock, fields),
            ParserConfig::ApacheError => apache_error::parse(text, clock, fields),
            ParserConfig::Gc => self.gc.parse(text, clock, fields),
            ParserConfig::Plain | ParserConfig::Auto => {
                plain::parse(text, read_at, clock, fields);
                true
            }
        }
    }
}

#[cfg(test)]
mod test;
