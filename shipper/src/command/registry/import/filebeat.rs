//! Filebeat's registry: of the `log`, `container` and `filestream` inputs, from 6.0 on.
//!
//! Enters: `registry/filebeat/log.json` with the snapshot beside it, or the older `data.json`. Leaves: positions.
//! Never: a state that the log does not prove: its steps are numbered, and a missing one ends the import.
//!
//! ```text
//! {"op":"set","id":12}
//! {"k":"filebeat::logs::native::361-2055","v":{"source":"/var/log/a.log","offset":4711,"FileStateOS":{"inode":361,"device":2055}}}
//! {"op":"set","id":13}
//! {"k":"filestream::app::native::362-2055","v":{"cursor":{"offset":914},"meta":{"source":"/var/log/b.log","identifier_name":"native"}}}
//! ```
//! The snapshot is `<number>.json`, an array of the values with their key as `_key`; the log goes on behind that number.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use anyhow::{Context, bail};
use serde::Deserialize;
use serde_json::Value;

use super::{Position, Who, read_text};

/// One line of the log.
#[derive(Debug, Deserialize)]
#[serde(untagged)]
enum Line {
    Step { op: String, id: u64 },
    Change { k: String, v: Option<Value> },
}

pub(super) fn read(path: &Path) -> anyhow::Result<Vec<Position>> {
    let path = if path.is_dir() { path.join("log.json") } else { path.to_owned() };
    let text = read_text(&path)?;
    let states = if text.trim_start().starts_with('[') {
        array(&text)?
    } else {
        let (mut states, last) = snapshot(path.parent().unwrap_or(Path::new(".")))?;
        replay(&text, last, &mut states)?;
        states
    };
    Ok(states.iter().map(|(key, value)| position(key, value)).collect())
}

/// The newest snapshot of the folder, and its number.
fn snapshot(folder: &Path) -> anyhow::Result<(BTreeMap<String, Value>, Option<u64>)> {
    let mut newest: Option<(u64, PathBuf)> = None;
    for entry in std::fs::read_dir(folder)? {
        let path = entry?.path();
        let is_json = path.extension().is_some_and(|extension| extension == "json");
        let number = path.file_stem().and_then(|stem| stem.to_str()).and_then(|stem| stem.parse().ok());
        if let Some(number) =
            number.filter(|number| is_json && newest.as_ref().is_none_or(|(known, _)| known < number))
        {
            newest = Some((number, path));
        }
    }
    let Some((number, path)) = newest else { return Ok((BTreeMap::new(), None)) };
    let states =
        read_text(&path).and_then(|text| array(&text)).with_context(|| path.display().to_string())?;
    Ok((states, Some(number)))
}

fn array(text: &str) -> anyhow::Result<BTreeMap<String, Value>> {
    let values: Vec<Value> = serde_json::from_str(text)?;
    // Before 7.9 an entry had no key; its place stands for it.
    let keyed = values.into_iter().enumerate().map(|(place, value)| {
        let key =
            value.get("_key").and_then(Value::as_str).map_or_else(|| format!("entry {place}"), str::to_owned);
        (key, value)
    });
    Ok(keyed.collect())
}

/// Applies the log behind the step `last`.
fn replay(text: &str, last: Option<u64>, states: &mut BTreeMap<String, Value>) -> anyhow::Result<()> {
    let (mut before, mut step) = (last, None);
    let lines = text.lines().enumerate().filter(|(_, line)| !line.trim().is_empty());
    let count = text.lines().count();
    for (number, line) in lines {
        let line = match serde_json::from_str(line) {
            Ok(line) => line,
            // What a kill left of the last write was never acknowledged to anybody.
            Err(_) if number + 1 == count && !text.ends_with('\n') => break,
            Err(error) => bail!("line {}: {error}", number + 1),
        };
        match line {
            Line::Step { id, .. } if last.is_some_and(|last| id <= last) => step = None,
            Line::Step { op, id } => {
                if before.is_some_and(|before| id != before + 1) {
                    bail!(
                        "line {}: step {id} does not follow the one before it, so the log is not whole; start Filebeat once and \
                         stop it, and it writes a new one",
                        number + 1
                    );
                }
                (before, step) = (Some(id), Some(op));
            }
            Line::Change { k, v } => match (step.take().as_deref(), v) {
                (Some("set"), Some(value)) => drop(states.insert(k, value)),
                (Some("remove"), _) => drop(states.remove(&k)),
                _ => {}
            },
        }
    }
    Ok(())
}

fn position(key: &str, value: &Value) -> Position {
    let text = |value: &Value, name: &str| value.get(name).and_then(Value::as_str).map(PathBuf::from);
    let meta = value.get("meta").unwrap_or(&Value::Null);
    let path = text(value, "source").or_else(|| text(meta, "source"));
    // A file that was seen and not read yet has no cursor.
    let offset = value.get("offset").or_else(|| value.get("cursor").and_then(|cursor| cursor.get("offset")));
    let offset = offset.and_then(Value::as_u64).unwrap_or(0);
    Position { who: who(key, value, path), offset }
}

