//! Damage that can be undone because there is only one way to undo it.
//!
//! Enters: the bytes of a damaged registry. Leaves: the bytes as they were written, and what was wrong with them; or how far
//! they are sound. Never: a guess. A line is put right only when one flipped bit explains it: its checksum then holds, and
//! it reads as a group of changes. What a torn write left at the end is cut off, as every start does.
//!
//! CRC-32 tells every flipped bit of a line from every other one, so trying them all is not needed: the difference
//! between the checksum that stands there and the one that the line has says which bit it is.

use super::log::{self, CHECKSUM_LEN, Content, Damage};

/// Flipped bits in one file that are put right; more have another cause than age or a stray particle.
const FLIPS_MAX: usize = 16;

/// A file that is as it was written.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Mended {
    /// The file, without its torn end.
    pub bytes: Vec<u8>,
    /// Where a bit was flipped.
    pub flips: Vec<usize>,
    /// Bytes of a torn write at the end.
    pub torn_bytes: usize,
    /// What the file stands for.
    pub content: Content,
}

/// Mends `bytes`; gives the damage that cannot be undone otherwise.
pub(super) fn mend(bytes: &[u8]) -> Result<Mended, Damage> {
    let mut bytes = bytes.to_vec();
    let mut flips = Vec::new();
    loop {
        let (damage, at) = match log::parse(&bytes) {
            Ok(content) => {
                let sound = usize::try_from(content.sound_bytes).unwrap_or(bytes.len());
                let torn_bytes = bytes.len().saturating_sub(sound);
                bytes.truncate(sound);
                return Ok(Mended { bytes, flips, torn_bytes, content });
            }
            Err(damage @ Damage::Broken { at }) => (damage, usize::try_from(at).unwrap_or(usize::MAX)),
            Err(damage @ Damage::NoRegistry) => (damage, 0),
            Err(damage) => return Err(damage),
        };
        let flip = (flips.len() < FLIPS_MAX).then(|| find_flip(&bytes, at)).flatten();
        let Some((place, bit)) = flip else { return Err(damage) };
        if let Some(byte) = bytes.get_mut(place) {
            *byte ^= bit;
        }
        flips.push(place);
    }
}

/// The one bit that makes the line at `at` sound.
fn find_flip(bytes: &[u8], at: usize) -> Option<(usize, u8)> {
    let mut copy = bytes.to_vec();
    let mut makes_sound = |place: usize, bit: u8| {
        let Some(byte) = copy.get_mut(place) else { return false };
        *byte ^= bit;
        let is_sound = log::is_sound_line(&copy, at);
        if let Some(byte) = copy.get_mut(place) {
            *byte ^= bit;
        }
        is_sound
    };
    let rest = bytes.get(at..)?;
    let end = memchr::memchr(b'\n', rest).map(|end| at + end);
    let bits = || (0..8).map(|bit| 1_u8 << bit);
    // The checksum's own digits, and the blank behind them.
    let in_checksum = (at..at + CHECKSUM_LEN).flat_map(|place| bits().map(move |bit| (place, bit)));
    // A line end that is none any more, and another byte that has become one.
    let at_end = end.into_iter().flat_map(|place| bits().map(move |bit| (place, bit)));
    let lost_ends = rest.iter().enumerate().filter(|(_, byte)| (**byte ^ b'\n').is_power_of_two());
    let lost_ends = lost_ends.map(|(ahead, byte)| (at + ahead, *byte ^ b'\n'));
    let in_text = end.and_then(|end| flip_in_text(bytes, at, end));
    in_text
        .into_iter()
        .chain(in_checksum)
        .chain(at_end)
        .chain(lost_ends.take(LOST_ENDS_MAX))
        .find(|(place, bit)| makes_sound(*place, *bit))
}

/// Bytes that are tried as a line end that was lost; each costs a look at the line before it.
const LOST_ENDS_MAX: usize = 100_000;

/// The bit in the line's JSON that explains its checksum.
fn flip_in_text(bytes: &[u8], at: usize, end: usize) -> Option<(usize, u8)> {
    let line = bytes.get(at..end)?;
    let (digits, text) = line.split_at_checked(CHECKSUM_LEN)?;
    let digits = std::str::from_utf8(digits.get(..8)?).ok()?;
    let wanted = u32::from_str_radix(digits, 16).ok()? ^ crc32fast::hash(text);
    // What flipping each bit of the last byte does to the checksum; one byte further to the front, it is that with one zero
    // byte behind.
    let mut effects: Vec<(u8, u32)> = (0..8).map(|bit| (1_u8 << bit, advance(1 << bit))).collect();
    for place in (at + CHECKSUM_LEN..end).rev() {
        if let Some((bit, _)) = effects.iter().find(|(_, effect)| *effect == wanted) {
            return Some((place, *bit));
        }
        for (_, effect) in &mut effects {
            *effect = advance(*effect);
        }
    }
    None
}

/// The state of the checksum's register after one zero byte; linear, so it works on differences too.
fn advance(register: u32) -> u32 {
    // The polynomial of CRC-32 (ISO-HDLC), reflected.
    (0..8).fold(register, |register, _| (register >> 1) ^ if register & 1 == 1 { 0xEDB8_8320 } else { 0 })
}
