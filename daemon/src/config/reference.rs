//! What `${...}` in a configuration stands for.
//!
//! Enters: the name between the braces. Leaves: the variable's value, or the file's content. Never: a value in an error.

use std::path::Path;

/// Content of a referenced file at most; a secret or a certificate is far smaller.
const FILE_BYTES_MAX: u64 = 1 << 20;

/// The value of `NAME` (an environment variable) or `file:PATH` (a file's text without its last line break; a relative
/// path starts at `folder`). `None` when the variable is not set.
pub(super) fn look_up(reference: &str, folder: &Path) -> Result<Option<String>, String> {
    match reference.strip_prefix("file:") {
        Some(path) => content(&folder.join(path)).map(Some),
        None => variable(reference),
    }
}

#[expect(clippy::disallowed_methods, reason = "the one reader of the environment")]
fn variable(name: &str) -> Result<Option<String>, String> {
    match std::env::var(name) {
        Ok(value) => Ok(Some(value)),
        Err(std::env::VarError::NotPresent) => Ok(None),
        Err(std::env::VarError::NotUnicode(_)) => Err(format!("environment variable {name} is not UTF-8")),
    }
}

fn content(path: &Path) -> Result<String, String> {
    let failed = |error: std::io::Error| format!("cannot read {}: {error}", path.display());
    if std::fs::metadata(path).map_err(failed)?.len() > FILE_BYTES_MAX {
        return Err(format!(
            "{} is larger than {FILE_BYTES_MAX} bytes; is it the right file?",
            path.display()
        ));
    }
    let mut text = std::fs::read_to_string(path).map_err(failed)?;
    if text.ends_with('\n') {
        text.pop();
        if text.ends_with('\r') {
            text.pop();
        }
    }
    Ok(text)
}
