//! How the files of one input are read.
//!
//! Enters: a `file:` of the configuration. Leaves: the stages for each of its streams. Never: a file.

use event::{Encoder, Origin, StreamId};

use super::frame::Framer;
use super::pipe::Pipe;
use super::{FileConfig, OpenError};
use crate::multiline::Multiline;
use crate::parser::{self, Parser};
use crate::processor::{DATASET, Processors};
use crate::route::{Lanes, Route};

/// One `file:` of the configuration, ready to use.
#[derive(Debug)]
pub(super) struct Recipe {
    pub config: FileConfig,
    /// The ways of the records.
    pub route: Route,
    /// One state for all streams: a key is limited over all files of the input.
    pub processors: Processors,
    context: parser::Context,
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
        let route = config.levels.route(&config.wish(), lanes);
        let stream = StreamId::derive(&[b"processors", host.as_bytes(), &number.to_le_bytes()]);
        let summaries =
            Origin { dataset: DATASET.to_owned(), path: None, ..origin(&config, stream, host, "") };
        let processors = Processors::new(&config.processors, &summaries).map_err(OpenError::Processor)?;
        Ok(Recipe { config, route, processors, context: parser::Context { time_zone } })
    }

    /// The stages of a stream that goes on at `offset`.
    pub(super) fn pipe(&self, stream: StreamId, host: &str, path: &str, offset: u64) -> Pipe {
        let config = &self.config;
        let line_bytes_max = usize::try_from(config.line_bytes_max.0).unwrap_or(usize::MAX);
        Pipe::new(
            offset,
            Framer::new(offset, line_bytes_max),
            Multiline::new(&config.multiline),
            Parser::new(&config.parse, &self.context),
            Encoder::new(&origin(config, stream, host, path)),
        )
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
