//! Log shippers: ours, and those that it is measured against.
//!
//! Enters: where the logs, the state and the broker are. Leaves: a command that ships the one to the other. Never: a setting
//! that makes a peer look worse; the templates in `bench/peers/` are tuned for safety.

use std::path::{Path, PathBuf};
use std::process::Command;

use super::pen::Style;
use super::{PINNED_BYTES_MAX, Setting};
use crate::part::{binary, root};

/// A shipper.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Peer {
    /// Ours.
    Shipper,
    /// Elastic's.
    Filebeat,
    /// Of the Fluentd family.
    FluentBit,
    /// Datadog's.
    Vector,
    /// Debian's.
    Rsyslog,
}

/// Where things are.
#[derive(Debug, Clone, Copy)]
pub struct Place<'p> {
    /// The folder of the logs.
    pub logs: &'p Path,
    /// The folder of the shipper's state.
    pub state: &'p Path,
    /// `host:port`.
    pub broker: &'p str,
    /// The topic.
    pub topic: &'p str,
}

impl Peer {
    /// Each of them.
    pub const ALL: [Peer; 5] = [Peer::Shipper, Peer::Filebeat, Peer::FluentBit, Peer::Vector, Peer::Rsyslog];

    /// Its name on the command line.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Peer::Shipper => "shipper",
            Peer::Filebeat => "filebeat",
            Peer::FluentBit => "fluent-bit",
            Peer::Vector => "vector",
            Peer::Rsyslog => "rsyslog",
        }
    }

    /// Its program; `None` when it is not installed.
    #[must_use]
    pub fn program(self) -> Option<PathBuf> {
        let name = match self {
            Peer::Shipper => return Some(binary::path("shipper")),
            Peer::Rsyslog => "rsyslogd",
            _ => self.name(),
        };
        // What Debian has for root alone is not on everybody's path.
        let folders = std::env::var_os("PATH").unwrap_or_default();
        let mut folders = std::env::split_paths(&folders).chain([PathBuf::from("/usr/sbin")]);
        folders.find_map(|folder| Some(folder.join(name)).filter(|path| path.exists()))
    }

    fn template(self) -> &'static str {
        match self {
            Peer::Shipper => "shipper.yml",
            Peer::Filebeat => "filebeat.yml",
            Peer::FluentBit => "fluent-bit.conf",
            Peer::Vector => "vector.yaml",
            Peer::Rsyslog => "rsyslog.conf",
        }
    }

    /// Writes its configuration into `folder`; gives the file.
    ///
    /// # Panics
    /// When the template is not there.
    #[must_use]
    pub fn configure(self, folder: &Path, place: &Place<'_>, setting: &Setting) -> PathBuf {
        let template = std::fs::read_to_string(root().join("bench/peers").join(self.template())).unwrap();
        let text = template
            .replace("@LOGS@", place.logs.to_str().unwrap())
            .replace("@STATE@", place.state.to_str().unwrap())
            .replace("@BROKER@", place.broker)
            .replace("@TOPIC@", place.topic)
            .replace("@STATE_LINES@", "1")
            .replace("@EXTRA@", &self.extra(setting))
            .replace("@REST@", &rest(setting));
        let file = folder.join(self.template());
        std::fs::write(&file, text).unwrap();
        file
    }

    /// The keys that a setting needs in the input. A peer that knows none has to do without.
    fn extra(self, setting: &Setting) -> String {
        let mut lines = Vec::new();
        if let Some(bytes) = setting.line_bytes_max {
            lines.push(match self {
                Peer::Shipper => format!("      line_bytes_max: {bytes}"),
                Peer::Filebeat => format!("    message_max_bytes: {bytes}"),
                Peer::FluentBit => format!("    buffer_max_size {bytes}"),
                Peer::Vector => format!("    max_line_bytes: {bytes}"),
                Peer::Rsyslog => String::new(),
            });
        }
        match (setting.style, self) {
            (Style::Utf16, Peer::Shipper) => lines.push("      encoding: utf-16le".to_owned()),
            (Style::Utf16, Peer::Filebeat) => lines.push("    encoding: utf-16le-bom".to_owned()),
            (Style::Utf16, Peer::FluentBit) => lines.push("    unicode.encoding UTF-16LE".to_owned()),
            (Style::Utf16, Peer::Vector) => lines.push("    encoding: { charset: utf-16le }".to_owned()),
            (Style::Frames, Peer::Shipper) => {
                lines.push("      multiline: { pattern: '^\\s', match: after }".to_owned());
            }
            (Style::Frames, Peer::Filebeat) => lines.push(
                "    parsers: [{ multiline: { type: pattern, pattern: '^\\s', match: after } }]".to_owned(),
            ),
            (Style::Frames, Peer::FluentBit) => lines.push("    multiline.parser java".to_owned()),
            (Style::Frames, Peer::Vector) => lines.push(
                "    multiline: { start_pattern: '^\\S', condition_pattern: '^\\s', mode: continue_through, timeout_ms: 5000 }"
                    .to_owned(),
            ),
            (Style::Frames, Peer::Rsyslog) => {
                lines.push("      startmsg.regex=\"^[^[:space:]]\" escapeLF=\"off\"".to_owned());
            }
            (Style::Words | Style::Tiny | Style::Utf16, _) => {}
        }
        lines.join("\n")
    }

    /// The command that ships, until it gets SIGTERM.
    ///
    /// # Panics
    /// When it is not installed.
    #[must_use]
    pub fn command(self, file: &Path, setting: &Setting) -> Command {
        let program = self.program().unwrap();
        let mut command = match setting.descriptors {
            Some(most) => {
                let mut shell = Command::new("sh");
                shell.args(["-ec", &format!("ulimit -n {most}; exec \"$0\" \"$@\"")]).arg(program);
                shell
            }
            None => Command::new(program),
        };
        match self {
            Peer::Shipper => command.args(["run", "-c"]).arg(file),
            Peer::Filebeat => command.args(["-e", "--strict.perms=false", "-c"]).arg(file),
            Peer::FluentBit => command.arg("-c").arg(file),
            Peer::Vector => command.args(["-q", "-c"]).arg(file),
            Peer::Rsyslog => command.args(["-n", "-i", "NONE", "-f"]).arg(file),
        };
        command
    }
}

/// The keys that a setting needs outside the input; only our shipper has some.
fn rest(setting: &Setting) -> String {
    let beyond = setting.pinned;
    beyond.map_or(String::new(), |beyond| {
        format!("pinned: {{ bytes_max: {PINNED_BYTES_MAX}, beyond: {beyond} }}\n")
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_template_is_filled_to_the_last_word() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path();
        let pinned = Some("spool");
        let place = Place { logs: path, state: path, broker: "127.0.0.1:9", topic: "t" };
        for peer in Peer::ALL {
            for style in [Style::Words, Style::Tiny, Style::Utf16, Style::Frames] {
                let setting = Setting { style, line_bytes_max: Some(5000), pinned, ..Setting::WORDS };
                let text = std::fs::read_to_string(peer.configure(path, &place, &setting)).unwrap();
                let text = text.replace("@WORDS@", "");
                assert!(!text.contains('@'), "{text}");
            }
        }
    }
}
