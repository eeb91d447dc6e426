//! The plain bytes of a compressed file.
//!
//! Enters: a `.gz` or `.zst` file that may still grow. Leaves: its decompressed bytes by offset, mostly forwards.
//! Never: more in memory than the last read asked for and one piece; never an end that is not there yet: an archive that
//! is not complete gives what it has, and goes on when the rest has come.
//!
//! Both formats allow several members one behind the other; their bytes follow each other. What lies behind the last
//! member, such as padding, is no text.

use std::fs::File;
use std::io::{self, Write};
use std::os::unix::fs::FileExt;
use std::path::Path;

use serde::{Deserialize, Serialize};

/// Compressed bytes that are read at once.
const PIECE_BYTES: usize = 32 << 10;
/// Decompressed bytes that one call of [`Archive::seek`] passes over at most.
const SKIP_BYTES_MAX: u64 = 16 << 20;
/// Plain bytes at the start that are remembered.
const FIRST_BYTES: usize = 4;
/// How both formats begin.
const GZIP_MAGIC: &[u8] = &[0x1f, 0x8b];
const ZSTD_MAGIC: &[u8] = &[0x28, 0xb5, 0x2f, 0xfd];

/// How a file is compressed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Codec {
    /// RFC 1952.
    Gzip,
    /// RFC 8878.
    Zstd,
}

impl Codec {
    /// By the name's ending; the file's first bytes have the last word, see [`Codec::of`].
    pub(super) fn of_name(path: &Path) -> Option<Self> {
        match path.extension()?.to_str()? {
            "gz" | "gzip" => Some(Codec::Gzip),
            "zst" | "zstd" => Some(Codec::Zstd),
            _ => None,
        }
    }

    /// The name's codec, unless the file's first bytes deny it. A file that has none yet is what its name says.
    pub(super) fn of(path: &Path, file: &File) -> io::Result<Option<Self>> {
        let Some(codec) = Codec::of_name(path) else { return Ok(None) };
        let magic = if codec == Codec::Gzip { GZIP_MAGIC } else { ZSTD_MAGIC };
        let mut first = [0; 4];
        let read = file.read_at(&mut first, 0)?;
        let there = first.get(..read.min(magic.len())).unwrap_or_default();
        Ok(magic.starts_with(there).then_some(codec))
    }
}

/// Both take compressed bytes as they come, and write what they stand for to a list.
enum Decoder {
    Gzip(Box<flate2::write::MultiGzDecoder<Vec<u8>>>),
    Zstd(Box<zstd::stream::write::Decoder<'static, Vec<u8>>>),
}

impl Decoder {
    fn new(codec: Codec) -> io::Result<Self> {
        Ok(match codec {
            Codec::Gzip => Decoder::Gzip(Box::new(flate2::write::MultiGzDecoder::new(Vec::new()))),
            Codec::Zstd => Decoder::Zstd(Box::new(zstd::stream::write::Decoder::new(Vec::new())?)),
        })
    }

    /// Takes some of `bytes`, and gives how many. What comes of one call is bounded, whatever they stand for.
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        match self {
            Decoder::Gzip(decoder) => decoder.write(bytes),
            Decoder::Zstd(decoder) => decoder.write(bytes),
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        match self {
            Decoder::Gzip(decoder) => decoder.flush(),
            Decoder::Zstd(decoder) => decoder.flush(),
        }
    }

    fn plain(&mut self) -> &mut Vec<u8> {
        match self {
            Decoder::Gzip(decoder) => decoder.get_mut(),
            Decoder::Zstd(decoder) => decoder.get_mut(),
        }
    }
}

/// An open archive.
pub(super) struct Archive {
    file: File,
    codec: Codec,
    /// Its list holds the plain bytes from `start` on.
    decoder: Decoder,
    start: u64,
    /// The stream's offset of the first plain byte.
    base: u64,
    /// The first plain bytes, once they were passed.
    first: Vec<u8>,
    piece: Vec<u8>,
    /// How much of `piece` was decoded.
    decoded: usize,
    /// Where the next piece begins in the file.
    next: u64,
    /// What follows the last member is no text.
    is_over: bool,
    /// Why nothing more can be decoded.
    damage: Option<String>,
    /// How far reads have come.
    given: u64,
}

impl std::fmt::Debug for Archive {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.debug_struct("Archive")
            .field("codec", &self.codec)
            .field("start", &self.start)
            .finish_non_exhaustive()
    }
}

