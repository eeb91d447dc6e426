//! The shipper that a drill drives: a process of this very program, with a configuration of its own.
//!
//! Enters: the user's configuration as it is written. Leaves: one for the drill, with the user's connection and none of the
//! user's files, topics and folders; the process. Never: a secret that the user did not write there himself; references
//! such as `${ENV}` stay references.

use std::fs::{File, OpenOptions};
use std::io::Write as _;
use std::os::unix::fs::OpenOptionsExt as _;
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::Context;
use serde_json::{Map, Value, json};

/// What a drill takes over from `output.kafka`.
const KEYS: [&str; 8] =
    ["client_id", "tls", "sasl", "options", "compression", "linger", "batch_bytes", "queue_bytes"];

/// Where a drill's shipper works.
#[derive(Debug, Clone)]
pub(super) struct Place {
    /// The scratch folder.
    pub folder: PathBuf,
    pub brokers: Vec<String>,
    pub topic: String,
    /// The port of its admin page.
    pub port: u16,
}

/// The drill's configuration. `document` is the user's, `folder` where it lies.
pub(super) fn config(document: &Value, folder: &Path, place: &Place) -> Value {
    let user = &document["output"]["kafka"];
    let mut kafka: Map<String, Value> =
        KEYS.iter().filter_map(|key| Some(((*key).to_owned(), user.get(key)?.clone()))).collect();
    kafka.values_mut().for_each(|value| anchor(value, folder));
    kafka.insert("brokers".to_owned(), json!(place.brokers));
    kafka.insert("topic".to_owned(), json!(place.topic));
    let path = |name: &str| place.folder.join(name).display().to_string();
    json!({
        "inputs": [{ "file": { "paths": [path("logs/*.log")], "multiline": "none" } }],
        "output": { "kafka": kafka },
        "registry": { "path": path("registry") },
        "admin": { "listen": format!("127.0.0.1:{}", place.port) },
    })
}

/// A relative `${file:...}` is looked for beside the user's configuration, not beside the drill's.
fn anchor(value: &mut Value, folder: &Path) {
    match value {
        Value::String(text) => {
            if let Some(path) = text.strip_prefix("${file:").filter(|path| !path.starts_with('/')) {
                *text = format!("${{file:{}/{path}", folder.display());
            }
        }
        Value::Array(items) => items.iter_mut().for_each(|item| anchor(item, folder)),
        Value::Object(members) => members.values_mut().for_each(|member| anchor(member, folder)),
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}

/// The process; killed when this goes.
#[derive(Debug)]
pub(super) struct Child {
    config: PathBuf,
    log: PathBuf,
    process: Option<std::process::Child>,
}

impl Child {
    /// Writes the configuration, for this user's eyes alone, and starts the shipper.
    pub(super) fn start(folder: &Path, config: &Value) -> anyhow::Result<Self> {
        let path = folder.join("shipper.yml");
        let mut file = OpenOptions::new().create(true).truncate(true).write(true).mode(0o600).open(&path)?;
        file.write_all(&serde_json::to_vec_pretty(config)?)?;
        let mut child = Child { config: path, log: folder.join("shipper.log"), process: None };
        child.launch()?;
        Ok(child)
    }

    /// `kill -9`, and a start.
    pub(super) fn kill(&mut self) -> anyhow::Result<()> {
        self.end();
        self.launch()
    }

    /// Where its log is.
    pub(super) fn log(&self) -> &Path {
        &self.log
    }

    /// How it ended, if it has by itself.
    pub(super) fn ended(&mut self) -> Option<String> {
        let status = self.process.as_mut()?.try_wait().ok()??;
        Some(status.to_string())
    }

    fn launch(&mut self) -> anyhow::Result<()> {
        let program = std::env::current_exe().context("this program's own file is gone")?;
        let log: File = OpenOptions::new().create(true).append(true).open(&self.log)?;
        let mut command = Command::new(program);
        command.args(["run", "-c"]).arg(&self.config).stdin(Stdio::null());
        // A group of its own: an interrupt from the keyboard is for the drill, which ends it then.
        command.stdout(log.try_clone()?).stderr(log).process_group(0);
        self.process = Some(command.spawn().context("the shipper does not start")?);
        Ok(())
    }

    fn end(&mut self) {
        if let Some(mut process) = self.process.take() {
            // It may have ended by itself.
            let _ = process.kill();
            let _ = process.wait();
        }
    }
}

impl Drop for Child {
    fn drop(&mut self) {
        self.end();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_connection_is_the_users_and_nothing_else() {
        let text = "inputs: [{ file: { paths: [/var/log/*.log] } }]\n\
            host: web-1\n\
            output:\n  kafka:\n    brokers: [k1:9092]\n    topic: logs\n    linger: 5ms\n    surprise: 1\n    \
            sasl: { mechanism: PLAIN, username: ann, password: '${file:secret}' }\n    \
            tls: { ca: /etc/ca.pem }\n    options: { socket.timeout.ms: '9', x: '${file:/a}', y: '${ENV}' }\n";
        let document: Value = yaml::parse("shipper.yml", text).unwrap();
        let place = Place {
            folder: "/tmp/p".into(),
            brokers: vec!["127.0.0.1:7".to_owned()],
            topic: "drill".to_owned(),
            port: 9,
        };
        let config = config(&document, Path::new("/etc/watchfire"), &place);
        assert_eq!(
            config,
            json!({
                "inputs": [{ "file": { "paths": ["/tmp/p/logs/*.log"], "multiline": "none" } }],
                "output": { "kafka": {
                    "brokers": ["127.0.0.1:7"],
                    "topic": "drill",
                    "linger": "5ms",
                    "sasl": { "mechanism": "PLAIN", "username": "ann", "password": "${file:/etc/watchfire/secret}" },
                    "tls": { "ca": "/etc/ca.pem" },
                    "options": { "socket.timeout.ms": "9", "x": "${file:/a}", "y": "${ENV}" },
                } },
                "registry": { "path": "/tmp/p/registry" },
                "admin": { "listen": "127.0.0.1:9" },
            })
        );
    }

    #[test]
    fn the_drills_configuration_is_a_good_one() {
        let document = json!({ "output": { "kafka": { "brokers": ["k:1"], "topic": "logs" } } });
        let place = Place {
            folder: "/tmp/p".into(),
            brokers: vec!["b:1".to_owned()],
            topic: "t".to_owned(),
            port: 0,
        };
        let text = config(&document, Path::new("/"), &place).to_string();
        let config: crate::config::Config = daemon::config::parse("drill", &text).unwrap();
        config.check().unwrap();
    }
}
