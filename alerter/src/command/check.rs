//! `alerter check`: can this configuration be run?
//!
//! Enters: a path. Leaves: what is in it, or every problem. Never: a connection.

use std::io::Write;
use std::path::Path;

use daemon::config::Span;

use super::CommandError;
use crate::Setup;
use crate::channel::ChannelDeps;
use crate::config::Config;

pub(super) fn check(path: &Path, out: &mut impl Write) -> Result<(), CommandError> {
    let config = Config::load(path)?;
    let setup = Setup::load(config.parts(), folder(path), &ChannelDeps::default())?;
    let (rules, files, channels) = (setup.plan.rules.len(), setup.files.len(), setup.channels.len());
    let path = path.display();
    writeln!(out, "{path}: ok, rules: {rules} in {files} files, channels: {channels}")?;
    for rule in &setup.plan.rules {
        writeln!(out, "  {} {}", rule.priority, rule.name)?;
    }
    for (priority, route) in &setup.plan.routes.by_priority {
        let channels =
            if route.channels.is_empty() { "nobody".to_owned() } else { route.channels.join(", ") };
        let repeat = route.repeat.map_or(String::new(), |repeat| format!(", again every {}", Span(repeat)));
        writeln!(out, "  {priority} -> {channels}{repeat}")?;
    }
    Ok(())
}

/// Where relative paths of a configuration start.
pub(super) fn folder(path: &Path) -> &Path {
    path.parent().unwrap_or(Path::new(""))
}