impl Archive {
    /// `base` is the stream's offset of the first byte that the archive holds.
    pub(super) fn new(file: File, codec: Codec, base: u64) -> io::Result<Self> {
        let decoder = Decoder::new(codec)?;
        Ok(Archive {
            file,
            codec,
            decoder,
            start: base,
            base,
            first: Vec::new(),
            piece: Vec::new(),
            decoded: 0,
            next: 0,
            is_over: false,
            damage: None,
            given: base,
        })
    }

    pub(super) fn file(&self) -> &File {
        &self.file
    }

    /// The first plain bytes, once they were passed: enough to know a mark of their encoding.
    pub(super) fn first(&self) -> &[u8] {
        &self.first
    }

    /// True when nothing more can be decoded.
    pub(super) fn is_damaged(&self) -> bool {
        self.damage.is_some()
    }

    /// Forgets what lies before `start`, and decodes up to it; false when that takes a further call. An archive that
    /// ends before `start` is as far as it goes.
    pub(super) fn seek(&mut self, start: u64) -> io::Result<bool> {
        if start < self.start {
            *self = Archive::new(self.file.try_clone()?, self.codec, self.base)?;
            if start < self.base {
                return Err(io::Error::other(format!("the copy begins at byte {}", self.base)));
            }
        }
        let from = self.start;
        while self.start < start {
            let step = (start - self.start).min(PIECE_BYTES as u64);
            let has_all = self.decode(usize::try_from(step).unwrap_or(PIECE_BYTES))?;
            let plain = self.decoder.plain();
            let passed = plain.len().min(usize::try_from(start - self.start).unwrap_or(usize::MAX));
            if self.start == 0 {
                self.first = plain.get(..passed.min(FIRST_BYTES)).unwrap_or_default().to_vec();
            }
            plain.drain(..passed);
            self.start += passed as u64;
            if !has_all {
                return Ok(true);
            }
            if self.start - from >= SKIP_BYTES_MAX && self.start < start {
                return Ok(false);
            }
        }
        Ok(true)
    }

    /// Fills `bytes` from offset `start` on as far as there is something; gives how much there was.
    pub(super) fn read_full(&mut self, start: u64, bytes: &mut [u8]) -> io::Result<usize> {
        while !self.seek(start)? {}
        if self.start < start {
            return Ok(0);
        }
        self.decode(bytes.len())?;
        let plain = self.decoder.plain();
        let count = plain.len().min(bytes.len());
        let end = start + count as u64;
        // What lies before the damage is sound, and was not given yet.
        if let Some(damage) = self.damage.as_ref().filter(|_| end <= self.given) {
            return Err(io::Error::other(format!("the archive is damaged behind byte {end}: {damage}")));
        }
        self.given = self.given.max(end);
        if let (Some(to), Some(from)) = (bytes.get_mut(..count), plain.get(..count)) {
            to.copy_from_slice(from);
        }
        Ok(count)
    }

    /// Decodes until `wanted` plain bytes lie ready; false when there are not so many.
    fn decode(&mut self, wanted: usize) -> io::Result<bool> {
        while self.decoder.plain().len() < wanted {
            let is_stuck = self.is_over || self.damage.is_some();
            if is_stuck || (self.decoded == self.piece.len() && !self.next_piece()?) {
                if !is_stuck {
                    self.decoder.flush()?;
                }
                return Ok(self.decoder.plain().len() >= wanted);
            }
            let before = self.start - self.base + self.decoder.plain().len() as u64;
            match self.decoder.write(self.piece.get(self.decoded..).unwrap_or_default()) {
                Ok(taken) => self.decoded += taken,
                // Zeros or anything else behind a whole member: tools pad. Within the first one it is damage.
                Err(error) if before > 0 && self.is_padding() => {
                    tracing::debug!(%error, "an archive is followed by something else");
                    self.is_over = true;
                }
                Err(error) => self.damage = Some(error.to_string()),
            }
        }
        Ok(true)
    }

    /// Whether all that is left of the piece at hand is zeros.
    fn is_padding(&self) -> bool {
        self.piece.get(self.decoded..).unwrap_or_default().iter().all(|byte| *byte == 0)
    }

    fn next_piece(&mut self) -> io::Result<bool> {
        self.piece.resize(PIECE_BYTES, 0);
        let read = self.file.read_at(&mut self.piece, self.next)?;
        self.piece.truncate(read);
        self.decoded = 0;
        self.next += read as u64;
        Ok(read > 0)
    }
}

#[cfg(test)]
mod tests {
    use std::fs::OpenOptions;
    use std::io::Read;

    use proptest::prelude::*;

    use super::*;

