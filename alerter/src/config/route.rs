//! `routes:` of `alerter.yml`: who is told of which priority.
//!
//! Enters: routes and channels by name. Leaves: one [`Route`] for each priority, or where a name does not fit.

use std::collections::BTreeMap;

use daemon::config::{ConfigError, Span};
use rules::rule::Priority;
use schemars::JsonSchema;
use serde::Deserialize;
use yaml::{Place, Spanned, YamlError};

use crate::ChannelConfig;
use crate::route::Route;

const PRIORITIES: [Priority; 4] = [Priority::P0, Priority::P1, Priority::P2, Priority::P3];

/// Where the alerts of one priority go.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RouteConfig {
    /// Names of channels; all of them are told. An empty list tells nobody.
    #[schemars(with = "Vec<String>")]
    pub channels: Vec<Spanned<String>>,
    /// How often a firing alert is told again, such as `5m`; left out, it is told once.
    #[serde(default)]
    pub repeat: Option<Span>,
}

/// Refuses routes to channels that do not exist; `text` is the file called `name`, for the places.
///
/// # Errors
/// [`ConfigError::Invalid`] with every such place.
pub fn check_routes(
    name: &str,
    text: &str,
    channels: &BTreeMap<String, ChannelConfig>,
    routes: &BTreeMap<Priority, RouteConfig>,
) -> Result<(), ConfigError> {
    let known: Vec<&str> = channels.keys().map(String::as_str).collect();
    let named = routes.values().flat_map(|route| &route.channels);
    let problems: Vec<String> = named
        .filter(|channel| !channels.contains_key(&channel.value))
        .map(|channel| {
            YamlError::unknown(name, text, Place::of(channel), "channel", &channel.value, &known).0
        })
        .collect();
    if problems.is_empty() { Ok(()) } else { Err(ConfigError::Invalid(problems.join("\n"))) }
}

/// One route for each priority: as written, else the channels made for it, else all channels.
#[must_use]
pub fn routes(
    channels: &BTreeMap<String, ChannelConfig>,
    routes: &BTreeMap<Priority, RouteConfig>,
) -> BTreeMap<Priority, Route> {
    PRIORITIES
        .into_iter()
        .map(|priority| (priority, route(priority, channels, routes.get(&priority))))
        .collect()
}

fn route(
    priority: Priority,
    channels: &BTreeMap<String, ChannelConfig>,
    written: Option<&RouteConfig>,
) -> Route {
    if let Some(written) = written {
        return Route {
            channels: written.channels.iter().map(|channel| channel.value.clone()).collect(),
            repeat: written.repeat.map(|repeat| repeat.0),
        };
    }
    let made_for_it = channels.iter().filter(|(_, config)| config.default_priorities().contains(&priority));
    let mut names: Vec<String> = made_for_it.map(|(name, _)| name.clone()).collect();
    if names.is_empty() {
        names = channels.keys().cloned().collect();
    }
    Route { channels: names, repeat: None }
}
