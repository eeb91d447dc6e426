//! From a configuration to things that work: rules read, channels built, routes resolved.
//!
//! Enters: a [`Config`], and the rule files that it names. Leaves: a [`Setup`], or every problem at once.
//! Never: a connection, a start.

use std::collections::BTreeMap;
use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use daemon::glob::Glob;
use daemon::reload::Reload;
use rules::rule::Rule;

use crate::channel::ChannelDeps;
use crate::core::Plan;
use crate::outbox::Limits;
use crate::route::Routes;
use crate::{Channel, ChannelConfig, Quota, config};
use config::{EngineConfig, OutboxConfig, RouteConfig, StateConfig};

/// The end of a rule test file's name.
const TEST_SUFFIX: &str = ".test.yml";

/// Everything that the alerter runs on.
#[derive(Debug)]
pub struct Setup {
    /// What the core decides by.
    pub plan: Plan,
    /// The channels by name.
    pub channels: BTreeMap<String, Arc<Channel>>,
    /// The state's folder; the one of the start stays.
    pub state: PathBuf,
    /// How often counting is saved; that of the start stays.
    pub save_every: Duration,
    /// The rule files that were read.
    pub files: Vec<PathBuf>,
}

/// The parts of a configuration that make a [`Setup`]; `alerter.yml` and `watchfire.yml` both have them.
#[derive(Debug, Clone, Copy)]
pub struct Parts<'a> {
    /// Rule files, as paths with wildcards.
    pub rules: &'a [String],
    /// Channels by name.
    pub channels: &'a BTreeMap<String, ChannelConfig>,
    /// Routes by priority.
    pub routes: &'a BTreeMap<rules::rule::Priority, RouteConfig>,
    /// How long to try.
    pub outbox: &'a OutboxConfig,
    /// Where to remember.
    pub state: &'a StateConfig,
    /// How to take time.
    pub engine: &'a EngineConfig,
}

/// Every problem that was found.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct SetupError {
    /// Ready to print, each with its place and the way out.
    pub problems: Vec<String>,
}

impl fmt::Display for SetupError {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(&self.problems.join("\n"))
    }
}

impl std::error::Error for SetupError {}

impl config::Config {
    /// The parts that make a [`Setup`].
    #[must_use]
    pub fn parts(&self) -> Parts<'_> {
        Parts {
            rules: &self.rules,
            channels: &self.channels,
            routes: &self.routes,
            outbox: &self.outbox,
            state: &self.state,
            engine: &self.engine,
        }
    }
}

impl Setup {
    /// Reads the rule files (relative paths start at `folder`, that of the configuration) and builds the channels.
    ///
    /// # Errors
    /// [`SetupError`] with every problem of every file.
    pub fn load(parts: Parts<'_>, folder: &Path, deps: &ChannelDeps) -> Result<Self, SetupError> {
        let mut problems = Vec::new();
        let files = rule_files(parts.rules, folder, &mut problems);
        let rules = read_rules(&files, &mut problems);
        let mut channels = BTreeMap::new();
        for (name, config) in parts.channels {
            match Channel::build(name, config, deps) {
                Ok(channel) => {
                    problems.extend(channel.quota().and_then(|quota| impossible(name, quota)));
                    channels.insert(name.clone(), Arc::new(channel));
                }
                Err(error) => problems.push(error.to_string()),
            }
        }
        if !problems.is_empty() {
            return Err(SetupError { problems });
        }
        Ok(Setup {
            plan: Plan {
                rules,
                engine: parts.engine.settings(),
                routes: Routes {
                    by_priority: config::routes(parts.channels, parts.routes),
                    recipients: channels
                        .iter()
                        .map(|(name, channel)| (name.clone(), channel.recipients().to_vec()))
                        .collect(),
                    zone: parts.engine.zone.name(),
                },
                quotas: channels
                    .iter()
                    .filter_map(|(name, channel)| Some((name.clone(), channel.quota()?)))
                    .collect(),
                limits: Limits { give_up_after: parts.outbox.give_up_after.0 },
            },
            channels,
            state: parts.state.path.clone(),
            save_every: parts.state.save_every.0,
            files,
        })
    }
}

/// A reserve that leaves nothing for the others.
fn impossible(channel: &str, quota: Quota) -> Option<String> {
    let Quota { messages, reserved, .. } = quota;
    (reserved >= messages.get()).then(|| {
        format!("channel `{channel}`: the quota reserves {reserved} of {messages} messages for P0: leave some for the rest")
    })
}

/// The patterns as globs, for the reader and for the watcher of changes.
///
/// # Errors
/// [`SetupError`] with every pattern that is none.
fn rule_globs(patterns: &[String], folder: &Path) -> Result<Vec<Glob>, SetupError> {
    let mut error = SetupError::default();
    let mut globs = Vec::new();
    for pattern in patterns {
        match Glob::new(pattern, folder) {
            Ok(glob) => globs.push(glob),
            Err(wrong) => error.problems.push(wrong.to_string()),
        }
    }
    if error.problems.is_empty() { Ok(globs) } else { Err(error) }
}

fn rule_files(patterns: &[String], folder: &Path, problems: &mut Vec<String>) -> Vec<PathBuf> {
    if patterns.is_empty() {
        problems.push("`rules` is empty: name rule files, such as `rules/*.yml`".to_owned());
    }
    let globs = rule_globs(patterns, folder).unwrap_or_else(|error| {
        problems.extend(error.problems);
        Vec::new()
    });
    let mut files = Vec::new();
    for (glob, pattern) in globs.iter().zip(patterns) {
        let found: Vec<PathBuf> = glob.expand().into_iter().filter(|path| !is_test(path)).collect();
        if found.is_empty() {
            let folder = folder.display();
            problems
                .push(format!("`rules`: no file matches `{pattern}`; relative paths start at `{folder}`"));
        }
        files.extend(found);
    }
    files.sort();
    files.dedup();
    files
}

fn is_test(path: &Path) -> bool {
    path.to_str().is_some_and(|path| path.ends_with(TEST_SUFFIX))
}

fn read_rules(paths: &[PathBuf], problems: &mut Vec<String>) -> Vec<Rule> {
    let mut files = Vec::new();
    for path in paths {
        let name = path.display().to_string();
        let loaded = match std::fs::read_to_string(path) {
            Ok(text) => rules::rule::load(&name, &text).map_err(|error| error.to_string()),
            Err(error) => Err(format!("{name}: {error}")),
        };
        match loaded {
            Ok(file) => files.push(file),
            Err(problem) => problems.push(problem),
        }
    }
    if let Err(error) = rules::rule::distinct(&files) {
        problems.push(error.to_string());
    }
    files.into_iter().flat_map(|file| file.rules).collect()
}
/// Watches the configuration at `path` and the rule files that it names, and SIGHUP. Call it inside the runtime. `None`
/// when signals cannot be had, which is logged.
#[must_use]
pub fn watcher(path: &Path, rules: &[String]) -> Option<Reload> {
    let folder = path.parent().unwrap_or(Path::new(""));
    let mut globs = rule_globs(rules, folder).unwrap_or_default();
    globs.extend(Glob::new(&path.display().to_string(), Path::new("")));
    Reload::new(globs)
        .inspect_err(|error| tracing::error!(%error, "cannot watch for SIGHUP, restart to reload"))
        .ok()
}
