//! The body of a bulk request.
//!
//! Enters: documents in their order. Leaves: two lines for each, `create` and its source, as many as the bounds take.
//! Never: a request without a document; one that is larger than the bound travels alone.

use std::io::Write;

use bytes::Bytes;

use crate::document::Document;

/// Bytes that one document takes beside its source: `{"create":{"_id":"…"}}` and two line ends.
const ACTION_BYTES: usize = 80;

/// How large a request becomes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Bounds {
    /// Bytes of the body.
    pub bytes: usize,
    /// Documents.
    pub documents: usize,
}

/// A request's body, and how many documents it took.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Bulk {
    /// NDJSON.
    pub body: Bytes,
    /// The first so many of the documents are in it.
    pub documents: usize,
}

/// What one document adds to a body.
#[must_use]
pub fn cost(document: &Document) -> usize {
    document.source.len() + ACTION_BYTES
}

/// Takes documents from the front while they fit; the first always does.
pub fn assemble<'d>(documents: impl Iterator<Item = &'d Document> + Clone, bounds: Bounds) -> Bulk {
    let mut bytes = 0;
    let mut count = 0;
    for document in documents.clone() {
        let grown = bytes + cost(document);
        if count > 0 && (grown > bounds.bytes || count >= bounds.documents) {
            break;
        }
        bytes = grown;
        count += 1;
    }
    let mut body = Vec::with_capacity(bytes);
    for document in documents.take(count) {
        // Writing to a vector cannot fail.
        let _ = writeln!(body, r#"{{"create":{{"_id":"{}"}}}}"#, document.id);
        body.extend_from_slice(&document.source);
        body.push(b'\n');
    }
    Bulk { body: body.into(), documents: count }
}

#[cfg(test)]
mod tests {
    use event::{EventId, StreamId, Timestamp};
    use proptest::prelude::*;

    use super::*;

    fn document(offset: u64, source: &str) -> Document {
        Document {
            id: EventId { stream: StreamId::from_u128(1), offset },
            source: Bytes::copy_from_slice(source.as_bytes()),
            topic: "t".into(),
            partition: 0,
            offset: 0,
            timestamp: Timestamp::EPOCH,
        }
    }

    fn check(sources: &[&str], bounds: (usize, usize), expected: usize) {
        let documents: Vec<Document> =
            (0..).zip(sources).map(|(offset, source)| document(offset, source)).collect();
        let bulk = assemble(documents.iter(), Bounds { bytes: bounds.0, documents: bounds.1 });
        assert_eq!(bulk.documents, expected, "{sources:?} in {bounds:?}");
    }

    #[test]
    fn takes_what_fits_and_at_least_one() {
        check(&[], (1000, 10), 0);
        check(&["{}", "{}", "{}"], (1000, 10), 3);
        check(&["{}", "{}", "{}"], (1000, 2), 2);
        check(&["{}", "{}", "{}"], (2 * (ACTION_BYTES + 2), 10), 2);
        check(&["{}", "{}", "{}"], (2 * (ACTION_BYTES + 2) - 1, 10), 1);
        check(&["{}", "{}"], (1, 1), 1);
    }

    #[test]
    fn is_two_lines_for_each_document() {
        let documents = [document(0, r#"{"a":1}"#), document(5, "{}")];
        let bulk = assemble(documents.iter(), Bounds { bytes: 1000, documents: 10 });
        insta::assert_snapshot!(String::from_utf8_lossy(&bulk.body), @r#"
        {"create":{"_id":"00000000000000000000000000000001-0"}}
        {"a":1}
        {"create":{"_id":"00000000000000000000000000000001-5"}}
        {}
        "#);
    }

    proptest! {
        #[test]
        fn a_body_stays_in_its_bound(lengths in proptest::collection::vec(0_usize..300, 1..30), bytes in 100_usize..2000) {
            let documents: Vec<Document> = lengths.iter().map(|len| document(u64::MAX, &"x".repeat(*len))).collect();
            let bulk = assemble(documents.iter(), Bounds { bytes, documents: 20 });
            prop_assert!(bulk.documents == 1 || bulk.body.len() <= bytes);
            let fits_one_more = documents.get(..=bulk.documents)
                .is_some_and(|more| bulk.documents < 20 && more.iter().map(cost).sum::<usize>() <= bytes);
            prop_assert!(!fits_one_more);
        }
    }
}
