//! The brokers' addresses in an answer of Kafka.
//!
//! Enters: frames as they go to and come from a broker. Leaves: which answer lists brokers, whom it lists, and the same
//! answer with other addresses. Never: another part of the protocol; everything behind the list is copied as it is.
//!
//! Layout: <https://kafka.apache.org/protocol#The_Messages_Metadata>. Versions 0 to 13 begin with: correlation id; tags of
//! the header from version 9 on; throttle time from 3 on; the brokers, each with its id, host, port and, from 1 on, rack.
//! From version 9 on lengths are variable, one more than what they count, and tags stand behind each broker.

/// Bytes of one frame at most; above every record that the shipper sends.
pub(super) const FRAME_BYTES_MAX: usize = 64 << 20;
const METADATA: i16 = 3;
/// The newest layout that is known here. The client asks a broker for no newer one than it knows itself.
const VERSION_MAX: i16 = 13;
const FLEXIBLE_FROM: i16 = 9;
const THROTTLE_FROM: i16 = 3;
const RACK_FROM: i16 = 1;

/// A request for the brokers' addresses: its correlation id and its version.
pub(super) fn metadata_request(frame: &[u8]) -> Option<(i32, i16)> {
    let mut reader = Reader { bytes: frame, at: 0 };
    let (key, version, correlation) = (reader.i16()?, reader.i16()?, reader.i32()?);
    (key == METADATA && (0..=VERSION_MAX).contains(&version)).then_some((correlation, version))
}

/// The correlation id of an answer.
pub(super) fn correlation(frame: &[u8]) -> Option<i32> {
    Reader { bytes: frame, at: 0 }.i32()
}

/// One broker of the list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Broker {
    pub id: i32,
    pub host: String,
    pub port: i32,
    /// Everything of it behind the port, as it is.
    rest: Vec<u8>,
}

/// An answer, taken apart.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Answer {
    version: i16,
    /// Everything before the list.
    head: Vec<u8>,
    pub brokers: Vec<Broker>,
    /// Everything behind it.
    tail: Vec<u8>,
}

impl Answer {
    /// Reads the answer to a request of `version`; `None` for one that is cut short.
    pub(super) fn parse(version: i16, frame: &[u8]) -> Option<Self> {
        let is_flexible = version >= FLEXIBLE_FROM;
        let mut reader = Reader { bytes: frame, at: 0 };
        reader.i32()?;
        if is_flexible {
            reader.tags()?;
        }
        if version >= THROTTLE_FROM {
            reader.i32()?;
        }
        let head = frame.get(..reader.at)?.to_vec();
        let count = if is_flexible { reader.length()? } else { usize::try_from(reader.i32()?).ok()? };
        let mut brokers = Vec::new();
        for _ in 0..count {
            brokers.push(reader.broker(version)?);
        }
        Some(Answer { version, head, brokers, tail: frame.get(reader.at..)?.to_vec() })
    }

    /// The frame.
    pub(super) fn write(&self) -> Vec<u8> {
        let is_flexible = self.version >= FLEXIBLE_FROM;
        let mut out = self.head.clone();
        if is_flexible {
            push_length(&mut out, self.brokers.len());
        } else {
            out.extend(i32::try_from(self.brokers.len()).unwrap_or(i32::MAX).to_be_bytes());
        }
        for broker in &self.brokers {
            out.extend(broker.id.to_be_bytes());
            if is_flexible {
                push_length(&mut out, broker.host.len());
            } else {
                out.extend(i16::try_from(broker.host.len()).unwrap_or(i16::MAX).to_be_bytes());
            }
            out.extend(broker.host.as_bytes());
            out.extend(broker.port.to_be_bytes());
            out.extend(&broker.rest);
        }
        out.extend(&self.tail);
        out
    }
}

/// A length of the newer layouts.
fn push_length(out: &mut Vec<u8>, length: usize) {
    let mut rest = length + 1;
    while rest >= 0x80 {
        out.push(u8::try_from(rest & 0x7f).unwrap_or(0) | 0x80);
        rest >>= 7;
    }
    out.push(u8::try_from(rest).unwrap_or(0));
}

struct Reader<'b> {
    bytes: &'b [u8],
    at: usize,
}

