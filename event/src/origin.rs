//! The part of a record that is the same for every record of a stream.
//!
//! Enters: host, service, path, labels of the input. Leaves: JSON that the encoder splices in unchanged.

use crate::StreamId;

/// Who wrote a stream, and where it lies. Built once for each stream; the encoder copies its parts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Origin {
    /// The stream.
    pub stream: StreamId,
    /// `host.name`.
    pub host: String,
    /// `service.name`; the records' own value wins.
    pub service: Option<String>,
    /// `log.file.path`; `None` for a probe.
    pub path: Option<String>,
    /// `event.dataset`, such as `log`, `probe` or `jvm`.
    pub dataset: String,
    /// `tags` of the input.
    pub tags: Vec<String>,
    /// `labels.*` of the input.
    pub labels: Vec<(String, String)>,
}
