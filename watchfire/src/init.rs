//! `watchfire init`: a configuration to start from, with a comment at every key that one would touch.
//!
//! Enters: a folder. Leaves: `watchfire.yml` and `rules/` in it. Never: a file that was there before.

use std::fs::OpenOptions;
use std::io::{ErrorKind, Write};
use std::path::{Path, PathBuf};

use anyhow::Context;

/// The starter configuration; also an example in the documents.
pub const STARTER: &str = include_str!("init/watchfire.yml");

/// The shipped rules and their tests, by file name.
pub const RULES: [(&str, &str); 6] = [
    ("availability.yml", include_str!("../../rules/default/availability.yml")),
    ("availability.test.yml", include_str!("../../rules/default/availability.test.yml")),
    ("error-rate.yml", include_str!("../../rules/default/error-rate.yml")),
    ("error-rate.test.yml", include_str!("../../rules/default/error-rate.test.yml")),
    ("jvm-old-gen.yml", include_str!("../../rules/default/jvm-old-gen.yml")),
    ("jvm-old-gen.test.yml", include_str!("../../rules/default/jvm-old-gen.test.yml")),
];

/// Writes the files below `folder`; gives their paths, with false for one that was there and stays as it is.
///
/// # Errors
/// When the folder cannot be written.
pub fn write(folder: &Path) -> anyhow::Result<Vec<(PathBuf, bool)>> {
    let rules = folder.join("rules");
    std::fs::create_dir_all(&rules).with_context(|| format!("cannot make {}", rules.display()))?;
    let files = RULES.iter().map(|(name, text)| (rules.join(name), *text));
    let files = std::iter::once((folder.join("watchfire.yml"), STARTER)).chain(files);
    files.map(|(path, text)| create(&path, text).map(|is_new| (path, is_new))).collect()
}

fn create(path: &Path, text: &str) -> anyhow::Result<bool> {
    match OpenOptions::new().write(true).create_new(true).open(path) {
        Ok(mut file) => {
            file.write_all(text.as_bytes()).with_context(|| format!("cannot write {}", path.display()))?;
            Ok(true)
        }
        Err(error) if error.kind() == ErrorKind::AlreadyExists => Ok(false),
        Err(error) => Err(error).with_context(|| format!("cannot write {}", path.display())),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::Config;

    #[test]
    fn what_init_writes_can_be_run_and_is_not_overwritten() {
        let folder = tempfile::tempdir().unwrap();
        let first = write(folder.path()).unwrap();
        assert!(first.iter().all(|(_, is_new)| *is_new), "{first:?}");
        let config = Config::load(&folder.path().join("watchfire.yml")).unwrap();
        let state = config.alerter_state();
        let deps = alerter::channel::ChannelDeps::default();
        let setup = alerter::Setup::load(config.alerter(&state), folder.path(), &deps).unwrap();
        assert_eq!(setup.plan.rules.len(), 3);
        std::fs::write(folder.path().join("watchfire.yml"), "mine").unwrap();
        let second = write(folder.path()).unwrap();
        assert!(second.iter().all(|(_, is_new)| !is_new), "{second:?}");
        assert_eq!(std::fs::read_to_string(folder.path().join("watchfire.yml")).unwrap(), "mine");
    }
}
