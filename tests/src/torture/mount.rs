//! File systems that come and go.
//!
//! Enters: a place. Leaves: something mounted there, or why this machine does not allow it.
//! Never: a mount that outlives its value.

use std::path::{Path, PathBuf};
use std::process::Command;

/// Something that is mounted.
pub(super) struct Mount(PathBuf);

impl Mount {
    /// An empty disk of a megabyte over the folder `at`.
    pub(super) fn small_disk(at: &Path) -> Result<Self, String> {
        Mount::new(Command::new("mount").args(["-t", "tmpfs", "-o", "size=1m", "tmpfs"]), at)
    }

    /// The file `from` under another name, which is there already.
    pub(super) fn bind(from: &Path, at: &Path) -> Result<Self, String> {
        Mount::new(Command::new("mount").arg("--bind").arg(from), at)
    }

    fn new(command: &mut Command, at: &Path) -> Result<Self, String> {
        match command.arg(at).output() {
            Ok(output) if output.status.success() => Ok(Mount(at.to_owned())),
            Ok(output) => {
                Err(format!("nothing can be mounted: {}", String::from_utf8_lossy(&output.stderr).trim()))
            }
            Err(error) => Err(format!("nothing can be mounted: mount: {error}")),
        }
    }
}

impl Drop for Mount {
    fn drop(&mut self) {
        let _ = Command::new("umount").arg("-l").arg(&self.0).status();
    }
}
