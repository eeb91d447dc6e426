//! How a record is known again: its name, and a hash of what the same bytes of the file make of it at any time.
//!
//! Enters: a record as [`super::Encoder`] wrote it. Leaves: an [`Imprint`], or nothing for anybody else's record.
//! Never: a parsed tree; these are looked at by the hundred thousand.

use std::str::FromStr;

use memchr::memchr;
use memchr::memmem::find;

use crate::EventId;

/// The name of a record, and what it says. Two records with the same imprint are one record that was sent twice: the
/// offset alone does not say where a record ends, and one that was joined further the second time is another one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Imprint {
    /// `event.id`.
    pub id: EventId,
    /// XXH3 of everything that neither the time of reading nor a rename of the file changes: `@timestamp` (which is the time of
    /// reading where a line has none), `event.created` and `log.file.path` are left out.
    pub hash: u64,
}

impl Imprint {
    /// The imprint of `payload`; `None` when no encoder of ours has written it.
    #[must_use]
    pub fn of(payload: &[u8]) -> Option<Imprint> {
        let body = payload.strip_prefix(b"{\"@timestamp\":\"").and_then(behind_text)?;
        // A quote inside a text is escaped, so this is the member itself, whatever the message says.
        let (message, event) = split(body, b"\"event\":{\"id\":\"")?;
        let id = event.get(..memchr(b'"', event)?)?;
        let behind_id = event.get(id.len()..)?.strip_prefix(b"\",\"created\":\"").and_then(behind_text)?;
        let mut hasher = xxhash_rust::xxh3::Xxh3::new();
        hasher.update(message);
        match split(behind_id, b"\"file\":{\"path\":\"") {
            Some((before, path)) => {
                hasher.update(before);
                hasher.update(behind_text(path)?);
            }
            None => hasher.update(behind_id),
        }
        let id = EventId::from_str(std::str::from_utf8(id).ok()?).ok()?;
        Some(Imprint { id, hash: hasher.digest() })
    }
}

fn split<'a>(bytes: &'a [u8], needle: &[u8]) -> Option<(&'a [u8], &'a [u8])> {
    let at = find(bytes, needle)?;
    Some((bytes.get(..at)?, bytes.get(at + needle.len()..)?))
}

/// What follows the text that `bytes` begin inside of.
fn behind_text(mut bytes: &[u8]) -> Option<&[u8]> {
    loop {
        let quote = memchr(b'"', bytes)?;
        let escapes = bytes.get(..quote)?.iter().rev().take_while(|byte| **byte == b'\\').count();
        bytes = bytes.get(quote + 1..)?;
        if escapes % 2 == 0 {
            return Some(bytes);
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::{Encoder, Fields, Origin, Record, StreamId, Timestamp};

    struct Line<'a> {
        path: Option<&'a str>,
        offset: u64,
        text: &'a str,
        created: i64,
    }

    const LINE: Line<'_> =
        Line { path: Some("/var/log/a.log"), offset: 42, text: "one line", created: 1_000_000_000_123 };

    fn imprint(line: &Line<'_>) -> Imprint {
        let origin = Origin {
            stream: StreamId::from_u128(0xabc),
            host: "web-1".to_owned(),
            service: Some("app".to_owned()),
            path: line.path.map(str::to_owned),
            dataset: "log".to_owned(),
            tags: vec![],
            labels: vec![],
        };
        let fields = Fields::default();
        let created = Timestamp::from_millis(line.created);
        let record = Record { offset: line.offset, text: line.text, created, fields: &fields };
        let mut payload = Vec::new();
        Encoder::new(&origin).encode(&record, &mut payload);
        Imprint::of(&payload).unwrap()
    }

    #[test]
    fn the_same_bytes_read_again_are_the_same_record() {
        let first = imprint(&LINE);
        assert_eq!(first.id, EventId { stream: StreamId::from_u128(0xabc), offset: 42 });
        for again in [
            Line { created: 2_000_000_000_000, ..LINE },
            Line { path: Some("/var/log/a \"1\".log\\"), ..LINE },
            Line { path: Some("/\\\"event\":{\"id\":\""), ..LINE },
        ] {
            assert_eq!(imprint(&again), first);
        }
        for other in [
            Line { text: "one line\nand a second", ..LINE },
            Line { text: "one lin", ..LINE },
            Line { path: None, ..LINE },
        ] {
            assert_eq!(imprint(&other).id, first.id);
            assert_ne!(imprint(&other).hash, first.hash);
        }
    }

    #[test]
    fn what_others_wrote_is_none() {
        for payload in [
            "",
            "{}",
            "plain text",
            r#"{"@timestamp":"2026-11-23T10:30:45.123Z","message":"by another shipper"}"#,
            r#"{"@timestamp":"t","message":"m","event":{"id":"7","created":"t"}}"#,
            r#"{"@timestamp":"t","message":"m","event":{"id":"00000000000000000000000000000abc-1"}}"#,
        ] {
            assert_eq!(Imprint::of(payload.as_bytes()), None, "{payload}");
        }
    }

    proptest! {
        #[test]
        fn whatever_a_line_says_its_name_is_found(text in any::<String>(), path in any::<String>(), offset in any::<u64>()) {
            let line = Line { path: Some(&path), offset, text: &text, created: 5 };
            prop_assert_eq!(imprint(&line).id.offset, offset);
            let later = Line { created: 6, path: Some("/elsewhere"), ..line };
            prop_assert_eq!(imprint(&later), imprint(&line));
        }

        #[test]
        fn any_bytes_are_taken_without_a_panic(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
            let _ = Imprint::of(&bytes);
        }
    }
}
