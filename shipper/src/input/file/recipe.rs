//! How the files of one input are read.
//!
//! Enters: a `file:` of the configuration. Leaves: the stages for each of its streams. Never: a file.

use event::{Encoder, Origin, StreamId};

use super::config::TooLong;
use super::container::Container;
use super::frame::{Framer, Limit};
use super::line_end::{LINE_END_BYTES_MAX, LineEnd};
use super::pipe::{Pipe, Stages};
use super::{FileConfig, OpenError};
use crate::multiline::Multiline;
use crate::parser::{self, Parser};
use crate::processor::{DATASET, Processors};
use crate::route::{Lanes, Route};

/// Bytes that a container runtime adds to a line's text at most: it parts lines at 16 KiB, may write each byte as an
/// escape of six, and puts names around.
const WRAPPING_BYTES_MAX: usize = 128 << 10;

/// One `file:` of the configuration, ready to use.
#[derive(Debug)]
pub(super) struct Recipe {
    pub config: FileConfig,
    /// The ways of the records.
    pub route: Route,
    /// One state for all streams: a key is limited over all files of the input.
    pub processors: Processors,
    context: parser::Context,
    line_end: LineEnd,
}

impl Recipe {
    /// `number` is the input's among those of the shipper on `host`: it names the stream of what its processors tell.
    pub(super) fn new(config: FileConfig, lanes: &Lanes, host: &str, number: u64) -> Result<Self, OpenError> {
        let time_zone = match &config.time_zone {
            None => jiff::tz::TimeZone::system(),
            Some(name) => {
                jiff::tz::TimeZone::get(name).map_err(|_| OpenError::TimeZone { name: name.clone() })?
            }
        };
        let refused = |reason: &str| OpenError::LineEnd {
            text: config.line_end.clone(),
            reason: reason.replace("{encoding}", config.encoding.name()),
        };
        let line_end = LineEnd::new(&config.line_end, config.encoding).ok_or_else(|| {
            refused("must be some text that {encoding} has characters for; leave it out for LF and CR LF")
        })?;
        if line_end.len() > LINE_END_BYTES_MAX {
            return Err(refused("is longer than 16 bytes in {encoding}; write a shorter one"));
        }
        let route = config.levels.route(&config.wish(), lanes);
        let stream = StreamId::derive(&[b"processors", host.as_bytes(), &number.to_le_bytes()]);
        let summaries =
            Origin { dataset: DATASET.to_owned(), path: None, ..origin(&config, stream, host, "") };
        let processors = Processors::new(&config.processors, &summaries).map_err(OpenError::Processor)?;
        Ok(Recipe { config, route, processors, context: parser::Context { time_zone }, line_end })
    }

    /// The stages of a stream that goes on at `offset`.
    pub(super) fn pipe(&self, stream: StreamId, host: &str, path: &str, offset: u64) -> Pipe {
        let config = &self.config;
        let limit = Limit {
            bytes_max: usize::try_from(config.line_bytes_max.0).unwrap_or(usize::MAX),
            is_split: config.too_long == TooLong::Split,
        };
        let wrapping_bytes = if config.container == Container::None { 0 } else { WRAPPING_BYTES_MAX };
        let whole = Limit { bytes_max: limit.bytes_max + wrapping_bytes, ..limit };
        let stages = Stages {
            framer: Framer::new(offset, self.line_end.clone(), whole),
            joiner: Multiline::new(&config.multiline),
            parser: Parser::new(&config.parse, &self.context),
            encoder: Encoder::new(&origin(config, stream, host, path)),
            container: config.container,
            limit,
            line_end: config.line_end.clone(),
            partial_line_timeout: config.partial_line_timeout.map(|span| span.0),
        };
        Pipe::new(offset, stages)
    }
}

/// What all records of a stream share.
fn origin(config: &FileConfig, stream: StreamId, host: &str, path: &str) -> Origin {
    Origin {
        stream,
        host: host.to_owned(),
        service: config.service.clone(),
        path: Some(path.to_owned()),
        dataset: "log".to_owned(),
        tags: config.tags.clone(),
        labels: config.labels.iter().map(|(name, value)| (name.clone(), value.clone())).collect(),
    }
}
