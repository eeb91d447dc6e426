//! The `tags` that Watchfire itself puts on a record whose bytes were not what they should be.
//!
//! Enters: nothing. Leaves: words, the same in every daemon, so that one search finds what was repaired.

/// Bytes that are no UTF-8 were replaced by U+FFFD.
pub const INVALID_UTF8: &str = "invalid_utf8";
/// The record has more fields, longer names or deeper nesting than the bounds allow; the rest was left out.
pub const FIELDS_TRUNCATED: &str = "fields_truncated";
/// `@timestamp` is no time; the time of receipt stands in for it.
pub const INVALID_TIMESTAMP: &str = "invalid_timestamp";
/// The line was longer than its input allows; its end was left out and counted as lost.
pub const TRUNCATED: &str = "truncated";
/// The record has more lines or bytes than its input joins; they go on in the next record.
pub const MULTILINE_CUT: &str = "multiline_cut";
/// The line is not what the container runtime named in the configuration writes; it is shipped as it stands.
pub const NOT_CONTAINER: &str = "not_container";
/// The record is one of several parts of a line that was longer than its input allows; nothing was left out.
pub const SPLIT: &str = "split";
