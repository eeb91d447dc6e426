//! Where records begin: a family of one folder for each kind.
//!
//! Enters: files, services to probe. Leaves: batches for the output. Never: where they are delivered to.

pub mod file;
pub mod probe;

use schemars::JsonSchema;
use serde::Deserialize;

/// One entry of `inputs:`; the kind is the key.
#[derive(Debug, Clone, PartialEq, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum InputConfig {
    /// Reads files that grow.
    File(Box<file::FileConfig>),
    /// Asks a service whether it works.
    Probe(probe::ProbeConfig),
}

impl InputConfig {
    /// Finds what cannot work.
    ///
    /// # Errors
    /// A text with the way out.
    pub fn check(&self) -> Result<(), String> {
        match self {
            InputConfig::File(config) => config.check().map_err(|what| format!("file: {what}")),
            InputConfig::Probe(config) => config.check().map(drop),
        }
    }

    /// The service that this input speaks for, when it names one.
    #[must_use]
    pub fn service(&self) -> Option<&str> {
        match self {
            InputConfig::File(config) => config.service.as_deref(),
            InputConfig::Probe(config) => config.service.as_deref(),
        }
    }
}
