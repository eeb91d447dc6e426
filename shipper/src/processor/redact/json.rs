//! A nested JSON value without what must not leave the host.
//!
//! Enters: one valid JSON value. Leaves: the same with strings and numbers replaced; a number that is replaced becomes a
//! string. Never: a change of anything else; what is not replaced is copied byte by byte.

use event::Text;

use super::redactor::{Redactor, TOKEN};

/// Appends the value to `out`; true when something of it was replaced. With `is_secret`, its name says that all of it is.
pub(super) fn rewrite(json: &str, is_secret: bool, redactor: &mut Redactor, out: &mut String) -> bool {
    let (mut rest, mut is_secret, mut is_changed) = (json, is_secret, false);
    let mut resolved = String::new();
    while let Some(first) = rest.bytes().next() {
        let length = match first {
            b'"' => string_bytes(rest),
            b'-' | b'0'..=b'9' => number_bytes(rest),
            _ => plain_bytes(rest),
        };
        let (token, after) = rest.split_at_checked(length).unwrap_or((rest, ""));
        rest = after;
        let text = match first {
            b'"' => {
                let inside = token.strip_prefix('"').and_then(|token| token.strip_suffix('"'));
                Text::Escaped(inside.unwrap_or_default()).resolve(&mut resolved)
            }
            b'-' | b'0'..=b'9' => token,
            _ => {
                // A member's name says it of its own value alone.
                is_secret &= !token.contains('}');
                out.push_str(token);
                continue;
            }
        };
        if first == b'"' && after.trim_ascii_start().starts_with(':') {
            is_secret = redactor.is_secret(text);
            out.push_str(token);
            continue;
        }
        let new = if is_secret && !text.is_empty() { Some(TOKEN) } else { redactor.redact(text) };
        match new.and_then(|new| serde_json::to_string(new).ok()) {
            Some(quoted) => {
                out.push_str(&quoted);
                is_changed = true;
            }
            None => out.push_str(token),
        }
    }
    is_changed
}

/// The string that `json` starts with, quotes included.
fn string_bytes(json: &str) -> usize {
    let mut is_escaped = false;
    let end = json.bytes().skip(1).position(|byte| {
        let is_end = byte == b'"' && !is_escaped;
        is_escaped = byte == b'\\' && !is_escaped;
        is_end
    });
    end.map_or(json.len(), |end| end + 2)
}

fn number_bytes(json: &str) -> usize {
    let is_part = |byte: u8| matches!(byte, b'-' | b'+' | b'.' | b'e' | b'E' | b'0'..=b'9');
    json.bytes().position(|byte| !is_part(byte)).unwrap_or(json.len())
}

/// Up to the next string or number: braces, commas, white space, truth values.
fn plain_bytes(json: &str) -> usize {
    json.bytes().position(|byte| matches!(byte, b'"' | b'-' | b'0'..=b'9')).unwrap_or(json.len())
}
