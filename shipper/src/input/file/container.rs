//! What a container runtime puts around each line.
//!
//! Enters: a line of the file, decoded. Leaves: the program's own text, on which of its outputs it stood, when, and
//! whether the line goes on. Never: a refusal; a line of another shape is text as it stands, and is tagged.

use std::borrow::Cow;

use event::Timestamp;
use schemars::JsonSchema;
use serde::Deserialize;

/// What a container runtime puts around each line.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Container {
    /// Nothing: lines are the program's own.
    #[default]
    None,
    /// `docker` for a line that begins with a brace, else `cri`.
    Auto,
    /// Docker's `json-file`: `{"log":"text\n","stream":"stdout","time":"2026-11-23T10:30:45.123456789Z"}`. A `log` without a
    /// line feed goes on in the next line of its output.
    Docker,
    /// CRI, as containerd and CRI-O write it: `2026-11-23T10:30:45.123456789Z stdout F text`. With `P` instead of `F` it goes on
    /// in the next line of its output.
    Cri,
}

/// Where a program writes its lines.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Output {
    Stdout,
    Stderr,
    /// The runtime does not say.
    Unknown,
}

impl Output {
    /// All of them, by [`Output::index`].
    pub(super) const ALL: [Output; 3] = [Output::Stdout, Output::Stderr, Output::Unknown];

    /// Its place in [`Output::ALL`].
    pub(super) fn index(self) -> usize {
        match self {
            Output::Stdout => 0,
            Output::Stderr => 1,
            Output::Unknown => 2,
        }
    }

    /// The value of `stream`.
    pub(super) fn name(self) -> Option<&'static str> {
        match self {
            Output::Stdout => Some("stdout"),
            Output::Stderr => Some("stderr"),
            Output::Unknown => None,
        }
    }

    fn of(name: &str) -> Self {
        Output::ALL.into_iter().find(|output| output.name() == Some(name)).unwrap_or(Output::Unknown)
    }
}

/// What stood around a line.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Wrapping {
    pub output: Output,
    /// When the runtime took the line.
    pub time: Option<Timestamp>,
    /// The line goes on.
    pub is_partial: bool,
    /// The line has another shape.
    pub is_foreign: bool,
}

const FOREIGN: Wrapping =
    Wrapping { output: Output::Unknown, time: None, is_partial: false, is_foreign: true };

#[derive(Deserialize)]
struct DockerLine<'l> {
    #[serde(borrow)]
    log: Cow<'l, str>,
    #[serde(borrow, default)]
    stream: Cow<'l, str>,
    #[serde(borrow, default)]
    time: Cow<'l, str>,
}

impl Container {
    /// What stands around `line`, and what is inside.
    pub(super) fn open(self, line: &str) -> (Wrapping, Cow<'_, str>) {
        let opened = match self {
            Container::None => None,
            Container::Docker => docker(line),
            Container::Cri => cri(line),
            Container::Auto if line.starts_with('{') => docker(line),
            Container::Auto => cri(line),
        };
        opened.unwrap_or((FOREIGN, Cow::Borrowed(line)))
    }
}

fn docker(line: &str) -> Option<(Wrapping, Cow<'_, str>)> {
    let DockerLine { log, stream, time } = serde_json::from_str(line).ok()?;
    let wrapping = Wrapping {
        output: Output::of(&stream),
        time: Timestamp::parse(&time).ok(),
        is_partial: !log.ends_with('\n'),
        is_foreign: false,
    };
    let end = log.strip_suffix('\n').map_or(log.len(), |text| text.strip_suffix('\r').unwrap_or(text).len());
    let text = match log {
        Cow::Borrowed(text) => Cow::Borrowed(text.get(..end).unwrap_or(text)),
        Cow::Owned(mut text) => {
            text.truncate(end);
            Cow::Owned(text)
        }
    };
    Some((wrapping, text))
}

fn cri(line: &str) -> Option<(Wrapping, Cow<'_, str>)> {
    let (time, rest) = line.split_once(' ')?;
    let (stream, rest) = rest.split_once(' ')?;
    let (time, output) = (Timestamp::parse(time).ok()?, Output::of(stream));
    if output == Output::Unknown {
        return None;
    }
    // Tags are parted by colons, and the first says whether the line goes on. Old runtimes wrote none.
    let (tags, text) = rest.split_once(' ').unwrap_or((rest, ""));
    let (is_partial, text) = match tags.split(':').next() {
        Some("P") => (true, text),
        Some("F") => (false, text),
        _ => (false, rest),
    };
    let wrapping = Wrapping { output, time: Some(time), is_partial, is_foreign: false };
    Some((wrapping, Cow::Borrowed(text)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn wrappings_are_taken_off() {
        let time = Timestamp::parse("2026-11-23T10:30:45.5Z").ok();
        let is = |output, is_partial| Wrapping { output, time, is_partial, is_foreign: false };
        for (container, line, wrapping, text) in [
            (
                Container::Docker,
                r#"{"log":"one\r\n","stream":"stdout","time":"2026-11-23T10:30:45.500000000Z"}"#,
                is(Output::Stdout, false),
                "one",
            ),
            (
                Container::Auto,
                r#"{"log":"a \"b","stream":"stderr","attrs":{"x":"y"},"time":"2026-11-23T18:30:45.5+08:00"}"#,
                is(Output::Stderr, true),
                "a \"b",
            ),
            (
                Container::Docker,
                r#"{"log":"x\n"}"#,
                Wrapping { time: None, ..is(Output::Unknown, false) },
                "x",
            ),
            (
                Container::Cri,
                "2026-11-23T10:30:45.5Z stdout F one  two ",
                is(Output::Stdout, false),
                "one  two ",
            ),
            (Container::Auto, "2026-11-23T10:30:45.5Z stderr P on", is(Output::Stderr, true), "on"),
            (Container::Cri, "2026-11-23T10:30:45.5Z stdout F:x e", is(Output::Stdout, false), "e"),
            (Container::Cri, "2026-11-23T10:30:45.5Z stdout F", is(Output::Stdout, false), ""),
            (Container::Cri, "2026-11-23T10:30:45.5Z stdout no tag", is(Output::Stdout, false), "no tag"),
            (
                Container::Cri,
                "2026-11-23T10:30:45.5Z syslog F x",
                FOREIGN,
                "2026-11-23T10:30:45.5Z syslog F x",
            ),
            (Container::Cri, r#"{"log":"x\n"}"#, FOREIGN, r#"{"log":"x\n"}"#),
            (Container::Docker, r#"{"log":"torn"#, FOREIGN, r#"{"log":"torn"#),
            (Container::Docker, "", FOREIGN, ""),
        ] {
            assert_eq!(container.open(line), (wrapping, Cow::Borrowed(text)), "{line}");
        }
    }
}
