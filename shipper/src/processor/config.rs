//! `processors:` of an input.
//!
//! Enters: the user's list. Leaves: a [`ProcessorConfig`] for each entry. Never: a query that does not parse.

use std::borrow::Cow;

use kql::Query;
use schemars::{JsonSchema, Schema, SchemaGenerator};
use serde::Deserialize;
use serde::de::{Deserializer, Error};

use super::{
    AddFieldsConfig, DedupeConfig, DropConfig, RateLimitConfig, RedactConfig, RenameConfig, SampleConfig,
};

/// One entry of `processors:`; the kind is the key.
#[derive(Debug, Clone, PartialEq, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum ProcessorConfig {
    /// Gives records fields and tags.
    AddFields(AddFieldsConfig),
    /// Leaves records out.
    Drop(DropConfig),
    /// Gives fields other names.
    Rename(RenameConfig),
    /// Replaces phone numbers, cards, addresses, tokens.
    Redact(RedactConfig),
    /// Keeps at most so many records of a key in so much time.
    RateLimit(RateLimitConfig),
    /// Keeps a share of the records.
    Sample(SampleConfig),
    /// Keeps the first of several records that say the same.
    Dedupe(DedupeConfig),
}

impl ProcessorConfig {
    /// Which records it is for; `None` for all.
    #[must_use]
    pub fn when(&self) -> Option<&When> {
        match self {
            ProcessorConfig::AddFields(config) => config.when.as_ref(),
            ProcessorConfig::Drop(config) => Some(&config.when),
            ProcessorConfig::Rename(config) => config.when.as_ref(),
            ProcessorConfig::Redact(config) => config.when.as_ref(),
            ProcessorConfig::RateLimit(config) => config.when.as_ref(),
            ProcessorConfig::Sample(config) => config.when.as_ref(),
            ProcessorConfig::Dedupe(config) => config.when.as_ref(),
        }
    }

    /// Finds what cannot work.
    ///
    /// # Errors
    /// A text with the way out.
    pub fn check(&self) -> Result<(), String> {
        match self {
            ProcessorConfig::AddFields(config) => {
                config.check().map_err(|what| format!("add_fields: {what}"))
            }
            ProcessorConfig::Drop(_) => Ok(()),
            ProcessorConfig::Rename(config) => config.check().map_err(|what| format!("rename: {what}")),
            ProcessorConfig::Redact(config) => config.check().map_err(|what| format!("redact: {what}")),
            ProcessorConfig::RateLimit(config) => {
                config.check().map_err(|what| format!("rate_limit: {what}"))
            }
            ProcessorConfig::Dedupe(config) => config.check().map_err(|what| format!("dedupe: {what}")),
            ProcessorConfig::Sample(config) => config.check().map_err(|what| format!("sample: {what}")),
        }
    }
}

/// A query that says which records are meant, in KQL, the language of Kibana's search bar, as rules have it.
///
/// It sees what is to be sent, changes by earlier processors included: `message`, ECS fields, `labels.*`, `json.*`,
/// `tags`, and what the input gives (`host.name`, `service.name`, `log.file.path`). It does not see `event.id`.
#[derive(Debug, Clone, PartialEq)]
pub struct When(pub Box<Query>);

impl<'de> Deserialize<'de> for When {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = Cow::<'de, str>::deserialize(deserializer)?;
        Query::parse(&text).map(|query| When(Box::new(query))).map_err(|error| {
            let character = text.get(..error.offset).unwrap_or(&text).chars().count() + 1;
            D::Error::custom(format_args!("KQL: {} at character {character} of `{text}`", error.kind))
        })
    }
}

impl JsonSchema for When {
    fn schema_name() -> Cow<'static, str> {
        "When".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        schemars::json_schema!({
            "type": "string",
            "description": "A query in KQL, the language of Kibana's search bar, such as `log.level: debug and not message: \"timed out\"`."
        })
    }
}
