//! `probe:` of an input.
//!
//! Enters: the user's keys. Leaves: [`ProbeConfig`], and a [`Target`] that is known to be usable. Never: a connection.

use std::collections::BTreeMap;
use std::time::Duration;

use schemars::JsonSchema;
use serde::Deserialize;
use yaml::Span;

/// Shortest time between two runs.
pub const EVERY_MIN: Duration = Duration::from_millis(100);
/// Longest time between two runs; rules could not tell a longer one from silence.
pub const EVERY_MAX: Duration = Duration::from_secs(24 * 60 * 60);

/// Asks a service whether it works.
#[derive(Debug, Clone, PartialEq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ProbeConfig {
    /// `monitor.name`; unique in the file.
    pub name: String,
    /// `service.name` of the results.
    pub service: Option<String>,
    /// What is asked: `http://`, `https://` (a GET), or `tcp://host:port` (a connection).
    pub url: String,
    /// Time from the start of one run to the start of the next.
    #[serde(default = "default_every")]
    pub every: Span,
    /// What must be true for `monitor.status: up`.
    #[serde(default)]
    pub expect: Expect,
    /// `labels.*` of the results.
    #[serde(default)]
    pub labels: BTreeMap<String, String>,
    /// `tags` of the results.
    #[serde(default)]
    pub tags: Vec<String>,
}

/// The answer of a service that works.
#[derive(Debug, Clone, PartialEq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Expect {
    /// The HTTP status. Left out: any below 400, as `curl --fail` has it.
    pub status: Option<u16>,
    /// The whole answer must be there in this time; a slower service is down.
    pub within: Span,
    /// Text that must be in the first 64 KiB of the answer.
    pub body: Option<String>,
}

impl Default for Expect {
    fn default() -> Self {
        Expect { status: None, within: Span(Duration::from_secs(5)), body: None }
    }
}

fn default_every() -> Span {
    Span(Duration::from_secs(10))
}

/// What a URL stands for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Target {
    /// A GET of this URL.
    Http(String),
    /// A connection to this host and port.
    Tcp(String),
}

impl ProbeConfig {
    /// Finds what cannot work, and says how to write it instead.
    ///
    /// # Errors
    /// A text that names the probe.
    pub fn check(&self) -> Result<Target, String> {
        let wrong = |what: &str| Err(format!("probe `{}`: {what}", self.name));
        if self.name.trim().is_empty() {
            return Err("a probe has an empty `name`: give it one, such as the service's".to_owned());
        }
        if !(EVERY_MIN..=EVERY_MAX).contains(&self.every.0) {
            return wrong("`every` must be between 100ms and 24h");
        }
        if self.expect.within.0.is_zero() {
            return wrong("`expect.within` must be longer than zero");
        }
        let target = target(&self.url).map_err(|what| format!("probe `{}`: {what}", self.name))?;
        if matches!(target, Target::Tcp(_)) && (self.expect.status.is_some() || self.expect.body.is_some()) {
            return wrong(
                "a tcp:// probe has no `expect.status` and no `expect.body`: remove them, or use http://",
            );
        }
        match self.expect.status {
            Some(status) if !(100..=599).contains(&status) => {
                wrong("`expect.status` is no HTTP status: write 100 to 599")
            }
            _ => Ok(target),
        }
    }
}

fn target(url: &str) -> Result<Target, String> {
    let wrong =
        || format!("`{url}` cannot be probed: write http://host/path, https://host/path or tcp://host:port");
    let parsed = reqwest::Url::parse(url).map_err(|_| wrong())?;
    let host = parsed.host_str().filter(|host| !host.is_empty()).ok_or_else(wrong)?;
    match (parsed.scheme(), parsed.port()) {
        ("http" | "https", _) => Ok(Target::Http(url.to_owned())),
        ("tcp", Some(port)) => Ok(Target::Tcp(format!("{host}:{port}"))),
        _ => Err(wrong()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn probe(url: &str) -> ProbeConfig {
        ProbeConfig {
            name: "p".to_owned(),
            service: None,
            url: url.to_owned(),
            every: default_every(),
            expect: Expect::default(),
            labels: BTreeMap::new(),
            tags: Vec::new(),
        }
    }

    #[test]
    fn urls_become_targets_or_say_how_to_write_them() {
        let http = |url: &str| Some(Target::Http(url.to_owned()));
        let tcp = |address: &str| Some(Target::Tcp(address.to_owned()));
        for (url, expected) in [
            ("http://127.0.0.1:8080/health", http("http://127.0.0.1:8080/health")),
            ("https://shop.example/", http("https://shop.example/")),
            ("tcp://127.0.0.1:6379", tcp("127.0.0.1:6379")),
            ("tcp://[::1]:6379", tcp("[::1]:6379")),
            ("tcp://redis", None),
            ("127.0.0.1:8080", None),
            ("ftp://host/", None),
            ("", None),
        ] {
            let found = probe(url).check();
            assert_eq!(found.clone().ok(), expected, "{url}");
            if let Err(text) = found {
                assert!(text.contains("tcp://host:port") && text.contains("probe `p`"), "{text}");
            }
        }
    }

    #[test]
    fn expectations_that_cannot_hold_are_refused() {
        type Change = fn(&mut ProbeConfig);
        let changes: [(Change, &str); 6] = [
            (|probe| probe.every = Span(Duration::ZERO), "`every`"),
            (|probe| probe.every = Span(Duration::from_secs(100_000)), "`every`"),
            (|probe| probe.expect.within = Span(Duration::ZERO), "`expect.within`"),
            (|probe| probe.expect.status = Some(42), "`expect.status`"),
            (|probe| probe.name = " ".to_owned(), "`name`"),
            (
                |probe| {
                    probe.url = "tcp://h:1".to_owned();
                    probe.expect.status = Some(200);
                },
                "tcp://",
            ),
        ];
        for (change, word) in changes {
            let mut config = probe("http://h/");
            change(&mut config);
            let text = config.check().unwrap_err();
            assert!(text.contains(word), "{text} has no {word}");
        }
    }
}
