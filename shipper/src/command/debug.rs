//! `shipper debug`.
//!
//! Enters: a time. Leaves: the switch in the registry's folder, which the running shipper looks at once a second.
//! Never: a restart, a change of the configuration.

use std::io::Write as _;

use anyhow::{Context, bail};
use event::Timestamp;
use yaml::Span;

use super::ConfigFlag;
use crate::config::Config;
use crate::route::switch;

/// A switch that was forgotten must end.
const FOR_MAX: Span = Span(std::time::Duration::from_secs(7 * 24 * 3600));

#[derive(Debug, clap::Args)]
pub(super) struct Flags {
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Debug, clap::Subcommand)]
enum Verb {
    /// Ship the levels that wait for it, for a while
    On {
        /// For how long: 10m, 2h; at most 7d
        #[arg(long = "for", value_name = "SPAN", default_value = "10m", value_parser = span)]
        span: Span,
        #[command(flatten)]
        config: ConfigFlag,
    },
    /// Leave them out again
    Off(ConfigFlag),
    /// Say until when it is on
    Status(ConfigFlag),
}

fn span(text: &str) -> Result<Span, String> {
    let span: Span = daemon::config::parse("--for", text).map_err(|error| error.to_string())?;
    if span.0.is_zero() || span.0 > FOR_MAX.0 {
        return Err(format!("between 1s and {FOR_MAX}"));
    }
    Ok(span)
}

pub(super) fn run(flags: &Flags) -> anyhow::Result<()> {
    let now = daemon::Clock::System.now();
    let said = match &flags.verb {
        Verb::On { span, config } => on(&config.load()?, now.plus(span.0))?,
        Verb::Off(config) => set(&config.load()?, None)?,
        Verb::Status(config) => status(&config.load()?, now)?,
    };
    writeln!(std::io::stdout(), "{said}")?;
    Ok(())
}

fn on(config: &Config, until: Timestamp) -> anyhow::Result<String> {
    if !config.files().any(|file| file.levels.has_switch()) {
        bail!("no level waits for the switch; write `levels: {{ debug: {{ when: switched_on }} }}` first");
    }
    set(config, Some(until))
}

fn set(config: &Config, until: Option<Timestamp>) -> anyhow::Result<String> {
    let folder = &config.registry.path;
    switch::write(folder, until).with_context(|| {
        format!("{}: cannot write the switch; run this as the shipper's user, on its host", folder.display())
    })?;
    Ok(match until {
        Some(until) => format!("on until {until}; the shipper sees it within a second"),
        None => "off; the shipper sees it within a second".to_owned(),
    })
}

fn status(config: &Config, now: Timestamp) -> anyhow::Result<String> {
    let folder = &config.registry.path;
    let until = switch::read(folder).with_context(|| {
        format!("{}: cannot read the switch; `shipper debug off` ends it", folder.display())
    })?;
    Ok(match until {
        Some(until) if now < until => format!("on until {until}"),
        Some(until) => format!("off since {until}"),
        None => "off".to_owned(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn config(folder: &std::path::Path, levels: &str) -> Config {
        let text = format!(
            "inputs:\n  - file: {{ paths: [/a] }}\noutput: {{ stdout: {{}} }}\nlevels: {levels}\nregistry: {{ path: '{}' }}",
            folder.display()
        );
        daemon::config::parse("shipper.yml", &text).unwrap()
    }

    #[test]
    fn it_is_on_until_its_time() {
        let folder = tempfile::tempdir().unwrap();
        let config = config(folder.path(), "{ debug: { when: switched_on } }");
        let at = |secs: i64| Timestamp::from_secs(1_000_000 + secs);
        assert_eq!(status(&config, at(0)).unwrap(), "off");
        let said = on(&config, at(600)).unwrap();
        assert!(said.starts_with("on until 1970-01-12T13:56:40"), "{said}");
        assert!(status(&config, at(599)).unwrap().starts_with("on until "));
        assert!(status(&config, at(600)).unwrap().starts_with("off since "));
        set(&config, None).unwrap();
        assert_eq!(status(&config, at(0)).unwrap(), "off");
    }

    #[test]
    fn what_cannot_work_says_what_to_do() {
        let folder = tempfile::tempdir().unwrap();
        let error = on(&config(folder.path(), "{ debug: {} }"), Timestamp::EPOCH).unwrap_err();
        assert!(error.to_string().contains("when: switched_on"), "{error}");
        let gone = config(&folder.path().join("gone"), "{ debug: { when: switched_on } }");
        let error = on(&gone, Timestamp::EPOCH).unwrap_err().to_string();
        assert!(error.contains("run this as the shipper's user"), "{error}");
        for (text, is_good) in [("10m", true), ("7d", true), ("8d", false), ("0s", false), ("soon", false)] {
            assert_eq!(span(text).is_ok(), is_good, "{text}");
        }
    }
}