/// The key ends with `<identifier>::<what it says>`; the oldest form has none, and inode and device alone.
fn who(key: &str, value: &Value, path: Option<PathBuf>) -> Who {
    let os = value.get("FileStateOS").unwrap_or(&Value::Null);
    let number = |name| os.get(name).and_then(Value::as_u64);
    let mut parts = key.rsplitn(3, "::");
    let (last, identifier) = (parts.next().unwrap_or_default(), parts.next().unwrap_or_default());
    let unknown = |reason: &str| Who::Unknown { what: format!("`{key}`"), reason: reason.to_owned() };
    if !value.is_object() || (key.contains("::") && !key.starts_with("file")) {
        return unknown("is no file");
    }
    match (identifier, path) {
        ("native", path) => {
            let pair = last
                .split_once('-')
                .and_then(|(inode, device)| Some((inode.parse().ok()?, device.parse().ok()?)));
            match pair {
                Some((inode, device)) => Who::Inode { inode, device: Some(device), path },
                None => unknown("its inode and device cannot be read"),
            }
        }
        ("path", path) => Who::Path(path.unwrap_or_else(|| last.into())),
        ("fingerprint", path) => Who::Start { sha256: last.to_owned(), path },
        (_, path) => match (number("inode"), number("device")) {
            (Some(inode), Some(device)) => Who::Inode { inode, device: Some(device), path },
            _ => unknown("is identified in a way that is not known here"),
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(files: &[(&str, &str)], expected: Result<&[(Who, u64)], &str>) {
        let folder = tempfile::tempdir().unwrap();
        for (name, text) in files {
            std::fs::write(folder.path().join(name), text).unwrap();
        }
        let read = read(&folder.path().join(files[0].0));
        match expected {
            Ok(expected) => {
                let got: Vec<_> = read.unwrap().into_iter().map(|found| (found.who, found.offset)).collect();
                assert_eq!(got, expected);
            }
            Err(words) => assert!(format!("{:#}", read.unwrap_err()).contains(words)),
        }
    }

    fn native(inode: u64, path: &str) -> Who {
        Who::Inode { inode, device: Some(2055), path: Some(path.into()) }
    }

    const LOG: &str = r#"{"op":"set","id":8}
{"k":"filebeat::logs::native::361-2055","v":{"timestamp":[698286230,1641268968],"ttl":-1,"type":"log","FileStateOS":{"inode":361,"device":2055},"source":"/a.log","offset":100,"identifier_name":"native","id":"native::361-2055","prev_id":""}}
{"op":"set","id":9}
{"k":"filebeat::logs::native::361-2055","v":{"source":"/a.log","offset":250,"FileStateOS":{"inode":361,"device":2055}}}
{"op":"set","id":10}
{"k":"filestream::app::native::362-2055","v":{"ttl":-1,"updated":[1,2],"cursor":{"offset":914},"meta":{"source":"/b.log","identifier_name":"native"}}}
{"op":"remove","id":11}
{"k":"filebeat::logs::native::9-2055"}
{"op":"set","id":12}
{"k":"filestream::app::fingerprint::ab01","v":{"cursor":null,"meta":{"source":"/c.log","identifier_name":"fingerprint"}}}
"#;

    #[test]
    fn the_log_goes_on_behind_its_snapshot() {
        let snapshot = r#"[{"_key":"filebeat::logs::native::9-2055","source":"/old.log","offset":5},
            {"_key":"filebeat::logs::path::/p.log","source":"/p.log","offset":7}]"#;
        let start = Who::Start { sha256: "ab01".to_owned(), path: Some("/c.log".into()) };
        let expected = [
            (native(361, "/a.log"), 250),
            (Who::Path("/p.log".into()), 7),
            (start.clone(), 0),
            (native(362, "/b.log"), 914),
        ];
        check(
            &[("log.json", LOG), ("7.json", snapshot), ("5.json", "[]"), ("meta.json", "{}")],
            Ok(&expected),
        );
        // Steps that the snapshot has already are not done again.
        let later = r#"[{"_key":"filebeat::logs::native::361-2055","source":"/a.log","offset":300}]"#;
        let expected = [(native(361, "/a.log"), 300), (start, 0), (native(362, "/b.log"), 914)];
        check(&[("log.json", LOG), ("9.json", later)], Ok(&expected));
    }

    #[test]
    fn a_log_that_is_not_whole_ends_the_import() {
        let cut = LOG.trim_end().strip_suffix("}}").unwrap();
        let expected = [(native(361, "/a.log"), 250), (native(362, "/b.log"), 914)];
        check(&[("log.json", cut)], Ok(&expected));
        check(&[("log.json", &LOG.replace("\"id\":9", "\"id\":19"))], Err("line 3: step 19 does not follow"));
        check(&[("log.json", LOG), ("4.json", "[]")], Err("line 1: step 8 does not follow"));
        check(&[("log.json", &LOG.replace("{\"op\":\"set\",\"id\":9}", "{\"op"))], Err("line 3: "));
        check(&[("log.json", LOG), ("7.json", "[{")], Err("7.json: "));
    }

    #[test]
    fn the_old_form_has_inode_and_device_alone() {
        let text = r#"[{"source":"/a.log","offset":5912,"FileStateOS":{"inode":38382035,"device":2055},"timestamp":"2017-03-13T18:17:54+08:00","ttl":-1}]"#;
        check(&[("data.json", text)], Ok(&[(native(38_382_035, "/a.log"), 5912)]));
    }
}
