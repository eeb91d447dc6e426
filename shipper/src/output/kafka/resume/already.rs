//! What the broker was found to have already.
//!
//! Enters: imprints of records of ours. Leaves: whether a record that is about to be sent is one of them; each is found once.
//! Never: a guess from a higher offset. The records of a stream may lie in several partitions, after some were added or by
//! their topics, and then what came first in the file need not have arrived first.

use std::collections::{BTreeSet, HashMap};

use event::{Imprint, StreamId};

/// Imprints that are kept at most, of about 24 bytes each. The oldest are kept; what lies behind them is sent again.
pub const RECORDS_MAX: usize = 1 << 20;

/// The set.
#[derive(Debug, Default)]
pub struct Already {
    /// By stream: offset and hash.
    streams: HashMap<StreamId, BTreeSet<(u64, u64)>>,
    records: usize,
    /// Imprints that found no room.
    left_out: u64,
}

impl Already {
    /// Adds a record that the broker has.
    pub fn insert(&mut self, imprint: Imprint) {
        if self.records >= RECORDS_MAX {
            self.left_out += 1;
            return;
        }
        let stream = self.streams.entry(imprint.id.stream).or_default();
        self.records += usize::from(stream.insert((imprint.id.offset, imprint.hash)));
    }

    /// True when the broker has this record; it is not asked for again. One with the same name and another text is no longer
    /// looked for either: what is sent now takes its place.
    pub fn take(&mut self, stream: StreamId, payload: &[u8]) -> bool {
        let Some(known) = self.streams.get_mut(&stream) else { return false };
        let Some(imprint) = Imprint::of(payload) else { return false };
        let offset = imprint.id.offset;
        let same_name: Vec<_> = known.range((offset, 0)..=(offset, u64::MAX)).copied().collect();
        for found in &same_name {
            known.remove(found);
        }
        self.records -= same_name.len();
        if known.is_empty() {
            self.streams.remove(&stream);
        }
        same_name.contains(&(offset, imprint.hash))
    }

    /// Records that were not asked for yet.
    pub fn len(&self) -> usize {
        self.records
    }

    /// True when nothing is left to be asked for.
    pub fn is_empty(&self) -> bool {
        self.records == 0
    }

    /// How many found no room.
    pub fn left_out(&self) -> u64 {
        self.left_out
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use event::{Encoder, Fields, Origin, Record, Timestamp};
    use proptest::prelude::*;

    use super::*;

    fn payload(stream: u128, offset: u64, text: &str, created: i64) -> Vec<u8> {
        let origin = Origin {
            stream: StreamId::from_u128(stream),
            host: "h".to_owned(),
            service: None,
            path: Some("/a".to_owned()),
            dataset: "log".to_owned(),
            tags: vec![],
            labels: vec![],
        };
        let mut out = Vec::new();
        let fields = Fields::default();
        let created = Timestamp::from_millis(created);
        Encoder::new(&origin).encode(&Record { offset, text, created, fields: &fields }, &mut out);
        out
    }

    #[test]
    fn a_record_is_found_once_and_by_all_of_its_text() {
        let mut already = Already::default();
        for (offset, text) in [(0, "a"), (10, "b"), (20, "c")] {
            already.insert(Imprint::of(&payload(1, offset, text, 5)).unwrap());
        }
        let stream = StreamId::from_u128(1);
        for (offset, text, is_there) in
            [(20, "c", true), (20, "c", false), (0, "a\nand more", false), (0, "a", false), (10, "b", true)]
        {
            assert_eq!(already.take(stream, &payload(1, offset, text, 6)), is_there, "{offset} {text}");
        }
        assert!(already.is_empty());
        assert!(!already.take(StreamId::from_u128(2), &payload(2, 0, "a", 6)));
    }

    proptest! {
        /// Whatever arrived, and in whatever order it is asked for: what is not there is sent, what is there is not.
        #[test]
        fn agrees_with_a_map(
            there in prop::collection::vec((0u128..3, 0u64..8, 0u8..2), 0..40),
            asked in prop::collection::vec((0u128..3, 0u64..8, 0u8..2), 0..40),
        ) {
            let mut already = Already::default();
            let mut naive: BTreeMap<(u128, u64), Vec<u8>> = BTreeMap::new();
            for (stream, offset, text) in there {
                already.insert(Imprint::of(&payload(stream, offset, &text.to_string(), 1)).unwrap());
                naive.entry((stream, offset)).or_default().push(text);
            }
            for (stream, offset, text) in asked {
                let expected = naive.remove(&(stream, offset)).is_some_and(|texts| texts.contains(&text));
                let record = payload(stream, offset, &text.to_string(), 2);
                prop_assert_eq!(already.take(StreamId::from_u128(stream), &record), expected);
            }
            prop_assert_eq!(already.is_empty(), naive.is_empty());
        }
    }
}
