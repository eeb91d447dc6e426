//! Promtail's and Grafana Agent's `positions.yaml`: paths, each with its offset as a text.
//!
//! ```text
//! positions:
//!   /var/log/app.log: "4711"
//!   cursor-journal: s=...
//! ```

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use serde::Deserialize;

use super::{Position, Who, read_text};

#[derive(Debug, Deserialize)]
struct File {
    #[serde(default)]
    positions: BTreeMap<String, String>,
}

pub(super) fn read(path: &Path) -> anyhow::Result<Vec<Position>> {
    let file: File = yaml::parse(&path.display().to_string(), &read_text(path)?)?;
    Ok(file.positions.into_iter().map(|(name, value)| position(&name, &value)).collect())
}

fn position(name: &str, value: &str) -> Position {
    match (Path::new(name).is_absolute(), value.parse()) {
        (true, Ok(offset)) => Position { who: Who::Path(PathBuf::from(name)), offset },
        _ => {
            let (what, reason) = (format!("`{name}`"), "is no file with an offset".to_owned());
            Position { who: Who::Unknown { what, reason }, offset: 0 }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_have_offsets_and_cursors_are_left() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("positions.yaml");
        std::fs::write(&path, "positions:\n  /var/log/a b.log: \"4711\"\n  cursor-journal: s=1;i=2\n")
            .unwrap();
        let positions = read(&path).unwrap();
        assert_eq!(positions[0], Position { who: Who::Path("/var/log/a b.log".into()), offset: 4711 });
        assert!(matches!(&positions[1].who, Who::Unknown { what, .. } if what == "`cursor-journal`"));
        std::fs::write(&path, "positions: [").unwrap();
        read(&path).unwrap_err();
    }
}