    pub(super) fn pack(codec: Codec, plain: &[u8]) -> Vec<u8> {
        let mut packed = Vec::new();
        match codec {
            Codec::Gzip => {
                let mut encoder = flate2::read::GzEncoder::new(plain, flate2::Compression::fast());
                encoder.read_to_end(&mut packed).unwrap();
            }
            Codec::Zstd => packed = zstd::encode_all(plain, 1).unwrap(),
        }
        packed
    }

    fn archive(codec: Codec, bytes: &[u8]) -> (tempfile::NamedTempFile, Archive) {
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(file.path(), bytes).unwrap();
        let opened = File::open(file.path()).unwrap();
        (file, Archive::new(opened, codec, 0).unwrap())
    }

    fn text(lines: usize) -> Vec<u8> {
        (0..lines)
            .flat_map(|line| format!("line {line} of a log that repeats itself\n").into_bytes())
            .collect()
    }

    #[test]
    fn several_members_are_one_text() {
        for codec in [Codec::Gzip, Codec::Zstd] {
            let packed = [pack(codec, b"one\n"), pack(codec, b""), pack(codec, b"two\n")].concat();
            let (_file, mut archive) = archive(codec, &packed);
            let mut bytes = [0; 20];
            assert_eq!(archive.read_full(0, &mut bytes).unwrap(), 8, "{codec:?}");
            assert_eq!(&bytes[..8], b"one\ntwo\n");
            assert_eq!(archive.read_full(4, &mut bytes).unwrap(), 4);
            assert_eq!(
                archive.read_full(0, &mut bytes[..4]).unwrap(),
                4,
                "backwards, from its beginning again"
            );
        }
    }

    /// However little of it is there, it is no error, and what comes later follows.
    #[test]
    fn an_incomplete_archive_waits() {
        let plain = text(3000);
        for codec in [Codec::Gzip, Codec::Zstd] {
            let packed = pack(codec, &plain);
            let (file, mut archive) = archive(codec, &[]);
            let mut writer = OpenOptions::new().append(true).open(file.path()).unwrap();
            let (mut got, mut bytes) = (Vec::new(), [0; 777]);
            for piece in packed.chunks(packed.len() / 50 + 1) {
                writer.write_all(piece).unwrap();
                loop {
                    let read = archive.read_full(got.len() as u64, &mut bytes).unwrap();
                    got.extend_from_slice(&bytes[..read]);
                    if read == 0 {
                        break;
                    }
                }
            }
            assert!(got == plain, "{codec:?}: {} of {}", got.len(), plain.len());
        }
    }

    #[test]
    fn padding_is_no_text_and_damage_is_an_error() {
        let plain = text(100);
        let padded = [pack(Codec::Gzip, &plain), vec![0; 1000]].concat();
        let (_file, mut archive_) = archive(Codec::Gzip, &padded);
        let mut bytes = vec![0; plain.len() + 10];
        assert_eq!(archive_.read_full(0, &mut bytes).unwrap(), plain.len());
        for codec in [Codec::Gzip, Codec::Zstd] {
            let packed = [pack(codec, &plain), b"this is no member of an archive".to_vec()].concat();
            let (_file, mut archive) = archive(codec, &packed);
            let sound = archive.read_full(0, &mut bytes).unwrap();
            assert!(bytes[..sound] == plain, "{codec:?}: what is before the damage is given");
            let error = archive.read_full(0, &mut bytes).unwrap_err().to_string();
            assert!(error.starts_with("the archive is damaged behind byte "), "{error}");
        }
    }

    #[test]
    fn a_long_way_is_gone_in_steps() {
        let plain = vec![b'x'; 40 << 20];
        for codec in [Codec::Gzip, Codec::Zstd] {
            let (_file, mut archive) = archive(codec, &pack(codec, &plain));
            let mut steps = 1;
            while !archive.seek(40 << 20).unwrap() {
                steps += 1;
                assert!(archive.decoder.plain().capacity() < 4 << 20, "memory has a bound");
            }
            assert_eq!(steps, 3, "{codec:?}");
        }
    }

    proptest! {
        #[test]
        fn any_reads_see_the_text(
            lines in 0usize..3000,
            is_gzip in any::<bool>(),
            reads in prop::collection::vec((any::<prop::sample::Index>(), 1usize..5000), 1..20),
        ) {
            let plain = text(lines);
            let codec = if is_gzip { Codec::Gzip } else { Codec::Zstd };
            let (_file, mut archive) = archive(codec, &pack(codec, &plain));
            for (start, len) in reads {
                let start = start.index(plain.len() + 1);
                let mut bytes = vec![0; len];
                let read = archive.read_full(start as u64, &mut bytes).unwrap();
                let end = (start + len).min(plain.len());
                prop_assert_eq!(&bytes[..read], &plain[start..end]);
            }
        }
    }
}