impl<'b> Reader<'b> {
    fn take(&mut self, count: usize) -> Option<&'b [u8]> {
        let taken = self.bytes.get(self.at..self.at.checked_add(count)?)?;
        self.at += count;
        Some(taken)
    }

    fn i16(&mut self) -> Option<i16> {
        Some(i16::from_be_bytes(self.take(2)?.try_into().ok()?))
    }

    fn i32(&mut self) -> Option<i32> {
        Some(i32::from_be_bytes(self.take(4)?.try_into().ok()?))
    }

    fn varint(&mut self) -> Option<usize> {
        let mut number = 0;
        for shift in (0..35).step_by(7) {
            let byte = *self.take(1)?.first()?;
            number |= usize::from(byte & 0x7f) << shift;
            if byte & 0x80 == 0 {
                return Some(number);
            }
        }
        None
    }

    /// A length; what is null counts as empty.
    fn length(&mut self) -> Option<usize> {
        self.varint().map(|number| number.saturating_sub(1))
    }

    fn tags(&mut self) -> Option<()> {
        for _ in 0..self.varint()? {
            self.varint()?;
            let size = self.varint()?;
            self.take(size)?;
        }
        Some(())
    }

    fn broker(&mut self, version: i16) -> Option<Broker> {
        let is_flexible = version >= FLEXIBLE_FROM;
        let id = self.i32()?;
        let length = if is_flexible { self.length()? } else { usize::try_from(self.i16()?).ok()? };
        let host = String::from_utf8(self.take(length)?.to_vec()).ok()?;
        let port = self.i32()?;
        let start = self.at;
        if version >= RACK_FROM {
            // A null rack has a length below zero in the older layouts.
            let length = if is_flexible { self.length()? } else { usize::try_from(self.i16()?).unwrap_or(0) };
            self.take(length)?;
        }
        if is_flexible {
            self.tags()?;
        }
        Some(Broker { id, host, port, rest: self.bytes.get(start..self.at)?.to_vec() })
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn request(key: i16, version: i16) -> Vec<u8> {
        [&key.to_be_bytes()[..], &version.to_be_bytes(), &7_i32.to_be_bytes(), b"rest"].concat()
    }

    #[test]
    fn only_a_request_for_metadata_of_a_known_version_is_one() {
        assert_eq!(metadata_request(&request(3, 12)), Some((7, 12)));
        for (key, version) in [(3, 14), (3, -1), (0, 9), (18, 3)] {
            assert_eq!(metadata_request(&request(key, version)), None);
        }
        assert_eq!(metadata_request(b"\0\x03\0"), None);
        assert_eq!(correlation(b"\0\0\0\x07x"), Some(7));
    }

    /// Answers as brokers write them, by hand from the protocol's tables.
    #[test]
    fn the_list_of_brokers_is_found_in_each_layout() {
        let old = b"\0\0\0\x07\0\0\0\x01\0\0\0\x05\0\x01h\0\0\x23\x84tail";
        let racks = b"\0\0\0\x07\0\0\0\x01\0\0\0\x05\0\x01h\0\0\x23\x84\xff\xfftail";
        let throttle = b"\0\0\0\x07\0\0\0\0\0\0\0\x01\0\0\0\x05\0\x01h\0\0\x23\x84\0\x01rtail";
        let flexible = b"\0\0\0\x07\0\0\0\0\0\x02\0\0\0\x05\x02h\0\0\x23\x84\0\0tail";
        for (version, frame) in [(0, &old[..]), (1, racks), (3, throttle), (9, flexible), (13, flexible)] {
            let mut answer = Answer::parse(version, frame).unwrap();
            let broker = &answer.brokers[0];
            assert_eq!((broker.id, broker.host.as_str(), broker.port), (5, "h", 9092), "version {version}");
            assert_eq!(answer.write(), frame, "version {version}");
            (answer.brokers[0].host, answer.brokers[0].port) = ("127.0.0.1".to_owned(), 1);
            let again = Answer::parse(version, &answer.write()).unwrap();
            assert_eq!((&again.brokers, again.tail.as_slice()), (&answer.brokers, &b"tail"[..]));
        }
    }

    proptest! {
        #[test]
        fn bytes_of_any_kind_are_read_or_refused(version in 0i16..14, frame in prop::collection::vec(any::<u8>(), 0..200)) {
            if let Some(answer) = Answer::parse(version, &frame) {
                let again = Answer::parse(version, &answer.write());
                prop_assert_eq!(again, Some(answer));
            }
        }

        #[test]
        fn every_length_reads_back(length in 0usize..3_000_000) {
            let mut bytes = Vec::new();
            push_length(&mut bytes, length);
            prop_assert_eq!(Reader { bytes: &bytes, at: 0 }.length(), Some(length));
        }
    }
}
