//! Joining by what a language's logs look like.
//!
//! Enters: a line. Leaves: its place. Never: a setting; the stream shows how its records begin.
//!
//! Two things say where a record begins. In most logs each record has a header, and whatever has none belongs
//! to the one before it: messages of several lines, stack traces, dumps of requests. A stream is known to be
//! such a log after two headers of one shape with no other line between them, and from then on only lines
//! with a header start records. Until then, and in output without headers, each line is a record, and only
//! lines that are unmistakably inside a trace are joined. A record that grows to its limit shows that the
//! guess was wrong, and it starts again.

use super::Joint;
use super::auto::Auto;
use super::config::Preset;
use super::dotnet::Dotnet;
use super::go::Go;
use super::header::Header;
use super::java;
use super::node::Node;
use super::php::Php;
use super::python::Python;
use super::ruby::Ruby;

/// What a line without a header is to a language.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Sign {
    /// A part of a trace.
    Inside,
    /// The first line of a trace; under a header it belongs to that record.
    Opens,
    /// The first line of a trace that belongs to nothing.
    Alone,
    /// Anything else.
    Other,
}

/// The state of a language's joining.
#[derive(Debug, Clone, Copy)]
pub(super) struct Records {
    language: Language,
    /// The shape of the last header, while no other line has come since.
    candidate: Option<Header>,
    /// The shape of the stream's headers, once it is known.
    known: Option<Header>,
    /// The record at hand began with a header, and no part of a trace has followed.
    is_below_header: bool,
}

#[derive(Debug, Clone, Copy)]
enum Language {
    Auto(Auto),
    Java,
    Python(Python),
    Go(Go),
    Dotnet(Dotnet),
    Node(Node),
    Ruby(Ruby),
    Php(Php),
}

impl Language {
    /// A line that starts a record; a trace may open in it.
    fn begin(&mut self, line: &[u8]) {
        match self {
            Language::Auto(auto) => auto.begin(line),
            Language::Java => {}
            Language::Python(python) => python.begin(line),
            Language::Go(go) => go.begin(line),
            Language::Dotnet(dotnet) => dotnet.begin(),
            Language::Node(node) => node.begin(line),
            Language::Ruby(ruby) => ruby.begin(),
            Language::Php(php) => php.begin(),
        }
    }

    /// What a line without a header is.
    fn read(&mut self, line: &[u8]) -> Sign {
        match self {
            Language::Auto(auto) => auto.read(line),
            Language::Java => java::read(line),
            Language::Python(python) => python.read(line),
            Language::Go(go) => go.read(line),
            Language::Dotnet(dotnet) => dotnet.read(line),
            Language::Node(node) => node.read(line),
            Language::Ruby(ruby) => ruby.read(line),
            Language::Php(php) => php.read(line),
        }
    }
}

impl Records {
    /// `None` for the preset that joins nothing.
    pub(super) fn new(preset: Preset) -> Option<Self> {
        let language = match preset {
            Preset::None => return None,
            Preset::Auto => Language::Auto(Auto::default()),
            Preset::Java => Language::Java,
            Preset::Python => Language::Python(Python::default()),
            Preset::Go => Language::Go(Go::default()),
            Preset::Dotnet => Language::Dotnet(Dotnet::default()),
            Preset::Node => Language::Node(Node::default()),
            Preset::Ruby => Language::Ruby(Ruby::default()),
            Preset::Php => Language::Php(Php::default()),
        };
        Some(Records { language, candidate: None, known: None, is_below_header: false })
    }

    /// The place of `line`.
    pub(super) fn place(&mut self, line: &[u8], has_collected: bool) -> Joint {
        let header = Header::of(line);
        if header.is_some() && header == self.known {
            return self.begin(line);
        }
        let joint = match header {
            Some(header) if header.is_whole() && self.is_record(header, line, has_collected) => {
                self.begin(line);
                self.is_below_header = false;
                return Joint::Alone;
            }
            Some(header) if self.is_record(header, line, has_collected) => {
                self.known = self.known.or_else(|| self.candidate.filter(|last| *last == header));
                self.candidate = Some(header);
                self.begin(line)
            }
            _ => self.place_rest(line, has_collected),
        };
        if has_collected { joint } else { Joint::Starts }
    }

    /// A line before the first one: only how headers look is remembered of it.
    pub(super) fn learn(&mut self, line: &[u8]) {
        self.place(line, true);
        self.is_below_header = false;
        self.language.begin(&[]);
    }

    /// A record has reached a limit: what joined its lines is forgotten.
    pub(super) fn forget(&mut self) {
        self.known = None;
        self.candidate = None;
        self.is_below_header = false;
    }

    fn begin(&mut self, line: &[u8]) -> Joint {
        self.is_below_header = true;
        self.language.begin(line);
        Joint::Starts
    }

    /// Whether a line with a header that is not known as the stream's starts a record.
    fn is_record(&mut self, header: Header, line: &[u8], has_collected: bool) -> bool {
        // `java.util.logging` writes the level under the time.
        if header == Header::Level && self.is_below_header && self.candidate == Some(Header::Month) {
            return false;
        }
        if !has_collected {
            return true;
        }
        // `Jul 09, 2015 3:23:29 PM Handler: RuntimeException: ...` under a header is the trace of that
        // record.
        let is_trace = header == Header::Month
            && (self.known.is_some() || self.is_below_header)
            && self.candidate.is_some_and(|last| last != header)
            && matches!(self.language, Language::Java | Language::Auto(_))
            && java::read(line) == Sign::Opens;
        !is_trace && (self.known.is_none() || header.has_time())
    }

    fn place_rest(&mut self, line: &[u8], has_collected: bool) -> Joint {
        let sign = self.language.read(line);
        let is_month = self.candidate == Some(Header::Month) && Header::of(line) == Some(Header::Level);
        let joint = match sign {
            Sign::Alone => Joint::Starts,
            Sign::Inside => Joint::Continues,
            Sign::Opens if self.known.is_some() || self.is_below_header => Joint::Continues,
            Sign::Other if self.known.is_some() || is_month => Joint::Continues,
            Sign::Opens | Sign::Other => Joint::Starts,
        };
        if self.known.is_none() && sign == Sign::Other && !is_month {
            self.candidate = None;
        }
        if joint == Joint::Starts || sign != Sign::Other {
            self.is_below_header = false;
        }
        if has_collected { joint } else { Joint::Starts }
    }
}
