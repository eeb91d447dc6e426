//! Records of UTF-8 lines that end with LF or CR LF.
//!
//! Enters: the bytes of a record as they lie in the file. Leaves: its text. Never: a copy, unless lines end with CR LF.

/// The text of a line: without its LF or CR LF.
pub(super) fn without_end(line: &[u8]) -> &[u8] {
    let line = line.strip_suffix(b"\n").unwrap_or(line);
    line.strip_suffix(b"\r").unwrap_or(line)
}

/// Some editors and Windows services begin a file with U+FEFF, which is no part of its first line.
pub(super) fn without_byte_order_mark(start: u64, record: &[u8]) -> &[u8] {
    if start == 0 { record.strip_prefix(b"\xef\xbb\xbf").unwrap_or(record) } else { record }
}

/// The record with `\n` between its lines; copied only when one of them ends in CR LF.
pub(super) fn with_plain_ends<'a>(record: &'a [u8], joined: &'a mut Vec<u8>) -> &'a [u8] {
    if memchr::memchr(b'\n', record).is_none() || memchr::memmem::find(record, b"\r\n").is_none() {
        return record;
    }
    joined.clear();
    for line in record.split_inclusive(|byte| *byte == b'\n') {
        joined.extend_from_slice(line.strip_suffix(b"\r\n").unwrap_or(line));
        if line.ends_with(b"\r\n") {
            joined.push(b'\n');
        }
    }
    joined
}
